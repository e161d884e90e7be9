"""What the directors' own firewall must let through."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeVar

from lvsc.compile import Compiled
from lvsc.graph.nodes import Accept, AuthenticationType, Forwarding, NoTrack
from lvsc.graph.traffic import Address, Family, Hook, Network, PortRange, host_network, merge_ranges
from lvsc.lowering.directors import placements
from lvsc.lowering.lower import lower
from lvsc.plugins.kind import ServiceKind
from lvsc.spec.model import Cluster, Firewall, Vrrp, reached_at
from lvsc.spec.schema.failover import SYNC_GROUP, SYNC_PORT

T = TypeVar("T")

NEW: tuple[str, ...] = ("NEW",)
KNOWN: tuple[str, ...] = ("ESTABLISHED", "RELATED")
UNTRACKED: tuple[str, ...] = ("UNTRACKED",)
ANY_STATE: tuple[str, ...] = ()

#: RFC 5798, 5.1.1.2 and 5.1.2.2.
VRRP_GROUPS: dict[Family, Address] = {
    Family.IPV4: IPv4Address("224.0.0.18"),
    Family.IPV6: IPv6Address("ff02::12"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Packets that a chain of the firewall must let through. What is empty or None is any."""

    chain: Hook
    protocol: str | None = None
    sources: tuple[Network, ...] = ()
    source_ports: tuple[PortRange, ...] = ()
    destinations: tuple[Network, ...] = ()
    destination_ports: tuple[PortRange, ...] = ()
    network: str | None = None
    """The spec's network on whose interface they come in or go out."""
    states: tuple[str, ...] = ANY_STATE
    """As connection tracking sees them."""
    service: str | None = None
    why: str
    emitted: bool = False
    """Whether lvsc emits the accept itself."""


def passages(compiled: Compiled, kinds: Mapping[str, ServiceKind]) -> tuple[Passage, ...]:
    """What must be let through on each director, by chain; nothing where the spec says that there is no firewall.

    docs/kernel-facts.md has what was seen with stateful firewalls.
    """
    cluster = compiled.cluster
    if cluster.firewall is Firewall.NONE:
        return ()
    found = [*_services(compiled, kinds), *_sent_on(cluster), *_general(cluster), *_failover(compiled)]
    order = [Hook.INPUT, Hook.FORWARD, Hook.OUTPUT]
    return tuple(sorted(found, key=lambda passage: order.index(passage.chain)))


def _services(compiled: Compiled, kinds: Mapping[str, ServiceKind]) -> list[Passage]:
    """What `accept = true` would emit on a director is what each service needs, its kind's own connections included."""
    cluster = compiled.cluster
    director = cluster.directors[0].name
    untracked = {node.service for node in compiled.lowered.graph.of(NoTrack)}
    accepting = lower(replace(cluster, accept=True), kinds).graph.hosts[director]
    found: list[Passage] = []
    for node in accepting.of(Accept):
        traffic = node.traffic
        if node.service in untracked:
            states = UNTRACKED
            why = "clients; where this state is not known, in any, before a rule that drops INVALID"
        else:
            states, why = (
                NEW,
                "clients" if traffic.hook is Hook.INPUT else "connections that the real servers open",
            )
        found.append(
            Passage(
                chain=traffic.hook,
                protocol=traffic.protocol.value,
                sources=_one(traffic.source),
                source_ports=_one(traffic.source_ports),
                destinations=_one(traffic.destination),
                destination_ports=_one(traffic.destination_ports),
                states=states,
                service=node.service,
                why=why,
                emitted=cluster.accept,
            )
        )
    for field in ("destination_ports", "destinations", "sources"):
        found = _joined(found, field)
    return [replace(passage, destination_ports=merge_ranges(passage.destination_ports)) for passage in found]


