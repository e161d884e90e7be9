"""What is not lvsc's and touches what is compared makes the answer unknown, with the rule; never "no difference"."""

import pytest

from lvsc.compare.changes import Aspect, Unknown
from lvsc.compare.difference import NothingInCommonError, compare
from lvsc.compare.sides import Side, of_texts
from lvsc.diagnostics import Origin
from lvsc.plugins.backend import Role
from lvsc.plugins.reading import Foreign, Source, Touch
from lvsc.report.verdict import verdict
from support.nodes import HOST, by_address, marking, real_server, service, traffic
from support.sides import of_nodes, side
from support.specs import plugins

BUNDLE = {"services": {"web": {"ports": ["tcp/80", "tcp/443"], "mark": 80}}}


def foreign(*touches: Touch) -> Foreign:
    return Foreign(host=HOST, text="-j THEIRS", touches=frozenset(touches), origin=Origin("dump", line=7))


TOUCHED = {
    Touch.MARK: {Aspect.SERVICE},
    Touch.DESTINATION_NAT: {Aspect.SERVICE},
    Touch.BALANCE: {Aspect.SERVICE},
    Touch.HELPER: {Aspect.HELPER},
    Touch.TRACKING: {Aspect.HELPER, Aspect.TRACKING, Aspect.SOURCE_NAT},
    Touch.SOURCE_NAT: {Aspect.SOURCE_NAT},
    Touch.FILTER: {Aspect.FILTER},
}


@pytest.mark.parametrize(("touch", "aspects"), TOUCHED.items(), ids=lambda value: getattr(value, "value", ""))
@pytest.mark.parametrize("old_has_it", [True, False], ids=["old", "new"])
def test_a_foreign_rule_leaves_open_what_it_touches(
    touch: Touch, aspects: set[Aspect], old_has_it: bool
) -> None:
    nodes = [service(by_address("192.0.2.10", 80))]
    plain, touched = (
        of_nodes(*nodes, name="plain"),
        of_nodes(*nodes, name="touched", foreign=[foreign(touch)]),
    )
    difference = compare(touched, plain) if old_has_it else compare(plain, touched)
    assert difference.packets == ()
    assert {unknown.aspect for unknown in difference.unknown} == aspects
    assert {(u.fragment, u.side, u.origin) for u in difference.unknown} == {
        ("-j THEIRS", "touched", Origin("dump", line=7))
    }
    assert difference.differs
    assert "unknown whether packets are treated differently" in verdict(difference)
    assert "no packet" not in verdict(difference)


def test_every_touch_leaves_something_open() -> None:
    assert TOUCHED.keys() == set(Touch)


def test_a_foreign_rule_that_touches_nothing_is_no_reason_for_doubt() -> None:
    nodes = [service(by_address("192.0.2.10", 80))]
    difference = compare(of_nodes(*nodes), of_nodes(*nodes, foreign=[foreign()]))
    assert not difference.differs
    assert verdict(difference) == "no packet is treated differently; 0 rules rewritten"


def test_what_is_known_to_change_is_said_besides() -> None:
    selector = by_address("192.0.2.10", 80)
    new = of_nodes(service(selector), real_server(selector, "10.0.0.1", 80), foreign=[foreign(Touch.MARK)])
    difference = compare(of_nodes(), new)
    assert len(difference.packets) == 1
    assert verdict(difference) == (
        "1 class of packets: 1 exposed; unknown whether other packets are treated differently:"
        " 1 rule is not lvsc's or not understood"
    )


def filters(*lines: str) -> str:
    return "\n".join(("*mangle", ":PREROUTING ACCEPT [0:0]", ":LVSC-MARK - [0:0]", *lines, "COMMIT", ""))


def dump(name: str, *lines: str, host: str = HOST) -> Side:
    source = Source(host=host, file="iptables.v4", text=filters(*lines))
    found, unknown = of_texts(name, [source], plugins())
    assert unknown == ()
    return found


JUMP = "-A PREROUTING -j LVSC-MARK"
RULE = "-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport {} -j MARK --set-xmark 0x50/0xffffffff"


