"""The keepalived backend."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from lvsc.plugin import (
    Backend,
    ConnectionSync,
    Diagnostic,
    EmailAlerts,
    Emission,
    HealthCheck,
    HostPart,
    Init,
    LoadStep,
    Need,
    Node,
    Quorum,
    Reading,
    RealServer,
    Role,
    ScriptUser,
    SecretRef,
    SorryServer,
    Source,
    Stage,
    SyncGroup,
    Target,
    Timeouts,
    TrackScript,
    VirtualAddress,
    VirtualService,
    VrrpInstance,
    disable_unit,
    enable_unit,
)
from lvsc_keepalived import read
from lvsc_keepalived.check import refusals
from lvsc_keepalived.failover import failover
from lvsc_keepalived.global_defs import global_defs
from lvsc_keepalived.hide import hide
from lvsc_keepalived.needs import needs
from lvsc_keepalived.page import Page
from lvsc_keepalived.services import Services, services
from lvsc_keepalived.virtual_servers import virtual_server

_KINDS = frozenset(
    {
        ConnectionSync,
        EmailAlerts,
        HealthCheck,
        Quorum,
        RealServer,
        ScriptUser,
        SorryServer,
        SyncGroup,
        Timeouts,
        TrackScript,
        VirtualService,
        VrrpInstance,
    }
)


class Keepalived(Backend):
    """Renders a director's services, health checks and failover as one keepalived.conf."""

    name = "keepalived"
    title = "keepalived: virtual services, health checks and failover"
    role = Role.DIRECTOR

    def renders(self, node: Node) -> bool:
        """The director's nodes, and the virtual addresses that a VRRP instance moves."""
        return type(node) in _KINDS or (type(node) is VirtualAddress and node.instance is not None)

    def needs(self, node: Node) -> Iterable[Need]:
        """What is younger than keepalived 1.3.5."""
        return needs(node)

    def check(self, part: HostPart) -> Iterable[Diagnostic]:
        """What keepalived would change, ignore, misread or refuse."""
        if not len(part.graph):
            return
        rendered = _render(part)
        yield from refusals(part, rendered.services)
        yield from rendered.page.problems

    def recognises(self, source: Source) -> bool:
        """Whether the text is a keepalived.conf."""
        return read.recognises(source.text)

    def hide(self, source: Source) -> Source:
        """The text without passwords."""
        return hide(source)

    def read(self, source: Source) -> Reading:
        """All that the file says, with keepalived's defaults for what is unsaid."""
        return read.read(source)

    def emit(self, part: HostPart) -> Emission:
        """The file, and how the host reloads it; nothing for a host without any of these nodes."""
        if not len(part.graph):
            return Emission()
        page = _render(part).page
        for problem in page.problems:
            raise ValueError(f"emitted what was refused: {problem.message}")
        secrets = _secrets(part)
        artifact = page.text.artifact(part.target.paths.keepalived_conf, 0o600 if secrets else 0o644, secrets)
        return Emission(artifacts=(artifact,), steps=(_step(part.target),))


@dataclass(frozen=True, slots=True)
class _Rendered:
    services: Services
    page: Page


@lru_cache(maxsize=16)  # `check` and `emit` of each director of a cluster both ask
def _render(part: HostPart) -> _Rendered:
    """The whole file, and what could not be written in it."""
    found = services(part.graph)
    page = Page()
    page.line(
        f"# Written by lvsc for host {part.host} of cluster {part.cluster}. "
        "Do not edit: change the spec and build again."
    )
    global_defs(page, part)
    failover(page, part)
    for service in found.all:
        virtual_server(page, service, part.target)
    return _Rendered(found, page)


def _secrets(part: HostPart) -> tuple[SecretRef, ...]:
    """Each password once."""
    passwords = (
        instance.authentication.password
        for instance in part.graph.of(VrrpInstance)
        if instance.authentication is not None
    )
    return tuple(dict.fromkeys(passwords))


def _step(target: Target) -> LoadStep:
    unit = target.units.keepalived
    if unit is None:
        raise ValueError(f"target {target.name} has no keepalived unit")
    load: tuple[tuple[str, ...], ...]
    unload: tuple[tuple[str, ...], ...]
    if target.init is Init.SYSTEMD:
        systemctl = target.program("systemctl")
        load = ((systemctl, "reload-or-restart", unit),)
        unload = ((systemctl, "stop", unit),)
    else:
        service = target.program("rc-service")
        # Reloading keeps this director's VRRP state, which a restart would give up.
        load = ((service, "--ifstarted", unit, "reload"), (service, "--ifstopped", unit, "start"))
        unload = ((service, "--ifstarted", unit, "stop"),)
    return LoadStep(
        stage=Stage.DIRECTOR,
        unit=unit,
        load=load,
        unload=unload,
        enable=enable_unit(target, unit),
        disable=disable_unit(target, unit),
    )
