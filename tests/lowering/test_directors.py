"""What every director gets besides the services."""

import pytest

from lvsc.graph.nodes import (
    ConnectionSync,
    EmailAlerts,
    KernelModule,
    ModuleOption,
    ScriptUser,
    SyncGroup,
    Sysctl,
    Timeouts,
    TrackScript,
    VirtualAddress,
    VrrpInstance,
)
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, found, lowered, merged, servers, service, spec

PAIR6: Layer = merged(
    PAIR,
    DUAL,
    {
        "directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}},
        "addresses": {"inside": {"ip": ["192.0.2.11", "2001:db8::11"]}},
    },
)
UNICAST: Layer = {"failover": {"unicast": True}}
EXTERNAL: Layer = {"failover": {"method": "external", "virtual_router_id": None}}
VLAN: Layer = {"networks": {"lan": {"interface": "bond0.100"}}}


def sysctls(*layers: Layer, host: str = "lvs1") -> dict[str, str]:
    return {node.key: node.value for node in lowered(spec(*layers)).graph.hosts[host].of(Sysctl)}


def modules(*layers: Layer) -> set[str]:
    return {node.name for node in lowered(spec(*layers)).graph.hosts["lvs1"].of(KernelModule)}


def addresses(*layers: Layer, host: str = "lvs1") -> list[tuple[str, str, str, str | None]]:
    nodes = lowered(spec(*layers)).graph.hosts[host].of(VirtualAddress)
    return [(str(n.address), n.interface, n.role.value, n.instance) for n in nodes]


ADDRESSES: dict[str, tuple[Layer, list[tuple[str, str, str, str | None]]]] = {
    "one-director": ({}, [("192.0.2.10/32", "eth0", "served", None)]),
    "two-directors": (
        PAIR,
        [("192.0.2.10/32", "eth0", "served", "lan-ipv4"), ("192.0.2.11/32", "eth0", "gateway", "lan-ipv4")],
    ),
    "two-families": (
        PAIR6,
        [
            ("192.0.2.10/32", "eth0", "served", "lan-ipv4"),
            ("192.0.2.11/32", "eth0", "gateway", "lan-ipv4"),
            ("2001:db8::10/128", "eth0", "served", "lan-ipv6"),
            ("2001:db8::11/128", "eth0", "gateway", "lan-ipv6"),
        ],
    ),
    "no-own-address-brings-the-route": (
        {"directors": {"lvs1": {"addresses": {"lan": None}}}},
        [("192.0.2.10/24", "eth0", "served", None)],
    ),
    "own-address-of-the-other-family": (
        merged(DUAL, {"directors": {"lvs1": {"addresses": {"lan": ["192.0.2.2"]}}}}),
        [("192.0.2.10/32", "eth0", "served", None), ("2001:db8::10/64", "eth0", "served", None)],
    ),
    "longest-prefix": (
        {
            "networks": {"lan": {"prefixes": ["192.0.0.0/16", "192.0.2.0/24"]}},
            "directors": {"lvs1": {"addresses": {"lan": ["192.0.9.2"]}}},
        },
        [("192.0.2.10/24", "eth0", "served", None)],
    ),
    "own-interface": (
        {"directors": {"lvs1": {"interfaces": {"lan": "ens3"}}}},
        [("192.0.2.10/32", "ens3", "served", None)],
    ),
    "vlan": (VLAN, [("192.0.2.10/32", "bond0.100", "served", None)]),
    "served-gateway": (
        {"networks": {"lan": {"gateway": "www"}}},
        [("192.0.2.10/32", "eth0", "served", None)],
    ),
    "external": (EXTERNAL, []),
}


@pytest.mark.parametrize(("layers", "expected"), ADDRESSES.values(), ids=ADDRESSES)
def test_virtual_addresses(layers: Layer, expected: list[tuple[str, str, str, str | None]]) -> None:
    assert addresses(layers) == expected


def test_an_address_that_nothing_uses_is_on_no_director() -> None:
    unused: Layer = {"addresses": {"old": {"network": "lan", "ip": ["192.0.2.99"]}}}
    assert addresses(unused) == addresses()


