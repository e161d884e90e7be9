"""By which way packets reach a real server and answers the client, and what direct routing needs of the real servers."""

import json

import pytest

from lvsc.graph.traffic import Family
from lvsc.laboratory.topology import OUTSIDE
from support.specs import Layer

from .clusters import LAN, METHODS
from .conftest import DOOMED, Edit, Start, Trial, without
from .held import differences

pytestmark = pytest.mark.kernel

#: The port of each method's service, and the real servers that answer there.
SERVERS = {"nat": (80, {"near"}), "direct": (81, {"lan1", "lan2"}), "tunnel": (82, {"far"})}
VIP = {Family.IPV4: "192.0.2.10", Family.IPV6: "2001:db8:2::10"}
#: One real server without its ARP settings, and another without one of its virtual addresses on loopback.
BROKEN: tuple[Edit, ...] = (
    ("lan1/etc/sysctl.d/90-lvsc.conf", without("arp_")),
    ("lan2/etc/lvsc/addresses.sh", without("address ", "12/", " lo")),
)


@pytest.mark.parametrize("family", Family, ids=str)
@pytest.mark.parametrize("method", SERVERS)
def test_each_method_reaches_its_servers_who_see_the_client_itself(
    trial: Start, method: str, family: Family
) -> None:
    port, servers = SERVERS[method]
    site = trial(METHODS, shared=True)
    answers = site.get(port, clients=4, family=family)
    assert {answer.server for answer in answers} == servers
    assert [answer.client for answer in answers] == list(site.clients("www", family)[:4])


@pytest.mark.parametrize("method", SERVERS)
def test_only_nat_changes_the_address_that_a_server_is_asked_at(trial: Start, method: str) -> None:
    port, _ = SERVERS[method]
    asked = {answer.address for answer in trial(METHODS, shared=True).get(port, clients=2)}
    assert asked == ({"10.11.12.21"} if method == "nat" else {VIP[Family.IPV4]})


@pytest.mark.parametrize("family", Family, ids=str)
def test_one_service_mixes_all_methods(trial: Start, family: Family) -> None:
    site = trial(METHODS, shared=True)
    assert site.tally(83, clients=12, family=family) == {"near": 4, "lan1": 4, "far": 4}


def test_the_kernel_holds_what_the_spec_says(trial: Start) -> None:
    assert differences(trial(METHODS, shared=True)) == ""


@pytest.mark.parametrize("family", Family, ids=str)
def test_neighbours_always_take_the_director_for_the_virtual_address(trial: Start, family: Family) -> None:
    site = trial(METHODS, shared=True)
    for _ in range(4):
        forget_neighbours(site)
        assert site.tally(81, clients=4, family=family) == {"lan1": 2, "lan2": 2}
    assert neighbour(site, VIP[family]) == "lvs1"


@pytest.mark.parametrize("family", Family, ids=str)
def test_the_virtual_address_on_loopback_lets_a_server_answer(trial: Start, family: Family) -> None:
    site = trial(METHODS, shared=True)
    assert site.tally(80, address="second", clients=2, family=family) == {"lan2": 2}


@pytest.mark.parametrize("family", Family, ids=str)
def test_without_the_virtual_address_on_loopback_nobody_answers(trial: Start, family: Family) -> None:
    site = trial(METHODS, edits=BROKEN, shared=True)
    assert site.tally(80, address="second", clients=2, family=family, limit=DOOMED) == {"no answer": 2}


def test_without_the_arp_settings_a_real_server_takes_the_clients_over(trial: Start) -> None:
    site = trial(METHODS, edits=BROKEN, shared=True)

    def taken() -> bool:
        forget_neighbours(site)
        return site.tally(81, clients=4) == {"lan1": 4}

    site.until(taken, "lan1 answers everybody")
    assert neighbour(site, VIP[Family.IPV4]) == "lan1"


def test_ipv6_needs_no_counterpart_of_the_arp_settings(trial: Start) -> None:
    site = trial(METHODS, edits=BROKEN, shared=True)
    for _ in range(4):
        forget_neighbours(site)
        assert site.tally(81, clients=4, family=Family.IPV6) == {"lan1": 2, "lan2": 2}
    assert neighbour(site, VIP[Family.IPV6]) == "lvs1"


def forget_neighbours(site: Trial) -> None:
    """Have everybody in the clients' network ask anew whose a hardware address is."""
    for host in (OUTSIDE, "lvs1", "lan1", "lan2"):
        site.run(host, "ip", "neigh", "flush", "all")


def neighbour(site: Trial, ip: str) -> str:
    """The host that the clients' router takes for the owner of an address."""
    links = {host: site.run(host, "ip", "-j", "link") for host in ("lvs1", "lan1", "lan2")}
    owners = {link.get("address"): host for host, text in links.items() for link in json.loads(text)}
    (known,) = json.loads(site.run(OUTSIDE, "ip", "-j", "neigh", "show", "to", ip))
    return owners[known["lladdr"]]


def test_a_server_by_nat_and_by_direct_routing_answers_one_of_them(trial: Start) -> None:
    """LVS429: its default route leads to the director, who has the source address of what it answers for itself."""
    by_nat = {"pools": {"nat": {**LAN["pools"]["web"], "forwarding": "nat"}}}
    site = trial(LAN, by_nat, of_pool("nat", 90))
    assert site.tally(90, clients=6) == {"web1": 2, "web2": 2, "web3": 2}
    assert "web1" not in site.tally(80, clients=6, limit=DOOMED)
    site = trial(LAN, by_nat, of_pool("nat", 90), {"services": {"nat": {"source_nat": "public"}}})
    assert site.tally(90, clients=6) == site.tally(80, clients=6) == {"web1": 2, "web2": 2, "web3": 2}


def of_pool(name: str, port: int) -> Layer:
    """A service of a pool, with its name."""
    return {"services": {name: {"address": "www", "pool": name, "ports": [f"tcp/{port}"], "scheduler": "rr"}}}
