"""Which packets other people's rules may touch, as far as their conditions are understood."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from lvsc.plugin import Family, Foreign, Hook, MarkGiven, PortRange, Reading, Scope, Source
from lvsc_iptables.backend import Iptables

V4 = Scope(family=Family.IPV4)
TCP = replace(V4, protocols=frozenset({6}))
BUILT_IN = ":PREROUTING ACCEPT [0:0]\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]"


def read(*rules: str, table: str = "filter") -> Reading:
    text = "\n".join((f"*{table}", BUILT_IN, *rules, "COMMIT", ""))
    return Iptables().read(Source(host="lvs1", file="iptables.v4", text=text))


def found(reading: Reading, text: str) -> Foreign:
    (foreign,) = (each for each in reading.foreign if each.text == text)
    return foreign


def ports(*ranges: tuple[int, int]) -> tuple[PortRange, ...]:
    return tuple(PortRange(*each) for each in ranges)


CONDITIONS = {
    "": V4,
    "-s 10.0.0.0/8 -d 192.0.2.10/32": replace(
        V4, sources=(ip_network("10.0.0.0/8"),), destinations=(ip_network("192.0.2.10/32"),)
    ),
    "-p tcp -m tcp --dport 22": replace(TCP, destination_ports=ports((22, 22))),
    "-p tcp -m tcp --sport 1024:65535": replace(TCP, source_ports=ports((1024, 65535))),
    "-p tcp -m multiport --dports 80,8000:8010": replace(
        TCP, destination_ports=ports((80, 80), (8000, 8010))
    ),
    "-p vrrp": replace(V4, protocols=frozenset({112})),
    "-p 132 -m sctp --dport 5000": replace(
        V4, protocols=frozenset({132}), destination_ports=ports((5000, 5000))
    ),
    "-m conntrack --ctstate RELATED,ESTABLISHED": replace(V4, known=True),
    # What cannot be said in a scope is left out, and what comes behind it is read.
    "! -s 10.0.0.0/8 -p tcp": TCP,
    "-i eth0 -p tcp -m tcp --dport 22": replace(TCP, destination_ports=ports((22, 22))),
    "-p tcp -m tcp ! --dport 22": TCP,
    "-m conntrack --ctstate NEW -p tcp": replace(TCP, known=False),
    "-m conntrack --ctstate INVALID,UNTRACKED": replace(V4, known=False),
    "-m conntrack --ctstate NEW,ESTABLISHED": V4,
    "-m conntrack ! --ctstate NEW": V4,
    "-m conntrack --ctstate ESTABLISHED": V4,
    "-f -s 10.0.0.0/255.0.0.0": replace(V4, sources=(ip_network("10.0.0.0/8"),)),
    # Behind what is not known nothing is read.
    "-m odd --thing -d 10.0.0.0/8": V4,
    '-m string --string "-d" --algo bm': V4,
    '-m comment --comment "-d 10.0.0.0/8" -p tcp': TCP,
    "-p tcp -m tcp --dport http": TCP,
    "-p odd -d 10.0.0.0/8": V4,
    "--dport 22": V4,
    "-s 10.0.0.0/255.0.0.255": V4,
    "-s 0.0.0.21/0.0.0.255": V4,
    "-p tcp -m tcp --dport 0120": TCP,
    "-s 2001:db8::/32": V4,
}


@pytest.mark.parametrize(("words", "scope"), CONDITIONS.items(), ids=CONDITIONS)
def test_conditions_bound_the_packets(words: str, scope: Scope) -> None:
    rule = " ".join(filter(None, ("-A INPUT", words, "-j DROP")))
    foreign = found(read(rule), rule)
    assert (foreign.scopes, foreign.hooks) == ((scope,), frozenset({Hook.INPUT}))


def test_a_chain_hands_its_callers_conditions_on() -> None:
    inner = "-A THEIRS -s 10.0.0.0/8 -j DROP"
    calls = ("-A INPUT -p tcp -j THEIRS", "-A FORWARD -d 192.0.2.0/24 -j OTHERS", "-A OTHERS -j THEIRS")
    reading = read(":THEIRS - [0:0]", ":OTHERS - [0:0]", *calls, inner)
    foreign = found(reading, inner)
    source = (ip_network("10.0.0.0/8"),)
    assert foreign.hooks == frozenset({Hook.INPUT, Hook.FORWARD})
    assert set(foreign.scopes) == {
        replace(TCP, sources=source),
        replace(V4, sources=source, destinations=(ip_network("192.0.2.0/24"),)),
    }
    assert [found(reading, call).scopes for call in calls] == [(), (), ()]


def test_a_loop_loses_no_packets_and_many_ways_are_for_every_packet() -> None:
    looped = read(
        ":A - [0:0]", ":B - [0:0]", "-A INPUT -p tcp -j A", "-A A -j B", "-A B -p udp -j A", "-A B -j DROP"
    )
    assert TCP in found(looped, "-A B -j DROP").scopes
    calls = [f"-A INPUT -s 10.0.{number}.0/24 -j A" for number in range(20)]
    assert found(read(":A - [0:0]", *calls, "-A A -j DROP"), "-A A -j DROP").scopes == (V4,)


def test_accepts_spare_what_comes_behind_them_in_their_chain() -> None:
    ssh = replace(TCP, destination_ports=ports((22, 22)))
    reading = read(
        "-A INPUT -p tcp -j DROP", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "-A INPUT -j REJECT"
    )
    assert found(reading, "-A INPUT -p tcp -j DROP").spared == ()
    assert found(reading, "-A INPUT -j REJECT").spared == (ssh,)
    assert found(reading, ":INPUT DROP").spared == (ssh,)


@pytest.mark.parametrize(
    ("jump", "behind"), [("-A INPUT -j LVSC-INPUT", True), ("-A FORWARD -j LVSC-FORWARD", False)]
)
def test_lvscs_own_accepts_are_before_a_policy_that_its_jump_is_before(jump: str, behind: bool) -> None:
    reading = read(f":{jump.rsplit(maxsplit=1)[-1]} - [0:0]", jump)
    assert reading.problems == ()
    assert found(reading, ":INPUT DROP").behind_accepts is behind


MARKS = {
    "MARK --set-xmark 0x7/0xffffffff": (MarkGiven(7, 0xFFFFFFFF),),
    "MARK --set-mark 7": (MarkGiven(7, 0xFFFFFFFF),),
    "MARK --set-xmark 0x4000/0x4000": (MarkGiven(0x4000, 0x4000),),
    "MARK --set-xmark 0x10/0x0": None,
    "MARK --or-mark 1": None,
    "CONNMARK --restore-mark": None,
    "SOMETHING": None,
    "ACCEPT": (),
}


@pytest.mark.parametrize(("target", "marks"), MARKS.items(), ids=MARKS)
def test_what_marks_a_rule_gives(target: str, marks: tuple[MarkGiven, ...] | None) -> None:
    rule = f"-A PREROUTING -j {target}"
    assert found(read(rule, table="mangle"), rule).marks == marks


@pytest.mark.parametrize(
    ("to", "made"),
    [
        (
            "10.0.0.9",
            replace(TCP, destinations=(ip_network("10.0.0.9/32"),), destination_ports=ports((80, 80))),
        ),
        (
            "10.0.0.9:81",
            replace(TCP, destinations=(ip_network("10.0.0.9/32"),), destination_ports=ports((81, 81))),
        ),
        (
            "10.0.0.9 --random",
            replace(TCP, destinations=(ip_network("10.0.0.9/32"),), destination_ports=ports((80, 80))),
        ),
        ("10.0.0.1-10.0.0.9", None),
        ("10.0.0.9:80-90", None),
        ("10.0.0.9 --odd", None),
    ],
)
def test_what_a_new_destination_makes_of_packets(to: str, made: Scope | None) -> None:
    rule = f"-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination {to}"
    assert found(read(rule, table="nat"), rule).made == (None if made is None else (made,))


def test_a_mark_is_possible_where_its_sure_bits_fit() -> None:
    assert [MarkGiven(0x4000, 0x4000).may_be(mark) for mark in (0x50, 0x4000, 0x4050)] == [False, True, True]


def test_a_place_tells_the_sides_of_lvscs_jump_apart() -> None:
    rules = ("-A INPUT -s 10.0.0.1/32 -j DROP", "-A INPUT -j LVSC-INPUT", "-A INPUT -s 10.0.0.2/32 -j DROP")
    reading = read(":LVSC-INPUT - [0:0]", *rules)
    first, second = (found(reading, rule).place for rule in (rules[0], rules[2]))
    assert first != second
    assert all((first, second))
