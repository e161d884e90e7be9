"""Sets of packets: exact algebra, a canonical form, a witness."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lvsc.graph.traffic import TrafficClass
from lvsc.packets.diagram import Diagram, Space, answer_at, boxes, meets
from lvsc.packets.dimensions import Box, Packet, Point, traffic_box
from lvsc.packets.rules import first_match
from lvsc.packets.witness import witness_point


def _or(one: object, other: object) -> bool:
    return bool(one) or bool(other)


def _and(one: object, other: object) -> bool:
    return bool(one) and bool(other)


def _without(one: object, other: object) -> bool:
    return bool(one) and not other


@dataclass(frozen=True, slots=True, eq=False)
class PacketSet:
    """A set of packets. Two of one space are equal exactly if they hold the same packets."""

    space: Space
    diagram: Diagram

    @classmethod
    def empty(cls, space: Space) -> "PacketSet":
        """No packet."""
        return cls(space, space.leaf(answer=False))

    @classmethod
    def everything(cls, space: Space) -> "PacketSet":
        """Every packet."""
        return cls(space, space.leaf(answer=True))

    @classmethod
    def of_box(cls, space: Space, box: Box) -> "PacketSet":
        """The packets that fulfil every condition."""
        return cls(space, space.box(box, inside=True, outside=False))

    @classmethod
    def of_classes(cls, space: Space, classes: Iterable[TrafficClass]) -> "PacketSet":
        """The packets of any of the traffic classes."""
        found = first_match(space, [*((traffic_box(traffic), True) for traffic in classes), ({}, False)])
        return cls(space, found)

    def __or__(self, other: "PacketSet") -> "PacketSet":
        return PacketSet(self.space, self.space.combine(self.diagram, other.diagram, _or))

    def __and__(self, other: "PacketSet") -> "PacketSet":
        return PacketSet(self.space, self.space.combine(self.diagram, other.diagram, _and))

    def __sub__(self, other: "PacketSet") -> "PacketSet":
        return PacketSet(self.space, self.space.combine(self.diagram, other.diagram, _without))

    def __invert__(self) -> "PacketSet":
        return PacketSet.everything(self.space) - self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PacketSet):
            return NotImplemented
        if self.space is not other.space:
            raise ValueError("sets of two spaces cannot be compared")
        return self.diagram is other.diagram

    def __hash__(self) -> int:
        return id(self.diagram)

    def __bool__(self) -> bool:
        """Whether any packet is in the set."""
        return self.diagram is not self.space.leaf(answer=False)

    def __contains__(self, point: Point) -> bool:
        return bool(answer_at(self.diagram, point))

    def meets(self, box: Box) -> bool:
        """Whether a packet of the set is in the box; without making the set of both."""
        return meets(self.diagram, box)

    def witness(self) -> Packet | None:
        """A packet of the set, the same one every time and as ordinary as the set allows; None where there is none."""
        point = self.point()
        return None if point is None else Packet.from_point(point)

    def point(self) -> Point | None:
        """The witness as numbers."""
        return witness_point(self.diagram) if self else None

    def boxes(self) -> Iterator[Box]:
        """The set as disjoint boxes."""
        return (box for box, inside in boxes(self.diagram) if inside is True)
