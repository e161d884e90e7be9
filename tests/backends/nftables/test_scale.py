"""Ten thousand services cost a moment to write and to load, and a packet no more rules than one service does."""

import json
import os

import pytest

from lvsc.plugin import PacketRule
from lvsc_nftables.backend import Nftables
from support.nodes import helper, marking, source_nat, traffic

from .cases import OUT, TARGETS
from .conftest import Emit, InNamespace, MakePart

SERVICES = 10_000


def services(count: int) -> list[PacketRule]:
    nodes: list[PacketRule] = []
    for number in range(count):
        vip, server = f"198.18.{number // 256}.{number % 256}", f"10.0.{number // 256}.{number % 256}"
        name = f"service-{number}"
        nodes += [
            marking(traffic(dst=vip, dport="80"), number + 1, name),
            marking(traffic(dst=vip, dport="10000-20000"), number + 1, name),
            helper(traffic(dst=vip, dport="21"), "ftp", name),
            source_nat(traffic(OUT, original_dst=vip, original_dport="80", dst=server), "10.0.255.254", name),
        ]
    return nodes


@pytest.mark.parametrize("target", TARGETS)
def test_the_number_of_rules_does_not_grow(target: str, ruleset: Emit, in_namespace: InNamespace) -> None:
    def rules(count: int) -> int:
        listed = in_namespace(
            "nft -f lvsc.nft\nnft -j list ruleset", **{"lvsc.nft": ruleset(services(count), target)}
        )
        return sum("rule" in entry for entry in json.loads(listed)["nftables"])

    assert rules(2) == rules(60) <= 4


def test_many_services_are_checked_and_written(part: MakePart) -> None:
    host = part(services(SERVICES))
    assert list(Nftables().check(host)) == []
    (ruleset, *_) = Nftables().emit(host).artifacts
    assert len(ruleset.lines) > 4 * SERVICES


@pytest.mark.parametrize("target", TARGETS)
def test_many_services_load(target: str, ruleset: Emit, in_namespace: InNamespace) -> None:
    if os.geteuid() != 0:
        pytest.skip("an unprivileged user's namespace takes no message of this size")
    text = ruleset(services(SERVICES), target)
    in_namespace("nft -f lvsc.nft", **{"lvsc.nft": text})
