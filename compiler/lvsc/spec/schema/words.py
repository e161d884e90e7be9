"""The vocabulary that the schema is written in: one constructor for each shape of value.

The schema keeps to what editors understand: no oneOf or anyOf, tables closed by `additionalProperties: false`,
variants chosen by `if` on a constant. `x-pattern-says` puts a pattern into words, for messages and for docs/spec.md;
`x-secret` marks what says where a secret is kept, so that no message shows what stands there in its place.
"""

from collections.abc import Iterable, Mapping
from typing import Any

#: A piece of JSON Schema. JSON has no narrower type; nothing past the loader sees one.
Schema = dict[str, Any]

NAME = "^[a-z][a-z0-9-]{0,39}$"
NAME_SAYS = "a name: at most 40 lowercase letters, digits and hyphens, beginning with a letter"
#: Nobody else is behind `lo`, and the kernel's settings of `all` and `default` are no interface's. procps' sysctl does as it
#: is told, but complains, where a name ends in a dot or has two in a row.
INTERFACE = "^(?!(lo|all|default)$|.*[.]([.]|$))[A-Za-z0-9][A-Za-z0-9._-]{0,14}$"
INTERFACE_SAYS = (
    "an interface to other hosts: at most 15 letters, digits, hyphens, underscores and single dots between them,"
    " and not lo, all or default"
)
DURATION = "^[0-9]{1,9}(ms|s|m|h|d)$"
DURATION_SAYS = 'a duration: a whole number and one of ms, s, m, h, d, as in "5m"'
ADDRESS = "^[0-9A-Fa-f:.]{2,45}$"
ADDRESS_SAYS = 'an IPv4 or IPv6 address, as in "192.0.2.10" or "2001:db8::10"'
PREFIX = "^[0-9A-Fa-f:.]{2,45}/[0-9]{1,3}$"
PREFIX_SAYS = 'an address and a prefix length, as in "192.0.2.0/24"'
PORTS = "^(tcp|udp|sctp)/(all|(0|[1-9][0-9]{0,4})(-(0|[1-9][0-9]{0,4}))?)$"
PORTS_SAYS = 'a protocol and a port, a range or all: "tcp/80", "udp/5000-5999", "tcp/all"'
PORT_RANGE = "^(0|[1-9][0-9]{0,4})-(0|[1-9][0-9]{0,4})$"
PORT_RANGE_SAYS = 'a range of ports, as in "10000-20000"'
COMMAND = "^/[ -~]+$"
COMMAND_SAYS = "an absolute path and its arguments, in printable ASCII"
MAX_COMMAND = 512
PRINTABLE = "^[ -~]+$"
PRINTABLE_SAYS = "printable ASCII"
#: The longest of other texts.
MAX_TEXT = 255
HEX = "^([0-9A-Fa-f]{2})+$"
HEX_SAYS = 'bytes in hexadecimal, two digits each, as in "0a1f"'
#: An odd first byte is a group's, the broadcast address included (RFC 7042, 2.1).
MAC = "^(?!00(:00){5}$)[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$"
MAC_SAYS = (
    'the MAC address of one interface, as in "52:54:00:12:34:56": its first byte is even, and one is not 0'
)


def string(
    title: str,
    description: str,
    *,
    pattern: str,
    says: str,
    examples: Iterable[str],
    default: str | None = None,
    max_length: int | None = None,
) -> Schema:
    """A string that matches a pattern; without `max_length` the pattern says how long it can be."""
    schema: Schema = {"type": "string", "pattern": pattern, "x-pattern-says": says}
    if max_length is not None:
        schema["maxLength"] = max_length
    return _described(schema, title, description, list(examples), default)


def choice(
    title: str,
    description: str,
    values: Iterable[str],
    *,
    examples: Iterable[str] = (),
    default: str | None = None,
) -> Schema:
    """One of a closed set of words."""
    words = list(values)
    return _described({"enum": words}, title, description, list(examples) or words[:1], default)


def integer(
    title: str, description: str, low: int, high: int, *, examples: Iterable[int], default: int | None = None
) -> Schema:
    """A whole number between two limits, both included."""
    schema: Schema = {"type": "integer", "minimum": low, "maximum": high}
    return _described(schema, title, description, list(examples), default)


def boolean(title: str, description: str, *, default: bool | None) -> Schema:
    """True or false; the example is the value that is not the default."""
    return _described({"type": "boolean"}, title, description, [not default], default)


def duration(title: str, description: str, *, example: str, default: str | None = None) -> Schema:
    """A number with a unit of time."""
    return string(
        title, description, pattern=DURATION, says=DURATION_SAYS, examples=[example], default=default
    )


def name(title: str, description: str, *, example: str) -> Schema:
    """The name of something that a table of the spec defines."""
    return string(title, description, pattern=NAME, says=NAME_SAYS, examples=[example])


def command(title: str, description: str, *, example: str) -> Schema:
    """A program to run."""
    return string(
        title,
        description,
        pattern=COMMAND,
        says=COMMAND_SAYS,
        examples=[example],
        max_length=MAX_COMMAND,
    )


def array(
    title: str, description: str, items: Schema, *, example: list[object], default: object = None
) -> Schema:
    """A list of at least one item, none twice."""
    schema: Schema = {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}
    return _described(schema, title, description, [example], default)


def addresses(title: str, description: str, *, example: list[object]) -> Schema:
    """A list of addresses, of either family."""
    item: Schema = {"type": "string", "pattern": ADDRESS, "x-pattern-says": ADDRESS_SAYS}
    return array(title, description, item, example=example)


def table(
    title: str, description: str, properties: Mapping[str, Schema], *, required: Iterable[str] = ()
) -> Schema:
    """A table with known keys and no others."""
    schema: Schema = {"type": "object", "title": title, "description": description}
    schema["properties"] = dict(properties)
    schema["required"] = sorted(required)
    schema["additionalProperties"] = False
    return schema


def one_of(title: str, description: str, properties: Mapping[str, Schema]) -> Schema:
    """A table that holds exactly one of some keys."""
    return {**table(title, description, properties), "minProperties": 1, "maxProperties": 1}


def named(
    title: str, description: str, item: Schema, *, pattern: str = NAME, says: str = NAME_SAYS
) -> Schema:
    """A table whose keys are names that the user chooses."""
    return {
        "type": "object",
        "title": title,
        "description": description,
        "propertyNames": {"pattern": pattern, "x-pattern-says": says},
        "additionalProperties": item,
    }


def variants(
    title: str, description: str, key: str, tables: Mapping[str, Schema], *, default: str | None = None
) -> Schema:
    """A table whose keys depend on one of them. Each variant is a whole closed table, chosen by the key's value."""
    words = list(tables)
    schema: Schema = {
        "type": "object",
        "title": title,
        "description": description,
        "properties": {key: {"enum": words}},
        "required": [] if default else [key],
        "allOf": [],
    }
    for word, variant in tables.items():
        condition: Schema = {"properties": {key: {"const": word}}}
        if word != default:
            condition["required"] = [key]
        schema["allOf"].append({"if": condition, "then": variant})
    return schema


def ref(definition: str) -> Schema:
    """A reference to one of the schema's definitions."""
    return {"$ref": f"#/$defs/{definition}"}


def _described(schema: Schema, title: str, description: str, examples: list[Any], default: object) -> Schema:
    schema = {"title": title, "description": description, **schema}
    if default is not None:
        schema["default"] = default
    schema["examples"] = examples
    return schema
