"""From nodes to rules, in the very words in which iptables-save 1.8 prints them back (both variants alike)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from lvsc.plugin import (
    Accept,
    HelperAssignment,
    Hook,
    HostGraph,
    Line,
    Marking,
    Network,
    NoTrack,
    Origin,
    PacketRule,
    Portless,
    PortRange,
    Protocol,
    SourceNat,
    TrafficClass,
)
from lvsc_iptables.chains import Chain, chain_of

#: The exact types of the nodes that this backend renders.
RENDERED: tuple[type[PacketRule], ...] = (Marking, NoTrack, HelperAssignment, SourceNat, Accept)

#: XT_MULTI_PORTS of the kernel's xt_multiport.h; a range takes two.
MULTIPORT_SLOTS = 15

#: Where a packet has not been given an outgoing interface yet, or has no incoming one any more.
OUTGOING_HOOKS = frozenset({Hook.OUTPUT, Hook.POSTROUTING})


#: How much of a traffic class's sort key comes before its ports: family, addresses, protocol.
_PROTOCOL = 4

#: How a protocol is written that not every host's /etc/protocols names.
_NUMBERED: dict[Protocol | Portless, str] = {Portless.VRRP: "112"}


def packet_rules(graph: HostGraph) -> Iterator[PacketRule]:
    """The nodes of the graph that this backend renders."""
    for kind in RENDERED:
        yield from graph.of(kind)


def rules_by_chain(nodes: Iterable[PacketRule]) -> Mapping[Chain, tuple[Line, ...]]:
    """The rules of these nodes by chain, in the order of `Chain`; chains without rules are left out.

    Rules that differ in their destination ports alone, or for want of these in their source ports alone, become one
    where multiport can say it. The order of the nodes does not matter.
    """
    groups: dict[tuple[Chain, str, bool, str], _Group] = {}
    for node in nodes:
        chain = chain_of(node)
        if chain is None:
            raise ValueError(f"no chain for {node!r}: `check` refuses it")
        by_source = (
            _unless_all(node.traffic.destination_ports) is None
            and _unless_all(node.traffic.source_ports) is not None
        )
        before = _addresses(node.traffic, source_ports=not by_source)
        after = _conditions(node.traffic) + _verdict(node)
        place = chain.nodes.index(type(node))
        groups.setdefault(
            (chain, before, by_source, after),
            _Group(place, node.traffic, by_source, before, after, node.reason),
        ).add(node)
    found: dict[Chain, list[Line]] = {chain: [] for chain in Chain}
    said: dict[Chain, str] = {}
    for (chain, *_), group in sorted(groups.items(), key=lambda item: item[1].sort_key):
        if group.reason != said.get(chain, ""):
            found[chain].extend([Line(f"# {group.reason}")] if group.reason else [])
            said[chain] = group.reason
        found[chain].extend(group.lines(chain.label))
    return {chain: tuple(lines) for chain, lines in found.items() if lines}


@dataclass(slots=True)
class _Group:
    """Nodes whose rules differ in the ports of one side alone."""

    place: int
    """That of the nodes' type in the chain."""
    traffic: TrafficClass
    """That of any of the nodes, for what they have in common."""
    by_source: bool
    """Whether it is the source's side; the rules are then for every destination port."""
    before: str
    """What a rule says before the ports."""
    after: str
    """What it says after them."""
    reason: str = ""
    ports: dict[PortRange, Origin] = field(default_factory=dict)
    all_ports: Origin | None = None

    def add(self, node: PacketRule) -> None:
        ports = _unless_all(node.traffic.source_ports if self.by_source else node.traffic.destination_ports)
        if ports is None:
            self.all_ports = node.origin
        else:
            self.ports[ports] = node.origin

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Orders groups by their nodes' type, traffic and first port, and by their text where these leave it open."""
        first = min(self.ports) if self.all_ports is None else None
        source_ports = first if self.by_source else _unless_all(self.traffic.source_ports)
        key = replace(self.traffic, source_ports=source_ports, destination_ports=None).sort_key
        port = (-1, -1) if self.by_source or first is None else (first.first, first.last)
        return self.place, *key[:_PROTOCOL], port, *key[_PROTOCOL:], self.before, self.after

    def lines(self, chain: str) -> Iterator[Line]:
        if self.all_ports is not None:
            yield Line(f"-A {chain}{self.before}{self.after}", self.all_ports)
            return
        for chunk in _chunks(sorted(self.ports)):
            yield Line(f"-A {chain}{self.before}{self._ports(chunk)}{self.after}", self.ports[chunk[0]])

    def _ports(self, ranges: tuple[PortRange, ...]) -> str:
        """The condition on the ports, which goes on with the protocol's match where `_addresses` opened it."""
        option = "sport" if self.by_source else "dport"
        if len(ranges) > 1:
            return f" -m multiport --{option}s {','.join(map(_range, ranges))}"
        opened = not self.by_source and _unless_all(self.traffic.source_ports) is not None
        match = "" if opened else f" -m {self.traffic.protocol.value}"
        return f"{match} --{option} {_range(ranges[0])}"


