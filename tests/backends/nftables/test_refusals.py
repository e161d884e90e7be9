from dataclasses import replace

import pytest

from lvsc.plugin import (
    Code,
    Diagnostic,
    Family,
    Hook,
    PacketRule,
    Portless,
    Protocol,
    Severity,
    State,
    TrafficClass,
)
from lvsc_nftables import codes, plugin, read_codes
from lvsc_nftables.backend import Nftables
from support.nodes import ORIGIN, accept, helper, marking, no_track, source_nat, traffic
from support.specs import Layer, errors, service, spec

from .cases import EVERYTHING, OUT, PEERS, TARGETS, VIP
from .conftest import InNamespace, MakePart

HOSTILE = (
    "",
    "a b",
    'web" : 1, 0.0.0.0/0 . tcp . 80 comment "',
    'web\ninclude "/etc/passwd"',
    "web; flush ruleset",
    "$web",
    "web#",
    "{ web }",
    "web\\",
    "-web",
    "wéb",
    "@marks_ip",
    "eth*",
)


def refused(part: MakePart, *nodes: PacketRule, target: str = "debian12") -> list[Diagnostic]:
    return list(Nftables().check(part(nodes, target)))


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_refused_that_can_be_said(target: str, part: MakePart) -> None:
    assert refused(part, *EVERYTHING, target=target) == []


@pytest.mark.parametrize("text", [*HOSTILE, "a" * 65])
def test_a_service_name_that_would_need_quoting_is_refused(text: str, part: MakePart) -> None:
    for node in (
        marking(traffic(dst=VIP, dport="80"), 80, text),
        helper(traffic(dst=VIP, dport="21"), "ftp", text),
        source_nat(traffic(OUT, src=VIP), VIP, text),
    ):
        (diagnostic,) = refused(part, node)
        assert diagnostic.code is codes.NAME
        assert "\n" not in diagnostic.message


@pytest.mark.parametrize("text", [*HOSTILE, "a" * 16, "9ftp"])
def test_a_helper_that_is_no_identifier_is_refused(text: str, part: MakePart) -> None:
    (diagnostic,) = refused(part, helper(traffic(dst=VIP, dport="21"), text))
    assert diagnostic.code is codes.NAME
    assert diagnostic.message.startswith("the conntrack helper `")


@pytest.mark.parametrize("text", [*HOSTILE, "a" * 16])
def test_an_interface_that_nft_would_take_for_something_else_is_refused(text: str, part: MakePart) -> None:
    (diagnostic,) = refused(part, marking(traffic(dst=VIP, interface=text)))
    assert diagnostic.code is codes.NAME
    assert diagnostic.message.startswith("the interface `")


