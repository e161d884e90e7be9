"""Failover by keepalived: what moves, when it moves, and which connections survive it."""

import pytest

from support.specs import Layer, merged

from .clusters import NAT, PAIR, SYNC
from .conftest import DOOMED, Start, Trial, without
from .directors import BACKENDS, begins, families, has_all, held, still, told, virtual

pytestmark = pytest.mark.kernel

#: Each state leaves a file behind.
NOTIFY: Layer = {
    "failover": {
        "notify": {
            state: f"/usr/bin/touch /run/became-{state}" for state in ("master", "backup", "fault", "stop")
        }
    }
}
UNICAST: Layer = {"failover": {"unicast": True}}
#: A network without virtual addresses whose interface must be up, and a script that must succeed.
TRACKED: Layer = {
    "networks": {"uplink": {"interface": "eth2", "prefixes": ["203.0.113.0/24"]}},
    "directors": {
        "lvs1": {"addresses": {"uplink": ["203.0.113.2"]}},
        "lvs2": {"addresses": {"uplink": ["203.0.113.3"]}},
    },
    "failover": {
        "track_interfaces": ["uplink"],
        "track_scripts": [
            {
                "name": "good",
                "command": "/usr/bin/test ! -e /run/bad",
                "interval": "1s",
                "rise": 1,
                "fall": 1,
            }
        ],
    },
}
#: VRRP's older version knows IPv4 only.
V2: Layer = {
    "failover": {"version": 2},
    "addresses": {"www": {"ip": ["192.0.2.10"]}, "inside": {"ip": ["10.11.12.10"]}},
}


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param({}, id="multicast"),
        pytest.param(UNICAST, id="unicast", marks=pytest.mark.full),
        pytest.param(V2, id="version-2", marks=pytest.mark.full),
        pytest.param(merged(V2, UNICAST), id="version-2-unicast", marks=pytest.mark.full),
    ],
)
def test_addresses_and_connections_move_to_the_other_director_when_one_dies(
    trial: Start, layer: Layer
) -> None:
    site = trial(NAT, PAIR, SYNC, NOTIFY, layer, backends=BACKENDS)
    begins(site, "lvs1")
    _is_told(site, "lvs1", "master")
    _is_told(site, "lvs2", "backup")
    connections = held(site)
    site.until(lambda: told(site, "lvs2"), "lvs2 knows of the connections")

    site.kill("lvs1")
    has_all(site, "lvs2")
    assert still(site, connections) == connections
    for family in families(site):
        assert site.tally(80, clients=6, family=family) == {"web1": 3, "web2": 2, "web3": 1}
    _is_told(site, "lvs2", "master")


@pytest.mark.full
def test_connections_with_the_directors_own_address_die_with_it(trial: Start) -> None:
    full_nat: Layer = {"services": {"web": {"source_nat": True}}}
    site = trial(NAT, PAIR, SYNC, full_nat, backends=BACKENDS)
    begins(site, "lvs1")
    connections = held(site)
    site.until(lambda: told(site, "lvs2"), "lvs2 knows of the connections")

    site.kill("lvs1")
    has_all(site, "lvs2")
    assert not set(still(site, connections, DOOMED).values()) & {"web1", "web2", "web3"}
    assert set(site.tally(80, clients=6)) == {"web1", "web2", "web3"}


@pytest.mark.full
@pytest.mark.parametrize("packet_filter", ["iptables", "nftables"])
def test_connections_that_nobody_told_of_die_with_their_director(trial: Start, packet_filter: str) -> None:
    edits = [("keepalived.conf", without("lvs_sync_daemon"))]
    site = trial(NAT, PAIR, SYNC, backends=(packet_filter, "keepalived"), edits=edits)
    begins(site, "lvs1")
    connections = held(site)
    assert still(site, connections) == connections

    site.kill("lvs1")
    has_all(site, "lvs2")
    assert not set(still(site, connections, DOOMED).values()) & {"web1", "web2", "web3"}
    assert site.tally(80, clients=6) == {"web1": 3, "web2": 2, "web3": 1}


@pytest.mark.parametrize(
    "preempt", [True, pytest.param(False, marks=pytest.mark.full)], ids=["preempt", "nopreempt"]
)
def test_a_director_with_a_fault_gives_everything_up(trial: Start, preempt: bool) -> None:
    site = trial(NAT, PAIR, NOTIFY, TRACKED, {"failover": {"preempt": preempt}}, backends=BACKENDS)
    begins(site, "lvs1")

    site.run("lvs1", "ip", "link", "set", "eth2", "down")
    has_all(site, "lvs2")
    _is_told(site, "lvs1", "fault")
    for family in families(site):
        assert site.tally(80, clients=6, family=family) == {"web1": 3, "web2": 2, "web3": 1}

    site.run("lvs1", "rm", "/run/became-backup")
    site.run("lvs1", "ip", "link", "set", "eth2", "up")
    _is_told(site, "lvs1", "backup")
    if preempt:
        has_all(site, "lvs1")
        site.write("lvs1", "/run/bad", "")
        has_all(site, "lvs2")
    else:
        assert virtual(site, "lvs1") == set()
        site.write("lvs2", "/run/bad", "")
        has_all(site, "lvs1")


def _is_told(site: Trial, director: str, state: str) -> None:
    """Wait until a director's command for a state has run."""
    path = f"/run/became-{state}"
    site.until(lambda: path in site.run(director, "find", "/run", "-maxdepth", "1").split(), path)
