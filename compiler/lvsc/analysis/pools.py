"""What is wrong with the pools of services, told once for each pool or real server, whatever services they have."""

from collections.abc import Iterable

from lvsc.analysis import codes
from lvsc.diagnostics import Anchor, Diagnostic, Origin, Place
from lvsc.graph.nodes import (
    DnsProbe,
    FailureAction,
    Forwarding,
    HttpProbe,
    Scheduler,
    SchedulerFlag,
    SmtpProbe,
    UdpProbe,
)
from lvsc.graph.traffic import Family, Protocol
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.probes import ChosenCheck, choose_check
from lvsc.spec.model import Check, Cluster, NoCheck, Pool, PoolServer, reached_at, served

#: The schedulers whose tables hold servers of weight 0 (ip_vs_sh.c, ip_vs_dh.c); ip_vs_mh.c leaves them out.
_KEEPING = {Scheduler.SH, Scheduler.DH}
#: The TCP port of FTP's control connection (RFC 959).
FTP = 21


def zero_weights(services: Iterable[LoweredService]) -> list[Diagnostic]:
    """One for each pool that gives a service nobody for new clients, in a family of the service."""
    found: dict[str, Diagnostic] = {}
    for lowered in services:
        service, pool = lowered.service, lowered.service.pool
        for family in service.families if pool.name not in found else ():
            if {server.weight for server in _of_family(pool, family)} == {0}:
                empty = codes.ZERO_WEIGHT.at(
                    Place(pool.origin, Anchor.TABLE),
                    f"every real server of pool `{pool.name}` for IPv{family.value} has weight 0",
                    others=[Place(service.origin, Anchor.TABLE, "a service that gets no new clients")],
                    help="give one of them a weight, unless the pool is being emptied",
                )
                found.setdefault(pool.name, empty)
    return list(found.values())


def hashed_away(services: Iterable[LoweredService]) -> list[Diagnostic]:
    """One for each that gives a server the weight 0 among others, where a table of hashed clients keeps its place."""
    found: dict[Origin, Diagnostic] = {}
    for lowered in services:
        service, pool = lowered.service, lowered.service.pool
        if service.scheduler not in _KEEPING or SchedulerFlag.SH_FALLBACK in service.scheduler_flags:
            continue
        places = [server.origin for server in pool.enabled if not server.weight]
        if len(places) == len(pool.enabled):
            continue
        if pool.on_failure is FailureAction.DRAIN and len(pool.enabled) > 1:
            places.append(pool.origin / "on_failure")
        for place in places:
            found[place] = codes.HASHED_AWAY.at(
                place,
                f"`{service.scheduler.value}` refuses the clients of `{service.name}` that fall on a server of weight 0",
                others=[Place(service.origin, Anchor.TABLE, "the service")],
                help='choose the scheduler `mh`, or `sh` with `scheduler_flags = ["sh-fallback"]`',
            )
    return list(found.values())


def distant(services: Iterable[LoweredService], cluster: Cluster) -> list[Diagnostic]:
    """One for each server by NAT whose answers are not led to the directors by any network of theirs."""
    found: dict[Origin, Diagnostic] = {}
    for lowered in services:
        service = lowered.service
        for server in () if service.source_nat else service.pool.everybody:
            for ip in server.ips if server.forwarding is Forwarding.NAT else ():
                place = server.origin / "ip"
                there = ip.is_loopback or cluster.network_of(ip) is not None
                if Family.of(ip) in service.families and not there:
                    found[place] = codes.DISTANT.at(
                        place,
                        f"`{ip}` is in no network of the directors, through which its answers by `nat` must come back",
                        others=[Place(service.origin, Anchor.TABLE, "the service")],
                        help="use `source_nat` or `tunnel`, or add its prefix to a network",
                    )
    return list(found.values())


def no_way(services: Iterable[LoweredService], cluster: Cluster) -> list[Diagnostic]:
    """One for each server that is sent to in a family which no network of the directors has."""
    prefixes = (prefix for network in cluster.networks.values() for prefix in network.prefixes)
    families = {Family.of(prefix.network_address) for prefix in prefixes}
    found: dict[Origin, Diagnostic] = {}
    for lowered in services if len(families) < len(Family) else ():
        for server in lowered.service.pool.everybody:
            for ip in (reached_at(server, family) for family in lowered.service.families):
                if ip is not None and Family.of(ip) not in families and not ip.is_loopback:
                    place = server.origin / "ip"
                    found[place] = codes.NO_WAY.at(
                        place,
                        f"the directors have no IPv{Family.of(ip).value} network, by which to send to `{ip}`",
                        others=[Place(lowered.service.origin, Anchor.TABLE, "the service")],
                        help="add the network, or give the server an address of a family that they have",
                    )
    return list(found.values())


def two_ways_back(services: Iterable[LoweredService]) -> list[Diagnostic]:
    """One for each real server that answers in a family through the directors and past them."""
    through: dict[tuple[str, Family], Origin] = {}
    past: dict[tuple[str, Family], Origin] = {}
    for lowered in services:
        service = lowered.service
        for server in service.pool.enabled:
            ways = through if server.forwarding is Forwarding.NAT else past
            for family in () if ways is through and service.source_nat else served(server, service.families):
                ways.setdefault((server.name, family), server.origin)
    found = {
        place: codes.TWO_WAYS_BACK.at(
            place,
            f"`{name}` is reached by `nat` and in another way, and its answers take one way back",
            others=[Place(past[name, family], label="in another way here")],
            help="reach it in the same way in all services, or use `source_nat`",
        )
        for (name, family), place in through.items()
        if (name, family) in past
    }
    return list(found.values())


