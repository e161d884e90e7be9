"""The packets that virtual services live by: what clients send, what is sent on, what comes back, and health checks.

Whatever is not known makes them more. A box here says nothing of the hook at which packets are seen.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network

from lvsc.compare.sides import HostSide
from lvsc.graph.nodes import (
    Accept,
    AddressSelector,
    ConnectionSync,
    DnsProbe,
    Forwarding,
    HealthCheck,
    HelperAssignment,
    Marking,
    MarkSelector,
    NoTrack,
    PacketRule,
    RealServer,
    ScriptProbe,
    SorryServer,
    SourceNat,
    UdpProbe,
    VirtualAddress,
    VirtualService,
    VrrpInstance,
)
from lvsc.graph.traffic import Address, Family, Hook, Network, Protocol, TrafficClass, host_network
from lvsc.packets.dimensions import (
    Box,
    Dimension,
    Intervals,
    complement,
    joined,
    network_intervals,
    one,
    traffic_box,
)

_TCP, _UDP, _ICMP, _ICMPV6, _AH, _VRRP = 6, 17, 1, 58, 51, 112
_PORTED: Intervals = tuple((protocol.number, protocol.number) for protocol in sorted(Protocol))
_UNPORTED = complement(Dimension.PROTOCOL, _PORTED)
_EVERY_PORT: Intervals = ((0, 65535),)
#: Those from which programs connect (Linux: net.ipv4.ip_local_port_range never goes below).
_LOCAL_PORTS: Intervals = ((1024, 65535),)
#: Where nothing says another (Linux: ip_vs_sync.c, IP_VS_SYNC_PORT).
_SYNC_PORT = 8848
#: What a packet shows that comes in; the rest depends on the way that it has come.
_SHOWN = frozenset(
    {
        Dimension.FAMILY,
        Dimension.PROTOCOL,
        Dimension.SOURCE,
        Dimension.DESTINATION,
        Dimension.SOURCE_PORT,
        Dimension.DESTINATION_PORT,
    }
)
_EVERY_NETWORK: dict[Family, Network] = {
    Family.IPV4: IPv4Network("0.0.0.0/0"),
    Family.IPV6: IPv6Network("::/0"),
}


class Involved:
    """The packets of the services that any of the sides has on a host."""

    def __init__(self, sides: tuple[HostSide, ...]) -> None:
        self._sides = sides

    @cached_property
    def clients(self) -> list[Box]:
        """What clients send, and whatever else lvsc's rules match."""
        found: list[Box] = []
        for side in self._sides:
            for kind in (Marking, NoTrack, HelperAssignment, SourceNat, Accept):
                rules: Iterable[PacketRule] = side.nodes.of(kind)
                found += (_arriving(rule) for rule in rules if _of_clients(rule.traffic))
            for service in side.nodes.of(VirtualService):
                if isinstance(service.selector, AddressSelector):
                    found.append(_selected(service.selector))
        return found

    @cached_property
    def marks(self) -> frozenset[int]:
        """The marks by which packets find a service."""
        return frozenset(
            service.selector.mark
            for side in self._sides
            for service in side.nodes.of(VirtualService)
            if isinstance(service.selector, MarkSelector)
        )

    @cached_property
    def sent_on(self) -> list[Box]:
        """What IPVS and health checks send to real servers."""
        return self._talk(Dimension.DESTINATION, Dimension.DESTINATION_PORT, {})

    @cached_property
    def check_answers(self) -> list[Box]:
        """What real servers answer to health checks."""
        return self._talk(Dimension.SOURCE, Dimension.SOURCE_PORT, {Dimension.DESTINATION_PORT: _LOCAL_PORTS})

    @cached_property
    def answers(self) -> list[Box]:
        """What comes back to clients through the director, before it has the virtual address and then; where any does."""
        if not self.translates:
            return []
        return [*self._talk(Dimension.SOURCE, Dimension.SOURCE_PORT, {}), *self.from_virtual]

    @cached_property
    def from_virtual(self) -> list[Box]:
        """What has a virtual address for its source."""
        return [_at(Dimension.SOURCE, network) for network in self._virtual]

    @cached_property
    def opened(self) -> list[Box]:
        """Connections that real servers open through the director, both ways, where lvsc's rules translate any."""
        if not any(side.nodes.of(SourceNat) for side in self._sides):
            return []
        return [_at(way, to) for way in (Dimension.SOURCE, Dimension.DESTINATION) for to in self._servers]

    @cached_property
    def errors(self) -> list[Box]:
        """What routers say of packets that a virtual address sent."""
        icmp = {Family.IPV4: one(_ICMP), Family.IPV6: one(_ICMPV6)}
        return [
            _at(Dimension.DESTINATION, network) | {Dimension.PROTOCOL: icmp[Family.of(network)]}
            for network in self._virtual
        ]

    @cached_property
    def between_directors(self) -> list[Box]:
        """VRRP's adverts, and connection synchronisation."""
        found: list[Box] = []
        for side in self._sides:
            if side.nodes.of(VrrpInstance):
                found += ({Dimension.PROTOCOL: one(number)} for number in (_AH, _VRRP))
            found += (
                {Dimension.PROTOCOL: one(_UDP), Dimension.DESTINATION_PORT: one(sync.port or _SYNC_PORT)}
                for sync in side.nodes.of(ConnectionSync)
            )
        return found

    @cached_property
    def translates(self) -> bool:
        """Whether real servers answer through the director."""
        return any(server.forwarding is Forwarding.NAT for server in self._real_servers())

    @cached_property
    def answers_look_new(self) -> bool:
        """Whether connection tracking may take an answer for the beginning of a connection.

        Without `net.ipv4.vs.conntrack` it does not know it; of TCP the answer is then invalid, of other protocols new.
        """
        return self.translates and any(box.get(Dimension.PROTOCOL) != one(_TCP) for box in self.clients)

    def _talk(self, address: Dimension, port: Dimension, more: Box) -> list[Box]:
        """Packets to or from real servers at the ports and by the protocols that services and checks use."""
        ports, protocols = self._used
        found: list[Box] = []
        for network in self._servers:
            box = _at(address, network)
            found += (
                box | more | {Dimension.PROTOCOL: protocols, port: ports},
                box | {Dimension.PROTOCOL: _UNPORTED},
            )
        return found

    @cached_property
    def _used(self) -> tuple[Intervals, Intervals]:
        """The ports and protocols at which real servers are spoken to."""
        ports = [box.get(Dimension.DESTINATION_PORT, _EVERY_PORT) for box in self.clients]
        protocols = [box.get(Dimension.PROTOCOL, _PORTED) for box in self.clients]
        for server in self._real_servers():
            ports += [one(server.port)] if server.port else []
            if server.tunnel is not None and server.tunnel.port is not None:
                ports.append(one(server.tunnel.port))
                protocols.append(one(_UDP))
        for side in self._sides:
            for check in side.nodes.of(HealthCheck):
                if isinstance(check.probe, ScriptProbe):
                    return _EVERY_PORT, _PORTED
                ports += [one(check.probe_port)] if check.probe_port else []
                protocols.append(one(_UDP if isinstance(check.probe, UdpProbe | DnsProbe) else _TCP))
        return joined(ports), joined(protocols)

    @cached_property
    def _servers(self) -> tuple[Network, ...]:
        found: dict[Address, None] = dict.fromkeys(server.address for server in self._real_servers())
        for side in self._sides:
            found |= dict.fromkeys(check.address for check in side.nodes.of(HealthCheck))
        return tuple(map(host_network, found))

    @cached_property
    def _virtual(self) -> tuple[Network, ...]:
        found: dict[Network, None] = {}
        for side in self._sides:
            found |= dict.fromkeys(host_network(node.address.ip) for node in side.nodes.of(VirtualAddress))
            for service in side.nodes.of(VirtualService):
                if isinstance(service.selector, AddressSelector):
                    found[host_network(service.selector.address)] = None
            for rule in side.nodes.of(Marking):
                found[rule.traffic.destination or _EVERY_NETWORK[rule.traffic.family]] = None
        return tuple(found)

    def _real_servers(self) -> Iterator[RealServer | SorryServer]:
        for side in self._sides:
            yield from side.nodes.of(RealServer)
            yield from side.nodes.of(SorryServer)


