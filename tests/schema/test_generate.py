"""The generated schema: what every key says of itself, and that the loader agrees."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import jsonschema
import pytest

from lvsc.spec.load import load
from lvsc.spec.model import Cluster
from lvsc.spec.schema import generate
from lvsc.spec.schema.fragment import Fragment
from lvsc.spec.schema.services import check_fragment
from support.specs import DUAL, FILE, PAIR, Layer, document, found, plugins, reported, servers, service, spec

SCHEMA = generate(plugins().fragments)
PLAIN = generate({"plain": plugins().fragments["plain"]})

#: What editors understand of draft 2020-12, and lvsc's own words for a pattern and for a secret.
KEYWORDS = {
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "const",
    "default",
    "description",
    "else",
    "enum",
    "examples",
    "if",
    "items",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minProperties",
    "minimum",
    "pattern",
    "properties",
    "propertyNames",
    "required",
    "then",
    "title",
    "type",
    "uniqueItems",
    "x-pattern-says",
    "x-secret",
}

Schema = dict[str, Any]


def resolved(schema: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Schema = SCHEMA["$defs"][reference.rsplit("/", 1)[1]]
    return found


def keys(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every key that a spec can have, by its path through the schema."""
    schema = resolved(schema)
    for name, item in schema.get("properties", {}).items():
        if set(item) != {"enum"} or "allOf" not in schema:
            yield f"{path}.{name}", resolved(item)
        yield from keys(item, f"{path}.{name}")
    for variant in schema.get("allOf", ()):
        word = next(iter(variant["if"]["properties"].values()))["const"]
        yield from keys(variant["then"], f"{path}({word})")
    for keyword in ("items", "additionalProperties", "else"):
        if isinstance(schema.get(keyword), dict):
            yield from keys(schema[keyword], f"{path}[]")


KEYS = dict(keys(SCHEMA))


def subschemas(schema: object) -> Iterator[Schema]:
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in ("if", "then", "else", "items", "additionalProperties", "propertyNames"):
        yield from subschemas(schema.get(keyword))
    for keyword in ("properties", "$defs"):
        for item in schema.get(keyword, {}).values():
            yield from subschemas(item)
    for item in schema.get("allOf", ()):
        yield from subschemas(item)


def valid(value: object, schema: Schema) -> bool:
    whole = {"$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"], **schema}
    return jsonschema.Draft202012Validator(whole).is_valid(value)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_only_what_editors_understand_is_used() -> None:
    used = {keyword for one in subschemas(SCHEMA) for keyword in one}
    assert used <= KEYWORDS
    # What is no longer used is not allowed either.
    assert used == KEYWORDS


def test_many_keys_were_found() -> None:
    assert len(KEYS) > 150
    assert ".services[](ftp).passive_ports" in KEYS
    assert ".pools[].real_servers[].tunnel.type" in KEYS


@pytest.mark.parametrize("path", KEYS)
def test_every_key_says_what_it_is(path: str) -> None:
    key = KEYS[path]
    assert key["title"]
    assert key["title"][0].isupper()
    assert key["description"].endswith(".")
    assert not key["title"].endswith(".")


@pytest.mark.parametrize(
    "path", [path for path, key in KEYS.items() if not {"properties", "additionalProperties"} & set(key)]
)
def test_every_value_has_examples_that_fit(path: str) -> None:
    key = KEYS[path]
    assert key["examples"]
    for example in key["examples"]:
        assert valid(example, key), example


@pytest.mark.parametrize("path", [path for path, key in KEYS.items() if "default" in key])
def test_every_default_fits(path: str) -> None:
    assert valid(KEYS[path]["default"], KEYS[path])


def test_every_table_is_closed() -> None:
    for one in subschemas(SCHEMA):
        if "properties" in one and "title" in one and "allOf" not in one:
            assert one["additionalProperties"] is False, one["title"]
            assert set(one.get("required", ())) <= set(one["properties"]), one["title"]


def test_every_pattern_is_anchored_and_put_into_words() -> None:
    for one in subschemas(SCHEMA):
        if "pattern" in one:
            assert one["pattern"].startswith("^")
            assert one["pattern"].endswith("$")
            assert one["x-pattern-says"]


@pytest.mark.parametrize(
    "value", ["web\n", "a\nb", "web\x00", "w\u00e9b", "-web", "", "web;", "web$(id)", "a" * 41]
)
def test_no_pattern_of_a_name_lets_a_hostile_text_through(value: str) -> None:
    for one in subschemas(SCHEMA):
        if one.get("pattern", "").startswith("^[a-z][a-z0-9-]"):
            assert not valid(value, one) or value == "web\n", one
    # Python's `$` matches before a last newline, jsonschema-rs's does not: the compiler's own judge decides.
    import jsonschema_rs  # noqa: PLC0415 - only this test looks at it

    assert not jsonschema_rs.is_valid(SCHEMA, document(cluster={"name": value}))


