"""keepalived.conf taken apart into statements and blocks, in the steps in which keepalived does it (lib/parser.c).

Comments from `#` or `!` are cut outside of double quotes; braces outside of double quotes end a line; words are divided
by blanks, and double quotes hold one together. Nothing is expanded.
"""

import re
from collections.abc import Iterator

from lvsc.plugin import Diagnostic, Origin, Place
from lvsc_keepalived import read_codes

#: A line and its newline must fit in MAXBUF, 1024 bytes with a zero at the end.
LONGEST = 1022

#: What makes a line one that blanks alone do not divide.
_SPECIAL = re.compile(r'["#!\\$]|[^\t -~]|^[ \t]*[@~]')
UNPRINTABLE = re.compile(r"[^\t -~]")
_COMMENT = re.compile(r"[ \t]*(?:$|[#!][ \t]*(.*))")
_DECISIVE = re.compile(r'[!#"\\]')
_BRACE = re.compile(r'[{}]|"[^"]*(?:"|$)')
_WORD = re.compile(r'"([^"]*)(?:"|($))|([^ \t"]+)')
_EXPANDED = re.compile(r"\$\{?_|^[ \t]*\$")
#: What begins a line that keepalived expands; in quotes it is a word like others.
_DIRECTIVE = re.compile(r"[ \t]*(@|~SEQ|~LST|include[rmwba]?(?=[ \t]))")
#: Keywords whose line is read once more, by another routine with quotes of its own.
_REREAD = re.compile(r"script|misc_path|regex|notify(_.*)?|quorum_(up|down)")


class Statement:
    """Words, and the block behind them if there is one."""

    __slots__ = ("block", "column", "end", "line", "text", "words")

    def __init__(self, words: list[str], line: int, text: str, column: int) -> None:
        self.words = words
        self.line = line
        self.end = line
        """The line of its last word, or of the end of its block."""
        self.text = text
        """The part of the line that the words are from, without comments."""
        self.column = column
        """How many characters of the line come before the text."""
        self.block: list[Statement] | None = None

    def place(self, file: str, index: int) -> Place:
        """Where one of the words stands; behind the last one, the end of the text."""
        spans = [found.span() for found in _WORD.finditer(self.text)]
        end = len(self.text.rstrip())
        start, end = spans[index] if index < len(spans) else (end, end + 1)
        return Place(Origin(file, line=self.line, column=self.column + start + 1), length=max(end - start, 1))

    def origin(self, file: str) -> Origin:
        """Where the first word stands."""
        indent = len(self.text) - len(self.text.lstrip())
        return Origin(file, line=self.line, column=self.column + indent + 1)


