"""Holds a document against the JSON Schema. `lvsc.spec.complaint` finds the words for what breaks it."""

from collections.abc import Mapping
from datetime import date, time
from itertools import chain
from math import isfinite
from typing import Any

from lvsc.diagnostics import Diagnostic, Origin
from lvsc.spec import codes
from lvsc.spec.complaint import complaints
from lvsc.spec.failure import failures
from lvsc.spec.read import Document

_DEEPEST = 100


def check(document: Document, schema: Mapping[str, Any]) -> list[Diagnostic]:
    """Everything in the document that breaks the schema: one diagnostic for each mistake, in the document's order.

    `schema` is draft 2020-12 without references to other files. TOML tells more types apart than JSON Schema: here a
    float is no integer, be it 1.0; a date or a time is no string; inf and nan are no numbers.
    """
    import jsonschema_rs  # noqa: PLC0415 - only commands that check pay for it

    try:
        foreign = _has_foreign(document.values, 0)
    except RecursionError:
        message = f"tables and lists are nested more than {_DEEPEST} deep"
        return [
            codes.LIMIT.at(Origin(document.file), message, help="remove what is nested: no key needs that")
        ]
    schema = dict(schema)
    if not foreign and jsonschema_rs.Draft202012Validator(schema).is_valid(document.values):
        return []
    validator = jsonschema_rs.Draft202012Validator(schema, keywords={"propertyNames": _NamesLater})
    errors = validator.iter_errors(_to_json(document.values) if foreign else document.values)
    if foreign:
        # JSON Schema takes 1.0 for an integer. It does not take 0.5, and no other type tells the two apart.
        halves = validator.iter_errors(_to_json(document.values, whole=0.5))
        errors = chain(errors, (error for error in halves if error.schema_path[-1] == "type"))
    return complaints(failures(errors, document.values, schema), document.values, schema, document.file)


class _NamesLater:
    """Reports each table that has a rule for its keys, so that `failures` looks at the keys.

    The library's own keyword reports each wrong key with a copy of the whole table: quadratic where all are wrong.
    """

    def __init__(self, *_: object) -> None:
        pass

    def validate(self, _table: object) -> None:
        raise ValueError("`failures` knows")


def _has_foreign(value: dict[str, Any] | list[Any], depth: int) -> bool:
    """Whether anything within is a float, a date or a time, which JSON Schema knows otherwise or not at all."""
    if depth > _DEEPEST:
        raise RecursionError
    found = False
    for item in value.values() if isinstance(value, dict) else value:
        kind = type(item)
        if kind is dict or kind is list:
            found = _has_foreign(item, depth + 1) or found
        elif kind is not str and kind is not int and kind is not bool:
            found = True
    return found


def _to_json(value: Any, whole: float | None = None) -> Any:  # noqa: ANN401 - TOML values are of any type
    """The value with null for what JSON lacks and, if it is given, `whole` for floats without a fraction."""
    if isinstance(value, dict):
        return {key: _to_json(item, whole) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_json(item, whole) for item in value]
    if isinstance(value, date | time) or (isinstance(value, float) and not isfinite(value)):
        return None
    if whole is not None and isinstance(value, float) and value.is_integer():
        return whole
    return value
