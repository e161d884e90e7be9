"""What the directors' own firewall must let through: in INPUT and FORWARD, as narrowly as a rule can say it.

docs/kernel-facts.md has what was seen with firewalls that drop everything else.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from lvsc.diagnostics import Origin
from lvsc.graph.nodes import (
    Accept,
    AuthenticationType,
    DnsProbe,
    Forwarding,
    PingProbe,
    ScriptProbe,
    Selector,
    UdpProbe,
)
from lvsc.graph.traffic import (
    Address,
    Family,
    Hook,
    Network,
    Portless,
    PortRange,
    Protocol,
    State,
    TrafficClass,
    host_network,
)
from lvsc.lowering.directors import Placement
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.probes import ChosenCheck
from lvsc.lowering.services import client_classes, is_tracked, port_match, real_port
from lvsc.spec.model import (
    Cluster,
    ClusterNetwork,
    Director,
    PoolServer,
    SorryHost,
    SyncSettings,
    Vrrp,
    reached_at,
)
from lvsc.spec.schema.failover import SYNC_GROUP, SYNC_PORT

#: RFC 5798, 5.1.1.2 and 5.1.2.2.
_VRRP_GROUPS: dict[Family, Address] = {
    Family.IPV4: IPv4Address("224.0.0.18"),
    Family.IPV6: IPv6Address("ff02::12"),
}
#: Where IPv6 sends from to a group of the link (RFC 5798, 5.1.2.1).
_LINK_LOCAL = IPv6Network("fe80::/10")
_ICMP = {Family.IPV4: Portless.ICMP, Family.IPV6: Portless.ICMPV6}


def service_accepts(lowered: LoweredService, cluster: Cluster, check: ChosenCheck | None) -> Iterator[Accept]:
    """What a service needs on every director: its clients, answers to its health checks, and answers by NAT."""
    service = lowered.service
    found = [
        *((traffic, "clients") for traffic in client_classes(lowered, Hook.INPUT)),
        *(
            (traffic, "errors on the way of connections that are not tracked")
            for traffic in _untracked(lowered, cluster)
        ),
        *((traffic, "answers to health checks") for traffic in _checked(lowered, check)),
        *((traffic, "answers of real servers that are reached by nat") for traffic in _answers(lowered)),
    ]
    said_at = (("accept", cluster.origin / "accept"),)
    for director in cluster.directors:
        for traffic, reason in found:
            yield Accept(
                host=director.name,
                origin=service.origin,
                said_at=said_at,
                traffic=traffic,
                service=service.name,
                reason=reason,
            )


def director_accepts(
    cluster: Cluster, services: Iterable[LoweredService], places: Iterable[Placement]
) -> Iterator[Accept]:
    """What belongs to no one service: ICMP's errors, answers to mails, and what the directors say to each other."""
    services, places = tuple(services), tuple(places)
    for director in cluster.directors:
        for traffic, reason, origin in (
            *_errors(cluster, services),
            *_mails(cluster),
            *_adverts(cluster, places, director),
            *_synchronisation(cluster, director),
        ):
            yield Accept(
                host=director.name,
                origin=origin,
                said_at=(("accept", cluster.origin / "accept"),),
                traffic=traffic,
                service="",
                reason=reason,
            )


def _untracked(lowered: LoweredService, cluster: Cluster) -> Iterator[TrafficClass]:
    """What routers say of answers that went past the director is invalid to it (Linux: nf_conntrack_proto_icmp.c)."""
    if not is_tracked(lowered.service, cluster):
        for family in lowered.service.families:
            for address in lowered.service.ips(family):
                yield TrafficClass(
                    hook=Hook.INPUT,
                    family=family,
                    protocol=_ICMP[family],
                    destination=host_network(address),
                    state=State.INVALID,
                )


def _checked(lowered: LoweredService, check: ChosenCheck | None) -> Iterator[TrafficClass]:
    """What real servers answer; to a script, by whatever it may ask them."""
    if check is None:
        return
    probe = check.check.probe
    for selector in lowered.selectors():
        for server in lowered.service.pool.enabled:
            address = reached_at(server, selector.family)
            if address is None:
                continue
            icmp, port = _ICMP[Family.of(address)], check.port_of(server)
            match probe:
                case PingProbe():
                    protocols: tuple[Protocol | Portless, ...] = (icmp,)
                case ScriptProbe():
                    protocols = (Protocol.TCP, Protocol.UDP, icmp)
                case DnsProbe() | UdpProbe():
                    protocols = (Protocol.UDP,)
                case _:
                    protocols = (Protocol.TCP,)
            for protocol in protocols:
                yield _answer(Hook.INPUT, address, protocol, None if port is None else PortRange.one(port))


