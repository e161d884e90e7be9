import pytest

from lvsc.spec.load import load
from lvsc.spec.model import Cluster
from support.specs import (
    DUAL,
    FILE,
    PAIR,
    Layer,
    document,
    found,
    merged,
    plugins,
    reported,
    servers,
    service,
    spec,
)


def cluster(*layers: Layer) -> Cluster:
    """The cluster of a document that has nothing wrong with it."""
    loaded, problems = load(document(*layers), FILE, plugins().kinds)
    assert problems == ()
    return loaded


DMZ: Layer = {"networks": {"dmz": {"interface": "eth1", "prefixes": ["198.51.100.0/24"]}}}


def macs(first: str, second: str) -> Layer:
    return {"directors": {"lvs1": {"macs": {"lan": first}}, "lvs2": {"macs": {"lan": second}}}}


WRONG = {
    "address-on-no-network": (
        "LVS201",
        "addresses.www.network",
        {"addresses": {"www": {"network": "lna"}}},
        {"addresses": {"www": {"network": "lan"}}},
    ),
    "gateway-that-is-no-address": (
        "LVS201",
        "networks.lan.gateway",
        {"networks": {"lan": {"gateway": "wwww"}}},
        {"networks": {"lan": {"gateway": "www"}}},
    ),
    "accept-without-a-firewall": (
        "LVS208",
        "cluster.accept",
        {"cluster": {"accept": True, "firewall": "none"}},
        {"cluster": {"firewall": "none"}},
    ),
    "director-in-no-network": (
        "LVS201",
        "directors.lvs1.addresses.dmz",
        {"directors": {"lvs1": {"addresses": {"dmz": ["192.0.2.4"]}}}},
        {"directors": {"lvs1": {"addresses": {"lan": ["192.0.2.4"]}}}},
    ),
    "interface-in-no-network": (
        "LVS201",
        "directors.lvs1.interfaces.dmz",
        {"directors": {"lvs1": {"interfaces": {"dmz": "ens3"}}}},
        {"directors": {"lvs1": {"interfaces": {"lan": "ens3"}}}},
    ),
    "mac-in-no-network": (
        "LVS201",
        "directors.lvs1.macs.dmz",
        {"directors": {"lvs1": {"macs": {"dmz": "52:54:00:12:34:56"}}}},
        {"directors": {"lvs1": {"macs": {"lan": "52:54:00:12:34:56"}}}},
    ),
    "mac-of-two-directors": (
        "LVS206",
        "directors.lvs2.macs.lan",
        merged(PAIR, macs("52:54:00:12:34:5A", "52:54:00:12:34:5a")),
        merged(PAIR, macs("52:54:00:12:34:5A", "52:54:00:12:34:5b")),
    ),
    "octet-too-large": (
        "LVS202",
        "addresses.www.ip.0",
        {"addresses": {"www": {"ip": ["192.0.2.256"]}}},
        {"addresses": {"www": {"ip": ["192.0.2.254"]}}},
    ),
    "octet-with-leading-zero": (
        "LVS202",
        "directors.lvs1.addresses.lan.0",
        {"directors": {"lvs1": {"addresses": {"lan": ["192.0.2.02"]}}}},
        {"directors": {"lvs1": {"addresses": {"lan": ["192.0.2.20"]}}}},
    ),
    "broadcast-address-of-its-network": (
        "LVS202",
        "addresses.www.ip.0",
        {"addresses": {"www": {"ip": ["192.0.2.255"]}}},
        {
            "addresses": {"www": {"ip": ["192.0.2.255"]}},
            "networks": {"lan": {"prefixes": ["192.0.2.0/23"]}},
        },
    ),
    "network-address": (
        "LVS202",
        "directors.lvs1.addresses.lan.0",
        {"directors": {"lvs1": {"addresses": {"lan": ["192.0.2.0"]}}}},
        {"directors": {"lvs1": {"addresses": {"lan": ["192.0.2.1"]}}}},
    ),
    "multicast-virtual-address": (
        "LVS202",
        "addresses.www.ip.0",
        {
            "addresses": {"www": {"ip": ["224.0.0.10"]}},
            "networks": {"lan": {"prefixes": ["192.0.2.0/24", "224.0.0.0/4"]}},
        },
        {"networks": {"lan": {"prefixes": ["192.0.2.0/24", "224.0.0.0/4"]}}},
    ),
    "nobodys-address": (
        "LVS202",
        "pools.web.real_servers.1.ip.0",
        servers({}, {"ip": ["0.0.0.0"]}),  # noqa: S104 - what is refused
        servers({}, {"ip": ["127.0.0.1"]}),
    ),
    "prefix-with-host-bits": (
        "LVS203",
        "networks.lan.prefixes.0",
        {"networks": {"lan": {"prefixes": ["192.0.2.7/24", "192.0.2.0/24"]}}},
        {"networks": {"lan": {"prefixes": ["192.0.2.0/25", "192.0.2.0/24"]}}},
    ),
    "prefix-too-long": (
        "LVS203",
        "networks.lan.prefixes.1",
        {"networks": {"lan": {"prefixes": ["192.0.2.0/24", "198.51.100.0/33"]}}},
        {"networks": {"lan": {"prefixes": ["192.0.2.0/24", "198.51.100.0/32"]}}},
    ),
    "prefix-of-two-networks": (
        "LVS206",
        "networks.lan.prefixes.0",
        {"networks": {"dmz": {"interface": "eth1", "prefixes": ["192.0.2.0/24"]}}},
        {"networks": {"dmz": {"interface": "eth1", "prefixes": ["192.0.3.0/24"]}}},
    ),
    "one-ip-twice": (
        "LVS206",
        "addresses.www.ip.1",
        merged(DUAL, {"addresses": {"www": {"ip": ["2001:db8::10", "2001:DB8:0::10", "192.0.2.10"]}}}),
        merged(
            DUAL,
            {
                "addresses": {"www": {"ip": ["2001:db8::10", "2001:DB8:1::10", "192.0.2.10"]}},
                "networks": {"lan": {"prefixes": ["192.0.2.0/24", "2001:db8::/32"]}},
            },
        ),
    ),
    "ip-of-two-addresses": (
        "LVS206",
        "addresses.www.ip",
        {
            "addresses": {"mail": {"network": "lan", "ip": ["192.0.2.10"]}},
            "networks": {"lan": {"gateway": "mail"}},
        },
        {
            "addresses": {"mail": {"network": "lan", "ip": ["192.0.2.11"]}},
            "networks": {"lan": {"gateway": "mail"}},
        },
    ),
    "own-address-of-two-directors": (
        "LVS206",
        "directors.lvs2.addresses.lan.0",
        merged(PAIR, {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.2"]}}}}),
        merged(PAIR, {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.4"]}}}}),
    ),
    "own-address-that-moves": (
        "LVS206",
        "directors.lvs1.addresses.lan.0",
        {"addresses": {"www": {"ip": ["192.0.2.2"]}}},
        {"addresses": {"www": {"ip": ["192.0.2.2"]}}, "failover": {"method": "external"}},
    ),
    "own-address-that-moves-between-two": (
        "LVS206",
        "directors.lvs1.addresses.lan.0",
        merged(
            PAIR,
            {
                "addresses": {"www": {"ip": ["192.0.2.2"]}},
                "failover": {"method": "external", "virtual_router_id": None},
            },
        ),
        merged(PAIR, {"failover": {"method": "external", "virtual_router_id": None}}),
    ),
    "real-server-on-a-virtual-address": (
        "LVS206",
        "pools.web.real_servers.1.ip",
        servers({}, {"ip": ["192.0.2.10"]}),
        servers({}, {"ip": ["192.0.2.12"]}),
    ),
    "sorry-server-on-a-virtual-address": (
        "LVS206",
        "pools.web.sorry_server.ip",
        {"pools": {"web": {"sorry_server": {"ip": ["192.0.2.10"]}}}},
        {"pools": {"web": {"sorry_server": {"ip": ["192.0.2.21"]}}}},
    ),
    "two-addresses-of-one-host": (
        "LVS207",
        "pools.web.real_servers.0.ip",
        {
            "pools": {"mail": {"real_servers": [{"name": "web1", "ip": ["192.0.2.31"]}]}},
            "services": {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}},
        },
        {
            "pools": {"mail": {"real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}]}},
            "services": {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}},
        },
    ),
    "two-targets-of-one-host": (
        "LVS207",
        "pools.web.real_servers.0.target",
        {
            "pools": {"mail": {"target": "rhel9", "real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}]}},
            "services": {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}},
        },
        {
            "pools": {"mail": {"target": "rhel9", "real_servers": [{"name": "web9", "ip": ["192.0.2.29"]}]}},
            "services": {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}},
        },
    ),
    "managed-here-and-not-there": (
        "LVS207",
        "pools.web.real_servers.0.managed",
        {
            "pools": {"mail": {"managed": False, "real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}]}},
            "services": {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}},
        },
        {
            "pools": {
                "mail": {
                    "managed": False,
                    "real_servers": [{"name": "web1", "ip": ["192.0.2.21"], "managed": True}],
                }
            },
            "services": {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}},
        },
    ),
    "two-interfaces-of-one-host": (
        "LVS207",
        "pools.web.real_servers.0.interface",
        {
            "pools": {
                "mail": {"interface": "eth7", "real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}]}
            },
            "services": {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}},
        },
        {
            "pools": {
                "mail": {"interface": "eth7", "real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}]},
                "web": {"interface": "eth7"},
            },
            "services": {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}},
        },
    ),
    "director-and-real-server-of-one-name": (
        "LVS207",
        "pools.web.real_servers.1.ip",
        servers({}, {"name": "lvs1"}),
        servers({}, {"name": "lvs1", "ip": ["192.0.2.2"]}),
    ),
    "director-and-real-server-of-one-address": (
        "LVS207",
        "pools.web.real_servers.1.ip",
        servers({}, {"ip": ["192.0.2.2"]}),
        servers({}, {"ip": ["192.0.2.4"]}),
    ),
    "director-as-real-server-of-another-target": (
        "LVS207",
        "pools.web.real_servers.1.target",
        servers({}, {"name": "lvs1", "ip": ["192.0.2.2"], "target": "rhel9"}),
        servers({}, {"name": "lvs1", "ip": ["192.0.2.2"], "target": "debian12"}),
    ),
    "range-of-marks-backwards": (
        "LVS208",
        "cluster.marks",
        {"cluster": {"marks": {"first": 20, "last": 10}}},
        {"cluster": {"marks": {"first": 10, "last": 20}}},
    ),
    "virtual-address-outside": (
        "LVS209",
        "addresses.www.ip.1",
        {"addresses": {"www": {"ip": ["192.0.2.99", "198.51.100.10"]}}},
        {"addresses": {"www": {"ip": ["192.0.2.99"]}}},
    ),
    "own-address-outside": (
        "LVS209",
        "directors.lvs1.addresses.lan.1",
        {"directors": {"lvs1": {"addresses": {"lan": ["192.0.2.2", "2001:db8::2"]}}}},
        merged(DUAL, {"directors": {"lvs1": {"addresses": {"lan": ["192.0.2.2", "2001:db8::2"]}}}}),
    ),
    "gateway-on-another-network": (
        "LVS209",
        "networks.dmz.gateway",
        merged(DMZ, {"networks": {"dmz": {"gateway": "www"}}}),
        merged(
            DMZ,
            {
                "networks": {"dmz": {"gateway": "out"}},
                "addresses": {"out": {"network": "dmz", "ip": ["198.51.100.1"]}},
            },
        ),
    ),
    "two-directors-and-no-failover": (
        "LVS210",
        "directors.lvs2",
        merged(PAIR, {"failover": None}),
        merged(PAIR, {"failover": {"virtual_router_id": None, "method": "external"}}),
    ),
    "no-own-address-for-vrrp": (
        "LVS211",
        "directors.lvs2.addresses",
        merged(PAIR, {"directors": {"lvs2": {"addresses": {"lan": None}}}}),
        merged(
            PAIR,
            {
                "failover": {"virtual_router_id": None, "method": "external"},
                "directors": {"lvs2": {"addresses": {"lan": None}}},
            },
        ),
    ),
    "equal-priorities": (
        "LVS212",
        "directors.lvs2.priority",
        merged(PAIR, {"directors": {"lvs1": {"priority": 100}}}),
        merged(PAIR, {"directors": {"lvs1": {"priority": 101}}}),
    ),
    "unknown-target": (
        "LVS213",
        "cluster.target",
        {"cluster": {"target": "debain12"}},
        {"cluster": {"target": "debian11"}},
    ),
    "unknown-target-of-a-real-server": (
        "LVS213",
        "pools.web.target",
        {"pools": {"web": {"target": "rhel99"}}},
        {"pools": {"web": {"target": "rhel9"}}},
    ),
}


@pytest.mark.parametrize(("code", "path", "wrong", "right"), WRONG.values(), ids=WRONG)
def test_what_the_schema_cannot_say(code: str, path: str, wrong: Layer, right: Layer) -> None:
    assert found(spec(wrong)) == [(code, path)]
    assert found(spec(right)) == []


def test_a_wrong_address_does_not_move_the_others_place() -> None:
    wrong: Layer = {
        "addresses": {"www": {"ip": ["192.0.2.300", "198.51.100.10"]}},
        "directors": {"lvs1": {"addresses": {"lan": ["192.0.2.02", "198.51.100.2"]}}},
    }
    assert sorted(found(spec(wrong))) == [
        ("LVS202", "addresses.www.ip.0"),
        ("LVS202", "directors.lvs1.addresses.lan.0"),
        ("LVS209", "addresses.www.ip.1"),
        ("LVS209", "directors.lvs1.addresses.lan.1"),
    ]


def test_every_mistake_is_reported_at_once() -> None:
    wrong: Layer = {
        "networks": {"lan": {"gateway": "x"}},
        "addresses": {"www": {"network": "y"}},
        "services": {"web": {"pool": "z"}},
    }
    assert sorted(found(spec(wrong))) == [
        ("LVS201", "addresses.www.network"),
        ("LVS201", "networks.lan.gateway"),
        ("LVS201", "services.web.pool"),
    ]


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        ({"scheduler": "round-robin"}, ("LVS103", "services.web.scheduler")),
        ({"persistence": "5 min"}, ("LVS105", "services.web.persistence")),
        ({"schedular": "wlc"}, ("LVS101", "services.web.schedular")),
        ({"ports": None}, ("LVS102", "services.web")),
    ],
    ids=["no choice", "wrong form", "misspelt", "missing"],
)
def test_a_name_that_nothing_has_is_said_beside_what_the_schema_refuses(
    wrong: Layer, refused: tuple[str, str]
) -> None:
    assert sorted(found(spec(service(pool="wbe", **wrong)))) == [refused, ("LVS201", "services.web.pool")]


def test_a_directors_interface_wins_over_its_networks() -> None:
    two = cluster(PAIR, {"directors": {"lvs2": {"interfaces": {"lan": "bond0.100"}}}})
    assert [director.interface(two.networks["lan"]) for director in two.directors] == ["eth0", "bond0.100"]


def test_a_networks_prefix_of_an_address() -> None:
    lan = cluster(DUAL).networks["lan"]
    addresses = cluster(DUAL).directors[0].addresses["lan"]
    assert [str(lan.prefix_of(address)) for address in addresses] == ["192.0.2.0/24", "2001:db8::/64"]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({}, (0x10000000, 0x7FFFFFFF)),
        ({"first": 0x20000000}, (0x20000000, 0x7FFFFFFF)),
        ({"last": 0x1FFFFFFF}, (0x10000000, 0x1FFFFFFF)),
        ({"first": 7, "last": 7}, (7, 7)),
    ],
    ids=["unsaid", "first", "last", "one"],
)
def test_the_range_of_derived_marks(marks: dict[str, int], expected: tuple[int, int]) -> None:
    found_range = cluster({"cluster": {"marks": marks}}).marks
    assert (found_range.first, found_range.last) == expected


