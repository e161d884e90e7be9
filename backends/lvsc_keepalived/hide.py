"""keepalived.conf without its passwords, line for line, so that whoever reads or shows the text has none to show.

What is hidden is what may be a password: the values of `auth_pass` and of `password` (of the block SSL), what stands in a block
`authentication` and is no `auth_type`, comments beside them, and definitions that they use. It is no parser: a line that
keepalived would not read as its writer meant it has to be hidden as well.
"""

import re
from dataclasses import replace

from lvsc.plugin import Secret, SecretRef, SecretSource, Source
from lvsc_keepalived.read_lines import LONGEST, UNPRINTABLE

#: What VRRP version 2 sends of a password (RFC 2338, section 5.3.10).
PASSWORD_LENGTH = 8
HIDDEN = SecretRef(SecretSource.UNKNOWN, "", PASSWORD_LENGTH).placeholder

_MAYBE = re.compile(r"auth_?pass|authentication|password", re.IGNORECASE)
_TOKEN = re.compile(r'"([^"]*)"?|([{}])|([#!])|([^\s"{}#!]+)')
_KEYWORD = re.compile(r"auth_?pass(?:w(?:or)?d|phrase)?(?![\w-])", re.IGNORECASE)
_TYPE = re.compile(r"[ \t]+(?:PASS|AH)(?=[\s{}#!]|$)", re.IGNORECASE)
#: A value as `lvsc_keepalived.read_lines` reads it, what may follow it in its line, and a comment.
_VALUE = re.compile(r'([ \t]+)("[^"\\]+"|[^\s"{}#!\\]+)([\s}]*)([#!].*)?', re.ASCII)
_WRITTEN = re.compile(r'"?<lvsc-secret:(?:env|file|unknown):[^"]*>"?')
_USED = re.compile(r"\$\{?(\w+)")
_DEFINITION = re.compile(r"([ \t]*\$(\w+)[ \t]*=[ \t]*)\S.*")
_QUOTED = f'"{HIDDEN}"'


def hide(source: Source) -> Source:
    """The text with placeholders for passwords, and the passwords by their lines where each is plainly one."""
    if not _MAYBE.search(source.text):
        return source
    hiding = _Hiding()
    lines = [hiding.line(number, line) for number, line in enumerate(source.text.split("\n"), start=1)]
    if hiding.used:
        lines = [_definition(line, hiding.used) for line in lines]
    return replace(source, text="\n".join(lines), secrets={**source.secrets, **hiding.secrets})


class _Hiding:
    """Goes through the lines of a file, in their order."""

    def __init__(self) -> None:
        self.secrets: dict[int, Secret] = {}
        self.used: set[str] = set()
        """The definitions that stand in what was hidden."""
        self._named = False
        """Whether a block `authentication` begins at the next brace."""
        self._within = False

    def line(self, number: int, line: str) -> str:
        """The line as it may be shown."""
        if not (self._within or self._named) and not _MAYBE.search(line):
            return line
        comment = False
        first = True
        at = 0
        while token := _TOKEN.search(line, at):
            at = token.end()
            if token[3]:
                comment = True
                if self._within:
                    return self._hidden(line, at, None)
            elif token[2] and not comment:
                self._within, self._named, first = self._named and token[2] == "{", False, True
            elif not token[2]:
                keyword = _keyword(token, first=first)
                if keyword is not None:
                    return self._hidden(line, keyword, None if comment else number)
                word = (token[1] if token[4] is None else token[4]).casefold()
                kind = _TYPE.match(line, at) if word == "auth_type" else None
                if self._within and kind is None:
                    return self._hidden(line, at if word == "auth_type" else token.start(), None)
                at = at if kind is None else kind.end()
                self._named = self._named or (first and not comment and word == "authentication")
                # `@HOST` in front of a line keeps it for one host.
                first = word.startswith("@")
        return line

    def _hidden(self, line: str, start: int, number: int | None) -> str:
        """The line with a placeholder for what is behind `start`; a plain value is that of the line `number`."""
        rest = line[start:]
        plain = _VALUE.fullmatch(rest) if len(line) <= LONGEST else None
        if number is not None and plain is not None and not UNPRINTABLE.search(line.removesuffix("\r")):
            blank, value, end, comment = plain.groups()
            if not _WRITTEN.fullmatch(value):
                self.used.update(_USED.findall(value))
                if "$" not in value:
                    self.secrets[number] = Secret(value.strip('"')[:PASSWORD_LENGTH])
                value = _QUOTED
            self._within = self._within and "}" not in end
            return f"{line[:start]}{blank}{value}{end}{'# ' + HIDDEN if comment else ''}"
        end = rest[len(rest.rstrip(" \t\r{}")) :]
        self._within = self._within and "}" not in end
        if end == rest:
            return line
        self.used.update(_USED.findall(rest))
        # Two values are one too many to any reader, so that what was hidden here is never taken for understood.
        return f"{line[:start].rstrip()} {_QUOTED} {_QUOTED}{end}"


def _keyword(token: re.Match[str], *, first: bool) -> int | None:
    """Where the keyword of a password ends, if the token is one; in quotes among other words it is a part of a command."""
    word, quoted = (token[1], 1) if token[4] is None else (token[4], 0)
    if first and word.casefold() == "password":
        return token.end()
    found = _KEYWORD.match(word)
    if found is None or (quoted and not first and found.end() < len(word)):
        return None
    if found.end() == len(word):
        return token.end()
    return token.start() + quoted + found.end()


def _definition(line: str, used: set[str]) -> str:
    found = _DEFINITION.fullmatch(line)
    return f"{found[1]}{HIDDEN}" if found is not None and found[2] in used else line