def _answers(lowered: LoweredService) -> Iterator[TrafficClass]:
    """What the filter sees of answers before IPVS gives them the virtual address (Linux: ip_vs_core.c, ip_vs_ops)."""
    pool = lowered.service.pool
    servers: list[PoolServer | SorryHost] = [*pool.enabled]
    if pool.sorry_server is not None:
        servers.append(pool.sorry_server)
    for selector in lowered.selectors():
        for server in servers:
            address = reached_at(server, selector.family)
            if address is not None and server.forwarding is Forwarding.NAT:
                for protocol, ports in _ports(lowered, selector, server):
                    yield _answer(Hook.FORWARD, address, protocol, ports)


def _ports(
    lowered: LoweredService, selector: Selector, server: PoolServer | SorryHost
) -> Iterator[tuple[Protocol, PortRange | None]]:
    port = real_port(lowered, selector, server.port, server.forwarding)
    for each in lowered.ports:
        yield each.protocol, PortRange.one(port) if port else port_match(each.ports)


def _answer(
    hook: Hook, address: Address, protocol: Protocol | Portless, ports: PortRange | None
) -> TrafficClass:
    return TrafficClass(
        hook=hook,
        family=Family.of(address),
        protocol=protocol,
        source=host_network(address),
        source_ports=ports,
        state=State.ESTABLISHED,
    )


_Said = Iterator[tuple[TrafficClass, str, Origin]]


def _errors(cluster: Cluster, services: Iterable[LoweredService]) -> _Said:
    """Any router on the way may send one: to a virtual address, to the director that checks, or past it to a client."""
    reached: set[Family] = set()
    translated: set[Family] = set()
    for lowered in services:
        service = lowered.service
        reached.update(service.families, (Family.of(ip) for s in service.pool.enabled for ip in s.ips))
        if Forwarding.NAT in service.forwardings:
            translated.update(service.families)
    for hook, families in ((Hook.INPUT, reached), (Hook.FORWARD, translated)):
        for family in sorted(families):
            yield (
                TrafficClass(hook=hook, family=family, protocol=_ICMP[family], state=State.RELATED),
                "errors on the way of known connections",
                cluster.origin,
            )


def _mails(cluster: Cluster) -> _Said:
    mail = cluster.email
    if mail is not None:
        ports = PortRange.one(mail.port)
        yield _answer(Hook.INPUT, mail.server, Protocol.TCP, ports), "answers to alerts by mail", mail.origin


def _adverts(cluster: Cluster, places: Iterable[Placement], director: Director) -> _Said:
    vrrp = cluster.failover
    if not isinstance(vrrp, Vrrp):
        return
    header = vrrp.authentication is not None and vrrp.authentication.type is AuthenticationType.AH
    for place in places:
        family, network = place.family, place.network
        own = director.address_in(network.name, family) if vrrp.unicast else None
        for source in _peers(cluster, director, network, family, link=not vrrp.unicast):
            traffic = TrafficClass(
                hook=Hook.INPUT,
                family=family,
                protocol=Portless.AH if header else Portless.VRRP,
                source=source,
                destination=host_network(own or _VRRP_GROUPS[family]),
                interface=director.interface(network),
            )
            yield traffic, "the directors' adverts to each other", vrrp.origin


def _synchronisation(cluster: Cluster, director: Director) -> _Said:
    sync: SyncSettings | None = cluster.connection_sync
    if sync is None:
        return
    group = sync.group or ip_address(SYNC_GROUP)
    network, family = cluster.networks[sync.network], Family.of(group)
    for source in _peers(cluster, director, network, family, link=group in _LINK_GROUPS):
        traffic = TrafficClass(
            hook=Hook.INPUT,
            family=family,
            protocol=Protocol.UDP,
            source=source,
            destination=host_network(group),
            destination_ports=PortRange.one(sync.port or SYNC_PORT),
            interface=director.interface(network),
        )
        yield traffic, "connection synchronisation", sync.origin


#: IPv6's groups of the link (RFC 4291, 2.7).
_LINK_GROUPS = IPv6Network("ff02::/16")


def _peers(
    cluster: Cluster, director: Director, network: ClusterNetwork, family: Family, *, link: bool
) -> Iterator[Network | None]:
    """Where the other directors send from by their interface in a network; None for a peer of which nothing says it.

    `link` says that they send to a group of the link, for which IPv6 takes an address of the link.
    """
    peers = [peer for peer in cluster.directors if peer is not director]
    if link and family is Family.IPV6:
        yield from (_LINK_LOCAL for _ in peers[:1])
        return
    for peer in peers:
        # The kernel takes the interface's first address, whichever of its networks that is in.
        found = [
            ip
            for other in cluster.networks.values()
            if peer.interface(other) == peer.interface(network)
            for ip in peer.addresses.get(other.name, ())
            if Family.of(ip) is family
        ]
        yield from map(host_network, found) if found else (None,)
