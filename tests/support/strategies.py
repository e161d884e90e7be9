"""Generated parts of a packet filter: nodes as the graph has them, of which no two are for one packet."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from hypothesis import strategies as st

from lvsc.plugin import (
    Accept,
    Address,
    Family,
    HelperAssignment,
    Hook,
    Marking,
    Network,
    NoTrack,
    PacketRule,
    Portless,
    PortRange,
    Protocol,
    SourceNat,
    State,
    TrafficClass,
)
from support.nodes import accept, helper, marking, no_track, source_nat

BOTH_FILTERS: tuple[type[PacketRule], ...] = (Marking, NoTrack, HelperAssignment, SourceNat)
"""The kinds of packet rules that iptables and nftables know."""

_HOOKS = {
    Marking: (Hook.PREROUTING, Hook.PREROUTING, Hook.OUTPUT),
    NoTrack: (Hook.PREROUTING, Hook.OUTPUT),
    HelperAssignment: (Hook.PREROUTING,),
    SourceNat: (Hook.POSTROUTING,),
    Accept: (Hook.INPUT, Hook.FORWARD),
}
#: ip6tables takes AH for an extension header, which nothing here asks for.
_PORTLESS = {
    Family.IPV4: (Portless.ICMP, Portless.AH, Portless.VRRP),
    Family.IPV6: (Portless.ICMPV6, Portless.VRRP),
}
_SERVICES = st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True)
_INTERFACES = st.sampled_from(("eth0", "eth1", "bond0.12", "tcp", "ip6", "drop"))
_MACS = st.integers(0, 2**48 - 1).map(lambda number: bytes.hex(number.to_bytes(6, "big"), ":"))
_HELPERS = st.sampled_from(("ftp", "tftp", "sip", "h.323"))
_REASONS = st.sampled_from(("", "because { of; this", '# "quoted" -j DROP'))


def addresses(family: Family) -> st.SearchStrategy[Address]:
    """Addresses that a host can have; many of them near each other."""
    if family is Family.IPV4:
        near = st.integers(0, 15).map(lambda n: IPv4Address("192.0.2.0") + n)
        return st.one_of(near, st.integers(0x01000000, 0xDFFFFFFF).map(IPv4Address))
    near6 = st.integers(0, 15).map(lambda n: IPv6Address("2001:db8::") + n)
    return st.one_of(near6, st.integers(1, 0xFE << 120).map(IPv6Address))


@st.composite
def networks(draw: st.DrawFn, family: Family) -> Network:
    """Single addresses mostly, else networks."""
    address = draw(addresses(family))
    length = draw(st.one_of(st.just(family.bits), st.integers(1, family.bits)))
    if isinstance(address, IPv4Address):
        return IPv4Network((address, length), strict=False)
    return IPv6Network((address, length), strict=False)


@st.composite
def port_ranges(draw: st.DrawFn) -> PortRange:
    """Single ports and ranges, never all ports: a class without a condition says those."""
    first = draw(st.one_of(st.integers(78, 90), st.integers(0, 65535)))
    last = draw(
        st.one_of(st.just(first), st.integers(first, min(first + 12, 65535)), st.integers(first, 65535))
    )
    found = PortRange(first, last)
    return PortRange.one(first) if found.all else found


@st.composite
def traffic_classes(draw: st.DrawFn, kind: type[PacketRule]) -> TrafficClass:
    """A class at a hook where rules of the kind can be."""
    family = draw(st.sampled_from(Family))
    hook = draw(st.sampled_from(_HOOKS[kind]))
    found = TrafficClass(
        hook=hook,
        family=family,
        protocol=draw(st.sampled_from(Protocol)),
        source=draw(st.one_of(st.none(), st.none(), networks(family))),
        destination=draw(st.one_of(st.none(), networks(family), networks(family), networks(family))),
        source_ports=draw(st.one_of(st.none(), st.none(), port_ranges())),
        destination_ports=draw(st.one_of(st.none(), port_ranges(), port_ranges())),
        interface=draw(st.one_of(st.none(), st.none(), _INTERFACES)),
    )
    if hook is Hook.PREROUTING:
        macs = draw(st.one_of(st.just(()), st.sets(_MACS, max_size=3)))
        found = replace(found, not_source_macs=tuple(sorted(macs)))
    if kind in (Marking, SourceNat, Accept):
        original = draw(
            st.one_of(
                st.just((None, None)),
                st.tuples(st.one_of(st.none(), networks(family)), st.one_of(st.none(), port_ranges())),
                st.just((ip_network("0.0.0.0/0" if family is Family.IPV4 else "::/0"), None)),
            )
        )
        found = replace(found, original_destination=original[0], original_destination_ports=original[1])
    if kind is Accept:
        found = replace(found, state=draw(st.one_of(st.none(), st.sampled_from(State))))
        if draw(st.integers(0, 3)) == 0:
            protocol = draw(st.sampled_from(_PORTLESS[family]))
            found = replace(found, protocol=protocol, source_ports=None, destination_ports=None)
    return found


@st.composite
def packet_rules(draw: st.DrawFn, kinds: tuple[type[PacketRule], ...] = BOTH_FILTERS) -> PacketRule:
    """A node of one of the kinds."""
    kind = draw(st.sampled_from(kinds))
    traffic = draw(traffic_classes(kind))
    service, reason = draw(_SERVICES), draw(_REASONS)
    if kind is Marking:
        mark = draw(st.one_of(st.integers(1, 300), st.integers(1, 2**32 - 1)))
        return replace(marking(traffic, mark, service), reason=reason)
    if kind is HelperAssignment:
        return replace(helper(traffic, draw(_HELPERS), service), reason=reason)
    if kind is SourceNat:
        return replace(source_nat(traffic, str(draw(addresses(traffic.family))), service), reason=reason)
    return replace((accept if kind is Accept else no_track)(traffic, service), reason=reason)


def parts(kinds: tuple[type[PacketRule], ...] = BOTH_FILTERS) -> st.SearchStrategy[tuple[PacketRule, ...]]:
    """Nodes of which no two of one kind are for one packet."""
    return st.lists(packet_rules(kinds), max_size=12).map(disjoint)


def disjoint(rules: Iterable[PacketRule]) -> tuple[PacketRule, ...]:
    """The rules without those for a packet that an earlier one of their kind is for."""
    kept: list[PacketRule] = []
    for rule in rules:
        if not any(type(rule) is type(one) and meet(rule.traffic, one.traffic) for one in kept):
            kept.append(rule)
    return tuple(kept)


def meet(one: TrafficClass, other: TrafficClass) -> bool:
    """Whether a packet may be in both classes; two that differ in excluded MAC addresses alone always meet."""
    if (one.hook, one.family, one.protocol) != (other.hook, other.family, other.protocol):
        return False
    if one.interface is not None and other.interface is not None and one.interface != other.interface:
        return False
    if one.state is not None and other.state is not None and one.state is not other.state:
        return False
    pairs = (
        (one.source, other.source),
        (one.destination, other.destination),
        (one.source_ports, other.source_ports),
        (one.destination_ports, other.destination_ports),
        (one.original_destination, other.original_destination),
        (one.original_destination_ports, other.original_destination_ports),
    )
    return all(a is None or b is None or a.overlaps(b) for a, b in pairs)  # type: ignore[arg-type]  # of one kind


def loadable(rule: PacketRule) -> bool:
    """Whether a kernel takes the rule: it knows its helpers by name and protocol."""
    helpers = {("ftp", Protocol.TCP), ("tftp", Protocol.UDP)}
    return not isinstance(rule, HelperAssignment) or (rule.helper, rule.traffic.protocol) in helpers
