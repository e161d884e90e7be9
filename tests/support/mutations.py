"""Every key and every string of a TOML text, changed by one character where it stands."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from support.schema_keys import Path

_STRING_OR_COMMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|#.*')
_KEY = re.compile(r"(?<![\w.+-])(?!true\b|false\b)[A-Za-z_][\w-]*|(?<=[\w-]\.)[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Token:
    """A key or a string's content as it stands in a text; its line and column are counted from 1."""

    text: str
    start: int
    line: int
    column: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class Mutation:
    """A text with one token changed, and where the document that it is differs."""

    token: Token
    changed: str
    text: str
    path: Path
    """The first of the path's keys that is not in the original is the changed one; the value's path for a string."""


def tokens(text: str) -> Iterator[Token]:
    """The bare keys and the basic strings without escapes of a text that has no other kinds."""
    blanked = _STRING_OR_COMMENT.sub(lambda found: " " * len(found[0]), text)
    for found in _KEY.finditer(blanked):
        yield _token(text, found[0], found.start(), is_key=True)
    for found in _STRING_OR_COMMENT.finditer(text):
        if found[1] and "\\" not in found[1]:
            yield _token(text, found[1], found.start(1), is_key=False)


def mutations(text: str) -> Iterator[Mutation]:
    """Each token of a text with one character replaced, left out or put in, in turns."""
    before = tomllib.loads(text)
    for number, token in enumerate(tokens(text)):
        changed = _CHANGES[number % len(_CHANGES)](token.text)
        after = text[: token.start] + changed + text[token.start + len(token.text) :]
        yield Mutation(token, changed, after, difference(before, tomllib.loads(after)))


def _replaced(word: str) -> str:
    return word[:-1] + ("x" if word[-1] != "x" else "y")


def _shortened(word: str) -> str:
    return word[1:] if len(word) > 1 else _replaced(word)


def _lengthened(word: str) -> str:
    return f"{word[: len(word) // 2]}e{word[len(word) // 2 :]}"


_CHANGES = (_replaced, _shortened, _lengthened)


def difference(before: object, after: object) -> Path:
    """The path of the first thing that is only in `after`, or that is another value there.

    Raises:
        ValueError: there is none.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in after:
            if key not in before:
                return (key,)
        changed = [key for key in after if before[key] != after[key]]
        if changed:
            return (changed[0], *difference(before[changed[0]], after[changed[0]]))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if old != new:
                return (index, *difference(old, new))
    elif before != after:
        return ()
    raise ValueError("nothing was changed, or only taken away")


def _token(text: str, word: str, start: int, *, is_key: bool) -> Token:
    line_start = text.rfind("\n", 0, start) + 1
    return Token(word, start, text.count("\n", 0, start) + 1, start - line_start + 1, is_key)
