"""What the reader makes of rulesets: lvsc's tables, other people's, and what it does not understand or finds without effect."""

import json

import pytest

from lvsc.plugin import Family, Hook, Marking, PacketRule, Protocol, Reading, Source, Touch
from lvsc_nftables.backend import Nftables
from support.nodes import HOST, helper, marking, no_track, source_nat, traffic

from .conftest import InNamespace

VIP = "192.0.2.10"
EVERYTHING = frozenset(Touch) - {Touch.BALANCE}
PREROUTING = "type filter hook prerouting priority mangle; policy accept;"
OUTPUT = "type route hook output priority mangle; policy accept;"
RAW = "type filter hook prerouting priority raw; policy accept;"
POSTROUTING = "type nat hook postrouting priority srcnat - 10; policy accept;"
MARKS = "map m { type ipv4_addr . inet_proto . inet_service : mark; flags interval; elements = { 192.0.2.10 . tcp . 80-90 : 80 } }"
LOOKED_UP = "meta mark set ip daddr . meta l4proto . th dport map @m"
FTP = 'ct helper h { type "ftp" protocol tcp; l3proto ip; }'


def read(text: str) -> Reading:
    return Nftables().read(Source(host=HOST, file="rules.nft", text=text))


def own(base: str, *rules: str, more: str = "", family: str = "inet") -> Reading:
    """The reading of lvsc's table with one base chain."""
    body = "\n".join(rules)
    return read(f"table {family} lvsc {{\n{more}\nchain c {{\n{base}\n{body}\n}}\n}}\n")


def codes(reading: Reading) -> list[str]:
    return [problem.code.id for problem in reading.problems]


def lines(reading: Reading) -> list[tuple[str, int | None]]:
    return [(p.code.id, p.place.origin.line) for p in reading.problems if p.place is not None]


# --- rules of lvsc's -----------------------------------------------------------------------------------------------------

