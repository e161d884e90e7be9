"""Diagnostics as SARIF: what the standard's schema asks of the parts that are used, and the values."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import Anchor, Code, Diagnostic, Origin, Place, Severity
from lvsc.report.sarif import document

ERROR = Code("LVS902", "an error", "Long text.")
WARNING = Code("LVS901", "a warning", "Long text.", Severity.WARNING)
SOURCE = "[services.web]\nscheduller = 'wlc'\n"
KEY = Place(Origin("c.toml", ("services", "web", "scheduller")), Anchor.KEY)

MESSAGE = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string"}},
    "additionalProperties": False,
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
POSITIVE = {"type": "integer", "minimum": 1}


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


LOCATION = closed(
    {
        "physicalLocation": closed(
            {"artifactLocation": closed({"uri": {"type": "string", "format": "uri-reference"}})},
            region=closed(dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), POSITIVE)),
        )
    },
    id={"type": "integer", "minimum": 0},
    message=MESSAGE,
)
#: The rules of the parts that are used, written from chapter 3 of the standard (sections 3.13, 3.14, 3.19, 3.20, 3.27 to 3.30,
#: 3.49, 3.50, 3.58); closed, so that a property which is not in the standard cannot come in.
SCHEMA = closed(
    {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": closed(
                {
                    "tool": closed(
                        {
                            "driver": closed(
                                {"name": {"type": "string"}},
                                semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                                rules={
                                    "type": "array",
                                    "uniqueItems": True,
                                    "items": closed(
                                        {"id": {"type": "string"}},
                                        shortDescription=MESSAGE,
                                        fullDescription=MESSAGE,
                                        help=MESSAGE,
                                        defaultConfiguration=closed({"level": LEVEL}),
                                    ),
                                },
                            )
                        }
                    )
                },
                columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                invocations={
                    "type": "array",
                    "items": closed(
                        {"executionSuccessful": {"type": "boolean"}},
                        toolExecutionNotifications={
                            "type": "array",
                            "items": closed({"message": MESSAGE}, level=LEVEL),
                        },
                    ),
                },
                results={
                    "type": "array",
                    "items": closed(
                        {"message": MESSAGE},
                        ruleId={"type": "string"},
                        ruleIndex={"type": "integer", "minimum": 0},
                        level=LEVEL,
                        locations={"type": "array", "items": LOCATION},
                        relatedLocations={"type": "array", "uniqueItems": True, "items": LOCATION},
                        partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
                    ),
                },
            ),
        },
    },
    **{"$schema": {"type": "string", "format": "uri"}},
)


def log(*diagnostics: Diagnostic, notices: tuple[str, ...] = (), source: str = SOURCE) -> dict[str, Any]:
    """The only run of the document, which must fit."""
    found = json.loads(json.dumps(document(diagnostics, {"c.toml": source}, notices)))
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    (run,) = found["runs"]
    assert isinstance(run, dict)
    return run


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