def test_macs_are_lowercase() -> None:
    loaded = cluster({"directors": {"lvs1": {"macs": {"lan": "52:54:00:AB:CD:EF"}}}})
    assert loaded.directors[0].macs == {"lan": "52:54:00:ab:cd:ef"}


@pytest.mark.parametrize(
    ("mail", "web", "how", "others"),
    [
        ({"target": "rhel9"}, {}, "`target` is `rhel9` and `debian12`", "pools.mail.target"),
        ({"managed": False}, {}, "`managed` is `false` and `true`", "pools.mail.managed"),
        ({"interface": "eth7"}, {}, "`interface` is `eth7` and unsaid", "pools.mail.interface"),
        (
            {},
            {"interface": "eth7"},
            "`interface` is unsaid and `eth7`",
            "pools.mail.real_servers.0.interface",
        ),
    ],
)
def test_two_descriptions_of_a_host_are_told_in_the_words_of_the_spec(
    mail: Layer, web: Layer, how: str, others: str
) -> None:
    server = {"real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}]}
    pools = {"mail": {**server, **mail}, "web": {**server, **web}}
    (one,) = reported(
        spec(pools=pools, services={"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}})
    )
    assert one.message == f"host `web1` is described in two ways: {how}"
    assert [".".join(map(str, place.origin.path)) for place in one.others] == [others]


def test_a_target_that_the_cluster_has_anyway_makes_no_other_host() -> None:
    pools = {"mail": {"target": "debian12", "real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}]}}
    services = {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}}
    assert found(spec(pools=pools, services=services)) == []
