"""A director that is also a real server must not balance again what its peer has balanced already."""

import pytest

from lvsc.graph.nodes import Marking, Sysctl
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, lowered, merged, servers, service, spec

SYNC: Layer = {"connection_sync": {"network": "lan", "id": 1}}
MACS: Layer = {
    "directors": {
        "lvs1": {"macs": {"lan": "52:54:00:00:00:01"}},
        "lvs2": {"macs": {"lan": "52:54:00:00:00:02"}},
    }
}
THIRD: Layer = {
    "directors": {
        "lvs3": {"priority": 50, "addresses": {"lan": ["192.0.2.4"]}, "macs": {"lan": "52:54:00:00:00:00"}}
    }
}
ONE: Layer = servers({}, {"name": "lvs1", "ip": ["192.0.2.2"]})
BOTH: Layer = servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {"name": "lvs2", "ip": ["192.0.2.3"]})
ALONE: Layer = {"directors": {"lvs2": None}, "failover": None}

# (layers, directors that balance nothing while they are backup, by director the MACs whose packets it does not mark)
CASES: dict[str, tuple[tuple[Layer, ...], set[str], dict[str, tuple[str, ...]]]] = {
    "no-director-among-them": ((DIRECT,), set(), {}),
    "by-nat": ((BOTH, service(source_nat=True)), set(), {}),
    "one-director": ((ALONE, DIRECT, ONE), set(), {}),
    "sync": ((DIRECT, SYNC, ONE), {"lvs1"}, {}),
    "sync-both": ((DIRECT, SYNC, BOTH), {"lvs1", "lvs2"}, {}),
    "sync-and-macs": ((DIRECT, SYNC, MACS, BOTH), {"lvs1", "lvs2"}, {}),
    "tunnel": ((TUNNEL, SYNC, BOTH), {"lvs1", "lvs2"}, {}),
    "macs-one": ((DIRECT, MACS, ONE), set(), {"lvs1": ("52:54:00:00:00:02",), "lvs2": ()}),
    "macs-both": (
        (DIRECT, MACS, BOTH),
        set(),
        {"lvs1": ("52:54:00:00:00:02",), "lvs2": ("52:54:00:00:00:01",)},
    ),
    "macs-of-three": (
        (DIRECT, MACS, THIRD, ONE),
        set(),
        {"lvs1": ("52:54:00:00:00:00", "52:54:00:00:00:02"), "lvs2": (), "lvs3": ()},
    ),
    "disabled": ((DIRECT, servers({}, {"name": "lvs1", "ip": ["192.0.2.2"], "disabled": True})), set(), {}),
}


@pytest.mark.parametrize(("layers", "backup_only", "macs"), CASES.values(), ids=CASES)
def test_how_a_loop_is_prevented(
    layers: tuple[Layer, ...], backup_only: set[str], macs: dict[str, tuple[str, ...]]
) -> None:
    graph = lowered(spec(PAIR, *layers)).graph
    assert {node.host for node in graph.of(Sysctl) if node.key == "net.ipv4.vs.backup_only"} == backup_only
    assert {node.host: node.traffic.not_source_macs for node in graph.of(Marking)} == macs


def test_the_macs_are_those_of_the_real_servers_network() -> None:
    layers: Layer = {
        "networks": {"back": {"interface": "eth1", "prefixes": ["192.0.2.0/26"]}},
        "directors": {"lvs2": {"macs": {"back": "52:54:00:00:00:22"}}},
    }
    marks = lowered(spec(PAIR, MACS, DIRECT, ONE, layers)).graph.of(Marking)
    assert {node.host: node.traffic.not_source_macs for node in marks} == {
        "lvs1": ("52:54:00:00:00:22",),
        "lvs2": (),
    }


def test_ipv6_is_guarded_too() -> None:
    six: Layer = merged(DUAL, {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}}})
    both = servers(
        {"ip": ["192.0.2.21", "2001:db8::21"]}, {"name": "lvs1", "ip": ["192.0.2.2", "2001:db8::2"]}
    )
    marks = [
        node for node in lowered(spec(PAIR, six, MACS, DIRECT, both)).graph.of(Marking) if node.host == "lvs1"
    ]
    assert [node.traffic.not_source_macs for node in marks] == [("52:54:00:00:00:02",)] * 2


def test_a_service_that_reaches_no_director_is_left_as_it_is() -> None:
    other: Layer = {"pools": {"mail": {"real_servers": [{"name": "mail1", "ip": ["192.0.2.31"]}]}}}
    mail = service("mail", address="www", pool="mail", ports=["tcp/25"])
    services = lowered(spec(PAIR, MACS, DIRECT, ONE, other, mail)).services
    assert {one.service.name: one.mark is None for one in services} == {"mail": True, "web": False}
