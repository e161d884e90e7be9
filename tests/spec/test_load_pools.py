import pytest

from lvsc.graph.nodes import Forwarding, HttpProbe, Tunnel, TunnelChecksum, TunnelType
from lvsc.spec.load import load
from lvsc.spec.model import Check, NoCheck, Pool
from support.specs import (
    DIRECT,
    DUAL,
    FILE,
    PAIR,
    TUNNEL,
    Layer,
    document,
    found,
    merged,
    plugins,
    servers,
    service,
    spec,
)


def pool(*layers: Layer) -> Pool:
    """The pool of a document that has nothing wrong with it."""
    loaded, problems = load(document(*layers), FILE, plugins().kinds)
    assert problems == ()
    return loaded.pools["web"]


def of_pool(**keys: object) -> Layer:
    return {"pools": {"web": keys}}


def check(**keys: object) -> Layer:
    return of_pool(check=keys)


def gue(**keys: object) -> Layer:
    return merged(TUNNEL, of_pool(tunnel={"type": "gue", "port": 6080, **keys}))


WRONG = {
    "one-address-twice": (
        "LVS206",
        "pools.web.real_servers.1.ip",
        servers({}, {"ip": ["192.0.2.21"]}),
        servers({"port": 8080}, {"ip": ["192.0.2.21"], "name": "web1", "port": 8081}),
    ),
    "one-name-twice": (
        "LVS206",
        "pools.web.real_servers.1.name",
        servers({}, {"name": "web1", "ip": ["192.0.2.21"], "weight": 2}),
        servers({}, {"name": "web9"}),
    ),
    "one-name-twice-and-two-addresses": (
        "LVS206",
        "pools.web.real_servers.1.name",
        servers({}, {"name": "web1", "ip": ["192.0.2.29"]}),
        servers({}, {"name": "web9", "ip": ["192.0.2.29"]}),
    ),
    "two-addresses-of-a-family": (
        "LVS206",
        "pools.web.real_servers.0.ip",
        servers({"ip": ["192.0.2.21", "192.0.2.29"]}, {}),
        merged(DUAL, servers({"ip": ["192.0.2.21", "2001:db8::21"]})),
    ),
    "two-addresses-of-the-sorry-server": (
        "LVS206",
        "pools.web.sorry_server.ip",
        of_pool(sorry_server={"ip": ["192.0.2.98", "192.0.2.99"]}),
        of_pool(sorry_server={"ip": ["192.0.2.98"]}),
    ),
    "gue-without-port": ("LVS208", "pools.web.tunnel", gue(port=None), gue()),
    "port-without-gue": (
        "LVS208",
        "pools.web.tunnel.port",
        merged(TUNNEL, of_pool(tunnel={"type": "gre", "port": 6080})),
        merged(TUNNEL, of_pool(tunnel={"type": "gre"})),
    ),
    "checksum-of-ipip": (
        "LVS208",
        "pools.web.tunnel.checksum",
        merged(TUNNEL, of_pool(tunnel={"checksum": "full"})),
        merged(TUNNEL, of_pool(tunnel={"checksum": "none"})),
    ),
    "remote-checksum-of-gre": (
        "LVS208",
        "pools.web.tunnel.checksum",
        merged(TUNNEL, of_pool(tunnel={"type": "gre", "checksum": "remote"})),
        merged(TUNNEL, of_pool(tunnel={"type": "gre", "checksum": "full"})),
    ),
    "tunnel-of-a-pool-by-nat": (
        "LVS208",
        "pools.web.tunnel",
        of_pool(tunnel={"type": "gre"}),
        merged(
            {"cluster": {"firewall": "none"}},
            of_pool(tunnel={"type": "gre"}, sorry_server={"ip": ["192.0.2.99"], "forwarding": "tunnel"}),
        ),
    ),
    "tunnel-of-a-real-server-by-direct": (
        "LVS208",
        "pools.web.real_servers.0.tunnel",
        merged(DIRECT, servers({"tunnel": {"type": "gre"}}, {})),
        merged(DIRECT, servers({"tunnel": {"type": "gre"}, "forwarding": "tunnel"}, {})),
    ),
    "lower-threshold-alone": (
        "LVS208",
        "pools.web.real_servers.0.lower_threshold",
        servers({"lower_threshold": 5}, {}),
        servers({"lower_threshold": 5, "upper_threshold": 6}, {}),
    ),
    "thresholds-equal": (
        "LVS208",
        "pools.web.real_servers.0.lower_threshold",
        servers({"lower_threshold": 5, "upper_threshold": 5}, {}),
        servers({"upper_threshold": 5}, {}),
    ),
    "hysteresis-without-quorum": (
        "LVS208",
        "pools.web.hysteresis",
        of_pool(hysteresis=1),
        of_pool(hysteresis=0),
    ),
    "sni-without-host": (
        "LVS208",
        "pools.web.check.sni",
        check(type="https", port=80, sni=True),
        check(type="https", port=80, sni=True, virtual_host="www.example.net"),
    ),
    "two-judges-of-a-body": (
        "LVS208",
        "pools.web.check.regex",
        check(type="http", regex="OK", digest="d41d8cd98f00b204e9800998ecf8427e"),
        check(type="http", regex="OK"),
    ),
    "status-backwards": (
        "LVS208",
        "pools.web.check.status.1",
        check(type="http", status=[200, "399-300"]),
        check(type="http", status=[200, "300-399"]),
    ),
    "reply-that-is-not-required": (
        "LVS208",
        "pools.web.check.reply",
        check(type="udp", port=53, reply="00"),
        check(type="udp", port=53, reply="00", require_reply=True),
    ),
    "interval-too-short": (
        "LVS204",
        "pools.web.check.interval",
        check(type="tcp", interval="99ms"),
        check(type="tcp", interval="100ms"),
    ),
    "interval-too-long": (
        "LVS204",
        "pools.web.check.interval",
        check(type="tcp", interval="2d"),
        check(type="tcp", interval="1h"),
    ),
    "timeout-zero": (
        "LVS204",
        "pools.web.check.timeout",
        check(type="tcp", timeout="0s"),
        check(type="tcp", timeout="1s"),
    ),
    "delay-too-long": (
        "LVS204",
        "pools.web.check.delay_before_retry",
        check(type="tcp", delay_before_retry="25h"),
        check(type="tcp", delay_before_retry="0s"),
    ),
}


