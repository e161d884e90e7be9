"""The laws of sets, and agreement with the plainest reading of the conditions at every corner."""

from ipaddress import ip_network
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvsc.graph.traffic import Family, Protocol, TrafficClass
from lvsc.packets.diagram import Space, answer_at, first
from lvsc.packets.dimensions import REPLY, Box, Dimension, Packet, mac_number
from lvsc.packets.rules import first_match
from lvsc.packets.sets import PacketSet
from support.nodes import traffic
from support.packets import corners, inside, packet_boxes

BOXES = st.lists(packet_boxes(), max_size=5)


def union(space: Space, boxes: list[Box]) -> PacketSet:
    found = PacketSet.empty(space)
    for box in boxes:
        found |= PacketSet.of_box(space, box)
    return found


@settings(deadline=None, max_examples=60)
@given(BOXES)
def test_a_set_holds_a_packet_that_one_of_its_boxes_holds_and_no_other(boxes: list[Box]) -> None:
    found = union(Space(), boxes)
    for point in corners(boxes):
        assert (point in found) == any(inside(box, point) for box in boxes)


@settings(deadline=None, max_examples=60)
@given(BOXES, BOXES)
def test_operations_agree_with_their_meaning_at_every_corner(ones: list[Box], others: list[Box]) -> None:
    space = Space()
    one, other = union(space, ones), union(space, others)
    either, both, first_alone, not_one = one | other, one & other, one - other, ~one
    for point in corners([*ones, *others]):
        assert (point in either) == (point in one or point in other)
        assert (point in both) == (point in one and point in other)
        assert (point in first_alone) == (point in one and point not in other)
        assert (point in not_one) == (point not in one)


@settings(deadline=None, max_examples=60)
@given(BOXES, BOXES, BOXES)
def test_laws_of_set_algebra(ones: list[Box], others: list[Box], thirds: list[Box]) -> None:
    space = Space()
    a, b, c = union(space, ones), union(space, others), union(space, thirds)
    nothing, everything = PacketSet.empty(space), PacketSet.everything(space)
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)
    assert ~(a | b) == ~a & ~b
    assert ~(a & b) == ~a | ~b
    assert ~~a == a
    assert a - b == a & ~b
    assert a | a == a
    assert a & a == a
    assert a | (a & b) == a
    assert a | ~a == everything
    assert a & ~a == nothing
    assert a | nothing == a
    assert a & everything == a


@settings(deadline=None, max_examples=60)
@given(BOXES, st.randoms())
def test_equal_sets_are_one_diagram_whatever_they_were_built_from(boxes: list[Box], random: Random) -> None:
    space = Space()
    shuffled = list(boxes)
    random.shuffle(shuffled)
    one, other = union(space, boxes), union(space, shuffled)
    assert one.diagram is other.diagram
    assert union(space, list(one.boxes())).diagram is one.diagram
    assert hash(one) == hash(other)


@settings(deadline=None, max_examples=60)
@given(packet_boxes(), st.sampled_from(Dimension), st.data())
def test_a_box_cut_in_two_and_joined_is_the_same_set(
    box: Box, dimension: Dimension, data: st.DataObject
) -> None:
    space = Space()
    cut = data.draw(st.integers(0, dimension.top - 1))
    low = PacketSet.of_box(space, {dimension: ((0, cut),)})
    high = PacketSet.of_box(space, {dimension: ((cut + 1, dimension.top),)})
    whole = PacketSet.of_box(space, box)
    assert (whole & low) | (whole & high) == whole


@settings(deadline=None, max_examples=60)
@given(BOXES)
def test_only_the_empty_set_is_false_and_without_a_witness(boxes: list[Box]) -> None:
    found = union(Space(), boxes)
    point = found.point()
    assert bool(found) == bool(boxes)
    assert (point is not None) == bool(boxes)
    assert point is None or point in found
    assert (found.witness() is None) == (point is None)


@settings(deadline=None, max_examples=60)
@given(BOXES)
def test_boxes_are_disjoint_and_cover_the_set(boxes: list[Box]) -> None:
    space = Space()
    found = union(space, boxes)
    rest = found
    for box in found.boxes():
        part = PacketSet.of_box(space, box)
        assert part & rest == part, "two boxes meet, or one leaves the set"
        rest -= part
    assert not rest


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(packet_boxes(), st.sampled_from("abc")), max_size=6))
def test_rules_in_order_are_the_first_that_matches(rules: list[tuple[Box, str]]) -> None:
    space = Space()
    diagrams = [space.box(box, answer, None) for box, answer in rules]
    found = space.reduce(diagrams, first, None)
    assert first_match(space, rules) is found
    for point in corners([box for box, _ in rules]):
        expected = next((answer for box, answer in rules if inside(box, point)), None)
        assert answer_at(found, point) == expected


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 65535), st.sampled_from("abc")), max_size=40))
def test_rules_of_which_most_meet_most_others_are_the_first_that_matches(
    spans: list[tuple[int, int, str]],
) -> None:
    rules: list[tuple[Box, str]] = [
        ({Dimension.DESTINATION_PORT: ((min(a, b), max(a, b)),), Dimension.MARK: ((n, 2 * n + 1),)}, answer)
        for n, (a, b, answer) in enumerate(spans)
    ]
    space = Space()
    found = first_match(space, rules)
    assert found is space.reduce([space.box(box, answer, None) for box, answer in rules], first, None)