def instances(*layers: Layer) -> list[VrrpInstance]:
    return list(lowered(spec(*layers)).graph.of(VrrpInstance))


def test_one_virtual_router_a_network_and_family() -> None:
    found_instances = instances(PAIR6)
    assert [(i.host, i.name, i.priority) for i in found_instances] == [
        ("lvs1", "lan-ipv4", 150),
        ("lvs1", "lan-ipv6", 150),
        ("lvs2", "lan-ipv4", 100),
        ("lvs2", "lan-ipv6", 100),
    ]
    assert {(i.router_id, i.version, i.interface) for i in found_instances} == {(51, 3, "eth0")}


def test_a_network_without_a_virtual_address_has_no_virtual_router() -> None:
    dmz: Layer = {"networks": {"dmz": {"interface": "eth1", "prefixes": ["198.51.100.0/24"]}}}
    assert {i.name for i in instances(PAIR, dmz)} == {"lan-ipv4"}


def test_multicast_adverts_name_no_peer() -> None:
    assert {(i.unicast_source, i.unicast_peers) for i in instances(PAIR6)} == {(None, ())}


def test_unicast_peers_are_the_other_directors() -> None:
    third: Layer = {
        "directors": {"lvs3": {"priority": 50, "addresses": {"lan": ["192.0.2.4", "2001:db8::4"]}}}
    }
    assert [
        (i.host, str(i.unicast_source), list(map(str, i.unicast_peers)))
        for i in instances(PAIR6, UNICAST, third)
    ] == [
        ("lvs1", "192.0.2.2", ["192.0.2.3", "192.0.2.4"]),
        ("lvs1", "2001:db8::2", ["2001:db8::3", "2001:db8::4"]),
        ("lvs2", "192.0.2.3", ["192.0.2.2", "192.0.2.4"]),
        ("lvs2", "2001:db8::3", ["2001:db8::2", "2001:db8::4"]),
        ("lvs3", "192.0.2.4", ["192.0.2.2", "192.0.2.3"]),
        ("lvs3", "2001:db8::4", ["2001:db8::2", "2001:db8::3"]),
    ]


@pytest.mark.parametrize(
    ("own", "unicast", "expected"),
    [
        (["192.0.2.3", "2001:db8::3"], False, []),
        (["192.0.2.3"], False, []),
        (["2001:db8::3"], False, [("LVS211", "directors.lvs2.addresses")]),
        (["192.0.2.3"], True, [("LVS211", "directors.lvs2.addresses")]),
    ],
    ids=["both", "ipv6-by-link-local", "ipv4-from-nowhere", "ipv6-unicast-from-nowhere"],
)
def test_adverts_come_from_an_own_address(
    own: list[str], unicast: bool, expected: list[tuple[str, str]]
) -> None:
    layers: Layer = {"directors": {"lvs2": {"addresses": {"lan": own}}}, "failover": {"unicast": unicast}}
    assert found(spec(PAIR6, layers)) == expected


def test_all_virtual_routers_move_together_and_track_what_none_of_them_is_on() -> None:
    layers: Layer = {
        "failover": {
            "track_interfaces": ["dmz", "lan"],
            "track_scripts": [{"name": "uplink", "command": "/bin/true", "fall": 3}],
            "notify": {"master": "/bin/up", "fault": "/bin/oh"},
        },
        "networks": {"dmz": {"interface": "eth1", "prefixes": ["198.51.100.0/24"]}},
        "directors": {"lvs2": {"interfaces": {"dmz": "ens9"}}},
    }
    graph = lowered(spec(PAIR6, layers)).graph
    one, other = graph.of(SyncGroup)
    assert (one.name, one.instances, one.track_interfaces) == (
        "shop",
        ("lan-ipv4", "lan-ipv6"),
        ("eth1",),
    )
    assert other.track_interfaces == ("ens9",)
    assert (one.track_scripts, one.master, one.backup, one.fault, one.stop) == (
        ("uplink",),
        "/bin/up",
        None,
        "/bin/oh",
        None,
    )
    assert [(script.name, script.fall) for script in graph.of(TrackScript)] == [("uplink", 3), ("uplink", 3)]


