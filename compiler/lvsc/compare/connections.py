"""What becomes of running connections when the new side is applied to directors that run the old one.

IPVS finds a packet's connection before it looks for a service (ip_vs_core.c, ip_vs_in_hook), and a connection holds on to its
real server of its virtual service. Once that real server is removed, or its service, the packets of the connection are dropped,
or with expire_nodest_conn the connection is ended by the next of them (Documentation/networking/ipvs-sysctl.rst). A
removed real server is taken up again only under the same mark, or protocol, address and port (ip_vs_ctl.c,
ip_vs_trash_get_dest). Edits of a service or a weight touch no connection. A persistence template is found by the client's
network and the service's mark, or address and port (ip_vs_core.c, ip_vs_sched_persist).
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
    Marking,
    MarkSelector,
    Persistence,
    RealServer,
    Sysctl,
    VirtualAddress,
    VirtualService,
)
from lvsc.graph.traffic import Hook
from lvsc.packets.words import listed


def connection_changes(
    old: tuple[Side, HostSide], new: tuple[Side, HostSide], paired: Paired
) -> Iterator[ConnectionChange]:
    """Which services of one host lose connections, and which drain."""
    ending = _ending(new[1])
    quick = _setting(new[1], "expire_quiescent_template")
    addresses = _lost_addresses(old[1], new[1])
    for pair in paired.pairs:
        if pair.old is None:
            continue
        name = paired.old_names.service(pair.old.selector)
        origin = new[0].origin(pair.new.origin) if pair.new else old[0].origin(pair.old.origin)
        for fate, what in _fates(pair, addresses, ending, quick=quick):
            yield ConnectionChange(fate=fate, hosts=(old[1].host,), service=name, what=what, origin=origin)


def _fates(
    pair: ServicePair, addresses: dict[object, list[str]], ending: str, *, quick: bool
) -> Iterator[tuple[Fate, str]]:
    service = pair.old
    assert service is not None  # noqa: S101 - the caller has seen to it
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
    yield from _servers(pair, ending, quick=quick)
    before, after = service.persistence, pair.new.persistence
    if before is not None and before != after:
        yield from _persistence(before, after)


def _servers(pair: ServicePair, ending: str, *, quick: bool) -> Iterator[tuple[Fate, str]]:
    removed: list[RealServer] = []
    drained: list[RealServer] = []
    for one, other in pair.servers:
        if one is None:
            continue
        if other is None or (one.address, one.port) != (other.address, other.port):
            removed.append(one)
        elif one.weight and not other.weight:
            drained.append(one)
    if removed:
        yield Fate.LOST, f"those on {_ends(removed)}: removed; {ending}"
    if drained:
        what = f"those on {_ends(drained)}: established ones go on, new ones go elsewhere"
        if pair.new is not None and pair.new.persistence is not None:
            what += (
                ", clients whom persistence led there too"
                if quick
                else f", but persistence leads its clients there until {pair.new.persistence.timeout} s without a new connection"
                " (expire_quiescent_template = 0)"
            )
        yield Fate.DRAINS, what


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


def _ending(new: HostSide) -> str:
    if _setting(new, "expire_nodest_conn"):
        return "the next packet of each ends it (expire_nodest_conn = 1)"
    return "their packets are dropped until they time out (expire_nodest_conn = 0)"


def _setting(host: HostSide, name: str) -> bool:
    """Whether one of IPVS's settings is on; unsaid, it is off as in the kernel."""
    wanted = f"net.ipv4.vs.{name}"
    return any(node.key == wanted and node.value != "0" for node in host.nodes.of(Sysctl))


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
