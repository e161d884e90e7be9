"""Kinds of traffic: UDP and SCTP, ranges and all ports, datagrams one by one; and servers that take no more."""

import re
from collections import Counter

import pytest

from lvsc.graph.traffic import Family
from support.specs import Layer

from .clusters import LAN, NAT, servers
from .conftest import Start
from .held import differences

pytestmark = pytest.mark.kernel


def service(*ports: str, **keys: object) -> Layer:
    """A service of some ports."""
    return {"address": "www", "pool": "web", "ports": list(ports), "scheduler": "rr", **keys}


#: One service of each kind, by any forwarding.
KINDS: Layer = {
    "addresses": {"second": {"network": "public", "ip": ["192.0.2.12", "2001:db8:2::12"]}},
    "services": {
        "dns": service("udp/53"),
        "sctp": service("sctp/7"),
        "range": service("tcp/5000-5009", "udp/5000-5009"),
        "all": service("tcp/all", address="second", persistence="5m"),
    },
}
#: Datagrams one by one, which NAT cannot, and servers of which one is disabled and the others take few clients.
LIMITS: Layer = {
    "timeouts": {"tcp_fin": "1s"},
    "services": {"datagrams": service("udp/5300", one_packet=True)},
}
FEW = servers(
    LAN,
    web1={"upper_threshold": 2, "lower_threshold": 1},
    web2={"upper_threshold": 3},
    web3={"disabled": True},
)
CLUSTERS = {"nat": NAT, "direct": LAN}


@pytest.mark.parametrize("family", Family, ids=str)
@pytest.mark.parametrize("forwarding", CLUSTERS)
def test_each_kind_of_service_reaches_all_its_servers(trial: Start, forwarding: str, family: Family) -> None:
    site = trial(CLUSTERS[forwarding], KINDS, shared=True)
    even = {"web1": 2, "web2": 2, "web3": 2}
    assert site.tally("udp/53", clients=6, family=family) == even
    for port in (5000, 5004, 5009, "udp/5000", "udp/5009"):
        assert site.tally(port, clients=6, family=family) == even
    assert differences(site) == ""


@pytest.mark.parametrize("family", Family, ids=str)
@pytest.mark.parametrize("forwarding", CLUSTERS)
def test_sctp_is_balanced_like_tcp(trial: Start, forwarding: str, family: Family) -> None:
    site = trial(CLUSTERS[forwarding], KINDS, shared=True)
    if missing := site.laboratory.lacks(["sctp"]):
        pytest.skip(f"this kernel lacks {missing[0]}")
    assert site.tally("sctp/7", clients=6, family=family) == {"web1": 2, "web2": 2, "web3": 2}


@pytest.mark.parametrize("forwarding", CLUSTERS)
def test_a_range_ends_where_it_says(trial: Start, forwarding: str) -> None:
    site = trial(CLUSTERS[forwarding], KINDS, shared=True)
    assert site.tally(4999, 5010) == {"refused": 2}


@pytest.mark.parametrize("forwarding", CLUSTERS)
def test_a_service_of_all_ports_leads_each_client_to_one_server_at_any_of_them(
    trial: Start, forwarding: str
) -> None:
    site = trial(CLUSTERS[forwarding], KINDS, shared=True)
    # Each client's first connection before its others, which other processors may see first.
    answers = [answer for port in (1, 32768, 65535) for answer in site.get(port, address="second", clients=6)]
    clients = {(answer.client, answer.server) for answer in answers}
    assert Counter(server for _, server in clients) == {"web1": 2, "web2": 2, "web3": 2}
    assert {answer.port for answer in answers} == {1, 32768, 65535}


def test_one_packet_scheduling_leads_the_datagrams_of_one_socket_to_all_servers(trial: Start) -> None:
    site = trial(LAN, LIMITS)
    answers = [site.hold("one by one", "udp/5300"), *(site.say("one by one") for _ in range(5))]
    assert Counter(map(str, answers)) == {"web1": 2, "web2": 2, "web3": 2}

    site.rewrite("lvs1", ("ipvsadm.rules", lambda text: text.replace(" -o\n", "\n")))
    answers = [site.hold("together", "udp/5300"), *(site.say("together") for _ in range(5))]
    assert len(set(map(str, answers))) == 1


def test_a_full_server_gets_no_more_until_it_has_room_and_a_disabled_one_none(trial: Start) -> None:
    site = trial(LAN, LIMITS, FEW)
    assert differences(site) == ""
    names = [str(number) for number in range(6)]
    assert Counter(str(site.hold(name)) for name in names) == {"web1": 2, "web2": 3, "refused": 1}
    for name in names[:5]:
        site.close(name)
    site.until(lambda: site.tally(80) != {"refused": 1}, "somebody has room again")

    site.rewrite("lvs1", ("ipvsadm.rules", lambda text: re.sub(r" -x \d+( -y \d+)?", "", text)))
    assert Counter(str(site.hold(f"more {name}")) for name in names) == {"web1": 3, "web2": 3}
