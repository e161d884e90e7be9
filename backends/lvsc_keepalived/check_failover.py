"""What keepalived would change or ignore in the VRRP blocks (vrrp.c, vrrp_complete_instance)."""

from collections.abc import Iterable, Iterator, Sequence

from lvsc.plugin import (
    AuthenticationType,
    Diagnostic,
    Family,
    HostGraph,
    Node,
    Origin,
    Place,
    SecretSource,
    SyncGroup,
    TrackScript,
    VirtualAddress,
    VrrpInstance,
)
from lvsc_keepalived import codes
from lvsc_keepalived.ranges import outside

_MAX_INT = 2**31 - 1
#: The most whole seconds in 32 bits of microseconds (UINT_MAX / TIMER_HZ).
_MAX_SCRIPT_TIME = 4294
#: TIMER_MAX_SEC, lib/timer.h.
_MAX_PREEMPT_DELAY = 1000
#: What VRRP version 2 sends of a password (RFC 2338, section 5.3.10).
_MAX_PASSWORD = 8
#: The longest advert interval: 8 bits of seconds, 12 bits of hundredths (RFC 2338 5.3.7; RFC 5798 5.2.7).
_MAX_INTERVAL = {2: 255, 3: 40.95}
_HUNDREDTHS = 100


def failover_refusals(graph: HostGraph) -> Iterator[Diagnostic]:
    """An error for each thing about failover that keepalived would not take as it is said."""
    instances = graph.of(VrrpInstance)
    scripts = graph.of(TrackScript)
    groups = graph.of(SyncGroup)
    for nodes in (instances, scripts, groups):
        yield from _names_twice(nodes)
    yield from _routers_twice(instances)
    addresses: dict[str, list[VirtualAddress]] = {}
    for address in graph.of(VirtualAddress):
        addresses.setdefault(address.instance or "", []).append(address)
    for instance in instances:
        yield from _instance(instance)
        yield from _addresses(instance, addresses.pop(instance.name, []))
    for name, moved in addresses.items():
        for address in moved:
            yield _orphan(address, f"the VRRP instance `{name}` of `{address.address}`")
    for script in scripts:
        for what, value in (("interval", script.interval), ("timeout", script.timeout)):
            yield from outside(script, what, f"{what} of a track script", value, (1, _MAX_SCRIPT_TIME))
        yield from outside(script, "rise", "rise of a track script", script.rise, (1, _MAX_INT))
        yield from outside(script, "fall", "fall of a track script", script.fall, (1, _MAX_INT))
    yield from _groups(groups, instances, scripts)


def _names_twice(nodes: Iterable[VrrpInstance | TrackScript | SyncGroup]) -> Iterator[Diagnostic]:
    seen: dict[str, Node] = {}
    for node in nodes:
        first = seen.setdefault(node.name, node)
        if first is not node:
            yield codes.DUPLICATE.at(
                node.origin,
                f"two {type(node).__name__} blocks have the name `{node.name}`",
                others=[Place(first.origin, label="the first")],
                help="rename one of them",
            )


def _routers_twice(instances: Iterable[VrrpInstance]) -> Iterator[Diagnostic]:
    seen: dict[tuple[str, Family, int], VrrpInstance] = {}
    for node in instances:
        first = seen.setdefault((node.interface, node.family, node.router_id), node)
        if first is not node:
            yield codes.DUPLICATE.at(
                node.at("virtual_router_id"),
                f"`{node.name}` and `{first.name}` are both virtual router {node.router_id} on `{node.interface}`",
                others=[Place(first.origin, label="the first")],
                help="give one of them another number",
            )


