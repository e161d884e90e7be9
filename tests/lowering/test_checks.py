import pytest

from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, found, merged, servers, service, spec

BUNDLE: Layer = service(ports=["tcp/80", "tcp/443"], persistence="5m", check={"type": "tcp", "port": 80})
UDP: Layer = merged(
    DIRECT, service(ports=["udp/53"], one_packet=True, scheduler="rr", check={"type": "ping"})
)
ALL: Layer = service(ports=["tcp/all"], persistence="5m", check={"type": "ping"})
SYNC: Layer = {"connection_sync": {"network": "lan", "id": 1}}
EXTERNAL: Layer = {"failover": {"method": "external", "virtual_router_id": None}}
#: Both directors are real servers.
BOTH: Layer = servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {"name": "lvs2", "ip": ["192.0.2.3"]})
MACS: Layer = {
    "directors": {
        "lvs1": {"macs": {"lan": "52:54:00:00:00:01"}},
        "lvs2": {"macs": {"lan": "52:54:00:00:00:02"}},
    }
}
#: A network behind the directors, which have an address in it, and the real servers there.
INSIDE: Layer = {
    "networks": {"inside": {"interface": "eth1", "prefixes": ["10.0.0.0/24"]}},
    "directors": {"lvs1": {"addresses": {"inside": ["10.0.0.2"]}}},
}
#: Where nothing looks at a connection's state, one service may have several forwarding methods.
UNFILTERED: Layer = {"cluster": {"firewall": "none"}}


def inside(number: int) -> Layer:
    return {"ip": [f"10.0.0.{number}"]}


def of_pool(**keys: object) -> Layer:
    return {"pools": {"web": keys}}


def sorry(**keys: object) -> Layer:
    return of_pool(sorry_server={"ip": ["192.0.2.99"], **keys})


def ftp(**keys: object) -> Layer:
    return service("files", kind="ftp", address="www", pool="web", **keys)


def gre(checksum: str) -> Layer:
    return {"tunnel": {"type": "gre", "checksum": checksum}}


def second(*layers: Layer) -> Layer:
    """The same real servers in a second pool and service; the layers are over the pool's first entry."""
    entries = servers(*layers)["pools"]["web"]["real_servers"]
    return {
        "pools": {"mail": {"real_servers": entries}},
        "services": {"mail": {"address": "www", "pool": "mail", "ports": ["tcp/25"]}},
    }


VRRP2: Layer = {"failover": {"version": 2}}
SHARED: Layer = merged(
    PAIR,
    {
        "networks": {"dmz": {"interface": "eth1", "prefixes": ["198.51.100.0/24"]}},
        "directors": {
            "lvs1": {"addresses": {"dmz": ["198.51.100.2"]}},
            "lvs2": {"addresses": {"dmz": ["198.51.100.3"]}},
        },
        "addresses": {"dmz": {"network": "dmz", "ip": ["198.51.100.10"]}},
        "services": {"web": {"address": ["www", "dmz"]}},
    },
)

