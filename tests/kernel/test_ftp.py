"""Every kind of FTP client gets its file, in every way that lvsc carries FTP, and does not without each rule of that way.

docs/kernel-facts.md and `lvsc_ftp.strategy` have the ways. Each has services here: `address` and `mark` share their servers.
"""

import re

import pytest

from lvsc.graph.traffic import Family
from support.ftp import RANGE
from support.specs import Layer, merged

from .conftest import Edit, Start, without
from .firewall import by_iptables, by_nftables
from .ftp import ACTIVE, ALL, BASE, PASSIVE, Clients, by_iptables_rules, edited, ftp, in_rules

pytestmark = pytest.mark.kernel

FIREWALLS = {"iptables": by_iptables, "nftables": by_nftables}
NONE: Layer = {"cluster": {"firewall": "none"}}
STATEFUL: Layer = {"cluster": {"firewall": "stateful"}}


def with_pool(name: str, layer: Layer, pool: str) -> Layer:
    """A service with the servers of another."""
    return {**layer, "pools": {}, "services": {name: {**layer["services"][name], "pool": pool}}}


#: By NAT, with what reads the control connection.
READ: Layer = merged(
    BASE,
    ftp("address", 1),
    with_pool("mark", ftp("mark", 2, mark=21), "address"),
    ftp("range", 3, passive_ports=RANGE),
)
#: By direct routing and tunnel, one server each.
PASSING: Layer = merged(
    ftp("passing", 4, forwarding="direct", passive_ports=RANGE),
    {
        "pools": {
            "passing": {
                "real_servers": [
                    {"name": "passing1", "ip": ["192.0.2.41", "2001:db8:2::41"]},
                    {"name": "passing2", "ip": ["192.0.2.42", "2001:db8:2::42"], "forwarding": "tunnel"},
                ]
            }
        }
    },
)
WAYS = ("address", "mark", "range", "passing")


PERSISTENCE: Edit = ("ipvsadm.rules", in_rules("-A ", " -p 300", ""))
#: What to remove, and who then gets no file, by packet filter. Behind a stateful firewall.
NEEDED: dict[str, dict[str, tuple[tuple[Edit, ...], dict[str, str]]]] = {
    "iptables": {
        "marks": (by_iptables_rules(without("-j MARK")), {"mark": ALL, "range": ALL, "passing": ALL}),
        "helper": (by_iptables_rules(without("--helper")), {"address": ALL, "mark": ALL, "range": ACTIVE}),
        "no tracking": (by_iptables_rules(without("--notrack")), {"passing": ALL}),
        "port 20": (by_iptables_rules(in_rules("-j MARK", "20:21", "21")), {"passing": ACTIVE}),
        # What lvsc refuses as FTP002: a service without a range.
        "passive range": (by_iptables_rules(in_rules("-j MARK", ",10000:20000", "")), {"passing": PASSIVE}),
    },
    "nftables": {
        "marks": ((("nftables.nft", without("meta mark set")),), {"mark": ALL, "range": ALL, "passing": ALL}),
        "helper": (
            (("nftables.nft", without("ct helper set")),),
            {"address": ALL, "mark": ALL, "range": ACTIVE},
        ),
        "no tracking": ((("nftables.nft", without("notrack", "daddr")),), {"passing": ALL}),
    },
}


@pytest.mark.parametrize("packet_filter", ["iptables", pytest.param("nftables", marks=pytest.mark.full)])
def test_behind_a_stateful_firewall_every_client_is_served_until_a_rule_is_missing(
    trial: Start, packet_filter: str
) -> None:
    site = trial(
        READ, PASSING, STATEFUL, backends=(packet_filter, "ipvsadm"), before=FIREWALLS[packet_filter]
    )
    clients = Clients(site)
    assert clients.failures(*WAYS) == {}, clients.said
    for what, (edits, failing) in NEEDED[packet_filter].items():
        with edited(site, "lvs1", *edits):
            assert clients.failures(doomed=failing) == failing, (what, clients.said)
    with edited(site, "lvs1", PERSISTENCE):
        # Alone, so that the turn of the other server comes with the data connection.
        alone = {Family.IPV4: ["passive"]}
        assert clients.failures(doomed={"passing": "passive"}, modes=alone) == {"passing": "passive"}


@pytest.mark.full
@pytest.mark.parametrize("backends", [("iptables", "keepalived"), ("nftables", "keepalived")], ids="-".join)
def test_without_a_firewall_every_client_is_served(trial: Start, backends: tuple[str, str]) -> None:
    site = trial(READ, PASSING, NONE, backends=backends)
    site.until(lambda: site.table().count("-A ") == 8, "keepalived has made all services")
    clients = Clients(site)
    assert clients.failures(*WAYS) == {}, clients.said


def test_without_the_module_only_what_needs_no_reading_is_served(trial: Start) -> None:
    lost = re.compile(r'"ip_vs_ftp",\s*')
    layers = (BASE, ftp("address", 1), ftp("range", 3, passive_ports=RANGE), NONE)
    site = trial(*layers, fresh=True, edits=[("manifest.json", lambda text: lost.sub("", text))])
    clients = Clients(site)
    failing = {"address": ALL, "range": "strict"}
    assert clients.failures(doomed=failing) == failing, clients.said
