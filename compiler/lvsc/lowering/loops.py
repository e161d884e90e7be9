"""Directors that are real servers too: keeping them from balancing what a peer has balanced already.

The active director sends a client's packet on to a peer, where it arrives with the virtual address as its destination
and so would meet the peer's own IPVS. `net.ipv4.vs.backup_only` stops that while the peer's synchronisation daemon is in
backup state (Documentation/networking/ipvs-sysctl.rst); otherwise packets from a peer's MAC address get no mark.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lvsc.diagnostics import Anchor, Diagnostic, Place
from lvsc.graph.nodes import Forwarding
from lvsc.lowering import codes
from lvsc.spec.model import Cluster, Director, Service, Vrrp


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopGuard:
    """How loops of one service are prevented."""

    backup_only: tuple[str, ...] = ()
    """The directors that must not balance while they are backup."""
    macs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By director, the peers' MAC addresses whose packets it must not mark."""
    diagnostics: tuple[Diagnostic, ...] = ()


NO_GUARD = LoopGuard()


def guard(service: Service, cluster: Cluster) -> LoopGuard:
    """How the service's directors are kept from balancing each other's packets."""
    if len(cluster.directors) < 2:  # noqa: PLR2004 - one director has no peer
        return NO_GUARD
    by_name = {director.name: director for director in cluster.directors}
    both = [
        (by_name[server.name], server)
        for server in service.pool.enabled
        if server.name in by_name and server.forwarding is not Forwarding.NAT
    ]
    if not both:
        return NO_GUARD
    if cluster.connection_sync is not None and isinstance(cluster.failover, Vrrp):
        return LoopGuard(backup_only=tuple(director.name for director, _ in both))
    problems: list[Diagnostic] = []
    macs: dict[str, tuple[str, ...]] = {}
    for director, server in both:
        if server.forwarding is Forwarding.TUNNEL:
            problems.append(
                codes.LOOP_TUNNEL.at(
                    server.origin,
                    f"director `{director.name}` is a real server by `tunnel` and would balance its peers' packets again",
                    help="add `[connection_sync]`, with failover by VRRP",
                )
            )
            continue
        home = cluster.network_of(server.ips[0])
        network = home.name if home is not None else None
        peers = [peer for peer in cluster.directors if peer is not director]
        missing = [peer for peer in peers if network is None or network not in peer.macs]
        problems.extend(_ask_for_mac(service, director, peer, network) for peer in missing)
        if not missing:
            macs[director.name] = tuple(sorted(peer.macs[network or ""] for peer in peers))
    return LoopGuard(macs=macs, diagnostics=tuple(problems))


def _ask_for_mac(service: Service, director: Director, peer: Director, network: str | None) -> Diagnostic:
    return codes.LOOP_MAC.at(
        Place(peer.origin, Anchor.TABLE),
        f"director `{director.name}` is a real server of `{service.name}` and would balance again what `{peer.name}` sends it",
        others=[Place(service.origin, Anchor.TABLE, "the service")],
        help=f'add `[connection_sync]`, or `macs = {{ {network or "NETWORK"} = "…" }}` to director `{peer.name}`',
    )
