"""The dimensions of a packet as whole numbers, so that every condition of a rule is a union of intervals.

An interface's name and a MAC address are numbers too (their bytes), so that "any interface but eth0" is two intervals.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address

from lvsc.graph.traffic import (
    Address,
    Family,
    Hook,
    Network,
    Portless,
    PortRange,
    Protocol,
    State,
    TrafficClass,
)

#: Sorted, disjoint intervals of whole numbers, both ends included.
Intervals = tuple[tuple[int, int], ...]

_INTERFACE_BYTES = 15


class Dimension(IntEnum):
    """What a rule can look at, in the order in which diagrams ask for it: what tells most rules apart comes first."""

    HOOK = 0
    FAMILY = 1
    DESTINATION = 2
    ORIGINAL_DESTINATION = 3
    PROTOCOL = 4
    DESTINATION_PORT = 5
    ORIGINAL_DESTINATION_PORT = 6
    SOURCE = 7
    SOURCE_PORT = 8
    INTERFACE = 9
    SOURCE_MAC = 10
    MARK = 11
    STATE = 12

    @property
    def top(self) -> int:
        """The largest number in the dimension; the smallest is 0."""
        top: int = _TOPS[self]
        return top


_HOOKS = tuple(Hook)
_STATES = tuple(State)
_ADDRESS_TOP = 2**128 - 1
_IPV4_TOP = 2**32 - 1
_TOPS = {
    Dimension.HOOK: len(_HOOKS) - 1,
    Dimension.FAMILY: 1,
    Dimension.DESTINATION: _ADDRESS_TOP,
    Dimension.ORIGINAL_DESTINATION: _ADDRESS_TOP + 1,
    Dimension.PROTOCOL: 255,
    Dimension.DESTINATION_PORT: 65535,
    Dimension.ORIGINAL_DESTINATION_PORT: 65535,
    Dimension.SOURCE: _ADDRESS_TOP,
    Dimension.SOURCE_PORT: 65535,
    Dimension.INTERFACE: 2 ** (8 * _INTERFACE_BYTES) - 1,
    Dimension.SOURCE_MAC: 2**48 - 1,
    Dimension.MARK: 2**32 - 1,
    Dimension.STATE: len(_STATES) - 1,
}

#: The original destination of a packet that goes against its connection's original direction: no rule can ask for it.
REPLY = _ADDRESS_TOP + 1
_ORIGINAL_DIRECTION: Intervals = ((0, _ADDRESS_TOP),)

#: A packet, or a witness of a set: a number in each dimension.
Point = tuple[int, ...]
#: Conditions of one rule: what is absent may be anything.
Box = dict[Dimension, Intervals]


def complement(dimension: Dimension, intervals: Intervals) -> Intervals:
    """The numbers of a dimension that are in none of the intervals."""
    result: list[tuple[int, int]] = []
    start = 0
    for first, last in intervals:
        if start < first:
            result.append((start, first - 1))
        start = last + 1
    if start <= dimension.top:
        result.append((start, dimension.top))
    return tuple(result)


def interface_number(name: str) -> int:
    """An interface's name as a number; names that share a prefix are one interval."""
    return int.from_bytes(name.encode().ljust(_INTERFACE_BYTES, b"\0"), "big")


def mac_number(mac: str) -> int:
    """A MAC address as a number."""
    return int(mac.replace(":", ""), 16)


