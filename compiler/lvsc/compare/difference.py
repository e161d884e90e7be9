"""Compares two sides: everything that is different, host by host."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

from lvsc.compare import connections, settings
from lvsc.compare.changes import (
    ConnectionChange,
    Difference,
    PacketChange,
    Section,
    SettingChange,
    Unknown,
)
from lvsc.compare.connections import connection_changes
from lvsc.compare.files import file_changes
from lvsc.compare.filters import filter_changes
from lvsc.compare.packets import service_changes
from lvsc.compare.pairing import Paired
from lvsc.compare.question import Question
from lvsc.compare.settings import setting_changes
from lvsc.compare.sides import PACKET_KINDS, HostSide, Side, comparable
from lvsc.compare.subjects import section
from lvsc.compare.unknown import unknowns
from lvsc.graph.nodes import (
    Accept,
    ConnectionSync,
    HelperAssignment,
    Marking,
    Node,
    NoTrack,
    SourceNat,
    Timeouts,
    VirtualService,
    VrrpInstance,
)
from lvsc.packets.diagram import Space
from lvsc.plugins.backend import Role

_RULES: tuple[type[Node], ...] = (Marking, HelperAssignment, NoTrack, SourceNat, Accept, VirtualService)
#: What a packet filter and a table of virtual services say nothing of.
_SETTINGS = (Section.CHECKS, Section.FAILOVER, Section.HOST_SETTINGS)
#: What a director has beside its table, and `ipvsadm -Sn` does not print.
_BESIDE_THE_TABLE: dict[type[Node], str] = {
    Timeouts: "the time-outs of connections: they are not compared",
    ConnectionSync: "the synchronisation of connections: it is not compared",
}


class NothingInCommonError(Exception):
    """Two sides of which no host and no role can be compared; the message says why."""


def compare(old: Side, new: Side, *, ignore_weights: bool = False) -> Difference:
    """Everything that is different between two sides.

    Raises:
        NothingInCommonError: No host is on both sides, or they say nothing of the same things.
    """
    pairs = list(_host_pairs(old, new))
    packets: list[PacketChange] = []
    unknown: list[Unknown] = []
    found: list[SettingChange] = list(_hosts(old, new, pairs))
    running: list[ConnectionChange] = []
    notes: list[str] = []
    rewritten = 0
    compared = False
    for one, other in pairs:
        roles = one.roles & other.roles
        compared = compared or bool(roles)
        before, after = (old, one), (new, other)
        space = Space()
        services = Role.DIRECTOR in roles
        if services:
            packets += service_changes(space, before, after, ignore_weights=ignore_weights)
        if Role.PACKET_FILTER in roles:
            packets += filter_changes(space, before, after, services=services)
        question = Question(space, (one, other)) if Role.PACKET_FILTER in roles else None
        for side in (before, after):
            unknown += unknowns(*side, roles, question)
        if question is not None:
            notes += _sets(one, other)
        paired = Paired(before, after)
        found += setting_changes(before, after, paired, ignore_weights=ignore_weights)
        if services:
            running += connection_changes(before, after, paired)
        rewritten += _rewritten(before, after, roles)
        if roles:
            notes += (*_notes(one, other, whole=old.whole and new.whole), *_secrets(one, other))
    if old.whole and new.whole:
        compared = compared or bool(pairs)
        if old.built or new.built:
            found += file_changes(old, new)
    if not compared:
        raise NothingInCommonError(_apart(old, new, pairs))
    return Difference(
        old=old.name,
        new=new.name,
        packets=_merged(packets),
        unknown=tuple(dict.fromkeys(unknown)),
        settings=settings.merged(found),
        connections=connections.merged(running),
        rewritten=rewritten,
        notes=tuple(dict.fromkeys(notes)),
    )


def _host_pairs(old: Side, new: Side) -> Iterator[tuple[HostSide, HostSide]]:
    """The hosts that are compared: those of the same name, and the only host of each side whatever it is called."""
    common = sorted(old.hosts.keys() & new.hosts.keys())
    if not common and old.only_host is not None and new.only_host is not None:
        yield old.hosts[old.only_host], replace(new.hosts[new.only_host], host=old.only_host)
    for host in common:
        yield old.hosts[host], new.hosts[host]


def _hosts(old: Side, new: Side, pairs: Iterable[tuple[HostSide, HostSide]]) -> Iterator[SettingChange]:
    """The hosts that only one side has, where each says all of its hosts."""
    if not (old.whole and new.whole):
        return
    paired = {one.host for one, _ in pairs}
    for side, other, removed in ((old, new, True), (new, old, False)):
        for name in side.hosts:
            if name not in paired and name not in other.hosts:
                yield SettingChange(
                    section=Section.HOSTS,
                    hosts=(name,),
                    subject=f"host `{name}`",
                    field="",
                    before="there" if removed else None,
                    after=None if removed else "there",
                    origin=None,
                    reaches_packets=True,
                )


def _rewritten(old: tuple[Side, HostSide], new: tuple[Side, HostSide], roles: Iterable[Role]) -> int:
    """How many rules and services of a host the new side does not have from the old one word for word."""
    count = 0
    compared = {kind for role in roles for kind in PACKET_KINDS.get(role, ())}
    for kind in compared.intersection(_RULES):
        before = {_word_for_word(old[0], node) for node in old[1].nodes.of(kind)}
        count += sum(_word_for_word(new[0], node) not in before for node in new[1].nodes.of(kind))
    return count


def _word_for_word(side: Side, node: Node) -> Hashable:
    return (side.line(node.origin), node.sort_key)


def _notes(old: HostSide, new: HostSide, *, whole: bool) -> Iterator[str]:
    """What is not compared; of `whole` sides, all files are."""
    for role in (Role.PACKET_FILTER, Role.DIRECTOR):
        if (role in old.roles) != (role in new.roles):
            word = "packet filters" if role is Role.PACKET_FILTER else "virtual services"
            yield f"one side says nothing of {word}: they are not compared"
    if not whole:
        yield from _unsaid(old, new)
    for kind, word in _BESIDE_THE_TABLE.items():
        said = (*old.nodes.of(kind), *new.nodes.of(kind))
        if any(not side.would_say(node) for node in said[:1] for side in (old, new)):
            yield f"one side says nothing of {word}"


def _sets(old: HostSide, new: HostSide) -> Iterator[str]:
    """What is to be said of sets that others' rules look at on both sides, and that neither shows."""
    befores, afters = ({name for foreign in side.foreign for name in foreign.unseen} for side in (old, new))
    for name in sorted(befores & afters):
        yield f"the elements of the set `{name}`, which no side shows: they are not compared"


