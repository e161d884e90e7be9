"""What a packet filter does to packets: for each kind of rule, a diagram from packets to what they get."""

from collections.abc import Hashable, Iterable

from lvsc.graph.nodes import Accept, HelperAssignment, Marking, NoTrack, PacketRule, SourceNat
from lvsc.packets.diagram import Diagram, Space
from lvsc.packets.dimensions import traffic_box
from lvsc.packets.rules import first_match

#: The kinds of packet rules, each with an effect of its own.
KINDS: tuple[type[PacketRule], ...] = (NoTrack, Marking, HelperAssignment, SourceNat, Accept)


def verdict(rule: PacketRule) -> Hashable:
    """What a rule gives the packets that it matches: a mark, a helper, an address, or that it matches at all."""
    match rule:
        case Marking():
            return rule.mark
        case HelperAssignment():
            return rule.helper
        case SourceNat():
            return rule.address
        case _:
            return type(rule).__name__


def effect(space: Space, rules: Iterable[PacketRule]) -> Diagram:
    """What packets get of rules of one kind, the first that matches deciding; None where none does."""
    return first_match(space, [(traffic_box(rule.traffic), verdict(rule)) for rule in rules])
