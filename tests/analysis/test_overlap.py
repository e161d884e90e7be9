"""The sweep is held against a naive look at every pair of claims."""

from collections.abc import Hashable
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.analysis.overlap import Claim, overlaps
from lvsc.graph.traffic import PortRange, Protocol, merge_ranges
from support.specs import DUAL, Layer, found, lowered_service, merged, reported, service, spec

OWNERS = [
    lowered_service(spec(service(name, address="www", pool="web", ports=[f"tcp/{port}"])), name)
    for name, port in (("a", 1), ("b", 2), ("c", 3))
]
# The same number in both families, so that only the family tells them apart.
ADDRESSES = [ip_address("0.0.0.10"), ip_address("::a")]

ranges = st.tuples(st.integers(1, 30), st.integers(0, 12)).map(
    lambda both: PortRange(both[0], both[0] + both[1])
)


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    """Claims as services make them: those of one service never share a packet."""
    made: list[Claim] = []
    for owner in OWNERS:
        for address in draw(st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=2)):
            for protocol in draw(
                st.lists(st.sampled_from([Protocol.TCP, Protocol.UDP]), unique=True, max_size=2)
            ):
                ports = merge_ranges(draw(st.lists(ranges, max_size=3)))
                made += [Claim(owner, address, protocol, one) for one in ports]
    return draw(st.permutations(made))


def holds(claim: Claim, other: Claim, port: int) -> bool:
    return (
        (claim.address, claim.protocol) == (other.address, other.protocol)
        and port in claim.ports
        and port in other.ports
    )


def key(claim: Claim) -> Hashable:
    return (claim.owner.service.name, claim.address, claim.protocol, claim.ports)


def place(claim: Claim) -> tuple[int, int]:
    return (claim.ports.first, -claim.ports.last)


def clash(one: Claim, other: Claim) -> bool:
    same = (one.address, one.protocol) == (other.address, other.protocol)
    return same and one.owner is not other.owner and one.ports.overlaps(other.ports)


@given(claims())
def test_an_overlap_is_found_where_a_packet_is_claimed_twice(some: list[Claim]) -> None:
    naive = any(clash(one, other) for one in some for other in some)
    assert bool(list(overlaps(some))) == naive


@given(claims())
def test_every_witness_is_claimed_by_both(some: list[Claim]) -> None:
    for one, other, port in overlaps(some):
        assert one.owner is not other.owner
        assert holds(one, other, port)


@given(claims())
def test_every_claim_that_clashes_with_an_earlier_one_is_named(some: list[Claim]) -> None:
    named = {key(claim) for one, other, _ in overlaps(some) for claim in (one, other)}
    alone = {key(claim) for claim in some if not any(clash(claim, other) for other in some)}
    assert not named & alone
    for claim in some:
        if any(clash(claim, earlier) and place(earlier) < place(claim) for earlier in some):
            assert key(claim) in named


@given(claims().flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_claims_means_nothing(both: tuple[list[Claim], list[Claim]]) -> None:
    def pairs(some: list[Claim]) -> set[tuple[frozenset[Hashable], int]]:
        return {(frozenset((key(one), key(other))), port) for one, other, port in overlaps(some)}

    assert pairs(both[0]) == pairs(both[1])


MARKED: Layer = service(mark=7)
TIED: Layer = service(persistence="5m", check={"type": "ping"})


def other(**keys: object) -> Layer:
    return service(
        "mail", **{"address": "www", "pool": "web", "ports": ["tcp/80"], "check": {"type": "ping"}, **keys}
    )


CLASHES: dict[str, tuple[str, str, Layer, Layer, str]] = {
    "two-marks": (
        "LVS401",
        "services.web",
        merged(MARKED, other(mark=8)),
        merged(MARKED, other(mark=8, ports=["udp/80"])),
        "tcp to 192.0.2.10:80",
    ),
    "mark-over-a-range": (
        "LVS401",
        "services.web",
        merged(MARKED, other(mark=8, ports=["tcp/1-1024"], persistence="5m")),
        merged(MARKED, other(mark=8, ports=["tcp/81-1024"], persistence="5m")),
        "tcp to 192.0.2.10:80",
    ),
    "mark-hides-an-address": (
        "LVS402",
        "services.web",
        other(mark=8),
        other(mark=8, ports=["tcp/81"]),
        "tcp to 192.0.2.10:80",
    ),
    "mark-over-all-ports-hides-an-address": (
        "LVS402",
        "services.web",
        other(mark=8, ports=["tcp/all"], persistence="5m"),
        other(ports=["tcp/all"], persistence="5m"),
        "tcp to 192.0.2.10:80",
    ),
    "one-address-and-port": (
        "LVS403",
        "services.web",
        other(),
        other(ports=["tcp/81"]),
        "tcp to 192.0.2.10:80",
    ),
    "all-ports-of-one-address": (
        "LVS403",
        "services.web",
        merged(TIED, service(ports=["tcp/all"]), other(ports=["tcp/all"], persistence="5m")),
        merged(TIED, service(ports=["tcp/all"]), other(ports=["udp/all"], persistence="5m")),
        "tcp to a port of 192.0.2.10 that no other service has",
    ),
    "ipv6": (
        "LVS403",
        "services.web",
        merged(DUAL, {"addresses": {"www": {"ip": ["2001:db8::10"]}}}, other()),
        merged(DUAL, {"addresses": {"www": {"ip": ["2001:db8::10"]}}}, other(ports=["tcp/81"])),
        "tcp to [2001:db8::10]:80",
    ),
}


@pytest.mark.parametrize(("code", "path", "wrong", "right", "witness"), CLASHES.values(), ids=CLASHES)
def test_packets_of_two_services(code: str, path: str, wrong: Layer, right: Layer, witness: str) -> None:
    assert found(spec(wrong)) == [(code, path)]
    assert reported(spec(wrong))[0].notes[0] == f"for example {witness}"
    assert found(spec(right)) == []


def test_two_services_that_overlap_in_several_places_are_told_so_once() -> None:
    wide = service(ports=["tcp/1-10", "tcp/15-18"], persistence="5m", check={"type": "ping"})
    assert found(spec(wide, other(ports=["tcp/5-20"], persistence="5m"))) == [("LVS401", "services.mail")]


def test_ftp_does_not_let_another_service_into_its_range() -> None:
    ftp = service("files", kind="ftp", address="www", pool="web", passive_ports="10000-20000")
    assert found(spec(ftp, service(ports=["tcp/15000"]))) == [("LVS402", "services.web")]
    assert found(spec(ftp, service(ports=["tcp/20001"]))) == []
