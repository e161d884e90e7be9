from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.graph.nodes import AddressSelector, MarkSelector, Selector
from lvsc.graph.traffic import Family, PortRange, Protocol
from lvsc.lowering.plan import Plan, ServicePort
from lvsc.lowering.selection import normal_ports
from support.specs import DIRECT, DUAL, PAIR, Layer, lowered_service, merged, servers, service, spec

MARK = 99


def by_mark(*families: int) -> list[Selector]:
    return [MarkSelector(MARK, Family(family)) for family in families]


def by_address(port: int = 80, protocol: Protocol = Protocol.TCP, ip: str = "192.0.2.10") -> Selector:
    return AddressSelector(protocol, ip_address(ip), port)


TWO_ADDRESSES: Layer = {"addresses": {"www": {"ip": ["192.0.2.10", "192.0.2.12"]}}}
ONE_MARK: Layer = {"cluster": {"marks": {"first": MARK, "last": MARK}}}
TIED: Layer = service(persistence="5m", check={"type": "ping"})
MACS: Layer = {
    "directors": {
        "lvs1": {"macs": {"lan": "52:54:00:00:00:01"}},
        "lvs2": {"macs": {"lan": "52:54:00:00:00:02"}},
    }
}
BOTH: Layer = servers({"name": "lvs1", "ip": ["192.0.2.2"]}, {"name": "lvs2", "ip": ["192.0.2.3"]})
SYNC: Layer = {"connection_sync": {"network": "lan", "id": 1}}

CASES = {
    "one-port": ((), [by_address()], "one port of one address"),
    "one-udp-port": (
        (service(ports=["udp/53"], check="none"),),
        [by_address(53, Protocol.UDP)],
        "one port of one address",
    ),
    "one-sctp-port": (
        (service(ports=["sctp/9"], check="none"),),
        [by_address(9, Protocol.SCTP)],
        "one port of one address",
    ),
    "one-port-twice": ((service(ports=["tcp/80", "tcp/80-80"]),), [by_address()], "one port of one address"),
    "dual-stack": (
        (DUAL,),
        [by_address(), by_address(ip="2001:db8::10")],
        "one port of one address a family",
    ),
    "all-ports-persistent": (
        (TIED, service(ports=["tcp/all"])),
        [by_address(0)],
        "all ports, with persistence,",
    ),
    "whole-range-persistent": (
        (TIED, service(ports=["tcp/1-65535"])),
        [by_address(0)],
        "all ports, with persistence,",
    ),
    "all-ports": (
        (TIED, service(ports=["tcp/all"], persistence=None)),
        by_mark(4),
        "all ports without persistence",
    ),
    "two-ports": ((TIED, service(ports=["tcp/80", "tcp/443"])), by_mark(4), "several ports"),
    "two-ports-that-touch": ((TIED, service(ports=["tcp/80", "tcp/81"])), by_mark(4), "several ports"),
    "range": ((TIED, service(ports=["tcp/80-90"])), by_mark(4), "several ports"),
    "two-protocols": ((service(ports=["tcp/53", "udp/53"]),), by_mark(4), "2 protocols"),
    "all-ports-of-two-protocols": ((TIED, service(ports=["tcp/all", "udp/all"])), by_mark(4), "2 protocols"),
    "two-addresses": ((TWO_ADDRESSES,), by_mark(4), "several addresses of a family"),
    "said": ((service(mark=MARK),), by_mark(4), f"`mark = {MARK}`"),
    "dual-stack-by-mark": ((DUAL, service(mark=MARK)), by_mark(4, 6), f"`mark = {MARK}`"),
    "director-as-real-server": ((PAIR, DIRECT, MACS, BOTH), by_mark(4), "only marks see MACs"),
    "director-as-real-server-with-sync": (
        (PAIR, DIRECT, SYNC, BOTH),
        [by_address()],
        "one port of one address",
    ),
    "director-as-real-server-by-nat": (
        (PAIR, MACS, BOTH, service(source_nat=True)),
        [by_address()],
        "one port of one address",
    ),
    "ftp": ((service(kind="ftp", ports=None),), [by_address(21)], "one port of one address"),
    "ftp-with-range": (
        (service(kind="ftp", ports=None, passive_ports="10000-20000"),),
        by_mark(4),
        "data connections must follow",
    ),
}


@pytest.mark.parametrize(("layers", "selectors", "reason"), CASES.values(), ids=CASES)
def test_how_ipvs_knows_a_service(layers: tuple[Layer, ...], selectors: list[Selector], reason: str) -> None:
    found = lowered_service(spec(ONE_MARK, *layers))
    assert list(found.selectors()) == selectors
    assert any(reason in said for said in found.reasons), found.reasons


def test_every_reason_for_a_mark_is_kept() -> None:
    layers = merged(ONE_MARK, TWO_ADDRESSES, TIED, service(mark=MARK, ports=["tcp/80", "udp/80"]))
    assert lowered_service(spec(layers)).reasons == (
        "the spec says `mark = 99`",
        "it balances 2 protocols, and an address service has one",
        "it has several addresses of a family, and an address service has one",
    )


ports = st.builds(
    lambda protocol, a, b: ServicePort(protocol, PortRange(min(a, b), max(a, b))),
    st.sampled_from(Protocol),
    st.integers(1, 40),
    st.integers(1, 40),
)


@given(st.lists(ports, max_size=6))
def test_ports_are_sorted_and_none_is_there_twice(some: list[ServicePort]) -> None:
    normal = normal_ports(Plan(ports=tuple(some)))
    assert list(normal) == sorted(normal)
    assert {(p.protocol, n) for p in normal for n in range(p.ports.first, p.ports.last + 1)} == {
        (p.protocol, n) for p in some for n in range(p.ports.first, p.ports.last + 1)
    }
    assert sum(p.ports.last - p.ports.first + 1 for p in normal) == len(
        {(p.protocol, n) for p in some for n in range(p.ports.first, p.ports.last + 1)}
    )


@given(st.lists(ports, max_size=6).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_ports_means_nothing(both: tuple[list[ServicePort], list[ServicePort]]) -> None:
    one, other = both
    assert normal_ports(Plan(ports=tuple(one))) == normal_ports(Plan(ports=tuple(other)))
