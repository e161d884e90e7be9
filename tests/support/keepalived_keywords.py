"""Which keywords each release of keepalived knows where, and a small reader of keepalived.conf to hold files against it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lvsc.targets import Version

TABLE = Path(__file__).with_suffix(".txt")
#: Blocks that hold values, one or more words a line, instead of keywords.
VALUE_BLOCKS = frozenset(
    {
        "group",
        "notification_email",
        "static_ipaddress",
        "static_routes",
        "static_rules",
        "track_interface",
        "track_script",
        "unicast_peer",
        "virtual_ipaddress",
        "virtual_ipaddress_excluded",
        "virtual_routes",
        "virtual_rules",
        "virtual_server_group",
    }
)


class NotReadError(ValueError):
    """The text is not a keepalived.conf that this reader understands."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword in use: where in the text, nested in what, with which words after it."""

    line: int
    path: tuple[str, ...]
    values: tuple[str, ...]


def keywords(text: str) -> Iterator[Keyword]:
    """The keywords of a file in order, those of value blocks without the block's content.

    Raises:
        NotReadError: a quote or block is not closed, or a brace stands where none may.
    """
    stack: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = _words(line, number)
        if not words:
            continue
        if words == ["}"]:
            if not stack:
                raise NotReadError(f"line {number}: a `}}` too many")
            stack.pop()
            continue
        opens = words[-1] == "{"
        if opens:
            words.pop()
        if not words or "{" in words or "}" in words:
            raise NotReadError(f"line {number}: a brace in the wrong place: {line}")
        if not (stack and stack[-1] in VALUE_BLOCKS):
            yield Keyword(number, (*stack, words[0]), tuple(words[1:]))
        elif opens:
            raise NotReadError(f"line {number}: a block inside a block of values")
        if opens:
            stack.append(words[0])
    if stack:
        raise NotReadError(f"the block {'/'.join(stack)} is not closed")


def unknown_keywords(text: str, version: Version | str) -> list[str]:
    """The keywords and words in a file that a release of keepalived does not know there: `line 3: a/b is of 2.1.0`."""
    release = Version.parse(version) if isinstance(version, str) else version
    table = _table()
    complaints = []
    for keyword in keywords(text):
        path = "/".join(keyword.path)
        used = [path, *(f"{path}={value}" for value in keyword.values if f"{path}={value}" in table)]
        for name in used:
            first, last = table.get(name, (None, None))
            if first is None:
                complaints.append(f"line {keyword.line}: {name} is of no release")
            elif release < first:
                complaints.append(f"line {keyword.line}: {name} is of {first}")
            elif last is not None and release > last:
                complaints.append(f"line {keyword.line}: {name} is gone since {last}")
    return complaints


@cache
def _table() -> dict[str, tuple[Version, Version | None]]:
    table = {}
    for line in TABLE.read_text(encoding="ascii").splitlines():
        if not line.startswith("#"):
            path, first, *last = line.split()
            table[path] = (Version.parse(first), Version.parse(last[0]) if last else None)
    return table


_TOKEN = re.compile(
    r"""\s+ | (?P<comment>[#!].*) | (?P<word>(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"'#!{}])+|[{}])""",
    re.VERBOSE,
)


def _words(line: str, number: int) -> list[str]:
    words = []
    at = 0
    while at < len(line):
        token = _TOKEN.match(line, at)
        if token is None:
            raise NotReadError(f"line {number}: cannot read {line[at:]!r}")
        if token["word"]:
            words.append(token["word"])
        at = token.end()
    return words