INTERFACES: dict[str, Callable[[str], Layer]] = {
    "networks.lan.interface": lambda name: {"networks": {"lan": {"interface": name}}},
    "directors.lvs1.interfaces.lan": lambda name: {"directors": {"lvs1": {"interfaces": {"lan": name}}}},
    "pools.web.interface": lambda name: {"pools": {"web": {"interface": name}}},
    "pools.web.real_servers.0.interface": lambda name: servers({"interface": name}),
}


@pytest.mark.parametrize("path", INTERFACES)
@pytest.mark.parametrize("name", ["lo", "all", "default", "lo\n", "eth0.", "eth0..5", "eth0.."])
def test_an_interface_leads_to_other_hosts(path: str, name: str) -> None:
    assert found(spec(INTERFACES[path](name))) == [("LVS105", path)]


@pytest.mark.parametrize("path", INTERFACES)
@pytest.mark.parametrize("name", ["lo1", "allow0", "default1", "eth0.100", "wlo"])
def test_an_interface_may_be_called_much_like_it(path: str, name: str) -> None:
    assert found(spec(INTERFACES[path](name))) == []


def with_mac(mac: str) -> Layer:
    return {"directors": {"lvs1": {"macs": {"lan": mac}}}}


@pytest.mark.parametrize(
    "mac",
    ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:12", "33:33:00:00:00:12", "AB:00:00:00:00:01", "00:00:00:00:00:00"],
)
def test_a_mac_address_is_of_one_interface(mac: str) -> None:
    assert found(spec(with_mac(mac))) == [("LVS105", "directors.lvs1.macs.lan")]


@pytest.mark.parametrize("mac", ["52:54:00:12:34:56", "00:00:00:00:00:01", "AE:ff:ff:ff:ff:ff"])
def test_any_mac_address_of_one_interface_is_one(mac: str) -> None:
    assert found(spec(with_mac(mac))) == []


# --- the loader agrees ---------------------------------------------------------------------------------------------------

#: A document with every optional table, so that each default has a place.
WIDE: Layer = {
    "cluster": {"marks": {}},
    "failover": {
        "virtual_router_id": 51,
        "authentication": {"password": {"env": "PASSWORD"}},
        "version": 2,
        "track_scripts": [{"name": "uplink", "command": "/bin/true"}],
    },
    "connection_sync": {"network": "lan", "id": 1},
    "tuning": {"sync_threshold": {}},
    "email": {"from": "a@example.net", "to": ["b@example.net"], "server": "192.0.2.25"},
    "pools": {
        "web": {
            "quorum": 1,
            "sorry_server": {"ip": ["192.0.2.99"]},
            "check": {"type": "https", "virtual_host": "www"},
            "tunnel": {},
            "forwarding": "tunnel",
        },
        **{
            kind: {
                "real_servers": [{"name": f"{kind}1", "ip": [f"192.0.2.{100 + number}"]}],
                "check": {"type": kind, **more},
            }
            for number, (kind, more) in enumerate(
                {
                    "tcp": {},
                    "http": {},
                    "smtp": {},
                    "dns": {"name": "example.net"},
                    "udp": {},
                    "ping": {},
                    "script": {"command": "/bin/true"},
                }.items()
            )
        },
    },
    "services": {
        "web": {"persistence": "5m", "persistence_granularity": {}},
        "files": {"kind": "ftp", "address": "www", "pool": "web"},
    },
}


