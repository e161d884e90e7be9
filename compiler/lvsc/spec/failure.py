"""What breaks the schema, as data that no longer depends on the library that found it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lvsc.diagnostics import KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One keyword of the schema that one value of the document breaks."""

    path: KeyPath
    keyword: str
    rule: Any
    """The keyword's value in the schema."""
    schema: Mapping[str, Any]
    """The part of the schema that has the keyword."""
    value: Any
    """The value in the document."""
    name: str | None
    """The key, where a rule for a table's keys is broken (`propertyNames`)."""
    said: str
    """The library's own message."""


def failures(
    errors: Iterable[Any], values: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[Failure]:
    """The failures that `jsonschema_rs` reports as errors of `values`, in its order.

    An error of `propertyNames` stands for a table whose keys are still to be judged.
    """
    for error in errors:
        path: KeyPath = tuple(error.instance_path)
        failure = _failure(error, path, _value(values, path), schema)
        if failure.keyword == "propertyNames":
            yield from _names(failure, schema)
        else:
            yield failure


def _names(table: Failure, schema: Mapping[str, Any]) -> Iterator[Failure]:
    import jsonschema_rs  # noqa: PLC0415 - as in `lvsc.spec.check`

    schema = {"$defs": schema.get("$defs", {}), **table.rule}
    validator = jsonschema_rs.Draft202012Validator(schema)
    for name in table.value:
        for error in validator.iter_errors(name):
            yield _failure(error, table.path, table.value, schema, name)


def _failure(
    error: Any,  # noqa: ANN401 - the library's class says nothing that mypy could hold it to
    path: KeyPath,
    value: Any,  # noqa: ANN401 - TOML values are of any type
    schema: Mapping[str, Any],
    name: str | None = None,
) -> Failure:
    *steps, keyword = error.schema_path
    within = _part(schema, steps)
    return Failure(
        path=path,
        keyword=keyword,
        rule=within[keyword],
        schema=within,
        value=value,
        name=name,
        said=error.message,
    )


def resolve(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a part of the schema refers to by `$ref`, or the part itself."""
    while "$ref" in part:
        part = _part(schema, part["$ref"].removeprefix("#/").split("/"))
    return part


def _part(schema: Any, steps: Iterable[str | int]) -> Any:  # noqa: ANN401 - a schema's parts are of any type
    at = schema
    for step in steps:
        at = resolve(schema, at) if step == "$ref" else at[step]
    return at


def _value(values: Any, path: KeyPath) -> Any:  # noqa: ANN401 - TOML values are of any type
    for step in path:
        values = values[step]
    return values
