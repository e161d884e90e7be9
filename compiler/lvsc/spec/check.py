"""Holds a document against the JSON Schema. `judge` finds what breaks it, `complaint` the words for that."""

from collections.abc import Mapping
from typing import Any

from lvsc.diagnostics import Diagnostic, DiagnosticError, Origin
from lvsc.spec import codes
from lvsc.spec.complaint import complaints
from lvsc.spec.judge import find_failures
from lvsc.spec.read import Document


def check(document: Document, schema: Mapping[str, Any]) -> list[Diagnostic]:
    """Everything in the document that breaks the schema: one diagnostic for each mistake, in the document's order.

    Raises:
        DiagnosticError: the document is nested so deep that nothing more can be said of it.
    """
    try:
        failures = list(find_failures(document.values, schema))
    except RecursionError as error:
        message = "tables and lists are nested more than a hundred deep"
        problem = codes.LIMIT.at(
            Origin(document.file), message, help="remove what is nested: no key needs that"
        )
        raise DiagnosticError([problem]) from error
    return complaints(failures, document.values, document.file)
