"""A line of a source file made fit for a terminal: no control characters, tabs or excessive length."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from lvsc.spec.hide import HIDDEN

_TAB = 4
_WIDEST = 120
_BEFORE = 40
"""How much is kept in front of the mark where a line is cut."""
_CUT = "…"

_FIRST_PRINTABLE = 0x20
_DELETE = 0x7F
_CONTROL_PICTURES = 0x2400
_PICTURE_OF_DELETE = "\u2421"
_REPLACEMENT = "\ufffd"
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def harmless(text: str) -> str:
    """The text with a visible sign for each character that would do something to a terminal or to reading order."""
    return text if text.isascii() and text.isprintable() else "".join(map(_sign, text))


def _sign(char: str) -> str:
    if ord(char) < _FIRST_PRINTABLE:
        return chr(_CONTROL_PICTURES + ord(char))
    if ord(char) == _DELETE:
        return _PICTURE_OF_DELETE
    return _REPLACEMENT if unicodedata.category(char) in _HARMFUL else char


def _width(char: str) -> int:
    """How many cells of a terminal the character takes (Unicode Standard Annex 11)."""
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def without(
    line: str, hidden: Sequence[tuple[int, int]], marks: Sequence[tuple[int, int]]
) -> tuple[str, list[tuple[int, int]]]:
    """The line with stars in place of what is hidden, which says nothing of its length, and the marks moved with the rest.

    What is hidden is in order, by columns from 0; a mark is as `fit` takes it.
    """

    def moved(column: int, *, end: bool) -> int:
        at = column
        for start, stop in hidden:
            if column - 1 >= stop:
                at += len(HIDDEN) - (stop - start)
            elif column - 1 > start:
                at += start - (column - 1) + (len(HIDDEN) if end else 0)
        return at

    text, behind = "", 0
    for start, stop in hidden:
        text += line[behind:start] + HIDDEN
        behind = stop
    return text + line[behind:], [(moved(column, end=False), moved(end, end=True)) for column, end in marks]


def fit(line: str, marks: Sequence[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """What to show of a line, and for each mark its first cell, from 0, and how many cells it takes.

    A mark is a column, from 1, and the column behind its end; at least one cell is marked, be it behind the line's
    end. Of a long line the part around the first mark is shown.
    """
    signs: list[str] = []
    cells = [0]
    for char in line:
        tab = _TAB - cells[-1] % _TAB
        signs.append(" " * tab if char == "\t" else _sign(char))
        cells.append(cells[-1] + (tab if char == "\t" else _width(signs[-1])))
    low, high = 0, len(signs)
    if cells[-1] > _WIDEST:
        first = cells[min(marks[0][0] - 1, high)]
        low = bisect_left(cells, first - _BEFORE)
        high = min(bisect_right(cells, cells[low] + _WIDEST) - 1, high)
    shown = (_CUT if low else "") + "".join(signs[low:high]) + (_CUT if high < len(signs) else "")
    shift = cells[low] - (1 if low else 0)
    fitted = []
    for column, end_column in marks:
        start, end = (cells[min(max(at - 1, low), high)] - shift for at in (column, end_column))
        fitted.append((start, max(end - start, 1)))
    return shown.rstrip(), fitted
