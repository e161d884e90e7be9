"""From a service to its nodes on a director."""

import pytest

from lvsc.graph.nodes import (
    AddressSelector,
    HealthCheck,
    Marking,
    MarkSelector,
    NoTrack,
    Quorum,
    RealServer,
    SorryServer,
    SourceNat,
    VirtualService,
)
from lvsc.graph.traffic import Family, Hook
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, lowered, merged, servers, service, spec

MARK: Layer = service(mark=7)
BUNDLE: Layer = service(mark=7, ports=["tcp/80", "tcp/443"], persistence="5m", check={"type": "http"})


def real_servers(*layers: Layer) -> list[tuple[int, str, int, int]]:
    """Family, address, port and weight of each."""
    nodes = lowered(spec(*layers)).graph.of(RealServer)
    return [(n.selector.family.value, str(n.address), n.port, n.weight) for n in nodes]


REAL_SERVERS: dict[str, tuple[tuple[Layer, ...], list[tuple[int, str, int, int]]]] = {
    "by-address": ((), [(4, "192.0.2.21", 80, 1), (4, "192.0.2.22", 80, 1)]),
    "by-address-other-port": (
        (servers({"port": 8080}, {}),),
        [(4, "192.0.2.21", 8080, 1), (4, "192.0.2.22", 80, 1)],
    ),
    "by-mark": ((MARK,), [(4, "192.0.2.21", 0, 1), (4, "192.0.2.22", 0, 1)]),
    "by-mark-other-port": (
        (MARK, servers({"port": 8080}, {})),
        [(4, "192.0.2.21", 8080, 1), (4, "192.0.2.22", 0, 1)],
    ),
    "by-mark-same-port": (
        (MARK, servers({"port": 80}, {})),
        [(4, "192.0.2.21", 0, 1), (4, "192.0.2.22", 0, 1)],
    ),
    "by-mark-direct": (
        (MARK, DIRECT, servers({"port": 80}, {})),
        [(4, "192.0.2.21", 0, 1), (4, "192.0.2.22", 0, 1)],
    ),
    "bundle": ((BUNDLE,), [(4, "192.0.2.21", 0, 1), (4, "192.0.2.22", 0, 1)]),
    "all-ports": (
        (service(ports=["tcp/all"], persistence="5m", check={"type": "ping"}),),
        [(4, "192.0.2.21", 0, 1), (4, "192.0.2.22", 0, 1)],
    ),
    "weights": (
        (servers({"weight": 5}, {"weight": 0}, {"drained": True}, {"disabled": True}),),
        [(4, "192.0.2.21", 80, 5), (4, "192.0.2.22", 80, 0), (4, "192.0.2.23", 80, 0)],
    ),
    "one-host-on-two-ports": (
        (servers({"port": 8081}, {"name": "web1", "ip": ["192.0.2.21"], "port": 8080}),),
        [(4, "192.0.2.21", 8080, 1), (4, "192.0.2.21", 8081, 1)],
    ),
    "some-of-one-family": (
        (DUAL, servers({}, {"ip": ["192.0.2.22", "2001:db8::22"]})),
        [(4, "192.0.2.21", 80, 1), (4, "192.0.2.22", 80, 1), (6, "2001:db8::22", 80, 1)],
    ),
    "tunnel-across-families": (
        (DUAL, TUNNEL, servers({}, {"ip": ["2001:db8::22"]})),
        [
            (4, "192.0.2.21", 80, 1),
            (4, "2001:db8::22", 80, 1),
            (6, "192.0.2.21", 80, 1),
            (6, "2001:db8::22", 80, 1),
        ],
    ),
}


@pytest.mark.parametrize(("layers", "expected"), REAL_SERVERS.values(), ids=REAL_SERVERS)
def test_real_servers(layers: tuple[Layer, ...], expected: list[tuple[int, str, int, int]]) -> None:
    assert real_servers(*layers) == expected


def test_thresholds_are_kept() -> None:
    (one, other) = lowered(spec(servers({"upper_threshold": 9, "lower_threshold": 5}, {}))).graph.of(
        RealServer
    )
    assert [(node.upper_threshold, node.lower_threshold) for node in (one, other)] == [(9, 5), (0, 0)]


def test_every_director_has_the_same_services() -> None:
    graph = lowered(spec(PAIR, BUNDLE)).graph
    for kind in (VirtualService, RealServer, HealthCheck, Marking):
        one, other = ([node.sort_key for node in graph.hosts[host].of(kind)] for host in ("lvs1", "lvs2"))
        assert one == other != []


def test_each_check_belongs_to_a_real_server() -> None:
    for layers in ((), (BUNDLE,), (DUAL, MARK), (servers({"port": 8080}, {}),)):
        graph = lowered(spec(*layers)).graph
        balanced = {(n.selector, n.address, n.port) for n in graph.of(RealServer)}
        assert {(n.selector, n.address, n.port) for n in graph.of(HealthCheck)} == balanced


