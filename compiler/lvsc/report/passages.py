"""What the directors' own firewall must let through."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, TypeVar

from lvsc.compile import Compiled
from lvsc.graph.nodes import Accept, Forwarding, HealthCheck, NoTrack, ScriptProbe, TrackScript
from lvsc.graph.traffic import (
    Family,
    Hook,
    Network,
    Portless,
    PortRange,
    Protocol,
    host_network,
    merge_ranges,
)
from lvsc.lowering.lower import lower
from lvsc.plugins.kind import ServiceKind
from lvsc.spec.model import Cluster, Firewall, reached_at

T = TypeVar("T")

BEGINNING: tuple[str, ...] = ("NEW", "ESTABLISHED")
KNOWN: tuple[str, ...] = ("ESTABLISHED", "RELATED")
UNTRACKED: tuple[str, ...] = ("UNTRACKED",)
ANY_STATE: tuple[str, ...] = ()

#: Those that not everybody knows by name.
_PROTOCOLS: dict[Protocol | Portless, str] = {
    protocol: f"{protocol.value} (protocol {protocol.number})" for protocol in (Portless.AH, Portless.VRRP)
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

    What INPUT and FORWARD need is what `accept = true` emits, for those are the very same nodes.
    """
    cluster = compiled.cluster
    if cluster.firewall is Firewall.NONE:
        return ()
    accepts = (compiled.lowered if cluster.accept else lower(replace(cluster, accept=True), kinds)).accepts
    let_in = _let_in(compiled, accepts)
    sent = (replace(p, chain=Hook.OUTPUT, emitted=False) for p in let_in if p.network and p.service is None)
    found = [*let_in, *_commands(compiled), *_sent_on(cluster), *_out(cluster), *sent]
    order = [Hook.INPUT, Hook.FORWARD, Hook.OUTPUT]
    return tuple(sorted(found, key=lambda passage: order.index(passage.chain)))


def _let_in(compiled: Compiled, accepts: Iterable[Accept]) -> list[Passage]:
    """What the accepts of all directors say, as few passages as are the same packets."""
    cluster = compiled.cluster
    untracked = {node.service for node in compiled.lowered.graph.of(NoTrack)}
    networks = {
        (director.name, director.interface(network)): network.name
        for director in cluster.directors
        for network in reversed(tuple(cluster.networks.values()))
    }
    found: list[Passage] = []
    for node in accepts:
        traffic = node.traffic
        why = node.reason or (
            "clients" if traffic.hook is Hook.INPUT else "connections that the real servers open"
        )
        if traffic.state is not None:
            states: tuple[str, ...] = (traffic.state.value,)
        elif not node.service:
            states = ANY_STATE
        elif node.service in untracked:
            states = UNTRACKED
            why += "; where this state is not known, in any, before a rule that drops INVALID"
        else:
            states = BEGINNING
        found.append(
            Passage(
                chain=traffic.hook,
                protocol=_PROTOCOLS.get(traffic.protocol, traffic.protocol.value),
                sources=_one(traffic.source),
                source_ports=_one(traffic.source_ports),
                destinations=_one(traffic.destination),
                destination_ports=_one(traffic.destination_ports),
                network=networks.get((node.host, traffic.interface or "")),
                states=states,
                service=node.service or None,
                why=why,
                emitted=cluster.accept,
            )
        )
    for field in ("states", "source_ports", "destination_ports", "destinations", "sources"):
        found = _joined(found, field)
    # What could not be joined still stands together.
    first = {key: place for place, key in enumerate(dict.fromkeys((p.service, p.why) for p in found))}
    found.sort(key=lambda passage: first[passage.service, passage.why])
    return [
        replace(
            passage,
            sources=tuple(sorted(passage.sources, key=_by_address)),
            destinations=tuple(sorted(passage.destinations, key=_by_address)),
            source_ports=merge_ranges(passage.source_ports),
            destination_ports=merge_ranges(passage.destination_ports),
        )
        for passage in found
    ]


def _commands(compiled: Compiled) -> Iterator[Passage]:
    """Nothing says whom a command asks besides the real server that it is to check."""
    graph = compiled.lowered.graph
    checks = any(isinstance(check.probe, ScriptProbe) for check in graph.of(HealthCheck))
    if checks or any(graph.of(TrackScript)):
        yield Passage(
            chain=Hook.INPUT,
            states=KNOWN,
            why="answers to commands that check or track, from whatever else they ask",
        )


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


def _by_address(network: Network) -> tuple[int, int]:
    return network.version, int(network.network_address)


def _one(condition: T | None) -> tuple[T, ...]:
    return () if condition is None else (condition,)


def _joined(found: Iterable[Passage], field: str) -> list[Passage]:
    """The same packets, those passages joined that differ in one condition alone."""
    others = attrgetter(*(each.name for each in fields(Passage) if each.name != field))
    groups: dict[Any, list[Passage]] = {}
    for passage in found:
        groups.setdefault(others(passage), []).append(passage)
    joined: list[Passage] = []
    for same in groups.values():
        if len(same) == 1:
            joined += same
            continue
        conditions: list[tuple[Any, ...]] = [getattr(passage, field) for passage in same]
        # No condition is every packet, so it stays none.
        every = (
            () if () in conditions else tuple(dict.fromkeys(value for each in conditions for value in each))
        )
        values: dict[str, Any] = {field: every}
        joined.append(replace(same[0], **values))
    return joined


def _out(cluster: Cluster) -> Iterator[Passage]:
    if any(Forwarding.TUNNEL in service.forwardings for service in cluster.services):
        why = "clients learn from the director that a tunnel carries less"
        families = {family for service in cluster.services for family in service.families}
        for family, protocol in ((Family.IPV4, "icmp"), (Family.IPV6, "ipv6-icmp")):
            if family in families:
                what = "fragmentation-needed" if family is Family.IPV4 else "packet-too-big"
                yield Passage(chain=Hook.OUTPUT, protocol=f"{protocol} {what}", why=why)
    if cluster.email is not None:
        yield Passage(
            chain=Hook.OUTPUT,
            protocol="tcp",
            destinations=(host_network(cluster.email.server),),
            destination_ports=(PortRange.one(cluster.email.port),),
            why="alerts by mail",
        )
