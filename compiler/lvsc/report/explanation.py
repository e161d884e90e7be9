"""Why a cluster's services are carried as they are: what `lvsc explain` knows before it is put into words."""

from collections.abc import Mapping
from dataclasses import dataclass

from lvsc.compile import Compiled
from lvsc.diagnostics import Diagnostic
from lvsc.graph.nodes import DnsProbe, HttpProbe, PingProbe, Probe, ScriptProbe, SmtpProbe, UdpProbe
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.probes import choose_check
from lvsc.plugins.kind import ServiceKind
from lvsc.report.excerpts import Excerpt, excerpts
from lvsc.report.passages import Passage, passages
from lvsc.report.way import Preparation, Way, preparations, ways
from lvsc.spec.model import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """How a service's real servers are probed. Times are seconds."""

    type: str
    """The spec's word for it."""
    asks: str
    """What is asked for, empty where the type says it all."""
    ports: tuple[int, ...]
    """Sorted; empty for a ping or a script."""
    interval: float
    timeout: float
    retries: int
    delay_before_retry: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What is worth knowing of one service, but not of every service at once."""

    probing: Probing | None
    """None where its real servers are not probed."""
    ways: tuple[Way, ...]
    preparations: tuple[Preparation, ...]
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Services of a cluster, and what the directors' own firewall must let through for them."""

    cluster: Cluster
    backends: tuple[str, ...]
    services: tuple[LoweredService, ...]
    detail: Detail | None
    """Of the only service that was asked about."""
    passages: tuple[Passage, ...]


def explain_all(compiled: Compiled, kinds: Mapping[str, ServiceKind]) -> Explanation:
    """Every service."""
    return _explanation(compiled, compiled.lowered.services, None, passages(compiled, kinds))


def explain_one(compiled: Compiled, kinds: Mapping[str, ServiceKind], lowered: LoweredService) -> Explanation:
    """One service in detail."""
    detail = Detail(
        probing=_probing(lowered),
        ways=ways(lowered, compiled.lowered.graph, compiled.cluster),
        preparations=preparations(lowered, compiled.cluster),
        excerpts=excerpts(compiled, lowered),
    )
    own = (
        passage for passage in passages(compiled, kinds) if passage.service in (None, lowered.service.name)
    )
    return _explanation(compiled, (lowered,), detail, tuple(own))


def _explanation(
    compiled: Compiled,
    services: tuple[LoweredService, ...],
    detail: Detail | None,
    found: tuple[Passage, ...],
) -> Explanation:
    return Explanation(
        cluster=compiled.cluster,
        backends=tuple(backend.name for backend in compiled.parts),
        services=services,
        detail=detail,
        passages=found,
    )


def _probing(lowered: LoweredService) -> Probing | None:
    chosen = choose_check(lowered.service, lowered.plan, lowered.ports)
    if chosen is None or isinstance(chosen, Diagnostic):
        return None
    check = chosen.check
    kind, asks = _asked(check.probe)
    ports = {chosen.port_of(server) for server in lowered.service.pool.enabled}
    return Probing(
        type=kind,
        asks=asks,
        ports=tuple(sorted(port for port in ports if port is not None)),
        interval=check.interval,
        timeout=check.timeout,
        retries=check.retries,
        delay_before_retry=check.delay_before_retry,
    )


def _asked(probe: Probe) -> tuple[str, str]:
    """The spec's word for a probe, and what it asks for."""
    match probe:
        case HttpProbe():
            return ("https" if probe.tls else "http"), (probe.virtual_host or "") + probe.path
        case SmtpProbe():
            return "smtp", ""
        case DnsProbe():
            return "dns", f"{probe.record} {probe.name}"
        case UdpProbe():
            return "udp", ""
        case PingProbe():
            return "ping", ""
        case ScriptProbe():
            return "script", probe.command
        case _:
            return "tcp", ""
