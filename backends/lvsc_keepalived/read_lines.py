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
_UNPRINTABLE = re.compile(r"[^\t -~]")
_COMMENT = re.compile(r"[ \t]*(?:$|[#!][ \t]*(.*))")
_DECISIVE = re.compile(r'[!#"\\]')
_BRACE = re.compile(r'[{}]|"[^"]*(?:"|$)')
_WORD = re.compile(r'"([^"]*)(?:"|($))|([^ \t"]+)')
_EXPANDED = re.compile(r"\$\{?_|^\$")
_INCLUDE = re.compile(r"include[a-z]?")
#: Keywords whose line is read once more, by another routine with quotes of its own.
_REREAD = re.compile(r"script|misc_path|regex|notify(_.*)?|quorum_(up|down)")


class Statement:
    """Words, and the block behind them if there is one."""

    __slots__ = ("block", "column", "line", "text", "words")

    def __init__(self, words: list[str], line: int, text: str, column: int) -> None:
        self.words = words
        self.line = line
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
        self._last: Statement | None = None
        """The statement that a block may follow."""

    def statements(self) -> Iterator[Statement]:
        """Each statement of the top level once it is complete."""
        stack = self._stack
        waiting: Statement | None = None
        for number, whole in enumerate(self._text.split("\n"), start=1):
            line = whole.rstrip("\r")
            if len(line) > LONGEST and len(line.encode("utf-8", "replace")) > LONGEST:
                self._complain(number, 0, len(line), f"the line is longer than {LONGEST} bytes")
                continue
            for piece in self._pieces(number, line):
                if piece == "}":
                    self._close(number, line)
                elif piece == "{":
                    self._open(number, line)
                elif isinstance(piece, Statement):
                    self._last = piece
                    if stack:
                        stack[-1].block.append(piece)  # type: ignore[union-attr]  # what is on the stack has a block
                    else:
                        if waiting is not None:
                            yield waiting
                        waiting = piece
        for statement in stack:
            self.problems.append(
                read_codes.SYNTAX.at(
                    statement.place(self.file, 0), "this block is not closed", help="add the missing `}`"
                )
            )
        if waiting is not None:
            yield waiting

    def _open(self, number: int, line: str) -> None:
        if self._last is None or self._last.block is not None:
            self._complain(number, line.find("{"), 1, "this block has no name")
            self._last = Statement([""], number, "{", max(line.find("{"), 0))
        self._last.block = []
        self._stack.append(self._last)
        self._last = None

    def _close(self, number: int, line: str) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._complain(number, line.find("}"), 1, "there is no block to close")
        self._last = None

    def _pieces(self, number: int, line: str) -> Iterator[Statement | str]:
        """The statements and braces of a line."""
        if _SPECIAL.search(line) is None:
            words = line.split()
            if "{" not in line and "}" not in line:
                if words:
                    yield from self._statement(Statement(words, number, line, 0))
                return
            if words == ["}"]:
                yield "}"
                return
            if words[-1] == "{" and line.count("{") == 1 and "}" not in line and len(words) > 1:
                words.pop()
                yield from self._statement(Statement(words, number, line[: line.index("{")], 0))
                yield "{"
                return
        if comment := _COMMENT.fullmatch(line):
            if comment[1]:
                self.comments[number] = comment[1]
            return
        text = self._without_comment(number, line)
        if text is None:
            return
        column = 0
        while text.strip(" \t"):
            indent = len(text) - len(text.lstrip(" \t"))
            end = indent + 1 if text[indent] in "{}" else _first_brace(text)
            if text[indent] in "{}":
                yield text[indent]
            else:
                yield from self._words(number, text[:end], column)
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
        if found := _UNPRINTABLE.search(line):
            self._complain(number, found.start(), 1, "this is not printable ASCII")
            return None
        if quoted:
            self._complain(number, line.find('"'), 1, "a quote in this line is not closed")
            return None
        return line

    def _words(self, number: int, text: str, column: int) -> Iterator[Statement]:
        words: list[str] = []
        open_quote = False
        for found in _WORD.finditer(text):
            words.append(found[3] if found[3] is not None else found[1])
            open_quote = open_quote or found[2] is not None
        if open_quote and not _REREAD.fullmatch(words[0]):
            self._complain(number, column + text.find('"'), 1, "a quote in this line is not closed")
            return
        yield from self._statement(Statement(words, number, text, column))

    def _statement(self, statement: Statement) -> Iterator[Statement]:
        """The statement, unless keepalived would expand it."""
        first = statement.words[0]
        expanded = _EXPANDED.search(statement.text.strip()) if "$" in statement.text else None
        if first.startswith(("@", "~SEQ", "~LST")) or expanded or _INCLUDE.fullmatch(first):
            what = "definitions" if expanded else f"`{first.partition('(')[0]}`"
            self.problems.append(
                read_codes.EXPANSION.at(
                    statement.place(self.file, 0),
                    f"lvsc does not expand {ascii(what)[1:-1]}",
                    help="give the file as it is once expanded",
                )
            )
            return
        yield statement

    def _complain(self, number: int, start: int, length: int, message: str) -> None:
        """A problem in a line; in a block of passwords, at its head, so that no line with one is shown."""
        place = Place(Origin(self.file, line=number, column=max(start, 0) + 1), length=length)
        if self._stack and self._stack[-1].words[0] == "authentication":
            place = self._stack[-1].place(self.file, 0)
        self.problems.append(read_codes.SYNTAX.at(place, message, help="correct the line"))


def _first_brace(text: str) -> int:
    """Where a brace outside of quotes stands; the text's end without one."""
    return next((found.start() for found in _BRACE.finditer(text) if found[0] in "{}"), len(text))
