"""Whose answers a foreign firewall leaves open: only those about packets that it may touch."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.compare.changes import Aspect
from lvsc.compare.difference import compare
from lvsc.compare.sides import OrderedNodes, Side, of_texts
from lvsc.graph.nodes import Forwarding, Marking, Sysctl
from lvsc.graph.traffic import Hook
from lvsc.plugins.reading import Source
from support.nodes import HOST, ORIGIN, accept, by_mark, marking, no_track, real_server, service, traffic
from support.sides import of_nodes
from support.specs import plugins

VIP, SERVER = "192.0.2.10", "192.0.2.21"
CHAINS = """\
*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
{raw}
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:LVSC-MARK - [0:0]
{mangle}
-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x50/0xffffffff
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
{nat}
COMMIT
*filter
{filter}
COMMIT
"""
JUMP = "-A PREROUTING -j LVSC-MARK"
OPEN = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]"
CLOSED = ":INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]"
ESTABLISHED = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
LVSC_INPUT = (
    ":LVSC-INPUT - [0:0]\n-A INPUT -j LVSC-INPUT\n"
    "-A LVSC-INPUT -d 192.0.2.10/32 -p tcp -m multiport --dports 80,443 -j ACCEPT"
)

NO_TRACK = (
    ":LVSC-CONNTRACK - [0:0]\n-A PREROUTING -j LVSC-CONNTRACK\n"
    "-A LVSC-CONNTRACK -d 192.0.2.11/32 -p tcp -m tcp --dport 80 -j CT --notrack"
)


def dump(
    *,
    mangle: str = JUMP,
    nat: str = "",
    raw: str = "",
    filter: str = OPEN,  # noqa: A002 - iptables's word
    name: str = "dump",
) -> Side:
    text = CHAINS.format(mangle=mangle, nat=nat, raw=raw, filter=filter)
    found, unread = of_texts(name, [Source(host=HOST, file="iptables.v4", text=text)], plugins())
    assert unread == ()
    assert not any(host.unread for host in found.hosts.values()), [h.unread for h in found.hosts.values()]
    return found


def wanted(
    *, forwarding: Forwarding = Forwarding.DIRECT, accepts: bool = False, conntrack: str = "0"
) -> Side:
    """What a spec asks for: the service of a mark, and lvsc's own rules."""
    ports = ("80", "443")
    nodes = [
        Sysctl(host=HOST, origin=ORIGIN, key="net.ipv4.vs.conntrack", value=conntrack),
        service(by_mark(80)),
        real_server(by_mark(80), SERVER, forwarding=forwarding),
        *(marking(traffic(dst=VIP, dport=port), 80) for port in ports),
        *(accept(traffic(Hook.INPUT, dst=VIP, dport=port)) for port in ports if accepts),
    ]
    return of_nodes(*nodes, name="spec")


def open_aspects(spec: Side, live: Side) -> dict[Aspect, set[str]]:
    """What is unknown, each with the fragments; nothing is known to differ."""
    difference = compare(spec, live)
    assert difference.packets == ()
    found: dict[Aspect, set[str]] = {}
    for unknown in difference.unknown:
        found.setdefault(unknown.aspect, set()).add(unknown.fragment)
    return found


# --- rules of one table ------------------------------------------------------------------------------------------------

