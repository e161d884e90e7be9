"""Which service a packet finds, against an interpreter that looks one up as IPVS does."""

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvsc.compare.sides import OrderedNodes
from lvsc.compare.treatment import Refused, arriving, found_by_mark, found_services, treatments
from lvsc.graph.nodes import AddressSelector, Forwarding, MarkSelector, Node, Selector
from lvsc.graph.traffic import Protocol
from lvsc.packets.diagram import Space, answer_at
from lvsc.packets.dimensions import Dimension
from support.lookup import found_by, sent
from support.nodes import by_address, by_mark, marking, real_server, service, traffic

VIPS = [ip_address("192.0.2.10"), ip_address("192.0.2.11"), ip_address("2001:db8::10")]
PACKETS = sent(VIPS, [ip_address("198.51.100.7"), ip_address("2001:db8:ffff::7")])
SELECTORS: st.SearchStrategy[Selector] = st.one_of(
    st.builds(
        AddressSelector,
        st.sampled_from([Protocol.TCP, Protocol.TCP, Protocol.UDP]),
        st.sampled_from(VIPS),
        st.sampled_from([0, 20, 21, 80, 2049]),
    ),
    st.builds(by_mark, st.sampled_from([5, 6])),
)
MARKINGS = st.builds(
    marking,
    st.builds(
        traffic,
        dst=st.sampled_from(["192.0.2.10", "192.0.2.11", "192.0.2.0/24", "2001:db8::10"]),
        dport=st.sampled_from(["80", "20", "1024-65535", None]),
        protocol=st.sampled_from([Protocol.TCP, Protocol.UDP]),
    ),
    st.sampled_from([5, 6, 7]),
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(SELECTORS, st.sampled_from([None, 300])), max_size=6, unique_by=lambda pair: pair[0]),
    st.lists(MARKINGS, max_size=3),
)
def test_a_packet_finds_what_ipvs_looks_up(
    services: list[tuple[Selector, int | None]], markings: list[Node]
) -> None:
    nodes = [*(service(selector, persistence=kept) for selector, kept in services), *markings]
    found = found_services(Space(), OrderedNodes(nodes))
    for packet in PACKETS:
        answer = answer_at(found, packet.point)
        seen = None if answer is None else ("taken", answer)
        if isinstance(answer, Refused):
            seen = ("refused", answer.selector)
        assert seen == found_by(nodes, packet), packet


KERNEL_FACTS = {
    "0p, 80": ([(0, True), (80, False)], {80: 80, 81: 0, 21: 0, 20: 0, 2049: 0}),
    "80, 21p": ([(80, False), (21, True)], {80: 80, 81: None, 20: 21, 2049: 21, 21: 21}),
    "80, 21": ([(80, False), (21, False)], {80: 80, 21: 21, 20: None, 2049: None}),
    "0p, 80, 21": ([(0, True), (80, False), (21, False)], {80: 80, 81: 0, 21: 21, 20: None, 2049: None}),
    "0p, 2049, 21p": ([(0, True), (2049, False), (21, True)], {2049: 2049, 20: 21, 81: 0}),
}


@pytest.mark.parametrize(("services", "expected"), KERNEL_FACTS.values(), ids=KERNEL_FACTS)
def test_the_rows_that_were_measured(
    services: list[tuple[int, bool]], expected: dict[int, int | None]
) -> None:
    nodes = OrderedNodes(
        service(by_address("192.0.2.10", port), persistence=300 if kept else None) for port, kept in services
    )
    found = found_services(Space(), nodes)
    seen: dict[int, int | None] = {}
    for packet in sent(VIPS[:1], [ip_address("198.51.100.7")], expected):
        if packet.protocol is Protocol.TCP:
            answer = answer_at(found, packet.point)
            seen[packet.port] = answer.port if isinstance(answer, AddressSelector) else None
    assert seen == expected


def test_without_a_packet_filter_the_mark_is_a_condition() -> None:
    nodes = OrderedNodes([service(by_mark(5)), service(by_address("192.0.2.10", 80))])
    found = found_by_mark(Space(), nodes)
    (packet,) = (p for p in PACKETS if (p.address, p.port, p.protocol) == (VIPS[0], 80, Protocol.TCP))
    point = list(packet.point)
    assert answer_at(found, tuple(point)) == by_address("192.0.2.10", 80)
    point[Dimension.MARK] = 5
    assert answer_at(found, tuple(point)) == MarkSelector(5, packet.family)


def test_real_servers_are_told_in_one_order() -> None:
    selector = by_mark(5)
    servers = [real_server(selector, "10.0.0.2"), real_server(selector, "10.0.0.1")]
    one, other = (
        treatments(OrderedNodes([service(selector), *order])) for order in (servers, reversed(servers))
    )
    assert one == other


@pytest.mark.parametrize(
    ("forwarding", "port", "arrives", "seen"),
    [
        (Forwarding.NAT, 80, 80, 0),
        (Forwarding.NAT, 8080, 80, 8080),
        (Forwarding.NAT, 80, None, 80),
        (Forwarding.DIRECT, 8080, 80, 0),
    ],
)
def test_only_nat_to_another_port_translates(
    forwarding: Forwarding, port: int, arrives: int | None, seen: int
) -> None:
    selector = by_address("192.0.2.10", 80)
    nodes = OrderedNodes([service(selector), real_server(selector, "10.0.0.1", port, forwarding=forwarding)])
    (server,) = arriving(treatments(nodes)[selector], arrives).servers
    assert server.port == seen
