from collections.abc import Callable
from ipaddress import ip_address, ip_interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import Origin
from lvsc.graph.graph import HostGraph, RuleGraph
from lvsc.graph.nodes import (
    AddressRole,
    AddressSelector,
    Forwarding,
    KernelModule,
    Marking,
    MarkSelector,
    Node,
    RealServer,
    Scheduler,
    Sysctl,
    Timeouts,
    VirtualAddress,
    VirtualService,
)
from lvsc.graph.traffic import Family, Hook, PortRange, Protocol, TrafficClass, host_network

HOSTS = ("lvs1", "lvs2", "web1")
ORIGINS = (Origin("a.toml", ("services", "web")), Origin("a.toml", ("services", "mail")))
ADDRESSES = tuple(map(ip_address, ("192.0.2.10", "192.0.2.9", "2001:db8::10")))

selectors = st.one_of(
    st.builds(MarkSelector, st.integers(1, 3), st.sampled_from(Family)),
    st.builds(AddressSelector, st.sampled_from(Protocol), st.sampled_from(ADDRESSES), st.integers(0, 2)),
)


def node(kind: Callable[..., Node], **fields: st.SearchStrategy[object]) -> st.SearchStrategy[Node]:
    return st.builds(kind, host=st.sampled_from(HOSTS), origin=st.sampled_from(ORIGINS), **fields)


traffic = st.builds(
    lambda address, port: TrafficClass(
        hook=Hook.PREROUTING,
        family=Family.of(address),
        protocol=Protocol.TCP,
        destination=host_network(address),
        destination_ports=PortRange.one(port),
    ),
    st.sampled_from(ADDRESSES),
    st.integers(1, 3),
)
nodes = st.one_of(
    node(Marking, traffic=traffic, service=st.sampled_from(["web", "mail"]), mark=st.integers(1, 2)),
    node(
        VirtualService,
        selector=selectors,
        service=st.just("web"),
        scheduler=st.sampled_from(list(Scheduler)[:2]),
    ),
    node(
        RealServer,
        selector=selectors,
        name=st.just("web1"),
        address=st.sampled_from(ADDRESSES),
        port=st.integers(0, 1),
        forwarding=st.sampled_from(Forwarding),
        weight=st.integers(0, 2),
    ),
    node(Sysctl, key=st.sampled_from(["net.a", "net.b"]), value=st.sampled_from(["0", "1"])),
    node(KernelModule, name=st.sampled_from(["ip_vs", "nf_conntrack"])),
    node(Timeouts, tcp=st.integers(0, 1), tcp_fin=st.just(0), udp=st.just(0)),
    node(
        VirtualAddress,
        interface=st.sampled_from(["eth0", "lo"]),
        address=st.sampled_from([ip_interface("192.0.2.10/24"), ip_interface("192.0.2.10/32")]),
        role=st.sampled_from(AddressRole),
        instance=st.sampled_from([None, "lan-ipv4"]),
    ),
)


@given(st.lists(nodes, max_size=20).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_the_nodes_means_nothing(both: tuple[list[Node], list[Node]]) -> None:
    some, shuffled = both
    assert RuleGraph.from_nodes(some) == RuleGraph.from_nodes(shuffled)


@given(st.lists(nodes, max_size=20))
def test_a_graph_holds_each_node_once(some: list[Node]) -> None:
    graph = RuleGraph.from_nodes([*some, *some])
    assert len(graph) == len(set(some))
    assert set(graph) == set(some)
    for host, part in graph.hosts.items():
        assert {found.host for found in part} == {host}


@given(st.lists(nodes, max_size=20), st.sets(st.sampled_from([Marking, Sysctl, VirtualService, Timeouts])))
def test_a_part_of_a_graph_is_the_graph_of_its_nodes(some: list[Node], kinds: set[type[Node]]) -> None:
    for host, whole in RuleGraph.from_nodes(some).hosts.items():
        chosen = [found for found in whole if type(found) in kinds]
        assert whole.part(chosen) == HostGraph(host, chosen)


@given(st.lists(nodes, max_size=20))
def test_nodes_come_in_the_order_of_their_sort_keys(some: list[Node]) -> None:
    for part in RuleGraph.from_nodes(some).hosts.values():
        for kind in {type(found) for found in part}:
            keys = [found.sort_key for found in part.of(kind)]
            assert keys == sorted(keys)


def module(name: str, origin: Origin = ORIGINS[0], host: str = "lvs1") -> KernelModule:
    return KernelModule(host=host, origin=origin, name=name)


def test_an_origin_is_no_part_of_what_a_node_means() -> None:
    first, second = module("ip_vs", ORIGINS[0]), module("ip_vs", ORIGINS[1])
    assert first == second
    graph = HostGraph("lvs1", [first, second])
    assert [found.origin for found in graph] == [ORIGINS[0]]


def test_graphs_of_different_nodes_differ() -> None:
    assert HostGraph("lvs1", [module("ip_vs")]) != HostGraph("lvs1", [module("nf_conntrack")])
    assert HostGraph("lvs1", []) != HostGraph("lvs2", [])
    assert HostGraph("lvs1", []) != "lvs1"


def test_the_only_node_of_a_type() -> None:
    assert HostGraph("lvs1", []).one(KernelModule) is None
    assert HostGraph("lvs1", [module("ip_vs")]).one(KernelModule) == module("ip_vs")
    with pytest.raises(ValueError, match="lvs1 has 2 nodes of type KernelModule"):
        HostGraph("lvs1", [module("ip_vs"), module("nf_conntrack")]).one(KernelModule)


def test_nodes_of_a_type_on_every_host() -> None:
    graph = RuleGraph.from_nodes(
        [module("b", host="lvs2"), module("a", host="lvs1"), module("c", host="lvs1")]
    )
    assert [(found.host, found.name) for found in graph.of(KernelModule)] == [
        ("lvs1", "a"),
        ("lvs1", "c"),
        ("lvs2", "b"),
    ]
    assert list(graph.of(Sysctl)) == []
    assert list(graph.hosts) == ["lvs1", "lvs2"]


def test_a_graph_says_its_size_and_cannot_be_hashed() -> None:
    graph = HostGraph("lvs1", [module("ip_vs")])
    assert repr(graph) == "HostGraph('lvs1', 1 nodes)"
    with pytest.raises(TypeError, match="unhashable"):
        hash(graph)


def test_a_node_says_where_the_spec_says_its_keys() -> None:
    server = Origin("spec", ("pools", "web", "real_servers", 0))
    node = KernelModule(
        host="lvs1",
        origin=server,
        said_at=(("tunnel", Origin("spec", ("pools", "web", "tunnel"))),),
        name="ipip",
    )
    assert node.at("weight").path == ("pools", "web", "real_servers", 0, "weight")
    assert node.at("tunnel", "type").path == ("pools", "web", "tunnel", "type")
    assert node == KernelModule(host="lvs1", origin=server, name="ipip")
    line = Origin("keepalived.conf", line=3, column=1)
    assert KernelModule(host="lvs1", origin=line, name="ipip").at("weight") is line
