"""Which packets: families, protocols, port ranges and traffic classes."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_PORT = 65535
#: IPVS knows no mask, so a mark is the whole 32-bit word; ipvsadm 1.31 saves one above this as a negative number.
MAX_MARK = 0x7FFFFFFF


class Family(Enum):
    """An address family."""

    IPV4 = 4
    IPV6 = 6

    @classmethod
    def of(cls, address: Address | Network) -> "Family":
        """The family of an address or network."""
        return _FAMILIES[address.version]

    @property
    def bits(self) -> int:
        """The length of an address in bits."""
        return 32 if self is Family.IPV4 else 128

    def __lt__(self, other: "Family") -> bool:
        return self.value < other.value


_FAMILIES = {4: Family.IPV4, 6: Family.IPV6}


class Protocol(Enum):
    """A transport protocol that IPVS balances; the value is the word the specs and the programs use."""

    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"

    @property
    def number(self) -> int:
        """The protocol's number in the IP header (IANA protocol numbers)."""
        return _NUMBERS[self]

    def __lt__(self, other: "Protocol") -> bool:
        return self.number < other.number


_NUMBERS = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}


class Portless(Enum):
    """An IP protocol without ports, which directors speak and IPVS does not balance; the value is IANA's word for it."""

    ICMP = "icmp"
    ICMPV6 = "ipv6-icmp"
    AH = "ah"
    VRRP = "vrrp"

    @property
    def number(self) -> int:
        """The protocol's number in the IP header (IANA protocol numbers)."""
        return _PORTLESS_NUMBERS[self]


_PORTLESS_NUMBERS = {Portless.ICMP: 1, Portless.ICMPV6: 58, Portless.AH: 51, Portless.VRRP: 112}


class State(Enum):
    """What connection tracking says of a packet (Linux: xt_conntrack.h); the value is the word of iptables."""

    NEW = "NEW"
    ESTABLISHED = "ESTABLISHED"
    RELATED = "RELATED"
    UNTRACKED = "UNTRACKED"
    INVALID = "INVALID"


class Hook(Enum):
    """A netfilter hook that a traffic class is seen at."""

    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"

    def __lt__(self, other: "Hook") -> bool:
        return self.value < other.value


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """A contiguous range of ports, both ends included. `PortRange(0, 65535)` is every port."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last <= MAX_PORT:
            raise ValueError(f"not a port range: {self.first}-{self.last}")

    @classmethod
    def one(cls, port: int) -> Self:
        """The range that holds one port."""
        return cls(port, port)

    @property
    def single(self) -> bool:
        """Whether the range holds exactly one port."""
        return self.first == self.last

    @property
    def all(self) -> bool:
        """Whether the range leaves out no port that a client can connect to."""
        return self.first <= 1 and self.last == MAX_PORT

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def overlaps(self, other: "PortRange") -> bool:
        """Whether a port is in both ranges."""
        return self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.single else f"{self.first}-{self.last}"


#: Every port that a client can connect to.
ALL_PORTS = PortRange(1, MAX_PORT)


def merge_ranges(ranges: Iterable[PortRange]) -> tuple[PortRange, ...]:
    """The same ports as sorted, disjoint ranges of which no two touch."""
    merged: list[PortRange] = []
    for current in sorted(ranges):
        if merged and current.first <= merged[-1].last + 1:
            merged[-1] = PortRange(merged[-1].first, max(merged[-1].last, current.last))
        else:
            merged.append(current)
    return tuple(merged)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficClass:
    """A box of packets: each field a condition, None (or empty) where anything will do.

    A class names single addresses by a network of one address, and every one holds at most one port range a side,
    so that a rule of many ports is many classes and two descriptions of the same packets compare equal.
    """

    hook: Hook
    family: Family
    protocol: Protocol | Portless
    source: Network | None = None
    destination: Network | None = None
    source_ports: PortRange | None = None
    destination_ports: PortRange | None = None
    not_source_macs: tuple[str, ...] = ()
    """Sorted lowercase MAC addresses that the packet must not come from."""
    interface: str | None = None
    original_destination: Network | None = None
    """The connection's destination before any address translation; implies its original direction."""
    original_destination_ports: PortRange | None = None
    state: State | None = None

    def __post_init__(self) -> None:
        if isinstance(self.protocol, Portless) and (self.source_ports or self.destination_ports):
            raise ValueError(f"{self.protocol.value} has no ports")

    @property
    def sort_key(self) -> tuple[object, ...]:
        """A key of every field, so that only equal classes tie: family, addresses, protocol, ports come first."""
        return (
            self.family.value,
            _network_key(self.destination),
            _network_key(self.original_destination),
            self.protocol.number,
            _range_key(self.destination_ports),
            _range_key(self.original_destination_ports),
            _network_key(self.source),
            _range_key(self.source_ports),
            self.hook.value,
            self.interface or "",
            self.not_source_macs,
            self.state.value if self.state else "",
        )


def _network_key(network: Network | None) -> tuple[int, int]:
    return (-1, 0) if network is None else (int(network.network_address), network.prefixlen)


def _range_key(ports: PortRange | None) -> tuple[int, int]:
    return (-1, -1) if ports is None else (ports.first, ports.last)


def host_network(address: Address) -> Network:
    """The network that holds one address alone."""
    return IPv4Network(address) if isinstance(address, IPv4Address) else IPv6Network(address)
