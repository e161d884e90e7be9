"""Holding a document against the schema: what is said and where, and that two independent judges agree."""

import copy
import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvsc.diagnostics import Anchor, Diagnostic, DiagnosticError, KeyPath
from lvsc.spec import schema as cluster_schema
from lvsc.spec.check import check
from lvsc.spec.complaint import complaints
from lvsc.spec.failure import Failure
from lvsc.spec.judge import find_failures
from lvsc.spec.keywords import TomlValidator
from lvsc.spec.read import Document, read
from lvsc.spec.schema.fragment import PLAIN, Fragment

NAME = "^[a-z][a-z0-9-]{0,9}$"
NAME_SAYS = "a name: lowercase letters, digits and hyphens, beginning with a letter"


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def kind_is(kind: str) -> dict[str, Any]:
    return {"properties": {"kind": {"const": kind}}}


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **closed(
        {
            "cluster": {"$ref": "#/$defs/cluster"},
            "services": {
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/name"},
                "additionalProperties": {"$ref": "#/$defs/service"},
            },
            "pools": {
                "type": "object",
                "propertyNames": {"pattern": NAME, "minLength": 2},
                "additionalProperties": {"type": "array", "items": {"$ref": "#/$defs/server"}, "maxItems": 2},
            },
        },
        "cluster",
    ),
    "$defs": {
        "name": {"type": "string", "pattern": NAME, "x-pattern-says": NAME_SAYS, "examples": ["web"]},
        "cluster": closed(
            {
                "name": {"$ref": "#/$defs/name"},
                "forwarding": {"enum": ["nat", "direct", "tunnel"]},
                "version": {"enum": [2, 3]},
                "only": {"const": "this"},
                "either": {
                    "type": ["string", "integer"],
                    "if": {"type": "string"},
                    "then": {"enum": ["no"], "x-pattern-says": "a number, or no"},
                },
                "id": {"type": "integer", "minimum": 1, "maximum": 255},
                "above": {"type": "number", "exclusiveMinimum": 0},
                "below": {"type": "number", "exclusiveMaximum": 2.5},
                "delay": {"type": "number", "minimum": 1, "maximum": 10},
                "step": {"type": "integer", "multipleOf": 5},
                "flag": {"type": "boolean"},
                "text": {"type": "string", "minLength": 2, "maxLength": 4},
                "code": {"type": "string", "pattern": "^[0-9]+$", "examples": ["12"]},
                "hosts": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
                "ports": {"type": "array", "items": {"type": ["integer", "string"]}, "uniqueItems": True},
                "address": {"type": ["string", "array"], "pattern": NAME, "x-pattern-says": NAME_SAYS},
                "one": {
                    **closed({"left": {"type": "string"}, "right": {"type": "string"}}),
                    "maxProperties": 1,
                },
                "peers": {"type": "array", "items": {"$ref": "#/$defs/server"}},
            },
            "name",
        ),
        "server": closed({"name": {"$ref": "#/$defs/name"}, "weight": {"type": "integer"}}, "name"),
        "service": {
            "type": "object",
            "properties": {"kind": {"enum": ["plain", "ftp"]}},
            "allOf": [
                {"if": kind_is("plain"), "then": {"$ref": "#/$defs/plain"}},
                {"if": {**kind_is("ftp"), "required": ["kind"]}, "then": {"$ref": "#/$defs/ftp"}},
            ],
        },
        "plain": closed(
            {"kind": {"enum": ["plain"]}, "port": {"type": "integer"}, "check": {"$ref": "#/$defs/check"}},
            "port",
        ),
        "ftp": closed(
            {"kind": {"enum": ["ftp"]}, "passive": {"type": "string"}, "pool": {"type": "string"}}, "pool"
        ),
        "check": {
            "type": "object",
            "properties": {"type": {"enum": ["tcp", "http"]}},
            "required": ["type"],
            "if": {"properties": {"type": {"const": "http"}}, "required": ["type"]},
            "then": closed({"type": {"const": "http"}, "path": {"type": "string"}}, "type"),
            "else": {"$ref": "#/$defs/tcp"},
        },
        "tcp": {"type": "object", "properties": {"type": {}, "path": {}, "port": {"type": "integer"}}},
    },
}

