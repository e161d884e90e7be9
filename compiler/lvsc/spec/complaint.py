"""Finds the words for what breaks the schema: a diagnostic for each mistake, with what to do about it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from lvsc.diagnostics import Diagnostic, KeyPath, Origin, Place, nearest
from lvsc.spec import codes
from lvsc.spec.example import examples, written
from lvsc.spec.failure import Failure, in_lower_case, repeated_items, resolve
from lvsc.spec.key_complaint import about_keys, about_name
from lvsc.spec.literal import cut, dotted, key, literal, noun, short, type_of, types_in

_MOST_SHOWN = 20
_EXACT = 2**53
_KEY_RULES = ("additionalProperties", "required")


def complaints(failures: Iterable[Failure], values: Mapping[str, Any], file: str) -> list[Diagnostic]:
    """One diagnostic for each mistake behind the failures, in the order of the document `values`."""
    groups: dict[KeyPath, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.path, []).append(failure)
    found: dict[tuple[KeyPath, str, str], Diagnostic] = {}
    for group in groups.values():
        # A document that breaks the schema never goes without a diagnostic.
        for diagnostic in list(_about(group, file)) or [_other(group[0], Origin(file, group[0].path))]:
            found.setdefault((_path(diagnostic), diagnostic.code.id, diagnostic.message), diagnostic)
    order = _Order(values)
    return sorted(found.values(), key=lambda diagnostic: order.position(_path(diagnostic)))


def _path(diagnostic: Diagnostic) -> KeyPath:
    return diagnostic.place.origin.path if diagnostic.place else ()


class _Order:
    """The order in which a document's values stand in it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._indexes: dict[KeyPath, dict[str, int]] = {}

    def position(self, path: KeyPath) -> tuple[int, ...]:
        """Something that sorts as the document does."""
        at: Any = self._values
        position: list[int] = []
        for depth, step in enumerate(path):
            if isinstance(step, int):
                position.append(step)
            else:
                table = path[:depth]
                if table not in self._indexes:
                    self._indexes[table] = {name: index for index, name in enumerate(at)}
                position.append(self._indexes[table][step])
            at = at[step]
        return tuple(position)


def _about(group: list[Failure], file: str) -> Iterator[Diagnostic]:
    """The diagnostics about one value: several for a table or a list, one for anything else."""
    first = min(group, key=lambda failure: _rank(failure.keyword))
    if first.keyword == "type" or not isinstance(first.value, dict | list):
        yield _about_value(first, file)
        return
    keys = [failure for failure in group if failure.keyword in _KEY_RULES]
    yield from about_keys(keys, file)
    for failure in group:
        if keys and failure.keyword in ("minProperties", "maxProperties"):
            continue  # there are too few or too many because some are missing or unknown
        if failure.name is not None:
            yield about_name(failure, failure.name, file)
        elif failure.keyword == "uniqueItems":
            yield from _about_repeated(failure, file)
        elif failure.keyword not in _KEY_RULES:
            yield _about_value(failure, file)


def _rank(keyword: str) -> int:
    """Of several rules that one value breaks, the one of the lowest rank says best what is wrong."""
    ranks = {"type": 0, "enum": 1, "const": 2, "pattern": 3}
    return ranks.get(keyword, len(ranks))


def _about_value(failure: Failure, file: str) -> Diagnostic:
    return _WRITERS.get(failure.keyword, _other)(failure, Origin(file, failure.path))


def _wrong_type(failure: Failure, origin: Origin) -> Diagnostic:
    shown = isinstance(failure.value, float) and not _is_secret(failure)
    found = short(failure.value) if shown else type_of(failure.value)
    message = f"{_named(failure)} must be {types_in(failure.schema, _items(failure))}, not {found}"
    meant = _meant(failure)
    if meant is not None:
        return codes.WRONG_TYPE.at(
            origin, message, help=f"write `{cut(literal(meant))}`", replacement=literal(meant)
        )
    return codes.WRONG_TYPE.at(origin, message, help=_as_wanted(failure))


