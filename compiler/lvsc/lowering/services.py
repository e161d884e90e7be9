"""From a service to its nodes on the directors: marks, virtual services, real servers, checks, source NAT, accepts."""

from collections.abc import Iterator

from lvsc.diagnostics import Anchor, Diagnostic, Place
from lvsc.graph.nodes import (
    Accept,
    Forwarding,
    HealthCheck,
    Marking,
    MarkSelector,
    Node,
    NoTrack,
    Persistence,
    Quorum,
    RealServer,
    Scheduler,
    SchedulerFlag,
    Selector,
    SorryServer,
    SourceNat,
    VirtualService,
)
from lvsc.graph.traffic import Address, Family, Hook, Network, PortRange, Protocol, TrafficClass, host_network
from lvsc.lowering import codes
from lvsc.lowering.loops import LoopGuard
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.probes import ChosenCheck
from lvsc.spec.model import Cluster, Director, Firewall, PoolServer, Service

_FLAGS_OF = {
    Scheduler.SH: {SchedulerFlag.SH_FALLBACK, SchedulerFlag.SH_PORT},
    Scheduler.MH: {SchedulerFlag.MH_FALLBACK, SchedulerFlag.MH_PORT},
}


def check_service(lowered: LoweredService) -> Iterator[Diagnostic]:
    """What IPVS could not do as the spec says it."""
    service, ports = lowered.service, lowered.ports
    if service.one_packet and ({port.protocol for port in ports} != {Protocol.UDP} or lowered.plan.persistence is not None):
        yield codes.ONE_PACKET.at(
            service.origin / "one_packet",
            f"service `{service.name}` is one-packet and "
            + ("persistent" if lowered.plan.persistence is not None else f"balances {', '.join(map(str, ports))}"),
            help="leave only UDP ports and no `persistence` in it",
        )
    if service.one_packet and Forwarding.NAT in service.forwardings:
        yield codes.ONE_PACKET_NAT.at(
            service.origin / "one_packet",
            f"the answers of `{service.name}` would come from the real servers' own addresses",
            others=[Place(service.pool.origin, Anchor.TABLE, "reached by `nat`")],
            help='reach its real servers by `forwarding = "direct"`, or remove `one_packet`',
        )
    wrong = [flag for flag in service.scheduler_flags if flag not in _FLAGS_OF.get(service.scheduler, ())]
    if wrong:
        yield codes.FLAGS.at(
            service.origin / "scheduler_flags",
            f"`{wrong[0].value}` does nothing with the scheduler `{service.scheduler.value}`",
            help=f"remove it, or choose the scheduler `{wrong[0].value[:2]}`",
        )
    for family in service.families:
        if not any(_reachable(server, family) for server in service.pool.enabled):
            yield codes.NO_SERVER.at(
                Place(service.origin, Anchor.TABLE),
                f"service `{service.name}` has IPv{family.value} addresses and pool `{service.pool.name}` no IPv{family.value}"
                " real server",
                others=[Place(service.pool.origin, Anchor.TABLE, "the pool")],
                help=f"add real servers with IPv{family.value} addresses, or an address of the other family only",
            )
    for server in service.pool.enabled:
        if server.port is not None:
            yield from _check_port(lowered, server)


def _check_port(lowered: LoweredService, server: PoolServer) -> Iterator[Diagnostic]:
    place = Place(server.origin / "port")
    others = [Place(lowered.service.origin, Anchor.TABLE, "the service")]
    only = lowered.single_port
    if only is None:
        yield codes.BUNDLE_PORT.at(
            place,
            f"service `{lowered.service.name}` balances {', '.join(map(str, lowered.ports))}:"
            f" `port = {server.port}` would send them all to one port",
            others=others,
            help="remove `port`, so that each packet keeps its own, or make a service of each port",
        )
    elif server.forwarding is not Forwarding.NAT and server.port != only.first:
        yield codes.FIXED_PORT.at(
            place,
            f"`{server.forwarding.value}` cannot change port {only.first} to {server.port}",
            others=others,
            help=f'remove `port`, let `{server.name}` listen on {only.first}, or reach it by `forwarding = "nat"`',
        )


