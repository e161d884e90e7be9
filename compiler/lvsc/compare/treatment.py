"""What a director does with a client's packet: which virtual service it finds, and what that does with it.

The order of the look-up is IPVS's own (ip_vs_core.c and ip_vs_ctl.c, ip_vs_service_find): the mark; the protocol, address
and port; for TCP to port 20 or an unprivileged one, the service on port 21 of the address; the service of all ports.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol as Interface
from typing import TypeVar

from lvsc.graph.nodes import (
    AddressSelector,
    Forwarding,
    Marking,
    MarkSelector,
    Node,
    Persistence,
    RealServer,
    Scheduler,
    SchedulerFlag,
    Selector,
    SorryServer,
    Tunnel,
    VirtualService,
)
from lvsc.graph.traffic import Address, Family, Hook, Protocol, host_network
from lvsc.packets.diagram import Diagram, Space, first
from lvsc.packets.dimensions import Box, Dimension, hook_number, network_intervals, one
from lvsc.packets.effects import effect
from lvsc.packets.rules import first_match

N = TypeVar("N", bound=Node)

#: Who gets a client depends on the order in which the real servers were added (docs/kernel-facts.md).
_ORDERED = frozenset({Scheduler.SH, Scheduler.DH, Scheduler.MH, Scheduler.FO})
_FTP_CONTROL, _FTP_DATA, _UNPRIVILEGED = 21, 20, 1024


class Nodes(Interface):
    """The nodes of one host, however they were come by."""

    def of(self, kind: type[N]) -> tuple[N, ...]:
        """The nodes of exactly this type; of packet rules, the first that matches a packet decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """A real server as packets meet it."""

    address: Address
    port: int
    forwarding: Forwarding
    tunnel: Tunnel | None
    weight: int
    upper_threshold: int
    lower_threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What a virtual service does with its packets."""

    scheduler: Scheduler
    flags: tuple[SchedulerFlag, ...]
    persistence: Persistence | None
    one_packet: bool
    servers: tuple[Backing, ...]
    sorry: tuple[Backing, ...]
    order: tuple[Address, ...] = ()
    """The real servers in the order in which they are added, where the scheduler chooses by it."""

    @property
    def serves(self) -> bool:
        """Whether a new client gets a server: none does where all have the weight 0 (ip_vs_core.c, ip_vs_schedule)."""
        return bool(self.sorry) or any(server.weight for server in self.servers)


@dataclass(frozen=True, slots=True)
class Refused:
    """The packet finds a virtual service that does not take it."""

    selector: Selector


@dataclass(frozen=True, slots=True)
class Absent:
    """The packet is for an address that no director has."""

    address: Address


def treatments(host: Nodes) -> dict[Selector, Treatment]:
    """What each virtual service of a director does."""
    servers: dict[Selector, list[Backing]] = {}
    for server in host.of(RealServer):
        servers.setdefault(server.selector, []).append(
            Backing(
                address=server.address,
                port=server.port,
                forwarding=server.forwarding,
                tunnel=server.tunnel,
                weight=server.weight,
                upper_threshold=server.upper_threshold,
                lower_threshold=server.lower_threshold,
            )
        )
    sorry: dict[Selector, list[Backing]] = {}
    for spare in host.of(SorryServer):
        sorry.setdefault(spare.selector, []).append(
            Backing(
                address=spare.address,
                port=spare.port,
                forwarding=spare.forwarding,
                tunnel=spare.tunnel,
                weight=1,
                upper_threshold=0,
                lower_threshold=0,
            )
        )
    return {
        service.selector: Treatment(
            scheduler=service.scheduler,
            flags=service.flags,
            persistence=service.persistence,
            one_packet=service.one_packet,
            servers=_in_order(servers.get(service.selector, ())),
            sorry=_in_order(sorry.get(service.selector, ())),
            order=_added(service.scheduler, servers.get(service.selector, ())),
        )
        for service in host.of(VirtualService)
    }


def _in_order(backings: Iterable[Backing]) -> tuple[Backing, ...]:
    return tuple(sorted(backings, key=lambda b: (b.address.version, int(b.address), b.port)))


def _added(scheduler: Scheduler, backings: Iterable[Backing]) -> tuple[Address, ...]:
    if scheduler not in _ORDERED:
        return ()
    # `fo` goes by weight first, and by order among equals.
    by_weight = sorted(backings, key=lambda b: -b.weight) if scheduler is Scheduler.FO else backings
    return tuple(backing.address for backing in by_weight)


def arriving(treatment: Treatment, port: int | None) -> Treatment:
    """The treatment as a packet to a port sees it; None is any port that no real server has.

    Translation to the port that the packet has is no translation, and only NAT translates ports at all
    (ip_vs_xmit.c: the other methods leave the transport header alone).
    """

    def seen(backing: Backing) -> Backing:
        kept = backing.forwarding is not Forwarding.NAT or backing.port == port
        return replace(backing, port=0) if kept and backing.port else backing

    return replace(
        treatment,
        servers=tuple(map(seen, treatment.servers)),
        sorry=tuple(map(seen, treatment.sorry)),
    )


def found_services(space: Space, host: Nodes) -> Diagram:
    """Which virtual service a client's packet finds: its selector, `Refused`, or None. The hook is PREROUTING."""
    services = host.of(VirtualService)
    marked: set[Selector] = {s.selector for s in services if isinstance(s.selector, MarkSelector)}
    marks = effect(space, (rule for rule in host.of(Marking) if rule.traffic.hook is Hook.PREROUTING))
    addresses = first_match(space, list(_by_address(services)))
    families = first_match(space, [(_family(family), family) for family in Family])
    selectors = space.combine(
        marks,
        families,
        lambda mark, family: _selector(mark, family, marked),
    )
    return space.combine(selectors, addresses, first)


