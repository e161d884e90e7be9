"""Other people's rules in whatever form iptables-restore takes: read as they are saved, or left open."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from lvsc.plugin import Family, MarkGiven, Reading, Scope, Source, Touch
from lvsc_iptables.backend import Iptables
from lvsc_iptables.read_foreign import EVERYTHING
from lvsc_iptables.read_options import Parts, parts_of

ALL = Scope(family=Family.IPV4)
CHAINS = ":PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:THEIRS - [0:0]\n:LVSC-MARK - [0:0]"


def read(*rules: str, table: str = "filter") -> Reading:
    text = "\n".join((f"*{table}", CHAINS, *rules, "COMMIT", ""))
    return Iptables().read(Source(host="lvs1", file="iptables.v4", text=text))


def taken_apart(rule: str) -> Parts | None:
    return parts_of(tuple(rule.split()))


SAME = {
    "a condition behind the target": ("-j DROP -s 10.0.0.0/8", "-s 10.0.0.0/8 -j DROP"),
    "a match behind the target": (
        "-j ACCEPT -m limit --limit 1/h",
        "-m limit --limit 1/h -j ACCEPT",
    ),
    "a condition within what is said to the target": (
        "-j MARK -i eth7 --set-mark 1",
        "-i eth7 -j MARK --set-mark 1",
    ),
    "a negated condition behind the target": ("-j DROP ! -i lo", "! -i lo -j DROP"),
    "long names": (
        "--protocol tcp --source 10.0.0.1 --destination-port 80 --in-interface lo --jump DROP",
        "-p tcp -s 10.0.0.1 --dport 80 -i lo -j DROP",
    ),
    "counters": ("-c 1 2 -i lo -j DROP", "-i lo -j DROP"),
    "a comment": ("-m comment --comment -j -j DROP", "-j DROP"),
    "a jump in a prefix": ("-j LOG --log-prefix -g", "-j LOG --log-prefix -g"),
}


@pytest.mark.parametrize(("written", "saved"), SAME.values(), ids=SAME)
def test_options_mean_the_same_wherever_they_stand(written: str, saved: str) -> None:
    one, other = taken_apart(written), taken_apart(saved)
    assert one is not None
    assert one == other
    assert one.complete


@pytest.mark.parametrize(
    "rule",
    [
        "--jum DROP",
        "--j DROP",
        "--jump=DROP",
        "--goto=THEIRS",
        "--got THEIRS",
        "-jDROP",
        "-fj DROP",
        "-gTHEIRS",
        "'-j' DROP",
        "-4 -j DROP",
        "-s10.0.0.0/8 -j ACCEPT",
        "-s ! 10.0.0.0/8 -j ACCEPT",
        "-j ACCEPT -j DROP",
        "-j ACCEPT --jum DROP",
        "-j ACCEPT DROP",
        "-m odd --odd -4 -j ACCEPT",
        "-m odd --odd x -j ACCEPT --jump=DROP",
        "-m odd --odd -j -j DROP",
        "-p tcp --dport",
        "! -j ACCEPT",
        "! ! -i lo -j ACCEPT",
        "-- -j DROP",
        "-j --odd",
    ],
)
def test_a_rule_that_may_go_anywhere_may_do_everything_to_every_packet(rule: str) -> None:
    (foreign,) = (each for each in read(f"-A INPUT {rule}").foreign if each.text.startswith("-A"))
    assert (foreign.touches, foreign.scopes, foreign.hooks) == (EVERYTHING, (ALL,), None)
    assert (foreign.marks, foreign.made) == (None, None)


def test_a_rule_that_may_go_anywhere_spares_nothing_behind_it() -> None:
    rules = ("-A INPUT --jum RETURN", "-A INPUT -j ACCEPT", "-A INPUT -j DROP")
    assert read(*rules).foreign[-1].spared == ()
    assert read(*rules[1:]).foreign[-1].spared == (ALL,)


@pytest.mark.parametrize(
    "accept",
    [
        "-j ACCEPT -i eth7",
        "-j ACCEPT -m limit --limit 1/h",
        "-m limit -j ACCEPT",
        "-m hashlimit -j ACCEPT",
        "-m recent -j ACCEPT",
        "-m conntrack -j ACCEPT",
        "-m odd -j ACCEPT",
        "-j ACCEPT -m odd",
        "-j ACCEPT --sour 10.0.0.1",
        "-j ACCEPT --odd",
        "-f -j ACCEPT",
        "-p tcp -m tcp --syn -j ACCEPT",
        "-s 10.0.0.0/0.0.0.255 -j ACCEPT",
        "-s 10.0.0.0/010 -j ACCEPT",
        "-p tcp --dport 0120 -j ACCEPT",
        "-p 017 -j ACCEPT",
    ],
)
def test_what_may_not_accept_all_of_its_packets_spares_none_of_those(accept: str) -> None:
    assert read(f"-A INPUT {accept}", "-A INPUT -j DROP").foreign[-1].spared == ()


def test_what_stands_behind_the_target_bounds_an_accept() -> None:
    rules = (
        "-A INPUT -j ACCEPT -s 10.0.0.1",
        "-A INPUT -m conntrack --ctstate NEW -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    )
    one = replace(ALL, sources=(ip_network("10.0.0.1/32"),))
    assert read(rules[0], "-A INPUT -j DROP").foreign[-1].spared == (one,)
    # No packet is both.
    assert [scope.known for scope in read(rules[1], "-A INPUT -j DROP").foreign[-1].spared] == []


@pytest.mark.parametrize("match", ["-p tcp -m tcp", "-p udp -m udp", "-m comment --comment x"])
def test_a_match_that_takes_in_every_packet_spares_them(match: str) -> None:
    foreign = read(f"-A INPUT {match} -j ACCEPT", "-A INPUT -j DROP").foreign[-1]
    assert len(foreign.spared) == 1


@pytest.mark.parametrize(
    "jump",
    [
        "-j LVSC-MARK -i eth7",
        "-j LVSC-MARK -m limit",
        "-j LVSC-MARK -m odd",
        "-m odd --odd -j LVSC-MARK",
        "-j LVSC-MARK --sour 10.0.0.1",
    ],
)
def test_a_condition_anywhere_keeps_packets_from_lvscs_rules(jump: str) -> None:
    mark = "-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x50/0xffffffff"
    reading = read(f"-A PREROUTING {jump}", mark, table="mangle")
    assert reading.nodes == ()
    assert [problem.code.id for problem in reading.problems] == ["IPT104"]


def test_a_jump_that_is_not_understood_is_none_to_lvscs_rules() -> None:
    mark = "-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x50/0xffffffff"
    reading = read("-A PREROUTING --jum LVSC-MARK", mark, table="mangle")
    assert [problem.code.id for problem in reading.problems] == ["IPT103"]
    assert EVERYTHING in [foreign.touches for foreign in reading.foreign]


@pytest.mark.parametrize(
    ("rule", "touches", "marks"),
    [
        ("-j MARK --set-mark 1 --set-m 0x50", {Touch.MARK}, None),
        ("-m odd --odd -j MARK --set-xmark 0x4000/0x4000", {Touch.MARK}, (MarkGiven(0x4000, 0x4000),)),
        ("-j CT --helpe ftp", {Touch.HELPER, Touch.TRACKING}, ()),
        ("-j CT --zone 1 --helper ftp", {Touch.HELPER, Touch.TRACKING}, ()),
        ("-m helper -j CT --helper ftp", {Touch.HELPER, Touch.TRACKING}, ()),
        ("-j SET --add-set seen src", set(), None),
        ("-j SET --map-set marks src --map-mark", {Touch.MARK}, None),
        ("-j SET --map-s marks src --map-mark", {Touch.MARK}, None),
    ],
)
def test_what_is_said_to_a_target_counts_where_it_is_known(
    rule: str, touches: set[Touch], marks: tuple[MarkGiven, ...] | None
) -> None:
    foreign = read(f"-A PREROUTING {rule}", table="mangle").foreign[-1]
    assert foreign.touches == touches
    assert foreign.marks == marks


@pytest.mark.parametrize(
    ("target", "touches"),
    [
        ("TTL --ttl-set 1", {Touch.FILTER}),
        ("HL --hl-dec 9", {Touch.FILTER}),
        ("TOS --set-tos 0x10/0x3f", {Touch.FILTER}),
        ("DSCP --set-dscp 0x2e", {Touch.FILTER}),
        ("ECN --ecn-tcp-remove", {Touch.FILTER}),
        ("SECMARK --selctx x", {Touch.FILTER}),
        ("CONNSECMARK --restore", {Touch.FILTER}),
        ("TEE --gateway 10.0.0.1", EVERYTHING),
        ("SYNPROXY --mss 1460", EVERYTHING),
        ("TCPOPTSTRIP --strip-options mss", EVERYTHING),
        ("TCPMSS --clamp-mss-to-pmtu", set()),
        ("CLASSIFY --set-class 1:2", set()),
        ("NFLOG --nflog-group 1", set()),
        ("AUDIT --type accept", set()),
        ("TRACE", set()),
        ("CHECKSUM --checksum-fill", set()),
    ],
)
def test_a_target_that_changes_what_others_judge_a_packet_by_may_keep_it_out(
    target: str, touches: set[Touch]
) -> None:
    assert read(f"-A PREROUTING -j {target}", table="mangle").foreign[-1].touches == touches


def test_chains_that_call_each_other_again_and_again_are_read_once() -> None:
    chains = [f":C{number} - [0:0]" for number in range(40)]
    calls = [f"-A C{number} -j C{number + 1}" for number in range(39) for _ in range(3)]
    reading = read(*chains, "-A INPUT -j C0", *calls, "-A C39 -j ACCEPT", "-A C9 -j DROP", "-A C0 -j C0")
    assert [each.text for each in reading.foreign if each.text.startswith("-A C9 ")][-1] == "-A C9 -j DROP"


def test_a_long_row_of_chains_is_read() -> None:
    chains = [f":C{number} - [0:0]" for number in range(3000)]
    calls = [f"-A C{number} -j C{number + 1}" for number in reversed(range(2999))]
    reading = read(*chains, "-A INPUT -j C0", *calls, "-A C2999 -j DROP")
    assert reading.foreign[-1].touches == {Touch.FILTER}
