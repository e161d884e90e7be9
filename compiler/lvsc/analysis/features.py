"""What the targets' versions cannot do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lvsc.analysis import codes
from lvsc.diagnostics import Diagnostic, Origin
from lvsc.graph.nodes import (
    ConnectionSync,
    ModuleOption,
    Node,
    RealServer,
    Scheduler,
    SchedulerFlag,
    SorryServer,
    TunnelChecksum,
    TunnelDevice,
    TunnelType,
    VirtualService,
)
from lvsc.graph.traffic import Family
from lvsc.lowering.lowered import LoweredService
from lvsc.plugins.backend import Backend, HostPart, Need, blamed_backend
from lvsc.targets import Feature, Target, first_with

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
    """A diagnostic for each place of the spec that asks for what a target cannot do, whoever lacks it."""
    asked: dict[tuple[str, Origin], tuple[Target, dict[Feature, None]]] = {}
    for feature, target, origin in _needed(parts, services, director_target):
        asked.setdefault((target.name, origin), (target, {}))[1].setdefault(feature)
    has: dict[tuple[str, Feature], bool] = {}

    def lacks(target: Target, feature: Feature) -> bool:
        key = (target.name, feature)
        if key not in has:  # thousands of nodes need the same
            has[key] = target.has(feature)
        return not has[key]

    for (_, origin), (target, needed) in asked.items():
        # Where something is missing as a whole, what is added to it is no mistake of its own.
        missing = [
            feature
            for feature in needed
            if lacks(target, feature)
            and not (feature.value.added_to and lacks(target, Feature(feature.value.added_to)))
        ]
        if missing:
            yield _missing(target, origin, missing, needed)


def _needed(
    parts: Mapping[Backend, tuple[HostPart, ...]],
    services: Iterable[LoweredService],
    director_target: Target,
) -> Iterator[tuple[Feature, Target, Origin]]:
    first: dict[tuple[str, Feature], Origin] = {}
    for lowered in services:
        for feature in lowered.plan.features:
            yield feature, director_target, lowered.service.origin
    for backend, own in parts.items():
        for part in own:
            with blamed_backend(backend, part.host):
                for node in part.graph:
                    for need in (*kernel_needs(node), *backend.needs(node)):
                        if isinstance(need, Need):
                            yield need.feature, part.target, need.at
                        else:
                            asked = (part.target.name, need)
                            yield need, part.target, first.setdefault(asked, node.origin)


def kernel_needs(node: Node) -> Iterator[Need]:
    """The features that a host's kernel must have for a node, whichever backend renders it."""
    if isinstance(node, VirtualService):
        if node.scheduler in _SCHEDULERS:
            yield Need(_SCHEDULERS[node.scheduler], node.at("scheduler"))
        if {SchedulerFlag.SH_FALLBACK, SchedulerFlag.SH_PORT} & set(node.flags):
            yield Need(Feature.KERNEL_SH_FLAGS, node.at("scheduler_flags"))
    elif isinstance(node, RealServer | SorryServer):
        if node.tunnel is not None and node.tunnel.type in _TUNNELS:
            yield Need(_TUNNELS[node.tunnel.type], node.at("tunnel", "type"))
            if node.tunnel.type is TunnelType.GUE and node.tunnel.checksum is not TunnelChecksum.NONE:
                yield Need(Feature.KERNEL_TUNNEL_GUE_CHECKSUM, node.at("tunnel", "checksum"))
        if Family.of(node.address) is not node.selector.family:
            yield Need(Feature.KERNEL_MIXED_FAMILIES, node.at("ip"))
    elif isinstance(node, ConnectionSync):
        for key in node.parameters[:1]:
            yield Need(Feature.KERNEL_SYNC_PARAMETERS, node.at(key))
    elif isinstance(node, ModuleOption):
        if node.option == "conn_tab_bits" and int(node.value) > _COMMON_TABLE_BITS:
            yield Need(Feature.KERNEL_CONN_TAB_BITS_27, node.origin)
    elif isinstance(node, TunnelDevice) and node.type is TunnelType.GUE:
        yield Need(Feature.KERNEL_FOU, node.at("tunnel", "type"))


def _missing(
    target: Target, origin: Origin, missing: Sequence[Feature], needed: Iterable[Feature]
) -> Diagnostic:
    first, *others = sorted(missing, key=list(Feature).index)
    # A target that helps has all that the place needs: what is there here may not be elsewhere.
    able = sorted(set.intersection(*(set(first_with(feature)) for feature in needed)))
    instead = first.value.instead
    return codes.MISSING_FEATURE.at(
        origin,
        f"target `{target.name}` cannot do {first.title}",
        notes=[_lacks(target, first), *(_lacks(target, other, first) for other in others)],
        help=f"{instead}, or use a target that can: {', '.join(f'`{name}`' for name in able)}"
        if able
        else f"{instead}: no target can",
    )


def _lacks(target: Target, feature: Feature, named: Feature | None = None) -> str:
    """Why the target cannot do something; what it is, unless the feature that the message names says it."""
    version = target.version(feature.program)
    program = _PROGRAMS.get(feature.program.value, feature.program.value)
    of_what = "" if named is None or named.title == feature.title else f" for {feature.title}"
    if version is not None and version >= feature.since:
        return f"{program} {version} of `{target.name}` is built without {of_what.removeprefix(' for ') or 'it'}, or broken"
    has = f"has {version}" if version is not None else "does not ship it"
    return f"it needs {program} {feature.since} or newer{of_what}, and `{target.name}` {has}"


_PROGRAMS = {"kernel": "Linux"}