SERVICE, FILTER, SOURCE_NAT = Aspect.SERVICE, Aspect.FILTER, Aspect.SOURCE_NAT
HELPER, TRACKING = Aspect.HELPER, Aspect.TRACKING
#: By table and rule: the questions that it leaves open.
RULES: dict[tuple[str, str], set[Aspect]] = {
    # Marks: the packets in question, and the marks by which services are found.
    ("mangle", "-A PREROUTING -p tcp -j MARK --set-xmark 0x7/0xffffffff"): {SERVICE},
    ("mangle", "-A PREROUTING -p tcp -m tcp --dport 443 -j MARK --set-xmark 0x7/0xffffffff"): {SERVICE},
    ("mangle", "-A PREROUTING -p tcp -m tcp --dport 22 -j MARK --set-xmark 0x7/0xffffffff"): set(),
    ("mangle", "-A PREROUTING -p udp -j MARK --set-xmark 0x7/0xffffffff"): set(),
    ("mangle", "-A PREROUTING -d 192.0.2.99/32 -j MARK --set-xmark 0x7/0xffffffff"): set(),
    ("mangle", "-A PREROUTING ! -d 192.0.2.10/32 -j MARK --set-xmark 0x7/0xffffffff"): {SERVICE},
    ("mangle", "-A PREROUTING -m set --match-set x src -p tcp -j MARK --set-xmark 0x7/0xffffffff"): {SERVICE},
    ("mangle", "-A PREROUTING -p tcp -m tcp --dport 8080 -j MARK --set-xmark 0x50/0xffffffff"): {SERVICE},
    ("mangle", "-A PREROUTING -p tcp -m tcp --dport 8080 -j MARK --set-xmark 0x10/0x10"): {SERVICE},
    ("mangle", "-A PREROUTING -p tcp -m tcp --dport 8080 -j MARK --set-xmark 0x4000/0x4000"): set(),
    ("mangle", "-A PREROUTING -p tcp -m tcp --dport 22 -j CONNMARK --restore-mark"): {SERVICE},
    ("mangle", "-A INPUT -p tcp -j MARK --set-xmark 0x7/0xffffffff"): {SERVICE},
    ("mangle", "-A POSTROUTING -j MARK --set-xmark 0x7/0xffffffff"): set(),
    ("mangle", "-A FORWARD -j MARK --set-xmark 0x7/0xffffffff"): set(),
    ("mangle", "-A POSTROUTING -j CONNMARK --save-mark"): {SERVICE},
    # What comes before lvsc's jump and ends the table.
    ("mangle", "-A PREROUTING -d 192.0.2.10/32 -j ACCEPT"): {SERVICE},
    ("mangle", "-A PREROUTING -p udp -j ACCEPT"): set(),
    ("mangle", "-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"): set(),
    # Another destination: of the packets in question, or one that makes them such.
    ("nat", "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.9:80"): {SERVICE},
    ("nat", "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.9:80"): set(),
    ("nat", "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.0.2.10:80"): {SERVICE},
    ("nat", "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.0.2.10:81"): set(),
    ("nat", "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.0.2.9-192.0.2.11"): {
        SERVICE
    },
    ("nat", "-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80"): {SERVICE},
    ("nat", "-A OUTPUT -d 192.0.2.21/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.9"): {
        SERVICE
    },
    ("nat", "-A POSTROUTING -o eth9 -j MASQUERADE"): {SOURCE_NAT},
    ("nat", "-A POSTROUTING -d 10.0.0.0/8 -j MASQUERADE"): set(),
    ("nat", "-A POSTROUTING -s 192.0.2.0/24 -d 203.0.113.0/24 -j MASQUERADE"): set(),
    ("nat", "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"): {SOURCE_NAT},
    # Tracking and helpers.
    ("raw", "-A PREROUTING -p tcp -m tcp --dport 80 -j CT --notrack"): {HELPER, TRACKING, SOURCE_NAT},
    ("raw", "-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack"): set(),
    ("raw", "-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp"): set(),
    ("raw", "-A PREROUTING -p tcp -m tcp --dport 443 -j CT --helper ftp"): {HELPER},
    # What keeps packets out.
    ("raw", "-A PREROUTING -s 203.0.113.0/24 -j DROP"): {FILTER},
    ("filter", "-A INPUT -j ACCEPT"): set(),
    ("filter", "-A INPUT -j LOG"): set(),
    ("filter", "-A INPUT -p tcp -m tcp --dport 80"): set(),
    ("filter", "-A INPUT -p tcp -m multiport --dports 135,139 -j DROP"): set(),
    ("filter", "-A INPUT -p tcp -m multiport --dports 135,443 -j REJECT"): {FILTER},
    ("filter", "-A INPUT -s 203.0.113.7/32 -j DROP"): {FILTER},
    ("filter", "-A INPUT -p tcp -m tcp --dport 1:1023 -m limit --limit 1/sec -j DROP"): {FILTER},
    ("filter", "-A INPUT -s 192.0.2.21/32 -j DROP"): {FILTER},
    ("filter", "-A INPUT -p icmp -j DROP"): {FILTER},
    ("filter", "-A FORWARD -j DROP"): set(),
    ("filter", "-A OUTPUT -d 203.0.113.0/24 -p udp -j DROP"): {FILTER},
    ("filter", "-A OUTPUT -d 192.0.2.0/24 -j DROP"): {FILTER},
    ("filter", "-A INPUT -p tcp -m tcp --dport 22 -j SOMETHING"): {SERVICE},
    ("filter", "-A INPUT -p tcp -m tcp --dport 80 -j SOMETHING"): set(Aspect),
}


