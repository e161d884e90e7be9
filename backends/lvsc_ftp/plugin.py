"""The plugin `ftp`: what is always asked when a spec is read."""

from collections.abc import Iterable, Iterator

from lvsc.plugin import Anchor, Code, Diagnostic, Family, Lowered, ModuleOption, Place, ServiceKind, hookimpl
from lvsc_ftp import codes
from lvsc_ftp.kind import MODULE, FtpKind
from lvsc_ftp.settings import PassiveSettings
from lvsc_ftp.strategy import Way, choose, options_of

#: include/net/ip_vs.h: IP_VS_APP_MAX_PORTS.
MAX_CONTROL_PORTS = 8


@hookimpl
def lvsc_service_kind() -> ServiceKind:
    """The kind `ftp`."""
    return FtpKind()


@hookimpl
def lvsc_codes() -> Iterable[Code]:
    """The codes of this plugin."""
    return codes.ALL


@hookimpl
def lvsc_lint(lowered: Lowered) -> Iterable[Diagnostic]:
    """What several FTP services together cannot have."""
    return (*_too_many_ports(lowered), *_two_settings(lowered), *_tls_beside_read(lowered))


def _too_many_ports(lowered: Lowered) -> Iterator[Diagnostic]:
    for host in lowered.graph.hosts.values():
        ports = [option for option in host.of(ModuleOption) if option.module == MODULE]
        if len(ports) > MAX_CONTROL_PORTS:
            yield codes.TOO_MANY_PORTS.at(
                ports[MAX_CONTROL_PORTS].at("control_port"),
                f"there are {len(ports)} FTP control ports, and {MODULE} reads at most {MAX_CONTROL_PORTS}",
                help="let services share a control port",
            )
            return


def _two_settings(lowered: Lowered) -> Iterator[Diagnostic]:
    for host in lowered.graph.hosts.values():
        settings = host.of(PassiveSettings)
        for other in settings[1:]:
            yield codes.TWO_SETTINGS.at(
                Place(other.origin, Anchor.TABLE),
                f"real server `{host.host}` would need two settings of its vsftpd",
                others=[Place(settings[0].origin, Anchor.TABLE, "the other service")],
                help="use the same control port, passive range and address for both, or real servers of their own",
            )


def _tls_beside_read(lowered: Lowered) -> Iterator[Diagnostic]:
    services = [each.service for each in lowered.services if each.service.kind == FtpKind.name]
    read = {
        options_of(service).control_port: service
        for service in services
        if choose(service) in (Way.ADDRESS, Way.MARK)
    }
    for service in services:
        port = options_of(service).control_port
        if choose(service) is Way.OPAQUE and service.ips(Family.IPV4) and port in read:
            yield codes.TLS_BESIDE_READ.at(
                service.origin / "tls",
                f"{MODULE} would read the clients of `{service.name}` that do not encrypt",
                others=[
                    Place(read[port].origin, Anchor.TABLE, f"it is there for port {port} of this service")
                ],
                help="choose another control port for one of them, or say `tls` for both",
            )
