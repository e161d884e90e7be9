"""Which health check a real server of a service has, and which port it asks."""

from dataclasses import dataclass

from lvsc.diagnostics import Anchor, Diagnostic, Place
from lvsc.graph.nodes import (
    DnsProbe,
    HttpProbe,
    PingProbe,
    Probe,
    ScriptProbe,
    SmtpProbe,
    TcpProbe,
    UdpProbe,
)
from lvsc.graph.traffic import Protocol
from lvsc.lowering import codes
from lvsc.lowering.plan import Plan, ServicePort
from lvsc.spec.model import Check, NoCheck, PoolServer, Service


@dataclass(frozen=True, slots=True)
class ChosenCheck:
    """The check of a service's real servers; `port` is for those without a port of their own."""

    check: Check
    port: int | None

    def port_of(self, server: PoolServer) -> int | None:
        """The port of a real server that is asked; None for a ping or a script."""
        if isinstance(self.check.probe, PingProbe | ScriptProbe):
            return None
        return self.check.port or server.port or self.port


def choose_check(
    service: Service, plan: Plan, ports: tuple[ServicePort, ...]
) -> ChosenCheck | Diagnostic | None:
    """The service's check, its pool's, or a TCP connection; None where the spec says that there is none.

    A diagnostic where no port to ask can be derived.
    """
    said = service.check if service.check is not None else service.pool.check
    if isinstance(said, NoCheck):
        return None
    check = said or Check(
        probe=TcpProbe(),
        port=None,
        interval=5,
        timeout=3,
        retries=1,
        delay_before_retry=1,
        origin=service.origin,
    )
    if isinstance(check.probe, PingProbe | ScriptProbe):
        return ChosenCheck(check, None)
    port = check.port or plan.probe_port or _derive(check.probe, ports)
    if port is None and not all(server.port for server in service.pool.enabled):
        return _no_port(service, said, check, ports)
    return ChosenCheck(check, port)


def _derive(probe: Probe, ports: tuple[ServicePort, ...]) -> int | None:
    """The bundle's only port of the probe's protocol, or else the probe's well-known one if the bundle has it."""
    wanted = Protocol.UDP if isinstance(probe, UdpProbe | DnsProbe) else Protocol.TCP
    fitting = [port.ports for port in ports if port.protocol is wanted]
    if isinstance(probe, DnsProbe) and not fitting:
        fitting = [port.ports for port in ports]
    if len(fitting) == 1 and fitting[0].single:
        return fitting[0].first
    known = _well_known(probe)
    return known if known and any(known in ports for ports in fitting if not ports.all) else None


def _well_known(probe: Probe) -> int | None:
    if isinstance(probe, HttpProbe):
        return 443 if probe.tls else 80
    if isinstance(probe, SmtpProbe):
        return 25
    return 53 if isinstance(probe, DnsProbe) else None


def _no_port(
    service: Service, said: Check | None, check: Check, ports: tuple[ServicePort, ...]
) -> Diagnostic:
    words = ", ".join(map(str, ports))
    if said is None:
        return codes.PROBE_PORT.at(
            Place(service.origin, Anchor.TABLE),
            f"service `{service.name}` balances {words} and does not say how its real servers are probed",
            help='say `check`, with a `port` where it needs one, or `check = "none"`',
        )
    return codes.PROBE_PORT.at(
        Place(check.origin),
        f"service `{service.name}` balances {words}, and its check does not say which port to ask",
        others=[Place(service.origin, Anchor.TABLE, "the service")],
        help="say a `port` in the check",
    )
