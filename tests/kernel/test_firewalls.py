"""The directors' own firewall: what it must let through, what lvsc lets through, and what connection tracking must not see.

The firewall here drops everything but what `lvsc explain` prints. firewalld cannot run in the guest, which has no D-Bus;
its zones are such a firewall. Directors without any are those of test_forwarding.py.
"""

from collections.abc import Set as AbstractSet
from functools import partial

import pytest

from lvsc.graph.traffic import Family
from lvsc.laboratory.site import PATIENCE
from support.ftp import RANGE
from support.specs import Layer, merged, service

from .clusters import METHODS, NAT, PAIR, SYNC
from .conftest import DOOMED, Start, Trial, replaced, without
from .directors import BACKENDS, begins, everything, has_all, held, still, told, virtual, weights
from .firewall import by_iptables, by_nftables
from .ftp import ACTIVE, BASE, PASSIVE, Clients, by_iptables_rules, edited, ftp, in_rules
from .held import differences

pytestmark = pytest.mark.kernel

#: A service by each method, behind a firewall that looks at the connections' state.
STATEFUL: Layer = {
    **METHODS,
    "cluster": {"name": "trial", "target": "debian12", "firewall": "stateful"},
    "services": {
        **{name: METHODS["services"][name] for name in ("nat", "direct", "tunnel")},
        "datagrams": {"address": "www", "pool": "nat", "ports": ["udp/84"]},
        "past": {"address": "www", "pool": "direct", "ports": ["udp/85"]},
    },
}
ACCEPTING: Layer = {"cluster": {"accept": True}}
#: As quick as a check may be that a busy machine does not make fail.
QUICK: Layer = {"interval": "1s", "timeout": "10s", "retries": 0}
PORTS = {"nat": 80, "direct": 81, "tunnel": 82}
FIREWALLS = {"iptables": by_iptables, "nftables": by_nftables}
#: The rules that exempt from tracking, by packet filter: the ends of the files' paths, and words of the rules.
NOTRACK = {
    "iptables": (("iptables.v4", "--notrack"), ("iptables.v6", "--notrack")),
    "nftables": (("nftables.nft", "@untracked"),),
}
#: Commands that have the operator's firewall accept whatever is new.
LET_NEW_IN: dict[str, list[tuple[str, ...]]] = {
    "iptables": [
        (command, "-I", "INPUT", "-m", "conntrack", "--ctstate", "NEW", "-j", "ACCEPT")
        for command in ("iptables", "ip6tables")
    ],
    "nftables": [("nft", "insert", "rule", "inet", "own", "input", "ct", "state", "new", "accept")],
}


Silent = AbstractSet[tuple[str, Family]]


def silent(site: Trial, doomed: Silent = frozenset(), size: int = 0) -> Silent:
    """The services that do not answer, by method and family; those that are doomed are not waited for as long."""
    found = set()
    for family in Family:
        for lost, limit in ((False, PATIENCE), (True, DOOMED)):
            methods = [method for method in PORTS if ((method, family) in doomed) is lost]
            ports = [PORTS[method] for method in methods]
            answers = site.get(*ports, family=family, size=size, limit=limit)
            found |= {(m, family) for m, a in zip(methods, answers, strict=True) if a.server is None}
    return found


def both(*methods: str) -> Silent:
    """Some methods in both families."""
    return {(method, family) for method in methods for family in Family}


@pytest.mark.parametrize("packet_filter", ["iptables", pytest.param("nftables", marks=pytest.mark.full)])
def test_what_explain_prints_is_enough_behind_a_firewall_that_drops_the_rest(
    trial: Start, packet_filter: str
) -> None:
    site = trial(STATEFUL, backends=(packet_filter, "ipvsadm"), before=FIREWALLS[packet_filter])
    assert silent(site) == set()
    assert silent(site, size=9000) == set()
    assert differences(site, own_firewall=True) == ""
    # The firewall let the connections end, too.
    site.until(lambda: "ESTABLISHED" not in site.run("lvs1", "ipvsadm", "-Lnc"), "no connection is open")

    # Whom the firewall lets begin, tracking would end: of half a connection all but the first packet is invalid.
    for command in LET_NEW_IN[packet_filter]:
        site.run("lvs1", *command)
    site.rewrite("lvs1", *((end, without(words)) for end, words in NOTRACK[packet_filter]))
    lost = both("direct", "tunnel")
    assert silent(site, lost) == lost

    # And by NAT IPVS must keep the entries that tracking has of its connections.
    site.rewrite("lvs1", ("90-lvsc.conf", replaced("vs.conntrack = 1", "vs.conntrack = 0")))
    assert silent(site, both("nat")) == both("nat")


