"""Which virtual service a packet finds, asked as IPVS asks (ip_vs_ctl.c, ip_vs_service_find), and what that ties together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from lvsc.compare.names import end
from lvsc.compare.sides import HostSide
from lvsc.compare.treatment import Nodes
from lvsc.graph.nodes import AddressSelector, Marking, MarkSelector, Persistence, Selector, VirtualService
from lvsc.graph.traffic import Address, Family, Hook, Network, Protocol
from lvsc.packets.diagram import Space
from lvsc.packets.sets import PacketSet
from lvsc.packets.words import classes, listed
from lvsc.trace.asked import Asked
from lvsc.trace.result import Lookup, Tie

FTP_CONTROL, FTP_DATA, UNPRIVILEGED = 21, 20, 1024


@dataclass(frozen=True, slots=True)
class Hit:
    """A virtual service that a packet finds, and by which question."""

    service: VirtualService
    by: Lookup

    @property
    def taken(self) -> bool:
        """Whether the service takes the packet.

        A service on port 21 that is not persistent is found for data ports, and schedules none of their packets
        (ip_vs_core.c, ip_vs_schedule; docs/kernel-facts.md).
        """
        return self.by is not Lookup.FTP or self.service.persistence is not None


def look_up(host: Nodes, asked: Asked, mark: int) -> Hit | None:
    """The first service that a question of the look-up finds."""
    services = {service.selector: service for service in host.of(VirtualService)}
    for by, selector in _questions(asked, mark):
        found = services.get(selector)
        if found is not None:
            return Hit(found, by)
    return None


def _questions(asked: Asked, mark: int) -> Iterator[tuple[Lookup, Selector]]:
    def at(port: int) -> AddressSelector:
        return AddressSelector(asked.protocol, asked.destination, port)

    if mark:
        yield Lookup.MARK, MarkSelector(mark, asked.family)
    yield Lookup.EXACT, at(asked.destination_port)
    port = asked.destination_port
    if asked.protocol is Protocol.TCP and (port == FTP_DATA or port >= UNPRIVILEGED):
        yield Lookup.FTP, at(FTP_CONTROL)
    yield Lookup.ANY_PORT, at(0)


def open_question(host: HostSide, asked: Asked, mark: int, hit: Hit | None, found: str) -> str:
    """Why it is open which service takes a packet that finds `hit`, called `found`; empty where it is not."""
    if hit is not None and hit.service.selector in host.doubtful:
        return f"it finds service {found}, and not all of that is understood"
    selectors = (service.selector for service in host.nodes.of(VirtualService))
    marks = sorted(s.mark for s in selectors if isinstance(s, MarkSelector) and s.family is asked.family)
    if marks and not mark and not host.speaks_of(Marking):
        without = "no service takes it" if hit is None else f"it finds service {found}"
        return (
            f"nothing here says whether it gets mark {listed(map(str, marks), ' or ')}, by which it finds a service;"
            f" without a mark, {without} (`mark {marks[0]}` behind the packet says that it has one)"
        )
    if hit is None and host.partial:
        return "it finds none of the services that are understood, and there may be others"
    return ""


def tie(host: Nodes, service: VirtualService, asked: Asked) -> Tie | None:
    """What the service's persistence keeps on one real server together with the packet."""
    persistence = service.persistence
    if persistence is None:
        return None
    return Tie(
        persistence=persistence,
        clients=_neighbours(asked.source, persistence),
        packets=_tied(host, service.selector),
    )


def _neighbours(client: Address, persistence: Persistence) -> Network:
    if Family.of(client) is Family.IPV4:
        return IPv4Network((int(client), persistence.prefix_length), strict=False)
    return IPv6Network((int(client), persistence.prefix_length), strict=False)


def _tied(host: Nodes, selector: Selector) -> tuple[str, ...]:
    """The packets that share a client's template: those of a mark, of a port, or of all ports (ip_vs_sched_persist)."""
    if isinstance(selector, MarkSelector):
        own = (
            rule.traffic
            for rule in host.of(Marking)
            if rule.mark == selector.mark and rule.traffic.family is selector.family
        )
        chosen = [traffic for traffic in own if traffic.hook is Hook.PREROUTING]
        words = classes(PacketSet.of_classes(Space(), chosen).boxes())
        return words or (f"whatever has mark {selector.mark}",)
    protocol, address = selector.protocol, selector.address
    if selector.port == 0:
        return (f"{protocol.value} to {address}, every port without a service of its own",)
    if selector.port == FTP_CONTROL and protocol is Protocol.TCP:
        data = f"{FTP_DATA} and from {UNPRIVILEGED} up"
        return (f"tcp to {address}, ports {FTP_CONTROL}, {data}, but those with a service of their own",)
    return (f"{protocol.value} to {end(address, selector.port)}",)


def answered(host: Nodes, asked: Asked, servers: Iterable[tuple[Selector, int]]) -> tuple[str, ...]:
    """The virtual addresses and ports whose answers a packet of a real server can be; `servers` are the services and the
    real server's port in each, 0 where packets keep their own.
    """
    found: dict[str, None] = {}
    for selector, port in servers:
        if selector.family is not asked.family or port not in (0, asked.source_port):
            continue
        if isinstance(selector, AddressSelector):
            if selector.protocol is asked.protocol and (port or selector.port in (0, asked.source_port)):
                found[end(selector.address, selector.port or asked.source_port)] = None
            continue
        for rule in host.of(Marking):
            traffic = rule.traffic
            if rule.mark != selector.mark or traffic.family is not selector.family:
                continue
            ports, to = traffic.destination_ports, traffic.destination
            if traffic.protocol is asked.protocol and (port or ports is None or asked.source_port in ports):
                where = "the virtual address" if to is None else str(to).removesuffix(f"/{asked.family.bits}")
                found[where] = None
    return tuple(found)
