"""What a value could be, for the help of a message: the schema's own example, or one put together from those of its parts."""

from collections.abc import Mapping
from typing import Any

from lvsc.spec.failure import resolve
from lvsc.spec.literal import key, literal


def examples(part: Mapping[str, Any], root: Mapping[str, Any]) -> list[Any]:
    """Values that fit a part of the schema `root`; none where the schema has no example of something that is needed."""
    part = resolve(root, part)
    if "examples" in part:
        # Of most values one example is enough; a secret is kept in one of two places.
        return list(part["examples"] if part.get("x-secret") else part["examples"][:1])
    if "const" in part:
        return [part["const"]]
    if "enum" in part:
        return [part["enum"][0]]
    if "allOf" in part:
        variants = part["allOf"]
        default = next((each for each in variants if "required" not in each["if"]), variants[0])
        return examples(default["then"], root)
    if "else" in part:
        return examples(part["else"], root)
    if part.get("type") == "object":
        return _tables(part, root)
    if part.get("type") == "array":
        return [[item] for item in examples(part.get("items", {}), root)]
    return []


def _tables(part: Mapping[str, Any], root: Mapping[str, Any]) -> list[Any]:
    keys = part.get("properties", {})
    needed = part.get("required") or list(keys)[:1]
    found = {name: examples(keys[name], root)[:1] for name in keys if name in needed}
    whole = found and all(found.values())
    return [{name: values[0] for name, values in found.items()}] if whole else []


def written(values: list[Any]) -> str:
    """The values as TOML writes them: "`a` or `b`"."""
    return " or ".join(f"`{literal(value)}`" for value in values)


def secret_keys(properties: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """How a table with these properties says where a secret is kept; empty where it says of none."""
    return " or ".join(
        f"`{key(name)} = {literal(value)}`"
        for name, part in properties.items()
        if _has_secret(part, root)
        for value in examples(part, root)
    )


def _has_secret(part: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    part = resolve(root, part)
    inner = part.get("properties", {}).values()
    return bool(part.get("x-secret")) or any(_has_secret(each, root) for each in inner)