WRONG: dict[str, tuple[str, str, Layer, Layer]] = {
    "port-under-a-bundle": (
        "LVS303",
        "pools.web.real_servers.0.port",
        merged(BUNDLE, servers({"port": 8080}, {})),
        merged(BUNDLE, servers({}, {})),
    ),
    "port-under-a-range": (
        "LVS303",
        "pools.web.real_servers.0.port",
        merged(servers({"port": 80}, {}), ALL),
        merged(servers({"port": 80}, {}), service(ports=["tcp/80"])),
    ),
    "sorry-servers-port-under-a-bundle": (
        "LVS303",
        "pools.web.sorry_server.port",
        merged(BUNDLE, sorry(port=8080)),
        merged(BUNDLE, sorry()),
    ),
    "port-by-direct": (
        "LVS304",
        "pools.web.real_servers.1.port",
        merged(DIRECT, servers({}, {"port": 8080})),
        merged(DIRECT, servers({}, {"port": 80})),
    ),
    "port-by-tunnel": (
        "LVS304",
        "pools.web.real_servers.1.port",
        merged(TUNNEL, servers({}, {"port": 8080})),
        merged(TUNNEL, UNFILTERED, servers({}, {"port": 8080, "forwarding": "nat"})),
    ),
    "sorry-servers-port-by-direct": (
        "LVS304",
        "pools.web.sorry_server.port",
        merged(DIRECT, sorry(port=8080)),
        merged(DIRECT, UNFILTERED, sorry(port=8080, forwarding="nat")),
    ),
    "no-real-server-of-a-family": (
        "LVS306",
        "services.web",
        merged(DUAL, servers({}, {})),
        merged(DUAL, servers({"ip": ["192.0.2.21", "2001:db8::21"]}, {"disabled": True})),
    ),
    "no-real-server-of-a-family-but-by-tunnel": (
        "LVS306",
        "services.web",
        merged(DUAL, DIRECT, servers({}, {})),
        merged(DUAL, TUNNEL, servers({}, {})),
    ),
    "all-real-servers-disabled": (
        "LVS306",
        "services.web",
        servers({}, {}, disabled=True),
        servers({"disabled": True}, {}),
    ),
    "no-sorry-server-of-a-family": (
        "LVS306",
        "pools.web.sorry_server.ip",
        merged(DUAL, sorry()),
        merged(DUAL, sorry(ip=["192.0.2.99", "2001:db8::99"])),
    ),
    "sorry-server-of-the-other-family": (
        "LVS306",
        "pools.web.sorry_server.ip",
        merged(DUAL, sorry(ip=["2001:db8::99"])),
        merged(DUAL, UNFILTERED, sorry(ip=["192.0.2.99"], forwarding="tunnel")),
    ),
    "one-host-twice-on-the-services-port": (
        "LVS206",
        "pools.web.real_servers.1",
        servers({}, {"name": "web1", "ip": ["192.0.2.21"], "port": 80}),
        servers({}, {"name": "web1", "ip": ["192.0.2.21"], "port": 81}),
    ),
    "one-packet-of-tcp": (
        "LVS307",
        "services.web.one_packet",
        merged(UDP, service(ports=["tcp/53", "udp/53"])),
        UDP,
    ),
    "one-packet-of-tcp-by-nat": (
        "LVS307",
        "services.web.one_packet",
        merged(UDP, UNFILTERED, servers({}, {"forwarding": "nat"}), service(ports=["tcp/53", "udp/53"])),
        merged(UDP, servers({}, {"forwarding": "tunnel"})),
    ),
    "one-packet-and-persistence": (
        "LVS307",
        "services.web.one_packet",
        merged(UDP, service(persistence="5m")),
        merged(UDP, service(one_packet=False, persistence="5m")),
    ),
    "one-packet-by-nat": (
        "LVS317",
        "services.web.one_packet",
        merged(UDP, UNFILTERED, servers({}, {"forwarding": "nat"})),
        merged(UDP, servers({}, {"forwarding": "tunnel"})),
    ),
    "one-packet-by-a-scheduler-that-counts": (
        "LVS319",
        "services.web.one_packet",
        merged(UDP, service(scheduler=None)),
        merged(UDP, service(scheduler="wrr")),
    ),
    "flag-of-another-scheduler": (
        "LVS308",
        "services.web.scheduler_flags",
        service(scheduler="mh", scheduler_flags=["mh-port", "sh-port"]),
        service(scheduler="mh", scheduler_flags=["mh-port", "mh-fallback"]),
    ),
    "flag-of-no-scheduler": (
        "LVS308",
        "services.web.scheduler_flags",
        service(scheduler_flags=["sh-port"]),
        service(scheduler="sh", scheduler_flags=["sh-port"]),
    ),
    "no-mac-of-a-peer": (
        "LVS309",
        "directors.lvs2",
        merged(PAIR, DIRECT, servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {})),
        merged(
            PAIR,
            DIRECT,
            servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {}),
            {"directors": {"lvs2": {"macs": {"lan": "52:54:00:00:00:02"}}}},
        ),
    ),
    "sync-without-vrrp": (
        "LVS309",
        "directors.lvs2",
        merged(PAIR, EXTERNAL, SYNC, DIRECT, servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {})),
        merged(PAIR, SYNC, DIRECT, servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {})),
    ),
    "tunnel-to-a-peer": (
        "LVS310",
        "pools.web.real_servers.0",
        merged(PAIR, TUNNEL, MACS, servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {})),
        merged(PAIR, TUNNEL, SYNC, servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {})),
    ),
    "source-nat-by-direct": (
        "LVS311",
        "services.web.source_nat",
        merged(UNFILTERED, service(source_nat=True), servers({}, {"forwarding": "direct"})),
        service(source_nat=True),
    ),
    "source-nat-with-a-sorry-server-by-direct": (
        "LVS311",
        "services.web.source_nat",
        merged(UNFILTERED, service(source_nat=True), sorry(ip=["192.0.2.99"], forwarding="direct")),
        merged(UNFILTERED, service(source_nat=True), sorry(ip=["192.0.2.99"])),
    ),
    "source-nat-towards-a-sorry-server-in-no-network": (
        "LVS311",
        "services.web.source_nat",
        merged(service(source_nat=True), sorry(ip=["198.18.0.1"])),
        merged(service(source_nat="lan"), sorry(ip=["198.18.0.1"])),
    ),
    "source-nat-towards-no-network": (
        "LVS311",
        "services.web.source_nat",
        merged(service(source_nat=True), servers(inside(1), inside(2))),
        merged(service(source_nat="lan"), servers(inside(1), inside(2))),
    ),
    "source-nat-without-an-own-address": (
        "LVS311",
        "services.web.source_nat",
        merged(
            service(source_nat=True),
            INSIDE,
            {"directors": {"lvs1": {"addresses": {"inside": None}}}},
            servers(inside(1), inside(3)),
        ),
        merged(service(source_nat=True), INSIDE, servers(inside(1), inside(3))),
    ),
    "director-by-nat": (
        "LVS320",
        "pools.web.real_servers.1",
        merged(PAIR, servers({}, {"name": "lvs2", "ip": ["192.0.2.3"]})),
        merged(PAIR, servers({}, {"name": "lvs2", "ip": ["192.0.2.3"]}), service(source_nat=True)),
    ),
    "director-by-nat-without-a-peer": (
        "LVS320",
        "pools.web.real_servers.0",
        merged(PAIR, servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {})),
        servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {}),
    ),
    "director-by-nat-but-disabled": (
        "LVS320",
        "pools.web.real_servers.0",
        merged(PAIR, EXTERNAL, servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {})),
        merged(PAIR, EXTERNAL, servers({"name": "lvs1", "ip": ["192.0.2.2"], "disabled": True}, {})),
    ),
    "director-as-a-sorry-server-by-nat": (
        "LVS320",
        "pools.web.sorry_server",
        merged(PAIR, sorry(ip=["192.0.2.3"])),
        merged(PAIR, sorry(ip=["192.0.2.3"]), service(source_nat=True)),
    ),
    "director-as-a-sorry-server": (
        "LVS320",
        "pools.web.sorry_server",
        merged(PAIR, sorry(ip=["192.0.2.3"])),
        merged(PAIR, DIRECT, sorry(ip=["192.0.2.3"])),
    ),
    "persistent-port-21": (
        "LVS312",
        "services.web",
        service(ports=["tcp/21"], persistence="5m"),
        service(ports=["tcp/21"], persistence="5m", mark=21),
    ),
    "virtual-routers-on-one-interface": (
        "LVS314",
        "networks.lan",
        merged(SHARED, {"directors": {"lvs2": {"interfaces": {"dmz": "eth0"}}}}),
        merged(SHARED, {"directors": {"lvs2": {"interfaces": {"dmz": "eth0.100"}}}}),
    ),
    "all-ports-beside-ftp": ("LVS315", "services.web", merged(ALL, ftp()), merged(ALL, ftp(mark=21))),
    "ipv6-in-version-2": (
        "LVS316",
        "failover.version",
        merged(
            PAIR,
            DUAL,
            VRRP2,
            {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}}},
            DIRECT,
        ),
        merged(
            PAIR, DUAL, {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}}}, DIRECT
        ),
    ),
    "gre-with-and-without-checksum": (
        "LVS318",
        "pools.web.real_servers.0.tunnel.checksum",
        merged(TUNNEL, servers(gre("none"), {}), second(gre("full"), {})),
        merged(TUNNEL, servers(gre("full"), {}), second(gre("full"), {})),
    ),
}


