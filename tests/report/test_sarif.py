"""Diagnostics as SARIF: what the standard's published schema asks, and the values."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import Anchor, Code, Diagnostic, Origin, Place, Severity
from lvsc.report.sarif import document
from support import sarif_schema
from support.sarif_schema import judge_sarif

ERROR = Code("LVS902", "an error", "Long text.")
WARNING = Code("LVS901", "a warning", "Long text.", Severity.WARNING)
SOURCE = "[services.web]\nscheduller = 'wlc'\n"
KEY = Place(Origin("c.toml", ("services", "web", "scheduller")), Anchor.KEY)


def log(*diagnostics: Diagnostic, notices: tuple[str, ...] = (), source: str = SOURCE) -> dict[str, Any]:
    """The only run of the document, which must fit."""
    found = json.loads(json.dumps(document(diagnostics, {"c.toml": source}, notices)))
    judge_sarif(found)
    (run,) = found["runs"]
    assert isinstance(run, dict)
    return run


def test_the_schema_is_the_published_one_unmodified() -> None:
    notice = sarif_schema.SCHEMA.with_name("NOTICE.md").read_text(encoding="utf-8")
    assert sarif_schema.digest() in notice


BREAKS: dict[str, Callable[[dict[str, Any]], object]] = {
    "an unknown property": lambda result: result.update(lineNumber=1),
    "no message": lambda result: result.pop("message"),
    "a level of another name": lambda result: result.update(level="fatal"),
    "a line that is text": lambda result: region(result).update(startLine="2"),
    "a column before the first": lambda result: region(result).update(startColumn=0),
    "a file that is no URI": lambda result: result["locations"][0]["physicalLocation"].update(
        artifactLocation={"uri": "a b.toml"}
    ),
}


def region(result: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = result["locations"][0]["physicalLocation"]["region"]
    return found


@pytest.mark.parametrize("broken", BREAKS.values(), ids=list(BREAKS))
def test_a_log_that_is_not_sarif_is_refused(broken: Callable[[dict[str, Any]], object]) -> None:
    found: dict[str, Any] = json.loads(json.dumps(document([ERROR.at(KEY, "a")], {"c.toml": SOURCE})))
    judge_sarif(found)
    broken(found["runs"][0]["results"][0])
    with pytest.raises(jsonschema.ValidationError):
        judge_sarif(found)


def test_a_diagnostic_is_a_result_with_its_place_and_its_rule() -> None:
    run = log(
        ERROR.at(
            KEY,
            "unknown key",
            others=[Place(Origin("o.conf", line=7, column=3), label="here")],
            help="mend it",
        )
    )
    (result,) = run["results"]
    assert result["level"] == "error"
    assert result["message"]["text"] == "unknown key\no.conf:7:3: here\nhelp: mend it"
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "c.toml"},
                "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 11},
            }
        }
    ]
    (related,) = result["relatedLocations"]
    assert (related["message"]["text"], related["physicalLocation"]["region"]["startLine"]) == ("here", 7)
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "LVS902"


def test_each_result_points_at_its_own_rule_and_each_rule_is_there_once() -> None:
    run = log(ERROR.at(KEY, "a"), WARNING.at(None, "b"), ERROR.at(None, "c"))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["LVS901", "LVS902"]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_a_fingerprint_outlives_a_moved_line_and_tells_messages_apart() -> None:
    def fingerprint(message: str, source: str) -> object:
        (result,) = log(ERROR.at(KEY, message), source=source)["results"]
        return result["partialFingerprints"]

    assert fingerprint("a", SOURCE) == fingerprint("a", f"# moved\n{SOURCE}")
    assert fingerprint("a", SOURCE) != fingerprint("b", SOURCE)


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("specs/a b.toml", "specs/a%20b.toml"),
        ("./a.toml", "a.toml"),
        ("/srv/a.toml", "file:///srv/a.toml"),
        ("http:a.toml", "http%3Aa.toml"),
        ("ä.toml", "%C3%A4.toml"),
        ("-", "-"),
    ],
)
def test_a_file_is_named_by_a_uri(file: str, uri: str) -> None:
    (result,) = log(ERROR.at(Place(Origin(file, line=1, column=1)), "a"))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_what_was_not_judged_is_a_notification() -> None:
    (invocation,) = log(notices=("not judged: a",))["invocations"]
    assert invocation["toolExecutionNotifications"] == [
        {"level": "note", "message": {"text": "not judged: a"}}
    ]


@given(st.text(), st.text(min_size=1), st.text())
def test_whatever_is_said_fits(message: str, file: str, label: str) -> None:
    log(ERROR.at(Place(Origin(file, line=1, column=1)), message, others=[Place(Origin(file), label=label)]))
