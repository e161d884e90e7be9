"""JSON Schema's keywords for TOML's values: what jsonschema does otherwise, or slowly. Heavy; import it late."""

import re
from collections.abc import Iterator
from functools import lru_cache
from math import isfinite
from typing import Any

from jsonschema import Draft202012Validator, TypeChecker, ValidationError
from jsonschema.validators import extend

from lvsc.spec.failure import repeated_items


def _is_integer(_: TypeChecker, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker: TypeChecker, value: object) -> bool:
    return _is_integer(checker, value) or (isinstance(value, float) and isfinite(value))


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - the library's signature
    if isinstance(value, str) and not _regex(pattern).search(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


@lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    """The pattern with ECMA-262's `$`: Python's matches before a newline at the end, too."""
    ends = re.sub(r"\\.|\[(?:\\.|[^\]])*\]|\$", lambda part: r"\Z" if part[0] == "$" else part[0], pattern)
    return re.compile(ends, re.ASCII)


def _enum(_validator: Any, choices: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - likewise
    if not any(_is_choice(value, choice) for choice in choices):
        yield ValidationError(f"{value!r} is not one of {choices!r}")


def _const(_validator: Any, choice: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - likewise
    if not _is_choice(value, choice):
        yield ValidationError(f"{choice!r} was expected")


def _is_choice(value: Any, choice: Any) -> bool:  # noqa: ANN401 - values are of any type
    if isinstance(choice, list) and isinstance(value, list):
        return len(choice) == len(value) and all(map(_is_choice, value, choice))
    if isinstance(choice, dict) and isinstance(value, dict):
        return choice.keys() == value.keys() and all(_is_choice(value[name], choice[name]) for name in choice)
    # An integer is a number, so that it may stand for a float; a float never stands for an integer.
    is_kind = type(value) is type(choice) or (type(value) is int and isinstance(choice, float))
    return is_kind and bool(value == choice)


def _unique_items(_validator: Any, unique: bool, value: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401, FBT001 - likewise
    if unique and isinstance(value, list) and repeated_items(value):
        yield ValidationError("items are repeated")


def _property_names(validator: Any, rule: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - likewise
    """One error for a table, with those of its keys in `context`: the library's own do not tell that they are a key's."""
    if isinstance(value, dict):
        errors = [error for name in value for error in validator.descend(name, rule)]
        if errors:
            yield ValidationError("keys are wrong", context=errors)


TomlValidator = extend(  # type: ignore[no-untyped-call]  # the stubs leave it out
    Draft202012Validator,
    {
        "pattern": _pattern,
        "enum": _enum,
        "const": _const,
        "uniqueItems": _unique_items,
        "propertyNames": _property_names,
    },
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)
"""Draft 2020-12 where a float is no integer, be it 1.0; inf and nan are no numbers; a date or a time is no string; and
`$` in a pattern matches at the very end alone, as it does in JSON Schema (ECMA-262) and not in Python."""
