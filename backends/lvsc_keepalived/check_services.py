"""What keepalived would change or ignore in a virtual service (check_data.c, validate_check_config)."""

import re
from collections.abc import Iterator

from lvsc.plugin import (
    AddressSelector,
    Diagnostic,
    DnsProbe,
    FailureAction,
    Family,
    Feature,
    Forwarding,
    HealthCheck,
    HttpProbe,
    MarkSelector,
    Origin,
    PingProbe,
    Place,
    Protocol,
    RealServer,
    Scheduler,
    SchedulerFlag,
    ScriptProbe,
    SorryServer,
    Target,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    UdpProbe,
    VirtualService,
    shown,
)
from lvsc_keepalived import codes
from lvsc_keepalived.needs import SIGNATURES
from lvsc_keepalived.ranges import outside
from lvsc_keepalived.services import Server, Service
from lvsc_keepalived.virtual_servers import Shared, method_of

#: 31 days (LVS_MAX_TIMEOUT, global_data.h).
_MAX_PERSISTENCE = 31 * 86400
_MAX_INT = 2**31 - 1
_MAX_UNSIGNED = 2**32 - 1
#: A microsecond, and the most seconds that every release takes for a time (TIMER_MAXIMUM and UINT_MAX microseconds).
_MIN_TIME = 1e-6
_MAX_TIME = 4294
_MD5 = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
_BYTES = re.compile(r"([0-9A-Fa-f]{2})+", re.ASCII)
_ENGINE = re.compile(r"[a-z0-9_]{1,15}", re.ASCII)
_RECORDS = frozenset({"A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA"}) | SIGNATURES
_FLAG_OF = {
    SchedulerFlag.SH_FALLBACK: Scheduler.SH,
    SchedulerFlag.SH_PORT: Scheduler.SH,
    SchedulerFlag.MH_FALLBACK: Scheduler.MH,
    SchedulerFlag.MH_PORT: Scheduler.MH,
}


def service_refusals(service: Service, target: Target) -> Iterator[Diagnostic]:
    """An error for each thing in a virtual service that keepalived would not take as it is said."""
    yield from _virtual_service(service.node)
    if not service.servers:
        yield codes.NO_SERVERS.at(
            service.node.origin,
            f"the virtual service of `{service.node.service}` has no real server",
            help="add a real server, or remove the service",
        )
        return
    for server in service.servers.values():
        yield from _real_server(server)
    for sorry in service.sorry:
        yield from _destination(sorry, "sorry server")
        yield from _sorry_is_real(service, sorry)
    yield from _quorum(service)
    yield from _differences(service, target)


def _virtual_service(node: VirtualService) -> Iterator[Diagnostic]:
    selector = node.selector
    for flag in node.flags:
        if _FLAG_OF[flag] is not node.scheduler:
            yield codes.SERVICE.at(
                node.at("scheduler_flags"),
                f"`{flag.value}` is a flag of the scheduler `{_FLAG_OF[flag].value}`, not of `{node.scheduler.value}`",
                help="remove the flag or change the scheduler",
            )
    match selector:
        case MarkSelector(mark=mark):
            yield from outside(node, "mark", "firewall mark", mark, (1, _MAX_UNSIGNED))
        case AddressSelector(protocol=protocol, port=port):
            yield from outside(node, "ports", "port", port, (0, 65535))
            if node.one_packet and protocol is not Protocol.UDP:
                yield codes.SERVICE.at(
                    node.at("one_packet"),
                    f"one-packet scheduling is for UDP, and `{node.service}` is {protocol.value}",
                    help="remove it",
                )
            if not port and node.persistence is None:
                yield codes.SERVICE.at(
                    node.at("ports"),
                    f"`{node.service}` has port 0, which needs persistence",
                    help="say for how long a client keeps its real server",
                )
    if node.persistence is not None:
        yield from outside(
            node, "persistence", "persistence timeout", node.persistence.timeout, (1, _MAX_PERSISTENCE)
        )
        length = node.persistence.prefix_length
        yield from outside(
            node, "persistence_granularity", "persistence prefix length", length, (1, selector.family.bits)
        )
        engine = node.persistence.engine
        if engine is not None and not _ENGINE.fullmatch(engine):
            yield codes.TEXT.at(
                node.at("persistence_engine"),
                f"`{shown(engine)}` is not the name of a persistence engine",
                help="the kernel has one, `sip`",
            )


def _real_server(server: Server) -> Iterator[Diagnostic]:
    node = server.node
    yield from _destination(node, "real server")
    yield from outside(node, "weight", "weight", node.weight, (0, _MAX_INT))
    yield from outside(node, "upper_threshold", "upper threshold", node.upper_threshold, (0, _MAX_UNSIGNED))
    # The kernel refuses the server otherwise (ip_vs_ctl.c, ip_vs_add_dest).
    yield from outside(
        node, "lower_threshold", "lower threshold", node.lower_threshold, (0, node.upper_threshold)
    )
    for check in server.checks:
        yield from _check(check)
    for other in server.checks[1:]:
        first = server.checks[0]
        if _reaction(first) != _reaction(other):
            yield codes.DISAGREE.at(
                other.origin,
                f"two health checks of real server `{node.name}` say differently what happens when it fails",
                others=[Place(first.origin, label="the other")],
                help="let both say the same",
            )