def _unsaid(old: HostSide, new: HostSide) -> Iterator[str]:
    """What one of two sides says nothing of, in one note."""
    sections: set[Section] = set()
    for side in (old, new):
        for kind in side.nodes.kinds - _BESIDE_THE_TABLE.keys():
            if not comparable(side.nodes.of(kind)[0], old, new):
                sections.add(section(kind))
    *words, last = [each.value for each in _SETTINGS if each in sections] or [""]
    if last:
        listed = f"{', '.join(words)} and {last}" if words else last
        yield f"one side says nothing of {listed}: they are not compared"


def _secrets(old: HostSide, new: HostSide) -> Iterator[str]:
    """What is to be said of secrets that cannot be compared."""
    instances = {instance.name: instance for instance in old.nodes.of(VrrpInstance)}
    for after in new.nodes.of(VrrpInstance):
        before = instances.get(after.name)
        if before is None or before.authentication is None or after.authentication is None:
            continue
        if before.authentication.password.same_as(after.authentication.password) is None:
            yield "the VRRP passwords are not compared: not both of their values are there"


def _apart(old: Side, new: Side, pairs: list[tuple[HostSide, HostSide]]) -> str:
    if pairs:
        return "one side is of packet filters, the other of virtual services"
    return (
        f"no host is in both: {', '.join(f'`{h}`' for h in old.hosts) or 'none'} and"
        f" {', '.join(f'`{h}`' for h in new.hosts) or 'none'}"
    )


def _merged(changes: Iterable[PacketChange]) -> tuple[PacketChange, ...]:
    """The changes in the order in which they are told; what is the same on several hosts once."""
    groups: dict[Hashable, list[PacketChange]] = defaultdict(list)
    for change in changes:
        key = (
            change.kind,
            change.before,
            change.after,
            tuple(tuple(sorted(box.items())) for box in change.boxes),
        )
        groups[key].append(change)
    joined = [
        replace(group[0], hosts=tuple(host for change in group for host in change.hosts))
        for group in groups.values()
    ]
    return tuple(sorted(joined, key=lambda change: change.kind.position))
