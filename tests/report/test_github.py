"""Diagnostics as GitHub's workflow commands: escaped, placed, the worst first."""

import re

from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import Anchor, Code, Diagnostic, Origin, Place, Severity
from lvsc.report.github import render

ERROR = Code("LVS901", "an error, that: is", "Long text.")
WARNING = Code("LVS902", "a warning", "Long text.", Severity.WARNING)
NOTE = Code("LVS903", "a note", "Long text.", Severity.NOTE)
SOURCE = "[services.web]\nscheduller = 'wlc'\n"
KEY = Place(Origin("c.toml", ("services", "web", "scheduller")), Anchor.KEY)

#: The form that the runner takes apart (actions/runner, ActionCommand.cs).
COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-zA-Z]+=[^,:\n]*,?)*)::(.*)")


def unescaped(text: str) -> str:
    for written, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(written, char)
    return text


def commands(*diagnostics: Diagnostic, source: str = SOURCE) -> list[tuple[str, dict[str, str], str]]:
    found = []
    for line in render(diagnostics, {"c.toml": source}).splitlines():
        parsed = COMMAND.fullmatch(line)
        assert parsed, line
        properties = dict(each.split("=", 1) for each in parsed[2].split(","))
        found.append(
            (parsed[1], {key: unescaped(value) for key, value in properties.items()}, unescaped(parsed[3]))
        )
    return found


def test_a_diagnostic_is_placed_and_says_everything() -> None:
    diagnostic = ERROR.at(
        KEY,
        "100% wrong",
        others=[Place(Origin("o.conf", line=7, column=3), label="here")],
        notes=["a fact"],
        help="mend it",
    )
    assert commands(diagnostic) == [
        (
            "error",
            {
                "file": "c.toml",
                "line": "2",
                "endLine": "2",
                "col": "1",
                "endColumn": "10",
                "title": "LVS901: an error, that: is",
            },
            "100% wrong\no.conf:7:3: here\nnote: a fact\nhelp: mend it",
        )
    ]


def test_without_a_place_there_is_no_file() -> None:
    assert commands(NOTE.at(None, "a")) == [("notice", {"title": "LVS903: a note"}, "a")]


def test_a_value_of_several_lines_has_no_columns() -> None:
    place = Place(Origin("c.toml", ("a",)))
    ((_, properties, _),) = commands(ERROR.at(place, "x"), source='a = [\n  "b",\n]\n')
    assert (properties["line"], properties["endLine"]) == ("1", "3")
    assert "col" not in properties


def test_errors_come_before_what_stands_above_them() -> None:
    above = Place(Origin("c.toml", ("services",)), Anchor.TABLE)
    assert [command for command, _, _ in commands(WARNING.at(above, "w"), ERROR.at(KEY, "e"))] == [
        "error",
        "warning",
    ]


def test_notices_are_commands_of_their_own() -> None:
    assert render([], {}, ["not judged: 5%\n"]) == "::notice title=lvsc::not judged: 5%25%0A\n"


@given(st.text(), st.text(min_size=1).filter(lambda name: "\0" not in name))
def test_no_text_begins_a_command_or_a_property_of_its_own(message: str, file: str) -> None:
    text = render([ERROR.at(Place(Origin(file, line=1, column=1)), message)], {})
    assert text.count("\n") == 1
    parsed = COMMAND.fullmatch(text.removesuffix("\n").replace("\r", ""), re.NOFLAG)
    properties, _, said = text.removeprefix("::error ").removesuffix("\n").partition("::")
    assert unescaped(said) == message
    assert unescaped(properties.split(",")[0].removeprefix("file=")) == file
    assert parsed is not None or any(char in text for char in "\v\f\x1c\x1d\x1e\x85\u2028\u2029")
