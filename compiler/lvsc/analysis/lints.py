"""What is suspicious in a lowered cluster, or certainly not meant."""

from collections.abc import Iterator

from lvsc.analysis import codes
from lvsc.analysis.overlap import report_overlaps
from lvsc.diagnostics import Anchor, Diagnostic, Place
from lvsc.graph.nodes import Forwarding, Scheduler, SchedulerFlag
from lvsc.lowering.lowered import Lowered, LoweredService
from lvsc.spec.model import Cluster, Pool

#: ip_vs_rr.c, ip_vs_lc.c and ip_vs_dh.c read a weight only to see whether it is 0.
_WEIGHTLESS = {Scheduler.RR, Scheduler.LC, Scheduler.DH}
#: Schedulers that keep a client at one real server by its address alone, unless a flag adds the port.
_HASHING = {Scheduler.SH: SchedulerFlag.SH_PORT, Scheduler.MH: SchedulerFlag.MH_PORT}


def lint(lowered: Lowered) -> list[Diagnostic]:
    """Everything that the core finds wrong with a cluster."""
    cluster = lowered.cluster
    found = report_overlaps(lowered.services)
    found += _unused(cluster)
    for service in lowered.services:
        found += _weights(service)
        found += _bundle(service)
        found += _reach(service, cluster)
        found += _gateway(service, cluster)
    for pool in {service.service.pool.name: service.service.pool for service in lowered.services}.values():
        found += _quorum(pool)
    return found


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


def _weights(lowered: LoweredService) -> Iterator[Diagnostic]:
    service = lowered.service
    weights = {server.weight for server in service.pool.enabled}
    place = Place(service.origin, Anchor.TABLE)
    pool = [Place(service.pool.origin, Anchor.TABLE, "the pool")]
    if weights == {0}:
        yield codes.ZERO_WEIGHT.at(
            place,
            f"every real server of `{service.name}` has weight 0",
            others=pool,
            help="give one of them a weight, unless the pool is being emptied",
        )
    elif service.scheduler in _WEIGHTLESS and len(weights - {0}) > 1:
        yield codes.WEIGHTS_IGNORED.at(
            service.origin / "scheduler",
            f"the scheduler `{service.scheduler.value}` ignores the weights of pool `{service.pool.name}`",
            others=pool,
            help="choose `wrr` or `wlc`, or leave the weights out",
        )


def _bundle(lowered: LoweredService) -> Iterator[Diagnostic]:
    service = lowered.service
    numbers = {(port.ports.first, port.ports.last) for port in lowered.ports}
    one_number = len(numbers) == 1 and lowered.ports[0].ports.single
    hashes = service.scheduler in _HASHING and _HASHING[service.scheduler] not in service.scheduler_flags
    if lowered.plan.persistence is None and not one_number and not hashes and not service.one_packet:
        yield codes.UNTIED_BUNDLE.at(
            Place(service.origin, Anchor.TABLE),
            f"bundle `{service.name}` has no persistence: a client's ports may go to different real servers",
            help='add `persistence = "5m"`',
        )


def _quorum(pool: Pool) -> Iterator[Diagnostic]:
    total = sum(server.weight for server in pool.enabled)
    if pool.quorum is not None and pool.quorum > total > 0:
        yield codes.QUORUM.at(
            pool.origin / "quorum",
            f"the quorum of {pool.quorum} is more than the total weight of {total}",
            help=f"lower it to {total} or less, or raise the weights",
        )
    elif pool.quorum is not None and pool.hysteresis >= pool.quorum:
        # keepalived's check_parser.c would lower it in silence.
        yield codes.QUORUM.at(
            pool.origin / "hysteresis",
            f"the hysteresis of {pool.hysteresis} is not below the quorum of {pool.quorum}, so the service would never go down",
            help=f"lower it to {pool.quorum - 1} or less",
        )


def _reach(lowered: LoweredService, cluster: Cluster) -> Iterator[Diagnostic]:
    for server in lowered.service.pool.enabled:
        if server.forwarding is not Forwarding.DIRECT:
            continue
        for ip in server.ips:
            if not any(network.prefix_of(ip) for network in cluster.networks.values()):
                yield codes.UNREACHABLE.at(
                    server.origin / "ip",
                    f"`{ip}` of real server `{server.name}` is in no network of the directors, and `direct` does not route",
                    others=[Place(lowered.service.origin, Anchor.TABLE, "the service")],
                    help="reach it by `nat` or `tunnel`, or add the prefix to its network",
                )


def _gateway(lowered: LoweredService, cluster: Cluster) -> Iterator[Diagnostic]:
    service = lowered.service
    if len(cluster.directors) < 2 or service.source_nat or Forwarding.NAT not in service.forwardings:  # noqa: PLR2004
        return
    for server in service.pool.enabled:
        if server.forwarding is not Forwarding.NAT:
            continue
        homes = [n for n in cluster.networks.values() if any(n.prefix_of(ip) for ip in server.ips)]
        if homes and not any(network.gateway for network in homes):
            yield codes.NO_GATEWAY.at(
                Place(homes[0].origin, Anchor.TABLE),
                f"the real servers of `{service.name}` answer through the directors, and network `{homes[0].name}` has no"
                " `gateway` that fails over",
                others=[Place(service.origin, Anchor.TABLE, "the service")],
                help="add a virtual address on it and name it as the network's `gateway`, or use `source_nat`",
            )
            return
