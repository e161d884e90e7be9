"""What breaks the schema, as data that no longer depends on the library that found it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import getitem
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
    root: Mapping[str, Any]
    """The whole schema."""


def resolve(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a part of the schema refers to by `$ref`, or the part itself."""
    while "$ref" in part:
        part = reduce(getitem, part["$ref"].removeprefix("#/").split("/"), schema)
    return part


def in_lower_case(text: str, pattern: str) -> str | None:
    """The text in lower case if that fits a pattern, which the text itself does not; otherwise None."""
    lower = text.lower()
    return lower if lower != text and lower.isprintable() and re.search(pattern, lower) else None


def repeated_items(items: Iterable[Any]) -> list[tuple[int, int]]:
    """The indexes of each item that an earlier one equals, that one's first. The order of a table's keys is no matter."""
    first: dict[str, int] = {}
    pairs = (
        (first.setdefault(json.dumps(item, sort_keys=True, default=repr), index), index)
        for index, item in enumerate(items)
    )
    return [(same, index) for same, index in pairs if same != index]
