"""Witnesses that an operator believes: of all packets of a set, one that a real client could send."""

from bisect import bisect_left
from ipaddress import IPv4Address, IPv6Address

from lvsc.packets.diagram import Diagram, Leaf
from lvsc.packets.dimensions import Dimension, Intervals, Point, interface_number, mac_number

#: Tried in this order in each dimension; the addresses and MAC are those that documentation may use (RFC 5737, 3849, 7042).
_USUAL: dict[Dimension, tuple[int, ...]] = {
    Dimension.PROTOCOL: (6, 17, 132),
    Dimension.DESTINATION_PORT: (80, 443, 1),
    Dimension.ORIGINAL_DESTINATION_PORT: (80, 443, 1),
    Dimension.SOURCE_PORT: (40000, 1),
    Dimension.INTERFACE: tuple(interface_number(f"eth{n}") for n in range(10)),
    Dimension.SOURCE_MAC: tuple(mac_number(f"00:00:5e:00:53:{n:02x}") for n in range(1, 16)),
    Dimension.MARK: (0,),
    Dimension.STATE: (0,),
}
_SOURCES = (int(IPv4Address("198.51.100.7")), int(IPv6Address("2001:db8:ffff::7")))
_DESTINATIONS = (int(IPv4Address("192.0.2.10")), int(IPv6Address("2001:db8::10")))


def witness_point(diagram: Diagram) -> Point | None:
    """A packet that the diagram answers True, the same one every time; None where there is none."""
    chosen: list[int] = []
    for dimension in Dimension:
        if isinstance(diagram, Leaf) or diagram.dimension != dimension:
            chosen.append(_usual(dimension, chosen)[0])
            continue
        intervals: list[tuple[int, int]] = []
        low = 0
        for cut, child in zip(diagram.cuts, diagram.children, strict=True):
            if not (isinstance(child, Leaf) and child.answer is not True):
                intervals.append((low, cut))
            low = cut + 1
        if not intervals:
            return None
        number = _pick(tuple(intervals), _usual(dimension, chosen))
        chosen.append(number)
        diagram = diagram.children[bisect_left(diagram.cuts, number)]
    return tuple(chosen) if isinstance(diagram, Leaf) and diagram.answer is True else None


def _usual(dimension: Dimension, chosen: list[int]) -> tuple[int, ...]:
    """What is ordinary in a dimension, where those before it are chosen."""
    match dimension:
        case Dimension.HOOK | Dimension.FAMILY:
            return (0,)
        case Dimension.SOURCE:
            return (_SOURCES[chosen[Dimension.FAMILY]],)
        case Dimension.DESTINATION:
            return (_DESTINATIONS[chosen[Dimension.FAMILY]],)
        case Dimension.ORIGINAL_DESTINATION:
            return (chosen[Dimension.DESTINATION],)
        case Dimension.ORIGINAL_DESTINATION_PORT:
            return (chosen[Dimension.DESTINATION_PORT], *_USUAL[dimension])
    return _USUAL[dimension]


def _pick(intervals: Intervals, usual: tuple[int, ...]) -> int:
    for number in usual:
        if any(first <= number <= last for first, last in intervals):
            return number
    return intervals[0][0]
