"""The directors' own firewall: what it must let through, what lvsc lets through, and what connection tracking must not see.

The firewall here drops everything but what `lvsc explain` prints. firewalld cannot run in the guest, which has no D-Bus;
its zones are such a firewall. Directors without any are those of test_forwarding.py.
"""

from collections.abc import Set as AbstractSet

import pytest

from lvsc.graph.traffic import Family
from lvsc.laboratory.site import PATIENCE
from support.specs import Layer

from .clusters import METHODS
from .conftest import DOOMED, Start, Trial, replaced, without
from .firewall import by_iptables, by_nftables
from .held import differences

pytestmark = pytest.mark.kernel

#: A service by each method, behind a firewall that looks at the connections' state.
STATEFUL: Layer = {
    **METHODS,
    "cluster": {"name": "trial", "target": "debian12", "firewall": "stateful"},
    "services": {name: METHODS["services"][name] for name in ("nat", "direct", "tunnel")},
}
ACCEPTING: Layer = {"cluster": {"accept": True}}
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


def test_accept_lets_clients_through_the_firewall(trial: Start) -> None:
    site = trial(STATEFUL, ACCEPTING, before=by_iptables)
    assert silent(site) == set()
    assert differences(site, own_firewall=True) == ""

    accepts = without("-j ACCEPT")
    site.rewrite("lvs1", ("iptables.v4", accepts), ("iptables.v6", accepts))
    everybody = both(*PORTS)
    assert silent(site, everybody) == everybody