GOOD = """\
[cluster]
name = "web"
"""


def found(text: str, schema: dict[str, Any] = SCHEMA) -> list[Diagnostic]:
    return check(read(text, "cluster.toml"), schema)


def path_and_anchor(diagnostic: Diagnostic) -> tuple[KeyPath, Anchor]:
    assert diagnostic.place is not None
    return diagnostic.place.origin.path, diagnostic.place.anchor


def test_good_document_has_no_diagnostics() -> None:
    assert (
        found(GOOD + 'delay = 1.0\nabove = 0.5\nid = 255\nports = [1, "1"]\n[services.a]\nport = 1\n') == []
    )


K, V, T = Anchor.KEY, Anchor.VALUE, Anchor.TABLE

#: What is added to GOOD; the code, path and anchor; the message; the help; the replacement.
CASES = {
    "unknown key": (
        'forwardin = "nat"',
        ("LVS101", ("cluster", "forwardin"), K),
        "unknown key `forwardin` in `cluster`",
        "did you mean `forwarding`?",
        "forwarding",
    ),
    "unknown key that needs quotes": (
        '"for warding" = "nat"',
        ("LVS101", ("cluster", "for warding"), K),
        'unknown key `"for warding"` in `cluster`',
        "did you mean `forwarding`?",
        "forwarding",
    ),
    "unknown key like none": (
        "one = { zzz = 1 }",
        ("LVS101", ("cluster", "one", "zzz"), K),
        "unknown key `zzz` in `cluster.one`",
        "remove it; what else can stand here: `left`, `right`",
        None,
    ),
    "unknown key like one that is there": (
        'one = { left = "x", lefty = "y", right = "z" }',
        ("LVS101", ("cluster", "one", "lefty"), K),
        "unknown key `lefty` in `cluster.one`",
        "remove it",
        None,
    ),
    "unknown table like one that has entries": (
        "[services.b]\nport = 1\n[service.a]\nport = 1",
        ("LVS101", ("service",), K),
        "unknown table `service`",
        "did you mean `services`?",
        "services",
    ),
    "unknown table": (
        "[servces.web]\nport = 1",
        ("LVS101", ("servces",), K),
        "unknown table `servces`",
        "did you mean `services`?",
        "services",
    ),
    "unknown key in a variant": (
        '[services.a]\nkind = "ftp"\npool = "p"\npassiv = "1-2"',
        ("LVS101", ("services", "a", "passiv"), K),
        "unknown key `passiv` in `services.a`",
        "did you mean `passive`?",
        "passive",
    ),
    "misspelt required key": (
        '[services.a]\nkind = "ftp"\npol = "p"',
        ("LVS101", ("services", "a", "pol"), K),
        "unknown key `pol` in `services.a`",
        "did you mean `pool`?",
        "pool",
    ),
    "misspelt choice of a variant": (
        '[services.a]\nknd = "ftp"\npool = "p"\npassive = "1-2"',
        ("LVS101", ("services", "a", "knd"), K),
        "unknown key `knd` in `services.a`",
        "did you mean `kind`?",
        "kind",
    ),
    "misspelt required choice of a variant": (
        '[services.a]\nport = 1\ncheck = { tpye = "http", path = "/" }',
        ("LVS101", ("services", "a", "check", "tpye"), K),
        "unknown key `tpye` in `services.a.check`",
        "did you mean `type`?",
        "type",
    ),
    "missing key": (
        "[services.a]",
        ("LVS102", ("services", "a"), T),
        "`services.a` lacks `port`",
        "add `port`",
        None,
    ),
    "missing choice of a variant": (
        '[services.a]\nport = 1\ncheck = { path = "/" }',
        ("LVS102", ("services", "a", "check"), T),
        "`services.a.check` lacks `type`",
        'add `type = "tcp"`, say',
        None,
    ),
    "missing key of a listed table": (
        "peers = [{ weight = 1 }]",
        ("LVS102", ("cluster", "peers", 0), T),
        "an item of `cluster.peers` lacks `name`",
        'add `name = "web"`, say',
        None,
    ),
    "not a choice": (
        'forwarding = "natt"',
        ("LVS103", ("cluster", "forwarding"), V),
        '`forwarding` cannot be `"natt"`',
        'did you mean `"nat"`?',
        '"nat"',
    ),
    "a choice in capitals": (
        'forwarding = "NAT"',
        ("LVS103", ("cluster", "forwarding"), V),
        '`forwarding` cannot be `"NAT"`',
        'did you mean `"nat"`?',
        '"nat"',
    ),
    "no choice where something else can stand": (
        'either = "b"',
        ("LVS103", ("cluster", "either"), V),
        '`either` cannot be `"b"`',
        "write a number, or no",
        None,
    ),
    "not a choice and like none": (
        'forwarding = "x"',
        ("LVS103", ("cluster", "forwarding"), V),
        '`forwarding` cannot be `"x"`',
        'write one of `"nat"`, `"direct"`, `"tunnel"`',
        None,
    ),
    "not a choice of numbers": (
        "version = 4",
        ("LVS103", ("cluster", "version"), V),
        "`version` cannot be `4`",
        "write one of `2`, `3`",
        None,
    ),
    "not the constant": (
        'only = "x"',
        ("LVS103", ("cluster", "only"), V),
        '`only` cannot be `"x"`',
        'write `"this"`',
        '"this"',
    ),
    "no such variant": (
        '[services.a]\nkind = "fpt"\npool = "p"',
        ("LVS103", ("services", "a", "kind"), V),
        '`kind` cannot be `"fpt"`',
        'did you mean `"ftp"`?',
        '"ftp"',
    ),
    "choice of another type": (
        "forwarding = 1",
        ("LVS104", ("cluster", "forwarding"), V),
        "`forwarding` must be a string, not an integer",
        'write one of `"nat"`, `"direct"`, `"tunnel"`',
        None,
    ),
    "float for a choice of integers": (
        "version = 2.0",
        ("LVS104", ("cluster", "version"), V),
        "`version` must be an integer, not a float",
        "write one of `2`, `3`",
        None,
    ),
    "number in quotes": (
        'id = "25"',
        ("LVS104", ("cluster", "id"), V),
        "`id` must be an integer, not a string",
        "write `25`",
        "25",
    ),
    "number in quotes, out of range": (
        'id = "256"',
        ("LVS104", ("cluster", "id"), V),
        "`id` must be an integer, not a string",
        "write an integer",
        None,
    ),
    "float without a fraction": (
        "id = 2.0",
        ("LVS104", ("cluster", "id"), V),
        "`id` must be an integer, not 2.0",
        "write `2`",
        "2",
    ),
    "float out of range": (
        "id = 0.0",
        ("LVS104", ("cluster", "id"), V),
        "`id` must be an integer, not 0.0",
        "write an integer",
        None,
    ),
    "float with a fraction": (
        "id = 2.5",
        ("LVS104", ("cluster", "id"), V),
        "`id` must be an integer, not 2.5",
        "write an integer",
        None,
    ),
    "infinity for an integer": (
        "id = inf",
        ("LVS104", ("cluster", "id"), V),
        "`id` must be an integer, not inf",
        "write an integer",
        None,
    ),
    "not a number": (
        "delay = nan",
        ("LVS104", ("cluster", "delay"), V),
        "`delay` must be a number, not nan",
        "write a number",
        None,
    ),
    "boolean for an integer": (
        "id = true",
        ("LVS104", ("cluster", "id"), V),
        "`id` must be an integer, not a boolean",
        "write an integer",
        None,
    ),
    "boolean in quotes": (
        'flag = "True"',
        ("LVS104", ("cluster", "flag"), V),
        "`flag` must be a boolean, not a string",
        "write `true`",
        "true",
    ),
    "integer for a boolean": (
        "flag = 1",
        ("LVS104", ("cluster", "flag"), V),
        "`flag` must be a boolean, not an integer",
        "write a boolean",
        None,
    ),
    "date for a string": (
        "text = 1979-05-27",
        ("LVS104", ("cluster", "text"), V),
        "`text` must be a string, not a date",
        "write a string",
        None,
    ),
    "time for a string": (
        "text = 07:32:00",
        ("LVS104", ("cluster", "text"), V),
        "`text` must be a string, not a time",
        "write a string",
        None,
    ),
    "date and time for a choice": (
        "forwarding = 1979-05-27T07:32:00Z",
        ("LVS104", ("cluster", "forwarding"), V),
        "`forwarding` must be a string, not a date and time",
        'write one of `"nat"`, `"direct"`, `"tunnel"`',
        None,
    ),
    "string for a list": (
        'hosts = "one"',
        ("LVS104", ("cluster", "hosts"), V),
        "`hosts` must be an array, not a string",
        'write `["one"]`',
        '["one"]',
    ),
    "string for a list of tables": (
        'peers = "one"',
        ("LVS104", ("cluster", "peers"), V),
        "`peers` must be an array of tables, not a string",
        'write it like this: `[{ name = "web" }]`',
        None,
    ),
    "item of the wrong type": (
        "hosts = [1]",
        ("LVS104", ("cluster", "hosts", 0), V),
        "an item of `hosts` must be a string, not an integer",
        "write a string",
        None,
    ),
    "neither of two types": (
        "address = 5",
        ("LVS104", ("cluster", "address"), V),
        "`address` must be a string or an array, not an integer",
        f"write {NAME_SAYS}",
        None,
    ),
    "table for a string": (
        "[cluster.text]\na = 1",
        ("LVS104", ("cluster", "text"), V),
        "`text` must be a string, not a table",
        "write a string",
        None,
    ),
    "tables for a table": (
        "[[services]]",
        ("LVS104", ("services",), V),
        "`services` must be a table, not an array of tables",
        "write `[services.NAME]` in single brackets: it is one table",
        None,
    ),
    "wrong form": (
        'address = "A_"',
        ("LVS105", ("cluster", "address"), V),
        '`address` is not a name: `"A_"`',
        f"write {NAME_SAYS}",
        None,
    ),
    "wrong form but for its capitals": (
        'address = "WWW"',
        ("LVS105", ("cluster", "address"), V),
        '`address` is not a name: `"WWW"`',
        'did you mean `"www"`?',
        '"www"',
    ),
    "newline at the end": (
        'address = "web\\n"',
        ("LVS105", ("cluster", "address"), V),
        '`address` is not a name: `"web\\n"`',
        f"write {NAME_SAYS}",
        None,
    ),
    "wrong form without words": (
        'code = "x"',
        ("LVS105", ("cluster", "code"), V),
        '`code` does not match `^[0-9]+$`: `"x"`',
        'write it like this: `"12"`',
        None,
    ),
    "too small": (
        "id = 0",
        ("LVS106", ("cluster", "id"), V),
        "`id` is out of range: `0`",
        "use a number from 1 to 255",
        None,
    ),
    "too big": (
        f"id = {2**64}",
        ("LVS106", ("cluster", "id"), V),
        f"`id` is out of range: `{2**64}`",
        "use a number from 1 to 255",
        None,
    ),
    "at an exclusive minimum": (
        "above = 0",
        ("LVS106", ("cluster", "above"), V),
        "`above` is out of range: `0`",
        "use a number more than 0",
        None,
    ),
    "at an exclusive maximum": (
        "below = 2.5",
        ("LVS106", ("cluster", "below"), V),
        "`below` is out of range: `2.5`",
        "use a number less than 2.5",
        None,
    ),
    "empty list": (
        "hosts = []",
        ("LVS107", ("cluster", "hosts"), V),
        "`hosts` is empty: it needs at least 1 item",
        "write more",
        None,
    ),
    "long list": (
        '[pools]\nab = [{ name = "a" }, { name = "b" }, { name = "c" }]',
        ("LVS107", ("pools", "ab"), V),
        "`ab` has 3 items: it takes at most 2 items",
        "shorten it",
        None,
    ),
    "short text": (
        'text = "x"',
        ("LVS107", ("cluster", "text"), V),
        "`text` has 1 character: it needs at least 2 characters",
        "write more",
        None,
    ),
    "two keys of which one may be": (
        'one = { left = "x", right = "y" }',
        ("LVS107", ("cluster", "one"), V),
        "`one` has 2 keys: it takes at most 1 key",
        "its keys are `left`, `right`",
        None,
    ),
    "item twice": (
        'hosts = ["a", "b", "a"]',
        ("LVS108", ("cluster", "hosts", 2), V),
        '`hosts` has `"a"` twice',
        "remove one",
        None,
    ),
    "wrong name": (
        "[services.W_]\nport = 1",
        ("LVS109", ("services", "W_"), K),
        "`W_` in `services` is not a name",
        f"write {NAME_SAYS}",
        None,
    ),
    "wrong name but for its capitals": (
        "[services.Web]\nport = 1",
        ("LVS109", ("services", "Web"), K),
        "`Web` in `services` is not a name",
        "did you mean `web`?",
        None,
    ),
    "name with a newline at the end": (
        '[services."web\\n"]\nport = 1',
        ("LVS109", ("services", "web\n"), K),
        '`"web\\n"` in `services` is not a name',
        f"write {NAME_SAYS}",
        None,
    ),
    "wrong name without words": (
        "[pools]\na = []",
        ("LVS109", ("pools", "a"), K),
        "`a` in `pools` breaks the rule `minLength` of the schema",
        "`lvsc schema` prints the schema",
        None,
    ),
    "rule without words": (
        "step = 7",
        ("LVS110", ("cluster", "step"), V),
        "`step` breaks the rule `multipleOf` of the schema: 7 is not a multiple of 5",
        "`lvsc schema` prints the schema",
        None,
    ),
}


