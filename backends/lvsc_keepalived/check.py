"""What keepalived would change, ignore or refuse in a host's part as a whole."""

from collections.abc import Iterator
from typing import TypeVar

from lvsc.plugin import (
    ConnectionSync,
    Diagnostic,
    EmailAlerts,
    HealthCheck,
    HostPart,
    Node,
    Place,
    Quorum,
    ScriptProbe,
    ScriptUser,
    SyncGroup,
    Timeouts,
    TrackScript,
    VrrpInstance,
)
from lvsc_keepalived import codes
from lvsc_keepalived.check_failover import failover_refusals
from lvsc_keepalived.check_services import service_refusals
from lvsc_keepalived.ranges import outside
from lvsc_keepalived.services import Services

N = TypeVar("N", bound=Node)

#: 31 days (LVS_MAX_TIMEOUT, global_data.h).
_MAX_TIMEOUT = 31 * 86400


def refusals(part: HostPart, found: Services) -> Iterator[Diagnostic]:
    """An error for each thing in the part, whose virtual services are `found`, that the file could not say."""
    if part.target.units.keepalived is None:
        yield codes.NO_KEEPALIVED.at(
            None,
            f"target `{part.target.name}` of host `{part.host}` has no keepalived",
            help="choose the ipvsadm backend or another target",
        )
    yield from _globals(part)
    yield from failover_refusals(part.graph)
    for orphan in found.orphans:
        yield codes.ORPHAN.at(
            orphan.origin,
            f"a {type(orphan).__name__} belongs to no virtual service or real server of host `{part.host}`",
            help="add the virtual service and real server that it names, or remove it",
        )
    for first, second in found.duplicates:
        yield codes.DUPLICATE.at(
            second.origin,
            f"a second {type(second).__name__} like this one is on host `{part.host}`",
            others=[Place(first.origin, label="the first")],
            help="remove one of the two",
        )
    for service in found.all:
        yield from service_refusals(service, part.target)


def _globals(part: HostPart) -> Iterator[Diagnostic]:
    graph = part.graph
    for kind in (ScriptUser, Timeouts, ConnectionSync, EmailAlerts):
        for extra in graph.of(kind)[1:]:
            yield codes.DUPLICATE.at(
                extra.origin,
                f"host `{part.host}` has more than one {kind.__name__}",
                others=[Place(graph.of(kind)[0].origin, label="the first")],
                help="remove one of the two",
            )
    for timeouts in graph.of(Timeouts):
        for key, value in (("tcp", timeouts.tcp), ("tcp_fin", timeouts.tcp_fin), ("udp", timeouts.udp)):
            yield from outside(timeouts, key, "time-out", value, (0, _MAX_TIMEOUT))
    for sync in graph.of(ConnectionSync):
        yield from _sync(part, sync)
    for alerts in graph.of(EmailAlerts):
        yield from outside(alerts, "port", "SMTP port", alerts.port, (1, 65535))
        if not alerts.recipients:
            yield codes.ORPHAN.at(alerts.at("to"), "mail alerts have no recipient", help="name at least one")
    first = next(_commanding(part), None)
    if first is not None and not graph.of(ScriptUser):
        yield codes.USER.at(
            first.origin,
            f"host `{part.host}` runs commands, but no user is said to run them",
            help="say which user runs check, notify and track commands",
        )


def _sync(part: HostPart, sync: ConnectionSync) -> Iterator[Diagnostic]:
    yield from outside(sync, "id", "synchronisation number", sync.sync_id, (0, 255))
    yield from outside(sync, "max_length", "packet length", sync.max_length, (1, 65507))
    yield from outside(sync, "port", "multicast port", sync.port, (1, 65535))
    yield from outside(sync, "ttl", "TTL", sync.ttl, (1, 255))
    if sync.group is not None and not sync.group.is_multicast:
        yield codes.RANGE.at(
            sync.at("group"), f"`{sync.group}` is not a multicast address", help="use one, such as 224.0.0.81"
        )
    if sync.instance is not None and all(
        instance.name != sync.instance for instance in part.graph.of(VrrpInstance)
    ):
        yield codes.ORPHAN.at(
            sync.origin,
            f"connection synchronisation follows the VRRP instance `{sync.instance}`, which host `{part.host}` lacks",
            help="name one of the host's VRRP instances",
        )


def _commanding(part: HostPart) -> Iterator[Node]:
    """The nodes that make keepalived run a command."""
    graph = part.graph
    yield from graph.of(TrackScript)
    for group in graph.of(SyncGroup):
        if group.master or group.backup or group.fault or group.stop:
            yield group
    for quorum in graph.of(Quorum):
        if quorum.up or quorum.down:
            yield quorum
    for check in graph.of(HealthCheck):
        if check.up or check.down or isinstance(check.probe, ScriptProbe):
            yield check
