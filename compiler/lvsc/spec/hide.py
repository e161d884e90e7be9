"""What to hide of a spec's line before it is shown: a secret that stands where only the place that keeps it may be named.

It looks at words and not at syntax, because a line with a secret in it is often no TOML.
"""

import re
from collections.abc import Iterator, Sequence

HIDDEN = "***"

_WORDS = r"(?:(?:auth_?)?pass(?:w(?:or)?d|phrase)?|authentication|pwd|secret)"
_NAME = re.compile(_WORDS, re.IGNORECASE)
_KEY = re.compile(
    rf"(?:^|(?<=[\s{{,.#\"'])){_WORDS}[\"']?(?:\s*\.\s*[\w\"'-]+)*\s*="
    rf"|^\s*[\"']?{_WORDS}[\"']?(?:\s*:|\s+(?=[^\s=.]))",
    re.IGNORECASE,
)
_HEADER = re.compile(r"\s*\[+([^\]]*)\]")
_OF_SECRETS = re.compile(rf"\s*[\"']?failover\b.*\b{_WORDS}\b", re.IGNORECASE)
_BOUND = re.compile(r"\"\"\"|'''|[\[\]{}]|\"(?:[^\"\\]|\\.)*\"?|'[^']*'?|#.*")
_ENV = r"env\s*=\s*([\"'])[A-Za-z_]\w{0,63}\1"
_REFERENCE = re.compile(
    rf"(?:{_ENV}|file\s*=\s*(?:\"[^\"\\]*\"|'[^']*')|type\s*=\s*([\"'])[\w-]*\2)(?=\s*(?:[,}}]|$))"
)
_NEXT_KEY = re.compile(r"[A-Za-z_][\w.-]*(?=\s*=)")
_STRUCTURE = re.compile(r"[\s=,{}\[\]]+")
_STRING = re.compile(r"(\"\"\"|''')((?:(?!\1).)*)|(\")((?:[^\"\\]|\\.)*)|(')([^']*)")
_BARE = re.compile(r"[^\s,{}\[\]]+")


def may_hold_secret(text: str) -> bool:
    """Whether any line of the text may have something to hide."""
    return re.search(_WORDS, text, re.IGNORECASE) is not None


def is_secretive(name: str) -> bool:
    """Whether a key of this name is for a secret."""
    return _NAME.fullmatch(name) is not None


def hidden_spans(lines: Sequence[str], number: int) -> list[tuple[int, int]]:
    """What to hide of a spec's line, which is counted from 1: the columns, from 0, where each secret begins and behind its end."""
    top = line = number - 1
    while top > 0 and not _HEADER.match(lines[top]):
        top -= 1
    header = _HEADER.match(lines[top])
    if header is not None and top == line:
        return []
    if header is not None and _OF_SECRETS.match(header[1]):
        return list(_values(lines[line], 0, keys=True))
    if _goes_on(lines[top:line]):
        return list(_values(lines[line], 0, keys=False))
    found = _KEY.search(lines[line])
    return [] if found is None else list(_values(lines[line], found.end(), keys=False))


def _goes_on(lines: Sequence[str]) -> bool:
    """Whether a secret's value that begins in one of the lines ends in none of them."""
    end, depth = "", 0
    for line in lines:
        found = None if end or depth > 0 else _KEY.search(line)
        if found is None and not end and depth <= 0:
            continue
        for mark in _BOUND.findall(line, 0 if found is None else found.end()):
            if end:
                end = "" if mark == end else end
            elif mark in ('"""', "'''"):
                end = mark
            else:
                depth += (mark in "[{") - (mark in "]}")
    return bool(end) or depth > 0


def _values(line: str, at: int, *, keys: bool) -> Iterator[tuple[int, int]]:
    """The values behind a column of the line that are no references to secrets; `keys` says whether a key may come next."""
    while at < len(line):
        if found := _REFERENCE.match(line, at):
            keys = False
        elif found := _STRUCTURE.match(line, at):
            keys = (keys and not found[0].strip()) or found[0].rstrip()[-1:] in ("{", ",")
        elif keys and (found := _NEXT_KEY.match(line, at)):
            keys = False
        elif found := _STRING.match(line, at):
            quote, inside = next((found[n], found.span(n + 1)) for n in (1, 3, 5) if found[n])
            if inside[0] < inside[1]:
                yield inside
            at = min(inside[1] + len(quote), len(line))
            continue
        elif found := _BARE.match(line, at):
            yield found.span()
        else:
            break
        at = found.end()
