"""Which packets other people's rules may touch, read alike from nft's own text and its JSON."""

from collections import Counter
from dataclasses import replace
from ipaddress import ip_network

import pytest

from lvsc.plugin import Family, Foreign, Hook, MarkGiven, PortRange, Reading, Scope, Source, Touch
from lvsc_nftables.backend import Nftables
from lvsc_nftables.read_touches import EVERYTHING

from .conftest import InNamespace

ANY = Scope()
V4, V6 = Scope(family=Family.IPV4), Scope(family=Family.IPV6)
TCP = Scope(protocols=frozenset({6}))
TABLE = """
table inet theirs {{
    set some {{ type ipv4_addr; elements = {{ 10.0.0.1 }} }}
    chain theirs {{ ip saddr 10.0.0.0/8 counter drop; }}
    chain here {{
        type filter hook {hook} priority 10; policy {policy};
        {rules}
    }}
}}
"""


def ports(*ranges: tuple[int, int]) -> tuple[PortRange, ...]:
    return tuple(PortRange(*each) for each in ranges)


def read(text: str) -> Reading:
    return Nftables().read(Source(host="lvs1", file="dump", text=text))


def table(*rules: str, hook: str = "input", policy: str = "accept") -> str:
    return TABLE.format(rules="\n        ".join(rules), hook=hook, policy=policy)


def facts(foreign: Foreign) -> tuple[object, ...]:
    return (
        foreign.touches,
        foreign.hooks,
        frozenset(foreign.scopes),
        frozenset(foreign.spared),
        foreign.marks,
        foreign.made,
        bool(foreign.place),
    )


def said(in_namespace: InNamespace, text: str) -> list[tuple[object, ...]]:
    """What is read of each fragment, which nft's listing and its JSON must agree about."""
    listed = in_namespace("nft -f rules; nft list ruleset", rules=text)
    dumped = in_namespace("nft -f rules; nft -j list ruleset", rules=text)
    one, other = ([facts(each) for each in read(each).foreign if each.touches] for each in (listed, dumped))
    assert Counter(one) == Counter(other)
    return one


def of_rule(in_namespace: InNamespace, rule: str, hook: str = "input") -> tuple[object, ...]:
    """What is read of the last rule of the base chain."""
    found = read(in_namespace("nft -f rules; nft list ruleset", rules=table(rule, hook=hook))).foreign
    said(in_namespace, table(rule, hook=hook))
    return facts(max(found, key=lambda each: each.origin.line or 0))


CONDITIONS = {
    "drop": ANY,
    "ip saddr 10.0.0.0/8 ip daddr 192.0.2.10 drop": replace(
        V4, sources=(ip_network("10.0.0.0/8"),), destinations=(ip_network("192.0.2.10/32"),)
    ),
    "ip saddr { 10.0.0.1, 10.0.0.9 } drop": replace(
        V4, sources=(ip_network("10.0.0.1/32"), ip_network("10.0.0.9/32"))
    ),
    "ip6 saddr 2001:db8::/32 drop": replace(V6, sources=(ip_network("2001:db8::/32"),)),
    "tcp dport 22 drop": replace(TCP, destination_ports=ports((22, 22))),
    "tcp dport { 80, 8000-8010 } counter drop": replace(TCP, destination_ports=ports((80, 80), (8000, 8010))),
    "udp sport 53 drop": Scope(protocols=frozenset({17}), source_ports=ports((53, 53))),
    "meta l4proto { tcp, udp } th dport 53 drop": Scope(
        protocols=frozenset({6, 17}), destination_ports=ports((53, 53))
    ),
    "ct state established,related drop": replace(ANY, known=True),
    "ct state { established, related } drop": replace(ANY, known=True),
    "icmp type echo-request drop": Scope(protocols=frozenset({1})),
    # What cannot be said in a scope is left out, and what comes behind it is read.
    'iifname "eth0" tcp dport 22 drop': replace(TCP, destination_ports=ports((22, 22))),
    "ct state invalid drop": replace(ANY, known=False),
    "ct state { new, established } drop": ANY,
    "ct state established drop": ANY,
    "ct state new tcp dport 22 drop": replace(TCP, destination_ports=ports((22, 22)), known=False),
    # Behind what is not known nothing is read.
    "ip saddr != 10.0.0.0/8 tcp dport 22 drop": ANY,
    "ip saddr 10.0.0.1-10.0.0.9 drop": ANY,
    "ip saddr @some tcp dport 22 drop": ANY,
    "tcp dport != 22 drop": ANY,
    "tcp dport >= 1024 drop": ANY,
    "ip saddr . tcp dport { 10.0.0.1 . 80 } drop": ANY,
    "ip saddr & 255.0.0.255 == 10.0.0.1 drop": ANY,
    "tcp flags & (fin | syn) == syn drop": ANY,
    "tcp dport vmap { 22 : drop }": ANY,
    "limit rate 10/second tcp dport 22 drop": ANY,
    "meta mark 0x7 tcp dport 22 drop": ANY,
}