def test_every_mark_selects_a_service_and_every_service_by_mark_has_a_marking() -> None:
    graph = lowered(spec(DUAL, BUNDLE)).graph
    selected = {n.selector for n in graph.of(VirtualService) if isinstance(n.selector, MarkSelector)}
    assert (
        {MarkSelector(n.mark, n.traffic.family) for n in graph.of(Marking)}
        == selected
        == {
            MarkSelector(7, Family.IPV4),
            MarkSelector(7, Family.IPV6),
        }
    )


def test_a_marking_is_one_address_one_protocol_one_range() -> None:
    layers = merged(
        BUNDLE,
        service(ports=["tcp/80", "tcp/81-90", "udp/all"]),
        {"addresses": {"www": {"ip": ["192.0.2.10", "192.0.2.12"]}}},
    )
    marks = lowered(spec(layers, service(check={"type": "ping"}))).graph.of(Marking)
    assert [
        (str(m.traffic.destination), m.traffic.protocol.value, str(m.traffic.destination_ports))
        for m in marks
    ] == [
        ("192.0.2.10/32", "tcp", "80-90"),
        ("192.0.2.10/32", "udp", "None"),
        ("192.0.2.12/32", "tcp", "80-90"),
        ("192.0.2.12/32", "udp", "None"),
    ]
    assert {m.traffic.hook for m in lowered(spec(BUNDLE)).graph.of(Marking)} == {Hook.PREROUTING}


def test_persistence_and_scheduler_of_each_family() -> None:
    layers = service(
        persistence="5m",
        persistence_granularity={"ipv4": 24, "ipv6": 64},
        scheduler="mh",
        scheduler_flags=["mh-port"],
    )
    nodes = list(lowered(spec(DUAL, layers)).graph.of(VirtualService))
    assert [n.persistence.prefix_length for n in nodes if n.persistence] == [24, 64]
    assert {n.persistence.timeout for n in nodes if n.persistence} == {300}
    assert {(n.scheduler.value, tuple(f.value for f in n.flags)) for n in nodes} == {("mh", ("mh-port",))}


SORRY: dict[str, tuple[tuple[Layer, ...], Layer, list[tuple[int, str, int, str]]]] = {
    "plain": ((), {}, [(4, "192.0.2.99", 80, "nat")]),
    "port": ((), {"port": 8080}, [(4, "192.0.2.99", 8080, "nat")]),
    "by-mark": ((MARK,), {}, [(4, "192.0.2.99", 0, "nat")]),
    "by-mark-port": ((MARK,), {"port": 8080}, [(4, "192.0.2.99", 8080, "nat")]),
    "bundle": ((BUNDLE,), {}, [(4, "192.0.2.99", 0, "nat")]),
    "own-way": (
        (DIRECT, {"cluster": {"firewall": "none"}}),
        {"forwarding": "nat"},
        [(4, "192.0.2.99", 80, "nat")],
    ),
    "two-families": (
        (DUAL,),
        {"ip": ["192.0.2.99", "2001:db8::99"]},
        [(4, "192.0.2.99", 80, "nat"), (6, "2001:db8::99", 80, "nat")],
    ),
    "tunnel-across-families": (
        (DUAL, TUNNEL),
        {},
        [(4, "192.0.2.99", 80, "tunnel"), (6, "192.0.2.99", 80, "tunnel")],
    ),
    "of-a-family-that-is-not-served": (
        (),
        {"ip": ["192.0.2.99", "2001:db8::99"]},
        [(4, "192.0.2.99", 80, "nat")],
    ),
}


@pytest.mark.parametrize(("layers", "keys", "expected"), SORRY.values(), ids=SORRY)
def test_sorry_servers(
    layers: tuple[Layer, ...], keys: Layer, expected: list[tuple[int, str, int, str]]
) -> None:
    sorry: Layer = {"pools": {"web": {"sorry_server": {"ip": ["192.0.2.99"], **keys}}}}
    nodes = lowered(spec(*layers, sorry)).graph.of(SorryServer)
    assert [(n.selector.family.value, str(n.address), n.port, n.forwarding.value) for n in nodes] == expected


def test_a_quorum_belongs_to_each_virtual_service() -> None:
    layers: Layer = {"pools": {"web": {"quorum": 2, "hysteresis": 1, "notify": {"quorum_down": "/bin/down"}}}}
    both: Layer = servers({"weight": 3, "ip": ["192.0.2.21", "2001:db8::21"]})
    nodes = list(lowered(spec(DUAL, both, layers)).graph.of(Quorum))
    assert [(n.selector.family.value, n.weight, n.hysteresis, n.up, n.down) for n in nodes] == [
        (4, 2, 1, None, "/bin/down"),
        (6, 2, 1, None, "/bin/down"),
    ]
    only_commands: Layer = {"pools": {"web": {"notify": {"quorum_up": "/bin/up"}}}}
    assert [(n.weight, n.up) for n in lowered(spec(only_commands)).graph.of(Quorum)] == [(1, "/bin/up")]
    assert list(lowered(spec()).graph.of(Quorum)) == []


