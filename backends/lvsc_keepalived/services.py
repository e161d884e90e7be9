"""The virtual services of a host, each with all that belongs to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from lvsc.plugin import (
    Address,
    HealthCheck,
    HostGraph,
    Node,
    Quorum,
    RealServer,
    Selector,
    SorryServer,
    VirtualService,
)

T = TypeVar("T")

_Key = tuple[Address, int]


@dataclass(slots=True)
class Server:
    """A real server and its health checks."""

    node: RealServer
    checks: list[HealthCheck] = field(default_factory=list)


@dataclass(slots=True)
class Service:
    """A virtual service with its real servers in order. More than one quorum or sorry server is a mistake."""

    node: VirtualService
    servers: dict[_Key, Server] = field(default_factory=dict)
    quorums: list[Quorum] = field(default_factory=list)
    sorry: list[SorryServer] = field(default_factory=list)

    @property
    def destinations(self) -> Iterable[RealServer | SorryServer]:
        """Every real server, and the sorry server."""
        yield from (server.node for server in self.servers.values())
        yield from self.sorry

    @property
    def checks(self) -> Iterable[HealthCheck]:
        """Every health check of every real server."""
        return (check for server in self.servers.values() for check in server.checks)


@dataclass(slots=True)
class Services:
    """All virtual services of a host, and the nodes that fit nowhere."""

    all: list[Service]
    orphans: list[Node]
    """Nodes of a virtual service or real server that is not there."""
    duplicates: list[tuple[Node, Node]]
    """Pairs of which keepalived would take only one."""


def services(graph: HostGraph) -> Services:
    """The virtual services of the graph, in order."""
    by_selector: dict[Selector, Service] = {}
    orphans: list[Node] = []
    duplicates: list[tuple[Node, Node]] = []
    for node in graph.of(VirtualService):
        found = by_selector.setdefault(node.selector, Service(node))
        if found.node is not node:
            duplicates.append((found.node, node))
    for server in graph.of(RealServer):
        service = by_selector.get(server.selector)
        if service is None:
            orphans.append(server)
            continue
        known = service.servers.setdefault((server.address, server.port), Server(server))
        if known.node is not server:
            duplicates.append((known.node, server))
    for check in graph.of(HealthCheck):
        service = by_selector.get(check.selector)
        probed = service and service.servers.get((check.address, check.port))
        if probed:
            probed.checks.append(check)
        else:
            orphans.append(check)
    for quorum in graph.of(Quorum):
        service = by_selector.get(quorum.selector)
        if service is None:
            orphans.append(quorum)
        else:
            service.quorums.append(quorum)
    for sorry in graph.of(SorryServer):
        service = by_selector.get(sorry.selector)
        if service is None:
            orphans.append(sorry)
        else:
            service.sorry.append(sorry)
    for service in by_selector.values():
        for nodes in (service.quorums, service.sorry):
            duplicates += [(nodes[0], node) for node in nodes[1:]]
    return Services(list(by_selector.values()), orphans, duplicates)


def agreed(values: Iterable[T]) -> T | None:
    """The value that all of them are; None where they differ or there is none."""
    distinct: Sequence[T] = list(dict.fromkeys(values))
    return distinct[0] if len(distinct) == 1 else None