def _reaction(check: HealthCheck) -> tuple[FailureAction, str | None, str | None]:
    return (check.on_failure, check.up, check.down)


def _destination(node: RealServer | SorryServer, what: str) -> Iterator[Diagnostic]:
    selector = node.selector
    yield from outside(node, "port", "port", node.port, (0, 65535))
    if isinstance(selector, AddressSelector) and selector.port and not node.port:
        yield codes.PORT.at(
            node.at("port"),
            f"the {what} `{node.address}` has no port, and its service has {selector.port}",
            help="say the port",
        )
    elif node.forwarding is not Forwarding.NAT and node.port:
        if isinstance(selector, MarkSelector):
            yield codes.PORT.at(
                node.at("port"),
                f"port {node.port} of a {what} of a mark cannot be kept without nat",
                help="leave the port out",
            )
        elif node.port != selector.port:
            yield codes.PORT.at(
                node.at("port"),
                f"port {node.port} of a {what} differs from the service's {selector.port}, which needs nat",
                help="leave the port out, or forward by nat",
            )
    if Family.of(node.address) is not selector.family and node.forwarding is not Forwarding.TUNNEL:
        yield codes.FAMILY.at(
            node.at("ip"),
            f"the {what} `{node.address}` is not of the family of its virtual service",
            help="forward by a tunnel, or use an address of the service's family",
        )
    if not _tunnel_fits(node.forwarding, node.tunnel):
        yield codes.TUNNEL.at(
            node.at("tunnel"),
            f"the tunnel options of the {what} `{node.address}` do not go together",
            help="give `gue` a port, `ipip` no checksum, `gre` no remote checksum",
        )


def _tunnel_fits(forwarding: Forwarding, tunnel: Tunnel | None) -> bool:
    if tunnel is None:
        return forwarding is not Forwarding.TUNNEL
    port_fits = (
        tunnel.port is not None and 0 < tunnel.port < 2**16
        if tunnel.type is TunnelType.GUE
        else tunnel.port is None
    )
    allowed = {
        TunnelType.IPIP: {TunnelChecksum.NONE},
        TunnelType.GUE: set(TunnelChecksum),
        TunnelType.GRE: {TunnelChecksum.NONE, TunnelChecksum.FULL},
    }
    return forwarding is Forwarding.TUNNEL and port_fits and tunnel.checksum in allowed[tunnel.type]


def _sorry_is_real(service: Service, sorry: SorryServer) -> Iterator[Diagnostic]:
    server = service.servers.get((sorry.address, sorry.port))
    if server is not None and any(check.on_failure is FailureAction.DRAIN for check in server.checks):
        yield codes.SORRY.at(
            sorry.at("ip"),
            f"the sorry server `{sorry.address}` is also the real server `{server.node.name}`, which is drained",
            others=[Place(server.node.origin, label="the real server")],
            help="name another sorry server",
        )


def _quorum(service: Service) -> Iterator[Diagnostic]:
    total = sum(server.node.weight for server in service.servers.values())
    node = service.quorums[0] if service.quorums else None
    weight = node.weight if node else 1
    if node:
        yield from outside(node, "quorum", "quorum", node.weight, (1, _MAX_UNSIGNED))
    if not total:
        # At the real servers, so that it is said once of a pool of many services.
        yield codes.QUORUM.at(
            next(iter(service.servers.values())).node.at("weight"),
            f"no real server for IPv{service.node.selector.family.value} has a weight, which keepalived cannot say",
            help="give one of them a weight, or name another pool in the service",
        )
    elif weight > total:
        yield codes.QUORUM.at(
            node.at("quorum") if node else service.node.origin,
            f"the quorum of `{service.node.service}` is {weight}, and its real servers weigh {total} together",
            help="lower the quorum or raise a weight",
        )
    if node and (node.weight, node.hysteresis, node.up, node.down) == (1, 0, None, None):
        yield codes.QUORUM.at(
            node.at("quorum"),
            f"the quorum of `{service.node.service}` says nothing that is not so without it",
            help="remove it",
        )
    if node and not 0 <= node.hysteresis < node.weight:
        yield codes.QUORUM.at(
            node.at("hysteresis"),
            f"the hysteresis of `{service.node.service}` is {node.hysteresis}, and its quorum is {node.weight}",
            help="let the hysteresis be less than the quorum",
        )
    elif node and node.weight <= total < node.weight + node.hysteresis:
        yield codes.QUORUM.at(
            node.at("hysteresis"),
            f"`{service.node.service}` comes up at a weight of {node.weight + node.hysteresis}, quorum and hysteresis together,"
            f" and its real servers weigh {total}",
            help="lower one of the two or raise a weight",
        )