@pytest.mark.parametrize(
    ("layers", "user"),
    [
        ({}, None),
        ({"failover": {"notify": {"master": "/bin/up"}}}, "root"),
        (
            {
                "failover": {"track_scripts": [{"name": "up", "command": "/bin/true"}]},
                "cluster": {"script_user": "lvs"},
            },
            "lvs",
        ),
        ({"pools": {"web": {"notify": {"up": "/bin/up"}}}}, "root"),
        ({"pools": {"web": {"check": {"type": "script", "command": "/bin/true"}}}}, "root"),
        (service(check={"type": "script", "command": "/bin/true"}), "root"),
        (
            merged(
                {"pools": {"web": {"check": {"type": "script", "command": "/bin/true"}}}},
                service(check={"type": "tcp"}),
            ),
            None,
        ),
    ],
    ids=["nothing", "notify", "track", "pool-notify", "pool-check", "service-check", "service-without"],
)
def test_commands_have_a_user_where_there_are_any(layers: Layer, user: str | None) -> None:
    users = {node.user for node in lowered(spec(PAIR, layers)).graph.of(ScriptUser)}
    assert users == ({user} if user else set())


@pytest.mark.parametrize(
    ("layers", "instance"),
    [((PAIR,), "lan-ipv4"), ((PAIR, EXTERNAL), None)],
    ids=["vrrp", "external"],
)
def test_connection_synchronisation(layers: tuple[Layer, ...], instance: str | None) -> None:
    sync: Layer = {
        "connection_sync": {"network": "lan", "id": 7, "ttl": 3},
        "directors": {"lvs2": {"interfaces": {"lan": "ens3"}}},
    }
    one, other = lowered(spec(*layers, sync)).graph.of(ConnectionSync)
    assert (one.interface, other.interface, one.sync_id, one.ttl) == ("eth0", "ens3", 7, 3)
    assert {one.instance, other.instance} == {instance}


def test_timeouts_and_mail() -> None:
    layers: Layer = {
        "timeouts": {"tcp": "15m"},
        "email": {"from": "a@example.net", "to": ["b@example.net"], "server": "192.0.2.25", "port": 587},
    }
    graph = lowered(spec(PAIR, layers)).graph
    assert {(t.tcp, t.tcp_fin, t.udp) for t in graph.of(Timeouts)} == {(900, 0, 0)}
    assert {(m.sender, m.recipients, str(m.server), m.port) for m in graph.of(EmailAlerts)} == {
        ("a@example.net", ("b@example.net",), "192.0.2.25", 587)
    }


CONNTRACK = "net.ipv4.vs.conntrack"
FORWARD = "net.ipv4.ip_forward"
FORWARD6 = "net.ipv6.conf.all.forwarding"
REDIRECTS = {"net.ipv4.conf.all.send_redirects": "0", "net.ipv4.conf.eth0.send_redirects": "0"}
FAR: Layer = merged(
    {
        "networks": {"far": {"interface": "eth1", "prefixes": ["10.0.0.0/24"]}},
        "directors": {"lvs1": {"addresses": {"far": ["10.0.0.2"]}}},
    },
    servers({"ip": ["10.0.0.21"]}, {"ip": ["10.0.0.22"]}),
)
STATEFUL: Layer = {"cluster": {"firewall": "stateful"}}
NO_FIREWALL: Layer = {"cluster": {"firewall": "none"}}