@pytest.mark.parametrize(
    ("added", "where", "message", "advice", "replacement"), CASES.values(), ids=CASES.keys()
)
def test_one_mistake_is_one_diagnostic(
    added: str, where: tuple[str, KeyPath, Anchor], message: str, advice: str | None, replacement: str | None
) -> None:
    (diagnostic,) = found(GOOD + added)
    assert (diagnostic.code.id, *path_and_anchor(diagnostic)) == where
    assert (diagnostic.message, diagnostic.help, diagnostic.replacement) == (message, advice, replacement)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        pytest.param("", "add a table `[cluster]`", id="table"),
        pytest.param("[cluster]", 'add `name = "web"`, say', id="key"),
    ],
)
def test_missing_key_is_shown_at_the_table_that_lacks_it(text: str, advice: str) -> None:
    (diagnostic,) = found(text)
    assert (diagnostic.code.id, diagnostic.help) == ("LVS102", advice)


def test_missing_table_of_named_tables_is_asked_for_with_a_name() -> None:
    schema = closed({"pools": {"type": "object", "additionalProperties": closed({})}}, "pools")
    assert [diagnostic.help for diagnostic in found("", schema)] == ["add a table `[pools.NAME]`"]


def test_the_other_choices_are_a_note() -> None:
    (diagnostic,) = found(GOOD + 'forwarding = "natt"')
    assert diagnostic.notes == ('the other choices are `"direct"`, `"tunnel"`',)