def _of_clients(traffic: TrafficClass) -> bool:
    """Whether a rule may be about clients' packets: not about answers, nor about what directors say to each other."""
    group = traffic.destination is not None and traffic.destination.is_multicast
    answer = traffic.state is not None
    return not (traffic.hook is Hook.FORWARD or answer or group or not isinstance(traffic.protocol, Protocol))


def _arriving(rule: PacketRule) -> Box:
    """The packets of a rule as they come in, by what every rule can look at."""
    box = {dimension: found for dimension, found in traffic_box(rule.traffic).items() if dimension in _SHOWN}
    original = rule.traffic.original_destination
    if original is not None:
        box[Dimension.DESTINATION] = network_intervals(original)
        box.pop(Dimension.DESTINATION_PORT, None)
    return box


def _selected(selector: AddressSelector) -> Box:
    """What may find a service: besides its port, of FTP's any, which its data connections may come to."""
    box = _at(Dimension.DESTINATION, host_network(selector.address)) | {
        Dimension.PROTOCOL: one(selector.protocol.number)
    }
    if selector.port not in (0, 21):
        box[Dimension.DESTINATION_PORT] = one(selector.port)
    return box


def _at(dimension: Dimension, network: Network) -> Box:
    return {
        Dimension.FAMILY: one(int(Family.of(network) is Family.IPV6)),
        dimension: network_intervals(network),
    }