def test_sets_of_two_spaces_are_not_compared() -> None:
    with pytest.raises(ValueError, match="two spaces"):
        assert PacketSet.empty(Space()) == PacketSet.empty(Space())


def test_all_of_ipv4_is_no_condition() -> None:
    space = Space()
    halves = [traffic(dst="0.0.0.0/1", dport="80"), traffic(dst="128.0.0.0/1", dport="80")]
    anywhere = traffic(family=Family.IPV4, dport="80")
    assert PacketSet.of_classes(space, halves) == PacketSet.of_classes(space, [anywhere])


def test_all_of_ipv6_is_no_condition() -> None:
    space = Space()
    halves = [traffic(src="::/1"), traffic(src="8000::/1")]
    assert PacketSet.of_classes(space, halves) == PacketSet.of_classes(space, [traffic(family=Family.IPV6)])


def test_every_port_that_can_be_used_is_no_condition() -> None:
    space = Space()
    assert PacketSet.of_classes(space, [traffic(dport="1-65535")]) == PacketSet.of_classes(space, [traffic()])


ORIGINAL = {"address": traffic(original_dst="0.0.0.0/0"), "port": traffic(original_dport="0-65535")}


@pytest.mark.parametrize("condition", ORIGINAL.values(), ids=ORIGINAL)
def test_asking_for_an_original_destination_asks_for_the_original_direction(condition: TrafficClass) -> None:
    space = Space()
    asked = PacketSet.of_classes(space, [condition])
    replies = PacketSet.of_box(space, {Dimension.ORIGINAL_DESTINATION: ((REPLY, REPLY),)})
    anyway = PacketSet.of_classes(space, [traffic()])
    assert anyway - asked == anyway & replies
    witness = (anyway - asked).witness()
    assert witness is not None
    assert witness.original_destination is None


def test_excluded_mac_addresses_are_not_in_the_set() -> None:
    space = Space()
    peers = ("00:00:5e:00:53:01", "00:00:5e:00:53:02")
    anyway, allowed = (PacketSet.of_classes(space, [traffic(not_macs=macs)]) for macs in ((), peers))
    (excluded,) = (anyway - allowed).boxes()
    assert excluded[Dimension.SOURCE_MAC] == ((mac_number(peers[0]), mac_number(peers[1])),)


WITNESSES = {
    "an IPv4 class": (traffic(dst="192.0.2.10", dport="443"), "tcp 198.51.100.7:40000 -> 192.0.2.10:443"),
    "an IPv6 class": (
        traffic(dst="2001:db8::10", dport="443"),
        "tcp [2001:db8:ffff::7]:40000 -> [2001:db8::10]:443",
    ),
    "a source that leaves the usual one out": (
        traffic(src="203.0.113.0/24", dst="192.0.2.10", dport="53", protocol=Protocol.UDP),
        "udp 203.0.113.0:40000 -> 192.0.2.10:53",
    ),
    "a source port": (traffic(sport="20", src="10.0.0.1"), "tcp 10.0.0.1:20 -> 192.0.2.10:80"),
    "all ports": (traffic(dst="192.0.2.10", dport="1-65535"), "tcp 198.51.100.7:40000 -> 192.0.2.10:80"),
}


@pytest.mark.parametrize(("packets", "expected"), WITNESSES.values(), ids=WITNESSES)
def test_a_witness_is_as_ordinary_as_the_set_allows(packets: TrafficClass, expected: str) -> None:
    witness = PacketSet.of_classes(Space(), [packets]).witness()
    assert isinstance(witness, Packet)
    assert (str(witness), witness.mark) == (expected, 0)


def test_a_witness_says_its_mark() -> None:
    witness = PacketSet.of_box(Space(), {Dimension.MARK: ((21, 21),)}).witness()
    assert str(witness) == "tcp 198.51.100.7:40000 -> 192.0.2.10:80 mark 21"


def test_a_witness_comes_in_by_an_ordinary_interface_that_is_not_excluded() -> None:
    space = Space()
    found = PacketSet.of_classes(space, [traffic()]) - PacketSet.of_classes(
        space, [traffic(interface="eth0")]
    )
    witness = found.witness()
    assert witness is not None
    assert witness.interface == "eth1"


def test_networks_become_their_addresses() -> None:
    space = Space()
    found = PacketSet.of_classes(space, [traffic(dst="192.0.2.0/24")])
    first, last = next(iter(found.boxes()))[Dimension.DESTINATION][0]
    network = ip_network("192.0.2.0/24")
    assert (first, last) == (int(network[0]), int(network[-1]))
