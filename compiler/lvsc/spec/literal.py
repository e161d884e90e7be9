"""Plain values in the words and the writing of TOML, for messages."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from lvsc.diagnostics import KeyPath

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60

_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "array": "an array",
    "object": "a table",
}


def key(name: str) -> str:
    """A key as TOML writes it, in quotes where it needs them."""
    return name if _BARE_KEY.fullmatch(name) else _string(name)


def dotted(path: KeyPath) -> str:
    """A key path as TOML writes it, without the indexes of list items."""
    return ".".join(key(step) for step in path if isinstance(step, str))


def literal(value: Any) -> str:  # noqa: ANN401 - TOML values are of any type
    """A value as TOML writes it, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case dict():
            inside = ", ".join(f"{key(name)} = {literal(item)}" for name, item in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list():
            return f"[{', '.join(literal(item) for item in value)}]"
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def short(value: Any) -> str:  # noqa: ANN401 - likewise
    """A value as TOML writes it, cut where it is long; of a table or a list only what it is."""
    if isinstance(value, dict | list):
        return type_of(value)
    return cut(literal(value[: _LONGEST + 1] if isinstance(value, str) else value))


def cut(text: str) -> str:
    """The text, or its beginning where it is long."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def type_of(value: Any) -> str:  # noqa: ANN401 - likewise
    """What TOML calls the value's type, with its article."""
    match value:
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int():
            return "an integer"
        case float():
            return "a float"
        case datetime():
            return "a date and time"
        case date():
            return "a date"
        case time():
            return "a time"
        case list():
            return (
                "an array of tables"
                if value and all(isinstance(item, dict) for item in value)
                else "an array"
            )
        case _:
            return "a table"


def types_in(schema: Mapping[str, Any], items: Mapping[str, Any]) -> str:
    """What TOML calls the types that a schema takes, if its lists have items of another."""
    names = schema["type"]
    words = [
        "an array of tables" if name == "array" and items.get("type") == "object" else _TYPES[name]
        for name in ([names] if isinstance(names, str) else names)
    ]
    return " or ".join(words)


def noun(says: str) -> str:
    """The first words of a rule in words: "a name" of "a name: lowercase letters, beginning with a letter"."""
    return re.split(r": |, as in ", says, maxsplit=1)[0]


def _string(text: str) -> str:
    # JSON's escapes are TOML's too; JSON leaves DEL as it is, which TOML does not allow.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
