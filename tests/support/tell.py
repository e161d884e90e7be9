"""What the fixture `tell` of tests/conftest.py is."""

from collections.abc import Callable

#: Has the end of the run say a line.
Tell = Callable[[str], None]
