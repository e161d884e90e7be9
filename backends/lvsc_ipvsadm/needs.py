"""What of the nodes newer ipvsadms alone know."""

from collections.abc import Iterator

from lvsc.plugin import (
    AddressSelector,
    ConnectionSync,
    Family,
    Feature,
    Need,
    Node,
    Protocol,
    RealServer,
    TunnelType,
    VirtualService,
)


def needs(node: Node) -> Iterator[Need]:
    """The features that a target's ipvsadm must have to render the node, and where the spec says what needs them."""
    match node:
        case VirtualService():
            # A scheduler's name is passed to the kernel as it is, so any ipvsadm will do.
            if node.flags:
                yield Need(Feature.IPVSADM_SCHED_FLAGS, node.at("scheduler_flags"))
            if isinstance(node.selector, AddressSelector) and node.selector.protocol is Protocol.SCTP:
                yield Need(Feature.IPVSADM_SCTP, node.at("ports"))
        case RealServer():
            if Family.of(node.address) is not node.selector.family:
                yield Need(Feature.IPVSADM_MIXED_FAMILIES, node.at("ip"))
            if node.tunnel is not None and node.tunnel.type is not TunnelType.IPIP:
                yield Need(Feature.IPVSADM_TUNNEL_TYPES, node.at("tunnel", "type"))
        case ConnectionSync():
            for key in node.parameters[:1]:
                yield Need(Feature.IPVSADM_SYNC_PARAMETERS, node.at(key))
        case _:
            pass