def places(
    value: object, schema: Schema, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Where in the document a default could be written, and that default."""
    schema = resolved(schema)
    if "if" in schema and "else" in schema and isinstance(value, dict):
        schema = resolved(schema["else"])
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, schema.get("items", {}), (*path, index))
    if not isinstance(value, dict):
        return
    for variant in schema.get("allOf", ()):
        ((key, said),) = variant["if"]["properties"].items()
        default = resolved(variant["then"])["properties"][key].get("default")
        if value.get(key, default) == said["const"]:
            schema = resolved(variant["then"])
            break
    named = schema.get("additionalProperties")
    for key, item in schema.get("properties", {}).items():
        if key in value:
            yield from places(value[key], item, (*path, key))
        elif "default" in item:
            # A `$ref` is a method or a check that something above may say: its default is not this place's.
            yield (*path, key), item["default"]
    if isinstance(named, dict):
        for key, below in value.items():
            yield from places(below, named, (*path, key))


BASE = document(PAIR, WIDE, {"directors": {"lvs2": {"priority": None}}})
DEFAULTS = {".".join(map(str, path)): (path, default) for path, default in places(BASE, SCHEMA)}


def loaded(values: dict[str, Any]) -> Cluster:
    cluster, problems = load(values, FILE, plugins().kinds)
    assert problems == ()
    return cluster


@pytest.mark.parametrize(("path", "default"), DEFAULTS.values(), ids=DEFAULTS)
def test_a_default_that_is_said_changes_nothing(path: tuple[str | int, ...], default: object) -> None:
    said = deepcopy(BASE)
    table: Any = said
    for step in path[:-1]:
        table = table[step]
    table[path[-1]] = default
    assert loaded(said) == loaded(BASE)


def test_each_default_of_the_schema_was_said_somewhere() -> None:
    said = {path[-1] for path, _ in DEFAULTS.values()}
    everywhere = {path.rsplit(".", 1)[1] for path, key in KEYS.items() if "default" in key}
    # Version 2 is said in the document, for the password; the method and the kind choose the table that their default is in.
    assert everywhere - said <= {"forwarding", "kind", "method", "version"}
    assert loaded(document(PAIR, {"failover": {"version": 3}})) == loaded(document(PAIR))
    assert loaded(document({"cluster": {"forwarding": "nat"}})) == loaded(document())


def test_all_defaults_at_once_change_nothing() -> None:
    said = deepcopy(BASE)
    for path, default in DEFAULTS.values():
        table: Any = said
        for step in path[:-1]:
            table = table[step]
        table[path[-1]] = default
    assert loaded(said) == loaded(BASE)
    assert loaded(document(DUAL)) != loaded(document())


# --- what kinds add ------------------------------------------------------------------------------------------------------


def test_a_kind_is_one_closed_table() -> None:
    tables = {
        one["if"]["properties"]["kind"]["const"]: one["then"]
        for one in SCHEMA["properties"]["services"]["additionalProperties"]["allOf"]
    }
    assert set(tables) == {"plain", "ftp"}
    assert "ports" not in tables["ftp"]["properties"]
    assert "one_packet" not in tables["ftp"]["properties"]
    assert "kind" in tables["ftp"]["required"]
    assert "kind" not in tables["plain"]["required"]


def test_a_kind_that_is_not_there_is_not_in_the_schema() -> None:
    assert not jsonschema.Draft202012Validator(PLAIN).is_valid(document(service(kind="ftp", ports=None)))
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(document(service(kind="ftp", ports=None)))


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        (
            Fragment(title="Bad", description="Bad.", properties={"pool": {}}),
            "defines keys that every service has: pool",
        ),
        (
            Fragment(title="Bad", description="Bad.", properties={"kind": {}}),
            "defines keys that every service has: kind",
        ),
        (
            Fragment(title="Bad", description="Bad.", without=("tls",)),
            "leaves out keys that no service has: tls",
        ),
        (
            Fragment(title="Bad", description="Bad.", required=("tls",)),
            "requires keys that it does not define: tls",
        ),
    ],
    ids=["pool", "kind", "without", "required"],
)
def test_a_kinds_keys_fit_the_common_ones(fragment: Fragment, message: str) -> None:
    with pytest.raises(ValueError, match=f"service kind `bad` {message}"):
        check_fragment("bad", fragment)


def test_the_order_of_kinds_means_nothing() -> None:
    fragments = plugins().fragments
    assert list(generate(fragments)) == list(generate(dict(reversed(list(fragments.items())))))
    assert generate(fragments) == generate(dict(reversed(list(fragments.items()))))


@pytest.mark.parametrize(
    ("layers", "path", "longest"),
    [
        (
            {"pools": {"web": {"check": {"type": "http", "path": "/" + "a" * 255}}}},
            "pools.web.check.path",
            255,
        ),
        ({"pools": {"web": {"notify": {"up": "/bin/page " + "a" * 503}}}}, "pools.web.notify.up", 512),
        (
            {"pools": {"web": {"check": {"type": "udp", "payload": "00" * 256}}}},
            "pools.web.check.payload",
            510,
        ),
    ],
    ids=["path", "command", "bytes"],
)
def test_a_text_that_is_too_long_is_told_by_its_length(layers: Layer, path: str, longest: int) -> None:
    (one,) = reported(spec(layers))
    assert one.place is not None
    assert ".".join(map(str, one.place.origin.path)) == path
    assert one.message.endswith(f" characters: it takes at most {longest} characters")
    assert one.help == "shorten it"
