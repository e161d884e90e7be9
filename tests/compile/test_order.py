"""What means nothing in a spec changes nothing in any file."""

from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvsc.compile import Compiled
from support.ftp import RANGE, ftp
from support.specs import DIRECT, DUAL, PAIR, Layer, compile_text, document, lowered, merged, service, spec

RICH: Layer = merged(
    PAIR,
    DUAL,
    {
        "directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}},
        "addresses": {
            "inside": {"ip": ["192.0.2.11", "2001:db8::11"]},
            "mail": {"network": "lan", "ip": ["192.0.2.12", "192.0.2.13"]},
        },
        "failover": {"notify": {"master": "/bin/a", "backup": "/bin/b"}},
        "connection_sync": {"network": "lan", "id": 3},
        "timeouts": {"tcp": "15m", "udp": "5m"},
        "tuning": {"expire_nodest_conn": True, "sloppy_tcp": False},
        "pools": {
            "mail": {
                "quorum": 1,
                "real_servers": [
                    {"name": "mail1", "ip": ["192.0.2.31"]},
                    {"name": "mail2", "ip": ["192.0.2.32"]},
                ],
            }
        },
        "services": {
            "mail": {
                "address": "mail",
                "pool": "mail",
                "ports": ["tcp/25", "tcp/587"],
                "persistence": "5m",
                "check": {"type": "smtp"},
            },
            "web": {
                "ports": ["tcp/80", "tcp/443"],
                "persistence": "5m",
                "check": {"type": "http", "path": "/"},
            },
            "files": {"kind": "ftp", "address": "mail", "pool": "mail", "passive_ports": RANGE, "mark": 21},
        },
    },
)


def files(compiled: Compiled) -> list[tuple[str, str, int, str]]:
    return [(f.host, f.artifact.path, f.artifact.mode, f.artifact.text) for f in compiled.files]


def shuffled(draw: st.DrawFn, value: object) -> object:
    """The value with the keys of every table in another order."""
    if isinstance(value, dict):
        return {key: shuffled(draw, value[key]) for key in draw(st.permutations(list(value)))}
    if isinstance(value, list):
        return [shuffled(draw, item) for item in value]
    return value


@st.composite
def other_orders(draw: st.DrawFn) -> dict[str, Any]:
    found = shuffled(draw, document(RICH))
    assert isinstance(found, dict)
    return found


BUILT = compile_text(spec(RICH))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(other_orders())
def test_the_order_of_keys_changes_no_file(other: dict[str, Any]) -> None:
    compiled = compile_text(tomli_w.dumps(other))
    assert files(compiled) == files(BUILT)
    assert compiled.steps == BUILT.steps


@pytest.mark.parametrize(
    "change",
    [
        {
            "pools": {
                "mail": {
                    "real_servers": [
                        {"name": "mail2", "ip": ["192.0.2.32"]},
                        {"name": "mail1", "ip": ["192.0.2.31"]},
                    ]
                }
            }
        },
        {"addresses": {"mail": {"ip": ["192.0.2.13", "192.0.2.12"]}}},
        {"services": {"mail": {"ports": ["tcp/587", "tcp/25"]}}},
        {"services": {"mail": {"ports": ["tcp/587", "tcp/25-25"]}}},
        {"services": {"mail": {"address": ["mail"]}}},
        {"networks": {"lan": {"prefixes": ["2001:db8::/64", "192.0.2.0/24"]}}},
        {"addresses": {"www": {"ip": ["2001:DB8:0::10", "192.0.2.10"]}}},
        {"timeouts": {"tcp": "900s"}},
    ],
    ids=["real-servers", "ips", "ports", "range-of-one", "list-of-one", "prefixes", "spelling", "unit"],
)
def test_the_order_of_lists_and_the_spelling_of_values_change_no_file(change: Layer) -> None:
    assert files(compile_text(spec(RICH, change))) == files(BUILT)


@pytest.mark.parametrize(
    "change",
    [
        {"services": {"mail": {"ports": ["tcp/25", "tcp/588"]}}},
        {"directors": {"lvs1": {"priority": 149}}},
        {"tuning": {"sloppy_tcp": True}},
        DIRECT,
    ],
    ids=["port", "priority", "tuning", "forwarding"],
)
def test_what_means_something_changes_a_file(change: Layer) -> None:
    assert files(compile_text(spec(RICH, change))) != files(BUILT)


@pytest.mark.parametrize(
    "more",
    [
        service(
            "aaa",
            address="www",
            pool="web",
            ports=["tcp/1000-1001"],
            persistence="5m",
            check={"type": "ping"},
        ),
        service(
            "zzz",
            address="www",
            pool="web",
            ports=["tcp/1000-1001"],
            persistence="5m",
            check={"type": "ping"},
        ),
        {"services": {"web": None, "webs": document(RICH)["services"]["web"]}},
        {"services": {"files": None}},
    ],
    ids=["before", "after", "renamed", "removed"],
)
def test_no_other_service_gets_another_mark(more: Layer) -> None:
    def marks(*layers: Layer) -> dict[str, int | None]:
        return {s.service.name: s.mark for s in lowered(spec(RICH, *layers)).services}

    before, after = marks(), marks(more)
    kept = before.keys() & after.keys()
    assert {name: before[name] for name in kept} == {name: after[name] for name in kept}
    assert "mail" in kept


def test_each_file_is_there_once_and_in_order() -> None:
    places = [(f.host, f.artifact.path) for f in BUILT.files]
    assert places == sorted(set(places))
    steps = [(s.host, s.step.stage.position) for s in BUILT.steps]
    assert steps == sorted(steps)


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert files(compile_text(spec(RICH))) == files(BUILT)
    assert files(compile_text(spec(ftp()))) == files(compile_text(spec(ftp())))