@pytest.mark.parametrize(("code", "path", "wrong", "right"), WRONG.values(), ids=WRONG)
def test_what_the_schema_cannot_say_of_a_pool(code: str, path: str, wrong: Layer, right: Layer) -> None:
    assert found(spec(wrong)) == [(code, path)]
    assert found(spec(right)) == []


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ((), [Forwarding.NAT, Forwarding.NAT]),
        ((DIRECT,), [Forwarding.DIRECT, Forwarding.DIRECT]),
        ((DIRECT, of_pool(forwarding="tunnel")), [Forwarding.TUNNEL, Forwarding.TUNNEL]),
        ((DIRECT, servers({"forwarding": "nat"}, {})), [Forwarding.NAT, Forwarding.DIRECT]),
        (
            (DIRECT, servers({"forwarding": "nat"}, {}), of_pool(forwarding="tunnel")),
            [Forwarding.NAT, Forwarding.TUNNEL],
        ),
    ],
    ids=["default", "cluster", "pool", "server", "all"],
)
def test_the_nearest_word_on_forwarding_wins(layers: tuple[Layer, ...], expected: list[Forwarding]) -> None:
    assert [server.forwarding for server in pool(*layers).real_servers] == expected


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ((), None),
        ((TUNNEL,), Tunnel()),
        ((gue(checksum="full"),), Tunnel(type=TunnelType.GUE, port=6080, checksum=TunnelChecksum.FULL)),
        ((gue(), servers({"tunnel": {"type": "gre"}}, {})), Tunnel(type=TunnelType.GRE)),
        ((gue(), servers({"forwarding": "nat"}, {})), None),
    ],
    ids=["nat", "default", "pool", "server", "server-by-nat"],
)
def test_the_nearest_tunnel_wins(layers: tuple[Layer, ...], expected: Tunnel | None) -> None:
    assert pool(*layers).real_servers[0].tunnel == expected


