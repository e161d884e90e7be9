"""Diagnostics as JSON: the values, and that the schema describes them."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lvsc_schemas
from lvsc.diagnostics import Anchor, Code, Diagnostic, Origin, Place, Severity
from lvsc.report.json import render

ERROR = Code("LVS901", "an error", "Long text.")
WARNING = Code("LVS902", "a warning", "Long text.", Severity.WARNING)
SCHEMA = lvsc_schemas.load("diagnostics")
SOURCE = "[services.web]\nscheduller = 'wlc'\n"
PATH = ("services", "web", "scheduller")


def rendered(*diagnostics: Diagnostic) -> object:
    report = json.loads(render(diagnostics, {"c.toml": SOURCE}))
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    return report


def test_diagnostic_is_written_whole() -> None:
    diagnostic = ERROR.at(
        Place(Origin("c.toml", PATH), Anchor.KEY),
        "unknown key `scheduller`",
        others=[Place(Origin("c.toml", PATH), label="its value")],
        notes=["a fact"],
        help="did you mean `scheduler`?",
        replacement="scheduler",
    )
    key = {"start": {"line": 2, "column": 1}, "end": {"line": 2, "column": 11}}
    assert rendered(diagnostic) == {
        "format_version": 1,
        "diagnostics": [
            {
                "code": "LVS901",
                "severity": "error",
                "message": "unknown key `scheduller`",
                "file": "c.toml",
                "range": key,
                "key_path": ["services", "web", "scheduller"],
                "notes": ["a fact"],
                "help": "did you mean `scheduler`?",
                "suggestion": {"range": key, "text": "scheduler"},
                "others": [
                    {
                        "file": "c.toml",
                        "range": {"start": {"line": 2, "column": 14}, "end": {"line": 2, "column": 19}},
                        "key_path": ["services", "web", "scheduller"],
                        "label": "its value",
                    }
                ],
            }
        ],
        "summary": {"errors": 1, "warnings": 0, "notes": 0},
    }


def test_diagnostic_without_a_place_has_nulls() -> None:
    assert rendered(WARNING.at(None, "odd", replacement="x")) == {
        "format_version": 1,
        "diagnostics": [
            {
                "code": "LVS902",
                "severity": "warning",
                "message": "odd",
                "file": None,
                "range": None,
                "key_path": [],
                "notes": [],
                "help": None,
                "suggestion": None,
                "others": [],
            }
        ],
        "summary": {"errors": 0, "warnings": 1, "notes": 0},
    }


def test_no_diagnostics_are_a_report_too() -> None:
    assert rendered() == {
        "format_version": 1,
        "diagnostics": [],
        "summary": {"errors": 0, "warnings": 0, "notes": 0},
    }


PLACES = st.builds(
    Place,
    st.builds(
        Origin,
        st.sampled_from(["c.toml", "other"]),
        st.lists(st.one_of(st.text(), st.integers(0, 9), st.sampled_from(PATH))).map(tuple),
        st.none() | st.integers(1, 9),
        st.none() | st.integers(1, 9),
    ),
    st.sampled_from(Anchor),
    st.text(),
)


@given(st.none() | PLACES, st.text(min_size=1), st.lists(PLACES), st.lists(st.text()), st.none() | st.text())
def test_any_diagnostic_fits_the_schema_and_is_ascii(
    place: Place | None, message: str, others: list[Place], notes: list[str], text: str | None
) -> None:
    diagnostic = ERROR.at(place, message, others=others, notes=notes, help=text, replacement=text)
    rendered(diagnostic)
    assert render([diagnostic], {"c.toml": SOURCE}).isascii()


def test_schema_is_a_schema_that_knows_no_other_keys() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    report = json.loads(render([], {}))
    report["extra"] = 1
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(report)


def test_unknown_schema_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        lvsc_schemas.load("no-such")
