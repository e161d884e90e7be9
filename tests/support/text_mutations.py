"""A text with one word changed, or one line left out, doubled or moved: what a reader must notice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(r"0x[0-9a-f]+|[0-9]+|[A-Za-z_]+|[^\sA-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed text."""

    text: str
    line: str
    """The line that was changed, as it was."""
    column: int
    """Where in the line, from 0."""
    change: str


def mutants(text: str) -> Iterator[Mutant]:
    """Each word of the text left out and replaced, each line left out, doubled and exchanged with the next."""
    lines = text.split("\n")[:-1]
    for number, line in enumerate(lines):

        def with_lines(*changed: str, more: int = 0, at: int = number) -> str:
            return "".join(f"{one}\n" for one in (*lines[:at], *changed, *lines[at + 1 + more :]))

        for found in _WORD.finditer(line):
            for word in _replacements(found[0]):
                changed = line[: found.start()] + word + line[found.end() :]
                yield Mutant(with_lines(changed), line, found.start(), f"`{found[0]}` -> `{word}`")
        yield Mutant(with_lines(), line, 0, "left out")
        yield Mutant(with_lines(line, line), line, 0, "doubled")
        if number + 1 < len(lines) and lines[number + 1] != line:
            yield Mutant(with_lines(lines[number + 1], line, more=1), line, 0, "moved down")


def _replacements(word: str) -> Iterator[str]:
    yield ""
    if word.startswith("0x"):
        yield f"0x{int(word, 16) ^ 1:0{len(word) - 2}x}"
    elif word.isdigit():
        yield str(int(word) ^ 1)
        yield str(int(word) + 70000)
    elif word.isalpha() or "_" in word:
        yield f"{word}x"
        yield word[:-1] if len(word) > 1 else "y"
    else:
        yield word * 2
