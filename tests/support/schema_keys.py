"""Which part of the schema each key and item of a document falls under, walked without a validator.

A place in the schema is a tuple of words: a key; `*` for a name that the user chooses; `[]` for an item of a list. What
is in one of the schema's definitions has a place that begins with the definition's name, wherever it is used. The
variants of a table count as one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
#: A place in the schema.
Where = tuple[str, ...]
#: A place in a document.
Path = tuple[str | int, ...]

_REF = "#/$defs/"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key or an item of a document: where it stands in both, its value and that value's schema."""

    where: Where
    path: Path
    value: object
    schema: Schema


def entries(schema: Schema, document: Mapping[str, object]) -> Iterator[Entry]:
    """Each key and item of a document that fits the schema, tables before what is in them."""
    yield from _Walk(schema).within(schema, (), (), document)


def keys(schema: Schema) -> frozenset[Where]:
    """The place of every key that the schema defines."""
    walk = _Walk(schema)
    found = {*walk.keys(schema, ())}
    for name, definition in schema["$defs"].items():
        found |= {*walk.keys(definition, (name,))}
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Walk:
    root: Schema

    def within(self, schema: Schema, where: Where, path: Path, value: object) -> Iterator[Entry]:
        schema, where = self._resolved(schema, where, value)
        if isinstance(value, Mapping):
            table = _variant(schema, value)
            for key, item in value.items():
                if key in table.get("properties", {}):
                    inner, step = table["properties"][key], key
                else:
                    inner, step = table["additionalProperties"], "*"
                yield Entry((*where, step), (*path, key), item, self._resolved(inner, where, item)[0])
                yield from self.within(inner, (*where, step), (*path, key), item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                inner = schema["items"]
                yield Entry((*where, "[]"), (*path, index), item, self._resolved(inner, where, item)[0])
                yield from self.within(inner, (*where, "[]"), (*path, index), item)

    def keys(self, schema: Schema, where: Where) -> Iterator[Where]:
        if "$ref" in schema:
            return
        for table in (schema, *(branch["then"] for branch in schema.get("allOf", ()))):
            for key, inner in table.get("properties", {}).items():
                yield (*where, key)
                yield from self.keys(inner, (*where, key))
        for word, inner in (("[]", schema.get("items")), ("*", schema.get("additionalProperties"))):
            if isinstance(inner, Mapping):
                yield from self.keys(inner, (*where, word))

    def _resolved(self, schema: Schema, where: Where, value: object) -> tuple[Schema, Where]:
        """What a reference, or a choice by the value's type, leads to."""
        while True:
            if "$ref" in schema:
                name = schema["$ref"].removeprefix(_REF)
                schema, where = self.root["$defs"][name], (name,)
            elif schema.get("if") == {"type": "string"}:
                schema = schema["then" if isinstance(value, str) else "else"]
            else:
                return schema, where


def _variant(schema: Schema, value: Mapping[str, object]) -> Schema:
    """The closed table that a table is of."""
    for branch in schema.get("allOf", ()):
        ((key, condition),) = branch["if"]["properties"].items()
        absent = key not in value and key not in branch["if"].get("required", ())
        if absent or value.get(key) == condition["const"]:
            table: Schema = branch["then"]
            return table
    return schema
