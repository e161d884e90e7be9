r"""Strings as keepalived reads them literally, or the reason why it could not.

keepalived reads a line in steps (lib/parser.c): comments from `#` or `!` are cut outside of double quotes, where a
backslash protects the next character; `$NAME` and `${NAME}` of a known name are replaced everywhere; `{` and `}` outside
of double quotes end the line. Then most keywords take words, in which double quotes group and nothing is an escape. A
regular expression is read by another routine, in which both kinds of quotes group and `\nnn` is a character in octal.
A command is read by that routine twice, first as one word of the line and then as words of its own; since 2.3.2 the
first reading leaves backslashes alone, so that only octal escapes of one level mean the same in every release.
"""

import re
from ipaddress import IPv6Address

from lvsc.plugin import Address

#: A line and its newline must fit in a buffer of MAXBUF = 1024 bytes with a zero at its end (lib/parser.h, fgets).
MAX_LINE = 1022

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:@%+,=&?*~-]+", re.ASCII)
_PRINTABLE = re.compile(r"[ -~]+", re.ASCII)
_PLAIN_COMMAND = re.compile(r"[A-Za-z0-9 _./:@%+,=-]+", re.ASCII)
#: keepalived defines names of its own, all with an underscore in front; the files that lvsc writes define none.
_DEFINITION = re.compile(r"\$\{?_")
_OUTSIDE_QUOTES = str.maketrans({char: f"\\{ord(char):03o}" for char in "$#!{}"})


class UnsayableError(ValueError):
    """Text that no quoting makes keepalived read literally; its message completes "`…` cannot be written: "."""


def word(text: str) -> str:
    """The text as one word of a line.

    Raises:
        UnsayableError: it holds what no quoting protects.
    """
    if _PLAIN_WORD.fullmatch(text) and text[0] not in "@~":
        return text
    _printable(text)
    for char, name in (('"', "a double quote"), ("\\", "a backslash")):
        if char in text:
            raise UnsayableError(f"{name} in it cannot be quoted")
    if _DEFINITION.search(text):
        raise UnsayableError("keepalived takes `$_` or `${_` in it for a definition of its own")
    if text in ("{", "}"):
        raise UnsayableError("keepalived takes a brace alone for the bound of a block, even in quotes")
    return f'"{text}"'


def regex(text: str) -> str:
    """The text as a regular expression, which is read with escapes once.

    Raises:
        UnsayableError: it is empty or not printable ASCII.
    """
    _printable(text)
    escaped = text.replace("\\", "\\\\").replace('"', r"\042").replace("$", r"\044")
    return f'"{escaped}"'


def command(text: str) -> str:
    """A command line, in which quotes of either kind group and nothing else is special.

    Raises:
        UnsayableError: it does not begin with an absolute path, its quotes do not match, or no quoting protects it.
    """
    if is_plain_command(text):
        return f'"{text}"'
    _printable(text)
    if "\\" in text:
        raise UnsayableError("releases of keepalived differ on backslashes; put the command in a script")
    grouping = _grouping_quotes(text)
    if not text.lstrip("'\"").startswith("/"):
        raise UnsayableError("a command begins with the absolute path of a program")
    if len(grouping) > 1:
        raise UnsayableError(
            "it groups words with both kinds of quotes; use one kind, or put the command in a script"
        )
    around = "'" if '"' in grouping else '"'
    return around + text.translate(_OUTSIDE_QUOTES).replace(around, f"\\{ord(around):03o}") + around


def is_plain_command(text: str) -> bool:
    """Whether the command is nothing but plain words, which every release reads alike (1.3.5 hands it to a shell)."""
    return _PLAIN_COMMAND.fullmatch(text) is not None and text.startswith("/")


def comment(text: str) -> str:
    """A comment line.

    Raises:
        UnsayableError: it is not printable ASCII, or a backslash might make the next line a part of it.
    """
    _printable(text)
    if "\\" in text:
        raise UnsayableError("a backslash in a comment may join it to the next line")
    return f"# {text}"


def address(value: Address) -> str:
    """An address in its usual spelling.

    Raises:
        UnsayableError: it has a scope, whose name is free text and which IPVS does not know.
    """
    if isinstance(value, IPv6Address) and value.scope_id is not None:
        raise UnsayableError("an address with a scope (`%…`) has no place here")
    return str(value)


def _printable(text: str) -> None:
    if not text:
        raise UnsayableError("it is empty")
    if not _PRINTABLE.fullmatch(text):
        raise UnsayableError("it is not printable ASCII on one line")


def _grouping_quotes(text: str) -> set[str]:
    """The kinds of quotes that group; a quote inside quotes of the other kind is a character."""
    kinds = set()
    inside = ""
    for char in text:
        if inside:
            if char == inside:
                inside = ""
        elif char in "'\"":
            inside = char
            kinds.add(char)
    if inside:
        raise UnsayableError(f"a {inside} in it is never closed")
    return kinds
