"""Judges a document by the JSON Schema, with TOML's types in place of JSON's.

jsonschema-rs tells within a fraction of a second whether anything is wrong; jsonschema then finds what, in the parts that the
former does not vouch for.
"""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from lvsc.diagnostics import KeyPath
from lvsc.spec.failure import Failure, resolve

_DEEPEST = 100
#: The keywords of a table of named tables; with any other one its entries cannot be judged one by one.
_NAMED = {"type", "title", "description", "propertyNames", "additionalProperties"}


def find_failures(values: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Failure]:
    """What in the document breaks which keyword of the schema.

    `schema` is draft 2020-12 without references to other files. TOML tells more types apart than JSON Schema: here a
    float is no integer, be it 1.0; a date or a time is no string; inf and nan are no numbers.

    Raises:
        RecursionError: the document is nested more than a hundred deep.
    """
    gate = _Gate(schema, schema)
    if gate.passes(values):
        return
    from lvsc.spec.keywords import TomlValidator  # noqa: PLC0415 - heavy, and most documents are right

    said_nothing = True
    for error in TomlValidator(schema).iter_errors(_doubtful(values, schema)):
        said_nothing = False
        path = tuple(error.absolute_path)
        if error.validator == "propertyNames":
            for wrong in error.context or ():
                yield _failure(wrong, path, error.instance, wrong.instance, schema)
        else:
            yield _failure(error, path, error.instance, None, schema)
    if said_nothing and gate.refuses(values):
        # Two judges that disagree are a defect here, and no reason to let the document pass.
        yield Failure(
            path=(),
            keyword="$schema",
            rule=None,
            schema=schema,
            value=values,
            name=None,
            said="jsonschema-rs refuses the document, and jsonschema does not",
            root=schema,
        )


def _failure(error: Any, path: KeyPath, value: Any, name: str | None, root: Mapping[str, Any]) -> Failure:  # noqa: ANN401 - values are of any type
    return Failure(
        path=path,
        keyword=str(error.validator),
        rule=error.validator_value,
        schema=error.schema,
        value=value,
        name=name,
        said=error.message,
        root=root,
    )


def _doubtful(values: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The document without the named tables that are right: a mistake in one leaves thousands that need no second look."""
    doubtful = dict(values)
    for key, part in schema.get("properties", {}).items():
        table, rule = values.get(key), resolve(schema, part) if isinstance(part, Mapping) else {}
        entry = rule.get("additionalProperties")
        if isinstance(table, dict) and isinstance(entry, Mapping) and rule.keys() <= _NAMED:
            entries, names = _Gate(entry, schema), _Gate(rule.get("propertyNames", {}), schema)
            doubtful[key] = {
                name: value
                for name, value in table.items()
                if not (names.passes(name) and entries.passes(value))
            }
    return doubtful


class _Gate:
    """Lets pass what fits a part of the schema, and nothing else; it may hold up what fits."""

    def __init__(self, part: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
        import jsonschema_rs  # noqa: PLC0415 - only commands that check pay for it

        self._validator = jsonschema_rs.Draft202012Validator({**part, "$defs": schema.get("$defs", {})})

    def passes(self, value: Any) -> bool:  # noqa: ANN401 - values are of any type
        """Whether the value fits.

        Raises:
            RecursionError: it is nested more than a hundred deep.
        """
        return not _is_foreign(value, 0) and self._validator.is_valid(value)

    def refuses(self, value: Any) -> bool:  # noqa: ANN401 - values are of any type
        """Whether the value certainly does not fit."""
        return not _is_foreign(value, 0) and not self._validator.is_valid(value)


def _is_foreign(value: Any, depth: int) -> bool:  # noqa: ANN401 - likewise
    """Whether anything within is what JSON knows otherwise than TOML, or not at all: 1.0, inf, nan, a date, a time."""
    if depth > _DEEPEST:
        raise RecursionError
    kind = type(value)
    if kind is str or kind is int or kind is bool:
        return False
    if kind is float:
        return not isfinite(value) or value.is_integer()
    if kind is not dict and kind is not list:
        return True
    found = False
    for item in value.values() if kind is dict else value:
        # Nothing is left out, lest something nested too deep pass; most of what there is are strings and integers.
        if type(item) is not str and type(item) is not int:
            found = _is_foreign(item, depth + 1) or found
    return found