@pytest.mark.parametrize(("code", "path", "wrong", "right"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_lowered(code: str, path: str, wrong: Layer, right: Layer) -> None:
    assert [one for one in found(spec(wrong)) if not one[0].startswith("KAD")] == [(code, path)]
    assert found(spec(right)) == []


def test_a_director_by_nat_is_one_mistake_however_many_services_its_pool_has() -> None:
    more = service("mail", address="www", pool="web", ports=["tcp/25"])
    text = spec(PAIR, servers({}, {"name": "lvs2", "ip": ["192.0.2.3"]}), more)
    assert found(text) == [("LVS320", "pools.web.real_servers.1")]


def test_one_missing_own_address_is_one_mistake_however_many_real_servers_need_it() -> None:
    away: Layer = {"directors": {"lvs1": {"addresses": {"inside": None}}}}
    many = servers(*(inside(number) for number in range(3, 9)))
    assert found(spec(INSIDE, away, many, service(source_nat=True))) == [
        ("LVS311", "services.web.source_nat")
    ]


def test_one_missing_own_address_is_one_mistake_however_many_services_need_it() -> None:
    away: Layer = {"directors": {"lvs1": {"addresses": {"inside": None}}}}
    more = service("mail", address="www", pool="web", ports=["tcp/25"], source_nat=True)
    text = spec(INSIDE, away, servers(inside(3), inside(4)), service(source_nat=True), more)
    assert found(text) == [("LVS311", "services.mail.source_nat")]


def test_an_own_address_that_vrrp_lacks_too_is_one_mistake() -> None:
    away: Layer = {"directors": {"lvs2": {"addresses": {"lan": None}}}}
    assert found(spec(PAIR, away, service(source_nat=True))) == [("LVS211", "directors.lvs2.addresses")]


def test_version_2_is_one_mistake_however_many_ipv6_addresses_it_cannot_move() -> None:
    second_network: Layer = {
        "networks": {"dmz": {"interface": "eth1", "prefixes": ["2001:db8:2::/64"]}},
        "addresses": {"more": {"network": "dmz", "ip": ["2001:db8:2::10"]}},
    }
    own: Layer = {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}}}
    text = spec(PAIR, DUAL, VRRP2, own, second_network, DIRECT, service(address=["www", "more"]))
    assert [one for one in found(text) if one[0] == "LVS316"] == [("LVS316", "failover.version")]


def test_no_file_is_made_of_a_spec_with_an_error() -> None:
    assert [code for code, _ in found(spec(BUNDLE, servers({"port": 8080}, {"port": 8081})))] == [
        "LVS303",
        "LVS303",
    ]
