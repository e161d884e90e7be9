"""The plainest interpreter of what IPVS does with a client's packet, to hold the real comparison against.

The order is that of docs/kernel-facts.md, "Port 0 and port 21 beside other services", with the mark before it all.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from lvsc.graph.nodes import (
    AddressSelector,
    Forwarding,
    Marking,
    MarkSelector,
    Node,
    RealServer,
    Selector,
    VirtualService,
)
from lvsc.graph.traffic import Address, Family, Hook, Protocol
from lvsc.packets.dimensions import Dimension, Packet, Point, hook_number, interface_number

PORTS = (1, 20, 21, 79, 80, 81, 443, 1023, 1024, 2049, 8080, 10000, 65535)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A client's packet as it arrives at a director."""

    protocol: Protocol
    address: Address
    port: int
    source: Address
    source_port: int = 40000
    interface: str = "eth0"

    @property
    def family(self) -> Family:
        return Family.of(self.address)

    @property
    def point(self) -> Point:
        """The packet as numbers, for the diagrams."""
        found = dict.fromkeys(Dimension, 0)
        found[Dimension.HOOK] = hook_number(Hook.PREROUTING)
        found[Dimension.FAMILY] = int(self.family is Family.IPV6)
        found[Dimension.DESTINATION] = found[Dimension.ORIGINAL_DESTINATION] = int(self.address)
        found[Dimension.PROTOCOL] = self.protocol.number
        found[Dimension.DESTINATION_PORT] = found[Dimension.ORIGINAL_DESTINATION_PORT] = self.port
        found[Dimension.SOURCE] = int(self.source)
        found[Dimension.SOURCE_PORT] = self.source_port
        found[Dimension.INTERFACE] = interface_number(self.interface)
        return tuple(found.values())

    @classmethod
    def of(cls, packet: Packet) -> "Sent":
        """A witness, sent."""
        return cls(
            protocol=next(p for p in Protocol if p.number == packet.protocol),
            address=packet.destination,
            port=packet.destination_port,
            source=packet.source,
            source_port=packet.source_port,
            interface=packet.interface,
        )


def sent(
    addresses: Iterable[Address], sources: Sequence[Address], ports: Iterable[int] = PORTS
) -> list[Sent]:
    """A packet of each protocol to each address and port."""
    return [
        Sent(
            protocol=protocol,
            address=address,
            port=port,
            source=next(source for source in sources if source.version == address.version),
        )
        for protocol, address, port in product(Protocol, addresses, ports)
    ]


def matches(rule: Marking, packet: Sent) -> bool:
    """Whether a marking is for the packet."""
    traffic = rule.traffic
    return (
        traffic.hook is Hook.PREROUTING
        and traffic.family is packet.family
        and traffic.protocol is packet.protocol
        and (traffic.destination is None or packet.address in traffic.destination)
        and (traffic.destination_ports is None or packet.port in traffic.destination_ports)
        and (traffic.source is None or packet.source in traffic.source)
        and (traffic.source_ports is None or packet.source_port in traffic.source_ports)
        and (traffic.interface is None or traffic.interface == packet.interface)
    )


def found_by(nodes: Iterable[Node], packet: Sent) -> tuple[str, Selector] | None:
    """Whether the packet is taken or refused, and by which service; None where none is found."""
    everything = list(nodes)
    services = {node.selector: node for node in everything if isinstance(node, VirtualService)}
    mark = next((n.mark for n in everything if isinstance(n, Marking) and matches(n, packet)), 0)
    by_mark = MarkSelector(mark, packet.family)
    if mark and by_mark in services:
        return "taken", by_mark
    exact = AddressSelector(packet.protocol, packet.address, packet.port)
    if packet.port and exact in services:
        return "taken", exact
    control = AddressSelector(Protocol.TCP, packet.address, 21)
    ftp_data = packet.protocol is Protocol.TCP and (packet.port == 20 or packet.port >= 1024)
    if ftp_data and control in services:
        return ("taken" if services[control].persistence else "refused"), control
    rest = AddressSelector(packet.protocol, packet.address, 0)
    return ("taken", rest) if rest in services else None


def becomes(nodes: Iterable[Node], packet: Sent) -> Hashable:
    """What becomes of the packet: the service's settings, and each real server with the port that it is sent to."""
    everything = list(nodes)
    found = found_by(everything, packet)
    if found is None or found[0] == "refused":
        return None if found is None else "refused"
    service = next(n for n in everything if isinstance(n, VirtualService) and n.selector == found[1])
    servers = frozenset(
        (n.address, _port(n, packet), n.forwarding, n.tunnel, n.weight, n.upper_threshold, n.lower_threshold)
        for n in everything
        if isinstance(n, RealServer) and n.selector == found[1]
    )
    return (service.scheduler, service.flags, service.persistence, service.one_packet, servers)


def _port(server: RealServer, packet: Sent) -> int:
    return server.port if server.port and server.forwarding is Forwarding.NAT else packet.port
