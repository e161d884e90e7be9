"""Packet rules sorted into lookups: one map or set answers for all rules that look at the same fields of a packet."""

from collections.abc import Iterable
from dataclasses import dataclass

from lvsc.plugin import (
    Family,
    HelperAssignment,
    Hook,
    Marking,
    Network,
    NoTrack,
    Origin,
    PacketRule,
    PortRange,
    SourceNat,
    TrafficClass,
)

#: The packet rules that become nftables rules, in the order of their rules in a chain.
RENDERED = (NoTrack, Marking, HelperAssignment, SourceNat)

#: The word for a family in nft's language.
IP = {Family.IPV4: "ip", Family.IPV6: "ip6"}

_EVERY_PORT = PortRange(0, 65535)
_HOOKS = tuple(Hook)
_ADDRESS = {Family.IPV4: "ipv4_addr", Family.IPV6: "ipv6_addr"}


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a packet as part of a key: the expression that reads it, and its nftables type."""

    expression: str
    datatype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What rules must have in common for one lookup to answer for all of them."""

    kind: type[PacketRule]
    hook: Hook
    family: Family
    helper: str = ""
    """The `ct helper` object that is assigned; one set has one."""
    not_source_macs: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    """Matches that stand before the lookup, in nft's words."""
    columns: tuple[Column, ...] = ()
    """The key's parts; without any, the shape's only element is a rule of its own."""
    prefix_lengths: tuple[int, ...] = ()
    """Of the key's networks. Networks of one length are equal or disjoint: no two elements overlap by their networks."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        """The usual key first and the plainest next, so that a host's main lookup keeps its name whatever else there is."""
        expressions = tuple(column.expression for column in self.columns)
        return (
            _HOOKS.index(self.hook),
            RENDERED.index(self.kind),
            self.family,
            self.helper,
            len(self.not_source_macs),
            self.not_source_macs,
            len(self.conditions),
            self.conditions,
            expressions != (f"{IP[self.family]} daddr", "meta l4proto", "th dport"),
            tuple(-length for length in self.prefix_lengths),
            expressions,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One answer: the key, what it maps to (empty in a set) and whom it is for."""

    key: str
    answer: str
    interval: bool
    """Whether the key is more than one value."""
    services: tuple[str, ...]
    origin: Origin
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """The elements of one shape, in the order of what they match."""

    shape: Shape
    elements: tuple[Element, ...]

    @property
    def interval(self) -> bool:
        """Whether the map or set must be one of intervals; one of single values is a hash table, which is faster."""
        return any(element.interval for element in self.elements)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rules that want different answers for the same key."""

    first: PacketRule
    second: PacketRule


def lookups(rules: Iterable[PacketRule], *, ranges: bool) -> tuple[tuple[Lookup, ...], tuple[Conflict, ...]]:
    """The lookups that carry out the rules, in order, and the rules that cannot go together.

    Args:
        rules: The rules, in any order.
        ranges: Whether networks and port ranges may be parts of a key (Linux 5.6, nft 0.9.4). Without, each becomes
            a condition before a lookup of its own.
    """
    drafts: dict[Shape, dict[tuple[str | None, ...], list[_Draft]]] = {}
    for rule in rules:
        shape, draft = _draft(rule, ranges=ranges)
        fixed = tuple(None if index == draft.port_at else part for index, part in enumerate(draft.key))
        drafts.setdefault(shape, {}).setdefault(fixed, []).append(draft)
    result = []
    conflicts: list[Conflict] = []
    for shape in sorted(drafts, key=_shape_key):
        found = [draft for group in drafts[shape].values() for draft in _disjoint(group, conflicts)]
        result.append(Lookup(shape=shape, elements=tuple(map(_element, sorted(found, key=_rule_key)))))
    return tuple(result), tuple(conflicts)


@dataclass(slots=True)
class _Draft:
    """An element before those that overlap are made one."""

    rule: PacketRule
    key: list[str]
    port_at: int | None
    """Where the key has its range of ports, None where it has no port."""
    ports: PortRange
    answer: str
    interval: bool
    services: list[str]


def _draft(rule: PacketRule, *, ranges: bool) -> tuple[Shape, _Draft]:
    traffic = rule.traffic
    conditions = (
        [f'{_interface(traffic.hook)} "{traffic.interface}"'] if traffic.interface is not None else []
    )
    columns: list[Column] = []
    key: list[str] = []
    lengths: list[int] = []
    interval = False

    for expression, network in _networks(traffic):
        single = network.prefixlen == network.max_prefixlen
        text = str(network.network_address) if single else str(network)
        if single or ranges:
            columns.append(Column(expression, _ADDRESS[traffic.family]))
            key.append(text)
            lengths.append(network.prefixlen)
            interval = interval or not single
        else:
            conditions.append(f"{expression} {text}")

    ports = _ports(traffic)
    # One range at most stays in the key, so that elements overlap in one dimension only.
    in_key = [wanted.single or (ranges and index == 0) for index, (_, wanted) in enumerate(ports)]
    original_ports = traffic.original_destination_ports is not None
    if traffic.original_destination is not None or original_ports:
        conditions.append("ct direction original")
    if original_ports or not all(in_key):
        # nft lists the ports of a protocol that was matched by the protocol's own name, and matches it by that name.
        ports = [
            (expression.replace("th ", f"{traffic.protocol.value} "), wanted) for expression, wanted in ports
        ]
        if original_ports:
            # nft 1.0.6 knows no type for a port of `ct original` before the protocol is matched.
            conditions.append(f"meta l4proto {traffic.protocol.value}")
    else:
        columns.append(Column("meta l4proto", "inet_proto"))
        key.append(traffic.protocol.value)

    port_at = None
    main = _EVERY_PORT
    for (expression, wanted), keyed in zip(ports, in_key, strict=True):
        if not keyed:
            conditions.append(f"{expression} {wanted}")
            continue
        if port_at is None:
            port_at, main = len(columns), wanted
        columns.append(Column(expression, "inet_service"))
        key.append(str(wanted))
    shape = Shape(
        kind=type(rule),
        hook=traffic.hook,
        family=traffic.family,
        helper=helper_object(rule) if isinstance(rule, HelperAssignment) else "",
        not_source_macs=traffic.not_source_macs,
        conditions=tuple(conditions),
        columns=tuple(columns),
        prefix_lengths=tuple(lengths),
    )
    return shape, _Draft(rule, key, port_at, main, _answer(rule), interval, [rule.service])


def helper_object(rule: HelperAssignment) -> str:
    """The name of the `ct helper` object for the rule's helper, protocol and family."""
    return f"{rule.helper}-{rule.traffic.protocol.value}-{IP[rule.traffic.family]}"


def _interface(hook: Hook) -> str:
    return "oifname" if hook in (Hook.OUTPUT, Hook.POSTROUTING) else "iifname"


def _networks(traffic: TrafficClass) -> list[tuple[str, Network]]:
    ip = IP[traffic.family]
    wanted = (
        (f"ct original {ip} daddr", traffic.original_destination),
        (f"{ip} saddr", traffic.source),
        (f"{ip} daddr", traffic.destination),
    )
    return [
        (expression, network) for expression, network in wanted if network is not None and network.prefixlen
    ]


def _ports(traffic: TrafficClass) -> list[tuple[str, PortRange]]:
    wanted = (
        ("ct original proto-dst", traffic.original_destination_ports),
        ("th dport", traffic.destination_ports),
        ("th sport", traffic.source_ports),
    )
    return [(expression, ports) for expression, ports in wanted if ports is not None and ports != _EVERY_PORT]


def _answer(rule: PacketRule) -> str:
    match rule:
        case Marking():
            return f"0x{rule.mark:08x}"
        case SourceNat():
            return str(rule.address)
        case _:
            return ""


def _disjoint(drafts: list[_Draft], conflicts: list[Conflict]) -> list[_Draft]:
    """The drafts, which differ in nothing but ports and answers; those that overlap are made one, or conflict."""
    merged: list[_Draft] = []
    for draft in sorted(drafts, key=_ports_key):
        last = merged[-1] if merged else None
        if last is None or draft.ports.first > last.ports.last:
            merged.append(draft)
            continue
        if draft.answer != last.answer:
            conflicts.append(Conflict(last.rule, draft.rule))
            continue
        last.services.append(draft.rule.service)
        if last.port_at is not None:
            last.ports = PortRange(last.ports.first, max(last.ports.last, draft.ports.last))
            last.key[last.port_at] = str(last.ports)
    return merged


def _element(draft: _Draft) -> Element:
    return Element(
        key=" . ".join(draft.key),
        answer=draft.answer,
        interval=draft.interval or (draft.port_at is not None and not draft.ports.single),
        services=tuple(sorted(set(draft.services))),
        origin=draft.rule.origin,
        reason=draft.rule.reason,
    )


def _ports_key(draft: _Draft) -> tuple[object, ...]:
    return (draft.ports, draft.rule.sort_key, draft.rule.service, draft.answer)


def _rule_key(draft: _Draft) -> tuple[object, ...]:
    return draft.rule.sort_key


def _shape_key(shape: Shape) -> tuple[object, ...]:
    return shape.sort_key
