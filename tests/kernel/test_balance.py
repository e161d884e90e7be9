"""Who gets how much of what."""

from collections.abc import Mapping

import pytest

from lvsc.graph.nodes import Scheduler
from lvsc.graph.traffic import Family
from lvsc.laboratory.laboratory import LaboratoryError
from support.specs import Layer

from .clusters import BUNDLE, NAT
from .conftest import Start, Trial, without
from .held import differences

pytestmark = pytest.mark.kernel

#: Each packet filter and each director, and what of the emitted file sets the marks.
ROWS = [
    pytest.param(("iptables", "ipvsadm"), ("iptables.v4", "-j MARK"), id="iptables-ipvsadm"),
    pytest.param(("nftables", "keepalived"), ("nftables.nft", "mark set ip "), id="nftables-keepalived"),
]
#: Every scheduler that the kernel has, with all combinations of its flags.
SCHEDULERS = [
    *((each.value, "") for each in Scheduler if each is not Scheduler.TWOS),
    *(("sh", flags) for flags in ("sh-fallback", "sh-port", "sh-fallback,sh-port")),
    *(("mh", flags) for flags in ("mh-fallback", "mh-port", "mh-fallback,mh-port")),
]
#: A service of one port for each of them.
PORTS = {8000 + number: each for number, each in enumerate(SCHEDULERS)}


#: The real servers, of which the last takes no new clients.
DRAINED = [
    {"name": name, "ip": [f"10.11.12.{n}", f"2001:db8:12::{n}"], "drained": name == "web3"}
    for n, name in ((21, "web1"), (22, "web2"), (23, "web3"))
]


def scheduled(ports: Mapping[int, tuple[str, str]]) -> Layer:
    """A service at each port, by its scheduler and flags."""
    services = {}
    for port, (scheduler, flags) in ports.items():
        service = {"address": "www", "pool": "web", "ports": [f"tcp/{port}"], "scheduler": scheduler}
        services[f"port-{port}"] = {**service, **({"scheduler_flags": flags.split(",")} if flags else {})}
    return {"services": services}


@pytest.mark.parametrize("family", Family, ids=str)
def test_connections_are_balanced_by_weight(trial: Start, family: Family) -> None:
    site = trial(NAT, shared=True)
    assert site.tally(80, clients=24, family=family) == {"web1": 12, "web2": 8, "web3": 4}


def test_a_kernel_without_a_scheduler_refuses_it_as_lvsc_does(trial: Start) -> None:
    site = trial(NAT, shared=True)
    if not site.laboratory.lacks(["ip_vs_twos"]):
        pytest.skip("this kernel has the scheduler that lvsc refuses for its release")
    with pytest.raises(LaboratoryError, match="Scheduler"):
        site.run("lvs1", "ipvsadm", "-A", "-t", "192.0.2.10:9999", "-s", "twos")


@pytest.mark.parametrize("director", ["ipvsadm", "keepalived"])
def test_the_kernel_takes_every_scheduler_with_its_flags(trial: Start, director: str) -> None:
    site = trial(NAT, scheduled(PORTS), backends=("iptables", director))
    site.becomes(lambda: differences(site), "")
    assert {port: scheduler for port, scheduler in schedulers(site).items() if port != 80} == PORTS

    answers = site.get(*PORTS, clients=2, times=2)
    assert {answer.server for answer in answers} == {"web1", "web2", "web3"}
    # By connections at once, by the highest weight alone, and by the client.
    by_port = {port: {a.server for a in site.get(port, times=3)} for port in PORTS}
    for port, (scheduler, flags) in PORTS.items():
        if scheduler == "fo":
            assert by_port[port] == {"web1"}
        if scheduler in ("sh", "mh") and "port" not in flags:
            assert len(by_port[port]) == 1
        if scheduler in ("rr", "wrr"):
            assert len(by_port[port]) > 1


def test_hashed_clients_of_a_drained_server_are_refused_unless_they_may_go_elsewhere(trial: Start) -> None:
    """LVS427: sh and dh keep its place in their tables, mh does not."""
    ports = {8001: ("sh", ""), 8002: ("sh", "sh-fallback"), 8003: ("mh", ""), 8004: ("rr", "")}
    site = trial(NAT, scheduled(ports), {"pools": {"web": {"real_servers": DRAINED}}})
    refused = {port: site.tally(port, clients=24).get("refused", 0) for port in ports}
    assert 0 < refused.pop(8001) < 24
    assert refused == {8002: 0, 8003: 0, 8004: 0}
    # dh chooses by the virtual address, of which there is one: all clients of the service or none.
    by_dh = []
    for server in ("web1", "web2", "web3"):
        drained = [one | {"drained": one["name"] == server} for one in DRAINED]
        site = trial(NAT, scheduled({8005: ("dh", "")}), {"pools": {"web": {"real_servers": drained}}})
        by_dh.append(set(site.tally(8005, clients=4)) == {"refused"})
    assert sorted(by_dh) == [False, False, True]


@pytest.mark.parametrize(("backends", "mark"), ROWS)
def test_a_client_stays_on_one_server_across_the_ports_of_a_bundle(
    trial: Start, backends: tuple[str, str], mark: tuple[str, str]
) -> None:
    site = trial(NAT, BUNDLE, backends=backends)
    site.becomes(lambda: differences(site), "")
    # Of two first connections at once, each processor may find that the kernel has no entry of the client yet.
    answers = [*site.get(80, clients=12), *site.get(80, 443, clients=12, times=2)]
    by_client = {
        answer.client: {a.server for a in answers if a.client == answer.client} for answer in answers
    }
    assert len(by_client) == 12
    assert all(len(servers) == 1 for servers in by_client.values()), by_client
    assert {server for servers in by_client.values() for server in servers} == {"web1", "web2", "web3"}

    # Without the marks nobody answers.
    end, words = mark
    site.rewrite("lvs1", (end, without(words)))
    assert set(site.tally(80, 443, clients=2)) == {"refused"}


def schedulers(site: Trial) -> dict[int, tuple[str, str]]:
    """Each port's scheduler and its flags, as the kernel has them."""
    found = {}
    for words in map(str.split, site.table().splitlines()):
        if words[0] == "-A" and "[" not in words[2]:
            flags = words[words.index("-b") + 1] if "-b" in words else ""
            found[int(words[2].rpartition(":")[2])] = words[words.index("-s") + 1], flags
    return found
