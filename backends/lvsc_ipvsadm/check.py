"""What ipvsadm or IPVS would refuse, replace silently, or save so that it cannot be restored."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Network

from lvsc.plugin import (
    Address,
    AddressSelector,
    Code,
    ConnectionSync,
    Diagnostic,
    Family,
    Forwarding,
    HostGraph,
    MarkSelector,
    Protocol,
    RealServer,
    Scheduler,
    Selector,
    Timeouts,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    VirtualService,
    shown,
)
from lvsc_ipvsadm import codes, sync

MAX_MARK = 0x7FFFFFFF
MAX_PORT = 65535
MAX_WEIGHT = 65535
MAX_THRESHOLD = 0x7FFFFFFF
MAX_TIMEOUT = 31 * 24 * 60 * 60

_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}")
_IPV4_AS_IPV6 = (IPv6Network("::/96"), IPv6Network("::ffff:0:0/96"))

Refusal = tuple[Code, str, str, str | None]
"""A code, the key of the spec that says what is wrong, what is wrong, and what to do."""


def refusals(graph: HostGraph) -> Iterator[Diagnostic]:
    """An error for each thing of a director that ipvsadm cannot say."""
    services: set[Selector] = set()
    for service in graph.of(VirtualService):
        for code, key, message, help_ in _service(service, services):
            yield code.at(service.at(key), f"{_name(service.selector)}: {message}", help=help_)
        services.add(service.selector)
    synchronised = bool(graph.of(ConnectionSync))
    servers: set[tuple[Selector, Address, int]] = set()
    for server in graph.of(RealServer):
        same = (server.selector, server.address, server.port)
        if server.selector not in services:
            yield codes.SELECTOR.at(
                server.origin,
                f"real server `{server.name}`: {_name(server.selector)} does not exist",
                help="add the service, or leave the real server out",
            )
        if same in servers:
            yield codes.SELECTOR.at(
                server.origin,
                f"{_name(server.selector)} has the real server {server.address} port {server.port} twice",
                help="leave one of them out",
            )
        servers.add(same)
        for code, key, message, help_ in _server(server, synchronised=synchronised):
            yield code.at(server.at(key), f"real server `{server.name}`: {message}", help=help_)
    for connections in graph.of(ConnectionSync):
        for key, message, help_ in _sync(connections):
            yield codes.SYNC.at(connections.at(key) if key else connections.origin, message, help=help_)
    for timeouts in graph.of(Timeouts):
        for name, seconds in (("tcp", timeouts.tcp), ("tcp_fin", timeouts.tcp_fin), ("udp", timeouts.udp)):
            if not 0 <= seconds <= MAX_TIMEOUT:
                yield codes.TIMEOUTS.at(
                    timeouts.at(name),
                    f"the time-out `{name}` is {seconds} seconds",
                    help=f"choose 0 to {MAX_TIMEOUT} seconds (31 days)",
                )


def _name(selector: Selector) -> str:
    match selector:
        case MarkSelector(mark, family):
            return f"the IPv{family.value} service of mark {mark}"
        case AddressSelector(protocol, address, port):
            return f"the service {protocol.value} {address} port {port}"


def _service(service: VirtualService, seen: set[Selector]) -> Iterator[Refusal]:
    selector = service.selector
    if selector in seen:
        yield codes.SELECTOR, "mark", "it is said twice", "leave one of them out"
    match selector:
        case MarkSelector(mark):
            if not 1 <= mark <= MAX_MARK:
                yield (
                    codes.SELECTOR,
                    "mark",
                    "the mark is out of range",
                    f"choose a mark from 1 to {MAX_MARK}",
                )
        case AddressSelector(protocol, address, port):
            yield from _address(address, "address")
            if not 0 <= port <= MAX_PORT:
                yield (
                    codes.SELECTOR,
                    "ports",
                    "the port is out of range",
                    f"choose a port from 0 to {MAX_PORT}",
                )
            if port == 0 and service.persistence is None:
                yield codes.SELECTOR, "ports", "it is for every port but not persistent", "make it persistent"
            if service.one_packet and protocol is not Protocol.UDP:
                yield (
                    codes.SCHEDULING,
                    "one_packet",
                    "one-packet scheduling is for UDP",
                    "use it on a service of UDP alone",
                )
    for flag in service.flags:
        owner = Scheduler(flag.value.partition("-")[0])
        if owner is not service.scheduler:
            yield (
                codes.SCHEDULING,
                "scheduler_flags",
                f"`{flag.value}` is no flag of the scheduler `{service.scheduler.value}`",
                f"use the scheduler `{owner.value}`, or leave the flag out",
            )
    yield from _persistence(service)


def _persistence(service: VirtualService) -> Iterator[Refusal]:
    persistence = service.persistence
    if persistence is None:
        return
    family = service.selector.family
    if not 1 <= persistence.timeout <= MAX_TIMEOUT:
        yield (
            codes.PERSISTENCE,
            "persistence",
            f"it is persistent for {persistence.timeout} seconds",
            f"choose 1 to {MAX_TIMEOUT} seconds (31 days)",
        )
    shortest = 0 if family is Family.IPV4 else 1
    if not shortest <= persistence.prefix_length <= family.bits:
        yield (
            codes.PERSISTENCE,
            "persistence_granularity",
            f"clients are grouped by a prefix of {persistence.prefix_length} bits",
            f"choose {shortest} to {family.bits}",
        )
    if persistence.engine not in (None, "sip"):
        yield (
            codes.PERSISTENCE,
            "persistence_engine",
            f"there is no persistence engine `{shown(persistence.engine)}`",
            "use `sip`, or leave it out",
        )


def _server(server: RealServer, *, synchronised: bool) -> Iterator[Refusal]:
    yield from _address(server.address, "ip")
    if not 0 <= server.weight <= MAX_WEIGHT:
        yield codes.SERVER, "weight", f"its weight is {server.weight}", f"choose 0 to {MAX_WEIGHT}"
    if not 0 <= server.lower_threshold <= server.upper_threshold <= MAX_THRESHOLD:
        yield (
            codes.SERVER,
            "upper_threshold",
            f"its thresholds are {server.lower_threshold} below and {server.upper_threshold} above",
            f"choose 0 to {MAX_THRESHOLD}, the lower one not above the upper one",
        )
    yield from _port(server)
    if Family.of(server.address) is not server.selector.family:
        if server.forwarding is not Forwarding.TUNNEL:
            yield (
                codes.FAMILY,
                "ip",
                f"it is of another address family than {_name(server.selector)}",
                "use a tunnel, or an address of the service's family",
            )
        elif synchronised:
            yield (
                codes.FAMILY,
                "ip",
                "it is of another address family than its service, which excludes connection synchronisation",
                "use an address of the service's family, or do not synchronise connections",
            )
    yield from _tunnel(server)


def _port(server: RealServer) -> Iterator[Refusal]:
    if not 0 <= server.port <= MAX_PORT:
        yield codes.PORT, "port", f"its port is {server.port}", f"choose a port from 0 to {MAX_PORT}"
    kept = server.selector.port if isinstance(server.selector, AddressSelector) else 0
    if server.forwarding is Forwarding.NAT:
        if kept and not server.port:
            yield codes.PORT, "port", "it has no port of its own", f"say the service's port {kept}"
    elif server.port != kept:
        yield (
            codes.PORT,
            "port",
            f"`{server.forwarding.value}` cannot send it to port {server.port}",
            f"say port {kept}, or use the forwarding method `nat`",
        )


def _tunnel(server: RealServer) -> Iterator[Refusal]:
    tunnel = server.tunnel
    if tunnel is None:
        if server.forwarding is Forwarding.TUNNEL:
            yield codes.TUNNEL, "tunnel", "nothing says how its packets are wrapped", "say the tunnel's type"
        return
    if server.forwarding is not Forwarding.TUNNEL:
        yield (
            codes.TUNNEL,
            "tunnel",
            f"the forwarding method `{server.forwarding.value}` has no tunnel",
            "use the forwarding method `tunnel`, or leave the tunnel out",
        )
    if tunnel.type is TunnelType.GUE and (tunnel.port is None or not 1 <= tunnel.port <= MAX_PORT):
        yield (
            codes.TUNNEL,
            "tunnel",
            "a `gue` tunnel needs its UDP port",
            f"choose a port from 1 to {MAX_PORT}",
        )
    if tunnel.type is not TunnelType.GUE and tunnel.port is not None:
        yield (
            codes.TUNNEL,
            "tunnel",
            f"a tunnel of type `{tunnel.type.value}` has no port",
            "leave the port out",
        )
    if not _knows(tunnel):
        yield (
            codes.TUNNEL,
            "tunnel",
            f"a tunnel of type `{tunnel.type.value}` has no checksum `{tunnel.checksum.value}`",
            "leave the checksum out",
        )


def _knows(tunnel: Tunnel) -> bool:
    match tunnel.type:
        case TunnelType.GUE:
            return True
        case TunnelType.GRE:
            return tunnel.checksum is not TunnelChecksum.REMOTE
        case TunnelType.IPIP:
            return tunnel.checksum is TunnelChecksum.NONE


def _address(address: Address, key: str) -> Iterator[Refusal]:
    if isinstance(address, IPv4Address):
        return
    if any(address in network for network in _IPV4_AS_IPV6):
        yield (
            codes.ADDRESS,
            key,
            f"`{address}` is an IPv4 address in IPv6's notation",
            "write the IPv4 address",
        )
    if address.scope_id is not None:
        yield (
            codes.ADDRESS,
            key,
            f"`{address}` names an interface, which IPVS cannot",
            "leave the `%` part out",
        )


def _sync(connections: ConnectionSync) -> Iterator[tuple[str, str, str]]:
    if connections.instance is not None:
        yield (
            "",
            "ipvsadm cannot let connection synchronisation follow a VRRP instance",
            "use the keepalived backend",
        )
    if not _INTERFACE.fullmatch(connections.interface):
        yield (
            "network",
            f"`{shown(connections.interface)}` is no name of an interface",
            "use letters, digits, `.`, `_` and `-`, at most 15",
        )
    group = connections.group
    if group is not None and not group.is_multicast:
        yield "group", f"{group} is no multicast address", "choose one, such as 224.0.0.81"
    if group is not None and group.version == Family.IPV6.value and getattr(group, "scope_id", None):
        yield "group", f"{group} names an interface twice", "leave the `%` part out"
    for key, name, value, first, last in (
        ("id", "identifier", connections.sync_id, 0, 255),
        (
            "max_length",
            "packet length",
            connections.max_length,
            1,
            sync.LARGEST[group.version if group else 4],
        ),
        ("port", "port", connections.port, 1, MAX_PORT),
        ("ttl", "TTL", connections.ttl, 1, 255),
    ):
        if value is not None and not first <= value <= last:
            yield key, f"the {name} of connection synchronisation is {value}", f"choose {first} to {last}"
