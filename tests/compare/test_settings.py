"""Everything else that is set otherwise, field by field."""

import pytest

from lvsc.compare.difference import compare
from lvsc.compare.fields import differing
from support.nodes import by_mark, service
from support.sides import side
from support.specs import PAIR, Layer, servers

PLAIN: Layer = {"pools": {"web": {"check": "none"}}}
TCP: Layer = {"pools": {"web": {"check": {"type": "tcp", "interval": "5s"}}}}

#: Layers of the old and the new spec, and the section, subject, field, before and after of each change but for modules.
CHANGES: dict[str, tuple[Layer, Layer, list[tuple[str, str, str, str | None, str | None]]]] = {
    "a name": (
        {"services": {"web": {"mark": 80}}},
        {
            "services": {
                "web": None,
                "shop": {"address": "www", "pool": "web", "ports": ["tcp/80"], "mark": 80},
            }
        },
        [("services", "service `shop`", "name", "web", "shop")],
    ),
    "a mark": (
        {"services": {"web": {"mark": 80}}},
        {"services": {"web": {"mark": 81}}},
        [("services", "service `web`", "selector", "mark 80", "mark 81")],
    ),
    "persistence where there was none": (
        {},
        {"services": {"web": {"persistence": "5m"}}},
        [("services", "service `web`", "persistence", "none", "300 s")],
    ),
    "what a check accepts": (
        {"pools": {"web": {"check": {"type": "http", "path": "/", "status": [200]}}}},
        {"pools": {"web": {"check": {"type": "http", "path": "/", "status": [200, "204-299"]}}}},
        [
            ("health checks", f"check of 192.0.2.{number}:80 of `web`", "probe.status", "200", "200, 204-299")
            for number in (21, 22)
        ],
    ),
    "persistence": (
        {"services": {"web": {"persistence": "5m"}}},
        {"services": {"web": {"persistence": "6m"}}},
        [("services", "service `web`", "persistence.timeout", "300", "360")],
    ),
    "a service": (
        {},
        {"services": {"other": {"address": "www", "pool": "web", "ports": ["tcp/81"]}}},
        [("services", "service `other`", "", None, "tcp 192.0.2.10:81")],
    ),
    "a weight": (
        servers({}, {}),
        servers({}, {"weight": 3}),
        [("real servers", "real server `web2` of `web`", "weight", "1", "3")],
    ),
    "a real server": (
        servers({}, {}),
        servers({}),
        [("real servers", "real server `web2` of `web`", "", "192.0.2.22:80 by nat, weight 1", None)],
    ),
    "a real server's address": (
        servers({}, {}),
        servers({}, {"ip": ["192.0.2.29"]}),
        [("real servers", "real server `web2` of `web`", "address", "192.0.2.22", "192.0.2.29")],
    ),
    "how often is checked": (
        TCP,
        {"pools": {"web": {"check": {"interval": "9s"}}}},
        [
            ("health checks", "check of 192.0.2.21:80 of `web`", "interval", "5", "9"),
            ("health checks", "check of 192.0.2.22:80 of `web`", "interval", "5", "9"),
        ],
    ),
    "what is checked": (
        {**servers({}), "services": {"web": {"check": {"type": "tcp"}}}},
        {"services": {"web": {"check": {"type": "ping"}}}},
        [
            ("health checks", "check of 192.0.2.21:80 of `web`", "probe", "TcpProbe", "PingProbe"),
            ("health checks", "check of 192.0.2.21:80 of `web`", "probe_port", "80", "none"),
        ],
    ),
    "a priority": (
        PAIR,
        {"directors": {"lvs1": {"priority": 160}}},
        [("failover", "VRRP instance `lan-ipv4`", "priority", "150", "160")],
    ),
    "a setting of the kernel": (
        {},
        {"tuning": {"expire_nodest_conn": True}},
        [("host settings", "sysctl net.ipv4.vs.expire_nodest_conn", "", None, "1")],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), CHANGES.values(), ids=CHANGES)
def test_each_field_that_is_set_otherwise_is_told_and_no_other(
    old: Layer, new: Layer, expected: list[tuple[str, str, str, str | None, str | None]]
) -> None:
    difference = compare(side(PLAIN, old), side(PLAIN, old, new))
    told = [
        (change.section.value, change.subject, change.field, change.before, change.after)
        for change in difference.settings
        if not change.subject.startswith("module")
    ]
    assert told == expected


def test_a_check_of_a_service_with_another_selector_is_still_its_check() -> None:
    old = side(TCP, {"services": {"web": {"mark": 80}}})
    new = side(
        TCP,
        {
            "services": {
                "web": {
                    "ports": ["tcp/80", "tcp/443"],
                    "mark": 81,
                    "check": {"type": "tcp", "interval": "5s", "port": 80},
                }
            }
        },
    )
    assert not [change for change in compare(old, new).settings if change.section.value == "health checks"]


def test_a_removed_service_is_told_once_and_not_by_its_parts() -> None:
    more: Layer = {"services": {"other": {"address": "www", "pool": "web", "ports": ["tcp/81"]}}}
    told = compare(side(TCP, more), side(TCP)).settings
    assert [(change.subject, change.after) for change in told] == [("service `other`", None)]


def test_what_is_the_same_on_both_directors_is_told_once_and_what_is_not_apart() -> None:
    old, new = side(PLAIN, PAIR), side(PLAIN, PAIR, {"tuning": {"sloppy_tcp": True}})
    (change,) = compare(old, new).settings
    assert change.hosts == ("lvs1", "lvs2")


def test_a_director_on_one_side_alone_is_told() -> None:
    told = compare(side(PLAIN), side(PLAIN, PAIR)).settings
    assert ("hosts", ("lvs2",), None) in {(c.section.value, c.hosts, c.before) for c in told}


def test_a_change_says_where_the_spec_says_it() -> None:
    (change,) = compare(side(PLAIN, servers({}, {})), side(PLAIN, servers({}, {"weight": 3}))).settings
    assert change.origin is not None
    assert change.origin.path[:4] == ("pools", "web", "real_servers", 1)


def test_labels_and_hosts_are_no_fields() -> None:
    assert list(differing(service(by_mark(5), name="a"), service(by_mark(5), name="b"))) == []
