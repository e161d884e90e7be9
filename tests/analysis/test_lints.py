from dataclasses import replace

import pytest

from lvsc.analysis.lints import lint
from lvsc.graph.graph import RuleGraph
from lvsc.graph.nodes import Marking, Node, VirtualService
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, found, lowered, merged, servers, service, spec

INSIDE: Layer = {
    "networks": {
        "lan": {"gateway": None},
        "inside": {"interface": "eth1", "prefixes": ["10.0.0.0/24", "2001:db8:1::/64"]},
    },
    "directors": {
        "lvs1": {"addresses": {"inside": ["10.0.0.2", "2001:db8:1::2"]}},
        "lvs2": {"addresses": {"inside": ["10.0.0.3", "2001:db8:1::3"]}},
    },
    "addresses": {"inside": {"network": "inside", "ip": ["10.0.0.1"]}},
}
TWO: Layer = merged(PAIR, INSIDE, servers({"ip": ["10.0.0.21"]}, {"ip": ["10.0.0.22"]}))
SYNCHRONISED: Layer = {"connection_sync": {"network": "lan", "id": 51}}
GATEWAY: Layer = {"networks": {"inside": {"gateway": "inside"}}}
NO_GATEWAY: Layer = {
    "addresses": {"inside": {"ip": ["192.0.2.11"], "network": "lan"}},
    "networks": {"lan": {"gateway": "inside"}},
}
SIX: Layer = merged(
    DUAL,
    {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}}},
    servers({"ip": ["10.0.0.21", "2001:db8:1::21"]}, {"ip": ["10.0.0.22", "2001:db8:1::22"]}),
)


def also_direct(ip: str) -> Layer:
    """Another service, of a server by direct routing."""
    pool = {
        "forwarding": "direct",
        "real_servers": [{"name": "web1" if ip.endswith("21") else "other", "ip": [ip]}],
    }
    return {
        "pools": {"other": pool},
        "services": {"other": {"address": "www", "pool": "other", "ports": ["tcp/25"]}},
    }


EXTERNAL: Layer = {"failover": {"method": "external"}}


def of_pool(**keys: object) -> Layer:
    return {"pools": {"web": keys}}


#: No checks, and IPVS's table by ipvsadm.
BY_HAND: Layer = merged({"cluster": {"backends": ["ipvsadm"]}}, of_pool(check="none"))


def of_quorum(quorum: int, hysteresis: int = 0) -> Layer:
    """A quorum that something follows from."""
    return of_pool(quorum=quorum, hysteresis=hysteresis, notify={"quorum_down": "/usr/local/sbin/page"})


def bundle(*ports: str, **keys: object) -> Layer:
    return service(ports=list(ports), check={"type": "ping"}, **keys)


#: What is enough for a real server to serve both families.
BOTH_FAMILIES: Layer = {"ip": ["192.0.2.21", "2001:db8::21"]}
DATAGRAMS: Layer = merged(
    DIRECT, service(ports=["udp/53"], one_packet=True, scheduler="rr", check={"type": "ping"})
)


def dmz(*prefixes: str) -> Layer:
    return {"networks": {"dmz": {"interface": "eth1", "prefixes": list(prefixes)}}}


def ftp(**check: object) -> Layer:
    """FTP whose real servers are checked so."""
    return merged(service(kind="ftp", ports=None), of_pool(check=check))