def _reachable(server: PoolServer, family: Family) -> Address | None:
    """The real server's address for a service of a family; a tunnel carries either family over either."""
    own = server.ip(family)
    if own is None and server.forwarding is Forwarding.TUNNEL and server.ips:
        return server.ips[0]
    return own


def service_nodes(
    lowered: LoweredService, cluster: Cluster, guard: LoopGuard, check: ChosenCheck | None
) -> Iterator[Node]:
    """The nodes of a service on every director."""
    for director in cluster.directors:
        if lowered.mark is not None:
            yield from _markings(lowered, director.name, lowered.mark, guard.macs.get(director.name, ()))
        for selector in lowered.selectors():
            yield from _virtual_service(lowered, director.name, selector, check)
        if lowered.service.source_nat:
            yield from _source_nats(lowered, cluster, director)
        if cluster.accept:
            yield from _accepts(lowered, director.name)
        if cluster.firewall is not Firewall.NONE and Forwarding.NAT not in lowered.service.forwardings:
            yield from _no_tracks(lowered, director.name)


def port_match(ports: PortRange) -> PortRange | None:
    """The condition that a traffic class has for these ports: none where they are all."""
    return None if ports.all else ports


def _markings(lowered: LoweredService, host: str, mark: int, macs: tuple[str, ...]) -> Iterator[Node]:
    service = lowered.service
    for family, address, port in lowered.endpoints():
        traffic = TrafficClass(
            hook=Hook.PREROUTING,
            family=family,
            protocol=port.protocol,
            destination=host_network(address),
            destination_ports=port_match(port.ports),
            not_source_macs=macs,
        )
        yield Marking(host=host, origin=service.origin, traffic=traffic, service=service.name, mark=mark)


def _no_tracks(lowered: LoweredService, host: str) -> Iterator[Node]:
    """The answers do not pass the director, so to its connection tracking half of every connection is invalid."""
    service = lowered.service
    for family, address, port in lowered.endpoints():
        traffic = TrafficClass(
            hook=Hook.PREROUTING,
            family=family,
            protocol=port.protocol,
            destination=host_network(address),
            destination_ports=port_match(port.ports),
        )
        yield NoTrack(host=host, origin=service.origin, traffic=traffic, service=service.name)


def _accepts(lowered: LoweredService, host: str) -> Iterator[Node]:
    service = lowered.service
    for family, address, port in lowered.endpoints():
        traffic = TrafficClass(
            hook=Hook.INPUT,
            family=family,
            protocol=port.protocol,
            destination=host_network(address),
            destination_ports=port_match(port.ports),
        )
        yield Accept(host=host, origin=service.origin, traffic=traffic, service=service.name)


def _virtual_service(
    lowered: LoweredService, host: str, selector: Selector, check: ChosenCheck | None
) -> Iterator[Node]:
    service, pool = lowered.service, lowered.service.pool
    timeout = lowered.plan.persistence
    yield VirtualService(
        host=host,
        origin=service.origin,
        selector=selector,
        service=service.name,
        scheduler=service.scheduler,
        flags=service.scheduler_flags,
        persistence=None
        if timeout is None
        else Persistence(
            timeout=timeout,
            prefix_length=service.granularity[selector.family],
            engine=service.persistence_engine,
        ),
        one_packet=service.one_packet,
    )
    if pool.quorum is not None or pool.notify.quorum_up or pool.notify.quorum_down:
        yield Quorum(
            host=host,
            origin=pool.origin,
            selector=selector,
            weight=pool.quorum or 1,
            hysteresis=pool.hysteresis,
            up=pool.notify.quorum_up,
            down=pool.notify.quorum_down,
        )
    for server in pool.enabled:
        address = _reachable(server, selector.family)
        if address is not None:
            yield from _real_server(lowered, host, selector, server, address, check)
    sorry = pool.sorry_server
    if sorry is not None:
        for address in sorry.ips:
            if Family.of(address) is selector.family:
                yield SorryServer(
                    host=host,
                    origin=sorry.origin,
                    selector=selector,
                    address=address,
                    port=_real_port(lowered, selector, sorry.port, sorry.forwarding),
                    forwarding=sorry.forwarding,
                    tunnel=sorry.tunnel,
                )


