"""What the kernel holds after nft has loaded the file is what the nodes say."""

import random

import pytest

from lvsc.plugin import HelperAssignment, Hook, Marking, NoTrack, PacketRule, SourceNat
from lvsc_nftables.backend import Nftables

from .cases import EVERYTHING, PEERS, TARGETS
from .conftest import Emit, InNamespace, MakePart
from .listing import Listing, Outcome, Packet, matches, witnesses

LOAD = "nft -f lvsc.nft\n"


def expected(nodes: tuple[PacketRule, ...], packet: Packet, hook: Hook) -> Outcome:
    outcome = Outcome()
    for node in nodes:
        if node.traffic.hook is hook and matches(node.traffic, packet):
            match node:
                case NoTrack():
                    outcome.tracked = False
                case Marking():
                    outcome.mark = node.mark
                case HelperAssignment():
                    outcome.helper = node.helper
                case SourceNat():
                    outcome.source = str(node.address)
    return outcome


@pytest.mark.parametrize("target", TARGETS)
def test_each_packet_gets_what_the_nodes_say(target: str, ruleset: Emit, in_namespace: InNamespace) -> None:
    listing = Listing.parse(
        in_namespace(LOAD + "nft -j list ruleset", **{"lvsc.nft": ruleset(EVERYTHING, target)})
    )
    judged = 0
    for node in EVERYTHING:
        for packet in witnesses(node.traffic, PEERS):
            hook = node.traffic.hook
            assert listing.judge(packet, hook) == expected(EVERYTHING, packet, hook), packet
            judged += 1
    assert judged > 500


@pytest.mark.parametrize("target", TARGETS)
def test_a_second_load_says_nothing_and_changes_nothing(
    target: str, ruleset: Emit, in_namespace: InNamespace
) -> None:
    script = f"{LOAD}nft list ruleset > first\n{LOAD}nft list ruleset > second\ncmp first second"
    assert in_namespace(script, **{"lvsc.nft": ruleset(EVERYTHING, target)}) == ""


def test_nft_lists_the_rules_as_they_were_written(ruleset: Emit, in_namespace: InNamespace) -> None:
    text = ruleset(EVERYTHING)
    listed = in_namespace(LOAD + "nft list ruleset", **{"lvsc.nft": text})
    assert listed[listed.index("\tchain ") :] == text[text.index("\tchain ") :]


def test_every_element_names_its_service(ruleset: Emit, in_namespace: InNamespace) -> None:
    listed = in_namespace(LOAD + "nft -j list ruleset", **{"lvsc.nft": ruleset(EVERYTHING)})
    assert Listing.parse(listed).comments() == {f"service {node.service}" for node in EVERYTHING}


@pytest.mark.parametrize("target", TARGETS)
def test_removal_leaves_what_others_loaded(target: str, part: MakePart, in_namespace: InNamespace) -> None:
    emission = Nftables().emit(part(EVERYTHING, target))
    ((_, removal),) = emission.steps[0].unload
    script = f"""
        nft 'table inet lvscx {{ chain c {{ counter; }}; }}; table ip nat {{ chain c {{ counter; }}; }}'
        nft list ruleset > before
        nft -f lvsc.nft
        nft '{removal}'
        nft '{removal}'
        nft list ruleset > after
        cmp before after"""
    in_namespace(script, **{"lvsc.nft": emission.artifacts[0].text})


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_no_longer_wanted_goes(target: str, ruleset: Emit, in_namespace: InNamespace) -> None:
    script = "nft -f old.nft\nnft -f lvsc.nft\nnft list ruleset > after\nnft flush ruleset\nnft -f lvsc.nft\nnft list ruleset | cmp - after"
    in_namespace(
        script, **{"old.nft": ruleset(EVERYTHING, target), "lvsc.nft": ruleset(EVERYTHING[:1], target)}
    )


@pytest.mark.parametrize("target", TARGETS)
def test_the_order_of_the_nodes_does_not_show(target: str, ruleset: Emit) -> None:
    text = ruleset(EVERYTHING, target)
    for seed in range(5):
        shuffled = list(EVERYTHING)
        random.Random(seed).shuffle(shuffled)  # noqa: S311 - no secret depends on it
        assert ruleset(shuffled, target) == text
