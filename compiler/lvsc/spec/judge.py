"""Judges a document by the JSON Schema, with TOML's types in place of JSON's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, time
from functools import reduce
from math import isfinite
from operator import getitem
from typing import Any

from lvsc.diagnostics import KeyPath
from lvsc.spec.failure import Failure, part_at, repeated_items


def find_failures(values: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Failure]:
    """What in the document breaks which keyword of the schema.

    `schema` is draft 2020-12 without references to other files. TOML tells more types apart than JSON Schema: here a
    float is no integer, be it 1.0; a date or a time is no string; inf and nan are no numbers.

    Raises:
        RecursionError: the document is nested more than a hundred deep.
    """
    import jsonschema_rs  # noqa: PLC0415 - only commands that check pay for it

    schema = dict(schema)
    foreign = _has_foreign(values, 0)
    if not foreign and jsonschema_rs.Draft202012Validator(schema).is_valid(values):
        return
    validator = jsonschema_rs.Draft202012Validator(schema, keywords={"propertyNames": _NamesLater})
    for error in validator.iter_errors(_to_json(values) if foreign else values):
        failure = _failure(error, values, schema)
        if failure.keyword == "propertyNames":
            yield from _names(failure, schema)
        elif failure.keyword != "uniqueItems" or repeated_items(failure.value):
            yield failure
    if not foreign:
        return
    # JSON Schema takes 1.0 for 1. Whatever takes an integer does not take 0.5.
    for error in validator.iter_errors(_to_json(values, whole=0.5)):
        failure = _failure(error, values, schema)
        if isinstance(failure.value, float) and (
            failure.keyword == "type"
            or (failure.keyword in ("enum", "const") and not _has_float(failure.rule))
        ):
            yield failure


class _NamesLater:
    """Reports each table that has a rule for its keys, which are then judged one by one.

    The library's own keyword reports each wrong key with a copy of the whole table: quadratic where all are wrong.
    """

    def __init__(self, *_: object) -> None:
        pass

    def validate(self, _table: object) -> None:
        raise ValueError


def _names(table: Failure, schema: Mapping[str, Any]) -> Iterator[Failure]:
    import jsonschema_rs  # noqa: PLC0415 - as in `find_failures`

    if not isinstance(table.value, dict):
        return
    rule = {"$defs": schema.get("$defs", {}), **table.rule}
    validator = jsonschema_rs.Draft202012Validator(rule)
    for name in table.value:
        for error in validator.iter_errors(name):
            yield replace(_failure(error, name, rule), path=table.path, value=table.value, name=name)


def _failure(error: Any, values: Any, schema: Mapping[str, Any]) -> Failure:  # noqa: ANN401 - the library has no types
    path = _path(error.instance_path, values)
    *steps, keyword = error.schema_path
    part = part_at(schema, steps)
    return Failure(
        path=path,
        keyword=keyword,
        rule=part[keyword],
        schema=part,
        value=reduce(getitem, path, values),
        name=None,
        said=error.message,
        root=schema,
    )


def _path(steps: Iterable[str | int], values: Any) -> KeyPath:  # noqa: ANN401 - TOML values are of any type
    """Where the steps lead. The library leaves empty keys out of them, and makes a number of a key of digits."""
    path: list[str | int] = []
    for step in steps:
        found = _step(step, values)
        while found is None and isinstance(values, dict) and "" in values:
            path.append("")
            values = values[""]
            found = _step(step, values)
        if found is None:
            break
        path.append(found)
        values = values[found]
    return tuple(path)


def _step(step: str | int, values: Any) -> str | int | None:  # noqa: ANN401 - likewise
    if isinstance(values, list):
        return step if isinstance(step, int) and step < len(values) else None
    if not isinstance(values, dict):
        return None
    if str(step) in values:
        return str(step)
    return next((name for name in values if name.isdecimal() and int(name) == step), None)


_DEEPEST = 100


def _has_foreign(value: Mapping[str, Any] | list[Any], depth: int) -> bool:
    """Whether anything within is a float, a date or a time, which JSON Schema knows otherwise or not at all."""
    if depth > _DEEPEST:
        raise RecursionError
    found = False
    for item in value if isinstance(value, list) else value.values():
        kind = type(item)
        if kind is dict or kind is list:
            found = _has_foreign(item, depth + 1) or found
        elif kind is not str and kind is not int and kind is not bool:
            found = True
    return found


def _to_json(value: Any, whole: float | None = None) -> Any:  # noqa: ANN401 - likewise
    """The value with null for what JSON lacks and, if it is given, `whole` for floats without a fraction."""
    if isinstance(value, Mapping):
        return {key: _to_json(item, whole) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_json(item, whole) for item in value]
    if isinstance(value, date | time) or (isinstance(value, float) and not isfinite(value)):
        return None
    if whole is not None and isinstance(value, float) and value.is_integer():
        return whole
    return value


def _has_float(choices: Any) -> bool:  # noqa: ANN401 - choices are of any type
    return any(isinstance(choice, float) for choice in (choices if isinstance(choices, list) else [choices]))
