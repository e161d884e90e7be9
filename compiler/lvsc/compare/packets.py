"""Which packets find another virtual service, or are balanced in another way, on a host that two sides speak of."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import cast

from lvsc.compare import words
from lvsc.compare.changes import ChangeKind, PacketChange
from lvsc.compare.names import Names, selector_words
from lvsc.compare.sides import HostSide, Side, comparable
from lvsc.compare.treatment import (
    Absent,
    Refused,
    Treatment,
    arriving,
    found_by_mark,
    found_services,
    treatments,
    without_addresses,
)
from lvsc.diagnostics import Origin
from lvsc.graph.nodes import (
    AddressRole,
    Marking,
    MarkSelector,
    PacketRule,
    Scheduler,
    Selector,
    VirtualAddress,
)
from lvsc.graph.traffic import Address
from lvsc.packets.diagram import Diagram, Space, boxes
from lvsc.packets.dimensions import Box, Dimension, Intervals, Packet, traffic_box
from lvsc.packets.sets import PacketSet
from lvsc.packets.words import listed
from lvsc.plugins.backend import Role

#: What a packet finds: a service, one that refuses it, none, or not even the director.
Found = Selector | Refused | Absent | None
Pair = tuple[Found, Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced:
    """What one side's services do with packets to one host."""

    diagram: Diagram
    treatments: dict[Selector, Treatment]
    """As they are compared."""
    said: dict[Selector, Treatment]
    """As they are, with their weights."""
    names: Names
    markings: dict[Selector, list[Marking]]
    """The rules that lead clients' packets to each service; empty where nothing is known of them."""
    side: Side
    host: HostSide
    absent: dict[Address, Origin]
    """The addresses that the other side alone has, and where it says so."""

    def doubts(self, found: Found) -> bool:
        """Whether it is open what becomes of packets that find this, because not all of the text is understood."""
        match found:
            case None:
                # A rule that is not understood may give the mark of a service.
                return self.host.partial or not self.host.understands(Role.PACKET_FILTER)
            case Absent():
                return False
            case Refused(selector=selector):
                return selector in self.host.doubtful
        return found in self.host.doubtful

    def treatment(self, found: Found) -> Treatment | Refused | None:
        """What becomes of packets that find this."""
        if found is None or isinstance(found, Absent):
            return None
        return found if isinstance(found, Refused) else self.treatments[found]

    def persistent(self, found: Found) -> Selector | None:
        """The service that packets find, where it keeps its clients' connections together."""
        if found is None or isinstance(found, (Refused, Absent)):
            return None
        return found if self.treatments[found].persistence is not None else None

    def origins(self, found: Found, box: Box) -> tuple[Origin, ...]:
        """Where it is said what packets of the box find: the rule that marks them, and the service."""
        selector = found.selector if isinstance(found, Refused) else found
        if selector is None or isinstance(selector, Absent):
            return ()
        rules = self.markings.get(selector, ())
        service = self.names.origin(selector)
        said = (*first_origin(self.side, rules, box), *(() if service is None else (service,)))
        return tuple(dict.fromkeys(said))


def balanced(
    space: Space,
    side: Side,
    host: HostSide,
    *,
    marks: bool,
    ignore_weights: bool,
    absent: dict[Address, Origin],
) -> Balanced:
    """What a side's services do; without `marks` nothing is known of who gets which."""
    found = found_services(space, host.nodes) if marks else found_by_mark(space, host.nodes)
    if absent:
        found = without_addresses(space, found, absent)
    said = treatments(host.nodes)
    treated = said
    if ignore_weights:
        treated = {selector: _even(treatment) for selector, treatment in said.items()}
    markings: dict[Selector, list[Marking]] = defaultdict(list)
    for rule in host.nodes.of(Marking) if marks else ():
        markings[MarkSelector(rule.mark, rule.traffic.family)].append(rule)
    return Balanced(
        diagram=found,
        treatments=treated,
        said=said,
        names=Names(side, host),
        markings=markings,
        side=side,
        host=host,
        absent=absent,
    )


def _missing(one: HostSide, side: Side, other: HostSide) -> dict[Address, Origin]:
    """The addresses that a host has on the other side, whose this is, and not on one; where that one says which it has."""
    kept = {node.address.ip for node in one.nodes.of(VirtualAddress)}
    if not kept or not one.understands(Role.DIRECTOR):
        # Something else may move the addresses, or what is not understood says them.
        return {}
    return {
        node.address.ip: side.origin(node.origin)
        for node in other.nodes.of(VirtualAddress)
        if node.role is not AddressRole.LOOPBACK
        and node.address.ip not in kept
        and comparable(node, one, other)
    }