def _instance(node: VrrpInstance) -> Iterator[Diagnostic]:
    yield from outside(node, "virtual_router_id", "virtual router number", node.router_id, (1, 255))
    yield from outside(node, "priority", "priority", node.priority, (1, 254))
    yield from outside(node, "version", "VRRP version", node.version, (2, 3))
    yield from outside(node, "preempt_delay", "preemption delay", node.preempt_delay, (0, _MAX_PREEMPT_DELAY))
    interval = node.advertisement_interval
    hundredths = round(interval * _HUNDREDTHS, 6) if interval == interval else 0  # noqa: PLR0124 - NaN
    step = 1 if node.version == 3 else _HUNDREDTHS  # noqa: PLR2004 - VRRP's version
    if not 0 < interval <= _MAX_INTERVAL.get(node.version, 0) or hundredths % step:
        yield _vrrp(
            node.at("advertisement_interval"),
            f"VRRP version {node.version} cannot send an advert every {interval:g} s",
            "use whole seconds up to 255 with version 2, hundredths up to 40.95 s with version 3",
        )
    if node.family is Family.IPV6 and node.version != 3:  # noqa: PLR2004 - VRRP's version
        yield _vrrp(
            node.at("version"), f"`{node.name}` is for IPv6, which needs VRRP version 3", "use version 3"
        )
    if node.preempt_delay and not node.preempt:
        yield _vrrp(
            node.at("preempt_delay"),
            "a preemption delay is said where nothing is preempted",
            "remove one of the two",
        )
    if node.unicast_source is not None and not node.unicast_peers:
        yield _vrrp(node.at("unicast"), f"`{node.name}` has a unicast source but no peer", "name the peers")
    for address in (node.unicast_source, *node.unicast_peers):
        if address is not None and Family.of(address) is not node.family:
            yield codes.FAMILY.at(
                node.at("unicast"),
                f"the unicast address `{address}` is not of the family of `{node.name}`",
                help="use an address of that family",
            )
    yield from _authentication(node)


def _authentication(node: VrrpInstance) -> Iterator[Diagnostic]:
    if node.authentication is None:
        return
    if node.version != 2:  # noqa: PLR2004 - VRRP's version
        yield _vrrp(
            node.at("authentication"),
            "VRRP version 3 has no authentication",
            "remove it, or use version 2 with IPv4",
        )
    if node.authentication.password.max_length != _MAX_PASSWORD:
        yield _vrrp(
            node.at("authentication", "password"),
            f"a VRRP password has up to {_MAX_PASSWORD} bytes",
            "let it be so long and no longer",
        )
    if node.authentication.password.source is SecretSource.UNKNOWN:
        yield _vrrp(
            node.at("authentication", "password"),
            "nothing says where the password is kept",
            "name an environment variable or a file",
        )
    if node.authentication.type is AuthenticationType.AH and node.family is Family.IPV6:
        yield _vrrp(node.at("authentication", "type"), "AH authentication is for IPv4 only", "remove it")


def _addresses(node: VrrpInstance, addresses: list[VirtualAddress]) -> Iterator[Diagnostic]:
    if not addresses:
        yield _vrrp(node.origin, f"`{node.name}` has no virtual address to move", "give it one, or remove it")
    for address in addresses:
        if Family.of(address.address.ip) is not node.family:
            yield codes.FAMILY.at(
                address.at("ip"),
                f"`{address.address}` is not of the family of its VRRP instance `{node.name}`",
                help="let an instance of its own move it",
            )


def _groups(
    groups: Iterable[SyncGroup], instances: Sequence[VrrpInstance], scripts: Iterable[TrackScript]
) -> Iterator[Diagnostic]:
    interfaces = {instance.name: instance.interface for instance in instances}
    script_names = {script.name for script in scripts}
    member_of: dict[str, SyncGroup] = {}
    for group in groups:
        if not group.instances:
            yield _orphan(group, f"any VRRP instance of the group `{group.name}`")
        for name in group.instances:
            if name not in interfaces:
                yield _orphan(group, f"the VRRP instance `{name}` of the group `{group.name}`")
            first = member_of.setdefault(name, group)
            if first is not group:
                yield codes.DUPLICATE.at(
                    group.origin,
                    f"the VRRP instance `{name}` is in the groups `{first.name}` and `{group.name}`",
                    others=[Place(first.origin, label="the first")],
                    help="keep it in one of them",
                )
        own = {interfaces[name] for name in group.instances if name in interfaces}
        for interface in group.track_interfaces:
            if interface in own:
                yield codes.VRRP.at(
                    group.at("track_interfaces"),
                    f"the group `{group.name}` tracks `{interface}`, which its VRRP instance there tracks anyway",
                    help="remove it",
                )
        for name in group.track_scripts:
            if name not in script_names:
                yield _orphan(group, f"the track script `{name}` of the group `{group.name}`")
    for instance in instances:
        if instance.name not in member_of:
            yield codes.ORPHAN.at(
                instance.origin,
                f"the VRRP instance `{instance.name}` is in no sync group",
                help="put it into one, if need be alone",
            )


def _orphan(node: Node, what: str) -> Diagnostic:
    return codes.ORPHAN.at(node.origin, f"there is not {what} on host `{node.host}`", help="add or rename it")


def _vrrp(said: Origin, message: str, advice: str) -> Diagnostic:
    return codes.VRRP.at(said, message, help=advice)