def _sent_on(cluster: Cluster) -> Iterator[Passage]:
    """What IPVS sends on meets OUTPUT (Linux: ip_vs_xmit.c), by direct routing still with the virtual address."""
    for service in cluster.services:
        sorry = service.pool.sorry_server
        hosts = [*service.pool.enabled, *(() if sorry is None else (sorry,))]
        direct = Forwarding.DIRECT in {host.forwarding for host in hosts}
        virtual = [ip for family in service.families for ip in service.ips(family)] if direct else []
        yield Passage(
            chain=Hook.OUTPUT,
            destinations=tuple(
                dict.fromkeys(
                    host_network(ip)
                    for ip in (*virtual, *(reached_at(host, f) for host in hosts for f in service.families))
                    if ip is not None
                )
            ),
            service=service.name,
            why="what IPVS sends on, and health checks",
        )


def _one(condition: T | None) -> tuple[T, ...]:
    return () if condition is None else (condition,)


def _joined(found: Iterable[Passage], field: str) -> list[Passage]:
    """The same packets, those passages joined that differ in one condition alone."""
    groups: dict[Passage, list[tuple[Any, ...]]] = {}
    nothing: dict[str, Any] = {field: ()}
    for passage in found:
        groups.setdefault(replace(passage, **nothing), []).append(getattr(passage, field))
    joined: list[Passage] = []
    for passage, conditions in groups.items():
        # No condition is every packet, so it stays none.
        every = (
            () if () in conditions else tuple(dict.fromkeys(value for each in conditions for value in each))
        )
        values: dict[str, Any] = {field: every}
        joined.append(replace(passage, **values))
    return joined


def _general(cluster: Cluster) -> Iterator[Passage]:
    methods = {method for service in cluster.services for method in service.forwardings}
    yield Passage(
        chain=Hook.INPUT, states=KNOWN, why="connections that were let in, and answers to health checks"
    )
    if Forwarding.NAT in methods:
        yield Passage(chain=Hook.FORWARD, states=KNOWN, why="answers of real servers that are reached by nat")
    if Forwarding.TUNNEL in methods:
        why = "clients learn from the director that a tunnel carries less"
        families = {family for service in cluster.services for family in service.families}
        for family, protocol in ((Family.IPV4, "icmp"), (Family.IPV6, "icmpv6")):
            if family in families:
                what = "fragmentation-needed" if family is Family.IPV4 else "packet-too-big"
                yield Passage(chain=Hook.OUTPUT, protocol=f"{protocol} {what}", why=why)


def _failover(compiled: Compiled) -> Iterator[Passage]:
    cluster = compiled.cluster
    several = len(cluster.directors) > 1
    vrrp, sync = cluster.failover, cluster.connection_sync
    if several and isinstance(vrrp, Vrrp):
        header = vrrp.authentication is not None and vrrp.authentication.type is AuthenticationType.AH
        protocol = "ah (protocol 51)" if header else "vrrp (protocol 112)"
        for place in placements(cluster, compiled.lowered.services):
            network, family = place.network.name, place.family
            peers = tuple(
                host_network(ip)
                for d in cluster.directors
                if (ip := d.address_in(network, family)) is not None
            )
            groups = () if vrrp.unicast else (host_network(VRRP_GROUPS[family]),)
            for chain in (Hook.INPUT, Hook.OUTPUT):
                yield Passage(
                    chain=chain,
                    protocol=protocol,
                    sources=peers if family is Family.IPV4 or vrrp.unicast else (),
                    destinations=groups or peers,
                    network=network,
                    why="the directors' adverts to each other",
                )
    if several and sync is not None:
        port = PortRange.one(sync.port or SYNC_PORT)
        group: Address = sync.group or IPv4Address(SYNC_GROUP)
        for chain in (Hook.INPUT, Hook.OUTPUT):
            yield Passage(
                chain=chain,
                protocol="udp",
                destinations=(host_network(group),),
                destination_ports=(port,),
                network=sync.network,
                why="connection synchronisation",
            )