@pytest.mark.parametrize(
    ("node", "code", "message"),
    [
        pytest.param(
            marking(traffic(Hook.FORWARD, dst=VIP)),
            codes.HOOK,
            "the nftables backend has no chain at the hook `forward` for what service `web` asks",
            id="marking at forward",
        ),
        pytest.param(
            helper(traffic(Hook.INPUT, dst=VIP)),
            codes.HOOK,
            "the nftables backend has no chain at the hook `input` for what service `files` asks",
            id="helper at input",
        ),
        pytest.param(
            source_nat(traffic(Hook.PREROUTING, src=VIP), VIP),
            codes.HOOK,
            "the nftables backend has no chain at the hook `prerouting` for what service `files` asks",
            id="source NAT at prerouting",
        ),
        pytest.param(
            source_nat(traffic(OUT, src=VIP, not_macs=PEERS), VIP),
            codes.CONDITION,
            "the source MAC address is not known at the hook `postrouting`",
            id="MAC address at postrouting",
        ),
        pytest.param(
            marking(traffic(Hook.OUTPUT, dst=VIP, not_macs=PEERS)),
            codes.CONDITION,
            "the source MAC address is not known at the hook `output`",
            id="MAC address at output",
        ),
        pytest.param(
            no_track(traffic(Hook.INPUT, dst=VIP)),
            codes.HOOK,
            "the nftables backend has no chain at the hook `input` for what service `web` asks",
            id="exemption from tracking at input",
        ),
        pytest.param(
            no_track(traffic(original_dst=VIP)),
            codes.CONDITION,
            "the original destination of a connection is not known before connection tracking",
            id="original destination before tracking",
        ),
        pytest.param(
            marking(traffic(dst=VIP, state=State.NEW)),
            codes.CONDITION,
            "the nftables backend looks at no connection's state, and at no protocol without ports",
            id="a connection's state",
        ),
        pytest.param(
            marking(traffic(dst=VIP, protocol=Portless.ICMP)),
            codes.CONDITION,
            "the nftables backend looks at no connection's state, and at no protocol without ports",
            id="a protocol without ports",
        ),
        pytest.param(
            replace(marking(traffic(dst=VIP)), reason='because\ninclude "/etc/passwd"'),
            codes.VALUE,
            'the reason `because\\ninclude "/etc/passwd"` is no comment of one line',
            id="reason of two lines",
        ),
        pytest.param(
            marking(traffic(dst=VIP, not_macs=("02:00:00:00:00:01 } accept",))),
            codes.VALUE,
            "`02:00:00:00:00:01 } accept` is no MAC address",
            id="MAC address that is none",
        ),
        pytest.param(marking(traffic(dst=VIP), 0), codes.VALUE, "`0` is no mark", id="mark 0"),
        pytest.param(
            marking(traffic(dst=VIP), 1 << 32), codes.VALUE, "`4294967296` is no mark", id="mark of 33 bits"
        ),
        pytest.param(
            marking(traffic(dst=VIP, family=Family.IPV6)),
            codes.VALUE,
            "`192.0.2.10/32` is no IPv6 address, but the rule is for IPv6",
            id="address of the other family",
        ),
        pytest.param(
            source_nat(traffic(OUT, src=VIP), "2001:db8::1"),
            codes.VALUE,
            "`2001:db8::1` is no IPv4 address, but the rule is for IPv4",
            id="new address of the other family",
        ),
        pytest.param(
            source_nat(traffic(OUT, src="fd00::1"), "fe80::1%eth0"),
            codes.VALUE,
            "`fe80::1%eth0` is no source address",
            id="new address with an interface",
        ),
        pytest.param(
            source_nat(traffic(OUT, src=VIP), "0.0.0.0"),  # noqa: S104 - nothing binds to it
            codes.VALUE,
            "`0.0.0.0` is no source address",
            id="unspecified new address",
        ),
    ],
)
def test_refusals(node: PacketRule, code: Code, message: str, part: MakePart) -> None:
    (diagnostic,) = refused(part, node)
    assert (diagnostic.code, diagnostic.message) == (code, message)
    assert diagnostic.place is not None
    assert diagnostic.place.origin == ORIGIN
    assert diagnostic.help


@pytest.mark.parametrize("target", TARGETS)
def test_two_answers_for_one_packet_are_refused(target: str, part: MakePart) -> None:
    found = refused(
        part,
        marking(traffic(dst=VIP, dport="80-90"), 80, "web"),
        marking(traffic(dst=VIP, dport="80-90"), 81, "shop"),
        marking(traffic(dst=VIP, dport="91"), 82, "blog"),
        target=target,
    )
    assert [(one.code, one.message) for one in found] == [
        (codes.CONFLICT, "services `shop` and `web` want different things for the same packets")
    ]


