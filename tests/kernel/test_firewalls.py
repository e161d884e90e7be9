"""The directors' own firewall: what it must let through, what lvsc lets through, and what connection tracking must not see.

The firewall here drops everything but what `lvsc explain` prints. firewalld cannot run in the guest, which has no D-Bus;
its zones are such a firewall. Directors without any are those of test_forwarding.py.
"""

import pytest

from lvsc.graph.traffic import Family
from support.specs import Layer

from .clusters import METHODS
from .conftest import Start, Trial, replaced, without
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


def silent(site: Trial, size: int = 0) -> set[tuple[str, Family]]:
    """The services that do not answer, by method and family."""
    return {
        (method, family)
        for family in Family
        for method, answer in zip(PORTS, site.get(*PORTS.values(), family=family, size=size), strict=True)
        if answer.server is None
    }


def both(*methods: str) -> set[tuple[str, Family]]:
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
    assert silent(site) == both("direct", "tunnel")

    # And by NAT IPVS must keep the entries that tracking has of its connections.
    site.rewrite("lvs1", ("90-lvsc.conf", replaced("vs.conntrack = 1", "vs.conntrack = 0")))
    assert silent(site) == both("nat")


def test_accept_lets_clients_through_the_firewall(trial: Start) -> None:
    site = trial(STATEFUL, ACCEPTING, before=by_iptables)
    assert silent(site) == set()
    assert differences(site, own_firewall=True) == ""

    accepts = without("-j ACCEPT")
    site.rewrite("lvs1", ("iptables.v4", accepts), ("iptables.v6", accepts))
    assert silent(site) == both("nat", "direct", "tunnel")
