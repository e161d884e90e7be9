"""Diagnostics as text for people: the message, the source line with the place marked, and what to do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lvsc.diagnostics import Diagnostic, Severity
from lvsc.report.located import Located, LocatedPlace, count, locate
from lvsc.report.source_line import fit, harmless, without
from lvsc.spec.hide import hidden_spans, may_hold_secret
from lvsc.spec.literal import dotted
from lvsc.spec.span import Span

_MOST = 100
"""How many diagnostics are shown; the rest are counted."""

_RESET = "\x1b[0m"
_BOLD = "\x1b[1m"
_BLUE = "\x1b[1;34m"
_GREEN = "\x1b[1;32m"
_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.NOTE: "\x1b[1;36m"}


def render(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], *, colour: bool) -> str:
    """The diagnostics in the order of their places and a line that counts them; empty where there are none.

    `sources` has the text of each file by the name that origins call it. Whatever a source or a message has in it, no
    control character reaches the output. Of more than a hundred diagnostics, a hundred are shown, errors before others.
    """
    located = locate(diagnostics, sources)
    if not located:
        return ""
    painter = _Painter(sources, colour=colour)
    shown = located
    if len(located) > _MOST:
        worst_first = sorted(located, key=lambda item: list(Severity).index(item.diagnostic.severity))
        kept = {id(item) for item in worst_first[:_MOST]}
        shown = [item for item in located if id(item) in kept]
    blocks = ["\n".join(painter.block(item)) + "\n" for item in shown]
    end = summary(located)
    if len(shown) < len(located):
        end = f"{end}, of which {len(shown)} are shown"
    return "\n".join([*blocks, painter.paint(_BOLD, end) + "\n"])


def summary(located: Iterable[Located]) -> str:
    """How many diagnostics there are of each severity: "2 errors, 1 warning"."""
    found = count(located)
    return ", ".join(
        f"{found[severity]} {severity.value}{'' if found[severity] == 1 else 's'}"
        for severity in Severity
        if found[severity]
    )


@dataclass(frozen=True, slots=True)
class _Mark:
    """Characters to underline, with what, and a few words behind it."""

    span: Span
    sign: str
    colour: str
    label: str = ""


class _Painter:
    def __init__(self, sources: Mapping[str, str], *, colour: bool) -> None:
        self._lines = {file: text.split("\n") for file, text in sources.items()}
        self._secretive = {file for file, text in sources.items() if may_hold_secret(text)}
        self._colour = colour

    def paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colour else text

    def block(self, located: Located) -> Iterator[str]:
        """The lines of one diagnostic."""
        diagnostic, colour = located.diagnostic, _COLOURS[located.diagnostic.severity]
        head = self.paint(colour, f"{diagnostic.severity.value}[{diagnostic.code.id}]")
        yield head + self.paint(_BOLD, f": {harmless(diagnostic.message)}")
        marked: dict[str, list[tuple[LocatedPlace, _Mark | None]]] = {}
        if located.place is not None:
            marked[located.place.file] = [(located.place, _mark(located.place, "^", colour))]
        for other in located.others:
            marked.setdefault(other.file, []).append((other, _mark(other, "-", _BLUE)))
        marks = [mark for places in marked.values() for _, mark in places if mark]
        gutter = max((len(str(mark.span.line)) for mark in marks), default=1)
        for index, places in enumerate(marked.values()):
            yield self._arrow(gutter, ":::" if index else "-->", places[0][0])
            yield from self._snippet(gutter, places[0][0].file, [mark for _, mark in places if mark])
        advice = list(self._advice(gutter, diagnostic))
        if advice and marks:
            yield self._gutter(gutter)
        yield from advice
        yield from self._suggestion(gutter, located)

    def _arrow(self, gutter: int, arrow: str, place: LocatedPlace) -> str:
        where = f":{place.span.line}:{place.span.column}" if place.span else ""
        key_path = f" at `{dotted(place.path)}`" if place.path and not place.span else ""
        return f"{' ' * gutter}{self.paint(_BLUE, arrow)} {harmless(place.file + where + key_path)}"

    def _snippet(self, gutter: int, file: str, marks: Sequence[_Mark]) -> Iterator[str]:
        by_line: dict[int, list[_Mark]] = {}
        for mark in marks:
            by_line.setdefault(mark.span.line, []).append(mark)
        lines = self._lines.get(file, ())
        previous = None
        for number in sorted(by_line):
            if number > len(lines):
                continue
            if previous is None:
                yield self._gutter(gutter)
            elif number > previous + 1:
                yield self.paint(_BLUE, "...")
            previous = number
            yield from self._line(gutter, number, lines, by_line[number], guarded=file in self._secretive)

    def _line(
        self, gutter: int, number: int, lines: Sequence[str], marks: Sequence[_Mark], *, guarded: bool
    ) -> Iterator[str]:
        """A source line and, below it, a line for each mark; secrets are hidden."""
        line = lines[number - 1].removesuffix("\r")
        ends = [mark.span.end_column if mark.span.end_line == number else len(line) + 1 for mark in marks]
        columns = [(mark.span.column, end) for mark, end in zip(marks, ends, strict=True)]
        hidden = hidden_spans(lines, number) if guarded else []
        text, cells = fit(*without(line, hidden, columns))
        yield self._gutter(gutter, str(number), text)
        for mark, (start, length) in zip(marks, cells, strict=True):
            label = f" {harmless(mark.label)}" if mark.label else ""
            yield self._gutter(gutter, "", " " * start + self.paint(mark.colour, mark.sign * length + label))

    def _gutter(self, gutter: int, number: str = "", text: str = "") -> str:
        return self.paint(_BLUE, f"{number:>{gutter}} |") + (f" {text}" if text else "")

    def _advice(self, gutter: int, diagnostic: Diagnostic) -> Iterator[str]:
        advice = [("note", note) for note in diagnostic.notes]
        if diagnostic.help is not None:
            advice.append(("help", diagnostic.help))
        for word, text in advice:
            first, *more = text.split("\n")
            yield f"{' ' * gutter} {self.paint(_BLUE, '=')} {self.paint(_BOLD, f'{word}:')} {harmless(first)}"
            yield from (f"{' ' * gutter}         {harmless(line)}" for line in more)

    def _suggestion(self, gutter: int, located: Located) -> Iterator[str]:
        """The source line with the replacement in it."""
        text, place = located.diagnostic.replacement, located.place
        if text is None or place is None or place.span is None or place.span.line != place.span.end_line:
            return
        lines, span = list(self._lines.get(place.file, ())), place.span
        if span.line > len(lines):
            return
        line = lines[span.line - 1]
        lines[span.line - 1] = line[: span.column - 1] + text + line[span.end_column - 1 :]
        yield self._gutter(gutter)
        end = Span(span.line, span.column, span.line, span.column + len(text))
        mark = _Mark(end, "~", _GREEN)
        yield from self._line(gutter, span.line, lines, [mark], guarded=place.file in self._secretive)


def _mark(place: LocatedPlace, sign: str, colour: str) -> _Mark | None:
    return None if place.span is None else _Mark(place.span, sign, colour, place.label)