#: What lvsc lets in: the words of its rules, and which services do not answer without them.
NEEDED = {
    "clients": (("-A LVSC-INPUT", "--dport"), both(*PORTS)),
    "answers by NAT": (("-A LVSC-FORWARD", "--sport"), both("nat")),
}


def test_accept_carries_every_service_through_a_firewall_that_accepts_nothing(trial: Start) -> None:
    site = trial(STATEFUL, ACCEPTING, before=by_iptables)
    assert silent(site) == set()
    assert silent(site, size=9000) == set()
    assert differences(site, own_firewall=True) == ""
    for what, (words, lost) in NEEDED.items():
        with edited(site, "lvs1", *by_iptables_rules(without(*words))):
            assert silent(site, lost) == lost, what

    # A client that is gone when its answer comes says so to the real server, by way of the director.
    site.until(lambda: _errors_after_leaving(site) > 0, "a real server hears of it")
    with edited(site, "lvs1", *by_iptables_rules(without("-A LVSC-INPUT", "INVALID"))):
        assert sum(_errors_after_leaving(site) for _ in range(5)) == 0

    # That nobody serves, clients hear at once by an error that is forwarded.
    site.silence("near")
    assert {str(answer) for answer in site.get("udp/84", clients=2)} == {"refused"}
    with edited(site, "lvs1", *by_iptables_rules(without("-A LVSC-FORWARD", "RELATED"))):
        assert {str(answer) for answer in site.get("udp/84", clients=2, limit=DOOMED)} == {"no answer"}


def _errors_after_leaving(site: Trial) -> int:
    """How many ICMP errors the servers of direct routing get when clients ask and do not stay."""

    def heard() -> int:
        lines = [site.run(host, "cat", "/proc/net/snmp").splitlines() for host in ("lan1", "lan2")]
        names, *_ = [line.split() for line in lines[0] if line.startswith("Icmp:")]
        counts = [[line.split() for line in each if line.startswith("Icmp:")][1] for each in lines]
        return sum(int(each[names.index("InDestUnreachs")]) for each in counts)

    before = heard()
    site.get("udp/85", times=20, limit=0.001)
    return heard() - before


#: Two servers, and a service for each kind of answer to a health check.
CHECKED: Layer = merged(
    NAT,
    {
        "cluster": {"firewall": "stateful"},
        "pools": {"web": {"real_servers": NAT["pools"]["web"]["real_servers"][:2]}},
    },
    *(
        service(kind, address="www", pool="web", ports=[f"{protocol}/{port}"], check={**QUICK, "type": kind})
        for kind, protocol, port in (("tcp", "tcp", 7001), ("ping", "tcp", 7005), ("udp", "udp", 7007))
    ),
)
#: The services by the words of the rule that lets the answers to their checks in.
ANSWERED = {"tcp": ("-A LVSC-INPUT", "--sport 7001"), "ping": ("-A LVSC-INPUT", "icmp", "ESTABLISHED")}


def _in_service(site: Trial, port: int) -> set[str]:
    """The servers that a service has in both families."""
    found = weights(site)
    return set(found[f"192.0.2.10:{port}"]) & set(found[f"[2001:db8:2::10]:{port}"])


