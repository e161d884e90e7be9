"""From a service to its nodes on the directors: marks, virtual services, real servers, checks, source NAT."""

from collections.abc import Iterator

from lvsc.graph.nodes import (
    Forwarding,
    HealthCheck,
    Marking,
    MarkSelector,
    Node,
    NoTrack,
    Persistence,
    Quorum,
    RealServer,
    Selector,
    SorryServer,
    SourceNat,
    VirtualService,
)
from lvsc.graph.traffic import Address, Family, Hook, Network, PortRange, TrafficClass, host_network
from lvsc.lowering.loops import LoopGuard
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.probes import ChosenCheck
from lvsc.spec.model import Cluster, Director, Firewall, PoolServer, Service, reached_at


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
        if not is_tracked(lowered.service, cluster):
            yield from _no_tracks(lowered, director.name)


def is_tracked(service: Service, cluster: Cluster) -> bool:
    """Whether connection tracking may see the service's packets: half of a connection is invalid to a firewall."""
    return cluster.firewall is Firewall.NONE or Forwarding.NAT in service.forwardings


def port_match(ports: PortRange) -> PortRange | None:
    """The condition that a traffic class has for these ports: none where they are all."""
    return None if ports.all else ports


def _markings(lowered: LoweredService, host: str, mark: int, macs: tuple[str, ...]) -> Iterator[Node]:
    service = lowered.service
    for traffic in client_classes(lowered, Hook.PREROUTING, macs):
        yield Marking(host=host, origin=service.origin, traffic=traffic, service=service.name, mark=mark)


def _no_tracks(lowered: LoweredService, host: str) -> Iterator[Node]:
    """The answers do not pass the director, so to its connection tracking half of every connection is invalid."""
    service = lowered.service
    for traffic in client_classes(lowered, Hook.PREROUTING):
        yield NoTrack(host=host, origin=service.origin, traffic=traffic, service=service.name)


def client_classes(lowered: LoweredService, hook: Hook, macs: tuple[str, ...] = ()) -> Iterator[TrafficClass]:
    """What clients send to the service, as a hook sees it."""
    for family, address, port in lowered.endpoints():
        yield TrafficClass(
            hook=hook,
            family=family,
            protocol=port.protocol,
            destination=host_network(address),
            destination_ports=port_match(port.ports),
            not_source_macs=macs,
        )


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
    if (pool.quorum or 1, pool.hysteresis) != (1, 0) or pool.notify.quorum_up or pool.notify.quorum_down:
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
        address = reached_at(server, selector.family)
        if address is not None:
            yield from _real_server(lowered, host, selector, server, address, check=check)
    sorry = pool.sorry_server
    sorry_address = reached_at(sorry, selector.family) if sorry else None
    if sorry is not None and sorry_address is not None:
        yield SorryServer(
            host=host,
            origin=sorry.origin,
            said_at=sorry.said_at,
            selector=selector,
            address=sorry_address,
            port=real_port(lowered, selector, sorry.port, sorry.forwarding),
            forwarding=sorry.forwarding,
            tunnel=sorry.tunnel,
        )


def real_port(lowered: LoweredService, selector: Selector, said: int | None, forwarding: Forwarding) -> int:
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
    *,
    check: ChosenCheck | None,
) -> Iterator[Node]:
    pool = lowered.service.pool
    port = real_port(lowered, selector, server.port, server.forwarding)
    yield RealServer(
        host=host,
        origin=server.origin,
        said_at=server.said_at,
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
        said_at=pool.said_at,
        selector=selector,
        address=address,
        port=port,
        probe=said.probe,
        probe_port=check.port_of(server),
        interval=said.interval,
        timeout=said.timeout,
        retries=said.retries,
        delay_before_retry=said.delay_before_retry if said.retries else 0,
        on_failure=pool.on_failure,
        up=pool.notify.up,
        down=pool.notify.down,
    )


def nat_address(service: Service, cluster: Cluster, director: Director, server: Address) -> Address | None:
    """The director's own address that replaces a client's towards a real server; None where it has none."""
    family = Family.of(server)
    if isinstance(service.source_nat, str):
        return director.address_in(service.source_nat, family)
    network = cluster.network_of(server)
    if network is None:
        return None
    prefix = network.prefix_of(server)
    near = (ip for ip in director.addresses.get(network.name, ()) if prefix is not None and ip in prefix)
    return next(near, None) or director.address_in(network.name, family)


def _source_nats(lowered: LoweredService, cluster: Cluster, director: Director) -> Iterator[Node]:
    """Full NAT by the connection's original destination, the one predicate that both packet filters know."""
    service = lowered.service
    for family in service.families:
        by_address: dict[Address, list[Address]] = {}
        for server in service.pool.everybody:
            ip = server.ip(family)
            source = nat_address(service, cluster, director, ip) if ip is not None else None
            if ip is not None and source is not None:
                by_address.setdefault(source, []).append(ip)
        for source, servers in by_address.items():
            # One address for all servers needs no condition on which of them it is.
            narrowed: list[Network | None] = (
                [None] if len(by_address) == 1 else [host_network(ip) for ip in servers]
            )
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
