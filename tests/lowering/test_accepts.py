"""What `accept = true` lets through in INPUT and FORWARD, and nothing more."""

from collections.abc import Iterable

import pytest

from lvsc.graph.nodes import Accept
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, lowered, merged, servers, service, spec

ACCEPT: Layer = {"cluster": {"accept": True}}
UNCHECKED: Layer = service(check="none")
DUAL_PAIR: Layer = merged(
    PAIR, DUAL, {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}}}
)
SYNC: Layer = {"connection_sync": {"network": "lan", "id": 1}}
SORRY: Layer = {"pools": {"web": {"sorry_server": {"ip": ["192.0.2.99"], "port": 8080}}}}
MAIL: Layer = {"email": {"from": "a@example.net", "to": ["b@example.net"], "server": "192.0.2.25"}}
AH: Layer = {"failover": {"version": 2, "authentication": {"type": "ah", "password": {"env": "X"}}}}
#: The second director has an address of another network on the same interface.
SHARED: Layer = {
    "networks": {"other": {"interface": "eth0", "prefixes": ["198.51.100.0/24"]}},
    "directors": {"lvs2": {"addresses": {"other": ["198.51.100.3"]}}},
}


def accepts(*layers: Layer) -> list[str]:
    """What each rule of director lvs1 lets through, in the order of the nodes."""
    return [_words(node) for node in lowered(spec(ACCEPT, *layers)).graph.hosts["lvs1"].of(Accept)]


def _words(node: Accept) -> str:
    traffic = node.traffic
    words = [traffic.hook.name, traffic.protocol.value]
    words += [f"in by {traffic.interface}"] if traffic.interface else []
    for word, network, ports in (
        ("from", traffic.source, traffic.source_ports),
        ("to", traffic.destination, traffic.destination_ports),
    ):
        ends = [
            str(end).removesuffix("/32").removesuffix("/128") for end in (network, ports) if end is not None
        ]
        words += [word, *ends] if ends else []
    return " ".join([*words, *([traffic.state.value] if traffic.state else [])])


def new(found: Iterable[str], *but: Layer) -> set[str]:
    """What is let through besides what the same cluster without the layers needs."""
    return set(found) - set(accepts(*but))


CLIENTS = "INPUT tcp to 192.0.2.10 80"
ERRORS = "INPUT icmp RELATED"
UNTRACKED = "INPUT icmp to 192.0.2.10 INVALID"
WEB1, WEB2 = "192.0.2.21", "192.0.2.22"

CASES: dict[str, tuple[tuple[Layer, ...], set[str]]] = {
    "nat": (
        (UNCHECKED,),
        {
            CLIENTS,
            ERRORS,
            "FORWARD icmp RELATED",
            f"FORWARD tcp from {WEB1} 80 ESTABLISHED",
            f"FORWARD tcp from {WEB2} 80 ESTABLISHED",
        },
    ),
    "direct": ((UNCHECKED, DIRECT), {CLIENTS, ERRORS, UNTRACKED}),
    "tunnel": ((UNCHECKED, TUNNEL), {CLIENTS, ERRORS, UNTRACKED}),
    "another port of a real server": (
        (UNCHECKED, servers({"port": 8080}, {"disabled": True})),
        {CLIENTS, ERRORS, "FORWARD icmp RELATED", f"FORWARD tcp from {WEB1} 8080 ESTABLISHED"},
    ),
    "a bundle": (
        (service(ports=["tcp/80", "udp/443"], mark=7, check="none"), servers({})),
        {
            CLIENTS,
            "INPUT udp to 192.0.2.10 443",
            ERRORS,
            "FORWARD icmp RELATED",
            f"FORWARD tcp from {WEB1} 80 ESTABLISHED",
            f"FORWARD udp from {WEB1} 443 ESTABLISHED",
        },
    ),
    "every port": (
        (service(ports=["tcp/all"], persistence="5m", check="none"), servers({})),
        {
            "INPUT tcp to 192.0.2.10",
            ERRORS,
            "FORWARD icmp RELATED",
            f"FORWARD tcp from {WEB1} ESTABLISHED",
        },
    ),
}


@pytest.mark.parametrize(("layers", "expected"), CASES.values(), ids=CASES)
def test_a_service_lets_through_its_clients_and_answers(
    layers: tuple[Layer, ...], expected: set[str]
) -> None:
    assert set(accepts(*layers)) == expected


def test_a_sorry_server_answers_from_its_own_port() -> None:
    assert new(accepts(SORRY), {}) == {"FORWARD tcp from 192.0.2.99 8080 ESTABLISHED"}


def test_both_families_are_let_through() -> None:
    found = accepts(DUAL, UNCHECKED)
    assert {"INPUT tcp to 2001:db8::10 80", "INPUT ipv6-icmp RELATED", "FORWARD ipv6-icmp RELATED"} < set(
        found
    )