def service_changes(
    space: Space, old: tuple[Side, HostSide], new: tuple[Side, HostSide], *, ignore_weights: bool
) -> Iterator[PacketChange]:
    """The packets that find another service, or one that does something else, exactly."""
    marks = Role.PACKET_FILTER in old[1].roles & new[1].roles
    gone, come = _missing(new[1], *old), _missing(old[1], *new)
    before = balanced(space, *old, marks=marks, ignore_weights=ignore_weights, absent=come)
    after = balanced(space, *new, marks=marks, ignore_weights=ignore_weights, absent=gone)
    pairs: dict[Pair, bool] = {}

    def pair(one: Hashable, other: Hashable) -> Hashable:
        key = cast("Pair", (one, other))
        if before.doubts(key[0]) or after.doubts(key[1]):
            return None
        if key not in pairs:
            pairs[key] = before.treatment(key[0]) != after.treatment(key[1])
        return key if pairs[key] else None

    host = old[1].host
    changed = space.combine(before.diagram, after.diagram, pair)
    for found_pair, found in _grouped(changed).items():
        for kind, said, part in _treated(before, after, found_pair, found):
            yield _change(space, host, (before, after), found_pair, kind, said, part)
    tied = dict(_untied(pairs, before, after))
    if tied:
        where = space.combine(
            before.diagram,
            after.diagram,
            lambda one, other: key if (key := cast("Pair", (one, other))) in tied else None,
        )
        for found_pair, found in _grouped(where).items():
            yield _change(space, host, (before, after), found_pair, ChangeKind.TYING, tied[found_pair], found)


def _change(  # noqa: PLR0917 - each is something else
    space: Space,
    host: str,
    sides: tuple[Balanced, Balanced],
    pair: Pair,
    kind: ChangeKind,
    said: tuple[str, str],
    found: list[Box],
) -> PacketChange:
    return PacketChange(
        kind=kind,
        hosts=(host,),
        boxes=tuple(found),
        before=said[0],
        after=said[1],
        before_origins=_origins(sides, pair, found[0]),
        after_origins=_origins(sides[::-1], pair[::-1], found[0]),
        witness=witness(space, found[:1]),  # one of those that the named lines are about
    )


def _origins(sides: tuple[Balanced, Balanced], pair: Pair, box: Box) -> tuple[Origin, ...]:
    """Where the first of two sides says what packets of the box find; the address, where the other side has it not."""
    (side, other), (found, opposite) = sides, pair
    return (other.absent[opposite.address],) if isinstance(opposite, Absent) else side.origins(found, box)


def _grouped(diagram: Diagram) -> dict[Pair, list[Box]]:
    """The boxes of each answer but None."""
    groups: dict[Pair, list[Box]] = defaultdict(list)
    for box, answer in boxes(diagram):
        if answer is not None:
            groups[cast("Pair", answer)].append(box)
    return groups


def _treated(
    before: Balanced, after: Balanced, pair: Pair, found: list[Box]
) -> Iterator[tuple[ChangeKind, tuple[str, str], list[Box]]]:
    """How packets of a pair whose treatments differ are treated before and after, and which of them differently."""
    one, other = before.treatment(pair[0]), after.treatment(pair[1])
    alike = _serves(one) == _serves(other)
    if not (isinstance(one, Treatment) and isinstance(other, Treatment) and alike):
        yield _kind(one, other), (_said(before, pair[0]), _said(after, pair[1])), found
        return
    for seen_one, seen_other, part in _by_port(one, other, found):
        first, second = words.differences(seen_one, seen_other)
        kind = ChangeKind.WEIGHTS if _even(seen_one) == _even(seen_other) else ChangeKind.TREATMENT
        yield kind, (f"{_title(before, pair[0])}: {first}", f"{_title(after, pair[1])}: {second}"), part


def _kind(one: Treatment | Refused | None, other: Treatment | Refused | None) -> ChangeKind:
    if _serves(one) == _serves(other):
        return ChangeKind.TREATMENT
    return ChangeKind.EXPOSURE if _serves(other) else ChangeKind.LOSS


def _serves(treatment: Treatment | Refused | None) -> bool:
    """Whether a new client gets a server."""
    return isinstance(treatment, Treatment) and treatment.serves


