"""Generated changes of specs: a packet is reported if, and only if, an interpreter of both graphs treats it differently."""

from ipaddress import ip_address
from itertools import groupby
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from lvsc.compare.changes import ChangeKind
from lvsc.compare.difference import compare
from lvsc.compare.sides import of_compiled
from lvsc.compile import Compiled, Options
from lvsc.diagnostics import DiagnosticError
from lvsc.graph.nodes import Node, Selector, VirtualService
from support.lookup import Sent, becomes, found_by, sent
from support.packets import inside
from support.specs import compile_text, spec

VIPS = ["192.0.2.10", "192.0.2.11"]
PORTS = (20, 21, 22, 79, 80, 81, 85, 90, 91, 443, 1023, 1024, 8080, 65535)
PACKETS = sent(map(ip_address, VIPS), [ip_address("198.51.100.7")], PORTS)
#: What the interpreter sees of a packet; the rest is about what becomes of others, or of its connection.
SEEN = {ChangeKind.EXPOSURE, ChangeKind.LOSS, ChangeKind.TREATMENT, ChangeKind.WEIGHTS}

ATOMS = ("tcp/80", "tcp/443", "tcp/81-90", "udp/80", "tcp/8080", "tcp/21")
FEATURES = st.fixed_dictionaries(
    {},
    optional={"persistence": st.sampled_from(["5m", "6m"]), "scheduler": st.sampled_from(["rr", "wlc"])},
)


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    """Services of which no two have a port or a mark in common."""
    ports: dict[str, list[str]] = {}
    for address, names in (("www", ("web", "shop", None)), ("alt", ("mail", None))):
        for atom in ATOMS:
            name = draw(st.sampled_from(names))
            if name is not None:
                ports.setdefault(f"{name} {address}", []).append(atom)
    if draw(st.booleans()):
        ports["mail alt"] = ["tcp/1-65535"]
    marks = draw(st.permutations([80, 81, 82]))
    found: dict[str, Any] = {}
    for key, mark in zip(ports, marks, strict=False):
        name, address = key.split()
        own: dict[str, Any] = {
            "address": address,
            "pool": draw(st.sampled_from(["web", "api"])),
            "ports": ports[key],
        }
        if draw(st.booleans()):
            own["mark"] = mark
        found[name] = {**own, **draw(FEATURES)}
    return found or {"web": {"address": "www", "pool": "web", "ports": ["tcp/80"]}}


SPECS = st.fixed_dictionaries(
    {
        "services": services(),
        "weight": st.integers(1, 2),
        "port": st.sampled_from([None, None, None, 8080]),
        "forwarding": st.sampled_from(["nat", "direct"]),
    }
)


def _persistent(values: dict[str, Any]) -> dict[str, Any]:
    kept = {name: {**keys, "persistence": "5m"} for name, keys in values["services"].items()}
    return {**values, "services": kept}


def compiled(values: dict[str, Any], backend: str) -> Compiled | None:
    """The spec, or None where it has errors."""
    port = {} if values["port"] is None or values["forwarding"] != "nat" else {"port": values["port"]}
    pools = {
        name: {
            "check": "none",
            "real_servers": [{"name": f"{name}1", "ip": [ip], "weight": values["weight"], **port}],
        }
        for name, ip in (("web", "192.0.2.21"), ("api", "192.0.2.22"))
    }
    tables: dict[str, Any] = {
        "cluster": {"forwarding": values["forwarding"]},
        "addresses": {"alt": {"network": "lan", "ip": VIPS[1:]}},
        "services": {"web": None, **values["services"]},
    }
    try:
        return compile_text(
            spec({"pools": {"web": None}}, {"pools": pools}, tables), Options(backends=(backend,))
        )
    except DiagnosticError:
        return None


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(SPECS, SPECS, st.data())
def test_a_packet_is_reported_if_and_only_if_it_is_treated_differently(
    first: dict[str, Any], second: dict[str, Any], data: st.DataObject
) -> None:
    if data.draw(st.booleans()):
        second = {**first, "services": second["services"]}
    old, new = (
        compiled(values, data.draw(st.sampled_from(["iptables", "nftables"]))) for values in (first, second)
    )
    if old is None or new is None:
        event("has errors")
        return
    difference = compare(of_compiled("old", old), of_compiled("new", new))
    event("differs" if difference.packets else "the same")
    olds, news = (list(each.lowered.graph.hosts["lvs1"]) for each in (old, new))
    changes = [change for change in difference.packets if change.kind in SEEN]
    for packet in PACKETS:
        told = [change for change in changes if any(inside(box, packet.point) for box in change.boxes)]
        differs = becomes(olds, packet) != becomes(news, packet)
        assert len(told) == differs, (packet, told)
        for change in told:
            assert (change.kind is ChangeKind.EXPOSURE) == (
                becomes(olds, packet) in (None, "refused") and becomes(news, packet) not in (None, "refused")
            )
    for change in changes:
        witness = Sent.of(change.witness)
        assert becomes(olds, witness) != becomes(news, witness)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(SPECS.map(_persistent), SPECS.map(_persistent))
def test_bundles_are_reported_as_tied_differently_if_and_only_if_two_packets_are(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    old, new = (compiled(values, "nftables") for values in (first, second))
    if old is None or new is None:
        event("has errors")
        return
    difference = compare(of_compiled("old", old), of_compiled("new", new))
    told = any(change.kind is ChangeKind.TYING for change in difference.packets)
    event("tied differently" if told else "tied alike")
    olds, news = (list(each.lowered.graph.hosts["lvs1"]) for each in (old, new))
    pairs = {(kept(olds, packet), kept(news, packet)) for packet in PACKETS}
    both = [pair for pair in pairs if None not in pair]
    assert told == any(
        len(list(group)) > 1
        for side in (0, 1)
        for _, group in groupby(sorted(both, key=lambda p: repr(p[side])), key=lambda p: p[side])
    )


def kept(nodes: list[Node], packet: Sent) -> Selector | None:
    """The bundle whose connections go with the packet's; None where it is kept to nothing."""
    found = found_by(nodes, packet)
    if found is None or found[0] == "refused":
        return None
    service = next(node for node in nodes if isinstance(node, VirtualService) and node.selector == found[1])
    return found[1] if service.persistence else None


@pytest.mark.parametrize("backend", ["iptables", "nftables"])
def test_the_specs_compile_often_enough(backend: str) -> None:
    values = {
        "services": {"web": {"address": "www", "pool": "web", "ports": ["tcp/80"], "mark": 80}},
        "weight": 1,
        "port": 8080,
        "forwarding": "nat",
    }
    assert compiled(values, backend) is not None
