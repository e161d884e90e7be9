"""The table in the syntax of `ipvsadm -R`: the options, their order and their spelling are those of `ipvsadm -Sn`.

Read in ipvsadm 1.31's source (ipvsadm.c, print_service_entry and print_tunnel_rule), and the same since 1.27 as far as
those know the options. Only the thresholds come on top, which `ipvsadm -S` leaves out.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network

from lvsc.plugin import (
    Address,
    AddressSelector,
    Family,
    Feature,
    Forwarding,
    HostGraph,
    MarkSelector,
    Persistence,
    Protocol,
    RealServer,
    SchedulerFlag,
    Selector,
    Target,
    Text,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    VirtualService,
)

PATH = "/etc/lvsc/ipvsadm.rules"

_PROTOCOLS = {Protocol.TCP: "-t", Protocol.UDP: "-u", Protocol.SCTP: "--sctp-service"}
_METHODS = {Forwarding.NAT: "-m", Forwarding.DIRECT: "-g", Forwarding.TUNNEL: "-i"}
_CHECKSUMS = {
    TunnelChecksum.NONE: "--tun-nocsum",
    TunnelChecksum.FULL: "--tun-csum",
    TunnelChecksum.REMOTE: "--tun-remcsum",
}
# ipvsadm before 1.30 has no words for the flags of mh, but for the bits that they are (ip_vs.h, IP_VS_SVC_F_SCHED_MH_*).
_BITS = {SchedulerFlag.MH_FALLBACK: "flag-1", SchedulerFlag.MH_PORT: "flag-2"}


def table(graph: HostGraph, target: Target) -> Text:
    """The whole table: each service followed by its servers, and no comment, which would make `ipvsadm -R` fail."""
    servers: dict[Selector, list[RealServer]] = {}
    for server in graph.of(RealServer):
        servers.setdefault(server.selector, []).append(server)
    text = Text()
    for service in graph.of(VirtualService):
        name = _selector(service.selector)
        text.add(" ".join(("-A", name, *_service(service, target))), service.origin)
        for server in servers.get(service.selector, ()):
            text.add(" ".join(("-a", name, *_server(server, target))), server.origin)
    return text


def _selector(selector: Selector) -> str:
    match selector:
        case MarkSelector(mark, Family.IPV4):
            return f"-f {mark}"
        case MarkSelector(mark):
            return f"-f {mark} -6"
        case AddressSelector(protocol, address, port):
            return f"{_PROTOCOLS[protocol]} {_place(address, port)}"


def _place(address: Address, port: int) -> str:
    return f"{address}:{port}" if address.version == Family.IPV4.value else f"[{address}]:{port}"


def _service(service: VirtualService, target: Target) -> Iterator[str]:
    yield f"-s {service.scheduler.value}"
    if service.persistence:
        yield from _persistence(service.persistence, service.selector.family)
    if service.one_packet:
        yield "-o"
    if service.flags:
        plain = {} if target.has(Feature.IPVSADM_MH_FLAGS) else _BITS
        yield "-b " + ",".join(plain.get(flag, flag.value) for flag in service.flags)


def _persistence(persistence: Persistence, family: Family) -> Iterator[str]:
    yield f"-p {persistence.timeout}"
    if persistence.prefix_length != family.bits:
        is_mask = family is Family.IPV4
        length = persistence.prefix_length
        yield f"-M {IPv4Network((0, length)).netmask if is_mask else length}"
    if persistence.engine:
        yield f"--pe {persistence.engine}"


def _server(server: RealServer, target: Target) -> Iterator[str]:
    yield f"-r {_place(server.address, server.port)}"
    yield _METHODS[server.forwarding]
    yield f"-w {server.weight}"
    if server.forwarding is Forwarding.TUNNEL and target.has(Feature.IPVSADM_TUNNEL_TYPES):
        yield from _tunnel(server.tunnel or Tunnel())
    if server.upper_threshold:
        yield f"-x {server.upper_threshold}"
    if server.lower_threshold:
        yield f"-y {server.lower_threshold}"


def _tunnel(tunnel: Tunnel) -> Iterator[str]:
    yield f"--tun-type {tunnel.type.value}"
    if tunnel.port is not None:
        yield f"--tun-port {tunnel.port}"
    if tunnel.type is not TunnelType.IPIP:
        yield _CHECKSUMS[tunnel.checksum]
