r"""Command lines and regular expressions, which keepalived reads with escapes (lib/parser.c, alloc_strvec_quoted_escaped).

A command is read twice: once as a word of its line, and once more for its own words. Releases before 2.3.2 take escapes
out in both, later ones in the second alone. Only what all of them read alike is taken.
"""

import re

_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|c.|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
#: Up to the next quote, escape or, outside of quotes, blank.
_PLAIN = {
    "": re.compile(r"[^ \t'\"\\]*"),
    "'": re.compile(r"[^'\\]*"),
    '"': re.compile(r"[^\"\\]*"),
}
_BLANKS = re.compile(r"[ \t]*")


def command(text: str) -> str | None:
    """The command of a line `KEYWORD COMMAND`; None where it is none that every release reads alike."""
    raw, cooked = words(text, escapes=False), words(text, escapes=True)
    if raw is None or cooked is None or len(raw) != 2 or len(cooked) != 2:  # noqa: PLR2004 - keyword and command
        return None
    arguments = words(raw[1], escapes=True)
    if not arguments or not arguments[0].startswith("/") or words(cooked[1], escapes=True) != arguments:
        return None
    said = _ESCAPE.sub(_character, raw[1])
    return (
        said if "\\" not in said and said.isprintable() and words(said, escapes=False) == arguments else None
    )


def regex(text: str) -> str | None:
    """The regular expression of a line `KEYWORD REGEX`; None where it is not one word."""
    found = words(text, escapes=True)
    return found[1] if found is not None and len(found) == 2 else None  # noqa: PLR2004 - keyword and expression


def words(text: str, *, escapes: bool) -> list[str] | None:
    """The words of a text in which both kinds of quotes group, with escapes or without; None where a quote stays open."""
    found: list[str] = []
    at = _skip(text, 0)
    while at < len(text):
        word: list[str] = []
        quote = ""
        while at < len(text):
            plain = _PLAIN[quote].match(text, at)
            if plain is not None:
                word.append(plain[0])
                at = plain.end()
            if at == len(text):
                break
            if text[at] == "\\":
                escape = _ESCAPE.match(text, at)
                if escape is None:
                    return None
                word.append(_character(escape) if escapes else text[at : at + 2])
                at = escape.end() if escapes else at + 2
            elif quote:
                quote = ""
                at += 1
            elif text[at] in "'\"":
                quote = text[at]
                at += 1
            else:
                break
        if quote:
            return None
        found.append("".join(word))
        at = _skip(text, at)
    return found


def _skip(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks is not None else at


def _character(escape: re.Match[str]) -> str:
    what = escape[1]
    if what[0] == "x" and len(what) > 1:
        return chr(int(what[1:], 16))
    if what[0] == "c" and len(what) > 1:
        return chr(ord(what[1]) & 0x1F)
    if what[0] in "01234567":
        return chr(int(what, 8) & 0xFF)
    return _LETTERS.get(what, what)
