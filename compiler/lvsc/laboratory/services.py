"""What clients ask of a cluster's services, and what its servers must answer."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lvsc.graph.nodes import DnsProbe, HttpProbe, PingProbe, ScriptProbe, SmtpProbe, UdpProbe
from lvsc.graph.traffic import PortRange, Protocol
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.probes import ChosenCheck, choose_check
from lvsc.spec.model import PoolServer, SorryHost

#: The control port of FTP (RFC 959), where vsftpd answers itself.
FTP = 21
_GREETING = "220 laboratory\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A port at which a host answers."""

    protocol: Protocol
    port: int
    greeting: str = ""
    """What the server says first."""
    tls: bool = False
    """Whether it speaks TLS to clients that begin with it."""


def corners(ports: PortRange) -> tuple[int, ...]:
    """The ports of a range that are asked: its ends, and one between them. Port 0 is none."""
    first = max(1, ports.first)
    return tuple(sorted({first, (first + ports.last) // 2, ports.last}))


def speaks_ftp(lowered: LoweredService) -> bool:
    """Whether clients of a service speak FTP."""
    return lowered.service.kind == "ftp"


def check_of(lowered: LoweredService) -> ChosenCheck | None:
    """The health check of a service's real servers."""
    chosen = choose_check(lowered.service, lowered.plan, lowered.ports)
    return chosen if isinstance(chosen, ChosenCheck) else None


def servers(lowered: LoweredService) -> tuple[PoolServer | SorryHost, ...]:
    """Everybody who may answer for a service."""
    return lowered.service.pool.everybody


def ftp_servers(services: Iterable[LoweredService]) -> tuple[PoolServer, ...]:
    """The real servers that run an FTP server, each once."""
    found = {
        server.name: server for each in services if speaks_ftp(each) for server in each.service.pool.enabled
    }
    return tuple(found.values())


def servings(services: Iterable[LoweredService], names: Mapping[str, str]) -> dict[str, tuple[Serving, ...]]:
    """What each host answers, by name; `names` has the host of each server's address. Without what vsftpd answers."""
    found: dict[str, dict[tuple[Protocol, int], Serving]] = {}
    for each in services:
        check = check_of(each)
        for server in servers(each):
            own = found.setdefault(names[str(server.ips[0])], {})
            for serving in _of(each, server, check):
                had = own.get((serving.protocol, serving.port))
                if had is None or had.greeting < serving.greeting or had.tls < serving.tls:
                    own[serving.protocol, serving.port] = serving
    return {host: tuple(own.values()) for host, own in found.items()}


def _of(
    lowered: LoweredService, server: PoolServer | SorryHost, check: ChosenCheck | None
) -> Iterator[Serving]:
    probe = check.check.probe if check is not None else None
    asked = check.port_of(server) if check is not None and isinstance(server, PoolServer) else None
    greeting = _GREETING if isinstance(probe, SmtpProbe) else ""
    if isinstance(probe, UdpProbe) and probe.reply:
        greeting = bytes.fromhex(probe.reply).decode("latin-1")
    tls = isinstance(probe, HttpProbe) and probe.tls
    if not speaks_ftp(lowered):
        for port in lowered.ports:
            for number in (server.port,) if server.port else corners(port.ports):
                checked = number == asked and port.protocol in (Protocol.TCP, Protocol.UDP)
                yield Serving(
                    protocol=port.protocol,
                    port=number,
                    greeting=greeting if checked else "",
                    tls=tls and checked,
                )
    elif asked == FTP:
        return
    if asked is not None and not isinstance(probe, PingProbe | ScriptProbe):
        protocol = Protocol.UDP if isinstance(probe, UdpProbe | DnsProbe) else Protocol.TCP
        yield Serving(protocol=protocol, port=asked, greeting=greeting, tls=tls)
