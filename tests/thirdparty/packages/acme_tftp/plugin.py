"""The entry point of the service kind `tftp`: what is always asked when a spec is read."""

from collections.abc import Iterable

from acme_tftp import codes
from acme_tftp.kind import TftpKind
from acme_tftp.settings import TftpSettings
from lvsc.plugin import Anchor, Code, Diagnostic, Lowered, Place, ServiceKind, hookimpl


@hookimpl
def lvsc_service_kind() -> ServiceKind:
    """The kind."""
    return TftpKind()


@hookimpl
def lvsc_codes() -> Iterable[Code]:
    """The codes of the kind and of its backend."""
    return codes.ALL


@hookimpl
def lvsc_lint(lowered: Lowered) -> Iterable[Diagnostic]:
    """One tftpd cannot serve two directories."""
    for host in lowered.graph.hosts.values():
        settings = host.of(TftpSettings)
        for other in settings[1:]:
            yield codes.ROOTS.at(
                Place(other.origin, Anchor.TABLE),
                f"tftpd of `{host.host}` would serve {len(settings)} directories",
                others=[Place(settings[0].origin, Anchor.TABLE, "the other service")],
                help="use real servers of their own",
            )