@pytest.mark.parametrize(
    ("packets", "rule"),
    [
        pytest.param(
            traffic(Hook.INPUT, dst=VIP, dport="80"),
            "ip daddr 192.0.2.10 tcp dport 80 accept",
            id="a port",
        ),
        pytest.param(
            traffic(Hook.FORWARD, src="2001:db8::/64", sport="1024-65535", protocol=Protocol.UDP),
            "ip6 saddr 2001:db8::/64 udp sport 1024-65535 accept",
            id="a network and a range",
        ),
        pytest.param(
            traffic(
                Hook.INPUT,
                interface="eth0",
                not_macs=PEERS,
                original_dst=VIP,
                original_dport="80",
                dport="8080",
            ),
            'iifname "eth0" ether saddr != { 02:00:00:00:00:01, 02:00:00:00:00:02 } '
            "ct original ip daddr 192.0.2.10 meta nfproto ipv4 "
            "ct direction original meta l4proto tcp ct original proto-dst 80 "
            "tcp dport 8080 accept",
            id="all conditions",
        ),
    ],
)
def test_an_accept_is_refused_with_the_rule_to_write_instead(
    packets: TrafficClass, rule: str, part: MakePart, in_namespace: InNamespace
) -> None:
    (diagnostic,) = refused(part, accept(packets))
    hook = packets.hook.value
    assert diagnostic.code is codes.ACCEPT
    assert diagnostic.message == "an accept would not overrule a drop in another nftables table"
    assert diagnostic.notes == (f"service `web` needs `{rule}` at the hook `{hook}`",)
    assert diagnostic.help is not None
    assert "--backend iptables" in diagnostic.help
    chain = f"table inet filter {{\n\tchain c {{\n\t\ttype filter hook {hook} priority 0; policy drop;\n\t\t{rule}\n\t}}\n}}\n"
    assert in_namespace("nft -f accept.nft", **{"accept.nft": chain}) == ""


@pytest.mark.parametrize(
    ("packets", "rule"),
    [
        pytest.param(
            traffic(Hook.INPUT, protocol=Portless.ICMPV6, family=Family.IPV6, state=State.RELATED),
            "meta nfproto ipv6 meta l4proto ipv6-icmp ct state related accept",
            id="errors",
        ),
        pytest.param(
            traffic(Hook.INPUT, src="192.0.2.3", dst="224.0.0.18", interface="eth0", protocol=Portless.VRRP),
            'iifname "eth0" ip saddr 192.0.2.3 ip daddr 224.0.0.18 meta l4proto vrrp accept',
            id="adverts",
        ),
    ],
)
def test_what_no_service_asks_for_by_itself_is_refused_too(
    packets: TrafficClass, rule: str, part: MakePart, in_namespace: InNamespace
) -> None:
    (diagnostic,) = refused(part, accept(packets, ""))
    assert diagnostic.notes == (f"the directors themselves need `{rule}` at the hook `input`",)
    chain = f"table inet filter {{ chain c {{ type filter hook input priority 0; {rule}; }}; }}\n"
    assert in_namespace("nft -f accept.nft", **{"accept.nft": chain}) == ""


def test_all_accepts_are_refused_at_once_at_the_key_that_asks_for_them(part: MakePart) -> None:
    accepts = {"80": "web", "443": "web", "8080-8089": "mail"}
    some = (accept(traffic(Hook.INPUT, dst=VIP, dport=port), name) for port, name in accepts.items())
    (diagnostic,) = refused(part, *some)
    assert sorted((note.split()[8], note.split()[1]) for note in diagnostic.notes) == [
        ("443", "`web`"),
        ("80", "`web`"),
        ("8080-8089", "`mail`"),
    ]
    two = service("mail", address="www", pool="web", ports=["tcp/25"])
    asking: Layer = {"cluster": {"accept": True, "backends": ["nftables"]}}
    assert set(errors(spec(two, asking))) == {("NFT001", "cluster.accept")}


def test_every_code_is_an_error_of_this_backend_and_explained() -> None:
    found = tuple(plugin.lvsc_codes())
    assert found == (*codes.ALL, *read_codes.ALL)
    for first, group in ((1, codes.ALL), (101, read_codes.ALL)):
        assert [code.id for code in group] == [f"NFT{first + number:03}" for number in range(len(group))]
    assert all(code.severity is Severity.ERROR and len(code.explanation) > 100 for code in found)


def test_the_plugin_provides_the_backend() -> None:
    assert isinstance(plugin.lvsc_backend(), Nftables)
