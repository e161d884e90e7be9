"""A virtual service as a packet finds it: its real servers, what source NAT does on the way to them, and the way back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from lvsc.compare.names import Names, end
from lvsc.compare.sides import HostSide, Side
from lvsc.graph.nodes import (
    Forwarding,
    RealServer,
    Selector,
    SorryServer,
    SourceNat,
    VirtualService,
)
from lvsc.graph.traffic import Address, Hook
from lvsc.trace.asked import Asked
from lvsc.trace.evidence import Lines
from lvsc.trace.known import Known
from lvsc.trace.lookup import Hit, tie
from lvsc.trace.packet import Moving
from lvsc.trace.result import Candidate, Evidence, FoundService, Handler, Step


class Services:
    """The virtual services of one host."""

    def __init__(self, side: Side, host: HostSide, lines: Lines, known: Known) -> None:
        self._side = side
        self._host = host
        self._lines = lines
        self._known = known
        self._names = Names(side, host)

    def titled(self, service: VirtualService) -> str:
        """The service's name, and how IPVS knows it."""
        return self._names.titled(service.selector)

    def found(self, hit: Hit, asked: Asked, packet: Moving) -> FoundService:
        """The service that a packet found, as far as it concerns the packet."""
        service = hit.service
        servers = self._of(RealServer, service.selector)
        spare = self._of(SorryServer, service.selector)
        evidence = self._lines.of_service(service, [*servers, *spare])
        return FoundService(
            name=self._names.service(service.selector),
            selector=service.selector,
            by=hit.by,
            scheduler=service.scheduler,
            flags=service.flags,
            one_packet=service.one_packet,
            candidates=tuple(self._candidate(server, packet, evidence) for server in servers),
            sorry=tuple(self._candidate(server, packet, evidence) for server in spare),
            tie=tie(self._host.nodes, service, asked),
            evidence=evidence,
        )

    def source_rules(self, service: FoundService, packet: Moving) -> dict[Address, list[SourceNat]]:
        """By new source address, the rules that change it on the way to some candidate."""
        found: defaultdict[Address, list[SourceNat]] = defaultdict(list)
        for candidate in service.candidates:
            rule = self._rule(candidate.forwarding, candidate.address, candidate.port, packet)
            if rule is not None and rule not in found[rule.address]:
                found[rule.address].append(rule)
        return dict(found)

    def _of(
        self, kind: type[RealServer] | type[SorryServer], selector: Selector
    ) -> list[RealServer | SorryServer]:
        nodes: Iterable[RealServer | SorryServer] = self._host.nodes.of(kind)
        return [node for node in nodes if node.selector == selector]

    def _candidate(
        self, server: RealServer | SorryServer, packet: Moving, service: tuple[Evidence, ...]
    ) -> Candidate:
        rule = self._rule(server.forwarding, server.address, server.port, packet)
        real = isinstance(server, RealServer)
        translated = server.forwarding is Forwarding.NAT
        return Candidate(
            name=self._known.servers.get(server.address, ""),
            address=server.address,
            # Only NAT translates ports (ip_vs_xmit.c).
            port=(server.port if translated else 0) or packet.destination_port,
            forwarding=server.forwarding,
            tunnel=None if server.tunnel is None else server.tunnel.type,
            weight=server.weight if isinstance(server, RealServer) else 1,
            upper_threshold=server.upper_threshold if isinstance(server, RealServer) else 0,
            source=None if rule is None else rule.address,
            evidence=self._lines.of_server(server, service) if real or server.origin.line is not None else (),
        )

    def _rule(self, method: Forwarding, address: Address, port: int, packet: Moving) -> SourceNat | None:
        if method is Forwarding.TUNNEL:
            # What passes the hook is the wrapping, which is of no protocol that has ports.
            return None
        leaving = packet.to(address, port) if method is Forwarding.NAT else packet
        return leaving.source_nat(self._host.nodes)


def way_back(service: FoundService, asked: Asked) -> tuple[Step, ...]:
    """How the answers of the candidates come to the client."""
    servers = [candidate for candidate in service.candidates if candidate.weight] or list(service.sorry)
    return tuple(_back(servers, asked, one_packet=service.one_packet))


def _back(servers: Iterable[Candidate], asked: Asked, *, one_packet: bool) -> Iterator[Step]:
    listed = list(servers)
    methods = {candidate.forwarding for candidate in listed}
    if Forwarding.NAT in methods:
        sources = {c.source: None for c in listed if c.forwarding is Forwarding.NAT}
        for source in sources:
            if source is not None:
                what = f"the answer comes to {source}, and its destination becomes {end(asked.source, asked.source_port)} again"
                yield Step(hook=Hook.PREROUTING, handler=Handler.NAT, what=what)
        if None in sources:
            yield Step(
                hook=Hook.PREROUTING,
                handler=Handler.CONNTRACK,
                what="by nat: the answer comes back through the director, which the real server must have as its way to the client",
            )
        yield Step(
            hook=Hook.FORWARD,
            handler=Handler.FILTER,
            what="the director's own firewall, if it has one, must let the answer through",
        )
        vip = end(asked.destination, asked.destination_port)
        # Measured (docs/kernel-facts.md): IPVS keeps no entry of a datagram that it schedules by itself.
        kept = "each datagram is scheduled by itself, so the answer keeps the real server's address"
        what = kept if one_packet else f"its source becomes {vip} again"
        yield Step(hook=Hook.FORWARD, handler=Handler.IPVS, what=what)
    for method in (Forwarding.DIRECT, Forwarding.TUNNEL):
        if method in methods:
            what = f"by {method.value}: the real server answers the client itself, past the director"
            yield Step(hook=None, handler=Handler.ROUTING, what=what)
