"""What a packet filter gives a packet is what the first rule that matches it says."""

from collections.abc import Hashable
from ipaddress import ip_address
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.graph.nodes import PacketRule
from lvsc.graph.traffic import TrafficClass
from lvsc.packets.diagram import Space, answer_at
from lvsc.packets.dimensions import Point, traffic_box
from lvsc.packets.effects import KINDS, effect, verdict
from lvsc.packets.sets import PacketSet
from support.nodes import accept, helper, marking, no_track, source_nat, traffic
from support.packets import corners, inside

TRAFFIC = st.builds(
    traffic,
    dst=st.sampled_from(["192.0.2.10", "192.0.2.0/24", "192.0.2.8/30", "2001:db8::10"]),
    dport=st.sampled_from([None, "80", "80-90", "443", "1-65535"]),
    sport=st.sampled_from([None, "20"]),
    interface=st.sampled_from([None, "eth0"]),
)


def first_match(rules: list[PacketRule], point: Point) -> Hashable:
    return next((verdict(rule) for rule in rules if inside(traffic_box(rule.traffic), point)), None)


@given(st.lists(st.builds(marking, TRAFFIC, st.sampled_from([80, 81, 82])), max_size=6))
def test_the_first_rule_that_matches_decides(rules: list[PacketRule]) -> None:
    found = effect(Space(), rules)
    for point in corners([traffic_box(rule.traffic) for rule in rules]):
        assert answer_at(found, point) == first_match(rules, point)


@given(st.lists(TRAFFIC, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_rules_that_say_the_same_is_free(classes: list[TrafficClass], random: Random) -> None:
    space = Space()
    rules = [marking(each) for each in classes]
    shuffled = list(rules)
    random.shuffle(shuffled)
    assert effect(space, rules) is effect(space, shuffled)


PACKETS = traffic(dst="192.0.2.10", dport="80")
RULES = {
    "mark": (marking(PACKETS, 80), 80),
    "helper": (helper(PACKETS, "ftp"), "ftp"),
    "tracking": (no_track(PACKETS), "NoTrack"),
    "accept": (accept(PACKETS), "Accept"),
    "source NAT": (source_nat(PACKETS, "192.0.2.10"), ip_address("192.0.2.10")),
}


@pytest.mark.parametrize(("rule", "expected"), RULES.values(), ids=RULES)
def test_each_kind_of_rule_says_what_it_gives(rule: PacketRule, expected: Hashable) -> None:
    assert type(rule) in KINDS
    found = effect(Space(), [rule])
    point = next(point for point in corners([traffic_box(PACKETS)]) if inside(traffic_box(PACKETS), point))
    assert answer_at(found, point) == expected


def test_the_mark_1_is_not_taken_for_true() -> None:
    space = Space()
    marked = effect(space, [marking(PACKETS, 1)])
    found = PacketSet.of_classes(space, [PACKETS])
    assert found.diagram is not marked
    assert found.witness() is not None


def test_no_rule_gives_nothing() -> None:
    space = Space()
    assert effect(space, []) is space.leaf(None)
