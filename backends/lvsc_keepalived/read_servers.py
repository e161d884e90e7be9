"""The real servers and sorry server of a virtual_server block read (keepalived.conf(5), "VIRTUAL SERVER(S)"; check_data.c)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lvsc.plugin import (
    Address,
    AddressSelector,
    FailureAction,
    Family,
    Forwarding,
    HealthCheck,
    Node,
    RealServer,
    Selector,
    SorryServer,
)
from lvsc_keepalived import read_checkers, read_codes
from lvsc_keepalived.read_checkers import Defaults, checker
from lvsc_keepalived.read_destinations import NAT, Destination, Method, method_of, where
from lvsc_keepalived.read_fields import Fields, Keywords, Report
from lvsc_keepalived.read_lines import Statement

_MAX_INT = 2**31 - 1
_MAX_UNSIGNED = 2**32 - 1

_SERVER = Keywords(
    "real_server",
    (
        "weight",
        "lvs_method",
        "uthreshold",
        "lthreshold",
        "inhibit_on_failure",
        "notify_up",
        "notify_down",
        "delay_loop",
        "connect_timeout",
        "retry",
        "delay_before_retry",
        "virtualhost",
    ),
    read_checkers.NAMES,
)


@dataclass(slots=True)
class VirtualServer:
    """A virtual server while it is read."""

    report: Report
    fields: Fields
    statement: Statement
    method: Method = NAT
    servers: list[Destination] = field(default_factory=list)
    sorry: Destination | None = None


def destination(service: VirtualServer, statement: Statement) -> Destination | None:
    """Where a `real_server` block leads, and how; None where its address cannot be read, which is then a problem."""
    place = where(service.report, statement)
    fields = Fields(service.report, statement, _SERVER)
    method = method_of(fields, "lvs_method") or service.method
    return None if place is None else Destination(statement, *place, method, fields)


def sorry_destination(service: VirtualServer) -> Destination | None:
    """The same of `sorry_server`; None where there is none, too."""
    report, said = service.report, service.fields.said
    statement, own = said.get("sorry_server"), said.get("sorry_server_lvs_method")
    if own is not None and (statement is None or statement.line > own.line):
        message = "`sorry_server_lvs_method` comes after a `sorry_server`"
        report.at(read_codes.STRUCTURE, own, message, advice="move it")
    if statement is None:
        return None
    if statement.block is not None:
        report.at(read_codes.KEYWORD, statement, "`sorry_server` has no block")
        return None
    place = where(service.report, statement)
    method = method_of(service.fields, "sorry_server_lvs_method") or service.method
    return None if place is None else Destination(statement, *place, method)


def real_servers(
    service: VirtualServer, selector: Selector, defaults: Defaults, weight: int, *, drains: bool
) -> Iterator[Node]:
    """The real servers, each before its health checks. ``weight`` and ``drains`` are what the service says for all of them."""
    seen: dict[tuple[Address, int], Statement] = {}
    total = 0
    complete = True
    for server in service.servers:
        nodes = list(_real_server(service, server, selector, defaults, weight, drains=drains))
        yield from nodes
        complete = complete and bool(nodes)
        for node in nodes[:1]:
            if isinstance(node, RealServer):
                total += node.weight
                first = seen.setdefault((node.address, node.port), server.statement)
                if first is not server.statement:
                    service.report.at(
                        read_codes.STRUCTURE,
                        server.statement,
                        "this real server is here twice",
                        advice="remove one of the two",
                        other=service.report.origin(first),
                    )
    if complete and service.fields.number("quorum", 1, _MAX_UNSIGNED, 1) > total:
        at = service.fields.said.get("quorum", service.statement)
        message = f"the quorum is above the total weight of the real servers, {total}"
        service.report.at(read_codes.STRUCTURE, at, message, advice="lower the quorum or raise a weight")


def _real_server(
    service: VirtualServer,
    server: Destination,
    selector: Selector,
    defaults: Defaults,
    weight: int,
    *,
    drains: bool,
) -> Iterator[Node]:
    """The real server, first, and its health checks."""
    report, fields = service.report, server.fields
    if fields is None:
        return
    before = len(report.problems)
    port = _port(service, server, selector)
    own = defaults.within(fields)
    own.port = port
    upper = fields.number("uthreshold", 0, _MAX_UNSIGNED, 0)
    lower = fields.number("lthreshold", 0, _MAX_UNSIGNED, 0)
    if lower > upper:
        message = "the lower threshold is above the upper one, which the kernel refuses"
        report.at(read_codes.VALUE, fields.said["lthreshold"], message, index=1, advice="lower it")
    drained = fields.flag("inhibit_on_failure", default=drains)
    up, down = fields.command("notify_up"), fields.command("notify_down")
    if not fields.many and (up or down or "inhibit_on_failure" in fields):
        message = "nothing checks the real server, so it never fails or comes back"
        report.at(
            read_codes.STRUCTURE, server.statement, message, advice="add a check, or remove what is told"
        )
    checks = [one for found in fields.many if (one := checker(report, found, own)) is not None]
    share = fields.number("weight", 0, _MAX_INT, weight)
    if len(report.problems) > before:
        return
    origin = report.origin(server.statement)
    yield RealServer(
        host=report.host,
        origin=origin,
        selector=selector,
        name=str(server.address),
        address=server.address,
        port=port,
        forwarding=server.method[0],
        tunnel=server.method[1],
        weight=share,
        upper_threshold=upper,
        lower_threshold=lower,
    )
    for check in checks:
        yield HealthCheck(
            host=report.host,
            origin=report.origin(check.statement),
            selector=selector,
            address=server.address,
            port=port,
            probe=check.probe,
            probe_port=check.probe_port,
            interval=check.interval,
            timeout=check.timeout,
            retries=check.retries,
            delay_before_retry=check.delay_before_retry,
            on_failure=FailureAction.DRAIN if drained else FailureAction.REMOVE,
            up=up,
            down=down,
        )


def sorry_server(service: VirtualServer, selector: Selector) -> SorryServer | None:
    """The node of the sorry server, where there is one."""
    sorry = service.sorry
    if sorry is None:
        return None
    return SorryServer(
        host=service.report.host,
        origin=service.report.origin(sorry.statement),
        selector=selector,
        address=sorry.address,
        port=_port(service, sorry, selector),
        forwarding=sorry.method[0],
        tunnel=sorry.method[1],
    )


def _port(service: VirtualServer, server: Destination, selector: Selector) -> int:
    """The port that IPVS stores; one that keepalived would put in its place is a problem."""
    kept = selector.port if isinstance(selector, AddressSelector) else 0
    port = server.port or kept
    if port != kept and server.method[0] is not Forwarding.NAT:
        message = f"packets go to port {kept}, whatever is said here"
        service.report.at(read_codes.VALUE, server.statement, message, index=2, advice="leave the port out")
    if server.method[0] is not Forwarding.TUNNEL and Family.of(server.address) is not selector.family:
        message = "the server is of another address family than its virtual server"
        service.report.at(
            read_codes.STRUCTURE, server.statement, message, index=1, advice="forward by a tunnel"
        )
    return port