def with_rule(table: str, rule: str) -> Side:
    if table == "filter":
        return dump(filter=f"{OPEN}\n{rule}")
    if table == "mangle":
        return dump(mangle=f"{rule}\n{JUMP}")
    return dump(nat=rule) if table == "nat" else dump(raw=rule)


@pytest.mark.parametrize(
    ("table", "rule", "aspects"),
    [(*key, aspects) for key, aspects in RULES.items()],
    ids=[r for _, r in RULES],
)
def test_a_rule_leaves_open_what_it_may_touch(table: str, rule: str, aspects: set[Aspect]) -> None:
    found = open_aspects(wanted(), with_rule(table, rule))
    assert found == {aspect: {rule} for aspect in aspects}


@pytest.mark.parametrize(("table", "rule"), [key for key, aspects in RULES.items() if aspects])
def test_without_a_director_every_packet_is_in_question(table: str, rule: str) -> None:
    difference = compare(dump(), with_rule(table, rule))
    assert {unknown.aspect for unknown in difference.unknown} >= RULES[table, rule]


# --- where a rule stands -------------------------------------------------------------------------------------------------


def test_a_chain_that_no_packet_comes_to_leaves_nothing_open() -> None:
    live = dump(filter=f"{OPEN}\n:THEIRS - [0:0]\n-A THEIRS -j DROP")
    assert open_aspects(wanted(), live) == {}


def test_a_rule_is_for_no_more_packets_than_come_to_its_chain() -> None:
    chain = ":THEIRS - [0:0]\n-A THEIRS -s 203.0.113.7/32 -j DROP"
    ssh = f"{OPEN}\n{chain}\n-A INPUT -p tcp -m tcp --dport 22 -j THEIRS"
    assert open_aspects(wanted(), dump(filter=ssh)) == {}
    web = ssh.replace("--dport 22", "--dport 80")
    assert open_aspects(wanted(), dump(filter=web)) == {FILTER: {"-A THEIRS -s 203.0.113.7/32 -j DROP"}}
    both = f"{ssh}\n-A INPUT -j THEIRS"
    assert open_aspects(wanted(), dump(filter=both)) == {FILTER: {"-A THEIRS -s 203.0.113.7/32 -j DROP"}}


def test_a_text_without_built_in_chains_does_not_say_who_comes_to_the_others() -> None:
    live = dump(filter=":THEIRS - [0:0]\n-A THEIRS -j DROP")
    assert open_aspects(wanted(), live) == {FILTER: {"-A THEIRS -j DROP"}}


# --- what is let in before -------------------------------------------------------------------------------------------------

ACCEPTS = {
    "nothing": ("", {":INPUT DROP"}),
    "the ports": ("-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT", set()),
    "one port of two": ("-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT", {":INPUT DROP"}),
    "the address": ("-A INPUT -d 192.0.2.10/32 -j ACCEPT", set()),
    "some clients": ("-A INPUT -s 198.51.100.0/24 -j ACCEPT", {":INPUT DROP"}),
    "by an interface": ("-A INPUT -i eth0 -j ACCEPT", {":INPUT DROP"}),
    "not all": ("-A INPUT ! -s 203.0.113.0/24 -j ACCEPT", {":INPUT DROP"}),
    "at a rate": ("-A INPUT -p tcp -m limit --limit 9/sec -j ACCEPT", {":INPUT DROP"}),
    "in a state": ("-A INPUT -p tcp -m conntrack --ctstate NEW -j ACCEPT", {":INPUT DROP"}),
    "by what is not known": ("-A INPUT -p tcp -m something --odd -j ACCEPT", {":INPUT DROP"}),
    "through a chain": (":WEB - [0:0]\n-A INPUT -j WEB\n-A WEB -p tcp -j ACCEPT", set()),
    "through a chain that is left": (
        ":WEB - [0:0]\n-A INPUT -j WEB\n-A WEB -s 203.0.113.0/24 -j RETURN\n-A WEB -p tcp -j ACCEPT",
        {":INPUT DROP"},
    ),
    "for some through a chain": (
        ":WEB - [0:0]\n-A INPUT -i eth0 -j WEB\n-A WEB -p tcp -j ACCEPT",
        {":INPUT DROP"},
    ),
    "behind a goto": (
        ":WEB - [0:0]\n-A INPUT -s 203.0.113.0/24 -g WEB\n-A INPUT -p tcp -j ACCEPT",
        {":INPUT DROP"},
    ),
    "by lvsc": (LVSC_INPUT, set()),
}