def _as_wanted(failure: Failure) -> str:
    """What to write in place of a value of another type."""
    says, wanted = failure.schema.get("x-pattern-says"), examples(failure.schema, failure.root)
    if says:
        return f"write {says}{_never(failure)}"
    if failure.schema["type"] == "object" and all(isinstance(step, str) for step in failure.path):
        named = isinstance(failure.schema.get("additionalProperties"), Mapping)
        header = f"`[{dotted(failure.path)}{'.NAME' if named else ''}]`"
        if type_of(failure.value) == "an array of tables" and not _is_secret(failure):
            return f"write {header} in single brackets: it is one table"
        if not wanted:
            return f"write a table {header}"
    if not wanted:
        return f"write {types_in(failure.schema, _items(failure))}"
    return f"write it like this: {written(wanted)}{_never(failure)}"


def _meant(failure: Failure) -> Any:  # noqa: ANN401 - TOML values are of any type
    """The value as the type that the schema takes, or None where there is a doubt of what was meant."""
    value, schema = failure.value, failure.schema
    types = schema["type"]
    digits = isinstance(value, str) and re.fullmatch(r"0|[1-9][0-9]{0,8}", value)
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    if types == "integer" and (digits or whole):
        meant = int(value)
    elif types == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    elif types == "array" and isinstance(value, str):
        items = _items(failure)
        fits = items.get("type") == "string" and re.search(items.get("pattern", ""), value)
        return [value] if fits else None
    else:
        return None
    return meant if schema.get("minimum", meant) <= meant <= schema.get("maximum", meant) else None


def _not_a_choice(failure: Failure, origin: Origin) -> Diagnostic:
    choices = failure.rule if failure.keyword == "enum" else [failure.rule]
    kinds = {type_of(choice) for choice in choices}
    if type_of(failure.value) not in kinds:
        message = f"{_named(failure)} must be {' or '.join(sorted(kinds))}, not {type_of(failure.value)}"
        return codes.WRONG_TYPE.at(origin, message, help=_one_of(choices))
    message = f"{_named(failure)} cannot be `{short(failure.value)}`"
    meant = nearest(failure.value, choices) if kinds == {"a string"} else None
    says = failure.schema.get("x-pattern-says")
    if meant is None and (says or len(choices) > 1):
        return codes.NOT_A_CHOICE.at(origin, message, help=f"write {says}" if says else _one_of(choices))
    best = choices[0] if meant is None else meant
    others = [choice for choice in choices if choice != best]
    return codes.NOT_A_CHOICE.at(
        origin,
        message,
        help=f"write `{literal(best)}`" if meant is None else f"did you mean `{literal(best)}`?",
        notes=[f"the other choices are {_listed(others)}"] if others else (),
        replacement=literal(best),
    )


def _wrong_form(failure: Failure, origin: Origin) -> Diagnostic:
    says = failure.schema.get("x-pattern-says")
    if says is None:
        message = f"{_named(failure)} does not match `{failure.rule}`: `{short(failure.value)}`"
        return codes.WRONG_FORM.at(origin, message, help=_example(failure.schema))
    if _is_secret(failure):
        message = f"{_named(failure)} is not {noun(says)}"
        return codes.WRONG_FORM.at(origin, message, help=f"write {says}{_never(failure)}")
    message = f"{_named(failure)} is not {noun(says)}: `{short(failure.value)}`"
    meant = in_lower_case(failure.value, failure.rule)
    if meant is not None:
        return codes.WRONG_FORM.at(
            origin,
            message,
            help=f"did you mean `{literal(meant)}`?",
            notes=[says],
            replacement=literal(meant),
        )
    return codes.WRONG_FORM.at(origin, message, help=f"write {says}")


