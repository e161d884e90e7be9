"""Source lines on a terminal: nothing harmful, nothing endless, and the mark below what it marks."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.report.source_line import fit, harmless


@pytest.mark.parametrize(
    ("line", "mark", "shown", "cells"),
    [
        pytest.param("a = 1", (5, 6), "a = 1", (4, 1), id="ASCII"),
        pytest.param("a = 1", (6, 6), "a = 1", (5, 1), id="behind the end"),
        pytest.param("a = 1", (60, 70), "a = 1", (5, 1), id="far behind the end"),
        pytest.param("", (1, 1), "", (0, 1), id="empty line"),
        pytest.param("\ta\tb", (4, 5), "    a   b", (8, 1), id="tabs"),
        pytest.param("\ta", (1, 2), "    a", (0, 4), id="a tab itself"),
        pytest.param("日本 = 1", (6, 7), "日本 = 1", (7, 1), id="wide characters in front"),
        pytest.param("x = '日本'", (5, 9), "x = '日本'", (4, 6), id="wide characters marked"),
        pytest.param("e\u0301 = 1", (6, 7), "e\u0301 = 1", (4, 1), id="combining character"),
        pytest.param("\x1b[31m = 1", (8, 9), "␛[31m = 1", (7, 1), id="escape sequence"),
        pytest.param("a\x7f\x9bb", (4, 5), "a␡\ufffdb", (3, 1), id="delete and C1"),
        pytest.param("a\u202eb", (3, 4), "a\ufffdb", (2, 1), id="right-to-left override"),
        pytest.param("a  ", (1, 2), "a", (0, 1), id="spaces at the end"),
        pytest.param("a" * 300, (200, 203), "…" + "a" * 120 + "…", (41, 3), id="long line"),
        pytest.param("a" * 300, (1, 301), "a" * 120 + "…", (0, 120), id="long mark"),
        pytest.param("a" * 300, (301, 301), "…" + "a" * 40, (41, 1), id="behind the end of a long line"),
    ],
)
def test_line_is_shown_with_its_mark(
    line: str, mark: tuple[int, int], shown: str, cells: tuple[int, int]
) -> None:
    assert fit(line, [mark]) == (shown, [cells])


def test_marks_outside_what_is_shown_are_at_its_edges() -> None:
    _, cells = fit("a" * 500, [(250, 251), (1, 4), (490, 491)])
    assert cells == [(41, 1), (1, 1), (121, 1)]


@given(st.text())
def test_nothing_harmful_is_left(text: str) -> None:
    categories = {unicodedata.category(char) for char in harmless(text)}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(), st.integers(1, 50), st.integers(0, 50))
def test_what_is_shown_is_short_and_marked(line: str, column: int, length: int) -> None:
    shown, ((start, marked),) = fit(line * 20, [(column, column + length)])
    assert len([char for char in shown if not unicodedata.category(char).startswith("M")]) <= 122
    assert 0 <= start <= 122
    assert 1 <= marked <= 122
