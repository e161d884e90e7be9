"""What a change of a spec changes for packets: exactly this, and nothing else."""

import pytest

from lvsc.compare.difference import compare
from support.nodes import by_address, by_mark, marking, real_server, service, traffic
from support.sides import between, of_nodes, only, packets, side
from support.specs import DIRECT, DUAL, PAIR, Layer, servers

WEB: Layer = {"pools": {"web": {"check": "none"}}}
BUNDLE: Layer = {"services": {"web": {"ports": ["tcp/80", "tcp/443"], "mark": 80, "persistence": "5m"}}}
SECOND: Layer = {"services": {"other": {"address": "www", "pool": "web", "ports": ["tcp/8080"], "mark": 81}}}


def weights(*numbers: int) -> Layer:
    """As many real servers as weights."""
    return servers(*({"weight": number} for number in numbers))


def services(**tables: Layer | None) -> Layer:
    return {"services": tables}


SAME: dict[str, tuple[Layer, Layer]] = {
    "nothing": ({}, {}),
    "a mark in place of the address": ({}, services(web={"mark": 80})),
    "another mark": (BUNDLE, services(web={"mark": 81})),
    "a derived mark in place of a chosen one": (BUNDLE, services(web={"mark": None})),
    "another name": (
        BUNDLE,
        services(
            web=None,
            shop={"address": "www", "pool": "web", "ports": ["tcp/80", "tcp/443"], "persistence": "5m"},
        ),
    ),
    "ports in another order": (BUNDLE, services(web={"ports": ["tcp/443", "tcp/80"]})),
    "two ranges that are one": (
        services(web={"ports": ["tcp/80-84", "tcp/85-90"]}),
        services(web={"ports": ["tcp/80-90"]}),
    ),
    "names of real servers": (
        {},
        {
            "pools": {
                "web": {
                    "real_servers": [{"name": "a", "ip": ["192.0.2.21"]}, {"name": "b", "ip": ["192.0.2.22"]}]
                }
            }
        },
    ),
    "real servers in another order": (
        {},
        {
            "pools": {
                "web": {
                    "real_servers": [
                        {"name": "web2", "ip": ["192.0.2.22"]},
                        {"name": "web1", "ip": ["192.0.2.21"]},
                    ]
                }
            }
        },
    ),
    "a check": ({}, {"pools": {"web": {"check": {"type": "tcp"}}}}),
    "a port that direct routing does not translate to": (
        {**DIRECT},
        {**DIRECT, **services(web={"mark": 80})},
    ),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_no_packet_is_treated_differently(old: Layer, new: Layer) -> None:
    assert between(side(WEB, old), side(WEB, old, new)) == []


VIP = "to 192.0.2.10"
CHANGES: dict[str, tuple[Layer, Layer, list[tuple[str, str]]]] = {
    "a port is added": ({}, services(web={"ports": ["tcp/80", "tcp/443"]}), [("exposure", f"tcp {VIP}:443")]),
    "a port is added to a bundle": (
        BUNDLE,
        services(web={"ports": ["tcp/80", "tcp/443", "udp/443"]}),
        [("exposure", f"udp {VIP}:443")],
    ),
    "a port is taken away": (BUNDLE, services(web={"ports": ["tcp/443"]}), [("loss", f"tcp {VIP}:80")]),
    "a range is wider": (
        services(web={"ports": ["tcp/80-90"]}),
        services(web={"ports": ["tcp/79-95"]}),
        [("exposure", f"tcp {VIP}:79,91-95")],
    ),
    "a protocol is another": (
        {},
        services(web={"ports": ["udp/80"]}),
        [("exposure", f"udp {VIP}:80"), ("loss", f"tcp {VIP}:80")],
    ),
    "the address is another": (
        {},
        {"addresses": {"www": {"ip": ["192.0.2.12"]}}},
        [("exposure", "tcp to 192.0.2.12:80"), ("loss", f"tcp {VIP}:80")],
    ),
    "a family is added": (
        {},
        DUAL,
        [("exposure", "tcp to 2001:db8::10 port 80")],
    ),
    "a service is added": ({}, SECOND, [("exposure", f"tcp {VIP}:8080")]),
    "a service is removed": (SECOND, services(other=None), [("loss", f"tcp {VIP}:8080")]),
    "another scheduler": ({}, services(web={"scheduler": "rr"}), [("treatment", f"tcp {VIP}:80")]),
    "persistence": ({}, services(web={"persistence": "5m"}), [("treatment", f"tcp {VIP}:80")]),
    "a longer persistence": (
        BUNDLE,
        services(web={"persistence": "6m"}),
        [("treatment", f"tcp {VIP}:80,443")],
    ),
    "a weight": (weights(1, 1), weights(1, 2), [("weights", f"tcp {VIP}:80")]),
    "a drain": (weights(1, 1), weights(1, 0), [("weights", f"tcp {VIP}:80")]),
    "one real server more": (weights(1, 1), weights(1, 1, 1), [("treatment", f"tcp {VIP}:80")]),
    "one real server less": (weights(1, 1), weights(1), [("treatment", f"tcp {VIP}:80")]),
    "a port of the real servers": (
        {},
        servers(port=8080),
        [("treatment", f"tcp {VIP}:80")],
    ),
    "another way to the real servers": (
        {},
        DIRECT,
        [("treatment", f"tcp {VIP}:80"), ("tracking", f"tcp {VIP}:80")],
    ),
    "a bundle is split": (
        BUNDLE,
        services(
            web={"ports": ["tcp/80"], "mark": 80},
            tls={"address": "www", "pool": "web", "ports": ["tcp/443"], "mark": 81, "persistence": "5m"},
        ),
        [("tying", f"tcp {VIP}:80"), ("tying", f"tcp {VIP}:443")],
    ),
    "two bundles are joined": (
        services(
            web={"ports": ["tcp/80"], "mark": 80, "persistence": "5m"},
            tls={"address": "www", "pool": "web", "ports": ["tcp/443"], "mark": 81, "persistence": "5m"},
        ),
        services(web={"ports": ["tcp/80", "tcp/443"]}, tls=None),
        [("tying", f"tcp {VIP}:80"), ("tying", f"tcp {VIP}:443")],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), CHANGES.values(), ids=CHANGES)
def test_exactly_the_packets_that_are_treated_differently(
    old: Layer, new: Layer, expected: list[tuple[str, str]]
) -> None:
    assert between(side(WEB, old), side(WEB, old, new)) == expected


@pytest.mark.parametrize("backend", ["iptables", "nftables"])
@pytest.mark.parametrize("layer", [BUNDLE, {**BUNDLE, **DIRECT}, SECOND], ids=["bundle", "direct", "two"])
def test_packets_cannot_tell_two_backends_apart(layer: Layer, backend: str) -> None:
    difference = compare(side(WEB, layer, backend="iptables"), side(WEB, layer, backend=backend))
    assert packets(difference) == []
    assert difference.unknown == ()
    assert (difference.rewritten > 0) == (backend == "nftables")


def test_weights_can_be_left_out() -> None:
    old, new = side(WEB, weights(1, 1)), side(WEB, weights(3, 0))
    difference = compare(old, new, ignore_weights=True)
    assert (difference.packets, difference.settings) == ((), ())


def test_what_both_directors_do_is_said_once() -> None:
    old, new = side(WEB, PAIR), side(WEB, PAIR, services(web={"scheduler": "rr"}))
    assert only(compare(old, new)).hosts == ("lvs1", "lvs2")


def test_a_change_names_both_treatments_their_lines_and_a_witness() -> None:
    change = only(compare(side(WEB), side(WEB, services(web={"scheduler": "rr"}))))
    assert change.before == "`web` (tcp 192.0.2.10:80): scheduler wlc"
    assert change.after == "`web` (tcp 192.0.2.10:80): scheduler rr"
    assert [origin.path[:2] for origin in (*change.before_origins, *change.after_origins)] == [
        ("services", "web"),
        ("services", "web"),
    ]
    assert str(change.witness) == "tcp 198.51.100.7:40000 -> 192.0.2.10:80"


def test_exposure_comes_before_loss_and_loss_before_the_rest() -> None:
    old = side(WEB, SECOND)
    new = side(
        WEB,
        services(
            web={"ports": ["tcp/81"], "mark": 80}, other={**SECOND["services"]["other"], "scheduler": "rr"}
        ),
    )
    assert [kind for kind, _ in between(old, new)] == ["exposure", "loss", "treatment"]


def test_a_port_that_is_kept_is_the_same_as_one_that_is_named() -> None:
    """One service of a mark for two ports: only where the packet's port is another does a named port translate."""
    selector = by_mark(5)
    ways = [marking(traffic(dst="192.0.2.10", dport=port), 5) for port in ("80", "8080")]
    kept, named = (
        of_nodes(*ways, service(selector), real_server(selector, "10.0.0.1", port)) for port in (0, 8080)
    )
    difference = compare(kept, named)
    assert packets(difference) == [("treatment", "tcp to 192.0.2.10:80")]


def test_a_port_21_service_takes_and_refuses_the_data_ports() -> None:
    selector = by_address("192.0.2.10", 21)
    server = real_server(selector, "10.0.0.1", 21)
    old, new = (of_nodes(service(selector, persistence=kept), server) for kept in (300, None))
    assert between(old, new) == [
        ("loss", "tcp to 192.0.2.10:20,1024-65535"),
        ("treatment", "tcp to 192.0.2.10:21"),
    ]


def test_a_mark_that_no_service_has_changes_no_packet_for_ipvs() -> None:
    stray = marking(traffic(dst="192.0.2.10", dport="80"), 5)
    assert between(of_nodes(), of_nodes(stray)) == []


def test_the_first_of_two_markings_decides() -> None:
    wide, narrow = (marking(traffic(dst="192.0.2.10", dport=p), m) for p, m in (("80-90", 5), ("80", 6)))
    both = [service(by_mark(5)), service(by_mark(6), persistence=300)]
    assert between(of_nodes(*both, wide, narrow), of_nodes(*both, narrow, wide)) == [
        ("treatment", "tcp to 192.0.2.10:80")
    ]
