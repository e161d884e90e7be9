"""A comment on a pull request: the verdict first, details folded, and nothing in a message that is more than text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import Anchor, Code, Diagnostic, Origin, Place, Severity
from lvsc.report.markdown import check_page, code, fenced, page, prose, table

ERROR = Code("LVS901", "an error", "Long text.")
WARNING = Code("LVS902", "a warning", "Long text.", Severity.WARNING)
SOURCE = "[services.web]\nscheduller = 'wlc'\n"
KEY = Place(Origin("c.toml", ("services", "web", "scheduller")), Anchor.KEY)


def comment(*diagnostics: Diagnostic) -> str:
    return check_page("check", diagnostics, {"c.toml": SOURCE})


def test_a_clean_run_is_two_lines() -> None:
    assert comment() == "<!-- lvsc:check -->\n### `lvsc check`: no errors\n"


def test_the_verdict_comes_first_then_a_table_then_the_folded_details() -> None:
    text = comment(WARNING.at(None, "a warning"), ERROR.at(KEY, "unknown key `a|b`", help="mend it"))
    marker, title, *rest = text.splitlines()
    assert (marker, title) == ("<!-- lvsc:check -->", "### `lvsc check`: 1 error, 1 warning")
    rows = [line for line in rest if line.startswith("|")]
    assert rows[2:] == [
        "| error LVS901 | `c.toml:2:1` | unknown key `a\\|b` |",
        "| warning LVS902 |  | a warning |",
    ]
    assert (
        text.index(rows[-1])
        < text.index("<details><summary>Details</summary>")
        < text.index("= help: mend it")
    )
    assert text.endswith("</details>\n")


def test_a_comment_is_never_longer_than_can_be_posted() -> None:
    text = comment(*(ERROR.at(None, f"{number} {'x' * 700}") for number in range(200)))
    assert len(text) <= 65_536
    assert text.splitlines()[1] == "### `lvsc check`: 200 errors"
    assert "More is left out here" in text


def test_a_block_that_does_not_fit_is_left_out_whole() -> None:
    text = page("check", "bad", ["first\n", "x" * 70_000, "last\n"])
    assert "first\n" in text
    assert "xxx" not in text
    assert "last\n" in text


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("plain", "plain"),
        ("`a` and `b`", "`a` and `b`"),
        ("one ` alone", "one \\` alone"),
        ("a_b *c* <d> [e](f) @g #1", "a\\_b \\*c\\* &lt;d&gt; \\[e\\](f) \\@g \\#1"),
        ("two\nlines", "two lines"),
        ("\x1b[31m", "␛\\[31m"),
    ],
    ids=["plain", "code", "backtick", "marks", "lines", "control"],
)
def test_only_code_in_a_message_is_more_than_text(said: str, written: str) -> None:
    assert prose(said) == written


def test_code_with_backticks_has_a_longer_fence() -> None:
    assert code("a``b") == "``` a``b ```"


@given(st.text())
def test_nothing_in_a_text_closes_its_fence(text: str) -> None:
    fence, *lines, end = fenced(text)[:-1].split("\n")
    assert fence == f"{end}text"
    assert not any(line.strip().startswith(end) for line in lines)


@given(st.text(), st.text())
def test_a_row_is_one_line_of_as_many_cells(one: str, other: str) -> None:
    row = table(("a", "b"), [(code(one), prose(other))]).split("\n")[2]
    assert len(re.findall(r"(?<!\\)\|", row.replace("\\\\", ""))) == 3