@pytest.mark.parametrize(("rule", "scope"), CONDITIONS.items(), ids=CONDITIONS)
def test_conditions_bound_the_packets(rule: str, scope: Scope, in_namespace: InNamespace) -> None:
    touches, hooks, scopes, *_ = of_rule(in_namespace, rule)
    assert (touches, hooks, scopes) == ({Touch.FILTER}, {Hook.INPUT}, {scope})


CHANGES = {
    "meta mark set 0x7": (MarkGiven(7, 0xFFFFFFFF),),
    "meta mark set meta mark and 0xff": None,
    "meta mark set ct mark": None,
    "ct mark set 0x7": None,
    "meta mark set ip saddr map { 10.0.0.1 : 0x50 }": None,
}


@pytest.mark.parametrize(("rule", "marks"), CHANGES.items(), ids=CHANGES)
def test_what_marks_a_rule_gives(
    rule: str, marks: tuple[MarkGiven, ...] | None, in_namespace: InNamespace
) -> None:
    touches, hooks, _, _, given, *_ = of_rule(in_namespace, rule, "prerouting")
    assert (touches, given) == ({Touch.MARK}, marks)
    # What is kept with the connection may come back elsewhere.
    assert hooks == ({Hook.PREROUTING} if marks is not None else None)


@pytest.mark.parametrize(
    ("to", "made"),
    [
        (
            "10.0.0.9",
            replace(
                TCP,
                family=Family.IPV4,
                destinations=(ip_network("10.0.0.9/32"),),
                destination_ports=ports((80, 80)),
            ),
        ),
        (
            "10.0.0.9:81",
            replace(
                TCP,
                family=Family.IPV4,
                destinations=(ip_network("10.0.0.9/32"),),
                destination_ports=ports((81, 81)),
            ),
        ),
        ("10.0.0.1-10.0.0.9", None),
        ("10.0.0.9:80-90", None),
    ],
)
def test_what_a_new_destination_makes_of_packets(
    to: str, made: Scope | None, in_namespace: InNamespace
) -> None:
    text = f"""table inet nat {{ chain pre {{
        type nat hook prerouting priority dstnat; policy accept;
        tcp dport 80 dnat ip to {to}
    }}
    }}"""
    ((*_, given, _),) = said(in_namespace, text)
    assert given == (None if made is None else (made,))


def test_a_chain_hands_its_callers_hooks_and_conditions_on(in_namespace: InNamespace) -> None:
    found = said(in_namespace, table("tcp dport 22 jump theirs", "udp dport 53 goto theirs"))
    dropped = next(fact for fact in found if fact[2] and fact[2] != {ANY})
    assert dropped[1] == {Hook.INPUT}
    source = (ip_network("10.0.0.0/8"),)
    assert dropped[2] == {
        Scope(
            family=Family.IPV4,
            protocols=frozenset({number}),
            sources=source,
            destination_ports=ports((port, port)),
        )
        for number, port in ((6, 22), (17, 53))
    }


ACCEPTS = {
    "tcp dport 22 accept": {replace(TCP, destination_ports=ports((22, 22)))},
    'tcp dport 22 counter accept comment "ssh"': {replace(TCP, destination_ports=ports((22, 22)))},
    "ct state established,related accept": {replace(ANY, known=True)},
    "jump theirs": set(),
    "tcp dport 22 limit rate 10/second accept": set(),
    'iifname "eth0" accept': set(),
    "ip saddr != 10.0.0.0/8 accept": set(),
    "ct state new accept": set(),
    "ip saddr 10.0.0.9 return; tcp dport 22 accept": set(),
    "tcp dport vmap { 23 : return }; tcp dport 22 accept": set(),
}


@pytest.mark.parametrize(("rules", "scopes"), ACCEPTS.items(), ids=ACCEPTS)
@pytest.mark.parametrize("end", ["policy", "reject"])
def test_accepts_spare_what_comes_behind_them(
    rules: str, scopes: set[Scope], end: str, in_namespace: InNamespace
) -> None:
    by_policy = end == "policy"
    text = table(rules, *(() if by_policy else ("reject",)), policy="drop" if by_policy else "accept")
    ends = [fact for fact in said(in_namespace, text) if fact[0] == {Touch.FILTER} and fact[1] and fact[2]]
    assert scopes in [fact[3] for fact in ends]


