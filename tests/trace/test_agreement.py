"""What a trace says of a packet is what the diagrams of a comparison say of it."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from lvsc.compare.sides import ALL_ROLES, HostSide, OrderedNodes, Side, of_compiled
from lvsc.compare.treatment import Refused, found_services
from lvsc.graph.nodes import (
    AddressSelector,
    HelperAssignment,
    Marking,
    MarkSelector,
    Node,
    NoTrack,
    Persistence,
    Scheduler,
    Selector,
    VirtualService,
)
from lvsc.graph.traffic import Address, Family, Hook, PortRange, Protocol
from lvsc.packets.diagram import Space, answer_at
from lvsc.packets.effects import effect
from lvsc.trace.asked import Asked
from lvsc.trace.follow import trace
from lvsc.trace.known import Known
from lvsc.trace.packet import Moving
from lvsc.trace.result import Course, Fate
from support import examples
from support.nodes import HOST, ORIGIN
from support.strategies import addresses, parts

RULES: tuple[type[Marking] | type[NoTrack] | type[HelperAssignment], ...] = (
    Marking,
    NoTrack,
    HelperAssignment,
)
PORTS = st.sampled_from((0, 20, 21, 80, 84, 1023, 1024, 2121))


@st.composite
def selectors(draw: st.DrawFn, marks: tuple[int, ...]) -> Selector:
    family = draw(st.sampled_from(Family))
    by_mark = draw(st.booleans())
    if marks and by_mark:
        return MarkSelector(draw(st.sampled_from(marks)), family)
    return AddressSelector(draw(st.sampled_from(Protocol)), draw(addresses(family)), draw(PORTS))


@st.composite
def hosts(draw: st.DrawFn) -> HostSide:
    rules = draw(parts(RULES))
    marks = tuple(rule.mark for rule in rules if isinstance(rule, Marking))
    services = [
        VirtualService(
            host=HOST,
            origin=ORIGIN,
            service="web",
            selector=selector,
            scheduler=Scheduler.RR,
            persistence=draw(st.sampled_from((None, Persistence(timeout=300, prefix_length=24)))),
        )
        for selector in draw(st.lists(selectors(marks), min_size=1, max_size=8, unique=True))
    ]
    nodes: list[Node] = [*rules, *services]
    return HostSide(host=HOST, nodes=OrderedNodes(nodes), roles=ALL_ROLES, whole=True)


@st.composite
def packets(draw: st.DrawFn, host: HostSide) -> Asked:
    """Packets at the corners of what rules and services ask for."""
    selectors_of = [service.selector for service in host.nodes.of(VirtualService)]
    traffics = [rule.traffic for kind in RULES for rule in host.nodes.of(kind)]
    targets: list[Address] = [s.address for s in selectors_of if isinstance(s, AddressSelector)]
    targets += [n[i] for t in traffics if (n := t.destination) is not None for i in (0, -1)]
    ports = [s.port for s in selectors_of if isinstance(s, AddressSelector) and s.port]
    ranges: list[PortRange] = [t.destination_ports for t in traffics if t.destination_ports is not None]
    ports += [p for r in ranges for p in (r.first - 1, r.first, r.last, r.last + 1) if 1 <= p <= 65535]
    family = draw(st.sampled_from(Family))
    here = [t for t in targets if Family.of(t) is family]
    sources = [n[0] for t in traffics if (n := t.source) is not None and t.family is family]
    macs = [mac for t in traffics for mac in t.not_source_macs]
    interfaces = [t.interface for t in traffics if t.interface is not None]
    return Asked(
        protocol=draw(st.sampled_from(Protocol)),
        source=draw(st.sampled_from(sources) if sources else addresses(family)),
        source_port=draw(st.sampled_from((80, 84, 40000))),
        destination=draw(st.sampled_from(here) if here else addresses(family)),
        destination_port=draw(st.one_of(PORTS.filter(bool), st.sampled_from(ports or [80]))),
        interface=draw(st.sampled_from([None, *interfaces])),
        source_mac=draw(st.sampled_from([None, *macs])),
    )


def agrees(host: HostSide, asked: Asked, found: Course) -> bool:
    """Whether the diagrams say of the packet what the trace says; returns whether it found a service."""
    space = Space()
    arriving = Moving.arriving(asked, Hook.PREROUTING)
    assert found.tracked is (answer_at(effect(space, host.nodes.of(NoTrack)), arriving.point) is None)
    point = replace(arriving, tracked=found.tracked).point
    expected = answer_at(found_services(space, host.nodes), point)
    got = None if found.service is None else found.service.selector
    assert (Refused(got) if found.fate is Fate.REFUSED and got is not None else got) == expected
    assert (found.mark or None) == answer_at(effect(space, host.nodes.of(Marking)), point)
    helper = answer_at(effect(space, host.nodes.of(HelperAssignment)), point)
    assert found.helper == (helper if found.tracked else None)
    return found.service is not None


@given(st.data())
def test_a_trace_finds_the_service_that_the_diagram_says(data: st.DataObject) -> None:
    host = data.draw(hosts())
    asked = data.draw(packets(host))
    side = Side(name="generated", hosts={HOST: host})
    assume(asked.source != asked.destination)
    known = Known(addresses={HOST: frozenset({asked.destination})})
    (way,) = trace(side, asked, known).ways
    agrees(host, asked, way.course)


def test_every_example_is_traced_as_its_diagrams_say() -> None:
    served = 0
    for name in examples.EXAMPLES:
        compiled = examples.compiled(name)
        side = of_compiled(name, compiled)
        for asked in _clients(side):
            for way in trace(side, asked, Known.of_cluster(compiled.cluster)).ways:
                for director in way.directors:
                    served += agrees(side.hosts[director], asked, way.course)
    assert served > len(examples.EXAMPLES)


def _clients(side: Side) -> list[Asked]:
    """Clients' packets to the ports at the corners of each virtual address's rules and services."""
    ends: dict[tuple[Protocol, Address, int], None] = {}
    for host in side.hosts.values():
        for service in host.nodes.of(VirtualService):
            if isinstance(service.selector, AddressSelector):
                selector = service.selector
                for port in {selector.port or 1, min(selector.port + 1, 65535), 20, 2000}:
                    ends[selector.protocol, selector.address, port] = None
        for rule in host.nodes.of(Marking):
            traffic = rule.traffic
            if traffic.destination is not None and traffic.destination_ports is not None:
                assert isinstance(traffic.protocol, Protocol)
                for port in (traffic.destination_ports.first, min(traffic.destination_ports.last + 1, 65535)):
                    ends[traffic.protocol, traffic.destination[0], port] = None
    return [
        Asked(
            protocol=protocol,
            source=type(address)("198.51.100.7" if address.version == 4 else "2001:db8:ffff::7"),
            source_port=40000,
            destination=address,
            destination_port=port,
        )
        for protocol, address, port in ends
    ]
