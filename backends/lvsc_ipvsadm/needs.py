"""What of the nodes newer kernels or ipvsadms alone know."""

from collections.abc import Iterator

from lvsc.plugin import (
    AddressSelector,
    ConnectionSync,
    Family,
    Feature,
    Forwarding,
    Node,
    Protocol,
    RealServer,
    Scheduler,
    SchedulerFlag,
    TunnelChecksum,
    TunnelType,
    VirtualService,
)
from lvsc_ipvsadm import sync

# A scheduler's name is passed to the kernel as it is, so any ipvsadm will do.
_SCHEDULERS = {
    Scheduler.FO: Feature.KERNEL_SCHED_FO,
    Scheduler.OVF: Feature.KERNEL_SCHED_OVF,
    Scheduler.MH: Feature.KERNEL_SCHED_MH,
    Scheduler.TWOS: Feature.KERNEL_SCHED_TWOS,
}


def needs(node: Node) -> Iterator[Feature]:
    """The features that a target must have for this backend to render the node."""
    match node:
        case VirtualService():
            yield from _service(node)
        case RealServer():
            yield from _server(node)
        case ConnectionSync() if sync.has_parameters(node):
            yield Feature.KERNEL_SYNC_PARAMETERS
            yield Feature.IPVSADM_SYNC_PARAMETERS
        case _:
            pass


def _service(service: VirtualService) -> Iterator[Feature]:
    if service.scheduler in _SCHEDULERS:
        yield _SCHEDULERS[service.scheduler]
    if service.flags:
        yield Feature.IPVSADM_SCHED_FLAGS
    if any(flag in (SchedulerFlag.SH_FALLBACK, SchedulerFlag.SH_PORT) for flag in service.flags):
        yield Feature.KERNEL_SH_FLAGS
    if isinstance(service.selector, AddressSelector) and service.selector.protocol is Protocol.SCTP:
        yield Feature.IPVSADM_SCTP


def _server(server: RealServer) -> Iterator[Feature]:
    if Family.of(server.address) is not server.selector.family:
        yield Feature.KERNEL_MIXED_FAMILIES
        yield Feature.IPVSADM_MIXED_FAMILIES
    if server.forwarding is not Forwarding.TUNNEL or server.tunnel is None:
        return
    if server.tunnel.type is TunnelType.GUE:
        yield Feature.KERNEL_TUNNEL_GUE
    if server.tunnel.type is TunnelType.GRE:
        yield Feature.KERNEL_TUNNEL_GRE
    if server.tunnel.type is not TunnelType.IPIP:
        yield Feature.IPVSADM_TUNNEL_TYPES
    if server.tunnel.type is TunnelType.GUE and server.tunnel.checksum is not TunnelChecksum.NONE:
        yield Feature.KERNEL_TUNNEL_GUE_CHECKSUM
