"""Version numbers of programs and kernels, as far as they are ordered by numbers."""

import re
from dataclasses import dataclass, field
from typing import Self

_DOTTED_NUMBERS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,4}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A dotted version such as ``2.2.7``, ordered number by number.

    ``6.1`` and ``6.1.0`` are equal: a release without a patch number is its patch level zero.
    """

    parts: tuple[int, ...]
    """The numbers without trailing zeros, the most significant first."""
    text: str = field(compare=False)
    """The version as it was written."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the version that ``text`` writes.

        Raises:
            ValueError: `text` is not one to five decimal numbers with dots between them.
        """
        if not _DOTTED_NUMBERS.fullmatch(text):
            raise ValueError(
                f"`{text}` is not a version: write numbers with dots between them, such as `2.2.7`"
            )
        parts = [int(part) for part in text.split(".")]
        while len(parts) > 1 and parts[-1] == 0:
            parts.pop()
        return cls(parts=tuple(parts), text=text)

    def __str__(self) -> str:
        return self.text