def left_out(services: Iterable[LoweredService]) -> list[Diagnostic]:
    """One for each real server in a pool that does not serve every family of a service."""
    found: dict[tuple[str, str], Diagnostic] = {}
    for lowered in services:
        service = lowered.service
        # Of a family that no real server has, the service is told as a whole.
        families = tuple(family for family in service.families if _of_family(service.pool, family))
        for server in service.pool.enabled:
            serves = served(server, families)
            key = (service.pool.name, server.name)
            if serves == families or (serves and key in found):
                continue
            place, others = server.origin / "ip", [Place(service.origin, Anchor.TABLE, "the service")]
            missing = next(family for family in families if family not in serves)
            if serves:
                found[key] = codes.ONE_FAMILY.at(
                    place,
                    f"real server `{server.name}` serves the IPv{serves[0].value} clients of `{service.name}` alone: it has no"
                    f" IPv{missing.value} address",
                    others=others,
                )
            elif key not in found or found[key].code is codes.ONE_FAMILY:
                found[key] = codes.LEFT_OUT.at(
                    place,
                    f"`{service.name}` goes without real server `{server.name}`, which has no IPv{missing.value} address",
                    others=others,
                    help="give it one, or take it out of the pool",
                )
    return list(found.values())


def hopeless_checks(services: Iterable[LoweredService]) -> list[Diagnostic]:
    """One for each check that asks what listens at a port of a service for what it does not speak."""
    found: dict[Origin, Diagnostic] = {}
    for lowered in services:
        chosen = choose_check(lowered.service, lowered.plan, lowered.ports)
        if not isinstance(chosen, ChosenCheck) or chosen.check.origin in found:
            continue
        probe, of_kind = chosen.check.probe, chosen.check.port is None and lowered.plan.probe_port is not None
        asked = {chosen.port_of(server) for server in lowered.service.pool.enabled}
        for_tcp = all(port.protocol is Protocol.TCP for port in lowered.ports)
        if (isinstance(probe, HttpProbe | SmtpProbe) and FTP in asked) or (
            isinstance(probe, UdpProbe | DnsProbe) and of_kind and for_tcp
        ):
            found[chosen.check.origin] = codes.HOPELESS_CHECK.at(
                chosen.check.origin,
                f"the check cannot succeed for `{lowered.service.name}`: what listens at port {FTP if FTP in asked else lowered.plan.probe_port} speaks"
                " another protocol",
                others=[Place(lowered.service.origin, Anchor.TABLE, "the service")],
                help='say `type = "tcp"`, or the `port` that answers such a check',
            )
    return list(found.values())


def quorums(services: Iterable[LoweredService]) -> list[Diagnostic]:
    """What is wrong with the quorum of each pool, in the family of a service where it is."""
    found: dict[str, Diagnostic] = {}
    for lowered in services:
        pool = lowered.service.pool
        if pool.quorum is None or pool.name in found:
            continue
        for family in lowered.service.families:
            problem = _quorum(pool, pool.quorum, family) or _idle_quorum(lowered)
            if problem is not None:
                found.setdefault(pool.name, problem)
    return list(found.values())


def _quorum(pool: Pool, quorum: int, family: Family) -> Diagnostic | None:
    total = sum(server.weight for server in _of_family(pool, family))
    if quorum > total > 0:
        return codes.QUORUM.at(
            pool.origin / "quorum",
            f"the quorum of {quorum} is more than the total weight of {total} of the real servers for IPv{family.value}",
            help=f"lower it to {total} or less, or raise the weights",
        )
    if pool.hysteresis >= quorum:
        # keepalived's check_parser.c would lower it in silence.
        return codes.QUORUM.at(
            pool.origin / "hysteresis",
            f"the hysteresis of {pool.hysteresis} is not below the quorum of {quorum}, so the service would never go down",
            help=f"lower it to {quorum - 1} or less",
        )
    if quorum + pool.hysteresis > total > 0:
        # keepalived begins with the quorum lost then, and has it at no less than the sum (docs/kernel-facts.md).
        return codes.QUORUM.at(
            pool.origin / "hysteresis",
            f"quorum and hysteresis are {quorum + pool.hysteresis} together, more than the total weight of {total} of the real"
            f" servers for IPv{family.value}, so the service would never be up",
            help=f"lower it to {total - quorum} or less, or raise the weights",
        )
    return None


def _idle_quorum(lowered: LoweredService) -> Diagnostic | None:
    pool = lowered.service.pool
    followed = pool.sorry_server is not None or pool.notify.quorum_up or pool.notify.quorum_down
    if followed or isinstance(check_of(lowered), NoCheck):
        return None  # of real servers that nobody checks, more is said
    return codes.IDLE_QUORUM.at(
        pool.origin / "quorum",
        f"nothing happens when pool `{pool.name}` loses its quorum: there is no sorry server, and no command",
        help="add a `sorry_server`, or `quorum_down` in `notify`; or remove the quorum",
    )


def check_of(lowered: LoweredService) -> Check | NoCheck | None:
    """The check that the spec says of a service: its own or its pool's."""
    own = lowered.service.check
    return own if own is not None else lowered.service.pool.check


def _of_family(pool: Pool, family: Family) -> list[PoolServer]:
    return [server for server in pool.enabled if reached_at(server, family) is not None]