CASES: dict[str, tuple[str, str, Layer, Layer]] = {
    "unused-pool": (
        "LVS404",
        "pools.old",
        {"pools": {"old": {"real_servers": [{"name": "old1", "ip": ["192.0.2.31"]}]}}},
        merged(
            {"pools": {"old": {"real_servers": [{"name": "old1", "ip": ["192.0.2.31"]}]}}},
            service("old", address="www", pool="old", ports=["tcp/81"]),
        ),
    ),
    "unused-address": (
        "LVS405",
        "addresses.old",
        {"addresses": {"old": {"network": "lan", "ip": ["192.0.2.31"]}}},
        {
            "addresses": {"old": {"network": "lan", "ip": ["192.0.2.31"]}},
            "networks": {"lan": {"gateway": "old"}},
        },
    ),
    "nat-and-direct-in-one-service": (
        "LVS414",
        "services.web",
        servers({"forwarding": "nat"}, {"forwarding": "direct"}),
        merged({"cluster": {"firewall": "none"}}, servers({"forwarding": "nat"}, {"forwarding": "direct"})),
    ),
    "an-engine-for-udp-on-tcp": (
        "LVS417",
        "services.web.persistence_engine",
        service(persistence="5m", persistence_engine="sip"),
        merged(
            service(ports=["udp/5060"], persistence="5m", persistence_engine="sip", check={"type": "ping"}),
        ),
    ),
    "weights-with-rr": (
        "LVS406",
        "services.web.scheduler",
        merged(service(scheduler="rr"), servers({"weight": 2}, {})),
        merged(service(scheduler="wrr"), servers({"weight": 2}, {})),
    ),
    "weights-with-lc": (
        "LVS406",
        "services.web.scheduler",
        merged(service(scheduler="lc"), servers({"weight": 2}, {})),
        merged(service(scheduler="lc"), servers({"weight": 2}, {"weight": 2})),
    ),
    "weights-with-dh": (
        "LVS406",
        "services.web.scheduler",
        merged(service(scheduler="dh"), servers({"weight": 2}, {}, {"disabled": True})),
        merged(service(scheduler="dh"), servers({"weight": 2}, {"disabled": True})),
    ),
    "bundle": (
        "LVS407",
        "services.web",
        bundle("tcp/80", "tcp/443"),
        bundle("tcp/80", "tcp/443", persistence="1m"),
    ),
    "adjacent": ("LVS407", "services.web", bundle("tcp/80", "tcp/81"), bundle("tcp/80-81")),
    "range-and-port": ("LVS407", "services.web", bundle("tcp/80-90", "tcp/443"), bundle("tcp/80-90")),
    "all-ports": ("LVS407", "services.web", bundle("tcp/all", "udp/53"), bundle("tcp/all", "udp/all")),
    "bundle-hashed-with-ports": (
        "LVS407",
        "services.web",
        bundle("tcp/80", "tcp/443", scheduler="sh", scheduler_flags=["sh-port"]),
        bundle("tcp/80", "tcp/443", scheduler="sh", scheduler_flags=["sh-fallback"]),
    ),
    "two-protocols": (
        "LVS407",
        "services.web",
        bundle("tcp/53", "udp/54"),
        bundle("tcp/53", "udp/53"),
    ),
    "all-drained": (
        "LVS408",
        "pools.web",
        merged(BY_HAND, servers({}, {}, drained=True)),
        merged(BY_HAND, servers({"drained": True}, {})),
    ),
    "weight-0": (
        "LVS408",
        "pools.web",
        merged(BY_HAND, servers({}, {}, weight=0)),
        merged(BY_HAND, servers({"weight": 0}, {"weight": 1})),
    ),
    "quorum-out-of-reach": (
        "LVS409",
        "pools.web.quorum",
        of_quorum(quorum=3),
        of_quorum(quorum=2),
    ),
    "quorum-with-a-drained-server": (
        "LVS409",
        "pools.web.quorum",
        merged(servers({}, {"drained": True}), of_quorum(quorum=2)),
        merged(servers({"weight": 2}, {"drained": True}), of_quorum(quorum=2)),
    ),
    "quorum-with-a-disabled-server": (
        "LVS409",
        "pools.web.quorum",
        merged(servers({}, {"disabled": True}), of_quorum(quorum=2)),
        merged(servers({}, {}, {"disabled": True}), of_quorum(quorum=2)),
    ),
    "hysteresis-as-large-as-the-quorum": (
        "LVS409",
        "pools.web.hysteresis",
        merged(servers({"weight": 2}, {"weight": 2}), of_quorum(quorum=2, hysteresis=2)),
        merged(servers({"weight": 2}, {"weight": 2}), of_quorum(quorum=2, hysteresis=1)),
    ),
    "hysteresis-beyond-all-weights": (
        "LVS409",
        "pools.web.hysteresis",
        merged(servers({"weight": 2}, {}), of_quorum(quorum=3, hysteresis=1)),
        merged(servers({"weight": 2}, {"weight": 2}), of_quorum(quorum=3, hysteresis=1)),
    ),
    "quorum-without-consequences": ("LVS419", "pools.web.quorum", of_pool(quorum=1), of_quorum(quorum=1)),
    "quorum-whose-return-alone-is-told": (
        "LVS419",
        "pools.web.quorum",
        of_pool(quorum=2),
        of_pool(quorum=2, notify={"quorum_up": "/usr/local/sbin/page"}),
    ),
    "quorum-without-a-sorry-server": (
        "LVS419",
        "pools.web.quorum",
        of_pool(quorum=2),
        of_pool(quorum=2, sorry_server={"ip": ["192.0.2.99"]}),
    ),
    "direct-to-nowhere": (
        "LVS410",
        "pools.web.real_servers.0.ip",
        merged(DIRECT, servers({"ip": ["10.0.0.21"]}, {})),
        merged(DIRECT, servers({"ip": ["10.0.0.21"], "forwarding": "tunnel"}, {})),
    ),
    "direct-to-nowhere-in-a-family-that-is-served": (
        "LVS410",
        "pools.web.real_servers.0.ip",
        merged(DUAL, DIRECT, servers({"ip": ["192.0.2.21", "2001:db8:5::1"]})),
        merged(DIRECT, servers({"ip": ["192.0.2.21", "2001:db8:5::1"]})),
    ),
    "no-gateway": ("LVS411", "networks.inside", merged(TWO, NO_GATEWAY), merged(TWO, GATEWAY)),
    "no-gateway-but-source-nat": (
        "LVS411",
        "networks.inside",
        merged(TWO, NO_GATEWAY),
        merged(TWO, NO_GATEWAY, service(source_nat=True)),
    ),
    "no-gateway-but-direct": (
        "LVS411",
        "networks.inside",
        merged(TWO, NO_GATEWAY),
        merged(TWO, NO_GATEWAY, DIRECT),
    ),
    "gateway-of-one-family": (
        "LVS411",
        "networks.inside",
        merged(TWO, SIX, GATEWAY),
        merged(TWO, SIX, GATEWAY, {"addresses": {"inside": {"ip": ["10.0.0.1", "2001:db8:1::1"]}}}),
    ),
    "sorry-server-unchecked": (
        "LVS412",
        "pools.web.sorry_server",
        of_pool(check="none", sorry_server={"ip": ["192.0.2.99"]}),
        of_pool(sorry_server={"ip": ["192.0.2.99"]}),
    ),
    "commands-unchecked": (
        "LVS412",
        "pools.web.notify",
        merged(service(check="none"), of_pool(notify={"up": "/bin/up"})),
        of_pool(notify={"up": "/bin/up"}),
    ),
    "drain-unchecked": (
        "LVS412",
        "pools.web.on_failure",
        of_pool(check="none", on_failure="drain"),
        of_pool(on_failure="drain"),
    ),
    "drain-with-persistence": (
        "LVS416",
        "pools.web.on_failure",
        merged(of_pool(on_failure="drain"), service(persistence="5m")),
        merged(
            of_pool(on_failure="drain"),
            service(persistence="5m"),
            {"tuning": {"expire_quiescent_template": True}},
        ),
    ),
    "drain-with-persistence-and-other-tuning": (
        "LVS416",
        "pools.web.on_failure",
        merged(
            of_pool(on_failure="drain"),
            service(persistence="5m"),
            {"tuning": {"expire_nodest_conn": True}},
        ),
        of_pool(on_failure="drain"),
    ),
    "source-nat-and-synchronisation": (
        "LVS418",
        "services.web.source_nat",
        merged(PAIR, SYNCHRONISED, service(source_nat=True)),
        merged(PAIR, SYNCHRONISED),
    ),
    "threshold-for-datagrams": (
        "LVS420",
        "pools.web.real_servers.1.upper_threshold",
        merged(DATAGRAMS, servers({}, {"upper_threshold": 100})),
        merged(DATAGRAMS, servers({}, {"upper_threshold": 100, "disabled": True})),
    ),
    "threshold-for-datagrams-alone": (
        "LVS420",
        "pools.web.real_servers.0.upper_threshold",
        merged(DATAGRAMS, servers({}, {}, upper_threshold=100)),
        merged(DATAGRAMS, servers({}, {}, upper_threshold=100), service(one_packet=False)),
    ),
    "network-within-another": (
        "LVS424",
        "networks.dmz.prefixes.1",
        dmz("192.0.3.0/24", "192.0.2.128/25"),
        dmz("192.0.3.0/24", "2001:db8::/64"),
    ),
    "network-around-another": (
        "LVS424",
        "networks.lan.prefixes.0",
        dmz("192.0.0.0/16"),
        dmz("192.0.0.0/23"),
    ),
    "network-within-a-prefix-of-its-own": (
        "LVS424",
        "networks.dmz.prefixes.0",
        dmz("192.0.2.0/28"),
        {"networks": {"lan": {"prefixes": ["192.0.2.0/28", "192.0.2.0/24"]}}},
    ),
    "server-by-nat-outside-the-networks": (
        "LVS426",
        "pools.web.real_servers.0.ip",
        servers({"ip": ["203.0.113.9"]}),
        merged(TUNNEL, servers({"ip": ["203.0.113.9"]})),
    ),
    "server-by-nat-outside-the-networks-without-source-nat": (
        "LVS426",
        "pools.web.real_servers.0.ip",
        servers({"ip": ["203.0.113.9"]}),
        merged(servers({"ip": ["203.0.113.9"]}), service(source_nat="lan")),
    ),
    "drained-server-and-sh": (
        "LVS427",
        "pools.web.real_servers.1",
        merged(service(scheduler="sh"), servers({}, {"drained": True})),
        merged(
            service(scheduler="sh", scheduler_flags=["sh-fallback"]),
            servers({}, {"drained": True}),
        ),
    ),
    "server-of-weight-0-and-dh": (
        "LVS427",
        "pools.web.real_servers.0",
        merged(service(scheduler="dh"), servers({"weight": 0}, {})),
        merged(service(scheduler="mh"), servers({"weight": 0}, {})),
    ),
    "failing-to-weight-0-and-sh": (
        "LVS427",
        "pools.web.on_failure",
        merged(service(scheduler="sh"), servers({}, {}), {"pools": {"web": {"on_failure": "drain"}}}),
        merged(service(scheduler="rr"), servers({}, {}), {"pools": {"web": {"on_failure": "drain"}}}),
    ),
    "ipv6-by-tunnel-and-external-failover": (
        "LVS428",
        "failover.method",
        merged(DUAL, TUNNEL, EXTERNAL),
        merged(DUAL, DIRECT, EXTERNAL),
    ),
    "ipv6-in-ipv4-and-external-failover": (
        "LVS428",
        "failover.method",
        merged(DUAL, TUNNEL, EXTERNAL),
        merged(TUNNEL, EXTERNAL),
    ),
    "server-by-a-tunnel-of-the-other-family": (
        "LVS430",
        "pools.web.real_servers.1.ip",
        merged(TUNNEL, servers({}, {"ip": ["2001:db8:f::9"]})),
        merged(TUNNEL, servers({}, {"ip": ["203.0.113.9"]})),
    ),
    "server-by-nat-and-direct": (
        "LVS429",
        "pools.web.real_servers.0",
        also_direct("192.0.2.21"),
        also_direct("192.0.2.29"),
    ),
    "server-by-source-nat-and-direct": (
        "LVS429",
        "pools.web.real_servers.0",
        also_direct("192.0.2.21"),
        merged(also_direct("192.0.2.21"), service(source_nat="lan")),
    ),
    "http-check-of-ftp": ("LVS425", "pools.web.check", ftp(type="http"), ftp(type="tcp")),
    "http-check-of-ftp-by-its-port": (
        "LVS425",
        "pools.web.check",
        ftp(type="smtp", port=21),
        ftp(type="smtp", port=25),
    ),
    "datagram-to-ftp": ("LVS425", "pools.web.check", ftp(type="udp"), ftp(type="udp", port=161)),
    "granularity-of-the-other-family": (
        "LVS423",
        "services.web.persistence_granularity.ipv6",
        service(persistence="5m", persistence_granularity={"ipv4": 24, "ipv6": 64}),
        merged(DUAL, service(persistence="5m", persistence_granularity={"ipv4": 24, "ipv6": 64})),
    ),
    "real-server-of-the-other-family": (
        "LVS421",
        "pools.web.real_servers.1.ip",
        servers({}, {"ip": ["2001:db8::22"]}),
        merged(TUNNEL, {"networks": DUAL["networks"]}, servers({}, {"ip": ["2001:db8::22"]})),
    ),
    "real-server-of-the-other-family-disabled": (
        "LVS421",
        "pools.web.real_servers.1.ip",
        servers({}, {"ip": ["2001:db8::22"]}),
        servers({}, {"ip": ["2001:db8::22"], "disabled": True}),
    ),
    "real-server-for-one-family-of-two": (
        "LVS422",
        "pools.web.real_servers.1.ip",
        merged(DUAL, servers(BOTH_FAMILIES, {})),
        merged(DUAL, TUNNEL, servers(BOTH_FAMILIES, {})),
    ),
    "quorum-unchecked": ("LVS412", "pools.web.quorum", of_pool(check="none", quorum=2), of_quorum(quorum=2)),
}


