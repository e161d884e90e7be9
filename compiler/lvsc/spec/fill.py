"""Fills in what a document leaves to the schema's defaults."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from lvsc.spec.schema.words import Schema


def fill(values: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """A copy of a document with the default of every key that it leaves out.

    Tables that are absent stay absent. Keys come in the schema's order, names that users choose in the document's.
    The document fits the schema, which `lvsc.spec.schema` has generated.
    """
    filled: dict[str, Any] = _fill(values, schema, schema)
    return filled


def _fill(value: Any, schema: Schema, root: Schema) -> Any:  # noqa: ANN401 - values are of any type
    schema = _chosen(value, schema, root)
    if isinstance(value, Mapping):
        return _fill_table(value, schema, root)
    if isinstance(value, list):
        return [_fill(item, schema.get("items", {}), root) for item in value]
    return value


def _fill_table(values: Mapping[str, Any], schema: Schema, root: Schema) -> dict[str, Any]:
    by_name = schema.get("additionalProperties")
    if isinstance(by_name, dict):
        return {name: _fill(item, by_name, root) for name, item in values.items()}
    filled: dict[str, Any] = {}
    for key, item in schema.get("properties", {}).items():
        if key in values:
            filled[key] = _fill(values[key], item, root)
        elif "default" in item:
            filled[key] = deepcopy(item["default"])
    return filled


def _chosen(value: Any, schema: Schema, root: Schema) -> Schema:  # noqa: ANN401 - likewise
    """The schema that describes the value: references followed, variants chosen."""
    if "$ref" in schema:
        return _chosen(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "if" in schema:
        branch: Schema | None = schema.get("then" if _holds(value, schema["if"]) else "else")
        return schema if branch is None else _chosen(value, branch, root)
    for variant in schema.get("allOf", ()):
        if _holds(value, variant["if"]):
            return _chosen(value, variant["then"], root)
    return schema


def _holds(value: Any, condition: Schema) -> bool:  # noqa: ANN401 - likewise
    """Whether a condition holds, of the two shapes that the schema has: a string, or a constant at a key."""
    if "type" in condition:
        return isinstance(value, str)
    if not value.keys() >= set(condition.get("required", ())):
        return False
    constants: Mapping[str, Schema] = condition["properties"]
    return all(key not in value or value[key] == constant["const"] for key, constant in constants.items())
