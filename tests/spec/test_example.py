"""What the help of a message gives as an example, and that a value of a wrong type never goes without help."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lvsc.plugins.manager import Plugins
from lvsc.spec import codes
from lvsc.spec.complaint import complaints
from lvsc.spec.example import examples
from lvsc.spec.failure import Failure, resolve
from lvsc.spec.judge import find_failures
from lvsc.spec.schema import generate

SCHEMA = generate(Plugins.installed().fragments)
WRONG: tuple[object, ...] = (5, 1.5, True, "x", [], ["x"], {"x": 1}, [{"x": 1}])
TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}


def parts(
    part: Mapping[str, Any], path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every part of the schema that has a type, with a key path that it may stand at."""
    part = resolve(SCHEMA, part)
    if "type" in part and path:
        yield path, part
    for name, inner in part.get("properties", {}).items():
        yield from parts(inner, (*path, name))
    if isinstance(part.get("additionalProperties"), dict):
        yield from parts(part["additionalProperties"], (*path, "web"))
    if "items" in part:
        yield from parts(part["items"], (*path, 0))
    for branch in (
        *(each["then"] for each in part.get("allOf", ())),
        *([part["else"]] if "else" in part else ()),
    ):
        yield from parts(branch, path)


def tree(path: tuple[str | int, ...], value: object) -> Any:  # noqa: ANN401 - a document
    """A document that has the value at the path."""
    for step in reversed(path):
        value = [value] if isinstance(step, int) else {step: value}
    return value


def test_a_value_of_a_wrong_type_is_always_told_what_to_write() -> None:
    told = 0
    for path, part in parts(SCHEMA):
        types = [part["type"]] if isinstance(part["type"], str) else part["type"]
        for value in WRONG:
            if any(type(value) is TYPES[name] for name in types):
                continue
            failure = Failure(
                path=path,
                keyword="type",
                rule=types,
                schema=part,
                value=value,
                name=None,
                said="",
                root=SCHEMA,
            )
            (diagnostic,) = complaints([failure], tree(path, value), "a.toml")
            assert diagnostic.code is codes.WRONG_TYPE
            assert diagnostic.help, (path, value)
            told += 1
    assert told > 500


def test_an_example_of_every_table_fits_the_schema() -> None:
    judged = 0
    for path, part in parts(SCHEMA):
        for example in examples(part, SCHEMA):
            schema = {**part, "$defs": SCHEMA["$defs"]}
            assert (
                list(find_failures({"x": example}, {"properties": {"x": part}, "$defs": schema["$defs"]}))
                == []
            ), path
            judged += 1
    assert judged > 100


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("pools", "web", "real_servers", 0), [{"name": "web1", "ip": ["10.11.12.21"]}]),
        (("failover", "authentication"), [{"password": {"env": "VRRP_PASSWORD"}}]),
        (("failover", "authentication", "password"), [{"env": "VRRP_PASSWORD"}, {"file": "secrets/vrrp"}]),
        (("services",), []),
    ],
)
def test_an_example_is_the_schemas_own_or_has_what_is_needed(
    path: tuple[str | int, ...], expected: list[Any]
) -> None:
    part = next(part for found, part in parts(SCHEMA) if found == path)
    assert examples(part, SCHEMA) == expected
