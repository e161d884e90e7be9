"""The virtual_server blocks (keepalived.conf(5), "VIRTUAL SERVER(S)").

A value that all real servers of a service share is said once for the service, because only newer releases take it for
each real server (`lvs_method`) or health check (`delay_loop`, `virtualhost`).
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Self

from lvsc.plugin import (
    AddressSelector,
    FailureAction,
    Family,
    Forwarding,
    HealthCheck,
    HttpProbe,
    MarkSelector,
    Quorum,
    RealServer,
    SorryServer,
    Target,
    TunnelChecksum,
    TunnelType,
    VirtualService,
)
from lvsc_keepalived.checkers import Style, checkers, http_retry, seconds
from lvsc_keepalived.page import Page
from lvsc_keepalived.services import Server, Service, agreed

_METHODS = {Forwarding.NAT: "NAT", Forwarding.DIRECT: "DR", Forwarding.TUNNEL: "TUN"}
_CHECKSUMS = {TunnelChecksum.NONE: "nocsum", TunnelChecksum.FULL: "csum", TunnelChecksum.REMOTE: "remcsum"}


@dataclass(frozen=True, slots=True)
class Shared:
    """What all real servers or health checks of a service have in common, None where they differ."""

    method: str | None
    interval: float | None
    virtual_host: str | None

    @classmethod
    def of(cls, service: Service) -> Self:
        """What those of one service share."""
        return cls(
            method=agreed(method_of(node) for node in service.destinations),
            interval=agreed(check.interval for check in service.checks),
            virtual_host=agreed(
                check.probe.virtual_host for check in service.checks if isinstance(check.probe, HttpProbe)
            ),
        )


def virtual_server(page: Page, service: Service, target: Target) -> None:
    """Append the block of one virtual service."""
    node = service.node
    shared = Shared.of(service)
    page.gap()
    page.comment(f"service {node.service}", node)
    page.open(f"virtual_server {_selector(page, node)}", node.origin)
    if _family_unsaid(service):
        page.line(f"ip_family {'inet6' if node.selector.family is Family.IPV6 else 'inet'}", node.origin)
    if shared.interval is not None:
        page.line(f"delay_loop {seconds(shared.interval)}", node.origin)
    page.line(f"lvs_sched {node.scheduler.value}", node.origin)
    for flag in node.flags:
        page.line(flag.value, node.origin)
    if node.one_packet:
        page.line("ops", node.origin)
    if shared.method is not None:
        page.line(f"lvs_method {shared.method}", node.origin)
    _persistence(page, node)
    if isinstance(node.selector, AddressSelector):
        page.line(f"protocol {node.selector.protocol.value.upper()}", node.origin)
    if shared.virtual_host is not None:
        page.say("virtualhost", page.word, shared.virtual_host, next(iter(service.checks)), "virtual_host")
    for quorum in service.quorums[:1]:
        _quorum(page, quorum)
    for sorry in service.sorry[:1]:
        page.line(f"sorry_server {page.address(sorry.address, sorry, 'ip')} {sorry.port}", sorry.origin)
        if shared.method is None:
            page.line(f"sorry_server_lvs_method {method_of(sorry)}", sorry.origin)
    style = Style(
        interval=shared.interval is None,
        virtual_host=shared.virtual_host is None,
        http_retry=http_retry(target),
    )
    for server in service.servers.values():
        _real_server(page, server, shared, style)
    page.close()


def method_of(node: RealServer | SorryServer) -> str:
    """The words after `lvs_method`. A plain ipip tunnel is just `TUN`, which older releases know."""
    tunnel = node.tunnel
    if node.forwarding is not Forwarding.TUNNEL or tunnel is None or tunnel.type is TunnelType.IPIP:
        return _METHODS[node.forwarding]
    words = [_METHODS[node.forwarding], "type", tunnel.type.value]
    if tunnel.port is not None:
        words += ["port", str(tunnel.port)]
    return " ".join([*words, _CHECKSUMS[tunnel.checksum]])


def _selector(page: Page, node: VirtualService) -> str:
    match node.selector:
        case MarkSelector(mark=mark):
            return f"fwmark {mark}"
        case AddressSelector(address=address, port=port):
            return f"{page.address(address, node, 'address')} {port}"


def _family_unsaid(service: Service) -> bool:
    """Whether keepalived cannot tell the family of a mark: tunnels carry either, so only other servers show it."""
    return isinstance(service.node.selector, MarkSelector) and all(
        node.forwarding is Forwarding.TUNNEL for node in service.destinations
    )


def _persistence(page: Page, node: VirtualService) -> None:
    if node.persistence is None:
        return
    family = node.selector.family
    page.line(f"persistence_timeout {node.persistence.timeout}", node.origin)
    length = node.persistence.prefix_length
    if length != family.bits:
        mask = str(IPv4Network((0, length)).netmask) if family is Family.IPV4 else str(length)
        page.line(f"persistence_granularity {mask}", node.origin)
    if node.persistence.engine is not None:
        page.say("persistence_engine", page.word, node.persistence.engine, node, "persistence_engine")


def _quorum(page: Page, quorum: Quorum) -> None:
    page.line(f"quorum {quorum.weight}", quorum.origin)
    page.line(f"hysteresis {quorum.hysteresis}", quorum.origin)
    if quorum.up is not None:
        page.say("quorum_up", page.command, quorum.up, quorum, "notify", "quorum_up")
    if quorum.down is not None:
        page.say("quorum_down", page.command, quorum.down, quorum, "notify", "quorum_down")


def _real_server(page: Page, server: Server, shared: Shared, style: Style) -> None:
    node = server.node
    origin = node.origin
    page.open(f"real_server {page.address(node.address, node, 'ip')} {node.port}", origin)
    page.line(f"weight {node.weight}", origin)
    if shared.method is None:
        page.line(f"lvs_method {method_of(node)}", origin)
    if node.upper_threshold:
        page.line(f"uthreshold {node.upper_threshold}", origin)
    if node.lower_threshold:
        page.line(f"lthreshold {node.lower_threshold}", origin)
    if server.checks:
        _reaction(page, server.checks[0])
        checkers(page, server.checks, style)
    page.close()


def _reaction(page: Page, check: HealthCheck) -> None:
    if check.on_failure is FailureAction.DRAIN:
        page.line("inhibit_on_failure", check.origin)
    if check.up is not None:
        page.say("notify_up", page.command, check.up, check, "notify", "up")
    if check.down is not None:
        page.say("notify_down", page.command, check.down, check, "notify", "down")
