"""Diagnostics as text: the exact lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import Anchor, Code, Diagnostic, Origin, Place, Severity
from lvsc.report.text import render

ERROR = Code("LVS901", "an error", "Long text.")
WARNING = Code("LVS902", "a warning", "Long text.", Severity.WARNING)
NOTE = Code("LVS903", "a note", "Long text.", Severity.NOTE)

FILE = "cluster.toml"
SOURCE = """\
[cluster]
name = "web"

[services.web]
scheduller = "wlc"
ports = [
    "tcp/80",
]
"""


def at(*path: str | int, anchor: Anchor = Anchor.VALUE, label: str = "") -> Place:
    return Place(Origin(FILE, path), anchor, label)


def shown(*diagnostics: Diagnostic, source: str = SOURCE) -> str:
    return render(diagnostics, {FILE: source}, colour=False)


SCHEDULER = at("services", "web", "scheduller", anchor=Anchor.KEY)

CASES = {
    "replacement": (
        ERROR.at(
            SCHEDULER,
            "unknown key `scheduller`",
            notes=["the keys are many"],
            help="did you mean `scheduler`?",
            replacement="scheduler",
        ),
        """\
error[LVS901]: unknown key `scheduller`
 --> cluster.toml:5:1
  |
5 | scheduller = "wlc"
  | ^^^^^^^^^^
  |
  = note: the keys are many
  = help: did you mean `scheduler`?
  |
5 | scheduler = "wlc"
  | ~~~~~~~~~

1 error
""",
    ),
    "label": (
        WARNING.at(at("cluster", "name", label="this name"), "odd"),
        """\
warning[LVS902]: odd
 --> cluster.toml:2:8
  |
2 | name = "web"
  |        ^^^^^ this name

1 warning
""",
    ),
    "no place": (
        NOTE.at(None, "all is well", help="go on"),
        """\
note[LVS903]: all is well
  = help: go on

1 note
""",
    ),
    "another place": (
        ERROR.at(
            at("services", "web", anchor=Anchor.TABLE),
            "the same name",
            others=[at("cluster", "name", label="first here")],
            help="rename one",
        ),
        """\
error[LVS901]: the same name
 --> cluster.toml:4:1
  |
2 | name = "web"
  |        ----- first here
...
4 | [services.web]
  | ^^^^^^^^^^^^^^
  |
  = help: rename one

1 error
""",
    ),
    "another place on the next line": (
        ERROR.at(at("cluster", "name"), "bad", others=[at("cluster", anchor=Anchor.TABLE, label="in here")]),
        """\
error[LVS901]: bad
 --> cluster.toml:2:8
  |
1 | [cluster]
  | --------- in here
2 | name = "web"
  |        ^^^^^

1 error
""",
    ),
    "another place on the same line": (
        ERROR.at(SCHEDULER, "bad", others=[at("services", "web", "scheduller", label="for this")]),
        """\
error[LVS901]: bad
 --> cluster.toml:5:1
  |
5 | scheduller = "wlc"
  | ^^^^^^^^^^
  |              ----- for this

1 error
""",
    ),
    "another file": (
        ERROR.at(
            at("cluster", "name"),
            "bad",
            others=[Place(Origin("rules.v4", line=12, column=3), label="as here")],
        ),
        """\
error[LVS901]: bad
  --> cluster.toml:2:8
   |
 2 | name = "web"
   |        ^^^^^
  ::: rules.v4:12:3

1 error
""",
    ),
    "several lines": (
        ERROR.at(at("services", "web", "ports"), "too many", replacement="[]"),
        """\
error[LVS901]: too many
 --> cluster.toml:6:9
  |
