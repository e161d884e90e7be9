"""A small interpreter of `nft -j list ruleset`, as far as the backend's rules go; anything else is an error.

It knows nothing of the code under test: it answers what a packet gets from what the kernel says is loaded.
"""

import json
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Any

from lvsc.plugin import Address, Hook, PortRange, Protocol, TrafficClass

Json = Any  # what `json.loads` returns; each reader below says what it expects of it


@dataclass(frozen=True, kw_only=True)
class Packet:
    """What rules look at. `original` is the connection's first destination."""

    source: Address
    destination: Address
    protocol: Protocol
    sport: int
    dport: int
    mac: str | None = None
    interface: str = "eth0"
    original: tuple[Address, int]
    direction: str = "original"

    def field(self, left: Json) -> Json:
        """The packet's value for a left-hand side; None where the packet has no such field."""
        match left:
            case {"concat": parts}:
                return tuple(self.field(part) for part in parts)
            case {"meta": {"key": "l4proto"}}:
                return self.protocol.value
            case {"meta": {"key": "nfproto"}}:
                return f"ipv{self.destination.version}"
            case {"meta": {"key": "iifname"}}:
                return self.interface
            case {"payload": {"protocol": "ether", "field": "saddr"}}:
                return self.mac
            case {"payload": {"protocol": "ip" | "ip6" as family, "field": "saddr" | "daddr" as name}}:
                if self.destination.version != (4 if family == "ip" else 6):
                    return None
                return self.source if name == "saddr" else self.destination
            case {"payload": {"protocol": "th" | "tcp" | "udp" | "sctp" as protocol, "field": name}}:
                if protocol not in ("th", self.protocol.value):
                    return None
                return {"sport": self.sport, "dport": self.dport}[name]
            case {"ct": {"key": "direction"}}:
                return self.direction
            case {"ct": {"key": "ip daddr" | "ip6 daddr", "dir": "original"}}:
                return self.original[0]
            case {"ct": {"key": "proto-dst", "dir": "original"}}:
                return self.original[1]
        raise AssertionError(f"unknown expression {left}")


def _matches(value: Json, right: Json) -> bool:
    if value is None:
        return False
    match right:
        case {"elem": {"val": inner}}:
            return _matches(value, inner)
        case {"concat": parts}:
            return all(_matches(one, part) for one, part in zip(value, parts, strict=True))
        case {"set": members}:
            return any(_matches(value, member) for member in members)
        case {"range": [first, last]}:
            return isinstance(value, int) and first <= value <= last
        case {"prefix": {"addr": address, "len": length}}:
            return value in ip_network(f"{address}/{length}")
        case str() | int():
            return str(value) == str(right)
    raise AssertionError(f"unknown value {right}")


@dataclass
class Outcome:
    """What happens to a packet."""

    mark: int = 0
    helper: str | None = None
    source: str | None = None
    tracked: bool = True


