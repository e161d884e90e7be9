"""Typed access to a document that fits the schema, gathering what the schema cannot say."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from lvsc.diagnostics import Diagnostic, KeyPath, Origin
from lvsc.graph.traffic import MAX_PORT, Address, Network, PortRange
from lvsc.spec import model_codes as codes

_BROADCAST = IPv4Address("255.255.255.255")
_PER_SECOND = 1000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Table:
    """A table of the document. A getter returns None where the key is absent, or where it reported a problem."""

    __slots__ = ("_values", "file", "path", "problems")

    def __init__(
        self, values: Mapping[str, Any], file: str, path: KeyPath, problems: list[Diagnostic]
    ) -> None:
        self._values = values
        self.file = file
        self.path = path
        self.problems = problems

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        # The order of keys means nothing in TOML, so nothing may depend on it.
        return iter(sorted(self._values))

    def origin(self, *steps: str | int) -> Origin:
        """Where the table, or something in it, stands."""
        return Origin(self.file, self.path + steps)

    def text(self, key: str) -> str | None:
        """A string."""
        value = self._values.get(key)
        return value if isinstance(value, str) else None

    def integer(self, key: str) -> int | None:
        """A whole number."""
        value = self._values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def boolean(self, key: str) -> bool | None:
        """True or false."""
        value = self._values.get(key)
        return value if isinstance(value, bool) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, or one string as a list."""
        value = self._values.get(key, ())
        return (value,) if isinstance(value, str) else tuple(value)

    def items(self, key: str) -> tuple[object, ...]:
        """A list of values of several types."""
        return tuple(self._values.get(key, ()))

    def table(self, key: str) -> "Table | None":
        """A table within this one."""
        value = self._values.get(key)
        return self._child(value, key) if isinstance(value, dict) else None

    def tables(self, key: str) -> tuple["Table", ...]:
        """A list of tables."""
        return tuple(self._child(value, key, index) for index, value in enumerate(self._values.get(key, ())))

    def named(self, key: str) -> dict[str, "Table"]:
        """Tables by name, in the order of the names, so that the order in the file means nothing."""
        return {
            name: self._child(value, key, name) for name, value in sorted(self._values.get(key, {}).items())
        }

    def _child(self, values: Mapping[str, Any], *steps: str | int) -> "Table":
        return Table(values, self.file, self.path + steps, self.problems)

    def seconds(self, key: str, low: float = 0, high: float = 1e9) -> float | None:
        """A duration in seconds, between two limits."""
        text = self.text(key)
        if text is None:
            return None
        value = parse_duration(text)
        if value is None or not low <= value <= high:
            self.problems.append(
                codes.DURATION.at(
                    self.origin(key),
                    f"`{key}` is out of range: `{text}`",
                    help=f"use a duration from {describe_seconds(low)} to {describe_seconds(high)}",
                )
            )
            return None
        return value

    def whole_seconds(self, key: str, low: int = 0, high: int = 1_000_000_000) -> int | None:
        """A duration of whole seconds, between two limits."""
        value = self.seconds(key, low, high)
        if value is None or value == int(value):
            return None if value is None else int(value)
        self.problems.append(
            codes.DURATION.at(
                self.origin(key),
                f"`{key}` is not a whole number of seconds: `{self.text(key)}`",
                help="round it to seconds",
            )
        )
        return None

    def address(self, key: str) -> Address | None:
        """An IP address."""
        text = self.text(key)
        return None if text is None else self._address(text, key)

    def addresses(self, key: str) -> tuple[Address, ...]:
        """A list of hosts' IP addresses, no two the same."""
        return tuple(self.placed_addresses(key))

    def placed_addresses(self, key: str) -> dict[Address, Origin]:
        """A list of hosts' IP addresses, and where each stands."""
        found: dict[Address, Origin] = {}
        for index, text in enumerate(self.texts(key)):
            address = self._address(text, key, index)
            if address is None or not self._is_hosts(address, key, index):
                continue
            if address in found:
                self.problems.append(
                    codes.TWICE.at(
                        self.origin(key, index), f"`{address}` is here twice", help="remove one of the two"
                    )
                )
            found.setdefault(address, self.origin(key, index))
        return found

    def _address(self, text: str, *steps: str | int) -> Address | None:
        address = parse_address(text)
        if address is None:
            self.problems.append(
                codes.ADDRESS.at(
                    self.origin(*steps),
                    f"`{text}` is not an IP address",
                    help='write an IPv4 address such as "192.0.2.10" or an IPv6 address such as "2001:db8::10"',
                )
            )
        return address

    def _is_hosts(self, address: Address, key: str, index: int) -> bool:
        if not (address.is_unspecified or address.is_multicast or address == _BROADCAST):
            return True
        self.problems.append(
            codes.ADDRESS.at(
                self.origin(key, index),
                f"`{address}` is no host's address",
                help="write an address that one host can have",
            )
        )
        return False

    def prefixes(self, key: str) -> tuple[Network, ...]:
        """A list of network prefixes."""
        found: list[Network] = []
        for index, text in enumerate(self.texts(key)):
            try:
                found.append(ip_network(text))
            except ValueError:
                self.problems.append(self._bad_prefix(text, key, index))
        return tuple(found)

    def _bad_prefix(self, text: str, key: str, index: int) -> Diagnostic:
        try:
            meant = str(ip_network(text, strict=False))
        except ValueError:
            return codes.PREFIX.at(
                self.origin(key, index),
                f"`{text}` is not a network prefix",
                help='write a network address and a length, such as "192.0.2.0/24"',
            )
        return codes.PREFIX.at(
            self.origin(key, index),
            f"`{text}` has bits set behind its prefix",
            help=f'the network is "{meant}"',
            replacement=f'"{meant}"',
        )

    def port_range(self, key: str) -> PortRange | None:
        """A range of ports such as `10000-20000`."""
        text = self.text(key)
        return None if text is None else self.parse_ports(text, self.origin(key))

    def parse_ports(self, text: str, origin: Origin) -> PortRange | None:
        """The range that a text such as `80` or `10000-20000` says; a problem is reported at the origin."""
        first, _, last = text.partition("-")
        low, high = int(first), int(last or first)
        if 1 <= low <= high <= MAX_PORT:
            return PortRange(low, high)
        backwards = 1 <= high < low <= MAX_PORT
        self.problems.append(
            codes.PORTS.at(
                origin,
                f"`{text}` is not a range of ports",
                help=f"put the lower port first: `{high}-{low}`"
                if backwards
                else f"ports are 1 to {MAX_PORT}",
            )
        )
        return None


@lru_cache(maxsize=65536)
def parse_address(text: str) -> Address | None:
    """The address, or None where the text is none, or one with a zone."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def parse_duration(text: str) -> float | None:
    """Seconds, or None where the text is no duration."""
    match = re.fullmatch(r"([0-9]{1,9})(ms|s|m|h|d)", text)
    if match is None:
        return None
    # Divided, 700ms are exactly what 0.7 is; multiplied by 0.001 they would be 0.7000000000000001.
    return int(match[1]) / _PER_SECOND if match[2] == "ms" else int(match[1]) * _UNITS[match[2]]


def describe_seconds(seconds: float) -> str:
    """A duration in the largest unit that makes it a whole number, as a spec writes it."""
    for unit in ("d", "h", "m", "s"):
        size = _UNITS[unit]
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{round(seconds * _PER_SECOND)}ms" if seconds else "0s"
