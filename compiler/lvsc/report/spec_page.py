"""`docs/spec.md`: the reference of a spec's keys, made from the schema so that the two cannot disagree."""

import json
from collections.abc import Iterator
from typing import Any

from lvsc.spec.schema import Schema

_HEAD = """# The spec

Every table and key of a cluster's TOML file. This page is made from the JSON Schema that lvsc checks specs against
(`lvsc schema`); a test holds the two together. `examples/` has whole files.

"""


def spec_page(schema: Schema) -> str:
    """The page, in Markdown: a section a table, a row a key."""
    lines = [_HEAD]
    for name, table in schema["properties"].items():
        lines += _section(name, table, schema, required=name in schema["required"])
    return "".join(lines)


def _section(path: str, node: Schema, schema: Schema, *, required: bool) -> Iterator[str]:
    node = _resolved(node, schema)
    header = f"{path}.NAME" if isinstance(node.get("additionalProperties"), dict) else path
    yield f"## `[{header}]`\n\n{node['description']}{'' if required else ' Optional.'}\n\n"
    if header != path:
        node = _resolved(node["additionalProperties"], schema)
    yield from _body(header, node, schema, level=3)


def _body(path: str, node: Schema, schema: Schema, *, level: int) -> Iterator[str]:
    variants = node.get("allOf", [])
    if not variants:
        yield from _table(path, node, schema, level=level)
        return
    for variant in variants:
        key, condition = next(iter(variant["if"]["properties"].items()))
        then = _resolved(variant["then"], schema)
        unsaid = "" if "required" in variant["if"] else ", or unsaid"
        yield f"{'#' * level} {then['title']}: `{key} = {json.dumps(condition['const'])}`{unsaid}\n\n{then['description']}\n\n"
        yield from _table(path, then, schema, level=level + 1)


def _table(path: str, node: Schema, schema: Schema, *, level: int) -> Iterator[str]:
    yield "| key | what it says | value | unsaid | example |\n|---|---|---|---|---|\n"
    nested: list[tuple[str, Schema]] = []
    for key, raw in node["properties"].items():
        value = _resolved(raw, schema)
        needed = "**required**" if key in node.get("required", []) else _default(value)
        example = f"`{_toml(value['examples'][0])}`" if value.get("examples") else ""
        yield f"| `{key}` | {value['description']} | {_kind(value, schema)} | {needed} | {_cell(example)} |\n"
        nested += _nested(f"{path}.{key}", value, schema)
    yield "\n"
    for inner, table in nested:
        yield f"{'#' * level} `{inner}`\n\n{table['description']}\n\n"
        yield from _body(inner, table, schema, level=min(level + 1, 6))


def _nested(path: str, value: Schema, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The tables within a key: its own, an array's items, names', and that of a key that is a word or a table."""
    if "items" in value and value["items"].get("type") == "object":
        yield f"{path}[]", value["items"]
    elif isinstance(value.get("additionalProperties"), dict):
        inner = _resolved(value["additionalProperties"], schema)
        if inner.get("type") == "object":
            yield f"{path}.NAME", inner
    elif "properties" in value:
        yield path, value
    elif "else" in value and not path.startswith("services."):
        # Services take the same checks as pools, so they are described once.
        yield path, _resolved(value["else"], schema)


def _kind(value: Schema, schema: Schema) -> str:
    if "enum" in value:
        return ", ".join(f"`{_toml(word)}`" for word in value["enum"])
    if value.get("additionalProperties") not in (None, False):
        return f"table: {_kind(_resolved(value['additionalProperties'], schema), schema)} by name"
    kind = value["type"]
    if isinstance(kind, list):
        return " or ".join(kind).replace("object", "table")
    if kind == "array":
        return f"list of {_plural(_kind(value['items'], schema))}"
    if kind == "integer":
        return f"{value['minimum']} to {value['maximum']}"
    if kind == "string":
        longest = f", at most {value['maxLength']} characters" if "maxLength" in value else ""
        return _cell(value.get("x-pattern-says", "text") + longest)
    return {"object": "table", "boolean": "true or false"}.get(str(kind), str(kind))


def _plural(kind: str) -> str:
    return "tables" if kind == "table" else f"({kind})"


def _default(value: Schema) -> str:
    return f"`{_toml(value['default'])}`" if "default" in value else ""


def _toml(value: Any) -> str:  # noqa: ANN401 - a default or an example is of any type
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _resolved(node: Schema, schema: Schema) -> Schema:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node