def _chunks(ranges: list[PortRange]) -> Iterator[tuple[PortRange, ...]]:
    """The ranges in order, as many at a time as one multiport match holds."""
    chunk: list[PortRange] = []
    slots = 0
    for ports in ranges:
        need = 1 if ports.single else 2
        if slots + need > MULTIPORT_SLOTS:
            yield tuple(chunk)
            chunk, slots = [], 0
        chunk.append(ports)
        slots += need
    if chunk:
        yield tuple(chunk)


def _unless_all(ports: PortRange | None) -> PortRange | None:
    """The ports where they are a condition."""
    return None if ports is None or ports.all else ports


def _addresses(traffic: TrafficClass, *, source_ports: bool) -> str:
    text = ""
    if traffic.source is not None and traffic.source.prefixlen:
        text += f" -s {traffic.source}"
    if traffic.destination is not None and traffic.destination.prefixlen:
        text += f" -d {traffic.destination}"
    if traffic.interface is not None:
        text += f" {'-o' if traffic.hook in OUTGOING_HOOKS else '-i'} {traffic.interface}"
    text += f" -p {_NUMBERED.get(traffic.protocol, traffic.protocol.value)}"
    if source_ports and (ports := _unless_all(traffic.source_ports)) is not None:
        text += f" -m {traffic.protocol.value} --sport {_range(ports)}"
    return text


def _conditions(traffic: TrafficClass) -> str:
    text = "".join(f" -m mac ! --mac-source {mac}" for mac in traffic.not_source_macs)
    network, ports = traffic.original_destination, traffic.original_destination_ports
    original = network is not None or ports is not None
    if original or traffic.state is not None:
        text += " -m conntrack"
    if traffic.state is not None:
        text += f" --ctstate {traffic.state.value}"
    if network is not None and network.prefixlen:
        text += f" --ctorigdst {_address_or_network(network)}"
    if ports is not None and not ports.all:
        text += f" --ctorigdstport {_range(ports)}"
    return f"{text} --ctdir ORIGINAL" if original else text


def _verdict(node: PacketRule) -> str:
    comment = f' -m comment --comment "service {node.service}"' if node.service else ""
    match node:
        case Marking():
            return f"{comment} -j MARK --set-xmark {node.mark:#x}/0xffffffff"
        case NoTrack():
            return f"{comment} -j CT --notrack"
        case HelperAssignment():
            return f"{comment} -j CT --helper {node.helper}"
        case SourceNat():
            return f"{comment} -j SNAT --to-source {node.address}"
        case _:
            return f"{comment} -j ACCEPT"


def _range(ports: PortRange) -> str:
    return str(ports.first) if ports.single else f"{ports.first}:{ports.last}"


def _address_or_network(network: Network) -> str:
    """As the conntrack match prints it: without the length where it is a single address."""
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