EFFECTS: dict[str, set[Touch] | frozenset[Touch]] = {
    # What others judge a packet by may keep it out.
    "ip ttl set 1": {Touch.FILTER},
    "ip6 hoplimit set 1": {Touch.FILTER},
    "ip dscp set 0x05": {Touch.FILTER},
    "ip6 dscp set 0x05": {Touch.FILTER},
    "ip ecn set ce": EVERYTHING,
    "reset tcp option sack-perm": EVERYTHING,
    "tcp option timestamp tsval set 5": EVERYTHING,
    "meta pkttype set other": EVERYTHING,
    "ether saddr set 02:00:00:00:00:01": EVERYTHING,
    "tcp sport set 5": EVERYTHING,
    # The rest is no packet's affair.
    "tcp option maxseg size set 500": set(),
    "meta priority set 1:2": set(),
    "meta nftrace set 1": set(),
    "ct label set 1": set(),
    "log group 1": set(),
    "update @seen { ip saddr }": set(),
    "reject with tcp reset": {Touch.FILTER},
}


@pytest.mark.parametrize(("rule", "touches"), EFFECTS.items(), ids=EFFECTS)
def test_a_statement_that_changes_a_packet_may_keep_it_out(
    rule: str, touches: set[Touch], in_namespace: InNamespace
) -> None:
    family = "ip6" if rule.startswith("ip6") else "ip"
    text = f"""table {family} theirs {{
        set seen {{ type ipv4_addr; flags dynamic, timeout; timeout 1m; }}
        chain here {{
            type filter hook prerouting priority 10;
            {rule}
        }}
    }}"""
    assert [fact[0] for fact in said(in_namespace, text)] == ([touches] if touches else [])


@pytest.mark.parametrize("accept", ["accept", "counter accept"])
def test_a_rule_that_may_go_anywhere_spares_nothing_behind_it(accept: str) -> None:
    reading = read(table("frobnicate", accept, "drop"))
    (rule,) = (each for each in reading.foreign if each.text == "drop")
    assert rule.spared == ()


def test_chains_that_call_each_other_again_and_again_are_read_once() -> None:
    chains = [f"chain c{number} {{ {f'jump c{number + 1}; ' * 3} }}" for number in range(40)]
    loop = "chain c40 { jump c40; jump c40; jump c0; accept; }"
    base = "chain i { type filter hook input priority 0; jump c0; drop; }"
    reading = read("\n".join(("table inet theirs {", *chains, loop, base, "}")))
    assert [each.hooks for each in reading.foreign if each.text == "drop"] == [frozenset({Hook.INPUT})]


@pytest.mark.parametrize("family", ["bridge", "arp"])
def test_hooks_below_ip_are_not_ips(family: str) -> None:
    text = f"table {family} theirs {{ chain c {{ type filter hook input priority 0; policy drop; }} }}"
    (found,) = read(text).foreign
    assert found.hooks is None
    assert found.touches == {Touch.FILTER}


def test_a_chain_that_nothing_in_the_text_leads_to_may_be_led_to_from_elsewhere() -> None:
    (rule,) = (each for each in read("table ip x { chain c { drop; } }").foreign if each.touches)
    assert (rule.hooks, rule.scopes) == (None, (V4,))


def test_what_is_counted_is_no_part_of_a_rule(in_namespace: InNamespace) -> None:
    for form in ("", "-j"):
        ruleset = in_namespace(f"nft -f rules; nft {form} list ruleset", rules=table("counter drop"))
        counted = ruleset.replace("packets 0", "packets 5").replace('"packets": 0', '"packets": 5')
        assert ruleset != counted
        assert [each.text for each in read(ruleset).foreign] == [each.text for each in read(counted).foreign]


def test_only_what_keeps_packets_out_does_the_same_in_whatever_order() -> None:
    reading = read(table("drop", "meta mark set 7"))
    places = {tuple(sorted(t.value for t in each.touches)): bool(each.place) for each in reading.foreign}
    assert (places["filter",], places["mark",]) == (True, False)


@pytest.mark.parametrize("condition", ["tcp dport 0120", "tcp dport 0120-0123", "meta l4proto 021"])
def test_a_number_with_a_zero_before_it_is_octal(condition: str, in_namespace: InNamespace) -> None:
    written = table(f"{condition} drop")
    loaded = in_namespace("nft -f rules; nft list ruleset", rules=written)
    (one,), (other,) = (
        [each for each in read(text).foreign if each.text.endswith("drop") and each.hooks]
        for text in (written, loaded)
    )
    assert condition not in loaded
    assert one.scopes != other.scopes
    assert one.scopes[0].destination_ports == ()
