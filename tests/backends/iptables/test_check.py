from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest

from lvsc.plugin import Family, Hook, HostPart, Marking, Node, PacketRule, State
from lvsc.targets import Target
from lvsc_iptables import codes
from lvsc_iptables.backend import Iptables
from support.nodes import accept, helper, marking, no_track, source_nat, traffic

MakePart = Callable[[Iterable[Node]], HostPart]

VIP = "192.0.2.10"
WEB = traffic(dst=VIP, dport="80")
OUT = Hook.POSTROUTING
MAC = ("02:00:00:00:00:0a",)
HOSTILE = [
    "",
    "web\nCOMMIT",
    'web" -j DROP',
    "web`id`",
    "$(id)",
    "web;",
    "-web",
    "# web",
    "{",
    "wéb",
    "a b",
    "x" * 65,
]


@pytest.mark.parametrize(
    ("node", "code", "words"),
    [
        pytest.param(marking(WEB, service="a b"), "IPT001", "service name `a b`", id="service"),
        pytest.param(helper(WEB, "ftp pasv"), "IPT001", "conntrack helper `ftp pasv`", id="helper"),
        pytest.param(
            helper(WEB, "x" * 16), "IPT001", "conntrack helper `xxxxxxxxxxxxxxxx`", id="long helper"
        ),
        pytest.param(
            marking(traffic(dst=VIP, interface="eth+")), "IPT001", "interface `eth+`", id="interface"
        ),
        pytest.param(
            marking(traffic(Hook.INPUT, dst=VIP)), "IPT002", "no marking at the hook `input`", id="marking"
        ),
        pytest.param(
            helper(traffic(Hook.OUTPUT, dst=VIP)),
            "IPT002",
            "no helper assignment at the hook `output`",
            id="CT",
        ),
        pytest.param(
            no_track(traffic(Hook.INPUT, dst=VIP)),
            "IPT002",
            "no exemption from connection tracking at the hook `input`",
            id="tracked before",
        ),
        pytest.param(
            source_nat(WEB, VIP), "IPT002", "no source NAT at the hook `prerouting`", id="source NAT"
        ),
        pytest.param(accept(WEB), "IPT002", "no accept at the hook `prerouting`", id="accept"),
        pytest.param(
            source_nat(traffic(OUT, dst=VIP, not_macs=MAC), VIP),
            "IPT003",
            "`postrouting`",
            id="MAC after routing",
        ),
        pytest.param(
            marking(traffic(Hook.OUTPUT, dst=VIP, not_macs=MAC)),
            "IPT003",
            "`output`",
            id="MAC of own packets",
        ),
        pytest.param(
            helper(traffic(original_dst=VIP)), "IPT003", "original destination", id="raw is before conntrack"
        ),
        pytest.param(
            no_track(traffic(dst=VIP, state=State.NEW)),
            "IPT003",
            "no exemption from",
            id="a state without an accept",
        ),
        pytest.param(
            helper(traffic(dst=VIP, original_dport="21")),
            "IPT003",
            "original destination",
            id="port likewise",
        ),
        pytest.param(
            no_track(traffic(original_dst=VIP)),
            "IPT003",
            "where the exemption from connection tracking stands",
            id="untracked before conntrack",
        ),
        pytest.param(
            no_track(traffic(Hook.OUTPUT, dst=VIP, not_macs=MAC)),
            "IPT003",
            "`output`",
            id="MAC of own untracked packets",
        ),
        pytest.param(
            marking(traffic(dst=VIP, family=Family.IPV6)), "IPT004", "`192.0.2.10/32` is no IPv6", id="family"
        ),
        pytest.param(source_nat(traffic(OUT, src=VIP), "::1"), "IPT004", "`::1` is no IPv4", id="new family"),
        pytest.param(marking(WEB, mark=0), "IPT005", "`0` is no mark", id="no mark"),
        pytest.param(marking(WEB, mark=2**32), "IPT005", "`4294967296` is no mark", id="mark too large"),
        pytest.param(
            marking(traffic(dst=VIP, not_macs=("02:00:00:00:00:0A",))),
            "IPT005",
            "is no MAC address",
            id="MAC",
        ),
        pytest.param(
            source_nat(traffic(OUT, src=VIP), "224.0.0.1"),
            "IPT005",
            "`224.0.0.1` is no source",
            id="multicast",
        ),
        pytest.param(
            source_nat(traffic(OUT, src="2001:db8::1"), "::"), "IPT005", "`::` is no source", id="unspecified"
        ),
        pytest.param(
            source_nat(traffic(OUT, src="2001:db8::1"), "fe80::1%eth0"),
            "IPT005",
            "names an interface",
            id="scope",
        ),
    ],
)
def test_refuses(part: MakePart, node: PacketRule, code: str, words: str) -> None:
    (diagnostic,) = Iptables().check(part([node]))
    assert diagnostic.code.id == code
    assert words in diagnostic.message
    assert diagnostic.place is not None
    assert diagnostic.place.origin == node.origin
    assert diagnostic.help


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_a_service_name_that_needs_quoting(part: MakePart, name: str) -> None:
    (diagnostic,) = Iptables().check(part([marking(WEB, service=name)]))
    assert diagnostic.code is codes.NAME
    assert "\n" not in diagnostic.message


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_a_helper_that_needs_quoting(part: MakePart, name: str) -> None:
    assert [diagnostic.code for diagnostic in Iptables().check(part([helper(WEB, name)]))] == [codes.NAME]


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_an_interface_that_needs_quoting(part: MakePart, name: str) -> None:
    node = marking(traffic(dst=VIP, interface=name))
    assert [diagnostic.code for diagnostic in Iptables().check(part([node]))] == [codes.NAME]


@pytest.mark.parametrize(
    "mac", ["", "02:00:00:00:00", "02-00-00-00-00-0a", "02:00:00:00:00:0a\n", "x -j DROP"]
)
def test_refuses_what_is_no_mac_address(part: MakePart, mac: str) -> None:
    node = marking(traffic(dst=VIP, not_macs=(mac,)))
    assert [diagnostic.code for diagnostic in Iptables().check(part([node]))] == [codes.VALUE]


def test_says_all_that_is_wrong(part: MakePart) -> None:
    nodes = [marking(traffic(dst=VIP, interface="eth+"), mark=0), accept(WEB)]
    found = {diagnostic.code.id for diagnostic in Iptables().check(part(nodes))}
    assert found == {"IPT001", "IPT005", "IPT002"}


def test_refuses_a_family_whose_programs_the_target_lacks(part: MakePart, openrc: Target) -> None:
    six = replace(part([marking(traffic(dst="2001:db8::10"))]), target=openrc)
    missing = [diagnostic.message for diagnostic in Iptables().check(six)]
    assert [message.split("`")[3] for message in missing] == [
        "ip6tables",
        "ip6tables-restore",
        "ip6tables-save",
    ]
    assert not list(Iptables().check(replace(six, graph=part([marking(WEB)]).graph)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedMarking(Marking):
    """What a plugin might add."""


def test_renders_exact_types_only() -> None:
    backend = Iptables()
    ours = marking(WEB)
    theirs = LoggedMarking(host=ours.host, origin=ours.origin, service="web", traffic=WEB, mark=1)
    rendered = [ours, helper(WEB), source_nat(WEB, VIP), accept(WEB)]
    assert [backend.renders(node) for node in rendered] == [True] * 4
    assert not backend.renders(theirs)


def test_each_code_is_explained() -> None:
    assert len({code.id for code in codes.ALL}) == len(codes.ALL)
    assert all(code.title and len(code.explanation) > 100 for code in codes.ALL)