def test_repeated_item_points_at_the_first() -> None:
    (diagnostic,) = found(GOOD + 'hosts = ["a", "b", "a"]')
    (first,) = diagnostic.others
    assert (first.origin.path, first.label) == (("cluster", "hosts", 0), "first here")


def test_tables_with_the_same_keys_in_another_order_are_the_same() -> None:
    schema = closed({"list": {"type": "array", "uniqueItems": True}})
    (diagnostic,) = found("list = [{ a = 1, b = 2 }, { b = 2, a = 1 }]", schema)
    assert diagnostic.message == "`list` has `a table` twice"


def test_items_of_different_types_are_different() -> None:
    assert found(GOOD + 'ports = [1, "1"]') == []


def test_long_values_are_cut() -> None:
    (diagnostic,) = found(GOOD + f'address = "{"A" * 1000}"')
    assert len(diagnostic.message) < 100
    assert diagnostic.message.endswith("…`")


def test_diagnostics_stand_in_the_documents_order() -> None:
    text = """\
[services.b]
port = "x"
[pools]
zz = [{ weight = 1 }, { name = "A" }]
[cluster]
id = 0
unknown = 1
[services.a]
[services.c]
port = 1
kind = "plan"
"""
    assert [path_and_anchor(diagnostic)[0] for diagnostic in found(text)] == [
        ("services", "b", "port"),
        ("services", "a"),
        ("services", "c", "kind"),
        ("pools", "zz", 0),
        ("pools", "zz", 1, "name"),
        ("cluster",),
        ("cluster", "id"),
        ("cluster", "unknown"),
    ]


