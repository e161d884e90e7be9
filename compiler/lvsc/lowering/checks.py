"""What IPVS could not do of a service as the spec says it."""

from collections.abc import Collection, Iterable, Iterator

from lvsc.diagnostics import Anchor, Diagnostic, Origin, Place
from lvsc.graph.nodes import Forwarding, Scheduler, SchedulerFlag
from lvsc.graph.traffic import Family, Protocol
from lvsc.lowering import codes
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.services import nat_address
from lvsc.spec import model_codes
from lvsc.spec.model import Cluster, PoolServer, Service, SorryHost, reached_at

_FLAGS_OF = {
    Scheduler.SH: {SchedulerFlag.SH_FALLBACK, SchedulerFlag.SH_PORT},
    Scheduler.MH: {SchedulerFlag.MH_FALLBACK, SchedulerFlag.MH_PORT},
}


#: Schedulers that compare how many connections each real server has (ip_vs_lc.c and the other schedulers' files).
_COUNTING = {
    Scheduler.LC,
    Scheduler.WLC,
    Scheduler.SED,
    Scheduler.NQ,
    Scheduler.OVF,
    Scheduler.LBLC,
    Scheduler.LBLCR,
}


def check_service(lowered: LoweredService) -> Iterator[Diagnostic]:
    """What IPVS could not do as the spec says it."""
    service = lowered.service
    if service.one_packet:
        yield from _check_one_packet(lowered)
    wrong = [flag for flag in service.scheduler_flags if flag not in _FLAGS_OF.get(service.scheduler, ())]
    if wrong:
        yield codes.FLAGS.at(
            service.origin / "scheduler_flags",
            f"`{wrong[0].value}` does nothing with the scheduler `{service.scheduler.value}`",
            help=f"remove it, or choose the scheduler `{wrong[0].value[:2]}`",
        )
    for family in service.families:
        if not any(reached_at(server, family) for server in service.pool.enabled):
            yield codes.NO_SERVER.at(
                Place(service.origin, Anchor.TABLE),
                f"service `{service.name}` has IPv{family.value} addresses and pool `{service.pool.name}` no IPv{family.value}"
                " real server",
                others=[Place(service.pool.origin, Anchor.TABLE, "the pool")],
                help=f"add real servers with IPv{family.value} addresses, or an address of the other family only",
            )
    yield from _check_sorry_server(lowered)
    for server in service.pool.enabled:
        if server.port is not None:
            yield from _check_port(lowered, server, f"`{server.name}`")
    yield from _report_same_port(lowered)


def _check_one_packet(lowered: LoweredService) -> Iterator[Diagnostic]:
    service, ports = lowered.service, lowered.ports
    place = service.origin / "one_packet"
    persistent = lowered.plan.persistence is not None
    if persistent or {port.protocol for port in ports} != {Protocol.UDP}:
        yield codes.ONE_PACKET.at(
            place,
            f"service `{service.name}` is one-packet and "
            + ("persistent" if persistent else f"balances {', '.join(map(str, ports))}"),
            help="leave only UDP ports and no `persistence` in it, or remove `one_packet`",
        )
        return  # of what cannot be one-packet, nothing more need be said
    if service.scheduler in _COUNTING:
        yield codes.ONE_PACKET_COUNTS.at(
            place,
            f"all datagrams of `{service.name}` would go to one real server: its scheduler `{service.scheduler.value}` counts"
            " connections, and one-packet scheduling keeps none",
            help='say `scheduler = "wrr"`, or another that counts nothing: `rr`, `twos`, or `sh` or `mh` by client',
        )
    if Forwarding.NAT in service.forwardings:
        yield codes.ONE_PACKET_NAT.at(
            place,
            f"the answers of `{service.name}` would come from the real servers' own addresses",
            others=[Place(service.pool.origin, Anchor.TABLE, "reached by `nat`")],
            help='reach its real servers by `forwarding = "direct"`, or remove `one_packet`',
        )


def _check_sorry_server(lowered: LoweredService) -> Iterator[Diagnostic]:
    sorry, service = lowered.service.pool.sorry_server, lowered.service
    if sorry is None:
        return
    if sorry.port is not None:
        yield from _check_port(lowered, sorry, "the sorry server")
    for family in service.families:
        if reached_at(sorry, family) is None:
            yield codes.NO_SERVER.at(
                sorry.origin / "ip",
                f"service `{service.name}` has IPv{family.value} addresses and the sorry server of pool"
                f" `{service.pool.name}` none",
                others=[Place(service.origin, Anchor.TABLE, "the service")],
                help=f"give the sorry server an IPv{family.value} address too",
            )