def _by_port(
    one: Treatment, other: Treatment, found: Iterable[Box]
) -> Iterator[tuple[Treatment, Treatment, list[Box]]]:
    """The packets that two treatments differ for, apart where the port that they come to makes a difference."""
    ports = sorted({s.port for t in (one, other) for s in (*t.servers, *t.sorry) if s.port})
    groups: dict[tuple[Treatment, Treatment], list[Box]] = defaultdict(list)
    seen = {port: (arriving(one, port), arriving(other, port)) for port in (*ports, None)}
    for box in found:
        rest = box.get(Dimension.DESTINATION_PORT, ((0, Dimension.DESTINATION_PORT.top),))
        for port in ports:
            inside, rest = _split(rest, port)
            if inside and seen[port][0] != seen[port][1]:
                groups[seen[port]].append({**box, Dimension.DESTINATION_PORT: ((port, port),)})
        if rest and seen[None][0] != seen[None][1]:
            whole = box if not ports else {**box, Dimension.DESTINATION_PORT: rest}
            groups[seen[None]].append(whole)
    for (first, second), part in groups.items():
        yield first, second, part


def _split(intervals: Intervals, port: int) -> tuple[bool, Intervals]:
    """Whether the port is in the intervals, and the intervals without it."""
    rest: list[tuple[int, int]] = []
    inside = False
    for first, last in intervals:
        if not first <= port <= last:
            rest.append((first, last))
            continue
        inside = True
        rest += [(a, b) for a, b in ((first, port - 1), (port + 1, last)) if a <= b]
    return inside, tuple(rest)


def _untied(
    pairs: Iterable[Pair], before: Balanced, after: Balanced
) -> Iterator[tuple[Pair, tuple[str, str]]]:
    """The pairs of persistent services whose clients keep another bundle together, and what to say of each side."""
    news: dict[Selector, set[Selector]] = defaultdict(set)
    olds: dict[Selector, set[Selector]] = defaultdict(set)
    for found, found_after in pairs:
        one, other = before.persistent(found), after.persistent(found_after)
        if one is not None and other is not None:
            news[one].add(other)
            olds[other].add(one)
    for one, others in news.items():
        for other in others:
            if len(others) > 1 or len(olds[other]) > 1:
                yield (
                    (one, other),
                    (_bundle(before, one, olds[other]), _bundle(after, other, others)),
                )


def _bundle(side: Balanced, selector: Selector, among: set[Selector]) -> str:
    title = side.names.titled(selector)
    if len(among) == 1:
        return f"{title}: one bundle"
    others = listed(sorted(side.names.titled(other) for other in among if other != selector))
    return f"{title}: apart from {others}"


def first_origin(side: Side, rules: Iterable[PacketRule], box: Box) -> tuple[Origin, ...]:
    """Where the first of the rules is said that matches packets of a box; nothing where none does."""
    for rule in rules:
        conditions = traffic_box(rule.traffic)
        if all(_meet(box[d], conditions[d]) for d in box.keys() & conditions.keys()):
            return (side.origin(rule.origin),)
    return ()


def _meet(one: Intervals, other: Intervals) -> bool:
    return any(a <= d and c <= b for a, b in one for c, d in other)


def witness(space: Space, found: Iterable[Box]) -> Packet:
    """A packet of boxes that are not all empty, as ordinary as they allow."""
    packet = PacketSet.of_box(space, next(iter(found))).witness()
    assert packet is not None  # noqa: S101 - a diagram has no empty boxes
    return packet


def _said(side: Balanced, found: Found) -> str:
    if found is None:
        return "no virtual service"
    if isinstance(found, Refused):
        return f"refused by {selector_words(found.selector)}"
    if isinstance(found, Absent):
        return f"{found.address} is no address of the director"
    return f"{side.names.titled(found)}: {words.whole(side.said[found])}"


def _title(side: Balanced, found: Found) -> str:
    return "" if found is None or isinstance(found, (Refused, Absent)) else side.names.titled(found)


def _even(treatment: Treatment) -> Treatment:
    """The treatment without its weights, but that there are none for new clients."""
    if not treatment.serves:
        return treatment
    servers = tuple(replace(server, weight=1) for server in treatment.servers)
    order = () if treatment.scheduler is Scheduler.FO else treatment.order  # which goes by weight
    return replace(treatment, servers=servers, order=order)
