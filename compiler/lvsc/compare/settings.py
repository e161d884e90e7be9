"""What is set otherwise: every node that does not decide on packets alone, added, removed or changed field by field."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lvsc.compare.changes import Section, SettingChange
from lvsc.compare.fields import Field, differing
from lvsc.compare.names import end, selector_words
from lvsc.compare.pairing import Paired, ServicePair
from lvsc.compare.sides import HostSide, Side, comparable
from lvsc.compare.subjects import detail, reaches_packets, section, subject, title
from lvsc.diagnostics import Origin
from lvsc.graph.nodes import (
    HealthCheck,
    Node,
    PacketRule,
    Quorum,
    RealServer,
    Selector,
    SorryServer,
    VirtualService,
)
from lvsc.graph.traffic import Address


def setting_changes(
    old: tuple[Side, HostSide], new: tuple[Side, HostSide], paired: Paired, *, ignore_weights: bool
) -> Iterator[SettingChange]:
    """Everything that one host is told otherwise, but for the rules of its packet filter."""
    comparison = _Settings(old, new, paired)
    if all(side.speaks_of(VirtualService) for _, side in (old, new)):
        for pair in paired.known:
            yield from comparison.service(pair, ignore_weights=ignore_weights)
    for kind in sorted(old[1].nodes.kinds | new[1].nodes.kinds, key=_order):
        if issubclass(kind, PacketRule) or kind in (VirtualService, RealServer):
            continue
        if comparable(next(iter((*old[1].nodes.of(kind), *new[1].nodes.of(kind)))), old[1], new[1]):
            reaching = reaches_packets(kind)
            yield from (replace(change, reaches_packets=reaching) for change in comparison.nodes(kind))


class _Settings:
    """The settings of one host."""

    def __init__(self, old: tuple[Side, HostSide], new: tuple[Side, HostSide], paired: Paired) -> None:
        self._host = old[1].host
        self._old, self._old_nodes = old[0], old[1].nodes
        self._new, self._new_nodes = new[0], new[1].nodes
        self._paired = paired
        self._known = _Known(paired)
        self._hosts = (old[1], new[1])

    def service(self, pair: ServicePair, *, ignore_weights: bool) -> Iterator[SettingChange]:
        """What is set otherwise for a service and its real servers."""
        old, new = pair.old, pair.new
        if old is None or new is None:
            yield self._lone_service(pair)
            return
        before = self._paired.old_names.service(old.selector)
        name = self._paired.new_names.service(new.selector)
        origin = self._new.origin(new.origin)
        if before != name and before != selector_words(old.selector) and name != selector_words(new.selector):
            yield self._row(Section.SERVICES, f"service {title(name)}", Field("name", before, name), origin)
        for found in differing(old, new):
            yield self._row(Section.SERVICES, f"service {title(name)}", found, origin)
        for one, other in pair.servers:
            yield from self._server(name, one, other, ignore_weights=ignore_weights)

    def _lone_service(self, pair: ServicePair) -> SettingChange:
        if pair.new is not None:
            names, side, service = self._paired.new_names, self._new, pair.new
        else:
            assert pair.old is not None  # noqa: S101 - a pair has at least one
            names, side, service = self._paired.old_names, self._old, pair.old
        called = f"service {title(names.service(service.selector))}"
        said = selector_words(service.selector)
        return self._lone(
            Section.SERVICES, called, said, side.origin(service.origin), added=pair.new is not None
        )

    def _server(
        self, service: str, one: RealServer | None, other: RealServer | None, *, ignore_weights: bool
    ) -> Iterator[SettingChange]:
        server = other or one
        assert server is not None  # noqa: S101 - a pair has at least one
        name = server.name or end(server.address, server.port)
        called = f"real server {title(name)} of {title(service)}"
        if one is None or other is None:
            said = f"{end(server.address, server.port)} by {server.forwarding.value}, weight {server.weight}"
            side = self._new if one is None else self._old
            yield self._lone(
                Section.REAL_SERVERS, called, said, side.origin(server.origin), added=one is None
            )
            return
        for found in differing(one, other):
            if found.name != "selector" and not (ignore_weights and found.name == "weight"):
                yield self._row(Section.REAL_SERVERS, called, found, self._new.origin(other.origin))

    def nodes(self, kind: type[Node]) -> Iterator[SettingChange]:
        """What is set otherwise by the nodes of a type that is neither a service's nor a real server's."""
        befores = _keyed(self._old_nodes.of(kind))
        news = self._new_nodes.of(kind)
        afters = _keyed(map(self._known.as_before, news))
        originals = dict(zip(afters, news, strict=True))
        for key, before in befores.items():
            if self._known.open(before):
                continue
            origin = self._old.origin(before.origin)
            if key in afters:
                called = subject(originals[key], self._paired.new_names)
                origin = self._new.origin(originals[key].origin)
                for found in differing(before, afters[key]):
                    yield self._row(section(kind), called, found, origin)
            elif self._is_lone(before, new_lacks=True):
                called = subject(before, self._paired.old_names)
                yield self._lone(section(kind), called, detail(before), origin, added=False)
        for key, after in afters.items():
            if key not in befores and self._is_lone(after, new_lacks=False):
                called = subject(originals[key], self._paired.new_names)
                origin = self._new.origin(originals[key].origin)
                yield self._lone(section(kind), called, detail(after), origin, added=True)

    def _is_lone(self, node: Node, *, new_lacks: bool) -> bool:
        """Whether a node that one side lacks is sure not to be there, and nothing else says so already."""
        old, new = self._hosts
        is_understood = not (new if new_lacks else old).unread
        return is_understood and comparable(node, old, new) and self._known.of_both(node)

    def _lone(self, part: Section, called: str, said: str, origin: Origin, *, added: bool) -> SettingChange:
        return SettingChange(
            section=part,
            hosts=(self._host,),
            subject=called,
            field="",
            before=None if added else said,
            after=said if added else None,
            origin=origin,
        )

    def _row(self, part: Section, called: str, found: Field, origin: Origin) -> SettingChange:
        return SettingChange(
            section=part,
            hosts=(self._host,),
            subject=called,
            field=found.name,
            before=found.before,
            after=found.after,
            origin=origin,
        )


class _Known:
    """The services and real servers of both sides: a check of one that IPVS knows otherwise now is still its check."""

    def __init__(self, paired: Paired) -> None:
        self._selectors: dict[Selector, Selector] = {}
        self._ports: dict[tuple[Selector, Address, int], int] = {}
        for pair in paired.pairs:
            if pair.old is None or pair.new is None:
                continue
            self._selectors[pair.new.selector] = pair.old.selector
            for one, other in pair.servers:
                if one is not None and other is not None and one.address == other.address:
                    self._ports[other.selector, other.address, other.port] = one.port
        self._olds = set(self._selectors.values())
        self._open = paired.doubtful

    def as_before(self, node: Node) -> Node:
        """A node of the new side with what it belongs to named as the old side names it."""
        if not isinstance(node, (HealthCheck, SorryServer, Quorum)):
            return node
        selector = self._selectors.get(node.selector, node.selector)
        if isinstance(node, HealthCheck):
            port = self._ports.get((node.selector, node.address, node.port), node.port)
            if (selector, port) != (node.selector, node.port):
                return replace(node, selector=selector, port=port)
        return node if selector == node.selector else replace(node, selector=selector)

    def open(self, node: Node) -> bool:
        """Whether it is open what the node's service does, if it is a service's, and so what is set for it."""
        return isinstance(node, (HealthCheck, SorryServer, Quorum)) and node.selector in self._open

    def of_both(self, node: Node) -> bool:
        """Whether the node's service, if it is a service's, is on both sides; otherwise the service says enough."""
        if not isinstance(node, (HealthCheck, SorryServer, Quorum)):
            return True
        return node.selector in self._olds and not self.open(node)


def _keyed(nodes: Iterable[Node]) -> dict[tuple[object, ...], Node]:
    seen: Counter[tuple[object, ...]] = Counter()
    found: dict[tuple[object, ...], Node] = {}
    for node in nodes:
        key = node.sort_key
        found[*key, seen[key]] = node
        seen[key] += 1
    return found


def _order(kind: type[Node]) -> tuple[int, str]:
    return (section(kind).position, f"{kind.__module__}.{kind.__qualname__}")


def merged(changes: Iterable[SettingChange]) -> tuple[SettingChange, ...]:
    """The changes in the order in which they are told; what is the same on several hosts once."""
    groups: dict[tuple[object, ...], list[SettingChange]] = defaultdict(list)
    for change in changes:
        groups[change.section, change.subject, change.field, change.before, change.after].append(change)
    joined = [
        replace(group[0], hosts=tuple(sorted({host for change in group for host in change.hosts})))
        for group in groups.values()
    ]
    return tuple(sorted(joined, key=lambda change: change.section.position))