@pytest.mark.parametrize("depth", [150, 20_000])
def test_deep_nesting_is_one_error(depth: int) -> None:
    with pytest.raises(DiagnosticError) as caught:
        found("[" + ".".join("a" * depth) + "]")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code.id, diagnostic.place is not None) == ("LVS004", True)


def test_a_document_that_only_one_judge_refuses_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvsc.spec.keywords.TomlValidator.iter_errors", lambda *_: iter(()))
    (diagnostic,) = check(read("[services.web]\nprt = 1\n", "c"), SCHEMA)
    assert diagnostic.code.id == "LVS110"
    assert "jsonschema-rs refuses the document" in diagnostic.message


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param("port = 1\nprt = 2", id="unknown key"),
        pytest.param('port = "x"', id="wrong type"),
        pytest.param("", id="missing key"),
    ],
)
@pytest.mark.parametrize("name", ["service", "Service"])
def test_two_thousand_mistakes_are_two_thousand_diagnostics(name: str, mistake: str) -> None:
    document = read(
        GOOD + "".join(f"[services.{name[:3]}-{index}]\n{mistake}\n" for index in range(2_000)), "c"
    )
    diagnostics = check(document, SCHEMA)
    assert len(diagnostics) == 2_000 * (1 if name == "service" else 2)