CHECKS: dict[str, tuple[Layer, set[str]]] = {
    "tcp": ({"type": "tcp"}, {f"tcp from {WEB1} 80 ESTABLISHED"}),
    "another port": ({"type": "http", "port": 8081}, {f"tcp from {WEB1} 8081 ESTABLISHED"}),
    "udp": ({"type": "udp", "port": 7}, {f"udp from {WEB1} 7 ESTABLISHED"}),
    "dns": ({"type": "dns", "name": "example.net", "port": 53}, {f"udp from {WEB1} 53 ESTABLISHED"}),
    "ping": ({"type": "ping"}, {f"icmp from {WEB1} ESTABLISHED"}),
    "script": (
        {"type": "script", "command": "/usr/local/bin/alive"},
        {f"{protocol} from {WEB1} ESTABLISHED" for protocol in ("tcp", "udp", "icmp")},
    ),
}


@pytest.mark.parametrize(("check", "expected"), CHECKS.values(), ids=CHECKS)
def test_a_check_lets_in_what_its_real_server_answers(check: Layer, expected: set[str]) -> None:
    found = new(accepts(servers({}), service(check=check)), servers({}), UNCHECKED)
    assert found == {f"INPUT {words}" for words in expected}


def test_a_check_by_a_tunnel_between_families_asks_where_the_tunnel_ends() -> None:
    across = merged(
        TUNNEL, DUAL, {"addresses": {"www": {"ip": ["192.0.2.10"]}}}, servers({"ip": ["2001:db8::21"]})
    )
    found = accepts(across)
    assert "INPUT tcp from 2001:db8::21 80 ESTABLISHED" in found
    assert {"INPUT icmp RELATED", "INPUT ipv6-icmp RELATED"} < set(found)


FAILOVER: dict[str, tuple[tuple[Layer, ...], set[str]]] = {
    "multicast": ((PAIR,), {"vrrp in by eth0 from 192.0.2.3 to 224.0.0.18"}),
    "unicast": (
        (PAIR, {"failover": {"unicast": True}}),
        {"vrrp in by eth0 from 192.0.2.3 to 192.0.2.2"},
    ),
    "an authentication header": ((PAIR, AH), {"ah in by eth0 from 192.0.2.3 to 224.0.0.18"}),
    "IPv6": (
        (DUAL_PAIR,),
        {
            "vrrp in by eth0 from 192.0.2.3 to 224.0.0.18",
            "vrrp in by eth0 from fe80::/10 to ff02::12",
        },
    ),
    "IPv6 by unicast": (
        (DUAL_PAIR, {"failover": {"unicast": True}}),
        {
            "vrrp in by eth0 from 192.0.2.3 to 192.0.2.2",
            "vrrp in by eth0 from 2001:db8::3 to 2001:db8::2",
        },
    ),
    "an interface of two networks": (
        (PAIR, SHARED),
        {f"vrrp in by eth0 from {ip} to 224.0.0.18" for ip in ("192.0.2.3", "198.51.100.3")},
    ),
    "another interface": (
        (PAIR, {"directors": {"lvs1": {"interfaces": {"lan": "eth7"}}}}),
        {"vrrp in by eth7 from 192.0.2.3 to 224.0.0.18"},
    ),
    "synchronisation": (
        (PAIR, SYNC),
        {
            "vrrp in by eth0 from 192.0.2.3 to 224.0.0.18",
            "udp in by eth0 from 192.0.2.3 to 224.0.0.81 8848",
        },
    ),
    "synchronisation to a group of one's own": (
        (
            DUAL_PAIR,
            {"failover": {"unicast": True}},
            SYNC,
            {"connection_sync": {"group": "ff02::5", "port": 9}},
        ),
        {
            "vrrp in by eth0 from 192.0.2.3 to 192.0.2.2",
            "vrrp in by eth0 from 2001:db8::3 to 2001:db8::2",
            "udp in by eth0 from fe80::/10 to ff02::5 9",
        },
    ),
}


@pytest.mark.parametrize(("layers", "expected"), FAILOVER.values(), ids=FAILOVER)
def test_directors_hear_each_other(layers: tuple[Layer, ...], expected: set[str]) -> None:
    dual: tuple[Layer, ...] = (DUAL,) if "2001" in repr(layers) else ()
    assert new(accepts(*layers), *dual) == {f"INPUT {words}" for words in expected}


def test_a_director_by_itself_hears_nobody() -> None:
    assert new(accepts(SYNC), {}) == set()


def test_alerts_by_mail_are_answered() -> None:
    assert new(accepts(MAIL), {}) == {"INPUT tcp from 192.0.2.25 25 ESTABLISHED"}


def test_nothing_is_emitted_that_is_not_asked_for() -> None:
    assert lowered(spec(PAIR, SYNC, MAIL)).accepts == ()
    assert list(lowered(spec(PAIR, SYNC, MAIL)).graph.of(Accept)) == []
