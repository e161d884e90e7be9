"""What becomes of running connections when the new side is applied to directors that run the old one.

IPVS finds a packet's connection before it looks for a service (ip_vs_core.c, ip_vs_in_hook), and a connection holds on to its
real server of its virtual service. Once that real server is removed, or its service, the packets of the connection are dropped,
or with expire_nodest_conn the connection is ended by the next of them (Documentation/networking/ipvs-sysctl.rst). A
removed real server is taken up again only under the same mark, or protocol, address and port (ip_vs_ctl.c,
ip_vs_trash_get_dest). Edits of a service or a weight touch no connection. A persistence template is found by the client's
network and the service's mark, or address and port (ip_vs_core.c, ip_vs_sched_persist). A one-packet service has no
connections. A connection keeps its forwarding method, but the route to a real server is kept with the real server, and one
that another method has looked up is none for direct routing (ip_vs_xmit.c, IP_VS_RT_MODE_KNOWN_NH; docs/kernel-facts.md).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lvsc.compare.changes import ConnectionChange, Fate
from lvsc.compare.names import end, selector_words
from lvsc.compare.pairing import Paired, ServicePair
from lvsc.compare.sides import HostSide, Side
from lvsc.graph.nodes import (
    AddressRole,
    Forwarding,
    Marking,
    MarkSelector,
    Persistence,
    RealServer,
    Sysctl,
    VirtualAddress,
    VirtualService,
)
from lvsc.graph.traffic import Family, Hook, Protocol
from lvsc.packets.words import listed


def connection_changes(
    old: tuple[Side, HostSide], new: tuple[Side, HostSide], paired: Paired
) -> Iterator[ConnectionChange]:
    """Which services of one host lose connections, and which drain."""
    ended = _setting(new[1], "expire_nodest_conn")
    quick = _setting(new[1], "expire_quiescent_template")
    addresses = _lost_addresses(old[1], new[1])
    for pair in paired.known:
        if pair.old is None:
            continue
        name = paired.old_names.service(pair.old.selector)
        origin = new[0].origin(pair.new.origin) if pair.new else old[0].origin(pair.old.origin)
        for fate, what in _fates(pair, addresses, ended=ended, quick=quick):
            yield ConnectionChange(fate=fate, hosts=(old[1].host,), service=name, what=what, origin=origin)


def _fates(
    pair: ServicePair, addresses: dict[object, list[str]], *, ended: bool | None, quick: bool | None
) -> Iterator[tuple[Fate, str]]:
    service = pair.old
    assert service is not None  # noqa: S101 - the caller has seen to it
    if service.one_packet:
        return
    ending = _ending("the next packet of each ends it", on=ended)
    if pair.new is None:
        yield Fate.LOST, f"all of its connections: the service is removed; {ending}"
        return
    if pair.new.selector != service.selector:
        change = f"{selector_words(service.selector)} becomes {selector_words(pair.new.selector)}"
        yield (
            Fate.LOST,
            f"all of its connections: {change}, which is another virtual service to IPVS; {ending}",
        )
        return
    gone = addresses.get(service.selector, [])
    if gone:
        yield Fate.LOST, f"the connections to {listed(gone)}: the director gives the address up"
    if getattr(service.selector, "protocol", None) is Protocol.UDP:
        ending = _ending("the next datagram of each goes to another real server", on=ended)
    yield from _servers(pair, ending, quick=quick)
    before, after = service.persistence, pair.new.persistence
    if before is not None and before != after:
        yield from _persistence(before, after)


def _servers(pair: ServicePair, ending: str, *, quick: bool | None) -> Iterator[tuple[Fate, str]]:
    removed: list[RealServer] = []
    drained: list[RealServer] = []
    rerouted: list[RealServer] = []
    for one, other in pair.servers:
        if one is None:
            continue
        if other is None or (one.address, one.port) != (other.address, other.port):
            removed.append(one)
        else:
            if one.weight and not other.weight:
                drained.append(one)
            direct = other.forwarding is Forwarding.DIRECT and one.forwarding is not Forwarding.DIRECT
            if direct and Family.of(one.address) is Family.IPV4:
                rerouted.append(one)
    if removed:
        yield Fate.LOST, f"those on {_ends(removed)}: removed; {ending}"
    if rerouted:
        what = f"new ones to {_ends(rerouted)}, as long as old ones live: those go on by {rerouted[0].forwarding.value}"
        yield Fate.LOST, f"{what}, and the route that the kernel keeps for them is none for direct routing"
    if drained:
        elsewhere = any(other is not None and other.weight for _, other in pair.servers)
        new = "go elsewhere" if elsewhere else "find no other real server"
        what = f"those on {_ends(drained)}: established ones go on, new ones {new}"
        if pair.new is not None and pair.new.persistence is not None:
            what += _led(pair.new.persistence.timeout, quick=quick)
        yield Fate.DRAINS, what


def _led(timeout: int, *, quick: bool | None) -> str:
    """Where persistence leads the clients of a drained real server."""
    if quick:
        return ", clients whom persistence led there too"
    unless = "expire_quiescent_template = 0" if quick is False else "unless expire_quiescent_template is set"
    return (
        f", but persistence leads its clients there while they have one, and until {timeout} s without a new one"
        f" ({unless})"
    )


def _persistence(before: Persistence, after: Persistence | None) -> Iterator[tuple[Fate, str]]:
    if after is None:
        yield (
            Fate.TEMPLATES_LOST,
            "persistence is removed: a client's next connection may go to another real server",
        )
    elif (before.prefix_length, before.engine) != (after.prefix_length, after.engine):
        yield (
            Fate.TEMPLATES_LOST,
            "what persistence knows clients by is changed: a client's next connection may go to another real server",
        )


def _ending(what: str, *, on: bool | None) -> str:
    """How connections end whose real server is gone; `what` with expire_nodest_conn."""
    dropped = "their packets are dropped until they time out"
    if on is None:
        return f"{dropped}, or with expire_nodest_conn = 1 {what}"
    return f"{what} (expire_nodest_conn = 1)" if on else f"{dropped} (expire_nodest_conn = 0)"


def _setting(host: HostSide, name: str) -> bool | None:
    """Whether one of IPVS's settings is on; unsaid by who says all, it is off as in the kernel, and None is not known."""
    wanted = f"net.ipv4.vs.{name}"
    if any(node.key == wanted and node.value != "0" for node in host.nodes.of(Sysctl)):
        return True
    return False if host.speaks_of(Sysctl) else None


