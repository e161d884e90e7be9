"""Full NAT on a one-armed director: the real servers see the director, and so answer it and not the client.

firewalld cannot run in the guest, which has no D-Bus; what it asks of lvsc's rules is what any other stateful firewall
does (test_firewalls.py).
"""

import tomllib
from pathlib import Path

import pytest

from lvsc.graph.traffic import Family, Protocol
from lvsc.laboratory.site import Answer, Question
from lvsc.laboratory.topology import OUTSIDE

from .conftest import DOOMED, Start, Trial, without
from .held import differences

pytestmark = pytest.mark.kernel

ONE_ARMED = tomllib.loads((Path(__file__).parents[2] / "examples/one-armed.toml").read_text(encoding="utf-8"))
#: The rules that a service's source NAT is, by packet filter: the end of the files' paths, and words of the rules.
RULES = {
    "iptables": (("iptables.v4", "-j SNAT"), ("iptables.v6", "-j SNAT")),
    "nftables": (("nftables.nft", "ct original"),),
}
DIRECTOR = {Family.IPV4: "192.0.2.2", Family.IPV6: "2001:db8:0:2::2"}
WEB = {Family.IPV4: "192.0.2.21", Family.IPV6: "2001:db8:0:2::21"}


@pytest.mark.parametrize("packet_filter", RULES)
def test_the_servers_answer_past_nobody_as_long_as_the_rule_is_there(
    trial: Start, packet_filter: str
) -> None:
    site = trial(ONE_ARMED, backends=(packet_filter, "keepalived"))
    site.until(lambda: answered(site), "lvs1 has the addresses, and its real servers are healthy")
    assert differences(site) == ""

    for family in Family:
        answers = site.get(80, clients=4, family=family)
        assert {answer.client for answer in answers} == {DIRECTOR[family]}
        assert {answer.port for answer in answers} == {8080}
    (answer,) = site.get(23, address="legacy")
    assert (answer.server, answer.client) == ("mainframe", "198.51.100.2")

    # What only passes the director, to the very same port of a real server, keeps its source.
    for family in Family:
        client = site.clients("www", family)[0]
        assert through_the_director(site, family, client).client == client

    site.rewrite("lvs1", *((end, without(words)) for end, words in RULES[packet_filter]))
    for family in Family:
        assert {a.server for a in site.get(80, clients=2, family=family, limit=DOOMED)} == {None}


def answered(site: Trial) -> bool:
    """Whether all services answer."""
    answers = [
        *(a for family in Family for a in site.get(80, family=family)),
        *site.get(23, address="legacy"),
    ]
    return all(answer.server for answer in answers)


def through_the_director(site: Trial, family: Family, client: str) -> Answer:
    """Ask a real server itself, by a route over the director."""
    site.run(OUTSIDE, "ip", "route", "add", WEB[family], "via", DIRECTOR[family])
    (answer,) = site.ask([Question(protocol=Protocol.TCP, host=WEB[family], port=8080, source=client)])
    return answer