@pytest.mark.parametrize(("code", "path", "wrong", "right"), CASES.values(), ids=CASES)
def test_what_is_suspicious(code: str, path: str, wrong: Layer, right: Layer) -> None:
    assert [one for one in found(spec(wrong)) if one[0].startswith("LVS")] == [(code, path)]
    assert found(spec(right)) == []


FOUR_ALONE = ("LVS422", "pools.web.real_servers.1.ip")


def test_weights_are_added_up_for_each_family() -> None:
    drained = merged(BY_HAND, DUAL, servers({**BOTH_FAMILIES, "drained": True}, {}))
    assert found(spec(drained)) == [FOUR_ALONE, ("LVS408", "pools.web")]
    assert found(spec(BY_HAND, DUAL, servers(BOTH_FAMILIES, {"drained": True}))) == [FOUR_ALONE]

    quorum = merged(DUAL, servers(BOTH_FAMILIES, {}), of_quorum(quorum=2))
    assert found(spec(quorum)) == [FOUR_ALONE, ("LVS409", "pools.web.quorum")]
    assert found(spec(quorum, TUNNEL)) == []


def test_one_real_server_without_a_family_is_told_of_once() -> None:
    six: Layer = {"addresses": {"six": {"network": "lan", "ip": ["2001:db8::11"]}}}
    both = merged(
        DUAL, servers(BOTH_FAMILIES, {}), service("mail", address="www", pool="web", ports=["tcp/25"])
    )
    assert found(spec(both)) == [FOUR_ALONE]
    # That a service goes without it altogether is more, whichever is looked at first.
    for name in ("abc", "xyz"):
        more = service(name, address="six", pool="web", ports=["tcp/80"])
        assert found(spec(both, six, more)) == [("LVS421", "pools.web.real_servers.1.ip")]


