"""Diagnostics as SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format), which code scanning services read."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from urllib.parse import quote

from lvsc import __version__
from lvsc.diagnostics import Code, Diagnostic, Severity
from lvsc.report.github import whole_message
from lvsc.report.located import Located, LocatedPlace, locate
from lvsc.spec.span import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def document(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], notices: Iterable[str] = ()
) -> dict[str, object]:
    """A log of one run. Notices, which say what was not judged, are notifications of the run (3.20.21).

    `sources` has the text of each file by the name that origins call it.
    """
    located = locate(diagnostics, sources)
    codes = {item.diagnostic.code.id: item.diagnostic.code for item in located}
    order = sorted(codes)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "lvsc",
                        "semanticVersion": __version__,
                        "rules": [_rule(codes[identifier]) for identifier in order],
                    }
                },
                # Columns count characters, not UTF-16 code units (3.14.17).
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {"level": "note", "message": {"text": notice}} for notice in notices
                        ],
                    }
                ],
                "results": [_result(item, order.index(item.diagnostic.code.id)) for item in located],
            }
        ],
    }


def _rule(code: Code) -> dict[str, object]:
    return {
        "id": code.id,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.explanation},
        "help": {"text": code.explanation},
        "defaultConfiguration": {"level": code.severity.value},
    }


def _result(located: Located, index: int) -> dict[str, object]:
    diagnostic = located.diagnostic
    result: dict[str, object] = {
        "ruleId": diagnostic.code.id,
        "ruleIndex": index,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": whole_message(located)},
        "partialFingerprints": {"lvsc/v1": _fingerprint(located)},
    }
    if located.place is not None:
        result["locations"] = [_location(located.place)]
    if located.others:
        result["relatedLocations"] = [
            {"id": number, **_location(other), "message": {"text": other.label or diagnostic.message}}
            for number, other in enumerate(located.others, start=1)
        ]
    return result


_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def _location(place: LocatedPlace) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(place.file)}}
    if place.span is not None:
        physical["region"] = _region(place.span)
    return {"physicalLocation": physical}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": max(span.end_column, span.column),
    }


def _uri(file: str) -> str:
    """A relative reference, so that the service finds the file in its checkout; of an absolute path, a file URI."""
    if file.startswith("/"):
        return f"file://{quote(file)}"
    # A colon in the first segment would be taken for a scheme (RFC 3986 4.2).
    return quote(file.removeprefix("./"), safe="/")


def _fingerprint(located: Located) -> str:
    """What stays the same while lines move: the code, the key path and the message."""
    place = located.place
    parts = (
        located.diagnostic.code.id,
        "" if place is None else place.file,
        "" if place is None else repr(place.path),
        located.diagnostic.message,
    )
    return sha256("\0".join(parts).encode()).hexdigest()
