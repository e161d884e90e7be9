"""The backend `balance`."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from acme_balance import codes
from lvsc.plugin import (
    AddressSelector,
    Backend,
    Diagnostic,
    Emission,
    Forwarding,
    HealthCheck,
    HostPart,
    LoadStep,
    Node,
    RealServer,
    Role,
    Scheduler,
    Selector,
    Stage,
    TcpProbe,
    Text,
    VirtualService,
    disable_unit,
    enable_unit,
)

PATH = "/etc/lvsc/balance.conf"
UNIT = "balanced.service"


class Balance(Backend):
    """Renders virtual services by address, their real servers and TCP checks."""

    name: ClassVar[str] = "balance"
    title: ClassVar[str] = "Acme's balanced: virtual services by address, checked by TCP"
    role: ClassVar[Role] = Role.DIRECTOR

    def renders(self, node: Node) -> bool:
        """Services, real servers, and the only probe that balanced knows."""
        if type(node) is HealthCheck:
            return type(node.probe) is TcpProbe
        return type(node) in (VirtualService, RealServer)

    def check(self, part: HostPart) -> Iterable[Diagnostic]:
        """Marks, forwarding other than by nat, and most schedulers are beyond balanced."""
        for service in part.graph.of(VirtualService):
            if not isinstance(service.selector, AddressSelector):
                yield codes.MARK.at(
                    service.origin,
                    f"balanced knows no firewall marks, and service `{service.service}` needs one",
                    help="use another director backend",
                )
            if service.scheduler not in (Scheduler.RR, Scheduler.WLC):
                yield codes.SCHEDULER.at(
                    service.origin / "scheduler",
                    f"balanced has no scheduler `{service.scheduler.value}`",
                    help='use "rr" or "wlc"',
                )
        for server in part.graph.of(RealServer):
            if server.forwarding is not Forwarding.NAT:
                yield codes.FORWARDING.at(
                    server.origin,
                    f"balanced reaches `{server.name}` by nat alone",
                    help='say `forwarding = "nat"`',
                )

    def emit(self, part: HostPart) -> Emission:
        """One file, and the reload of balanced."""
        text = Text()
        text.add(f"-- Written by lvsc for host {part.host} of cluster {part.cluster}.")
        for service in part.graph.of(VirtualService):
            text.add(f"serve {_said(service.selector)} by {service.scheduler.value}", service.origin)
            for line, node in _servers(part, service):
                text.add(line, node.origin)
        systemctl = part.target.program("systemctl")
        step = LoadStep(
            stage=Stage.DIRECTOR,
            unit=UNIT,
            load=((systemctl, "reload-or-restart", UNIT),),
            unload=((systemctl, "stop", UNIT),),
            enable=enable_unit(part.target, UNIT),
            disable=disable_unit(part.target, UNIT),
        )
        return Emission(artifacts=(text.artifact(PATH),), steps=(step,))


def _said(selector: Selector) -> str:
    if not isinstance(selector, AddressSelector):
        raise TypeError("`check` refuses marks")
    return f"{selector.protocol.value} {selector.address} {selector.port}"


def _servers(part: HostPart, service: VirtualService) -> Iterator[tuple[str, Node]]:
    for server in part.graph.of(RealServer):
        if server.selector == service.selector:
            yield f"    at {server.address} {server.port} weight {server.weight}", server
    for check in part.graph.of(HealthCheck):
        if check.selector == service.selector:
            yield f"    probe {check.address} {check.probe_port} every {check.interval:g}s", check
