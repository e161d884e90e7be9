"""Health checks by keepalived: who is taken out when it fails, who comes back, and who helps out meanwhile."""

from collections.abc import Collection
from dataclasses import dataclass

import pytest

from lvsc.graph.traffic import Family
from support.specs import Layer, merged, service

from .clusters import NAT
from .conftest import Start, Trial
from .directors import BACKENDS, weights

pytestmark = pytest.mark.kernel


@dataclass(frozen=True, slots=True)
class Checked:
    """A service with a health check of its own."""

    protocol: str
    port: int
    check: Layer
    accepting_is_enough: bool = True
    """Whether a server passes that takes connections and datagrams but speaks another protocol."""


#: Every type of check that keepalived makes.
CHECKED = {
    "tcp": Checked("tcp", 7001, {"type": "tcp"}),
    "http": Checked("tcp", 7002, {"type": "http", "regex": "web"}, accepting_is_enough=False),
    "https": Checked("tcp", 7003, {"type": "https"}, accepting_is_enough=False),
    "smtp": Checked("tcp", 7004, {"type": "smtp"}, accepting_is_enough=False),
    "ping": Checked("tcp", 7005, {"type": "ping"}),
    "script": Checked("tcp", 7006, {"type": "script", "command": "/usr/bin/test -e /run/good"}),
    "dns": Checked("udp", 53, {"type": "dns", "name": "example.net"}, accepting_is_enough=False),
    "udp": Checked("udp", 7007, {"type": "udp"}),
    # "ping", and an answer that begins with "pong", as the laboratory's servers give it.
    "reply": Checked(
        "udp",
        7008,
        {"type": "udp", "payload": "70696e67", "require_reply": True, "reply": "706f6e67"},
        accepting_is_enough=False,
    ),
}
#: As quick as a check may be that a busy machine does not make fail.
QUICK: Layer = {"interval": "1s", "timeout": "10s", "retries": 0}
_SERVERS = [
    {"name": name, "ip": [f"10.11.12.{number}", f"2001:db8:12::{number}"]}
    for name, number in (("web1", 21), ("web2", 22))
]
_ALL = merged(
    NAT,
    {"pools": {"web": {"real_servers": _SERVERS}}},
    *(
        service(
            name,
            address="www",
            pool="web",
            ports=[f"{each.protocol}/{each.port}"],
            scheduler="rr",
            check=merged(QUICK, each.check),
        )
        for name, each in CHECKED.items()
    ),
)


@pytest.fixture
def checked(trial: Start) -> Trial:
    """Two servers, good in every respect, and a service for each type of check."""
    site = trial(_ALL, backends=BACKENDS, shared=True)
    site.write("lvs1", "/run/good", "")
    site.silence("web2")
    site.serve()
    site.becomes(lambda: weights(site), _with_web2(CHECKED))
    return site


def _with_web2(names: Collection[str], *, none: Collection[str] = ()) -> dict[str, dict[str, int]]:
    """What the kernel holds while web2 is in these services, web1 in all, and none is in some."""
    found = {"192.0.2.10:80": _BOTH, "[2001:db8:2::10]:80": _BOTH}
    for name, each in CHECKED.items():
        servers = {} if name in none else _BOTH if name in names else {"web1": 1}
        found |= {f"192.0.2.10:{each.port}": servers, f"[2001:db8:2::10]:{each.port}": servers}
    return found


_BOTH = {"web1": 1, "web2": 1}


def test_a_failed_check_of_any_type_removes_a_server_and_its_return_brings_it_back(checked: Trial) -> None:
    checked.silence("web2")
    _answer_pings(checked, "web2", yes=False)
    checked.run("lvs1", "rm", "/run/good")
    checked.becomes(lambda: weights(checked), _with_web2((), none=["script"]))
    for family in Family:
        assert checked.tally(7001, 7002, "udp/7008", clients=4, family=family) == {"web1": 12}

    checked.serve()
    _answer_pings(checked, "web2", yes=True)
    checked.write("lvs1", "/run/good", "")
    checked.becomes(lambda: weights(checked), _with_web2(CHECKED))
    for family in Family:
        assert checked.tally(7001, 7002, "udp/7008", clients=4, family=family) == {"web1": 6, "web2": 6}


