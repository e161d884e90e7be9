"""Diagnostics as JSON for programs, as `lvsc_schemas` describes in `diagnostics.schema.json`."""

import json
from collections.abc import Iterable, Mapping

from lvsc.diagnostics import Diagnostic, Severity
from lvsc.report import FORMAT_VERSION
from lvsc.report.located import Located, LocatedPlace, count, locate
from lvsc.spec.span import Span


def render(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str]) -> str:
    """All diagnostics in the order of their places, and how many there are of each severity; in ASCII.

    `sources` has the text of each file by the name that origins call it.
    """
    return json.dumps(document(diagnostics, sources), indent=2) + "\n"


def document(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str]) -> dict[str, object]:
    """The document that `render` writes, for commands that put more into it."""
    located = locate(diagnostics, sources)
    found = count(located)
    return {
        "format_version": FORMAT_VERSION,
        "diagnostics": [_diagnostic(item) for item in located],
        "summary": {f"{severity.value}s": found[severity] for severity in Severity},
    }


def _diagnostic(located: Located) -> dict[str, object]:
    diagnostic, place = located.diagnostic, located.place
    suggestion = None
    if diagnostic.replacement is not None and place is not None and place.span is not None:
        suggestion = {"range": _range(place.span), "text": diagnostic.replacement}
    return {
        "code": diagnostic.code.id,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **_place(place),
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "suggestion": suggestion,
        "others": [{**_place(other), "label": other.label} for other in located.others],
    }


def _place(place: LocatedPlace | None) -> dict[str, object]:
    if place is None:
        return {"file": None, "range": None, "key_path": []}
    return {
        "file": place.file,
        "range": None if place.span is None else _range(place.span),
        "key_path": list(place.path),
    }


def _range(span: Span) -> dict[str, object]:
    return {
        "start": {"line": span.line, "column": span.column},
        "end": {"line": span.end_line, "column": span.end_column},
    }
