"""nft's language taken apart into words, and a cursor over them that knows where each stands."""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from lvsc.plugin import Code, Diagnostic, Origin, Place, Source
from lvsc_nftables import read_codes

RELOAD = "load lvsc's own file again: `nft -f /etc/lvsc/nftables.nft`"

_WORD = re.compile(
    r"""
    (?:[ \t]|\\\n)++
    |(?P<end>\n|;)
    |(?P<comment>\#[^\n]*+)
    |"(?P<string>[^"\n]*+)"
    |(?P<sign>[{},()]|[=!<>&|^]++)
    |(?P<word>[^\s{};,()"\#=!<>&|^]++)
    |(?P<wrong>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANKS = re.compile(r"\s+")
#: What `nft -a` adds, which changes with each load.
_HANDLE = re.compile(r" # handle [0-9]+$", re.MULTILINE)
_COUNTED = re.compile(r"\bcounter packets [0-9]+ bytes [0-9]+")


class Kind(Enum):
    """What a word is."""

    END = "end"
    """A line's end or a semicolon."""
    COMMENT = "comment"
    """Only one that stands for a match that nft cannot show."""
    STRING = "string"
    SIGN = "sign"
    WORD = "word"
    WRONG = "wrong"
    NOTHING = "nothing"
    """Behind the last word."""


_KINDS = {kind.value: kind for kind in Kind}

#: A word's kind, text without quotes, offset and length.
Word = tuple[Kind, str, int, int]


class MisreadError(Exception):
    """Something that is not understood."""

    def __init__(self, code: Code, place: Place | Origin, message: str) -> None:
        self.diagnostic: Diagnostic = code.at(place, message, help=RELOAD)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the lines of a file begin."""

    file: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, source: Source) -> "Lines":
        """Those of a text."""
        return cls(source.file, (0, *(match.end() for match in re.finditer("\n", source.text))))

    def origin(self, offset: int) -> Origin:
        """The line and column of an offset."""
        line = bisect_right(self.starts, offset)
        return Origin(self.file, line=line, column=offset - self.starts[line - 1] + 1)


class Cursor:
    """The words of a text, read one after the other.

    Comments are left out, unless nft wrote them in the place of a match that it cannot show.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = Lines.of(source)
        self._words = _words_of(source.text)
        self.at = 0
        self.problems: list[Diagnostic] = []

    def texts(self, count: int) -> list[str]:
        """The next words, as many as there are."""
        return [text for _, text, _, _ in self._words[self.at : self.at + count]]

    def slice(self, start: int) -> list[Word]:
        """The words from a place up to here."""
        return self._words[start : self.at]

    def written(self, start: int) -> str:
        """What is written from a place up to here, on one line, without the handles of `nft -a` and what is counted."""
        first, last = self._words[start], self._words[max(start, self.at - 1)]
        written = _HANDLE.sub("", self._source.text[first[2] : last[2] + last[3]])
        return _COUNTED.sub("counter", _BLANKS.sub(" ", written)).strip()

    @property
    def kind(self) -> Kind:
        """The next word's kind."""
        return self._words[self.at][0]

    @property
    def peek(self) -> str:
        """The next word or sign; empty for anything else."""
        kind, text, _, _ = self._words[self.at]
        return text if kind is Kind.WORD or kind is Kind.SIGN else ""

    @property
    def ended(self) -> bool:
        """Whether a line, a block or the text ends here."""
        kind, text, _, _ = self._words[self.at]
        return kind is Kind.END or kind is Kind.NOTHING or (kind is Kind.SIGN and text == "}")

    def accept(self, text: str) -> bool:
        """Whether this word or sign came next; then it is read."""
        if self.peek == text:
            self.at += 1
            return True
        return False

    def expect(self, *texts: str) -> None:
        """Read these words or signs."""
        for text in texts:
            if not self.accept(text):
                self.fail(f"`{text}` should stand here")

    def value(self) -> str:
        """Read a word or a quoted text."""
        kind, text, _, _ = self._words[self.at]
        if kind is not Kind.WORD and kind is not Kind.STRING:
            self.fail("a value should stand here")
        self.at += 1
        return text

    def string(self) -> str:
        """Read a quoted text."""
        if self.kind is not Kind.STRING:
            self.fail("a quoted text should stand here")
        return self.value()

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        """Say that a part is not understood.

        Raises:
            MisreadError: Always.
        """
        raise MisreadError(read_codes.OWN, self.place(self.at if at is None else at), message)

    def complain(self, at: int, message: str, code: Code = read_codes.OWN) -> None:
        """Note a problem and go on."""
        self.problems.append(code.at(self.place(at), message, help=RELOAD))

    def place(self, at: int) -> Place:
        """Where a word stands."""
        _, _, offset, length = self._words[at]
        return Place(self._lines.origin(offset), length=max(length, 1))

    def origin(self, at: int) -> Origin:
        """Where a word begins."""
        return self._lines.origin(self._words[at][2])

    def skip_ends(self) -> bool:
        """Go on to what comes behind the ends of lines. Whether there is anything."""
        while self._words[self.at][0] is Kind.END:
            self.at += 1
        return self.kind is not Kind.NOTHING

    def skip_newlines(self) -> None:
        """Go on to what comes behind the ends of lines, where they say nothing."""
        while self._words[self.at][:2] == (Kind.END, "\n"):
            self.at += 1

    def skip_part(self, ends: str = "") -> None:
        """Go to the end of the line or block, over all blocks that begin within; `ends` is another sign to stop at."""
        depth = 0
        while True:
            kind, text, _, _ = self._words[self.at]
            if kind is Kind.NOTHING or (depth == 0 and (text == ends if ends else kind is Kind.END)):
                return
            if kind is Kind.SIGN and text == "{":
                depth += 1
            elif kind is Kind.SIGN and text == "}":
                if depth == 0:
                    return
                depth -= 1
            self.at += 1

    def block(self, part: Callable[[], None]) -> None:
        """Read what stands between braces, part by part. A part that is not understood is a problem, and the next is read."""
        opened = self.at
        self.expect("{")
        while self.skip_ends():
            if self.accept("}"):
                return
            start = self.at
            try:
                part()
                if not self.ended:
                    self.fail("the line should end here")
            except MisreadError as error:
                self.problems.append(error.diagnostic)
                self.skip_part()
            if self.at == start:
                self.at += 1
        self.complain(opened, "this brace is not closed", read_codes.SYNTAX)


def _words_of(text: str) -> list[Word]:
    found: list[Word] = []
    for match in _WORD.finditer(text):
        name = match.lastgroup
        if name is None or (name == "comment" and not match[0].startswith("# xt_")):
            continue
        found.append((_KINDS[name], match[name], match.start(), match.end() - match.start()))
    found.append((Kind.NOTHING, "", len(text), 1))
    return found