BOTH = tuple(Family)
UNDERSTOOD: dict[str, tuple[str, str, str, tuple[PacketRule, ...]]] = {
    "a plain mark": (
        PREROUTING,
        "ip daddr 192.0.2.10 tcp dport 80 meta mark set 80",
        "",
        (marking(traffic(dst=VIP, dport="80")),),
    ),
    "several ports": (
        PREROUTING,
        'ip daddr 192.0.2.10 udp dport { 80,\n 90-99 } meta mark set 0x50 comment "service web"',
        "",
        tuple(marking(traffic(dst=VIP, dport=p, protocol=Protocol.UDP)) for p in ("80", "90-99")),
    ),
    "both families": (
        PREROUTING,
        "meta l4proto tcp th dport 80 meta mark set 80",
        "",
        tuple(marking(traffic(dport="80", family=family)) for family in BOTH),
    ),
    "one family": (
        PREROUTING,
        "meta nfproto ipv6 sctp sport 80 meta mark set 80",
        "",
        (marking(traffic(sport="80", family=Family.IPV6, protocol=Protocol.SCTP)),),
    ),
    "the family of the original destination": (
        PREROUTING,
        "ct direction original ct original ip6 daddr 2001:db8::/32 meta l4proto tcp meta mark set 80",
        "",
        (marking(traffic(original_dst="2001:db8::/32")),),
    ),
    "counters": (
        PREROUTING,
        "ip daddr 192.0.2.10 meta l4proto tcp counter packets 1 bytes 2 meta mark set 80",
        "",
        (marking(traffic(dst=VIP)),),
    ),
    "a map": (PREROUTING, LOOKED_UP, MARKS, (marking(traffic(dst=VIP, dport="80-90")),)),
    "a set": (
        PREROUTING,
        "tcp dport . ip daddr @s meta mark set 80",
        "set s { type inet_service . ipv4_addr; elements = { 80 . 192.0.2.10 } }",
        (marking(traffic(dst=VIP, dport="80")),),
    ),
    "a map behind an interface": (
        PREROUTING,
        f'iifname "eth0" {LOOKED_UP}',
        MARKS,
        (marking(traffic(dst=VIP, dport="80-90", interface="eth0")),),
    ),
    "senders that return": (
        PREROUTING,
        f"ether saddr {{ 02:00:00:00:00:0B, 02:00:00:00:00:0a }} return\n{LOOKED_UP}",
        MARKS,
        (marking(traffic(dst=VIP, dport="80-90", not_macs=("02:00:00:00:00:0a", "02:00:00:00:00:0b"))),),
    ),
    "a jump": (
        PREROUTING,
        "ether saddr 02:00:00:00:00:0a return\njump d",
        f"{MARKS}\nchain d {{ {LOOKED_UP}; }}",
        (marking(traffic(dst=VIP, dport="80-90", not_macs=("02:00:00:00:00:0a",))),),
    ),
    "a helper": (
        PREROUTING,
        'ip daddr 192.0.2.10 tcp dport 21 ct helper set "h"',
        FTP,
        (helper(traffic(dst=VIP, dport="21")),),
    ),
    "a helper for what its object is for": (
        PREROUTING,
        'tcp dport 21 ct helper set "h"',
        FTP,
        (helper(traffic(dport="21")),),
    ),
    "no tracking": (RAW, "ip daddr 192.0.2.10 meta l4proto tcp notrack", "", (no_track(traffic(dst=VIP)),)),
    "at output": (
        OUTPUT,
        "ip daddr 192.0.2.10 meta l4proto tcp meta mark set 80",
        "",
        (marking(traffic(Hook.OUTPUT, dst=VIP)),),
    ),
    "source NAT": (
        POSTROUTING,
        'oifname "eth0" meta l4proto tcp ct direction original snat ip to 192.0.2.9',
        "",
        (source_nat(traffic(Hook.POSTROUTING, interface="eth0", original_dst="0.0.0.0/0"), "192.0.2.9"),),
    ),
    "another hook": (
        "type filter hook input priority filter;",
        "ip daddr 192.0.2.10 meta l4proto tcp meta mark set 80",
        "",
        (marking(traffic(Hook.INPUT, dst=VIP)),),
    ),
}


