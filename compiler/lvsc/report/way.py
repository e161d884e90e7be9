"""Where a service's packets go on the directors, and what its real servers need for them, in words."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from lvsc.graph.graph import HostGraph, RuleGraph
from lvsc.graph.nodes import (
    Accept,
    Forwarding,
    HelperAssignment,
    KernelModule,
    Marking,
    Node,
    NoTrack,
    PacketRule,
    SourceNat,
    Sysctl,
    TunnelDevice,
    VirtualAddress,
)
from lvsc.graph.traffic import Hook
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.real_servers import real_server_nodes
from lvsc.spec.model import Cluster, PoolServer, served

R = TypeVar("R", bound=PacketRule)


@dataclass(frozen=True, slots=True)
class Stop:
    """What happens to the packets at a hook."""

    hook: Hook
    what: str


@dataclass(frozen=True, slots=True)
class Way:
    """The way of the packets on each of these directors, hook by hook."""

    directors: tuple[str, ...]
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What each of these real servers needs."""

    hosts: tuple[str, ...]
    managed: bool
    """Whether lvsc emits what of it is a file."""
    needs: tuple[str, ...]


def ways(lowered: LoweredService, graph: RuleGraph, cluster: Cluster) -> tuple[Way, ...]:
    """The ways of the service's packets; directors on which they go the same way are together."""
    found: dict[tuple[Stop, ...], list[str]] = {}
    for director in cluster.directors:
        stops = tuple(_stops(lowered, graph.hosts[director.name]))
        found.setdefault(stops, []).append(director.name)
    return tuple(Way(tuple(directors), stops) for stops, directors in found.items())


def _stops(lowered: LoweredService, director: HostGraph) -> Iterator[Stop]:
    """In the order of the hooks: IPVS works at INPUT, sends on by way of OUTPUT (Linux: ip_vs_core.c, ip_vs_xmit.c)."""
    service = lowered.service
    if _rules(director, NoTrack, lowered):
        yield Stop(
            Hook.PREROUTING, "connection tracking passes them over: it would see half of each connection"
        )
    for helper in sorted({rule.helper for rule in _rules(director, HelperAssignment, lowered)}):
        yield Stop(Hook.PREROUTING, f"the conntrack helper `{helper}` is to read their connections")
    for macs in sorted({rule.traffic.not_source_macs for rule in _rules(director, Marking, lowered)}):
        unless = f", unless they come from a peer director ({', '.join(macs)})" if macs else ""
        yield Stop(Hook.PREROUTING, f"they get mark {lowered.mark}{unless}")
    accepted = any(
        rule.traffic.hook is Hook.INPUT and rule.traffic.state is None
        for rule in _rules(director, Accept, lowered)
    )
    who = "a rule of lvsc" if accepted else "the director's own firewall"
    yield Stop(Hook.INPUT, f"{who} lets them through")
    known = "address" if lowered.mark is None else "mark"
    yield Stop(
        Hook.INPUT,
        f"IPVS finds the service by their {known}; `{service.scheduler.value}` picks a real server for each new connection",
    )
    for method in (Forwarding.DIRECT, Forwarding.TUNNEL):
        if method in service.forwardings:
            yield Stop(
                Hook.OUTPUT,
                f"by {method.value}: {_LEAVING[method]}, and the real server answers the client itself",
            )
    yield from _source_nat(_rules(director, SourceNat, lowered))
    if Forwarding.NAT in service.forwardings:
        yield Stop(Hook.FORWARD, "by nat: the answers come back, and IPVS gives them the virtual address")


_LEAVING = {Forwarding.DIRECT: "they leave as they came", Forwarding.TUNNEL: "they leave wrapped"}


def _rules(director: HostGraph, kind: type[R], lowered: LoweredService) -> list[R]:
    return [rule for rule in director.of(kind) if rule.service == lowered.service.name]


def _source_nat(rules: list[SourceNat]) -> Iterator[Stop]:
    full = {str(rule.address): None for rule in rules if rule.traffic.original_destination is not None}
    if full:
        yield Stop(Hook.POSTROUTING, f"their source becomes the director's own {' or '.join(full)}")
    opened = {
        (f"{rule.traffic.protocol.value}/{rule.traffic.source_ports or 'all'}", str(rule.address)): None
        for rule in rules
        if rule.traffic.original_destination is None
    }
    for ports, address in opened:
        yield Stop(
            Hook.POSTROUTING, f"connections that real servers open from {ports} get the source {address}"
        )


def preparations(lowered: LoweredService, cluster: Cluster) -> tuple[Preparation, ...]:
    """What the service's real servers need; those that need the same are together."""
    pool = lowered.service.pool
    # What lvsc would emit for an unmanaged one is what somebody else must set up.
    serving = [server for server in pool.enabled if served(server, lowered.service.families)]
    managed = replace(pool, real_servers=tuple(replace(server, managed=True) for server in serving))
    nodes: dict[str, list[Node]] = {}
    for node in real_server_nodes([replace(lowered, service=replace(lowered.service, pool=managed))]):
        nodes.setdefault(node.host, []).append(node)
    found: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for server in serving:
        words = tuple(
            dict.fromkeys([*_route(lowered, server, cluster), *map(_need, nodes.get(server.name, []))])
        )
        if words:
            found.setdefault((server.managed, words), []).append(server.name)
    return tuple(
        Preparation(hosts=tuple(hosts), managed=managed, needs=needs)
        for (managed, needs), hosts in found.items()
    )


def _route(lowered: LoweredService, server: PoolServer, cluster: Cluster) -> Iterator[str]:
    if server.forwarding is not Forwarding.NAT or lowered.service.source_nat:
        return
    gateways = [
        str(ip)
        for network in cluster.networks.values()
        if network.gateway is not None and any(network.prefix_of(own) for own in server.ips)
        for ip in cluster.addresses[network.gateway].ips
        if any(ip.version == own.version for own in server.ips)
    ]
    to = f"is {' and '.join(gateways)}" if gateways else "leads back through the active director"
    yield f"its default route {to}"


def _need(node: Node) -> str:
    match node:
        case VirtualAddress():
            return f"{node.address.ip} on {node.interface}"
        case TunnelDevice():
            port = f", UDP port {node.port}" if node.port is not None else ""
            return f"{node.device} unwraps {node.type.value}{port}"
        case KernelModule():
            return f"the module {node.name}"
        case Sysctl():
            return f"{node.key} = {node.value}"
        case _:
            return type(node).__name__
