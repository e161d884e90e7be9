"""What a packet filter is told."""

from dataclasses import dataclass, field

from lvsc.graph.nodes.base import Node
from lvsc.graph.traffic import Address, TrafficClass


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRule(Node):
    """A node that a packet filter renders: what happens to a class of packets. No two conflict, so order is free."""

    traffic: TrafficClass
    service: str = field(compare=False)
    """The service that asks for the rule, which every emitted rule names in a comment; empty where all of them do."""
    reason: str = field(default="", compare=False)
    """Why it is there, or not as an operator may expect it: one line, emitted as a comment."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        return self.traffic.sort_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking(PacketRule):
    """Packets that get a firewall mark, so that IPVS treats them as one service."""

    mark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperAssignment(PacketRule):
    """Connections that a conntrack helper reads."""

    helper: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTrack(PacketRule):
    """Packets that connection tracking passes over, because it sees only one half of their connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNat(PacketRule):
    """Connections whose source address is replaced on the way out."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(PacketRule):
    """Packets that the director's own firewall must let through, emitted where the spec asks for it."""