def _real_port(lowered: LoweredService, selector: Selector, said: int | None, forwarding: Forwarding) -> int:
    """The port that IPVS is told of a real server; 0 keeps the packet's."""
    if isinstance(selector, MarkSelector):
        only = lowered.single_port
        changes = said is not None and forwarding is Forwarding.NAT and (only is None or only.first != said)
        return said if changes and said is not None else 0
    return said or selector.port


def _real_server(
    lowered: LoweredService,
    host: str,
    selector: Selector,
    server: PoolServer,
    address: Address,
    check: ChosenCheck | None,
) -> Iterator[Node]:
    pool = lowered.service.pool
    port = _real_port(lowered, selector, server.port, server.forwarding)
    yield RealServer(
        host=host,
        origin=server.origin,
        selector=selector,
        name=server.name,
        address=address,
        port=port,
        forwarding=server.forwarding,
        tunnel=server.tunnel,
        weight=server.weight,
        upper_threshold=server.upper_threshold,
        lower_threshold=server.lower_threshold,
    )
    if check is None:
        return
    said = check.check
    yield HealthCheck(
        host=host,
        origin=said.origin,
        selector=selector,
        address=address,
        port=port,
        probe=said.probe,
        probe_port=check.port_of(server),
        interval=said.interval,
        timeout=said.timeout,
        retries=said.retries,
        delay_before_retry=said.delay_before_retry,
        on_failure=pool.on_failure,
        up=pool.notify.up,
        down=pool.notify.down,
    )


def check_source_nat(lowered: LoweredService, cluster: Cluster) -> Iterator[Diagnostic]:
    """What keeps a service's full NAT from working."""
    service = lowered.service
    place = service.origin / "source_nat"
    for server in service.pool.enabled:
        if server.forwarding is not Forwarding.NAT:
            yield codes.SOURCE_NAT.at(
                place,
                f"`{server.name}` is reached by `{server.forwarding.value}`, which keeps the client's address",
                others=[Place(server.origin, label="the real server")],
                help="remove `source_nat`, or reach every real server by `nat`",
            )
            continue
        for ip in server.ips:
            if Family.of(ip) not in service.families:
                continue
            for director in cluster.directors:
                if _nat_address(service, cluster, director, ip) is None:
                    yield codes.SOURCE_NAT.at(
                        place,
                        f"director `{director.name}` has no IPv{ip.version} address towards `{server.name}` (`{ip}`)",
                        others=[Place(director.origin, Anchor.TABLE, "the director")],
                        help='add one to its `addresses`, or say through which network: `source_nat = "NETWORK"`',
                    )


def _nat_address(service: Service, cluster: Cluster, director: Director, server: Address) -> Address | None:
    family = Family.of(server)
    if isinstance(service.source_nat, str):
        return director.address_in(service.source_nat, family)
    for network in cluster.networks.values():
        if network.prefix_of(server) is not None:
            return director.address_in(network.name, family)
    return None


def _source_nats(lowered: LoweredService, cluster: Cluster, director: Director) -> Iterator[Node]:
    """Full NAT by the connection's original destination, the one predicate that both packet filters know."""
    service = lowered.service
    for family in service.families:
        by_address: dict[Address, list[Address]] = {}
        for server in service.pool.enabled:
            ip = server.ip(family)
            source = _nat_address(service, cluster, director, ip) if ip is not None else None
            if ip is not None and source is not None:
                by_address.setdefault(source, []).append(ip)
        for source, servers in by_address.items():
            # One address for all real servers needs no condition on which of them it is.
            narrowed: list[Network | None] = [None] if len(by_address) == 1 else [host_network(ip) for ip in servers]
            for _, address, port in (e for e in lowered.endpoints() if e[0] is family):
                for destination in narrowed:
                    traffic = TrafficClass(
                        hook=Hook.POSTROUTING,
                        family=family,
                        protocol=port.protocol,
                        destination=destination,
                        original_destination=host_network(address),
                        original_destination_ports=port_match(port.ports),
                    )
                    yield SourceNat(
                        host=director.name,
                        origin=service.origin / "source_nat",
                        traffic=traffic,
                        service=service.name,
                        address=source,
                    )