@dataclass
class Listing:
    """The ruleset that is loaded."""

    containers: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    helpers: dict[str, Json] = field(default_factory=dict)
    chains: dict[tuple[str, str], Json] = field(default_factory=dict)
    rules: dict[tuple[str, str], list[Json]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Listing":
        """The ruleset that `nft -j list ruleset` printed."""
        listing = cls()
        for entry in json.loads(text)["nftables"]:
            match entry:
                case {"metainfo": _} | {"table": _}:
                    pass
                case {"ct helper": helper}:
                    listing.helpers[helper["name"]] = helper
                case {"map": container} | {"set": container}:
                    listing.containers[container["family"], container["name"]] = container.get("elem", [])
                case {"chain": chain}:
                    listing.chains[chain["family"], chain["name"]] = chain
                case {"rule": rule}:
                    listing.rules.setdefault((rule["family"], rule["chain"]), []).append(rule["expr"])
                case _:
                    raise AssertionError(f"unknown object {entry}")
        return listing

    def comments(self) -> set[str]:
        """The comments of all elements."""
        found = set()
        for elements in self.containers.values():
            for element in elements:
                key = element[0] if isinstance(element, list) else element
                found.add(key["elem"]["comment"])
        return found

    def judge(self, packet: Packet, hook: Hook) -> Outcome:
        """What the chains at a hook do with a packet."""
        outcome = Outcome()
        own = "ip" if packet.destination.version == 4 else "ip6"
        for (family, name), chain in self.chains.items():
            if chain.get("hook") == hook.value and family in ("inet", own):
                self._run(family, name, packet, outcome)
        return outcome

    def _run(self, family: str, chain: str, packet: Packet, outcome: Outcome) -> None:
        for rule in self.rules.get((family, chain), []):
            if not self._rule(family, rule, packet, outcome):
                return

    def _rule(self, family: str, rule: list[Json], packet: Packet, outcome: Outcome) -> bool:
        """Whether the chain goes on after the rule."""
        for statement in rule:
            match statement:
                case {"match": {"op": "==", "left": left, "right": right}}:
                    if not self._match(family, packet.field(left), right):
                        return True
                case {"mangle": {"key": {"meta": {"key": "mark"}}, "value": value}}:
                    mark = self._value(family, value, packet)
                    if mark is None:
                        return True
                    outcome.mark = mark
                case {"notrack": None}:
                    outcome.tracked = False
                case {"ct helper": name}:
                    outcome.helper = outcome.helper or self.helpers[name]["type"]
                case {"snat": {"addr": value, **rest}}:
                    assert rest in ({}, {"family": "ip"}, {"family": "ip6"})
                    address = self._value(family, value, packet)
                    if address is not None:
                        outcome.source = outcome.source or address
                        return False
                case {"jump": {"target": target}}:
                    self._run(family, target, packet, outcome)
                case {"return": None}:
                    return False
                case _:
                    raise AssertionError(f"unknown statement {statement}")
        return True

    def _match(self, family: str, value: Json, right: Json) -> bool:
        if isinstance(right, str) and right.startswith("@"):
            return any(_matches(value, element) for element in self.containers[family, right[1:]])
        return _matches(value, right)

    def _value(self, family: str, value: Json, packet: Packet) -> Json:
        match value:
            case {"map": {"key": key, "data": str(name)}}:
                looked_up = packet.field(key)
                found = [
                    answer
                    for element, answer in self.containers[family, name[1:]]
                    if _matches(looked_up, element)
                ]
                assert len(found) <= 1, f"{looked_up} has several answers in {name}"
                return found[0] if found else None
            case int() | str():
                return value
        raise AssertionError(f"unknown value {value}")


def matches(traffic: TrafficClass, packet: Packet) -> bool:
    """Whether a packet is in a traffic class, as the graph's documentation has it."""
    if (traffic.family.value, traffic.protocol) != (packet.destination.version, packet.protocol):
        return False
    original_wanted = (
        traffic.original_destination is not None or traffic.original_destination_ports is not None
    )
    if original_wanted and packet.direction != "original":
        return False
    conditions = (
        (traffic.source, packet.source),
        (traffic.destination, packet.destination),
        (traffic.source_ports, packet.sport),
        (traffic.destination_ports, packet.dport),
        (traffic.original_destination, packet.original[0]),
        (traffic.original_destination_ports, packet.original[1]),
    )
    return (
        all(wanted is None or value in wanted for wanted, value in conditions)  # type: ignore[operator]  # of one kind
        and traffic.interface in (None, packet.interface)
        and packet.mac not in traffic.not_source_macs
    )


def witnesses(traffic: TrafficClass, macs: tuple[str, ...]) -> list[Packet]:
    """Packets at the corners of a traffic class, and just outside."""
    any_address = ip_address("203.0.113.77" if traffic.family.value == 4 else "2001:db8:77::1")
    other_family = ip_address("2001:db8:78::1" if traffic.family.value == 4 else "203.0.113.78")
    source = traffic.source.network_address if traffic.source else any_address
    destination = traffic.destination.network_address if traffic.destination else any_address
    original = traffic.original_destination.network_address if traffic.original_destination else destination

    def ends(ports: PortRange | None, other: int) -> set[int]:
        if ports is None:
            return {other}
        around = {ports.first - 1, ports.first, ports.last, ports.last + 1}
        return {port for port in around if 0 <= port <= 65535}

    assert isinstance(traffic.protocol, Protocol)
    found = [
        Packet(
            source=source,
            destination=destination,
            protocol=traffic.protocol,
            sport=sport,
            dport=dport,
            original=(original, original_port),
        )
        for sport in ends(traffic.source_ports, 40000)
        for dport in ends(traffic.destination_ports, 40001)
        for original_port in ends(traffic.original_destination_ports, 40002)
    ]
    inside = found[-1] if len(found) == 1 else found[1]
    found += [replace(packet, mac=mac) for packet in tuple(found) for mac in macs]
    found += [replace(inside, protocol=protocol) for protocol in Protocol]
    found += [
        replace(
            inside, source=other_family, destination=other_family, original=(other_family, inside.original[1])
        ),
        replace(inside, interface="eth1"),
        replace(inside, direction="reply"),
        replace(inside, destination=inside.destination + 1),
        replace(inside, destination=inside.destination + 200),
        replace(inside, source=inside.source + 1),
        replace(inside, source=inside.source + 256),
        replace(inside, original=(inside.original[0] + 1, inside.original[1])),
    ]
    return found
