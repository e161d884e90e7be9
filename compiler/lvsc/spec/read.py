"""From a file's bytes to a document: TOML 1.0 text and its plain values."""

import re
from dataclasses import dataclass
from typing import Any

from lvsc.diagnostics import Anchor, Diagnostic, DiagnosticError, Origin, Place
from lvsc.spec import codes
from lvsc.spec.literal import dotted

#: A string or a comment. In text that is TOML it finds them all, so that what is left is syntax, numbers and bare keys.
_STRING_OR_COMMENT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"[^"\\]*(?:\\.[^"\\]*)*"'
    r"|'[^']*'"
    r"|#[^\n]*",
    re.DOTALL,
)
_TRAILING_COMMA = re.compile(r",[ \t]*\}")
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_CLOSE = "close the string with a quote"
_HELP = (
    (
        "Expected newline",
        "one line says one thing: quote text and addresses, and start the next key on a new line",
    ),
    (
        "Invalid value (at end",
        "the file ends too early: write the value, and close what `[` or `{` has opened",
    ),
    ("Invalid value", 'quote text and addresses: `"..."`; `true` and `false` are lowercase'),
    (
        "Expected '=' after",
        "write `key = value`; a key of other characters than letters, digits, `-`, `_` needs quotes",
    ),
    ("Expected ']", "close the header with as many brackets as it begins with"),
    ("Expected ", _CLOSE),
    ("Invalid statement", "write `key = value`, a header `[table]` or a comment `# ...`"),
    ("Illegal character '\\n'", f"{_CLOSE} on the line where it begins"),
    ("Illegal character", "remove the character, or write it as `\\u` and four digits in double quotes"),
    ("Found invalid character", "remove the character"),
    ("Unterminated string", _CLOSE),
    ("Unescaped '\\'", "write `\\\\` for a backslash, or use single quotes"),
    ("Unclosed array", "put a comma between the items, and `]` after the last"),
    ("Unclosed inline table", "put a comma between the keys, and `}` after the last"),
    ("Invalid initial character", "write a table in braces on one line, without a comma after its last key"),
    ("", "the grammar of TOML is at https://toml.io"),
)


@dataclass(frozen=True, slots=True)
class Document:
    """A spec as text and as plain values, which are those that `tomllib` gives."""

    file: str
    text: str
    values: dict[str, Any]


def decode(data: bytes, file: str) -> str:
    """The text of a spec's bytes.

    Raises:
        DiagnosticError: the bytes are not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = _line_and_column(before, len(before))
        problem = codes.ENCODING.at(
            Origin(file, line=line, column=column),
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            help="save the file as UTF-8",
        )
        raise DiagnosticError([problem]) from error


def read(text: str, file: str) -> Document:
    """The document that `text` is.

    Values and errors are those of `tomllib`; where rtoml, several times as fast, is sure to give the same, it is asked.

    Raises:
        DiagnosticError: `text` is not TOML 1.0, at the place where reading it stopped; or a key is there twice.
    """
    values = _quick(text)
    return Document(file, text, _thorough(text, file) if values is None else values)


def _quick(text: str) -> dict[str, Any] | None:
    r"""The values by rtoml, or None where `tomllib` might see the text otherwise.

    rtoml reads TOML 1.1. What 1.1 adds to 1.0: the escapes \e and \x; times without seconds; and line breaks and a
    comma after the last key in inline tables.
    """
    import rtoml  # noqa: PLC0415 - commands that read no spec need not pay for it

    unix = text.replace("\r\n", "\n")  # as tomllib does first, so that strings of several lines are the same
    if "\\e" in text or "\\x" in text or text.startswith("\ufeff"):
        return None
    if "\r" in unix:  # what that leaves of "\r\r\n" is a line break to rtoml
        return None
    try:
        values: dict[str, Any] = rtoml.loads(unix)
    except (rtoml.TomlParsingError, ValueError):
        return None
    syntax = _STRING_OR_COMMENT.sub("", unix)
    if ":" in syntax or _TRAILING_COMMA.search(syntax):
        return None
    if any(line.count("{") != line.count("}") for line in syntax.split("\n") if "{" in line):
        return None
    return values


def _thorough(text: str, file: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - most specs are read without it

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DiagnosticError(_syntax(text, file, str(error))) from error
    except (RecursionError, ValueError) as error:
        problem = codes.LIMIT.at(
            Origin(file),
            "the file is nested too deeply, or has a number of too many digits",
            help="simplify it",
        )
        raise DiagnosticError([problem]) from error


def _syntax(text: str, file: str, said: str) -> list[Diagnostic]:
    if text.startswith("\ufeff"):
        return [
            codes.ENCODING.at(
                Origin(file, line=1, column=1),
                "the file begins with a byte order mark",
                help="save it as UTF-8 without one",
            )
        ]
    if said.startswith(("Cannot ", "Duplicate ")):
        repeated = _repeated(text, file)
        if repeated:
            return repeated
    found = _POSITION.search(said)
    what = said[: found.start()] if found else said
    if found and found[1]:
        line, column = int(found[1]), int(found[2])
    else:
        line, column = _line_and_column(text, len(text.rstrip()))
    help_ = next(words for beginning, words in _HELP if said.startswith(beginning))
    return [codes.SYNTAX.at(Origin(file, line=line, column=column), _worded(what), help=help_)]


def _repeated(text: str, file: str) -> list[Diagnostic]:
    from lvsc.spec.repeated import find_repeated  # noqa: PLC0415 - only this mistake pays for the syntax tree

    found = find_repeated(text)
    if found is None:
        return []
    first, again = found.first, found.again
    return [
        codes.REPEATED.at(
            Place(
                Origin(file, found.path, again.line, again.column),
                Anchor.KEY,
                length=again.end_column - again.column,
            ),
            f"`{dotted(found.path)}` is given twice",
            others=[
                Place(
                    Origin(file, found.path, first.line, first.column),
                    Anchor.KEY,
                    "first given here",
                    first.end_column - first.column,
                )
            ],
            help="remove one, or give it another name",
        )
    ]


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _worded(said: str) -> str:
    """The reader's message in lowercase, with what it quotes in backticks."""
    quoted = re.sub(
        r"(?<!\w)(?:'([^']+)'|\"([^\"]+)\")(?!\w)", lambda found: f"`{found[1] or found[2]}`", said
    )
    return quoted[:1].lower() + quoted[1:]