def _differences(service: Service, target: Target) -> Iterator[Diagnostic]:
    shared = Shared.of(service)
    checks = list(service.checks)
    hosts = [check.probe.virtual_host for check in checks if isinstance(check.probe, HttpProbe)]
    for differ, feature, what, said in (
        (
            shared.method is None,
            Feature.KEEPALIVED_SERVER_METHOD,
            "forwarding methods",
            _other_method(service),
        ),
        (
            checks and shared.interval is None,
            Feature.KEEPALIVED_CHECK_INTERVAL,
            "check intervals",
            service.node.origin,
        ),
        (
            any(hosts) and shared.virtual_host is None,
            Feature.KEEPALIVED_CHECK_VIRTUAL_HOST,
            "virtual hosts in their checks",
            service.node.origin,
        ),
    ):
        if differ and not target.has(feature):
            yield codes.OLD.at(
                said,
                f"the real servers of `{service.node.service}` have different {what}",
                notes=[f"target `{target.name}` is older than keepalived {feature.since}"],
                help="use the same for all of them, or a newer target",
            )


def _other_method(service: Service) -> Origin:
    """Where the first real server is told of that is reached otherwise than those before it."""
    first, *others = service.destinations
    other = next((node for node in others if method_of(node) != method_of(first)), first)
    return other.at("tunnel" if other.forwarding is first.forwarding else "forwarding")


def _check(check: HealthCheck) -> Iterator[Diagnostic]:
    yield from outside(check, "interval", "check interval", check.interval, (_MIN_TIME, _MAX_TIME))
    yield from outside(check, "timeout", "check timeout", check.timeout, (_MIN_TIME, _MAX_TIME))
    yield from outside(
        check, "delay_before_retry", "delay before a retry", check.delay_before_retry, (0, _MAX_TIME)
    )
    yield from outside(check, "retries", "number of retries", check.retries, (0, _MAX_INT))
    yield from outside(check, "port", "port to probe", check.probe_port, (1, 65535))
    if check.probe_port is None and not isinstance(check.probe, PingProbe | ScriptProbe):
        yield _probe(check.at("port"), "a health check has no port to connect to", "say the port to probe")
    if not check.retries and check.delay_before_retry:
        yield _probe(
            check.at("delay_before_retry"),
            "a delay before a retry is said where nothing is retried",
            "set it to 0",
        )
    if check.probe_port is not None and isinstance(check.probe, PingProbe | ScriptProbe):
        yield _probe(check.at("port"), "a ping or a script has no port to connect to", "leave the port out")
    match check.probe:
        case HttpProbe() as http:
            yield from _http(check, http)
        case DnsProbe(record=record) if record not in _RECORDS:
            yield _probe(
                check.at("record"),
                f"`{record}` is not a DNS record type that keepalived asks for",
                "use A or AAAA",
            )
        case UdpProbe() as udp:
            for key, text in (("payload", udp.payload), ("reply", udp.reply)):
                if text is not None and not _BYTES.fullmatch(text):
                    yield _probe(
                        check.at(key),
                        f"`{shown(text)}` is not bytes in hexadecimal",
                        "write two hexadecimal digits for each byte",
                    )
                elif text is not None and text.lower().endswith("ff"):
                    yield _probe(
                        check.at(key),
                        f"`{text}` ends with the byte ff, which some releases of keepalived take for an error",
                        "send or expect bytes that end otherwise",
                    )
            if udp.reply is not None and not udp.require_reply:
                yield _probe(check.at("reply"), "a reply is said but none is required", "require the reply")
        case ScriptProbe() if check.timeout % 1:
            yield _probe(check.at("timeout"), "a script's timeout is not in whole seconds", "round it")
        case _:
            pass


def _http(check: HealthCheck, http: HttpProbe) -> Iterator[Diagnostic]:
    if not http.status or any(not 100 <= low <= high <= 599 for low, high in http.status):  # noqa: PLR2004 - RFC 9110
        yield _probe(
            check.at("status"), "an HTTP check needs status codes from 100 to 599", "say which are accepted"
        )
    if http.digest is not None and not _MD5.fullmatch(http.digest):
        yield _probe(check.at("digest"), "the digest is not an MD5 in hexadecimal", "write its 32 digits")
    if http.sni and not http.tls:
        yield _probe(check.at("sni"), "server name indication needs https", "check over https, or remove it")
    if http.sni and http.virtual_host is None:
        yield _probe(check.at("sni"), "server name indication has no name to send", "say the virtual host")
    if http.http_version not in ("1.0", "1.1"):
        yield _probe(
            check.at("http_version"),
            f"HTTP version `{shown(http.http_version)}` is not 1.0 or 1.1",
            "use 1.1",
        )


def _probe(said: Origin, message: str, advice: str) -> Diagnostic:
    return codes.PROBE.at(said, message, help=advice)