def test_a_family_that_no_real_server_has_is_told_of_as_a_whole() -> None:
    assert found(spec(DUAL, servers({}, {}))) == [("LVS306", "services.web")]


def test_one_pool_of_two_services_is_told_of_its_quorum_once() -> None:
    two = service("mail", address="www", pool="web", ports=["tcp/25"])
    assert found(spec(two, of_quorum(quorum=3))) == [("LVS409", "pools.web.quorum")]


def test_one_drained_pool_of_two_services_is_told_of_once() -> None:
    two = merged(service("mail", address="www", pool="web", ports=["tcp/25"]), servers({}, {}, drained=True))
    assert found(spec(two, BY_HAND)) == [("LVS408", "pools.web")]


def test_what_the_backend_refuses_is_not_told_of_twice() -> None:
    """keepalived cannot say a pool without weights, and ipvsadm no command."""
    assert {code for code, _ in found(spec(servers({}, {}, drained=True)))} == {"KAD009"}
    for command in ("up", "quorum_down"):
        notify = {command: "/usr/local/sbin/page"}
        assert found(spec(BY_HAND, of_pool(notify=notify))) == [("LVS504", "pools.web.notify")]


@pytest.mark.parametrize(
    ("code", "key", "keys"),
    [
        ("LVS412", "notify", {"check": "none", "notify": {"up": "/bin/up"}}),
        ("LVS416", "on_failure", {"on_failure": "drain"}),
    ],
)
def test_one_key_of_a_pool_of_two_services_is_told_of_once(code: str, key: str, keys: Layer) -> None:
    two = service("mail", address="www", pool="web", ports=["tcp/25"], persistence="5m")
    assert found(spec(two, service(persistence="5m"), of_pool(**keys))) == [(code, f"pools.web.{key}")]


def test_one_network_without_a_gateway_is_told_of_once() -> None:
    two = service("mail", address="www", pool="web", ports=["tcp/25"])
    assert found(spec(TWO, SIX, NO_GATEWAY, two)) == [("LVS411", "networks.inside")]


def test_one_director_needs_no_gateway() -> None:
    assert (
        found(
            spec(
                INSIDE,
                {"directors": {"lvs2": None}, "addresses": {"inside": None}},
                servers({"ip": ["10.0.0.21"]}),
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (Marking, "mark 80 of IPv4 has a service and is never set on `lvs1`"),
        (VirtualService, "mark 80 of IPv4 is set and no service has it on `lvs1`"),
    ],
    ids=["never-set", "no-service"],
)
def test_a_mark_and_its_service_need_each_other(gone: type[Node], said: str) -> None:
    whole = lowered(spec(DIRECT, service(mark=80)))
    graph = RuleGraph.from_nodes(node for node in whole.graph if not isinstance(node, gone))
    assert [d.message for d in lint(replace(whole, graph=graph))] == [said]
    assert lint(whole) == []