# The judges. jsonschema-rs gives the same verdict as the checker, and jsonschema, which is only asked about the parts that
# jsonschema-rs refuses, finds the same failures in the whole document.


def judged(values: dict[str, Any], schema: dict[str, Any]) -> set[tuple[object, ...]]:
    """Path, keyword and, for a table's key, the key, of each failure that jsonschema finds in the whole document."""
    failures: set[tuple[object, ...]] = set()
    for error in TomlValidator(schema).iter_errors(values):
        path = tuple(error.absolute_path)
        if error.validator == "propertyNames":
            failures |= {(path, wrong.validator, wrong.instance) for wrong in error.context}
        else:
            failures.add((path, error.validator, None))
    return failures


def as_json(value: object) -> object:
    """The value with null for dates, times, inf and nan, which JSON lacks."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    lacks = isinstance(value, dt.date | dt.time) or (isinstance(value, float) and not math.isfinite(value))
    return None if lacks else value


def in_json_too(value: object) -> bool:
    """Whether JSON has the value, and JSON Schema takes its type for the one that TOML takes it for."""
    if isinstance(value, dict | list):
        return all(in_json_too(item) for item in (value.values() if isinstance(value, dict) else value))
    if isinstance(value, float):
        return math.isfinite(value) and not value.is_integer()
    return not isinstance(value, dt.date | dt.time)


def checked(values: dict[str, Any], schema: dict[str, Any]) -> set[tuple[object, ...]]:
    """The same for the failures that are put into words."""
    return {(failure.path, failure.keyword, failure.name) for failure in find_failures(values, schema)}


VALUES = st.one_of(
    st.sampled_from([0, 1, 2, 300, -1, 1.5, 1.0, 2.0, math.inf, math.nan, True, False]),
    st.sampled_from(["", "web", "web\n", "nat", "ftp", "Web", "5m", "5m\n", "x" * 50]),
    st.sampled_from([[], {}, ["a", "a"], [1, 1.5], [{}], {"name": "web"}, {"a": {"b": 1}}, [["x"]]]),
    st.sampled_from([dt.date(2026, 1, 1), dt.time(7, 32), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]),
    st.integers(),
    st.floats(),
    st.text(),
)

CLUSTER_SCHEMA = cluster_schema.generate(
    {
        PLAIN: Fragment(title="Plain", description="Any service."),
        "ftp": Fragment(title="FTP", description="FTP.", properties={"passive_ports": {"type": "string"}}),
    }
)

SMALL = """[cluster]
name = "web"
forwarding = "nat"
id = 5
delay = 1.5
hosts = ["a", "b"]
ports = [1, "2"]
address = ["web"]
one = { left = "x" }
peers = [{ name = "a", weight = 1 }]
[services.a]
port = 1
check = { type = "http", path = "/" }
[services.b]
kind = "ftp"
pool = "p"
[pools]
ab = [{ name = "a" }]
"""

WHOLE = """[cluster]
name = "red-hat"
target = "rhel9"
forwarding = "nat"
[networks.public]
interface = "eth0"
prefixes = ["192.0.2.0/24"]
[directors.lvs1]
priority = 150
addresses = { public = ["192.0.2.2"] }
[failover]
virtual_router_id = 51
[addresses.www]
network = "public"
ip = ["192.0.2.10"]
[pools.web]
check = { type = "http", path = "/", status = [200] }
real_servers = [{ name = "web1", ip = ["10.11.12.21"], weight = 2 }, { name = "web2", ip = ["10.11.12.22"] }]
[services.web]
address = "www"
pool = "web"
mark = 80
scheduler = "wlc"
persistence = "5m"
[services.files]
kind = "ftp"
address = ["www"]
pool = "web"
passive_ports = "10000-20000"
"""


def containers(value: object) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


Mutation = tuple[int, int, str, str, object]
MUTATIONS: st.SearchStrategy[Mutation] = st.tuples(
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.sampled_from(["change", "add", "remove", "rename"]),
    st.sampled_from(["extra", "kind", "port", "type", "9", "web", "web\n", "Web", "name", "prot"]),
    VALUES,
)


def mutate(values: dict[str, Any], mutation: Mutation) -> None:
    """Change, add, remove or rename one thing somewhere in the document."""
    where, which, how, name, value = mutation
    places = list(containers(values))
    place = places[where % len(places)]
    value = copy.deepcopy(value)
    if how == "add" or not place:
        if isinstance(place, list):
            place.append(value)
        else:
            place[name] = value
        return
    step = (list(place) if isinstance(place, dict) else range(len(place)))[which % len(place)]
    if how == "change":
        place[step] = value
        return
    removed = place.pop(step)
    if how == "rename":
        if isinstance(place, list):
            place.insert(0, removed)
        else:
            place[name] = removed


JUDGED = {"small": (SMALL, SCHEMA), "cluster": (WHOLE, CLUSTER_SCHEMA)}


@pytest.mark.parametrize("name", JUDGED)
@settings(deadline=None)  # the first document to be wrong pays for the import of jsonschema
@given(st.lists(MUTATIONS, min_size=1, max_size=3))
def test_two_judges_agree_on_mutated_documents(name: str, mutations: list[Mutation]) -> None:
    text, schema = JUDGED[name]
    values = read(text, "c").values
    for mutation in mutations:
        mutate(values, mutation)
    expected = judged(values, schema)
    assert checked(values, schema) == expected
    fits = jsonschema_rs.Draft202012Validator(schema).is_valid(as_json(values))
    # What JSON lacks or knows otherwise is refused in more places, and nowhere else is anything allowed for it.
    assert fits == (not expected) if in_json_too(values) else fits or expected
    diagnostics = check(Document("c", "", values), schema)
    assert bool(diagnostics) == bool(expected)
    assert all(diagnostic.message and diagnostic.place for diagnostic in diagnostics)


@pytest.mark.parametrize(("text", "schema"), JUDGED.values(), ids=JUDGED.keys())
def test_what_is_mutated_is_good(text: str, schema: dict[str, Any]) -> None:
    assert [diagnostic.message for diagnostic in found(text, schema)] == []


@pytest.mark.parametrize(
    ("added", "path"),
    [
        pytest.param('[services.""]\nport = "x"', ("services", "", "port"), id="empty key"),
        pytest.param('[services.007]\nport = "x"', ("services", "007", "port"), id="key of digits"),
        pytest.param(
            '[services."a/b~1"]\nport = "x"', ("services", "a/b~1", "port"), id="pointer's own characters"
        ),
        pytest.param('[services]\n"" = 5', ("services", ""), id="value of an empty key"),
        pytest.param("[pools]\nab = [5]", ("pools", "ab", 0), id="item"),
        pytest.param("[services.ab]\nport = 1\n1 = 5", ("services", "ab", "1"), id="unknown key of digits"),
    ],
)
def test_strange_keys_are_found(added: str, path: KeyPath) -> None:
    assert path in [path_and_anchor(diagnostic)[0] for diagnostic in found(GOOD + added)]


def test_dates_in_a_list_are_not_the_same() -> None:
    schema = closed({"list": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}})
    assert [diagnostic.code.id for diagnostic in found("list = [2026-01-01, 07:32:00]", schema)] == [
        "LVS104"
    ] * 2


@pytest.mark.parametrize(
    ("choices", "value", "fits"),
    [
        pytest.param([0.5, 1.0], "1.0", True, id="float for a float"),
        pytest.param([0.5, 1.0], "1", True, id="integer for a float"),
        pytest.param([1, 0.5], "1.0", False, id="float for an integer among floats"),
        pytest.param([1], "true", False, id="boolean for an integer"),
        pytest.param([True], "1", False, id="integer for a boolean"),
        pytest.param([[1]], "[1.0]", False, id="float in a list"),
        pytest.param([[1, 2]], "[1]", False, id="shorter list"),
        pytest.param([{"a": 1}], "{ a = 1.0 }", False, id="float in a table"),
        pytest.param([{"a": 1.0}], "{ a = 1 }", True, id="integer for a float in a table"),
        pytest.param(["1979-05-27"], "1979-05-27", False, id="date for a string"),
    ],
)
def test_choice_is_of_its_own_type(choices: list[Any], value: str, *, fits: bool) -> None:
    for rule in [{"enum": choices}, *({"const": choice} for choice in choices[:1] if not fits)]:
        assert (found(f"it = {value}", closed({"it": rule})) == []) == fits


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        pytest.param("^a$", "a", True, id="end"),
        pytest.param("^a$", "a\n", False, id="newline at the end"),
        pytest.param("^(a$|b)", "a\n", False, id="end in a group"),
        pytest.param("^a\\$$", "a$", True, id="escaped"),
        pytest.param("^[$]$", "$", True, id="in brackets"),
        pytest.param("^[\\]$]$", "$", True, id="after an escape in brackets"),
        pytest.param("^[a]$", "a\n", False, id="after brackets"),
        pytest.param("^[a-z]+", "a\n", True, id="none"),
        pytest.param("^\\d$", "\u0663", False, id="digit of another script"),
    ],
)
def test_patterns_mean_what_the_gate_takes_them_for(pattern: str, text: str, *, fits: bool) -> None:
    assert jsonschema_rs.Draft202012Validator({"pattern": pattern}).is_valid(text) == fits
    assert TomlValidator({"pattern": pattern}).is_valid(text) == fits


def test_table_with_a_rule_for_its_size_is_judged_as_a_whole() -> None:
    schema = closed(
        {"pools": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2}}
    )
    diagnostics = found("[pools]\na = 1\nb = 2\nc = 3", schema)
    assert [diagnostic.message for diagnostic in diagnostics] == [
        "`pools` has 3 keys: it takes at most 2 keys"
    ]


def test_rule_for_the_whole_file_is_said_of_the_file() -> None:
    (diagnostic,) = found("", {"type": "object", "minProperties": 1})
    assert diagnostic.message == "the file is empty: it needs at least 1 key"


def test_no_failure_goes_without_a_diagnostic() -> None:
    failure = Failure(
        path=("list",),
        keyword="uniqueItems",
        rule=True,
        schema={},
        value=[1, 2],
        name=None,
        said="not what it seems",
        root={},
    )
    (diagnostic,) = complaints([failure], {"list": [1, 2]}, "c")
    assert diagnostic.message == "`list` breaks the rule `uniqueItems` of the schema: not what it seems"


def keys(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from keys(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from keys(item, (*path, index))


@pytest.mark.parametrize(
    "path", list(keys(read(SMALL, "c").values)), ids=lambda path: ".".join(map(str, path))
)
def test_no_misspelt_key_passes(path: KeyPath) -> None:
    values = read(SMALL, "c").values
    table: Any = values
    for step in path[:-1]:
        table = table[step]
    key = str(path[-1])
    chosen_by_the_user = path[:-1] in (("services",), ("pools",))
    table[key + ("_" if chosen_by_the_user else "x")] = table.pop(key)
    assert check(Document("c", "", values), SCHEMA)
