"""Directors that are real servers too, with keepalived: nobody balances again what a peer has balanced."""

import pytest

from lvsc.graph.traffic import Family
from support.specs import Layer, merged

from .conftest import DOOMED, Edit, Start, without
from .directors import begins, has_all, held, still, told, weights

pytestmark = pytest.mark.kernel

_IPS = {"lvs1": ["192.0.2.2", "2001:db8:2::2"], "lvs2": ["192.0.2.3", "2001:db8:2::3"]}
#: Two directors that are the only real servers, by direct routing.
_LOCAL: Layer = {
    "cluster": {"name": "trial", "target": "debian12", "forwarding": "direct"},
    "networks": {"public": {"interface": "eth0", "prefixes": ["192.0.2.0/24", "2001:db8:2::/64"]}},
    "directors": {
        "lvs1": {"priority": 150, "addresses": {"public": _IPS["lvs1"]}},
        "lvs2": {"priority": 100, "addresses": {"public": _IPS["lvs2"]}},
    },
    "failover": {"virtual_router_id": 51},
    "addresses": {"www": {"network": "public", "ip": ["192.0.2.10", "2001:db8:2::10"]}},
    "pools": {
        "web": {
            "check": {"type": "tcp", "interval": "1s", "timeout": "10s", "retries": 0},
            "real_servers": [{"name": name, "ip": ips} for name, ips in _IPS.items()],
        }
    },
    "services": {"web": {"address": "www", "pool": "web", "ports": ["tcp/80"], "scheduler": "rr"}},
}
#: The backup's synchronisation daemon keeps its IPVS out (net.ipv4.vs.backup_only).
BY_SYNC: Layer = merged(_LOCAL, {"connection_sync": {"network": "public", "id": 51}})
#: What comes from the other director's network card gets no mark.
BY_MAC: Layer = merged(
    _LOCAL,
    {
        "directors": {
            "lvs1": {"macs": {"public": "52:54:00:00:00:02"}},
            "lvs2": {"macs": {"public": "52:54:00:00:00:03"}},
        }
    },
)


def _marks_everything(text: str) -> str:
    """Mark packets wherever they come from."""
    for mac in ("52:54:00:00:00:02", "52:54:00:00:00:03"):
        text = text.replace(f" -m mac ! --mac-source {mac}", "").replace(f"ether saddr != {mac} ", "")
    return text


@pytest.mark.parametrize(
    ("layer", "packet_filter"),
    [
        pytest.param(BY_SYNC, "iptables", id="backup-only"),
        pytest.param(BY_MAC, "iptables", id="mac", marks=pytest.mark.full),
        pytest.param(BY_MAC, "nftables", id="mac-nftables", marks=pytest.mark.full),
    ],
)
def test_directors_serve_too_and_every_connection_finds_its_server(
    trial: Start, layer: Layer, packet_filter: str
) -> None:
    site = trial(layer, backends=(packet_filter, "keepalived"))
    begins(site, "lvs1")
    for family in Family:
        assert site.tally(80, clients=12, family=family) == {"lvs1": 6, "lvs2": 6}

    site.kill("lvs1")
    has_all(site, "lvs2")
    site.becomes(lambda: list(weights(site, "lvs2").values()), [{"lvs2": 1}] * 2)
    for family in Family:
        assert site.tally(80, clients=6, family=family) == {"lvs2": 6}


@pytest.mark.full
@pytest.mark.parametrize(
    ("layer", "edits"),
    [
        pytest.param(BY_SYNC, [("90-lvsc.conf", without("backup_only"))], id="backup-only"),
        pytest.param(
            BY_MAC, [("iptables.v4", _marks_everything), ("iptables.v6", _marks_everything)], id="mac"
        ),
    ],
)
def test_without_the_precaution_some_connections_circle(
    trial: Start, layer: Layer, edits: list[Edit]
) -> None:
    site = trial(layer, backends=("iptables", "keepalived"), edits=edits)
    begins(site, "lvs1")
    for family in Family:
        answers = site.get(80, clients=12, family=family, limit=DOOMED)
        assert [answer for answer in answers if answer.server is None]


@pytest.mark.full
def test_a_connection_to_the_director_that_takes_over_survives(trial: Start) -> None:
    site = trial(BY_SYNC, backends=("iptables", "keepalived"))
    begins(site, "lvs1")
    while set((connections := held(site)).values()) != {"lvs2"}:
        for name in connections:
            site.close(name)
        site.get(80)  # round robin: the next is the other's
    site.until(lambda: told(site, "lvs2"), "lvs2 knows of the connections")

    site.kill("lvs1")
    has_all(site, "lvs2")
    assert still(site, connections) == connections