def _out_of_range(failure: Failure, origin: Origin) -> Diagnostic:
    schema = failure.schema
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    limits = " and ".join(
        f"{word} {limit}"
        for word, limit in (
            ("more than" if "exclusiveMinimum" in schema else "at least", low),
            ("less than" if "exclusiveMaximum" in schema else "at most", high),
        )
        if limit is not None
    )
    if {"minimum", "maximum"} <= schema.keys():
        limits = f"from {low} to {high}"
    message = f"{_named(failure)} is out of range: `{short(failure.value)}`"
    return codes.OUT_OF_RANGE.at(origin, message, help=f"use a number {limits}")


def _wrong_count(failure: Failure, origin: Origin) -> Diagnostic:
    bound, unit = ("at least" if failure.keyword.startswith("min") else "at most"), failure.keyword[3:]
    one, many = {
        "Items": ("item", "items"),
        "Properties": ("key", "keys"),
        "Length": ("character", "characters"),
    }[unit]
    count, limit = len(failure.value), failure.rule
    has = f"has {count} {one if count == 1 else many}" if count else "is empty"
    needs = "needs" if bound == "at least" else "takes"
    message = f"{_named(failure)} {has}: it {needs} {bound} {limit} {one if limit == 1 else many}"
    if unit == "Properties" and "properties" in failure.schema:
        return codes.WRONG_COUNT.at(
            origin, message, help=f"its keys are {_listed(failure.schema['properties'], key)}"
        )
    if failure.keyword == "maxLength":
        return codes.WRONG_COUNT.at(origin, message, help="shorten it")
    change = "write more" if bound == "at least" else "shorten it"
    return codes.WRONG_COUNT.at(origin, message, help=_example(failure.schema) or change)


def _about_repeated(failure: Failure, file: str) -> Iterator[Diagnostic]:
    """A diagnostic for each item that an earlier one equals."""
    for first, index in repeated_items(failure.value):
        yield codes.REPEATED_ITEM.at(
            Origin(file, (*failure.path, index)),
            f"{_named(failure)} has `{short(failure.value[index])}` twice",
            others=[Place(Origin(file, (*failure.path, first)), label="first here")],
            help="remove one",
        )


def _other(failure: Failure, origin: Origin) -> Diagnostic:
    said = "" if _is_secret(failure) else f": {failure.said}"
    message = f"{_named(failure)} breaks the rule `{failure.keyword}` of the schema{said}"
    return codes.NOT_IN_SCHEMA.at(origin, message, help="`lvsc schema` prints the schema")


_WRITERS: Mapping[str, Callable[[Failure, Origin], Diagnostic]] = {
    "type": _wrong_type,
    "enum": _not_a_choice,
    "const": _not_a_choice,
    "pattern": _wrong_form,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "exclusiveMinimum": _out_of_range,
    "exclusiveMaximum": _out_of_range,
    "minItems": _wrong_count,
    "maxItems": _wrong_count,
    "minLength": _wrong_count,
    "maxLength": _wrong_count,
    "minProperties": _wrong_count,
    "maxProperties": _wrong_count,
}


def _is_secret(failure: Failure) -> bool:
    """Whether the value may be a secret, so that no message shows it."""
    return bool(failure.schema.get("x-secret"))


def _never(failure: Failure) -> str:
    return "; the secret itself stands in no spec" if _is_secret(failure) else ""


def _named(failure: Failure) -> str:
    """What the message calls the value: its key, and that it is an item where it is one."""
    names = [step for step in failure.path if isinstance(step, str)]
    if not names:
        return "the file"
    name = f"`{key(names[-1])}`"
    return name if isinstance(failure.path[-1], str) else f"an item of {name}"


def _items(failure: Failure) -> Mapping[str, Any]:
    return resolve(failure.root, failure.schema.get("items", {}))


def _one_of(choices: Iterable[Any]) -> str:
    return f"write one of {_listed(choices)}"


def _listed(choices: Iterable[Any], write: Callable[[Any], str] = literal) -> str:
    words = [f"`{write(choice)}`" for choice in choices]
    more = len(words) - _MOST_SHOWN
    return ", ".join(words[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _example(schema: Mapping[str, Any]) -> str | None:
    given = schema.get("examples")
    return f"write it like this: `{literal(given[0])}`" if given else None