def _lost_addresses(old: HostSide, new: HostSide) -> dict[object, list[str]]:
    """The served addresses that a host gives up, by the mark services that they lead to.

    An address service is removed with its address, so only mark services can outlive one.
    """
    kept = {node.address.ip for node in new.nodes.of(VirtualAddress)}
    gone = {
        node.address.ip
        for node in old.nodes.of(VirtualAddress)
        if node.role is AddressRole.SERVED and node.address.ip not in kept and new.would_say(node)
    }
    found: dict[object, list[str]] = defaultdict(list)
    if not gone:
        return found
    marked = {s.selector for s in old.nodes.of(VirtualService) if isinstance(s.selector, MarkSelector)}
    for marking in old.nodes.of(Marking):
        network, selector = marking.traffic.destination, MarkSelector(marking.mark, marking.traffic.family)
        if marking.traffic.hook is not Hook.PREROUTING or network is None or selector not in marked:
            continue
        address = network.network_address
        if network.num_addresses == 1 and address in gone and str(address) not in found[selector]:
            found[selector].append(str(address))
    return found


def _ends(servers: Iterable[RealServer]) -> str:
    return listed(f"`{s.name}`" if s.name else end(s.address, s.port) for s in servers)


def merged(changes: Iterable[ConnectionChange]) -> tuple[ConnectionChange, ...]:
    """The changes, what is lost first; what is the same on several hosts once."""
    groups: dict[tuple[object, ...], list[ConnectionChange]] = defaultdict(list)
    for change in changes:
        groups[change.fate, change.service, change.what].append(change)
    joined = [
        replace(group[0], hosts=tuple(sorted({host for change in group for host in change.hosts})))
        for group in groups.values()
    ]
    return tuple(sorted(joined, key=lambda change: list(Fate).index(change.fate)))
