"""What the real servers need so that they accept packets for a virtual address and never answer ARP for it."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_interface

from lvsc.diagnostics import Origin
from lvsc.graph.nodes import (
    AddressRole,
    Forwarding,
    KernelModule,
    Node,
    Sysctl,
    TunnelDevice,
    TunnelType,
    VirtualAddress,
)
from lvsc.graph.traffic import Family
from lvsc.lowering.lowered import LoweredService
from lvsc.spec.model import PoolServer

#: The modules that unwrap each tunnel, by its type and the families inside and outside.
_MODULES = {
    (TunnelType.IPIP, Family.IPV4, Family.IPV4): ("ipip",),
    (TunnelType.IPIP, Family.IPV6, Family.IPV4): ("sit",),
    (TunnelType.IPIP, Family.IPV4, Family.IPV6): ("ip6_tunnel",),
    (TunnelType.IPIP, Family.IPV6, Family.IPV6): ("ip6_tunnel",),
}


def real_server_nodes(services: Iterable[LoweredService]) -> Iterator[Node]:
    """The nodes of the managed real servers that packets reach by `direct` or `tunnel`."""
    for lowered in services:
        for server in lowered.service.pool.enabled:
            if server.managed and server.forwarding is not Forwarding.NAT:
                yield from _loopback(lowered, server)
                if server.tunnel is not None:
                    yield from _unwrapping(lowered, server)


def _loopback(lowered: LoweredService, server: PoolServer) -> Iterator[Node]:
    host, origin = server.name, server.origin
    for family in lowered.service.families:
        for address in lowered.service.ips(family):
            yield VirtualAddress(
                host=host,
                origin=lowered.service.origin,
                interface="lo",
                address=ip_interface(address),
                role=AddressRole.LOOPBACK,
                instance=None,
            )
        # IPv6 needs no counterpart: neighbour discovery answers only for the addresses of its own interface.
        if family is Family.IPV4:
            for interface in sorted({"all", server.interface or "all"}):
                key = f"net.ipv4.conf.{interface.replace('.', '/')}"
                yield Sysctl(host=host, origin=origin, key=f"{key}.arp_ignore", value="1")
                yield Sysctl(host=host, origin=origin, key=f"{key}.arp_announce", value="2")


def _unwrapping(lowered: LoweredService, server: PoolServer) -> Iterator[Node]:
    tunnel = server.tunnel
    if tunnel is None:
        return
    for family in lowered.service.families:
        own = server.ip(family)
        outer = Family.of(own if own is not None else server.ips[0])
        yield from tunnel_nodes(server.name, server.origin, tunnel.type, family, outer, tunnel.port)


def tunnel_nodes(
    host: str, origin: Origin, kind: TunnelType, family: Family, outer: Family, port: int | None
) -> Iterator[Node]:
    """The device that unwraps a tunnel, its modules, and the reverse path filter that lets its packets in."""
    yield TunnelDevice(host=host, origin=origin, type=kind, family=family, outer_family=outer, port=port)
    for module in _MODULES.get((kind, family, outer), ()):
        yield KernelModule(host=host, origin=origin, name=module)
