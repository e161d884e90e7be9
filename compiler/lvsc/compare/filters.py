"""Which packets a packet filter treats differently: marks that no director is known for, helpers, tracking, source NAT, accepts."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from lvsc.compare.changes import ChangeKind, PacketChange
from lvsc.compare.packets import first_origin, witness
from lvsc.compare.sides import HostSide, Side
from lvsc.graph.nodes import Accept, HelperAssignment, Marking, NoTrack, PacketRule, SourceNat
from lvsc.graph.traffic import Hook
from lvsc.packets.diagram import Space, boxes
from lvsc.packets.dimensions import Box
from lvsc.packets.effects import effect, verdict
from lvsc.plugins.backend import Role


@dataclass(frozen=True, slots=True)
class _Effect:
    """A kind of packet rule, what a change of it is, and what is said where no rule matches and where one does."""

    kind: type[PacketRule]
    change: ChangeKind
    without: str
    given: str


_EFFECTS = (
    _Effect(Marking, ChangeKind.MARK, "no mark", "mark {}"),
    _Effect(HelperAssignment, ChangeKind.HELPER, "no helper", "helper {}"),
    _Effect(NoTrack, ChangeKind.TRACKING, "tracked", "not tracked"),
    _Effect(SourceNat, ChangeKind.SOURCE_NAT, "source address kept", "source address becomes {}"),
    _Effect(Accept, ChangeKind.FILTER, "not let in by lvsc's own rule", "let in"),
)


def filter_changes(
    space: Space, old: tuple[Side, HostSide], new: tuple[Side, HostSide], *, services: bool
) -> Iterator[PacketChange]:
    """The packets to which the rules of the packet filter do something else, exactly; but for what is open.

    With `services`, a mark that clients' packets get counts only for the service that it leads to, so it is left out here.
    """
    # Where no rule matches that is understood, one that is not may.
    known = tuple(side.understands(Role.PACKET_FILTER) for _, side in (old, new))

    def differing(one: Hashable, other: Hashable) -> Hashable:
        is_told = all(
            is_known or answer is not None for is_known, answer in zip(known, (one, other), strict=True)
        )
        return (one, other) if one != other and is_told else None

    for each in _EFFECTS:
        before = _rules(old[1], each.kind, services=services)
        after = _rules(new[1], each.kind, services=services)
        if before == after:
            continue
        changed = space.combine(effect(space, before), effect(space, after), differing)
        groups: dict[tuple[Hashable, Hashable], list[Box]] = defaultdict(list)
        for box, answer in boxes(changed):
            if answer is not None:
                groups[answer].append(box)  # type: ignore[index]  # the answers are pairs
        befores, afters = _by_verdict(before), _by_verdict(after)
        for (one, other), found in groups.items():
            yield PacketChange(
                kind=each.change,
                hosts=(old[1].host,),
                boxes=tuple(found),
                before=_said(each, one),
                after=_said(each, other),
                before_origins=first_origin(old[0], befores.get(one, ()), found[0]),
                after_origins=first_origin(new[0], afters.get(other, ()), found[0]),
                # Of the packets that the named lines are about.
                witness=witness(space, found[:1]),
            )


def _rules(host: HostSide, kind: type[PacketRule], *, services: bool) -> tuple[PacketRule, ...]:
    rules = host.nodes.of(kind)
    if kind is Marking and services:
        return tuple(rule for rule in rules if rule.traffic.hook is not Hook.PREROUTING)
    return rules


def _by_verdict(rules: Iterable[PacketRule]) -> dict[Hashable, list[PacketRule]]:
    groups: dict[Hashable, list[PacketRule]] = defaultdict(list)
    for rule in rules:
        groups[verdict(rule)].append(rule)
    return groups


def _said(each: _Effect, answer: Hashable) -> str:
    return each.without if answer is None else each.given.format(answer)
