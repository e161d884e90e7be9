"""How long a client stays on its real server, who goes with it, and what ends it."""

from ipaddress import ip_network

import pytest

from lvsc.graph.traffic import Family
from support.specs import Layer, service

from .clusters import BUNDLE, LAN, NAT, servers
from .conftest import DOOMED, Start, Trial
from .held import differences

pytestmark = pytest.mark.kernel

#: A persistence that a test can outlast. By direct routing: by NAT it outlasts a connection's TIME_WAIT, which is 120 s.
SHORT: Layer = {"timeouts": {"tcp_fin": "1s"}, "services": {"web": {"persistence": "5s"}}}
GROUPS: Layer = service(persistence="5m", persistence_granularity={"ipv4": 24, "ipv6": 64})
PREFIX = {Family.IPV4: 24, Family.IPV6: 64}
DIRECTORS = [
    ("iptables", "ipvsadm"),
    pytest.param(("iptables", "keepalived"), marks=pytest.mark.full),
]


def test_a_client_is_free_to_go_when_its_time_is_up(trial: Start) -> None:
    site = trial(LAN, BUNDLE, SHORT)
    # An open connection holds the entry that leads the client, however slow the others are.
    first = str(site.hold("first"))
    assert site.tally(80, 443, times=4) == {first: 8}
    assert templates(site) == 1
    site.close("first")
    site.until(lambda: templates(site) == 0, "the director has forgotten the client")
    second = str(site.hold("second"))
    assert second != first
    assert site.tally(80, 443, times=4) == {second: 8}

    site.rewrite("lvs1", ("ipvsadm.rules", lambda text: text.replace(" -p 5\n", "\n")))
    assert site.tally(80, 443, times=6) == {"web1": 4, "web2": 4, "web3": 4}


@pytest.mark.parametrize("family", Family, ids=str)
def test_clients_whose_addresses_agree_in_the_leading_bits_go_together(trial: Start, family: Family) -> None:
    site = trial(NAT, GROUPS, shared=True)
    groups = by_prefix(site, family)
    assert len(groups) == 16
    assert all(len(servers) == 1 for servers in groups.values()), groups
    assert set.union(*groups.values()) == {"web1", "web2", "web3"}


def test_without_the_granularity_each_client_goes_by_itself(trial: Start) -> None:
    site = trial(
        NAT,
        GROUPS,
        edits=[
            (
                "ipvsadm.rules",
                lambda text: text.replace(" -M 255.255.255.0\n", "\n").replace(" -M 64\n", "\n"),
            )
        ],
    )
    for family in Family:
        assert any(len(servers) > 1 for servers in by_prefix(site, family).values())


@pytest.mark.parametrize("backends", DIRECTORS)
def test_weight_0_leads_persistent_clients_away_only_if_the_spec_says_so(
    trial: Start, backends: tuple[str, str]
) -> None:
    site = trial(NAT, BUNDLE, backends=backends)
    site.becomes(lambda: differences(site), "")
    own = str(site.hold("old"))
    for expires in (False, True):
        rebuild(site, servers(NAT, **{own: {"weight": 0}}), tuning(expire_quiescent_template=expires))
        assert str(site.say("old")) == own
        assert own not in site.tally(80, clients=range(1, 13))
        for port in (80, 443):
            assert (site.tally(port) == {own: 1}) is not expires


@pytest.mark.parametrize("backends", DIRECTORS)
def test_a_removed_servers_connections_are_ended_only_if_the_spec_says_so(
    trial: Start, backends: tuple[str, str]
) -> None:
    site = trial(NAT, BUNDLE, backends=backends)
    site.becomes(lambda: differences(site), "")
    own = str(site.hold("old"))
    for ends, heard in ((False, "no answer"), (True, "Connection reset by peer")):
        rebuild(site, servers(NAT, **{own: {"disabled": True}}), tuning(expire_nodest_conn=ends))
        # Sent again and again at ever longer intervals; the connection ends by the first packet that comes.
        site.becomes(lambda: str(site.say("old", DOOMED)), heard)
        assert not {own, "refused", "no answer"} & set(site.tally(80, 443, clients=6))


def tuning(**keys: bool) -> Layer:
    """A layer of kernel settings."""
    return {"tuning": keys}


def rebuild(site: Trial, *layers: Layer) -> None:
    """Load what these layers make of the spec, and wait until the kernel has it."""
    site.rebuild(*layers)
    site.becomes(lambda: differences(site), "")


def templates(site: Trial) -> int:
    """How many clients a director leads to the real server that they had: entries of no port of theirs."""
    entries = site.run("lvs1", "ipvsadm", "-Lnc").splitlines()[2:]
    return sum(entry.split()[3].endswith(":0") for entry in entries)


def by_prefix(site: Trial, family: Family) -> dict[str, set[str]]:
    """The servers of each prefix's clients, three of each prefix."""
    found: dict[str, set[str]] = {}
    # The first of each prefix before the others, which other processors may see first.
    for answer in (*site.get(80, clients=16, family=family), *site.get(80, clients=48, family=family)):
        prefix = ip_network(f"{answer.client}/{PREFIX[family]}", strict=False)
        found.setdefault(str(prefix), set()).add(str(answer))
    return found
