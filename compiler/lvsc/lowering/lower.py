"""From a cluster to its rule graph. Depends on the spec alone, never on a backend."""

from collections.abc import Iterable, Iterator, Mapping

from lvsc.diagnostics import Anchor, Diagnostic, Place, has_errors
from lvsc.graph.graph import RuleGraph
from lvsc.graph.nodes import Accept, Node, Sysctl
from lvsc.graph.traffic import PortRange, Protocol
from lvsc.lowering import codes, loops
from lvsc.lowering.accepts import director_accepts, service_accepts
from lvsc.lowering.checks import check_peers_by_nat, check_service, check_source_nat
from lvsc.lowering.directors import check_failover, director_nodes, placements, silent_directors
from lvsc.lowering.lowered import Lowered, LoweredService
from lvsc.lowering.marks import derived_mark, report_shared_marks
from lvsc.lowering.plan import ServicePort
from lvsc.lowering.probes import ChosenCheck, choose_check
from lvsc.lowering.real_servers import real_server_nodes, report_gre_checksums
from lvsc.lowering.selection import address_reason, mark_reasons, normal_ports
from lvsc.lowering.services import service_nodes
from lvsc.plugins.kind import ServiceKind, blamed_kind
from lvsc.spec.model import Cluster, Service

FTP_CONTROL = ServicePort(Protocol.TCP, PortRange.one(21))


def lower(cluster: Cluster, kinds: Mapping[str, ServiceKind]) -> Lowered:
    """The cluster's rule graph; it is whole where no diagnostic is an error."""
    problems: list[Diagnostic] = []
    nodes: list[Node] = []
    services: list[LoweredService] = []
    guards: list[loops.LoopGuard] = []
    for service in cluster.services:
        lowered, guard = lower_service(service, cluster, kinds[service.kind])
        found, own = _service(lowered, cluster, guard, kinds[service.kind])
        problems += found
        nodes += own
        services.append(lowered)
        guards.append(guard)
    problems += report_shared_marks(services)
    problems += _report_port_zero(services)
    places = placements(cluster, services)
    problems += check_failover(cluster, places)
    problems += check_peers_by_nat(services, cluster)
    problems += check_source_nat(services, cluster, silent_directors(cluster, places))
    nodes += director_nodes(cluster, tuple(services), places, guards)
    if cluster.accept:
        nodes += director_accepts(cluster, services, places)
    nodes += real_server_nodes(services)
    problems += _report_settings(nodes)
    problems += report_gre_checksums(nodes)
    return Lowered(
        cluster=cluster,
        services=tuple(services),
        accepts=tuple(node for node in nodes if type(node) is Accept),
        graph=RuleGraph.from_nodes(() if has_errors(problems) else nodes),
        targets=_targets(cluster),
        backends=tuple(sorted({name for s in cluster.services for name in kinds[s.kind].backends})),
        diagnostics=tuple(problems),
    )


def lower_service(
    service: Service, cluster: Cluster, kind: ServiceKind
) -> tuple[LoweredService, loops.LoopGuard]:
    """How a service is selected, and how its directors keep from balancing each other's packets."""
    with blamed_kind(service):
        plan = kind.plan(service, cluster)
        ports = normal_ports(plan)
    guard = loops.guard(service, cluster)
    reasons = mark_reasons(service, plan, ports, guard) if ports else ()
    mark = (service.mark or derived_mark(service.name, cluster.marks)) if reasons else None
    return (
        LoweredService(
            service=service,
            plan=plan,
            ports=ports,
            mark=mark,
            reasons=reasons or ((address_reason(ports),) if ports else ()),
        ),
        guard,
    )


def _service(
    lowered: LoweredService, cluster: Cluster, guard: loops.LoopGuard, kind: ServiceKind
) -> tuple[list[Diagnostic], list[Node]]:
    problems = [*lowered.plan.diagnostics, *guard.diagnostics]
    if has_errors(problems) or not lowered.ports:
        return problems, []
    problems += check_service(lowered)
    problems += _check_plain_ftp(lowered)
    chosen = choose_check(lowered.service, lowered.plan, lowered.ports)
    check: ChosenCheck | None = None
    if isinstance(chosen, Diagnostic):
        problems.append(chosen)
    else:
        check = chosen
    if has_errors(problems):
        return problems, []
    with blamed_kind(lowered.service):
        own = [_node(node) for node in kind.nodes(lowered, cluster)]
    accepts = service_accepts(lowered, cluster, check) if cluster.accept else ()
    return problems, [*service_nodes(lowered, cluster, guard, check), *accepts, *own]


def _node(given: Node) -> Node:
    """What a service kind gives as a node, if it is one."""
    if not isinstance(given, Node):
        raise TypeError(f"it gives {given!r} where a node should be")
    return given


def _check_plain_ftp(lowered: LoweredService) -> Iterator[Diagnostic]:
    """IPVS would widen a persistent service on port 21 to all unprivileged ports (ip_vs_ctl.c, ip_vs_service_find)."""
    if lowered.mark is None and lowered.ports == (FTP_CONTROL,) and lowered.plan.persistence is not None:
        service = lowered.service
        yield codes.PLAIN_FTP.at(
            Place(service.origin, Anchor.TABLE),
            f"IPVS would open every unprivileged port of the address to the clients of `{service.name}`",
            help='say `kind = "ftp"`, or an explicit `mark` to balance port 21 alone',
        )


def _report_port_zero(services: Iterable[LoweredService]) -> Iterator[Diagnostic]:
    by_address = [lowered for lowered in services if lowered.mark is None and lowered.ports]
    ftp = {
        ip: s for s in by_address if s.ports == (FTP_CONTROL,) for a in s.service.addresses for ip in a.ips
    }
    for lowered in by_address:
        port = lowered.ports[0]
        if port.protocol is not Protocol.TCP or not port.ports.all:
            continue
        for address in lowered.service.addresses:
            for ip in address.ips:
                if ip in ftp:
                    yield codes.PORT_ZERO.at(
                        Place(lowered.service.origin, Anchor.TABLE),
                        f"service `{ftp[ip].service.name}` on port 21 of `{ip}` takes the unprivileged ports from"
                        f" `{lowered.service.name}`",
                        others=[Place(ftp[ip].service.origin, Anchor.TABLE, "the service on port 21")],
                        help=f"say a `mark` for `{ftp[ip].service.name}`",
                    )


def _report_settings(nodes: Iterable[Node]) -> Iterator[Diagnostic]:
    settings: dict[tuple[str, str], Sysctl] = {}
    for node in nodes:
        if isinstance(node, Sysctl):
            first = settings.setdefault((node.host, node.key), node)
            if first.value != node.value:
                yield codes.SETTING.at(
                    node.origin,
                    f"host `{node.host}` needs `{node.key}` to be {first.value} and {node.value}",
                    others=[Place(first.origin, label=f"asks for {first.value}")],
                    help="change one of the two",
                )


def _targets(cluster: Cluster) -> dict[str, str]:
    """Each host's target; a director that is also a real server has the directors'."""
    targets = {
        server.name: server.target or cluster.target
        for service in cluster.services
        for server in service.pool.enabled
        if server.managed
    }
    return targets | {director.name: cluster.target for director in cluster.directors}