def test_accept_lets_answers_to_health_checks_in(trial: Start) -> None:
    site = trial(CHECKED, ACCEPTING, backends=BACKENDS, before=by_iptables)
    ports = {"tcp": 7001, "ping": 7005, "udp": 7007}
    both_servers, neither = {"web1", "web2"}, set[str]()
    site.becomes(
        lambda: {kind: _in_service(site, port) for kind, port in ports.items()},
        dict.fromkeys(ports, both_servers),
    )
    for kind, words in ANSWERED.items():
        with edited(site, "lvs1", *by_iptables_rules(without(*words))):
            site.becomes(partial(_in_service, site, ports[kind]), neither)
        site.becomes(partial(_in_service, site, ports[kind]), both_servers)

    # By UDP a server that is there and does not serve says so by an error.
    site.silence("web2")
    site.becomes(lambda: _in_service(site, ports["udp"]), {"web1"})
    with edited(site, "lvs1", *by_iptables_rules(without("-A LVSC-INPUT", "RELATED"))):
        site.becomes(lambda: _in_service(site, ports["udp"]), both_servers)


@pytest.mark.parametrize(
    "layer",
    [{}, pytest.param({"failover": {"unicast": True}}, marks=pytest.mark.full)],
    ids=["multicast", "unicast"],
)
def test_accept_lets_directors_fail_over_with_their_connections(trial: Start, layer: Layer) -> None:
    stateful: Layer = {"cluster": {"firewall": "stateful"}}
    site = trial(NAT, PAIR, SYNC, stateful, ACCEPTING, layer, backends=BACKENDS, before=by_iptables)
    begins(site, "lvs1")
    # Without the master's adverts, the other takes everything too.
    with edited(site, "lvs2", *by_iptables_rules(without("-A LVSC-INPUT", "-p 112"))):
        site.becomes(lambda: [virtual(site, each) for each in site.directors], [everything(site)] * 2)
    has_all(site, "lvs1")

    with edited(site, "lvs2", ("iptables.v4", without("-A LVSC-INPUT", "--dport 8848"))):
        connections = held(site)
        assert still(site, connections) == connections
        assert not told(site, "lvs2")
    site.until(lambda: still(site, connections) == connections and told(site, "lvs2"), "lvs2 is told")

    site.kill("lvs1")
    has_all(site, "lvs2")
    assert still(site, connections) == connections
    for family in Family:
        assert site.tally(80, clients=6, family=family) == {"web1": 3, "web2": 2, "web3": 1}


#: FTP that the directors read: by its address, and under a mark with a range.
READ: Layer = merged(
    BASE,
    {"cluster": {"firewall": "stateful"}},
    ftp("plain", 1),
    ftp("range", 2, passive_ports=RANGE),
)


def _without_answers_to_active_data(rules: str) -> str:
    return without("-A LVSC-INPUT", "--dport 20 ")(rules.replace("20,1024:65535", "1024:65535"))


#: What lvsc lets in of data connections: how its rules are without it, and who then gets no file, by service.
DATA = {
    "the beginning of active data": (without("--sport 20 ", "RELATED"), {"plain": ACTIVE, "range": ACTIVE}),
    "active data": (in_rules("-A LVSC-FORWARD", "sports 20,", "sports "), {"plain": ACTIVE, "range": ACTIVE}),
    "answers to active data": (_without_answers_to_active_data, {"plain": ACTIVE, "range": ACTIVE}),
    "the beginning of passive data": (without("--dport 1024:65535", "RELATED"), {"plain": PASSIVE}),
    "passive data": (replaced("20,1024:65535", "20"), {"plain": PASSIVE}),
    "answers to passive data": (in_rules("-A LVSC-FORWARD", ",1024:65535", ""), {"plain": PASSIVE}),
    "answers from the range": (in_rules("-A LVSC-FORWARD", ",10000:20000", ""), {"range": PASSIVE}),
}


def test_accept_carries_the_data_connections_of_ftp(trial: Start) -> None:
    site = trial(READ, ACCEPTING, before=by_iptables)
    clients = Clients(site)
    assert clients.failures("plain", "range") == {}, clients.said
    for what, (change, lost) in DATA.items():
        with edited(site, "lvs1", *by_iptables_rules(change)):
            assert clients.failures(doomed=lost) == lost, (what, clients.said)