def found_by_mark(space: Space, host: Nodes) -> Diagram:
    """As `found_services`, for a host of which nothing says who gets a mark: a packet's mark is a condition."""
    services = host.of(VirtualService)
    marks: list[tuple[Box, Hashable]] = [
        (
            {
                Dimension.HOOK: one(hook_number(Hook.PREROUTING)),
                **_family(service.selector.family),
                Dimension.MARK: one(service.selector.mark),
            },
            service.selector,
        )
        for service in services
        if isinstance(service.selector, MarkSelector)
    ]
    return first_match(space, [*marks, *_by_address(services)])


def without_addresses(space: Space, found: Diagram, addresses: Iterable[Address]) -> Diagram:
    """The same where no director has these addresses: what packets to them would find there, they do not."""
    absent: list[tuple[Box, Hashable]] = [
        (
            {**_family(Family.of(address)), Dimension.DESTINATION: network_intervals(host_network(address))},
            Absent(address),
        )
        for address in addresses
    ]
    return space.combine(
        found,
        first_match(space, absent),
        lambda one, other: one if one is None or other is None else other,
    )


def _selector(mark: Hashable, family: Hashable, marked: set[Selector]) -> Selector | None:
    if not isinstance(mark, int) or not isinstance(family, Family):
        return None
    selector = MarkSelector(mark, family)
    return selector if selector in marked else None


def _family(family: Family) -> Box:
    return {Dimension.FAMILY: one(int(family is Family.IPV6))}


def _by_address(services: tuple[VirtualService, ...]) -> Iterator[tuple[Box, Hashable]]:
    """The address services as boxes, in the order of the look-up."""
    found = [(service, service.selector) for service in services]
    by_address = [(service, selector) for service, selector in found if isinstance(selector, AddressSelector)]
    for _, selector in by_address:
        if selector.port:
            yield _box(selector, ((selector.port, selector.port),)), selector
    for service, selector in by_address:
        if selector.protocol is Protocol.TCP and selector.port == _FTP_CONTROL:
            ports = ((_FTP_DATA, _FTP_DATA), (_UNPRIVILEGED, 65535))
            yield _box(selector, ports), selector if service.persistence else Refused(selector)
    for _, selector in by_address:
        if not selector.port:
            yield _box(selector, ((0, 65535),)), selector


def _box(selector: AddressSelector, ports: tuple[tuple[int, int], ...]) -> Box:
    return {
        Dimension.HOOK: one(hook_number(Hook.PREROUTING)),
        **_family(selector.family),
        Dimension.DESTINATION: network_intervals(host_network(selector.address)),
        Dimension.PROTOCOL: one(selector.protocol.number),
        Dimension.DESTINATION_PORT: ports,
    }