@pytest.mark.parametrize(("rules", "fragments"), ACCEPTS.values(), ids=ACCEPTS)
def test_a_policy_keeps_out_what_no_rule_lets_in(rules: str, fragments: set[str]) -> None:
    live = dump(filter=f"{CLOSED}\n{ESTABLISHED}\n-A INPUT -p icmp -j ACCEPT\n{rules}")
    spec = wanted(accepts="LVSC-INPUT" in rules)
    assert open_aspects(spec, live) == ({FILTER: fragments} if fragments else {})
    rejected = f"{OPEN}\n{ESTABLISHED}\n-A INPUT -p icmp -j ACCEPT\n{rules}\n-A INPUT -j REJECT"
    assert open_aspects(spec, dump(filter=rejected)) == (
        {FILTER: {"-A INPUT -j REJECT"}} if fragments else {}
    )


def test_a_rule_before_those_that_let_in_keeps_out_for_all_that() -> None:
    live = dump(filter=f"{OPEN}\n-A INPUT -j DROP\n-A INPUT -p tcp -j ACCEPT")
    assert open_aspects(wanted(), live) == {FILTER: {"-A INPUT -j DROP"}}
    left = dump(filter=f"{CLOSED}\n{ESTABLISHED}\n-A INPUT -p tcp -j RETURN\n-A INPUT -p tcp -j ACCEPT")
    assert "-A INPUT -p tcp -j RETURN" in open_aspects(wanted(), left)[FILTER]


def test_answers_of_real_servers_reached_by_nat_must_be_forwarded() -> None:
    closed = f"{CLOSED}\n{ESTABLISHED}\n-A INPUT -p tcp -j ACCEPT"
    spec = wanted(forwarding=Forwarding.NAT, conntrack="1")
    assert open_aspects(spec, dump(filter=closed)) == {FILTER: {":FORWARD DROP"}}
    forwarded = f"{closed}\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    assert open_aspects(spec, dump(filter=forwarded)) == {}


#: What a firewall says of states, and what is left open where tracking knows the connections that IPVS translates.
STATES = {
    "-A FORWARD -m conntrack --ctstate INVALID -j DROP": set(),
    "-A FORWARD -m conntrack --ctstate NEW -j DROP": set(),
    "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j DROP": {FILTER},
    "-A POSTROUTING -m conntrack --ctstate UNTRACKED -j DROP": {FILTER},
    "-A INPUT -p icmp -m conntrack --ctstate INVALID -j DROP": set(),
}