def _report_same_port(lowered: LoweredService) -> Iterator[Diagnostic]:
    """One host twice in a pool, once with the service's own port said and once not, is one real server to IPVS."""
    only = lowered.single_port
    first: dict[tuple[str, int | None], PoolServer] = {}
    for server in lowered.service.pool.enabled:
        port = server.port or (only.first if only else None)
        earlier = first.setdefault((server.name, port), server)
        if earlier is not server:
            yield model_codes.TWICE.at(
                server.origin,
                f"`{server.name}` is in pool `{lowered.service.pool.name}` twice with port {port} of service"
                f" `{lowered.service.name}`",
                others=[Place(earlier.origin, label="first here")],
                help="remove one of the two, or give it another `port`",
            )


def _check_port(lowered: LoweredService, server: PoolServer | SorryHost, name: str) -> Iterator[Diagnostic]:
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
            help=f'remove `port`, let {name} listen on {only.first}, or reach it by `forwarding = "nat"`',
        )


def check_peers_by_nat(services: Iterable[LoweredService], cluster: Cluster) -> Iterator[Diagnostic]:
    """Directors that other directors reach by NAT and that would answer past them; one for each place that says so."""
    if len(cluster.directors) < 2:  # noqa: PLR2004 - one reaches nobody but itself, and needs no network for that
        return
    owners = {ip: d.name for d in cluster.directors for ips in d.addresses.values() for ip in ips}
    told: set[Origin] = set()
    for lowered in services:
        service, sorry = lowered.service, lowered.service.pool.sorry_server
        for host in (*service.pool.enabled, *(() if sorry is None else (sorry,))):
            name = next((owners[ip] for ip in host.ips if ip in owners), None)
            if (
                name is None
                or host.forwarding is not Forwarding.NAT
                or service.source_nat
                or host.origin in told
            ):
                continue
            told.add(host.origin)
            yield codes.PEER_BY_NAT.at(
                host.origin,
                f"director `{name}` is reached by `nat`: while another one is active, its answers go past that one, and the"
                " client drops them",
                others=[Place(service.origin, Anchor.TABLE, "the service")],
                help='set `source_nat = true` in the service, or reach the pool by `forwarding = "direct"`',
            )


def check_source_nat(
    services: Iterable[LoweredService], cluster: Cluster, told: Collection[tuple[str, str, Family]]
) -> Iterator[Diagnostic]:
    """What keeps full NAT from working; `told` are the directors, networks and families whose own address is asked for anyway."""
    known: set[tuple[str, str | None, Family]] = {*told}
    for lowered in services:
        if lowered.service.source_nat:
            yield from _check_source_nat(lowered.service, cluster, known)


def _check_source_nat(
    service: Service, cluster: Cluster, known: set[tuple[str, str | None, Family]]
) -> Iterator[Diagnostic]:
    place = service.origin / "source_nat"
    for server in service.pool.everybody:
        name, what = (
            (f"`{server.name}`", "real server")
            if isinstance(server, PoolServer)
            else ("the sorry server", "sorry server")
        )
        if server.forwarding is not Forwarding.NAT:
            yield codes.SOURCE_NAT.at(
                place,
                f"{name} is reached by `{server.forwarding.value}`, which keeps the client's address",
                others=[Place(server.origin, label=f"the {what}")],
                help=f"remove `source_nat`, or reach every {what} by `nat`",
            )
            continue
        for ip in server.ips:
            if Family.of(ip) not in service.families:
                continue
            network = cluster.network_of(ip)
            named = service.source_nat if isinstance(service.source_nat, str) else None
            through = named or (network.name if network else None)
            for director in cluster.directors:
                towards = (director.name, through, Family.of(ip))
                if towards not in known and nat_address(service, cluster, director, ip) is None:
                    known.add(towards)
                    yield codes.SOURCE_NAT.at(
                        place,
                        f"director `{director.name}` has no IPv{ip.version} address towards {name} (`{ip}`)",
                        others=[Place(director.origin, Anchor.TABLE, "the director")],
                        help='add one to its `addresses`, or say through which network: `source_nat = "NETWORK"`',
                    )