class Document:
    """The statements of a text; those of its top level come one by one, each with all that is in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.problems: list[Diagnostic] = []
        self.comments: dict[int, str] = {}
        """What stands in comments that have a line of their own, by line."""
        self._text = text
        self._stack: list[Statement] = []
        """The blocks that are open."""
        self._top: list[Statement] = []
        """The statement of the top level that is being read, and any before it that nobody has asked for yet."""
        self._last: Statement | None = None
        """The statement that a block may follow."""

    def statements(self) -> Iterator[Statement]:
        """Each statement of the top level once it is complete."""
        special = _SPECIAL.search
        for number, whole in enumerate(self._text.split("\n"), start=1):
            line = whole.rstrip("\r")
            if len(line) <= LONGEST and special(line) is None:
                self._plain(number, line)
            elif len(line.encode("utf-8", "replace")) > LONGEST:
                self._complain(number, 0, len(line), f"the line is longer than {LONGEST} bytes")
            else:
                self._special(number, line)
            while len(self._top) > 1:
                yield self._top.pop(0)
        for statement in self._stack:
            self.problems.append(
                read_codes.SYNTAX.at(
                    statement.place(self.file, 0), "this block is not closed", help="add the missing `}`"
                )
            )
        yield from self._top

    def _plain(self, number: int, line: str) -> None:
        """A line without comments and quotes; most are one statement, the head of a block or its end."""
        words = line.split()
        if not words or words[0].startswith("include"):
            self._pieces(number, line)
        elif "{" not in line and "}" not in line:
            self._add(Statement(words, number, line, 0))
        elif words == ["}"]:
            self._close(number, line)
        elif words[-1] == "{" and len(words) > 1 and line.count("{") == 1 and "}" not in line:
            words.pop()
            self._add(Statement(words, number, line[: line.index("{")], 0))
            self._open(number, line)
        else:
            self._pieces(number, line)

    def _special(self, number: int, line: str) -> None:
        """A line with something that is not plain."""
        if comment := _COMMENT.fullmatch(line):
            if comment[1]:
                self.comments[number] = comment[1]
            return
        text = self._without_comment(number, line)
        if text is None:
            return
        if _EXPANDED.search(text):
            start = len(text) - len(text.lstrip())
            self._expanded(Place(Origin(self.file, line=number, column=start + 1)), "definitions")
        else:
            self._pieces(number, text)

    def _add(self, statement: Statement) -> None:
        self._last = statement
        if self._stack:
            self._stack[-1].block.append(statement)  # type: ignore[union-attr]  # what is on the stack has a block
        else:
            self._top.append(statement)

    def _open(self, number: int, line: str) -> None:
        if self._last is None or self._last.block is not None:
            self._complain(number, line.find("{"), 1, "this block has no name")
            self._last = Statement([""], number, "{", max(line.find("{"), 0))
        self._last.block = []
        self._stack.append(self._last)
        self._last = None

    def _close(self, number: int, line: str) -> None:
        if self._stack:
            self._stack.pop().end = number
        else:
            self._complain(number, line.find("}"), 1, "there is no block to close")
        self._last = None

    def _pieces(self, number: int, text: str) -> None:
        """The statements and braces of a line without its comment."""
        column = 0
        while text.strip(" \t"):
            indent = len(text) - len(text.lstrip(" \t"))
            end = indent + 1 if text[indent] in "{}" else _first_brace(text)
            if text[indent] == "{":
                self._open(number, text)
            elif text[indent] == "}":
                self._close(number, text)
            else:
                self._words(number, text[:end], column)
            column += end
            text = text[end:]

    def _without_comment(self, number: int, line: str) -> str | None:
        """The line up to its comment; None where it is a problem."""
        quoted = False
        at = 0
        while found := _DECISIVE.search(line, at):
            at = found.end()
            if found[0] == '"':
                quoted = not quoted
            elif found[0] == "\\":
                if not quoted and line[at : at + 1] in ("", "#", "!"):
                    self._complain(
                        number, found.start(), 1, "a backslash is read differently by releases of keepalived"
                    )
                    return None
                at += 1
            elif not quoted:
                line = line[: found.start()]
                break
        if found := UNPRINTABLE.search(line):
            self._complain(number, found.start(), 1, "this is not printable ASCII")
            return None
        if quoted:
            self._complain(number, line.find('"'), 1, "a quote in this line is not closed")
            return None
        return line

    def _words(self, number: int, text: str, column: int) -> None:
        """One statement, unless keepalived would expand it."""
        words: list[str] = []
        open_quote = False
        for found in _WORD.finditer(text):
            words.append(found[3] if found[3] is not None else found[1])
            open_quote = open_quote or found[2] is not None
        if open_quote and not _REREAD.fullmatch(words[0]):
            self._complain(number, column + text.find('"'), 1, "a quote in this line is not closed")
            return
        statement = Statement(words, number, text, column)
        directive = _DIRECTIVE.match(text)
        if directive:
            self._expanded(statement.place(self.file, 0), f"`{directive[1]}`")
        else:
            self._add(statement)

    def _expanded(self, place: Place, what: str) -> None:
        message = f"lvsc does not expand {what}"
        self.problems.append(
            read_codes.EXPANSION.at(place, message, help="give the file as it is once expanded")
        )

    def _complain(self, number: int, start: int, length: int, message: str) -> None:
        """A problem in a line; in a block of passwords, at its head, so that no line with one is shown."""
        place = Place(Origin(self.file, line=number, column=max(start, 0) + 1), length=length)
        if self._stack and self._stack[-1].words[0] == "authentication":
            place = self._stack[-1].place(self.file, 0)
        self.problems.append(read_codes.SYNTAX.at(place, message, help="correct the line"))


def _first_brace(text: str) -> int:
    """Where a brace outside of quotes stands; the text's end without one."""
    return next((found.start() for found in _BRACE.finditer(text) if found[0] in "{}"), len(text))
