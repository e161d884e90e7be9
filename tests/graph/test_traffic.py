from ipaddress import ip_address, ip_network
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.graph.traffic import (
    ALL_PORTS,
    MAX_PORT,
    Family,
    Hook,
    PortRange,
    Protocol,
    TrafficClass,
    host_network,
    merge_ranges,
)

# A narrow window, so that ranges meet and touch often; its ends are the ends of the port numbers too.
_PORTS = st.one_of(st.integers(0, 30), st.integers(MAX_PORT - 5, MAX_PORT))
ranges = st.builds(lambda a, b: PortRange(min(a, b), max(a, b)), _PORTS, _PORTS)


def members(some: tuple[PortRange, ...] | list[PortRange]) -> set[int]:
    return {port for one in some for port in range(one.first, one.last + 1)}


@given(st.lists(ranges, max_size=6))
def test_merged_ranges_hold_the_same_ports(some: list[PortRange]) -> None:
    assert members(merge_ranges(some)) == members(some)


@given(st.lists(ranges, max_size=8))
def test_merged_ranges_are_sorted_and_do_not_touch(some: list[PortRange]) -> None:
    merged = merge_ranges(some)
    assert all(one.last + 1 < other.first for one, other in pairwise(merged))


@given(st.lists(ranges, max_size=8))
def test_merging_twice_changes_nothing(some: list[PortRange]) -> None:
    assert merge_ranges(merge_ranges(some)) == merge_ranges(some)


@given(ranges, ranges)
def test_ranges_overlap_where_they_share_a_port(one: PortRange, other: PortRange) -> None:
    assert one.overlaps(other) == other.overlaps(one) == bool(members([one]) & members([other]))


@given(ranges, _PORTS)
def test_a_range_holds_its_ports(one: PortRange, port: int) -> None:
    assert (port in one) == (port in members([one]))


@pytest.mark.parametrize(
    ("first", "last"), [(-1, 2), (5, 4), (1, 65536)], ids=["negative", "backwards", "too-high"]
)
def test_what_is_no_range_of_ports_cannot_be_made(first: int, last: int) -> None:
    with pytest.raises(ValueError, match=f"not a port range: {first}-{last}"):
        PortRange(first, last)


@pytest.mark.parametrize(
    ("ports", "text", "single", "every"),
    [
        (PortRange.one(80), "80", True, False),
        (PortRange(80, 90), "80-90", False, False),
        (PortRange(0, MAX_PORT), "0-65535", False, True),
        (ALL_PORTS, "1-65535", False, True),
        (PortRange(2, MAX_PORT), "2-65535", False, False),
        (PortRange(1, MAX_PORT - 1), "1-65534", False, False),
    ],
    ids=str,
)
def test_what_a_range_is(ports: PortRange, text: str, single: bool, every: bool) -> None:
    assert (str(ports), ports.single, ports.all) == (text, single, every)


@pytest.mark.parametrize(
    ("address", "family", "bits", "network"),
    [
        ("192.0.2.10", Family.IPV4, 32, "192.0.2.10/32"),
        ("2001:db8::10", Family.IPV6, 128, "2001:db8::10/128"),
    ],
)
def test_an_address_and_its_family(address: str, family: Family, bits: int, network: str) -> None:
    assert Family.of(ip_address(address)) is family
    assert family.bits == bits
    assert host_network(ip_address(address)) == ip_network(network)


def test_closed_sets_have_an_order() -> None:
    assert sorted(Family) == [Family.IPV4, Family.IPV6]
    assert [protocol.number for protocol in sorted(Protocol)] == [6, 17, 132]
    assert [hook.value for hook in sorted(Hook)] == [
        "forward",
        "input",
        "output",
        "postrouting",
        "prerouting",
    ]


addresses = st.sampled_from([None, *map(ip_network, ("192.0.2.0/24", "192.0.2.0/32", "192.0.2.1/32"))])
some_ports = st.sampled_from([None, PortRange.one(80), PortRange(80, 90), PortRange(0, 80)])
classes = st.builds(
    TrafficClass,
    hook=st.sampled_from(Hook),
    family=st.just(Family.IPV4),
    protocol=st.sampled_from(Protocol),
    source=addresses,
    destination=addresses,
    source_ports=some_ports,
    destination_ports=some_ports,
    not_source_macs=st.sampled_from([(), ("52:54:00:00:00:01",)]),
    interface=st.sampled_from([None, "eth0"]),
    original_destination=addresses,
    original_destination_ports=some_ports,
)


@given(classes, classes)
def test_only_equal_traffic_classes_have_equal_keys(one: TrafficClass, other: TrafficClass) -> None:
    assert (one.sort_key == other.sort_key) == (one == other)
    assert (one.sort_key < other.sort_key) or (one.sort_key > other.sort_key) or one == other
