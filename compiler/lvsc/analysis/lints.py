"""What is suspicious in a lowered cluster, or certainly not meant."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from lvsc.analysis import codes
from lvsc.analysis.overlap import report_overlaps
from lvsc.analysis.pools import (
    check_of,
    distant,
    hashed_away,
    hopeless_checks,
    left_out,
    no_way,
    quorums,
    two_ways_back,
    zero_weights,
)
from lvsc.diagnostics import Anchor, Diagnostic, Origin, Place, has_errors
from lvsc.graph.graph import RuleGraph
from lvsc.graph.nodes import (
    FailureAction,
    Forwarding,
    Marking,
    MarkSelector,
    Node,
    Scheduler,
    SchedulerFlag,
    SourceNat,
    VirtualService,
)
from lvsc.graph.traffic import Family, Network, Protocol
from lvsc.lowering.lowered import Lowered, LoweredService
from lvsc.spec.model import Cluster, ClusterNetwork, ExternalFailover, Firewall, NoCheck, reached_at

#: ip_vs_rr.c, ip_vs_lc.c and ip_vs_dh.c read a weight only to see whether it is 0.
_WEIGHTLESS = {Scheduler.RR, Scheduler.LC, Scheduler.DH}
#: Schedulers that keep a client at one real server by its address alone, unless a flag adds the port.
_HASHING = {Scheduler.SH: SchedulerFlag.SH_PORT, Scheduler.MH: SchedulerFlag.MH_PORT}


def lint(lowered: Lowered) -> list[Diagnostic]:
    """Everything that the core finds wrong with a cluster."""
    cluster = lowered.cluster
    found = report_overlaps(lowered.services)
    found += _unused(cluster)
    found += _networks_within(cluster)
    for service in lowered.services:
        found += _weights(service)
        found += _bundle(service)
        found += _reach(service, cluster)
        found += _half_tracked(service, cluster)
        found += _idle_engine(service)
        found += _lost_connections(service, cluster)
        found += _idle_thresholds(service)
        found += _idle_granularity(service)
    found += left_out(lowered.services)
    found += hashed_away(lowered.services)
    found += two_ways_back(lowered.services)
    found += distant(lowered.services, cluster)
    found += no_way(lowered.services, cluster)
    found += hopeless_checks(lowered.services)
    found += _stuck_clients(lowered.services, cluster)
    found += _gateways(lowered.services, cluster)
    found += _moved_by_others(lowered.services, cluster)
    return [*found, *quorums(lowered.services), *_source_nats(lowered.graph), *_loose_marks(lowered.graph)]


def lint_sayable(lowered: Lowered) -> list[Diagnostic]:
    """What the backends of a cluster can say though it does nothing for its clients: one that cannot has refused it already."""
    return [*zero_weights(lowered.services), *_unchecked(lowered.services)]


def _half_tracked(lowered: LoweredService, cluster: Cluster) -> Iterator[Diagnostic]:
    pool = lowered.service.pool
    methods = lowered.service.forwardings | ({pool.sorry_server.forwarding} if pool.sorry_server else set())
    if has_errors(lowered.plan.diagnostics):
        return  # the service kind has refused it already
    if Forwarding.NAT in methods and len(methods) > 1 and cluster.firewall is not Firewall.NONE:
        words = ", ".join(sorted(f"`{method.value}`" for method in methods))
        yield codes.HALF_TRACKED.at(
            Place(lowered.service.origin, Anchor.TABLE),
            f"service `{lowered.service.name}` is forwarded by {words}, and connection tracking can be right for one only",
            others=[Place(pool.origin, Anchor.TABLE, "the pool")],
            help='use one method for the service, or say `firewall = "none"` in `[cluster]`',
        )


def _idle_engine(lowered: LoweredService) -> Iterator[Diagnostic]:
    other = [str(port) for port in lowered.ports if port.protocol is not Protocol.UDP]
    if lowered.service.persistence_engine is not None and other:
        yield codes.IDLE_ENGINE.at(
            lowered.service.origin / "persistence_engine",
            f"the engine `{lowered.service.persistence_engine}` reads nothing of {', '.join(other)}",
            help="balance UDP ports with it, or remove it",
        )


def _lost_connections(lowered: LoweredService, cluster: Cluster) -> Iterator[Diagnostic]:
    if lowered.service.source_nat and cluster.connection_sync is not None:
        yield codes.LOST_CONNECTIONS.at(
            lowered.service.origin / "source_nat",
            f"open connections of `{lowered.service.name}` end with their director, synchronised or not",
            others=[
                Place(cluster.connection_sync.origin, Anchor.TABLE, "what saves those of other services")
            ],
        )


def _idle_thresholds(lowered: LoweredService) -> Iterator[Diagnostic]:
    service = lowered.service
    limited = [server for server in service.pool.enabled if server.upper_threshold]
    if service.one_packet and limited:
        yield codes.IDLE_THRESHOLD.at(
            limited[0].origin / "upper_threshold",
            f"thresholds do nothing for `{service.name}`, whose datagrams leave no connection to count",
            others=[Place(service.origin / "one_packet", label="says that they do not")],
            help="leave them out, or give the service a pool of its own without them",
        )


def _idle_granularity(lowered: LoweredService) -> Iterator[Diagnostic]:
    service = lowered.service
    for family, length in service.granularity.items():
        if family not in service.families and length != family.bits:
            yield codes.IDLE_GRANULARITY.at(
                service.origin / "persistence_granularity" / f"ipv{family.value}",
                f"service `{service.name}` has no IPv{family.value} address, so no IPv{family.value} clients",
                help=f"remove `ipv{family.value}`, or add such an address",
            )


def _loose_marks(graph: RuleGraph) -> Iterator[Diagnostic]:
    for host in graph.hosts.values():
        set_marks = {(rule.mark, rule.traffic.family): rule for rule in host.of(Marking)}
        services = {
            (service.selector.mark, service.selector.family): service
            for service in host.of(VirtualService)
            if isinstance(service.selector, MarkSelector)
        }
        for key in sorted(set_marks.keys() ^ services.keys()):
            mark, family = key
            node: Node = set_marks[key] if key in set_marks else services[key]
            what = "is set and no service has it" if key in set_marks else "has a service and is never set"
            yield codes.LOOSE_MARK.at(
                Place(node.origin, Anchor.TABLE),
                f"mark {mark} of IPv{family.value} {what} on `{host.host}`",
                help="report it to the author of the service's kind",
            )


def _unused(cluster: Cluster) -> Iterator[Diagnostic]:
    used = {service.pool.name for service in cluster.services}
    for pool in cluster.pools.values():
        if pool.name not in used:
            yield codes.UNUSED_POOL.at(
                Place(pool.origin, Anchor.TABLE),
                f"no service uses pool `{pool.name}`",
                help="name it in a service, or remove it",
            )
    named = {address.name for service in cluster.services for address in service.addresses}
    named |= {network.gateway for network in cluster.networks.values() if network.gateway}
    for address in cluster.addresses.values():
        if address.name not in named:
            yield codes.UNUSED_ADDRESS.at(
                Place(address.origin, Anchor.TABLE),
                f"nothing uses address `{address.name}`",
                help="name it in a service, or as a network's gateway, or remove it",
            )


def _networks_within(cluster: Cluster) -> Iterator[Diagnostic]:
    prefixes = [
        (prefix, network, index)
        for network in cluster.networks.values()
        for index, prefix in enumerate(network.prefixes)
    ]
    around: list[tuple[Network, ClusterNetwork]] = []
    # A prefix stands right behind those that it lies within.
    for prefix, network, index in sorted(
        prefixes, key=lambda each: (each[0].version, int(each[0].network_address), each[0].prefixlen)
    ):
        while around and (
            around[-1][0].version != prefix.version or prefix.network_address not in around[-1][0]
        ):
            around.pop()
        if around and around[-1][1] is not network:
            larger, other = around[-1]
            yield codes.NETWORK_WITHIN.at(
                network.origin / "prefixes" / index,
                f"`{prefix}` of network `{network.name}` is within `{larger}` of network `{other.name}`, whose hosts look for"
                " its addresses on their own link",
                others=[Place(other.origin, Anchor.TABLE, "the larger network")],
                help="correct one of the two, unless something answers for them there",
            )
        around.append((prefix, network))


def _weights(lowered: LoweredService) -> Iterator[Diagnostic]:
    service = lowered.service
    weights = {server.weight for server in service.pool.enabled}
    if service.scheduler in _WEIGHTLESS and len(weights - {0}) > 1:
        yield codes.WEIGHTS_IGNORED.at(
            service.origin / "scheduler",
            f"the scheduler `{service.scheduler.value}` ignores the weights of pool `{service.pool.name}`",
            others=[Place(service.pool.origin, Anchor.TABLE, "the pool")],
            help="choose `wrr` or `wlc`, or leave the weights out",
        )


def _bundle(lowered: LoweredService) -> Iterator[Diagnostic]:
    service = lowered.service
    # One range is no bundle: its ports may well be alike, each for connections of its own.
    bundled = len({port.ports for port in lowered.plan.ports}) > 1
    hashes = service.scheduler in _HASHING and _HASHING[service.scheduler] not in service.scheduler_flags
    if bundled and lowered.plan.persistence is None and not hashes and not service.one_packet:
        yield codes.UNTIED_BUNDLE.at(
            Place(service.origin, Anchor.TABLE),
            f"bundle `{service.name}` has no persistence: a client's ports may go to different real servers",
            help='add `persistence = "5m"`',
        )


def _unchecked(services: Iterable[LoweredService]) -> list[Diagnostic]:
    """One for each key of a pool that does nothing for a service."""
    found: dict[Origin, Diagnostic] = {}
    for lowered in services:
        pool = lowered.service.pool
        check = check_of(lowered)
        if not isinstance(check, NoCheck):
            continue
        idle = {
            "sorry_server": pool.sorry_server is not None,
            "quorum": pool.quorum is not None,
            "on_failure": pool.on_failure is not FailureAction.REMOVE,
            "notify": bool(pool.notify),
        }
        for key, said in idle.items():
            place = pool.origin / key
            if said and place not in found:
                found[place] = codes.UNCHECKED.at(
                    place,
                    f"`{key}` does nothing for `{lowered.service.name}`, whose real servers are not checked",
                    others=[Place(check.origin, label="says that they are not")],
                    help=f"say how they are checked, or remove `{key}`",
                )
    return list(found.values())


def _stuck_clients(services: Iterable[LoweredService], cluster: Cluster) -> list[Diagnostic]:
    """One for each pool that persistent clients stay with."""
    found: dict[str, Diagnostic] = {}
    let_go = cluster.tuning is not None and cluster.tuning.expire_quiescent_template
    for lowered in services:
        pool = lowered.service.pool
        drains = pool.on_failure is FailureAction.DRAIN and lowered.plan.persistence is not None
        if drains and not let_go and pool.name not in found:
            found[pool.name] = codes.STUCK_CLIENTS.at(
                pool.origin / "on_failure",
                f"clients of `{lowered.service.name}` stay for its persistence with a real server that fails",
                others=[Place(lowered.service.origin, Anchor.TABLE, "the service")],
                help="set `expire_quiescent_template = true` in `[tuning]`, or remove `on_failure`",
            )
    return list(found.values())


def _source_nats(graph: RuleGraph) -> list[Diagnostic]:
    found: dict[tuple[str, str], Diagnostic] = {}
    for part in graph.hosts.values():
        for one, other in pairwise(part.of(SourceNat)):
            pair = (one.service, other.service)
            if one.traffic == other.traffic and pair not in found:
                found[pair] = codes.TWO_SOURCES.at(
                    Place(other.origin, Anchor.TABLE),
                    f"services `{one.service}` and `{other.service}` need `{one.address}` and `{other.address}` as the source"
                    " of the same packets",
                    others=[Place(one.origin, Anchor.TABLE, "the other service")],
                    help="name both addresses in one service, or give each service real servers of its own",
                )
    return list(found.values())


def _reach(lowered: LoweredService, cluster: Cluster) -> Iterator[Diagnostic]:
    families = lowered.service.families
    for server in lowered.service.pool.enabled:
        if server.forwarding is not Forwarding.DIRECT:
            continue
        for ip in server.ips:
            if Family.of(ip) in families and cluster.network_of(ip) is None:
                yield codes.UNREACHABLE.at(
                    server.origin / "ip",
                    f"`{ip}` of real server `{server.name}` is in no network of the directors, and `direct` does not route",
                    others=[Place(lowered.service.origin, Anchor.TABLE, "the service")],
                    help="reach it by `nat` or `tunnel`, or add the prefix to its network",
                )


def _gateways(services: Iterable[LoweredService], cluster: Cluster) -> list[Diagnostic]:
    """One for each network without a gateway, or without one of a family."""
    if len(cluster.directors) < 2:  # noqa: PLR2004 - one has nobody to move it to
        return []
    found: dict[tuple[str, Family | None], Diagnostic] = {}
    for lowered in services:
        for home, family in _gateways_needed(lowered, cluster):
            gateway = cluster.addresses.get(home.gateway or "")
            lacking = (home.name, None if gateway is None else family)
            if lacking in found or (gateway and any(Family.of(ip) is family for ip in gateway.ips)):
                continue
            lacks = "`gateway`" if gateway is None else f"IPv{family.value} `gateway`"
            found[lacking] = codes.NO_GATEWAY.at(
                Place(home.origin, Anchor.TABLE),
                f"the real servers of `{lowered.service.name}` answer through the directors, and network `{home.name}` has no"
                f" {lacks} that fails over",
                others=[Place(lowered.service.origin, Anchor.TABLE, "the service")],
                help="add a virtual address on it and name it as the network's `gateway`, or use `source_nat`",
            )
    return list(found.values())


def _moved_by_others(services: Iterable[LoweredService], cluster: Cluster) -> list[Diagnostic]:
    """One where IPv6 packets are tunnelled for addresses that lvsc does not emit."""
    if not isinstance(cluster.failover, ExternalFailover):
        return []
    for lowered in services:
        for server in lowered.service.pool.enabled if Family.IPV6 in lowered.service.families else ():
            outer = reached_at(server, Family.IPV6)
            if server.forwarding is Forwarding.TUNNEL and outer and Family.of(outer) is Family.IPV6:
                return [
                    codes.MOVED_BY_OTHERS.at(
                        cluster.failover.origin / "method",
                        f"`{lowered.service.name}` is tunnelled by IPv6: what moves its addresses must make them no packet's source",
                        others=[Place(lowered.service.origin, Anchor.TABLE, "the service")],
                        help="have it add them with `preferred_lft 0`",
                    )
                ]
    return []


def _gateways_needed(lowered: LoweredService, cluster: Cluster) -> Iterator[tuple[ClusterNetwork, Family]]:
    """The networks and families in which real servers answer a service by NAT."""
    service = lowered.service
    if service.source_nat or Forwarding.NAT not in service.forwardings:
        return
    for server in service.pool.enabled:
        for ip in server.ips if server.forwarding is Forwarding.NAT else ():
            family = Family.of(ip)
            home = cluster.network_of(ip) if family in service.families else None
            if home is not None:
                yield home, family