6 | ports = [
  |         ^

1 error
""",
    ),
    "line and column": (
        ERROR.at(Place(Origin(FILE, line=2, column=1), length=4), "bad"),
        """\
error[LVS901]: bad
 --> cluster.toml:2:1
  |
2 | name = "web"
  | ^^^^

1 error
""",
    ),
    "line behind the end": (
        ERROR.at(Origin(FILE, line=99, column=1), "bad", replacement="x"),
        """\
error[LVS901]: bad
  --> cluster.toml:99:1

1 error
""",
    ),
    "no source": (
        ERROR.at(Origin("other.toml", ("services", "a b", 0)), "bad", replacement="x"),
        """\
error[LVS901]: bad
 --> other.toml at `services."a b"`

1 error
""",
    ),
    "note of several lines": (
        ERROR.at(None, "bad", notes=["first\nsecond"]),
        """\
error[LVS901]: bad
  = note: first
          second

1 error
""",
    ),
}


@pytest.mark.parametrize(("diagnostic", "text"), CASES.values(), ids=CASES.keys())
def test_diagnostic_is_drawn(diagnostic: Diagnostic, text: str) -> None:
    assert shown(diagnostic) == text


def test_gutter_is_as_wide_as_the_longest_number() -> None:
    source = "\n" * 99 + "a = 1\nb = 2"
    diagnostic = ERROR.at(at("b"), "bad", others=[Place(Origin(FILE, line=9, column=1), label="empty")])
    assert shown(diagnostic, source=source) == (
        "error[LVS901]: bad\n"
        "   --> cluster.toml:101:5\n"
        "    |\n"
        "  9 |\n"
        "    | - empty\n"
        "...\n"
        "101 | b = 2\n"
        "    |     ^\n"
        "\n"
        "1 error\n"
    )


def test_carriage_returns_are_not_shown() -> None:
    assert "\r" not in shown(ERROR.at(at("a"), "bad", replacement="2"), source="a = 1\r\nb = 2\r\n")


def test_nothing_to_say_is_no_text() -> None:
    assert shown() == ""


@pytest.mark.parametrize(
    ("codes", "end"),
    [
        pytest.param([ERROR, ERROR, WARNING], "2 errors, 1 warning\n", id="errors and a warning"),
        pytest.param([WARNING, WARNING, NOTE, NOTE], "2 warnings, 2 notes\n", id="warnings and notes"),
    ],
)
def test_last_line_counts(codes: list[Code], end: str) -> None:
    diagnostics = [code.at(None, f"message {index}") for index, code in enumerate(codes)]
    assert shown(*diagnostics).splitlines(keepends=True)[-1] == end


def test_order_is_that_of_files_and_places() -> None:
    second, first, nowhere = (
        ERROR.at(SCHEDULER, "second"),
        ERROR.at(at("cluster"), "first"),
        NOTE.at(None, "nowhere"),
    )
    other = ERROR.at(Origin("a.toml"), "other file")
    text = shown(second, first, nowhere, other)
    assert sorted(["nowhere", "other file", "first", "second"], key=text.index) == [
        "nowhere",
        "other file",
        "first",
        "second",
    ]


def test_what_is_said_twice_is_shown_once() -> None:
    diagnostic = ERROR.at(SCHEDULER, "bad")
    assert shown(diagnostic, diagnostic) == shown(diagnostic)


def test_of_many_a_hundred_are_shown_errors_first_and_all_are_counted() -> None:
    source = "".join(f"k{index} = {index}\n" for index in range(300))
    diagnostics = [(WARNING if index < 250 else ERROR).at(at(f"k{index}"), "bad") for index in range(300)]
    text = shown(*diagnostics, source=source)
    assert text.count("error[") == 50
    assert text.count("warning[") == 50
    assert text.endswith("\n50 errors, 250 warnings, of which 100 are shown\n")


@given(st.text(), st.text())
def test_no_control_character_gets_through(text: str, source: str) -> None:
    diagnostic = ERROR.at(
        Place(Origin(FILE, line=1, column=2, path=(text,)), label=text),
        text,
        others=[Place(Origin(text, (text,)), label=text)],
        notes=[text],
        help=text,
        replacement=text,
    )
    shown_text = render([diagnostic], {FILE: source}, colour=False)
    assert all(char == "\n" or char.isprintable() or ord(char) > 0x9F for char in shown_text)
    assert not set(shown_text) & set("\u202e\u2066\u2028\x85")


def test_colour_is_all_that_colour_changes() -> None:
    diagnostic = CASES["replacement"][0]
    coloured = render([diagnostic], {FILE: SOURCE}, colour=True)
    assert coloured.startswith("\x1b[1;31merror[LVS901]\x1b[0m\x1b[1m: unknown key `scheduller`\x1b[0m\n")
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[1;31m", "\x1b[1;34m", "\x1b[1;32m"):
        assert code in coloured
        coloured = coloured.replace(code, "")
    assert coloured == CASES["replacement"][1]
