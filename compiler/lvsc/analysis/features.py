"""What the targets' versions cannot do."""

from collections.abc import Iterable, Iterator, Mapping

from lvsc.analysis import codes
from lvsc.diagnostics import Diagnostic, Origin
from lvsc.graph.nodes import (
    ConnectionSync,
    ModuleOption,
    Node,
    RealServer,
    Scheduler,
    SchedulerFlag,
    TunnelChecksum,
    TunnelDevice,
    TunnelType,
    VirtualService,
)
from lvsc.graph.traffic import Family
from lvsc.lowering.lowered import LoweredService
from lvsc.plugins.backend import Backend, HostPart, blamed_backend
from lvsc.targets import Feature, Program, Target, first_with

_SCHEDULERS = {
    Scheduler.FO: Feature.KERNEL_SCHED_FO,
    Scheduler.OVF: Feature.KERNEL_SCHED_OVF,
    Scheduler.MH: Feature.KERNEL_SCHED_MH,
    Scheduler.TWOS: Feature.KERNEL_SCHED_TWOS,
}
_TUNNELS = {TunnelType.GUE: Feature.KERNEL_TUNNEL_GUE, TunnelType.GRE: Feature.KERNEL_TUNNEL_GRE}
#: The size of the connection table that every kernel allows, in bits.
_COMMON_TABLE_BITS = 20


def missing_features(
    parts: Mapping[Backend, tuple[HostPart, ...]],
    services: Iterable[LoweredService],
    director_target: Target,
) -> Iterator[Diagnostic]:
    """A diagnostic for each thing that a target cannot do and a place in the spec needs, once, whoever lacks it."""
    missing: dict[tuple[str, str, Origin], tuple[Target, dict[Feature, None]]] = {}
    has: dict[tuple[str, Feature], bool] = {}
    for feature, target, origin in _needed(parts, services, director_target):
        asked = (target.name, feature)
        if asked not in has:  # thousands of nodes need the same
            has[asked] = target.has(feature)
        if not has[asked]:
            key = (feature.value.title, target.name, origin)
            missing.setdefault(key, (target, {}))[1].setdefault(feature)
    for (title, _, origin), (target, lacking) in missing.items():
        yield _missing(title, target, origin, tuple(lacking))


def _needed(
    parts: Mapping[Backend, tuple[HostPart, ...]],
    services: Iterable[LoweredService],
    director_target: Target,
) -> Iterator[tuple[Feature, Target, Origin]]:
    for lowered in services:
        for feature in lowered.plan.features:
            yield feature, director_target, lowered.service.origin
    for backend, own in parts.items():
        for part in own:
            with blamed_backend(backend, part.host):
                for node in part.graph:
                    for feature in (*kernel_needs(node), *backend.needs(node)):
                        yield feature, part.target, node.origin


def kernel_needs(node: Node) -> Iterator[Feature]:
    """The features that a host's kernel must have for a node, whichever backend renders it."""
    if isinstance(node, VirtualService):
        if node.scheduler in _SCHEDULERS:
            yield _SCHEDULERS[node.scheduler]
        if {SchedulerFlag.SH_FALLBACK, SchedulerFlag.SH_PORT} & set(node.flags):
            yield Feature.KERNEL_SH_FLAGS
    elif isinstance(node, RealServer):
        if node.tunnel is not None and node.tunnel.type in _TUNNELS:
            yield _TUNNELS[node.tunnel.type]
            if node.tunnel.checksum is not TunnelChecksum.NONE:
                yield Feature.KERNEL_TUNNEL_GUE_CHECKSUM
        if Family.of(node.address) is not node.selector.family:
            yield Feature.KERNEL_MIXED_FAMILIES
    elif isinstance(node, ConnectionSync):
        if (node.max_length, node.port, node.ttl, node.group) != (None, None, None, None):
            yield Feature.KERNEL_SYNC_PARAMETERS
    elif isinstance(node, ModuleOption):
        if node.option == "conn_tab_bits" and int(node.value) > _COMMON_TABLE_BITS:
            yield Feature.KERNEL_CONN_TAB_BITS_27
    elif isinstance(node, TunnelDevice) and node.type is TunnelType.GUE:
        yield Feature.KERNEL_FOU


def _missing(title: str, target: Target, origin: Origin, features: tuple[Feature, ...]) -> Diagnostic:
    # What one program cannot do here, its kernel may not do elsewhere: a target that helps has both.
    programs = {feature.value.program for feature in features} | {Program.KERNEL}
    needed = [f for f in Feature if f.value.title == title and f.value.program in programs]
    able = [name for name in first_with(needed[0]) if all(name in first_with(other) for other in needed)]
    instead = features[0].value.instead
    return codes.MISSING_FEATURE.at(
        origin,
        f"target `{target.name}` cannot do {title}",
        notes=[_lacks(target, feature) for feature in features],
        help=f"{instead}, or use a target that can: {', '.join(f'`{name}`' for name in able)}"
        if able
        else f"{instead}: no target can",
    )


def _lacks(target: Target, feature: Feature) -> str:
    fact = feature.value
    version = target.version(fact.program)
    program = _PROGRAMS.get(fact.program.value, fact.program.value)
    if version is not None and version >= fact.since:
        return f"{program} {version} of `{target.name}` is built without it, or broken"
    has = f"has {version}" if version is not None else "does not ship it"
    return f"it needs {program} {fact.since} or newer, and `{target.name}` {has}"


_PROGRAMS = {"kernel": "Linux"}
