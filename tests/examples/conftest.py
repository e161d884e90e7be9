"""Says at the end of a run how the trees of the examples were judged."""

from collections.abc import Callable

import pytest

Judged = Callable[[str], None]

_LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Judged:
    """Adds a line to the report."""
    return request.config.stash.setdefault(_LINES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(_LINES, [])
    if lines:
        terminalreporter.section("how the examples' trees were judged")
        for line in sorted(lines):
            terminalreporter.write_line(line)