def joined(parts: Iterable[Intervals]) -> Intervals:
    """The numbers that are in any of the parts."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(interval for part in parts for interval in part):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def one(number: int) -> Intervals:
    """The interval of a single number."""
    return ((number, number),)


def network_intervals(network: Network) -> Intervals:
    """The addresses of a network.

    The numbers above IPv4's last address stand for that address too, so that two networks which are all of IPv4 together are the
    same packets as no condition.
    """
    first = int(network.network_address)
    last = first + (1 << (network.max_prefixlen - network.prefixlen)) - 1
    if network.version == 4 and last == _IPV4_TOP:  # noqa: PLR2004 - IPv4
        last = _ADDRESS_TOP
    return ((first, last),)


def port_intervals(ports: PortRange) -> Intervals:
    """The ports of a range; one that leaves out no port that can be used is every port."""
    return ((0, 65535),) if ports.all else ((ports.first, ports.last),)


def hook_number(hook: Hook) -> int:
    """A hook as a number."""
    return _HOOKS.index(hook)


def state_number(state: State) -> int:
    """What connection tracking says of a packet, as a number."""
    return _STATES.index(state)


def traffic_box(traffic: TrafficClass) -> Box:
    """The conditions of a traffic class."""
    box: Box = {
        Dimension.HOOK: one(hook_number(traffic.hook)),
        Dimension.FAMILY: one(int(traffic.family is Family.IPV6)),
        Dimension.PROTOCOL: one(traffic.protocol.number),
    }
    for dimension, network in (
        (Dimension.SOURCE, traffic.source),
        (Dimension.DESTINATION, traffic.destination),
        (Dimension.ORIGINAL_DESTINATION, traffic.original_destination),
    ):
        if network is not None:
            box[dimension] = network_intervals(network)
    for dimension, ports in (
        (Dimension.SOURCE_PORT, traffic.source_ports),
        (Dimension.DESTINATION_PORT, traffic.destination_ports),
        (Dimension.ORIGINAL_DESTINATION_PORT, traffic.original_destination_ports),
    ):
        if ports is not None:
            box[dimension] = port_intervals(ports)
    if traffic.original_destination is None and traffic.original_destination_ports is not None:
        box[Dimension.ORIGINAL_DESTINATION] = _ORIGINAL_DIRECTION
    if traffic.interface is not None:
        box[Dimension.INTERFACE] = one(interface_number(traffic.interface))
    if traffic.not_source_macs:
        excluded = tuple((n, n) for n in sorted(map(mac_number, traffic.not_source_macs)))
        box[Dimension.SOURCE_MAC] = complement(Dimension.SOURCE_MAC, excluded)
    if traffic.state is not None:
        box[Dimension.STATE] = one(state_number(traffic.state))
    return box


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A packet at a hook, readable."""

    hook: Hook
    family: Family
    protocol: int
    source: Address
    source_port: int
    destination: Address
    destination_port: int
    original_destination: Address | None
    """None for a packet in its connection's reply direction."""
    original_destination_port: int
    interface: str
    source_mac: str
    mark: int

    @classmethod
    def from_point(cls, point: Point) -> "Packet":
        """The packet at a point of the space."""
        family = Family.IPV6 if point[Dimension.FAMILY] else Family.IPV4
        width = (1 << family.bits) - 1

        def address(dimension: Dimension) -> Address:
            number = min(point[dimension], width)
            return IPv6Address(number) if family is Family.IPV6 else IPv4Address(number)

        raw = point[Dimension.INTERFACE].to_bytes(_INTERFACE_BYTES, "big").rstrip(b"\0")
        mac = f"{point[Dimension.SOURCE_MAC]:012x}"
        return cls(
            hook=_HOOKS[point[Dimension.HOOK]],
            family=family,
            protocol=point[Dimension.PROTOCOL],
            source=address(Dimension.SOURCE),
            source_port=point[Dimension.SOURCE_PORT],
            destination=address(Dimension.DESTINATION),
            destination_port=point[Dimension.DESTINATION_PORT],
            original_destination=None
            if point[Dimension.ORIGINAL_DESTINATION] == REPLY
            else address(Dimension.ORIGINAL_DESTINATION),
            original_destination_port=point[Dimension.ORIGINAL_DESTINATION_PORT],
            interface=raw.decode("ascii", "backslashreplace"),
            source_mac=":".join(mac[i : i + 2] for i in range(0, 12, 2)),
            mark=point[Dimension.MARK],
        )

    def __str__(self) -> str:
        # As `lvsc trace` reads it.
        portless = {p.number: p.value for p in Portless}.get(self.protocol)
        protocol = portless or {p.number: p.value for p in Protocol}.get(self.protocol, str(self.protocol))
        ends = f"{_end(self.source, self.source_port)} -> {_end(self.destination, self.destination_port)}"
        if portless:
            ends = f"{self.source} -> {self.destination}"
        return f"{protocol} {ends} mark {self.mark}" if self.mark else f"{protocol} {ends}"


def _end(address: Address, port: int) -> str:
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"  # noqa: PLR2004 - IPv6