@pytest.mark.parametrize(("base", "rule", "more", "nodes"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_rules_are_nodes(base: str, rule: str, more: str, nodes: tuple[PacketRule, ...]) -> None:
    reading = own(base, rule, more=more)
    assert (reading.problems, reading.foreign) == ((), ())
    assert set(reading.nodes) == set(nodes)


@pytest.mark.parametrize(("base", "rule", "more", "nodes"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_what_the_kernel_has_of_them_is_the_same(
    base: str, rule: str, more: str, nodes: tuple[PacketRule, ...], in_namespace: InNamespace
) -> None:
    text = f"table inet lvsc {{\n{more}\nchain c {{\n{base}\n{rule}\n}}\n}}\n"
    for command in ("list", "-j list"):
        reading = read(in_namespace(f"nft -f own.nft\nnft {command} ruleset", **{"own.nft": text}))
        assert (reading.problems, reading.foreign) == ((), ())
        assert set(reading.nodes) == set(nodes)


def test_a_node_says_its_service_and_its_place() -> None:
    marks = MARKS.replace(" : 80", ' comment "service web" : 80')
    (node,) = own(PREROUTING, LOOKED_UP, more=marks).nodes
    assert isinstance(node, PacketRule)
    assert node.service == "web"
    assert (node.origin.file, node.origin.line, node.origin.column) == (
        "rules.nft",
        2,
        marks.index("192") + 1,
    )


@pytest.mark.parametrize(("family", "rule"), [("ip", "tcp dport 80"), ("ip6", "tcp dport 80")])
def test_a_table_of_one_family_is_for_its_packets(family: str, rule: str) -> None:
    (node,) = own(PREROUTING, f"{rule} meta mark set 80", family=family).nodes
    assert isinstance(node, PacketRule)
    assert node.traffic.family is (Family.IPV4 if family == "ip" else Family.IPV6)


def test_of_marks_the_last_rule_decides() -> None:
    reading = own(
        PREROUTING,
        *(f"ip daddr 192.0.2.10 tcp dport {p} meta mark set {m}" for p, m in (("1-99", 1), ("80", 2))),
    )
    assert reading.nodes == (
        marking(traffic(dst=VIP, dport="80"), 2),
        marking(traffic(dst=VIP, dport="1-99"), 1),
    )


NOT_UNDERSTOOD = {
    "a word": "frobnicate",
    "a condition alone": "tcp dport 80",
    "an accept": "tcp dport 80 accept",
    "a negation": "tcp dport != 80 meta mark set 80",
    "a part of the mark": "tcp dport 80 meta mark set meta mark and 0xff",
    "no mark": "tcp dport 80 meta mark set 0",
    "a mark that is too large": "tcp dport 80 meta mark set 0x100000000",
    "another thing set": "tcp dport 80 meta priority set 1:1",
    "every protocol": "ip daddr 192.0.2.10 meta mark set 80",
    "another protocol": "meta l4proto icmp meta mark set 80",
    "a port's name": "tcp dport http meta mark set 80",
    "two conditions on one field": "tcp dport 80 tcp dport 81 meta mark set 80",
    "more fields than values": "ip daddr . tcp dport 192.0.2.10 meta mark set 80",
    "an unknown field": "tcp flags syn meta mark set 80",
    "an address of the other family": "ip daddr 2001:db8::1 tcp dport 80 meta mark set 80",
    "any interface": 'iifname "eth*" tcp dport 80 meta mark set 80',
    "the other interface": 'oifname "eth0" tcp dport 80 meta mark set 80',
    "senders to take in": "ether saddr 02:00:00:00:00:0a tcp dport 80 meta mark set 80",
    "both directions": "ct original ip daddr 192.0.2.10 tcp dport 80 meta mark set 80",
    "the other direction": "ct direction reply tcp dport 80 meta mark set 80",
    "a conditional jump": "tcp dport 80 jump d",
    "a jump to nowhere": "jump nowhere",
    "a loop": "jump c",
    "a map that is not there": "meta mark set ip daddr map @nothing",
    "a set that is not there": "tcp dport @nothing meta mark set 80",
    "an unknown helper": 'tcp dport 21 ct helper set "nothing"',
    "a rule behind its verdict": "meta mark set 80 tcp dport 80",
    "an unclosed set": "tcp dport { 80 meta mark set 80",
    "a hidden match": "tcp dport 80 meta mark set 80 # xt_string",
}


@pytest.mark.parametrize("rule", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_what_is_not_understood_is_a_problem_at_its_line(rule: str) -> None:
    reading = own(PREROUTING, rule)
    assert reading.nodes == ()
    assert lines(reading)[:1] == [("NFT102", 5)]


def test_a_rule_beside_one_that_is_not_understood_is_read() -> None:
    reading = own(PREROUTING, "frobnicate { x; y }", "ip daddr 192.0.2.10 tcp dport 80 meta mark set 80")
    assert set(reading.nodes) == {marking(traffic(dst=VIP, dport="80"))}
    assert codes(reading) == ["NFT102"]


NO_EFFECT = {
    "a helper before connection tracking": (RAW, 'tcp dport 21 ct helper set "h"', FTP),
    "a helper at the priority of connection tracking": (
        PREROUTING.replace("mangle", "-200"),
        'tcp dport 21 ct helper set "h"',
        FTP,
    ),
    "a helper of another protocol": (PREROUTING, 'udp dport 21 ct helper set "h"', FTP),
    "a helper of another family": (PREROUTING, 'ip6 daddr 2001:db8::1 tcp dport 21 ct helper set "h"', FTP),
    "no tracking after connection tracking": (PREROUTING, "tcp dport 21 notrack", ""),
    "no tracking at input": ("type filter hook input priority raw;", "tcp dport 21 notrack", ""),
    "an original destination before connection tracking": (
        RAW,
        "ct direction original tcp dport 21 meta mark set 80",
        "",
    ),
    "source NAT in a chain of another type": (
        "type filter hook postrouting priority srcnat;",
        "tcp dport 21 snat ip to 192.0.2.9",
        "",
    ),
    "a mark in a nat chain": (
        "type nat hook prerouting priority mangle;",
        "tcp dport 21 meta mark set 80",
        "",
    ),
    "a mark behind IPVS": (OUTPUT.replace("mangle", "filter"), "tcp dport 21 meta mark set 80", ""),
    "a mark at output without another look for the way": (
        OUTPUT.replace("route", "filter"),
        "tcp dport 21 meta mark set 80",
        "",
    ),
    "senders on the way out": (OUTPUT, "ether saddr 02:00:00:00:00:0a return", ""),
    "two families": (PREROUTING, "meta nfproto ipv6 ip daddr 192.0.2.10 tcp dport 21 meta mark set 80", ""),
    "two protocols": (PREROUTING, "meta l4proto udp tcp dport 21 meta mark set 80", ""),
    "a rule behind a return": (PREROUTING, "return\ntcp dport 21 return", ""),
    "a chain that nothing jumps to": (PREROUTING, "", "chain d { tcp dport 21 meta mark set 80; }"),
    "a map that nothing looks at": (PREROUTING, "", MARKS),
}


@pytest.mark.parametrize(("base", "rule", "more"), NO_EFFECT.values(), ids=NO_EFFECT)
def test_what_has_no_effect_is_a_problem_and_no_node(base: str, rule: str, more: str) -> None:
    reading = own(base, rule, more=more)
    assert reading.nodes == ()
    assert codes(reading)[0] == "NFT103"


@pytest.mark.parametrize("priority", ["raw", "-150", "dstnat", "security + 7", "filter - 12"])
def test_a_mark_at_prerouting_is_set_at_any_priority(priority: str) -> None:
    reading = own(PREROUTING.replace("mangle", priority), "ip daddr 192.0.2.10 tcp dport 80 meta mark set 80")
    assert reading.problems == ()
    assert set(reading.nodes) == {marking(traffic(dst=VIP, dport="80"))}


MISMATCHED = {
    "keys of other types": MARKS.replace("ipv4_addr .", "ipv6_addr ."),
    "answers of another type": MARKS.replace(": mark", ": ipv4_addr"),
    "a set in place of a map": MARKS.replace("map m", "set m").replace(" : mark", "").replace(" : 80", ""),
    "ranges without the flag": MARKS.replace("flags interval;", ""),
    "an element of fewer values": MARKS.replace(" . tcp", ""),
    "an element without an answer": MARKS.replace(" : 80", ""),
    "an element that ends": MARKS.replace(" : 80", " : 80 timeout 5m"),
    "a port that is none": MARKS.replace("80-90", "80-99999"),
    "another flag": MARKS.replace("interval", "dynamic"),
    "a timeout": MARKS.replace("flags", "timeout 1h; flags"),
    "a type of what an expression is": MARKS.replace(
        "type ipv4_addr . inet_proto . inet_service", "typeof ip daddr . meta l4proto . th dport"
    ),
    "a map that is there twice": f"{MARKS}\n{MARKS}",
}


@pytest.mark.parametrize("more", MISMATCHED.values(), ids=MISMATCHED)
def test_sets_and_maps_are_as_strict(more: str) -> None:
    reading = own(PREROUTING, LOOKED_UP, more=more)
    assert "NFT102" in codes(reading)


@pytest.mark.parametrize(
    "text",
    [
        "table inet lvsc { flags dormant; }",
        "table inet lvsc { flowtable f { }; }",
        "table inet lvsc { chain c { type filter hook prerouting priority mangle; policy drop; } }",
        "table inet lvsc { chain c { type filter hook ingress device eth0 priority 0; } }",
        "table inet lvsc { chain c { type filter hook prerouting priority often; } }",
        "table inet lvsc { chain c { type filter hook prerouting priority -0226; } }",
        "table inet lvsc { chain c { policy accept; } }",
        'table inet lvsc { ct helper h { type "ftp"; } }',
        "table inet lvsc { ct helper h { l3proto ip; } }",
        "table inet lvsc { chain c { ",
        "table inet lvsc\ntable inet lvsc { }",
        "delete table inet lvsc",
        "add rule inet lvsc prerouting tcp dport 80 accept",
        "flush table inet lvsc",
        "}",
    ],
)
def test_tables_are_as_strict(text: str) -> None:
    reading = read(f"{text}\n")
    assert reading.nodes == ()
    assert codes(reading)
    assert set(codes(reading)) <= {"NFT101", "NFT102"}


def test_two_answers_for_the_same_packets_are_a_problem() -> None:
    reading = own(
        PREROUTING, *(f"ip daddr 192.0.2.10 tcp dport 80 meta mark set {mark}" for mark in (1, 2, 2))
    )
    assert lines(reading) == [("NFT104", 5)]


# --- other people's ------------------------------------------------------------------------------------------------------

FOREIGN = {
    "tcp dport 22 accept": set(),
    'iifname "eth0" ip saddr 10.0.0.0/8 log prefix "meta mark set 1; " counter drop': {Touch.FILTER},
    "reject with icmpx port-unreachable": {Touch.FILTER},
    "meta mark set 0x1": {Touch.MARK},
    "meta mark set ct mark": {Touch.MARK},
    "ct mark set meta mark & 0xff": {Touch.MARK},
    'ct helper set "h"': {Touch.HELPER},
    "notrack": {Touch.TRACKING},
    "ct zone set 1": {Touch.TRACKING},
    "snat to 192.0.2.9": {Touch.SOURCE_NAT},
    "masquerade random": {Touch.SOURCE_NAT},
    "dnat to 10.0.0.1": {Touch.DESTINATION_NAT},
    "tcp dport 80 redirect to :8080": {Touch.DESTINATION_NAT},
    "meta l4proto tcp tproxy to :1": {Touch.MARK, Touch.DESTINATION_NAT},
    "ct state { established, related } meta mark 80 counter": set(),
    "return": set(),
    "ct status dnat accept": set(),
    "ip daddr set 10.0.0.1": EVERYTHING,
    "tcp option maxseg size set rt mtu": set(),
    "queue num 1": EVERYTHING,
    "frobnicate accept": EVERYTHING,
    "counter # xt_MARK": EVERYTHING,
    'xt target "MARK"': {Touch.MARK},
    'xt target "SOMETHING"': EVERYTHING,
    "meta l4proto tcp xt target TPROXY": {Touch.MARK, Touch.DESTINATION_NAT},
    "jump marks": {Touch.MARK},
    "goto nowhere": EVERYTHING,
    "tcp dport vmap { 80 : jump marks, 81 : drop }": {Touch.MARK, Touch.FILTER},
    "tcp dport vmap @verdicts": {Touch.MARK},
}


@pytest.mark.parametrize(("rule", "touches"), FOREIGN.items(), ids=FOREIGN)
def test_a_foreign_rule_says_what_it_touches(rule: str, touches: set[Touch]) -> None:
    text = f"""table inet theirs {{
        map verdicts {{ type inet_service : verdict; elements = {{ 80 : jump marks }} }}
        chain marks {{ meta mark set 7 accept; }}
        chain input {{
            type filter hook input priority filter; policy accept;
            {rule}
        }}
    }}"""
    reading = read(text)
    assert (reading.nodes, reading.problems) == ((), ())
    (found,) = (one for one in reading.foreign if one.origin.line == 6)
    assert found.text == rule.partition(" # ")[0] or "# xt_" in rule
    assert found.touches == touches


def test_policies_sets_and_other_commands_are_foreign() -> None:
    text = """#!/usr/sbin/nft -f
flush ruleset
define x = 1
table inet theirs {
    set blocked { type ipv4_addr; elements = { 10.0.0.1 } }
    set unused { type ipv4_addr; }
    chain input {
        type filter hook input priority filter; policy drop;
        ip saddr @blocked meta mark set 1 # why
    }
}
"""
    touches = {found.origin.line: found.touches for found in read(text).foreign}
    assert touches == {
        2: EVERYTHING,
        3: EVERYTHING,
        5: {Touch.MARK},
        6: set(),
        7: {Touch.FILTER},
        9: {Touch.MARK},
    }


THEIRS = """
table inet theirs {
    ct helper h { type "ftp" protocol tcp; }
    set blocked { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 } }
    map verdicts { type inet_service : verdict; elements = { 80 : jump marks, 81 : drop } }
    chain marks { meta mark set 7 accept; }
    chain input {
        type filter hook input priority filter; policy drop;
        ct state { established, related } accept
        tcp dport vmap @verdicts
        ip saddr @blocked counter log prefix "x { y ; z" drop
        ct helper set "h"
        ct mark set meta mark & 0x000000ff
        reject
    }
    chain early { type filter hook prerouting priority raw; notrack; }
}
table ip nat {
    chain pre { type nat hook prerouting priority dstnat; tcp dport 80 redirect to :8080; dnat to 10.0.0.1; }
    chain post { type nat hook postrouting priority srcnat; masquerade; }
}
"""
THEIR_TOUCHES = [
    [],
    [Touch.FILTER],
    [Touch.FILTER, Touch.MARK],
    [],
    [Touch.MARK],
    [Touch.FILTER],
    [],
    [Touch.FILTER, Touch.MARK],
    [Touch.FILTER],
    [Touch.HELPER],
    [Touch.MARK],
    [Touch.FILTER],
    [],
    [Touch.TRACKING],
    [],
    [Touch.DESTINATION_NAT],
    [Touch.DESTINATION_NAT],
    [],
    [Touch.SOURCE_NAT],
]


@pytest.mark.parametrize("command", ["list", "-a list", "-j list"])
def test_other_peoples_rules_are_beside_the_same_nodes(command: str, in_namespace: InNamespace) -> None:
    own_text = f"table inet lvsc {{\n{MARKS}\nchain c {{\n{PREROUTING}\n{LOOKED_UP}\n}}\n}}\n"
    listed = in_namespace(
        f"nft -f theirs.nft\nnft -f own.nft\nnft {command} ruleset",
        **{"theirs.nft": THEIRS, "own.nft": own_text},
    )
    reading = read(listed)
    assert reading.problems == ()
    assert set(reading.nodes) == {marking(traffic(dst=VIP, dport="80-90"))}
    touches = sorted(sorted(t.value for t in found.touches) for found in reading.foreign)
    assert touches == sorted(sorted(t.value for t in some) for some in THEIR_TOUCHES)
    assert not any("handle" in found.text for found in reading.foreign)


CHANGES = {
    "nft add rule inet lvsc c tcp dport 81 accept": "NFT102",
    "nft insert rule inet lvsc c return": "NFT103",
    "nft flush chain inet lvsc c": "NFT103",
    "nft add element inet lvsc m '{ 192.0.2.11 . icmp . 0 : 80 }'": "NFT102",
    "nft add set inet lvsc s '{ type ipv4_addr; timeout 1h; }'": "NFT102",
    "nft add chain inet lvsc d '{ type filter hook input priority 0; policy drop; }'": "NFT102",
}


@pytest.mark.parametrize("command", ["list", "-j list"])
@pytest.mark.parametrize(("change", "code"), CHANGES.items(), ids=CHANGES)
def test_what_was_changed_by_hand_is_a_problem(
    change: str, code: str, command: str, in_namespace: InNamespace
) -> None:
    text = f"table inet lvsc {{\n{MARKS}\nchain c {{\n{PREROUTING}\n{LOOKED_UP}\n}}\n}}\n"
    reading = read(in_namespace(f"nft -f own.nft\n{change}\nnft {command} ruleset", **{"own.nft": text}))
    assert codes(reading) == [code]


# --- JSON ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"nftables": 1}',
        '{"nftables": [',
        '{"nftables": [{"metainfo": {}}',
        '{"nftables": [{"metainfo": {}}]} more',
        '{"nftables": [{"metainfo": {}} {"metainfo": {}}]}',
    ],
)
def test_json_that_is_not_nfts_is_a_problem(text: str) -> None:
    assert codes(read(text)) == ["NFT101"]


def test_json_in_lines_is_read_at_its_lines() -> None:
    entries = [
        {"table": {"family": "inet", "name": "lvsc"}},
        {
            "chain": {
                "family": "inet",
                "table": "lvsc",
                "name": "c",
                "type": "filter",
                "hook": "input",
                "prio": 0,
            }
        },
        {"rule": {"family": "inet", "table": "lvsc", "chain": "c", "expr": [{"accept": None}]}},
    ]
    text = '{"nftables": [\n' + ",\n".join(map(json.dumps, entries)) + "\n]}\n"
    assert lines(read(text)) == [("NFT102", 4)]


def test_json_on_one_line_has_a_place_for_each_element() -> None:
    place = {"family": "inet", "table": "lvsc"}
    types = ["ipv4_addr", "inet_proto", "inet_service"]
    marks = [
        [{"elem": {"val": {"concat": ["192.0.2.10", "tcp", 80]}, "comment": "service web"}}, 80],
        [{"concat": ["192.0.2.11", "tcp", 80]}, 81],
    ]
    fields = [("ip", "daddr"), ("th", "dport")]
    address, port = ({"payload": {"protocol": protocol, "field": name}} for protocol, name in fields)
    key = {"concat": [address, {"meta": {"key": "l4proto"}}, port]}
    statement = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"map": {"key": key, "data": "@m"}}}}
    chain = {**place, "name": "c", "type": "filter", "hook": "prerouting", "prio": -150, "policy": "accept"}
    entries = [
        {"map": {**place, "name": "m", "type": types, "map": "mark", "elem": marks}},
        {"chain": chain},
        {"rule": {**place, "chain": "c", "expr": [statement]}},
    ]
    text = json.dumps({"nftables": entries})
    reading = read(text)
    assert reading.problems == ()
    columns = {node.mark: node.origin.column for node in reading.nodes if isinstance(node, Marking)}
    assert columns == {80: text.index('[{"elem"') + 1, 81: text.index('[{"concat": ["192.0.2.11"') + 1}


