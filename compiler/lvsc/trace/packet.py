"""The packet on its way: what rules see of it, and which rule it meets first."""

from dataclasses import dataclass, replace
from typing import TypeVar

from lvsc.compare.treatment import Nodes
from lvsc.graph.nodes import Marking, PacketRule, SourceNat
from lvsc.graph.traffic import Address, Family, Hook, State
from lvsc.packets.dimensions import (
    REPLY,
    Dimension,
    Point,
    hook_number,
    interface_number,
    mac_number,
    state_number,
    traffic_box,
)
from lvsc.trace.asked import Asked

R = TypeVar("R", bound=PacketRule)

#: A host's MAC address that no rule names (RFC 7042, documentation).
_ANY_MAC = "00:00:5e:00:53:01"
_LINK = frozenset({Dimension.INTERFACE, Dimension.SOURCE_MAC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A packet as it is at a hook."""

    asked: Asked
    hook: Hook
    destination: Address
    destination_port: int
    mark: int
    tracked: bool = True
    answers: bool = False
    """Whether its connection is known, because it answers."""

    @classmethod
    def arriving(cls, asked: Asked, hook: Hook) -> "Moving":
        """The packet before anything has happened to it."""
        return cls(
            asked=asked,
            hook=hook,
            destination=asked.destination,
            destination_port=asked.destination_port,
            mark=asked.mark,
        )

    def at(self, hook: Hook) -> "Moving":
        """The packet at another hook."""
        return replace(self, hook=hook)

    def to(self, address: Address, port: int) -> "Moving":
        """The packet with another destination; port 0 keeps its own."""
        return replace(self, destination=address, destination_port=port or self.destination_port)

    @property
    def point(self) -> Point:
        """The packet as numbers. One that is not tracked has no original destination that a rule could ask for."""
        asked = self.asked
        numbers = {
            Dimension.HOOK: hook_number(self.hook),
            Dimension.FAMILY: int(asked.family is Family.IPV6),
            Dimension.DESTINATION: int(self.destination),
            Dimension.ORIGINAL_DESTINATION: int(asked.destination) if self.tracked else REPLY,
            Dimension.PROTOCOL: asked.protocol.number,
            Dimension.DESTINATION_PORT: self.destination_port,
            Dimension.ORIGINAL_DESTINATION_PORT: asked.destination_port,
            Dimension.SOURCE: int(asked.source),
            Dimension.SOURCE_PORT: asked.source_port,
            Dimension.INTERFACE: interface_number(asked.interface or ""),
            Dimension.SOURCE_MAC: mac_number(asked.source_mac or _ANY_MAC),
            Dimension.MARK: self.mark,
            Dimension.STATE: state_number(self._state),
        }
        return tuple(numbers[dimension] for dimension in Dimension)

    @property
    def _state(self) -> State:
        if not self.tracked:
            return State.UNTRACKED
        return State.ESTABLISHED if self.answers else State.NEW

    def first(self, host: Nodes, kind: type[R]) -> R | None:
        """The first rule of a kind that matches the packet."""
        point = self.point
        return next((rule for rule in host.of(kind) if _matches(rule, point)), None)

    def source_nat(self, host: Nodes) -> SourceNat | None:
        """The rule that changes the source on the way out; none does for a packet that is not tracked (nf_nat_core.c)."""
        return self.at(Hook.POSTROUTING).first(host, SourceNat) if self.tracked else None

    def but_for_link(self, host: Nodes) -> Marking | None:
        """The first marking that would match, came the packet in by another interface or from another host."""
        point = self.point
        return next((rule for rule in host.of(Marking) if _matches(rule, point, _LINK)), None)


def _matches(rule: PacketRule, point: Point, ignored: frozenset[Dimension] = frozenset()) -> bool:
    traffic = rule.traffic
    # Most rules are for another hook or address: those need no box.
    if hook_number(traffic.hook) != point[Dimension.HOOK]:
        return False
    box = traffic_box(traffic)
    return all(
        any(first <= point[dimension] <= last for first, last in intervals)
        for dimension, intervals in box.items()
        if dimension not in ignored
    )
