from typing import Any

import pytest

from lvsc.graph.nodes import HealthCheck
from support.specs import Layer, found, lowered, merged, servers, service, spec

# (ports, check, port that is asked); None is a check that asks no port, and "?" one for which a port must be said.
CASES: dict[str, tuple[list[str], Any, int | str | None]] = {
    "one-port": (["tcp/80"], None, 80),
    "one-port-by-http": (["tcp/8000"], {"type": "http"}, 8000),
    "one-port-by-https": (["tcp/8443"], {"type": "https"}, 8443),
    "said": (["tcp/80"], {"type": "tcp", "port": 9}, 9),
    "said-in-a-bundle": (["tcp/80", "tcp/443"], {"type": "tcp", "port": 443}, 443),
    "bundle": (["tcp/80", "tcp/443"], None, "?"),
    "bundle-by-tcp": (["tcp/80", "tcp/443"], {"type": "tcp"}, "?"),
    "bundle-by-http": (["tcp/80", "tcp/443"], {"type": "http"}, 80),
    "bundle-by-https": (["tcp/80", "tcp/443"], {"type": "https"}, 443),
    "bundle-by-smtp": (["tcp/25", "tcp/587"], {"type": "smtp"}, 25),
    "bundle-without-the-usual-port": (["tcp/8080", "tcp/8443"], {"type": "http"}, "?"),
    "range-that-holds-the-usual-port": (["tcp/1-1024"], {"type": "http"}, 80),
    "range": (["tcp/80-90"], None, "?"),
    "range-without-the-usual-port": (["tcp/81-90"], {"type": "http"}, "?"),
    "all-ports": (["tcp/all"], {"type": "http"}, "?"),
    "all-ports-by-ping": (["tcp/all"], {"type": "ping"}, None),
    "udp": (["udp/53"], None, "?"),
    "udp-by-tcp": (["udp/514"], {"type": "tcp"}, "?"),
    "udp-by-udp": (["udp/514"], {"type": "udp"}, 514),
    "udp-by-dns": (["udp/53"], {"type": "dns", "name": "example.net"}, 53),
    "dns-elsewhere": (["udp/5353"], {"type": "dns", "name": "example.net"}, 5353),
    "dns-of-both": (["tcp/53", "udp/53"], {"type": "dns", "name": "example.net"}, 53),
    "dns-by-tcp-alone": (["tcp/53"], {"type": "dns", "name": "example.net"}, 53),
    "both-by-tcp": (["tcp/53", "udp/53"], None, 53),
    "one-tcp-among-udp": (["tcp/5060", "udp/5060-5070"], None, 5060),
    "sctp": (["sctp/9899"], None, "?"),
    "sctp-said": (["sctp/9899"], {"type": "tcp", "port": 22}, 22),
    "script": (["sctp/9899"], {"type": "script", "command": "/bin/true"}, None),
}


def asked(layers: Layer) -> list[int | None]:
    return [check.probe_port for check in lowered(spec(layers)).graph.of(HealthCheck)]


def layer(ports: list[str], check: object) -> Layer:
    return service(ports=ports, persistence="5m", check=check)


@pytest.mark.parametrize(("ports", "check", "port"), CASES.values(), ids=CASES)
def test_the_port_that_a_check_asks(ports: list[str], check: object, port: int | str | None) -> None:
    layers = layer(ports, check)
    if port == "?":
        path = "services.web" if check is None else "services.web.check"
        assert found(spec(layers)) == [("LVS305", path)]
    else:
        assert asked(layers) == [port, port]


def test_a_real_servers_own_port_is_asked() -> None:
    assert asked(servers({"port": 8080}, {})) == [8080, 80]
    assert asked(merged(servers({"port": 8080}, {"port": 8081}), layer(["udp/514"], {"type": "tcp"}))) == [
        8080,
        8081,
    ]
    assert asked(merged(servers({"port": 8080}, {}), service(check={"type": "tcp", "port": 9}))) == [9, 9]


def test_a_service_says_another_check_than_its_pool() -> None:
    pool: Layer = {"pools": {"web": {"check": {"type": "tcp", "port": 7}}}}
    assert asked(pool) == [7, 7]
    assert asked(merged(pool, service(check={"type": "tcp", "port": 9}))) == [9, 9]
    assert asked(merged(pool, service(check="none"))) == []
    assert asked({"pools": {"web": {"check": "none"}}}) == []
    assert asked(merged({"pools": {"web": {"check": "none"}}}, service(check={"type": "tcp"}))) == [80, 80]


def test_a_check_of_the_pool_that_says_no_port_is_where_the_port_is_missing() -> None:
    pool: Layer = {"pools": {"web": {"check": {"type": "tcp"}}}}
    assert found(spec(pool, layer(["tcp/80", "tcp/443"], None))) == [("LVS305", "pools.web.check")]


def test_ftp_is_asked_at_its_control_port() -> None:
    ftp = service(kind="ftp", ports=None, passive_ports="10000-20000", control_port=2121)
    assert asked(ftp) == [2121, 2121]