def test_flags_of_new_versions_are_read() -> None:
    place = {"family": "inet", "table": "lvsc"}
    match = {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": "@s"}
    rule = [{"match": match}, {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 80}}]
    chain = {**place, "name": "c", "type": "filter", "hook": "prerouting", "prio": -150, "policy": "accept"}
    entries = [
        {
            "set": {
                **place,
                "name": "s",
                "type": "inet_service",
                "flags": "interval",
                "elem": [{"range": [80, 90]}],
            }
        },
        {"chain": chain},
        {"rule": {**place, "chain": "c", "expr": rule}},
    ]
    reading = read(json.dumps({"nftables": entries}))
    assert reading.problems == ()
    assert set(reading.nodes) == {marking(traffic(dport="80-90", family=family)) for family in Family}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("# Written by lvsc\n\ntable inet lvsc\ndelete table inet lvsc\n", True),
        ("table ip nat {\n}\n", True),
        ("#!/usr/sbin/nft -f\nflush ruleset\n", True),
        ('{"nftables": [{"metainfo": {}}]}', True),
        ("", False),
        ('{"other": []}', False),
        ("*filter\nCOMMIT\n", False),
        ("-A -t 192.0.2.10:80 -s wlc\n", False),
        ("virtual_server 192.0.2.10 80 {\n}\n", False),
    ],
)
def test_a_text_is_recognised_by_what_it_says(text: str, known: bool) -> None:
    assert Nftables().recognises(Source(host=HOST, file="x", text=text)) is known
