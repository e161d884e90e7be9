"""Who gets how much of what."""

import pytest

from lvsc.graph.traffic import Family
from support.specs import service

from .clusters import BUNDLE, NAT
from .conftest import Start, without

pytestmark = pytest.mark.kernel

#: Both packet filters, so that each is proved with real packets.
FILTERS = ["iptables", "nftables"]


@pytest.mark.parametrize("family", Family, ids=str)
def test_connections_are_balanced_by_weight(trial: Start, family: Family) -> None:
    site = trial(NAT)
    assert site.tally(80, clients=24, family=family) == {"web1": 12, "web2": 8, "web3": 4}


@pytest.mark.parametrize("packet_filter", FILTERS)
def test_a_client_stays_on_one_server_across_the_ports_of_a_bundle(trial: Start, packet_filter: str) -> None:
    site = trial(NAT, BUNDLE, backends=(packet_filter, "ipvsadm"))
    answers = site.get(80, 443, clients=12, times=2)
    by_client = {answer.client: {a.server for a in answers if a.client == answer.client} for answer in answers}
    assert len(by_client) == 12
    assert all(len(servers) == 1 for servers in by_client.values()), by_client
    assert {server for servers in by_client.values() for server in servers} == {"web1", "web2", "web3"}


@pytest.mark.parametrize("packet_filter", FILTERS)
def test_without_the_mark_nobody_answers_at_a_port_of_the_bundle(trial: Start, packet_filter: str) -> None:
    lines = {"iptables": ("iptables.v4", without("-j MARK")), "nftables": ("nftables.nft", without("mark set"))}
    site = trial(NAT, BUNDLE, backends=(packet_filter, "ipvsadm"), edits=[lines[packet_filter]])
    assert set(site.tally(80, 443, clients=2)) == {"refused"}
