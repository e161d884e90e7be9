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
    # "who", and an answer that begins with "web", as the laboratory's servers give it.
    "reply": Checked(
        "udp",
        7008,
        {"type": "udp", "payload": "77686f0a", "require_reply": True, "reply": "776562"},
        accepting_is_enough=False,
    ),
}
#: As quick as a check may be.
QUICK: Layer = {"interval": "1s", "timeout": "2s", "retries": 0}
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
            check=merged(QUICK, each.check),
        )
        for name, each in CHECKED.items()
    ),
)


@pytest.fixture
def checked(trial: Start) -> Trial:
    """Two servers, good in every respect, and a service for each type of check."""
    site = trial(_ALL, backends=BACKENDS)
    site.write("lvs1", "/run/good", "")
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
    asked = {"limit": 3.0, "clients": 4}
    checked.silence("web2")
    _answer_pings(checked, "web2", yes=False)
    checked.run("lvs1", "rm", "/run/good")
    checked.becomes(lambda: weights(checked), _with_web2((), none=["script"]))
    for family in Family:
        assert checked.tally(7001, 7002, "udp/7008", family=family, **asked) == {"web1": 12}

    checked.serve()
    _answer_pings(checked, "web2", yes=True)
    checked.write("lvs1", "/run/good", "")
    checked.becomes(lambda: weights(checked), _with_web2(CHECKED))
    for family in Family:
        assert set(checked.tally(7001, 7002, "udp/7008", family=family, **asked)) == {"web1", "web2"}


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
