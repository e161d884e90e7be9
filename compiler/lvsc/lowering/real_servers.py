"""What the real servers need so that they accept packets for a virtual address and never answer ARP for it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_interface

from lvsc.diagnostics import Diagnostic, Place
from lvsc.graph.nodes import (
    AddressRole,
    Forwarding,
    KernelModule,
    Node,
    Sysctl,
    TunnelChecksum,
    TunnelDevice,
    TunnelType,
    VirtualAddress,
)
from lvsc.graph.traffic import Family
from lvsc.lowering import codes
from lvsc.lowering.lowered import LoweredService
from lvsc.spec.model import PoolServer

_FOUR, _SIX = Family.IPV4, Family.IPV6
#: The modules that unwrap a tunnel, by the families inside and outside. `fou` is never loaded by itself.
_MODULES = {
    TunnelType.IPIP: {
        (_FOUR, _FOUR): "ipip",
        (_SIX, _FOUR): "sit",
        (_FOUR, _SIX): "ip6_tunnel",
        (_SIX, _SIX): "ip6_tunnel",
    },
    TunnelType.GRE: {
        (_FOUR, _FOUR): "ip_gre",
        (_SIX, _FOUR): "ip_gre",
        (_FOUR, _SIX): "ip6_gre",
        (_SIX, _SIX): "ip6_gre",
    },
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
    """The device that unwraps each tunnel, and its modules."""
    tunnel, host, origin = server.tunnel, server.name, server.origin
    if tunnel is None:
        return
    for family in lowered.service.families:
        address = server.ip(family) or server.ips[0]
        outer = Family.of(address)
        checksum = tunnel.checksum if tunnel.type is TunnelType.GRE else TunnelChecksum.NONE
        device = TunnelDevice(
            host=host,
            origin=origin,
            said_at=server.said_at,
            type=tunnel.type,
            family=family,
            outer_family=outer,
            port=tunnel.port,
            checksum=checksum,
        )
        if device.own:
            device = replace(device, local=address)
        yield device
        if family is Family.IPV4:
            # The larger of the two counts, and not even loose filtering lets packets into a device without an address.
            yield Sysctl(host=host, origin=origin, key="net.ipv4.conf.all.rp_filter", value="0")
            if not device.own:  # that one's key is not there before it is
                yield Sysctl(
                    host=host, origin=origin, key=f"net.ipv4.conf.{device.device}.rp_filter", value="0"
                )
        inner = TunnelType.IPIP if tunnel.type is TunnelType.GUE else tunnel.type
        yield KernelModule(host=host, origin=origin, name=_MODULES[inner][family, outer])
        if tunnel.type is TunnelType.GUE:
            yield KernelModule(host=host, origin=origin, name="fou")


def report_gre_checksums(nodes: Iterable[Node]) -> Iterator[Diagnostic]:
    """A real server that would need one gre device to take packets both with checksums and without."""
    devices: dict[tuple[str, Family], TunnelDevice] = {}
    for node in nodes:
        if isinstance(node, TunnelDevice) and node.type is TunnelType.GRE:
            first = devices.setdefault((node.host, node.outer_family), node)
            if first.checksum is not node.checksum:
                yield codes.GRE_CHECKSUM.at(
                    node.at("tunnel", "checksum"),
                    f"real server `{node.host}` gets gre packets with checksums and without",
                    others=[Place(first.at("tunnel", "checksum"), label="the other one")],
                    help="use the same `checksum` in both places",
                )