def test_commands_of_a_real_server_go_with_its_check() -> None:
    layers: Layer = {
        "pools": {"web": {"notify": {"up": "/bin/up", "down": "/bin/down"}, "on_failure": "drain"}}
    }
    nodes = lowered(spec(layers)).graph.of(HealthCheck)
    assert {(n.up, n.down, n.on_failure.value) for n in nodes} == {("/bin/up", "/bin/down", "drain")}


INSIDE: Layer = {
    "networks": {
        "lan": {"prefixes": ["192.0.2.0/24", "2001:db8::/64"]},
        "one": {"interface": "eth1", "prefixes": ["10.1.0.0/16", "10.3.0.0/24"]},
        "two": {"interface": "eth2", "prefixes": ["10.1.2.0/24"]},
    },
    "directors": {"lvs1": {"addresses": {"one": ["10.1.0.2", "10.3.0.2"], "two": ["10.1.2.2"]}}},
}


def nats(*layers: Layer) -> list[tuple[str, str, str, str]]:
    """Original destination and ports, the real server it is narrowed to, and the source address."""
    nodes = lowered(spec(*layers)).graph.of(SourceNat)
    return [
        (
            str(n.traffic.original_destination),
            str(n.traffic.original_destination_ports),
            str(n.traffic.destination),
            str(n.address),
        )
        for n in nodes
    ]


VIP = "192.0.2.10/32"
NATS: dict[str, tuple[tuple[Layer, ...], list[tuple[str, str, str, str]]]] = {
    "none": ((service(source_nat=False),), []),
    "one-network": ((), [(VIP, "80", "None", "192.0.2.2")]),
    "said": ((INSIDE, service(source_nat="one")), [(VIP, "80", "None", "10.1.0.2")]),
    "other-network": (
        (INSIDE, servers({"ip": ["10.1.2.21"]}, {"ip": ["10.1.2.22"]})),
        [(VIP, "80", "None", "10.1.2.2")],
    ),
    "longest-prefix-decides": (
        (INSIDE, servers({"ip": ["10.1.9.21"]}, {"ip": ["10.1.2.22"]})),
        [(VIP, "80", "10.1.2.22/32", "10.1.2.2"), (VIP, "80", "10.1.9.21/32", "10.1.0.2")],
    ),
    "sorry-server-in-another-network": (
        (INSIDE, {"pools": {"web": {"sorry_server": {"ip": ["10.1.2.99"]}}}}),
        [
            (VIP, "80", "10.1.2.99/32", "10.1.2.2"),
            (VIP, "80", "192.0.2.21/32", "192.0.2.2"),
            (VIP, "80", "192.0.2.22/32", "192.0.2.2"),
        ],
    ),
    "address-in-the-servers-prefix": (
        (INSIDE, servers({"ip": ["10.3.0.21"]}, {"ip": ["10.3.0.22"]})),
        [(VIP, "80", "None", "10.3.0.2")],
    ),
    "bundle": ((BUNDLE,), [(VIP, "80", "None", "192.0.2.2"), (VIP, "443", "None", "192.0.2.2")]),
    "all-ports": (
        (service(ports=["tcp/all"], persistence="5m", check={"type": "ping"}),),
        [(VIP, "None", "None", "192.0.2.2")],
    ),
    "two-families": (
        (DUAL,),
        [(VIP, "80", "None", "192.0.2.2"), ("2001:db8::10/128", "80", "None", "2001:db8::2")],
    ),
}


@pytest.mark.parametrize(("layers", "expected"), NATS.values(), ids=NATS)
def test_full_nat(layers: tuple[Layer, ...], expected: list[tuple[str, str, str, str]]) -> None:
    assert nats(service(source_nat=True), *layers) == expected


def test_each_director_has_its_own_source_address() -> None:
    nodes = lowered(spec(PAIR, service(source_nat=True))).graph.of(SourceNat)
    assert [(n.host, str(n.address)) for n in nodes] == [("lvs1", "192.0.2.2"), ("lvs2", "192.0.2.3")]


@pytest.mark.parametrize(
    ("layers", "untracked"),
    [
        ((), False),
        ((DIRECT,), True),
        ((TUNNEL,), True),
        ((DIRECT, {"cluster": {"firewall": "stateful"}}), True),
        ((DIRECT, {"cluster": {"firewall": "none"}}), False),
        ((DIRECT, {"cluster": {"firewall": "none"}}, servers({"forwarding": "nat"}, {})), False),
    ],
    ids=["nat", "direct", "tunnel", "stateful", "no-firewall", "mixed"],
)
def test_only_half_seen_connections_are_not_tracked(layers: tuple[Layer, ...], untracked: bool) -> None:
    nodes = lowered(spec(*layers)).graph.of(NoTrack)
    assert [str(n.traffic.destination_ports) for n in nodes] == (["80"] if untracked else [])


def test_a_service_by_address_needs_no_packet_filter() -> None:
    graph = lowered(spec()).graph
    assert [type(n.selector) for n in graph.of(VirtualService)] == [AddressSelector]
    assert list(graph.of(Marking)) == []