@pytest.mark.parametrize("rule", STATES)
def test_connections_that_ipvs_translates_are_known_where_it_keeps_them(rule: str) -> None:
    live = with_rule("mangle" if "POSTROUTING" in rule else "filter", rule)
    spec = wanted(forwarding=Forwarding.NAT, conntrack="1")
    assert open_aspects(spec, live) == {aspect: {rule} for aspect in STATES[rule]}
    # Elsewhere answers are invalid, new, or not tracked, in one order or another.
    for unknown_to_tracking in (wanted(forwarding=Forwarding.NAT), without_settings(spec)):
        assert open_aspects(unknown_to_tracking, live) == {FILTER: {rule}}
    established = f"{CLOSED}\n{ESTABLISHED}\n-A INPUT -p tcp -j ACCEPT\n-A INPUT -p icmp -j ACCEPT"
    forwarded = dump(filter=f"{established}\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
    assert open_aspects(spec, forwarded) == {}
    assert open_aspects(wanted(forwarding=Forwarding.NAT), forwarded) == {FILTER: {":FORWARD DROP"}}


def without_settings(side: Side) -> Side:
    """The side as far as a dump says it."""
    host = side.hosts[HOST]
    nodes = OrderedNodes(node for node in host.nodes if not isinstance(node, Sysctl))
    return Side(name=side.name, hosts={HOST: replace(host, nodes=nodes)})


def test_an_error_about_a_packet_that_is_not_tracked_is_invalid() -> None:
    rule = "-A INPUT -m conntrack --ctstate INVALID -j DROP"
    web = "-A INPUT -p tcp -j ACCEPT"
    live = dump(filter=f"{OPEN}\n{web}\n{rule}")
    assert open_aspects(wanted(), live) == {FILTER: {rule}}
    for errors in ("-A INPUT -p icmp -j ACCEPT", "-A INPUT -d 192.0.2.10/32 -p icmp -j ACCEPT"):
        assert open_aspects(wanted(), dump(filter=f"{OPEN}\n{web}\n{errors}\n{rule}")) == {}
    other = traffic(dst="192.0.2.11", dport="80")
    some_untracked = of_nodes(
        *wanted(forwarding=Forwarding.NAT, conntrack="1").hosts[HOST].nodes, no_track(other, "direct")
    )
    beside = dump(filter=f"{OPEN}\n{web}\n{rule}", raw=NO_TRACK)
    assert open_aspects(some_untracked, beside) == {FILTER: {rule}}


def test_an_answer_that_is_not_known_may_be_sent_elsewhere() -> None:
    rule = "-A PREROUTING -s 192.0.2.21/32 -d 198.51.100.0/24 -p tcp -j DNAT --to-destination 10.0.0.9"
    live = dump(nat=rule)
    assert open_aspects(wanted(forwarding=Forwarding.NAT, conntrack="1"), live) == {}
    assert open_aspects(wanted(forwarding=Forwarding.NAT), live) == {SERVICE: {rule}}
    assert open_aspects(wanted(), live) == {}


# --- both sides ----------------------------------------------------------------------------------------------------------


def test_the_same_firewall_on_both_sides_keeps_the_same_packets_out() -> None:
    firewall = f"{CLOSED}\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
    assert compare(dump(filter=firewall), dump(filter=firewall)).unknown == ()
    for other in (firewall.replace("22", "23"), firewall.replace("INPUT DROP", "INPUT ACCEPT")):
        difference = compare(dump(filter=firewall), dump(filter=other))
        assert {unknown.aspect for unknown in difference.unknown} == {FILTER}


@pytest.mark.parametrize("target", ["ACCEPT", "DROP"])
def test_what_is_in_a_set_that_no_side_shows_is_not_compared(target: str) -> None:
    firewall = f"{CLOSED}\n-A INPUT -m set --match-set friends src -j {target}"
    note = "the elements of the set `friends`, which no side shows: they are not compared"
    same = compare(dump(filter=firewall), dump(filter=firewall))
    assert (same.unknown, same.notes.count(note)) == ((), 1)
    assert note not in compare(dump(filter=CLOSED), dump(filter=firewall)).notes
    assert note not in compare(wanted(), dump(filter=firewall)).notes


@pytest.mark.parametrize(
    ("elements", "unseen"), [("", True), ("elements = { 203.0.113.7 }", False)], ids=["none", "some"]
)
def test_nfts_sets_are_compared_by_the_elements_that_are_shown(elements: str, unseen: bool) -> None:
    text = f"""table ip theirs {{
    set foes {{ type ipv4_addr; {elements} }}
    chain input {{ type filter hook input priority filter; policy accept; ip saddr @foes drop; }}
}}
"""
    sides = [of_texts("nft", [Source(host=HOST, file="nft", text=text)], plugins())[0] for _ in range(2)]
    difference = compare(*sides)
    assert difference.unknown == ()
    assert any("`foes`" in note for note in difference.notes) is unseen


def test_the_same_rules_in_another_place_do_not_cancel_out() -> None:
    early = f"{OPEN}\n-A INPUT -p tcp -j DROP\n{LVSC_INPUT}"
    late = f"{OPEN}\n{LVSC_INPUT}\n-A INPUT -p tcp -j DROP"
    assert {unknown.aspect for unknown in compare(dump(filter=early), dump(filter=late)).unknown} == {FILTER}


def test_the_same_rule_that_marks_leaves_the_answer_open_all_the_same() -> None:
    marks = "-A PREROUTING -p tcp -j MARK --set-xmark 0x7/0xffffffff"
    difference = compare(with_rule("mangle", marks), with_rule("mangle", marks))
    assert {unknown.aspect for unknown in difference.unknown} == {SERVICE}


def test_where_the_text_does_not_tell_the_order_the_same_rule_leaves_the_answer_open() -> None:
    text = """table ip theirs {
    chain post { type nat hook postrouting priority srcnat; policy accept; masquerade; }
    chain input { type filter hook input priority filter; policy drop; }
}
"""

    def ruleset() -> Side:
        found, _ = of_texts("nft", [Source(host=HOST, file="nft", text=text)], plugins())
        return found

    assert {unknown.aspect for unknown in compare(ruleset(), ruleset()).unknown} == {SOURCE_NAT}


def test_the_accepts_of_one_variant_of_iptables_open_nothing_in_the_other() -> None:
    closed = f"{CLOSED}\n{ESTABLISHED}\n-A INPUT -p icmp -j ACCEPT"
    other = LVSC_INPUT.replace("--dports 80,443", "--dports 81")
    files = {
        "legacy.v4": f"{OPEN}\n{LVSC_INPUT}",
        "nft.v4": f"{closed}\n{other}",
    }
    sources = [
        Source(host=HOST, file=file, text=CHAINS.format(mangle=JUMP, nat="", raw="", filter=rules))
        for file, rules in files.items()
    ]
    live, _ = of_texts("live", sources, plugins())
    unknown = compare(wanted(accepts=True), live).unknown
    assert {(each.aspect, each.fragment) for each in unknown} == {(FILTER, ":INPUT DROP")}


# --- law -----------------------------------------------------------------------------------------------------------------

SOURCES = ("198.51.100.0/25", "198.51.100.128/25", "0.0.0.0/0")
DESTINATIONS = (f"{VIP}/32", "192.0.2.99/32", "192.0.2.0/24")
PORTS = ((80,), (443,), (80, 443), (22, 80), (8080,))
CLIENTS = ("198.51.100.7", "198.51.100.200")


@st.composite
def filter_rules(draw: st.DrawFn) -> tuple[str, tuple[str, ...], str]:
    """A rule in words, what a packet must be like, and where it goes."""
    source = draw(st.sampled_from((None, *SOURCES)))
    destination = draw(st.sampled_from((None, *DESTINATIONS)))
    ports = draw(st.sampled_from((None, *PORTS)))
    target = draw(st.sampled_from(("ACCEPT", "DROP", "REJECT", "LOG", "RETURN", "OURS", "LVSC-INPUT")))
    if target == "LVSC-INPUT":
        return "-j LVSC-INPUT", ("", "", ""), target
    words = [f"-s {source}"] if source else []
    words += [f"-d {destination}"] if destination else []
    words += [f"-p tcp -m multiport --dports {','.join(map(str, ports))}"] if ports else []
    conditions = (source or "", destination or "", ",".join(map(str, ports or ())))
    return " ".join((*words, "-j", target)), conditions, target


Rules = list[tuple[str, tuple[str, ...], str]]


def decided(rules: Rules, inner: Rules, packet: tuple[str, int]) -> str | None:
    """Where a client's packet to the virtual address ends in a chain; None where it comes to the end."""
    for _, (source, destination, ports), target in rules:
        here = (
            (not source or ip_address(packet[0]) in ip_network(source))
            and (not destination or ip_address(VIP) in ip_network(destination))
            and (not ports or str(packet[1]) in ports.split(","))
        )
        if not here or target == "LOG":
            continue
        if target == "LVSC-INPUT":
            return "ACCEPT"
        if target == "RETURN":
            return None
        if target != "OURS":
            return target
        found = decided(inner, [], packet)
        if found is not None:
            return found
    return None


@given(
    st.lists(filter_rules(), max_size=6),
    st.lists(filter_rules().filter(lambda rule: rule[2] not in ("OURS", "LVSC-INPUT")), max_size=3),
    st.sampled_from(("ACCEPT", "DROP")),
)
def test_where_nothing_is_open_every_client_gets_through(rules: Rules, inner: Rules, policy: str) -> None:
    own = any(target == "LVSC-INPUT" for _, _, target in rules)
    lines = [
        OPEN.replace("INPUT ACCEPT", f"INPUT {policy}"),
        ":OURS - [0:0]",
        *((":LVSC-INPUT - [0:0]", LVSC_INPUT.splitlines()[2]) if own else ()),
        # Answers are not what this law is about.
        f"-A INPUT -s {SERVER}/32 -j ACCEPT",
        "-A INPUT -p icmp -j ACCEPT",
        *(f"-A INPUT {words}" for words, _, _ in rules),
        *(f"-A OURS {words}" for words, _, _ in inner),
    ]
    source = Source(host=HOST, file="iptables.v4", text="\n".join(("*filter", *lines, "COMMIT", "")))
    live, _ = of_texts("live", [source], plugins())
    difference = compare(wanted(accepts=own), _with_marks(live))
    if difference.unknown:
        return
    for client in CLIENTS:
        for port in (80, 443):
            ending = decided(rules, inner, (client, port)) or policy
            assert ending == "ACCEPT", (client, port)


def _with_marks(live: Side) -> Side:
    """The side with the markings of the spec, which the law leaves alone."""
    host = live.hosts[HOST]
    nodes = [*host.nodes, *(node for node in wanted().hosts[HOST].nodes if isinstance(node, Marking))]
    return Side(name=live.name, hosts={HOST: replace(host, nodes=OrderedNodes(nodes))})
