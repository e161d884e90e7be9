"""What becomes of running connections; the reasons are in lvsc.compare.connections."""

import pytest

from lvsc.compare.difference import compare
from support.sides import side
from support.specs import Layer, servers

PLAIN: Layer = {"pools": {"web": {"check": "none"}}}
MARKED: Layer = {"services": {"web": {"mark": 80, "persistence": "5m"}}}
TWO: Layer = servers({}, {})

FATES: dict[str, tuple[Layer, Layer, list[tuple[str, str]]]] = {
    "nothing": ({}, {}, []),
    "a service is removed": (
        {"services": {"other": {"address": "www", "pool": "web", "ports": ["tcp/81"]}}},
        {"services": {"other": None}},
        [("lost", "all of its connections: the service is removed")],
    ),
    "a service is added": (
        {},
        {"services": {"other": {"address": "www", "pool": "web", "ports": ["tcp/81"]}}},
        [],
    ),
    "another mark": (
        MARKED,
        {"services": {"web": {"mark": 81}}},
        [("lost", "all of its connections: mark 80 becomes mark 81")],
    ),
    "a mark in place of the address": (
        {},
        {"services": {"web": {"mark": 80}}},
        [("lost", "all of its connections: tcp 192.0.2.10:80 becomes mark 80")],
    ),
    "a real server is removed": (TWO, servers({}), [("lost", "those on `web2`: removed")]),
    "a real server is added": (servers({}), TWO, []),
    "a real server has another address": (
        TWO,
        servers({}, {"ip": ["192.0.2.29"]}),
        [("lost", "those on `web2`: removed")],
    ),
    "a real server drains": (
        TWO,
        servers({}, {"weight": 0}),
        [("drains", "those on `web2`: established ones go on, new")],
    ),
    "a real server has less weight": (servers({}, {"weight": 5}), servers({}, {"weight": 1}), []),
    "a real server comes back": (servers({}, {"weight": 0}), servers({}, {}), []),
    "another scheduler": ({}, {"services": {"web": {"scheduler": "rr"}}}, []),
    "a port more in a bundle": (MARKED, {"services": {"web": {"ports": ["tcp/80", "tcp/443"]}}}, []),
    "a longer persistence": (MARKED, {"services": {"web": {"persistence": "6m"}}}, []),
    "no persistence": (
        MARKED,
        {"services": {"web": {"persistence": None}}},
        [("persistence lost", "persistence is removed")],
    ),
    "persistence": ({}, {"services": {"web": {"persistence": "5m"}}}, []),
    "persistence by network": (
        MARKED,
        {"services": {"web": {"persistence_granularity": {"ipv4": 24}}}},
        [("persistence lost", "what persistence knows clients by is changed")],
    ),
    "a mark service with another address": (
        MARKED,
        {"addresses": {"www": {"ip": ["192.0.2.12"]}}},
        [("lost", "the connections to 192.0.2.10: the director gives the address up")],
    ),
    "an address service with another address": (
        {},
        {"addresses": {"www": {"ip": ["192.0.2.12"]}}},
        [("lost", "all of its connections: tcp 192.0.2.10:80 becomes tcp 192.0.2.12:80")],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), FATES.values(), ids=FATES)
def test_which_connections_are_lost_and_which_drain(
    old: Layer, new: Layer, expected: list[tuple[str, str]]
) -> None:
    told = compare(side(PLAIN, old), side(PLAIN, old, new)).connections
    assert [(change.fate.value, change.service) for change in told] == [
        (fate, "other" if "removed" in what and "service" in what else "web") for fate, what in expected
    ]
    for change, (_, what) in zip(told, expected, strict=True):
        assert change.what.startswith(what)


@pytest.mark.parametrize(
    ("on", "said"), [(True, "the next packet of each ends it"), (False, "dropped until they time out")]
)
def test_how_lost_connections_end_is_the_new_sides_setting(on: bool, said: str) -> None:
    tuning: Layer = {"tuning": {"expire_nodest_conn": on}}
    (change,) = compare(side(PLAIN, TWO), side(PLAIN, servers({}), tuning)).connections
    assert said in change.what


@pytest.mark.parametrize(
    ("on", "said"), [(True, "clients whom persistence led there too"), (False, "but persistence leads")]
)
def test_whether_persistence_leads_to_a_draining_server(on: bool, said: str) -> None:
    tuning: Layer = {"tuning": {"expire_quiescent_template": on}}
    old = side(PLAIN, MARKED, servers({}, {}))
    (change,) = compare(old, side(PLAIN, MARKED, servers({}, {"weight": 0}), tuning)).connections
    assert said in change.what