def test_a_drained_server_has_weight_0_and_a_disabled_one_is_left_out() -> None:
    some = pool(servers({"drained": True, "weight": 5}, {"disabled": True}, {"weight": 0}, {"weight": 7}, {}))
    assert [(server.name, server.weight) for server in some.enabled] == [
        ("web1", 0),
        ("web3", 0),
        ("web4", 7),
        ("web5", 1),
    ]


@pytest.mark.parametrize(
    ("status", "ranges"),
    [
        (None, ((200, 299),)),
        ([200], ((200, 200),)),
        ([301, 200, "201-204", "204-299"], ((200, 299), (301, 301))),
        (["200-299", 300], ((200, 300),)),
    ],
)
def test_statuses_are_sorted_and_disjoint(
    status: list[object] | None, ranges: tuple[tuple[int, int], ...]
) -> None:
    said = pool(check(type="http", **({} if status is None else {"status": status}))).check
    assert isinstance(said, Check)
    assert isinstance(said.probe, HttpProbe)
    assert said.probe.status == ranges


def test_a_check_is_said_unsaid_or_none() -> None:
    assert pool().check is None
    assert isinstance(pool(of_pool(check="none")).check, NoCheck)
    said = pool(check(type="tcp")).check
    assert isinstance(said, Check)
    assert (said.interval, said.timeout, said.retries, said.delay_before_retry, said.port) == (
        5,
        3,
        1,
        1,
        None,
    )


def test_a_real_server_takes_from_its_pool_what_it_does_not_say() -> None:
    some = pool(
        of_pool(target="rhel9", interface="eth9", managed=False),
        servers({}, {"target": "arch", "interface": "e", "managed": True}),
    )
    assert [(s.target, s.interface, s.managed) for s in some.real_servers] == [
        ("rhel9", "eth9", False),
        ("arch", "e", True),
    ]


def test_a_sorry_server_takes_forwarding_and_tunnel_from_its_pool() -> None:
    sorry = pool(gue(), of_pool(sorry_server={"ip": ["192.0.2.99"]})).sorry_server
    assert sorry is not None
    assert (sorry.forwarding, sorry.tunnel) == (Forwarding.TUNNEL, Tunnel(type=TunnelType.GUE, port=6080))


def test_a_pool_of_a_service_with_failover_compiles() -> None:
    weights = servers({"weight": 2}, {})
    quorum = of_pool(quorum=2, hysteresis=1, notify={"quorum_down": "/usr/local/sbin/page"})
    assert found(spec(PAIR, service(persistence="5m"), weights, quorum)) == []


@pytest.mark.parametrize("regex", ["(((", "(", ")", "a(b", "OK)", "(a[)]", "(?:x", "(?=x))", r"\(("])
def test_an_unbalanced_parenthesis_is_refused(regex: str) -> None:
    assert found(spec(check(type="http", regex=regex))) == [("LVS214", "pools.web.check.regex")]


@pytest.mark.parametrize(
    "regex",
    [
        "^(OK|alive)$",
        r"\(\)",
        "[(]",
        "[](]",
        "[[:alpha:](]",
        r"\Q(\E",
        r"(\Q)\E)",
        r"\c(",
        "(?|a(b)|c(d))",
        "(?<word>x)",
        r"(?>a)(?#()b++",
        r"\x{28}",
        "a{99999999999}",
        "(*UTF8)x",
    ],
)
def test_what_pcre2_knows_and_python_does_not_is_let_through(regex: str) -> None:
    assert found(spec(check(type="http", regex=regex))) == []