SYSCTLS: dict[str, tuple[tuple[Layer, ...], dict[str, str]]] = {
    "nat": ((FAR,), {FORWARD: "1", CONNTRACK: "1"}),
    "nat-without-firewall": ((FAR, NO_FIREWALL), {FORWARD: "1", CONNTRACK: "0"}),
    "full-nat-without-firewall": (
        (FAR, NO_FIREWALL, service(source_nat=True)),
        {FORWARD: "1", CONNTRACK: "1"},
    ),
    "nat-in-one-network": ((), {FORWARD: "1", CONNTRACK: "1", **REDIRECTS}),
    "nat-in-one-vlan": (
        (VLAN,),
        {
            FORWARD: "1",
            CONNTRACK: "1",
            "net.ipv4.conf.all.send_redirects": "0",
            "net.ipv4.conf.bond0/100.send_redirects": "0",
        },
    ),
    "nat-of-two-families": ((DUAL,), {FORWARD: "1", FORWARD6: "1", CONNTRACK: "1", **REDIRECTS}),
    "nat-of-ipv6": (
        (
            DUAL,
            {"addresses": {"www": {"ip": ["2001:db8::10"]}}},
            servers({"ip": ["2001:db8::21"]}, {"ip": ["2001:db8::22"]}),
        ),
        {FORWARD6: "1", CONNTRACK: "1"},
    ),
    "direct": ((DIRECT,), {CONNTRACK: "0"}),
    "direct-behind-a-firewall": ((DIRECT, STATEFUL), {CONNTRACK: "0"}),
    "tunnel": ((TUNNEL,), {CONNTRACK: "0"}),
    "direct-and-nat": (
        (DIRECT, {"cluster": {"firewall": "none"}}, servers({"forwarding": "nat"}, {})),
        {FORWARD: "1", CONNTRACK: "0", **REDIRECTS},
    ),
    "tuning": (
        (
            DIRECT,
            {
                "tuning": {
                    "expire_nodest_conn": True,
                    "expire_quiescent_template": False,
                    "conn_reuse_mode": 0,
                    "sloppy_tcp": True,
                    "sync_threshold": {"packets": 0, "period": 9},
                    "conntrack_max": 2048,
                }
            },
        ),
        {
            CONNTRACK: "0",
            "net.ipv4.vs.expire_nodest_conn": "1",
            "net.ipv4.vs.expire_quiescent_template": "0",
            "net.ipv4.vs.conn_reuse_mode": "0",
            "net.ipv4.vs.sloppy_tcp": "1",
            "net.ipv4.vs.sync_threshold": "0 9",
            "net.netfilter.nf_conntrack_max": "2048",
        },
    ),
}


@pytest.mark.parametrize(("layers", "expected"), SYSCTLS.values(), ids=SYSCTLS)
def test_kernel_settings(layers: tuple[Layer, ...], expected: dict[str, str]) -> None:
    assert sysctls(*layers) == expected


MODULES: dict[str, tuple[tuple[Layer, ...], set[str]]] = {
    "nat": ((), {"ip_vs", "ip_vs_wlc", "nf_conntrack"}),
    "direct": ((DIRECT,), {"ip_vs", "ip_vs_wlc"}),
    "scheduler": ((DIRECT, service(scheduler="mh")), {"ip_vs", "ip_vs_mh"}),
    "two-schedulers": (
        (DIRECT, service(scheduler="sh"), service("mail", address="www", pool="web", ports=["tcp/25"])),
        {"ip_vs", "ip_vs_sh", "ip_vs_wlc"},
    ),
    "sip": (
        (DIRECT, service(ports=["udp/5060"], check="none", persistence="5m", persistence_engine="sip")),
        {"ip_vs", "ip_vs_wlc", "ip_vs_pe_sip"},
    ),
    "limits": ((DIRECT, {"tuning": {"conntrack_max": 2048}}), {"ip_vs", "ip_vs_wlc", "nf_conntrack"}),
}


@pytest.mark.parametrize(("layers", "expected"), MODULES.values(), ids=MODULES)
def test_kernel_modules(layers: tuple[Layer, ...], expected: set[str]) -> None:
    assert modules(*layers) == expected


def test_sizes_are_options_of_modules() -> None:
    tuning: Layer = {"tuning": {"connection_table_bits": 20, "conntrack_buckets": 4096}}
    options = lowered(spec(tuning)).graph.of(ModuleOption)
    assert [(o.module, o.option, o.value) for o in options] == [
        ("ip_vs", "conn_tab_bits", "20"),
        ("nf_conntrack", "hashsize", "4096"),
    ]
    assert "nf_conntrack" in modules(DIRECT, tuning)