def test_a_server_that_speaks_another_protocol_fails_the_checks_that_speak(checked: Trial) -> None:
    checked.silence("web2")
    nonsense = [
        {
            "protocol": each.protocol,
            "port": each.port,
            "addresses": _SERVERS[1]["ip"],
            "greeting": "nonsense\r\n",
        }
        for each in CHECKED.values()
    ]
    checked.laboratory.call("serve", "web2", listeners=nonsense)
    good_enough = [name for name, each in CHECKED.items() if each.accepting_is_enough]
    checked.becomes(lambda: weights(checked), _with_web2(good_enough))


def _answer_pings(site: Trial, host: str, *, yes: bool) -> None:
    for key in ("net.ipv4.icmp_echo_ignore_all", "net.ipv6.icmp.echo_ignore_all"):
        site.run(host, "sysctl", "-qw", f"{key}={int(not yes)}")


def _noted(*states: str) -> Layer:
    """Commands that leave a file behind."""
    return {state: f"/usr/bin/touch /run/{state}" for state in states}


#: Between 2 and 4, what living servers weigh together changes nothing; without them there is a sorry server. At port 81 the
#: same servers are drained when they fail.
_POOLS: Layer = merged(
    {
        "pools": {
            "web": {
                "check": merged(QUICK, {"type": "tcp"}),
                "quorum": 3,
                "hysteresis": 1,
                "sorry_server": {"ip": ["10.11.12.99", "2001:db8:12::99"]},
                "notify": _noted("up", "down", "quorum_up", "quorum_down"),
            },
            "kept": {
                "check": merged(QUICK, {"type": "tcp"}),
                "on_failure": "drain",
                "real_servers": NAT["pools"]["web"]["real_servers"],
            },
        }
    },
    service("kept", address="www", pool="kept", ports=["tcp/81"], scheduler="wrr"),
)
_WEIGHTS = {"web1": 3, "web2": 2, "web3": 1}


@pytest.fixture
def pools(trial: Start) -> Trial:
    """Three good servers that have a quorum at port 80, and are drained when they fail at port 81."""
    site = trial(NAT, _POOLS, backends=BACKENDS, shared=True)
    site.serve()
    _becomes(site, _WEIGHTS)
    _becomes(site, _WEIGHTS, port=81)
    return site


def test_a_lost_quorum_brings_the_sorry_server_until_there_is_more_than_enough(pools: Trial) -> None:
    _is_there(pools, "/run/quorum_up")
    pools.silence("web1")
    _becomes(pools, {"web2": 2, "web3": 1})
    _is_there(pools, "/run/down")
    pools.silence("web2")
    _becomes(pools, {"sorry.web": 1})
    _is_there(pools, "/run/quorum_down")
    for family in Family:
        assert pools.tally(80, clients=6, family=family) == {"sorry.web": 6}

    pools.run("lvs1", "rm", "-f", "/run/quorum_up", "/run/up")
    _serve(pools, "web2")
    _is_there(pools, "/run/up")
    assert set(weights(pools)["192.0.2.10:80"]) == {"sorry.web"}, "3 is enough, but not after it was lost"
    _serve(pools, "web1")
    _becomes(pools, _WEIGHTS)
    _is_there(pools, "/run/quorum_up")
    for family in Family:
        assert pools.tally(80, clients=12, family=family) == {"web1": 6, "web2": 4, "web3": 2}


def test_a_drained_server_keeps_its_connections_and_gets_no_new_ones(pools: Trial) -> None:
    names = {str(pools.hold(f"{number}", 81)): f"{number}" for number in range(6)}
    pools.silence("web1")
    _becomes(pools, {"web1": 0, "web2": 2, "web3": 1}, port=81)
    assert str(pools.say(names["web1"])) == "web1"
    assert pools.tally(81, clients=6) == {"web2": 4, "web3": 2}

    _serve(pools, "web1")
    _becomes(pools, _WEIGHTS, port=81)


def _becomes(site: Trial, servers: dict[str, int], port: int = 80) -> None:
    """Wait until the kernel holds these servers with their weights, for both families."""
    services = (f"192.0.2.10:{port}", f"[2001:db8:2::10]:{port}")
    site.becomes(lambda: [weights(site)[service] for service in services], [servers, servers])


def _is_there(site: Trial, path: str) -> None:
    """Wait until a command that keepalived runs has left its file on the director."""
    site.until(lambda: path in site.run("lvs1", "find", "/run", "-maxdepth", "1").split(), path)


def _serve(site: Trial, host: str) -> None:
    """Have a host answer again."""
    addresses = [ip for ip, name in site.topology.names.items() if name == host]
    listeners = [{"protocol": "tcp", "port": port, "addresses": addresses} for port in (80, 81)]
    site.laboratory.call("serve", host, listeners=listeners)
