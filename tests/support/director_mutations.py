"""Each token of an emitted file changed by one character where it stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r'"[^"]*"|[^\s{}"]+')
_CHARACTER = re.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Mutation:
    """A text with one token changed."""

    line: int
    token: str
    changed: str
    keyword: str
    """The first word of the line."""
    text: str


def mutations(text: str) -> Iterator[Mutation]:
    """Each token outside of comments with its last letter or digit replaced by another one, and left out."""
    start = 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        words = line.split()
        if words and not words[0].startswith("#"):
            for found in _TOKEN.finditer(line):
                for changed in (_replaced(found[0]), ""):
                    at = start + found.start()
                    changed_text = text[:at] + changed + text[at + len(found[0]) :]
                    yield Mutation(number, found[0], changed, words[0], changed_text)
        start += len(line)


def _replaced(token: str) -> str:
    places = list(_CHARACTER.finditer(token))
    if not places:
        return token + "x"
    at = places[-1].start()
    old = token[at]
    new = str((int(old) + 1) % 10) if old.isdigit() else ("x" if old != "x" else "y")
    return token[:at] + new + token[at + 1 :]