def test_a_rule_that_marks_beside_lvscs_own_makes_a_dump_unknown() -> None:
    theirs = "-A PREROUTING -p tcp -j MARK --set-xmark 0x7/0xffffffff"
    difference = compare(dump("old", JUMP, RULE.format(80)), dump("new", theirs, JUMP, RULE.format(80)))
    assert [(u.fragment, u.side) for u in difference.unknown if u.aspect is Aspect.SERVICE] == [
        (theirs, "new")
    ]


def test_a_fragment_that_is_not_understood_makes_a_dump_unknown() -> None:
    odd = RULE.format(80) + " -m statistic --mode random"
    difference = compare(dump("old", JUMP, RULE.format(80)), dump("new", JUMP, odd))
    assert difference.packets == ()
    assert any(
        u.aspect is Aspect.SERVICE and u.origin is not None and u.origin.line == 5 for u in difference.unknown
    )


def test_a_rule_that_is_not_understood_may_mark_for_a_service() -> None:
    odd = RULE.format(80) + " -m statistic --mode random"
    table = "-A -f 80 -s rr\n-a -f 80 -r 10.0.0.1:0 -m -w 1\n"
    texts = [filters(JUMP, RULE.format(80)), filters(JUMP, odd)]
    old, new = (
        of_texts(
            "both",
            [Source(host=HOST, file="table", text=table), Source(host=HOST, file="iptables.v4", text=text)],
            plugins(),
        )[0]
        for text in texts
    )
    difference = compare(old, new)
    assert (difference.packets, {u.aspect for u in difference.unknown}) == ((), set(Aspect))


def test_two_dumps_of_packet_filters_are_compared_by_their_marks() -> None:
    difference = compare(dump("old", JUMP, RULE.format(80)), dump("new", JUMP, RULE.format(81)))
    assert [(c.kind.value, c.before, c.after) for c in difference.packets] == [
        ("mark", "mark 80", "no mark"),
        ("mark", "no mark", "mark 80"),
    ]
    assert difference.unknown == ()


def test_a_dump_is_compared_with_that_part_of_a_spec_which_it_speaks_of() -> None:
    rules = (JUMP, RULE.format(80), RULE.format(443))
    difference = compare(dump("dump", *rules), side(BUNDLE, {"pools": {"web": {"check": "none"}}}))
    assert (difference.packets, difference.unknown, difference.settings) == ((), (), ())
    assert difference.notes == (
        "one side says nothing of virtual services: they are not compared",
        "one side says nothing of failover and host settings: they are not compared",
    )


def test_an_unread_director_leaves_open_which_service_is_found() -> None:
    unread: list[Unknown] = []
    source = Source(host=HOST, file="ipvsadm.rules", text="-A -t 192.0.2.10:80 -s wlc\n-A -t nonsense\n")
    found, unknown = of_texts("table", [source], plugins())
    assert unknown == ()
    difference = compare(found, found)
    unread += difference.unknown
    assert {u.aspect for u in unread} == {Aspect.SERVICE}


def test_sides_of_no_common_host_are_not_called_equal() -> None:
    one = of_nodes(host="lvs1")
    others = [of_nodes(host=name) for name in ("lvs2", "lvs3")]
    two = Side(name="two", hosts={name: host for each in others for name, host in each.hosts.items()})
    with pytest.raises(NothingInCommonError, match="no host is in both: `lvs1` and `lvs2`, `lvs3`"):
        compare(one, two)


def test_sides_that_speak_of_different_things_are_not_called_equal() -> None:
    filters = of_nodes(marking(traffic()), roles=frozenset({Role.PACKET_FILTER}), whole=False)
    director = of_nodes(service(by_address("192.0.2.10", 80)), roles=frozenset({Role.DIRECTOR}), whole=False)
    with pytest.raises(NothingInCommonError, match="one side is of packet filters"):
        compare(filters, director)


def test_the_only_hosts_of_two_sides_are_compared_whatever_they_are_called() -> None:
    difference = compare(
        dump("old", JUMP, RULE.format(80), host="a"), dump("new", JUMP, RULE.format(80), host="b")
    )
    assert (difference.packets, difference.unknown) == ((), ())
