"""Packets followed through what programs read, without a spec."""

from ipaddress import IPv4Address

import pytest

from lvsc.compare.sides import ALL_ROLES, HostSide, OrderedNodes, Side, of_texts
from lvsc.graph.nodes import AddressSelector, Forwarding, RealServer, Scheduler, VirtualService
from lvsc.graph.traffic import Hook, Protocol
from lvsc.plugins.reading import Source
from lvsc.trace.asked import parse
from lvsc.trace.follow import trace
from lvsc.trace.result import Course, Fate
from support.nodes import HOST, ORIGIN, source_nat, traffic
from support.specs import plugins
from support.trace import said

PACKET = "tcp 198.51.100.7 -> 192.0.2.10:80"
TABLE = """\
-A -t 192.0.2.10:80 -s rr
-a -t 192.0.2.10:80 -r 192.0.2.21:80 -m -w {weight}
-A -f 7 -s rr -p 300
-a -f 7 -r 192.0.2.22:0 -g -w 1
"""
MARKS = """\
*mangle
:PREROUTING ACCEPT [0:0]
:LVSC-MARK - [0:0]
-A PREROUTING -j LVSC-MARK
-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 -m comment --comment "service web" -j MARK --set-xmark 0x7/0xffffffff
COMMIT
"""
FOREIGN = "-A PREROUTING -s 198.51.100.0/24 -j MARK --set-xmark 0x9/0xffffffff\n"


def course(packet: str, *texts: str) -> Course:
    sources = [Source(host="lvs1", file=f"text{n}", text=text) for n, text in enumerate(texts)]
    side, unread = of_texts("texts", sources, plugins())
    assert unread == ()
    (way,) = trace(side, parse(packet)).ways
    return way.course


def test_without_a_packet_filter_nothing_says_who_gets_a_mark() -> None:
    found = course(PACKET, TABLE.format(weight=1))
    assert [said(step) for step in found.steps][1:3] == [
        "PREROUTING mangle: nothing here says whether it gets a mark",
        "- routing: nothing here says so, but 192.0.2.10 must be an address of the director",
    ]
    assert found.fate is Fate.BALANCED


def test_a_mark_that_is_said_finds_its_service() -> None:
    found = course(f"{PACKET} mark 7", TABLE.format(weight=1))
    assert found.service is not None
    assert [str(c.address) for c in found.service.candidates] == ["192.0.2.22"]


def test_both_texts_together_find_the_service_of_the_mark_by_their_lines() -> None:
    found = course(PACKET, TABLE.format(weight=1), MARKS)
    assert found.service is not None
    assert [(e.file, e.line) for step in found.steps for e in step.evidence] == [("text1", 5), ("text0", 3)]
    assert [(e.file, e.line) for c in found.service.candidates for e in c.evidence] == [("text0", 4)]


def test_without_a_director_nothing_says_which_service_there_is() -> None:
    assert course(PACKET, MARKS).fate is Fate.UNTOLD


@pytest.mark.parametrize(("packet", "marked"), [(PACKET, 7), ("tcp 198.51.100.7 -> 192.0.2.10:81", 0)])
def test_a_foreign_rule_that_marks_leaves_the_service_open(packet: str, marked: int) -> None:
    texts = (TABLE.format(weight=1), MARKS.replace("COMMIT\n", f"{FOREIGN}COMMIT\n"))
    found = course(packet, *texts)
    assert found.mark == marked
    (question,) = found.open_questions
    assert (question.file, question.line) == ("text1", 6)
    assert not course(packet, TABLE.format(weight=1), MARKS).open_questions


def test_a_service_whose_real_servers_are_all_drained_takes_no_new_client() -> None:
    found = course(PACKET, TABLE.format(weight=0))
    assert (found.fate, found.why) == (
        Fate.UNSERVED,
        "every real server is drained: a new client is told by ICMP that the port is unreachable",
    )
    assert found.back == ()


def test_source_nat_sees_the_destination_that_nat_gave_the_packet() -> None:
    selector = AddressSelector(Protocol.TCP, IPv4Address("192.0.2.10"), 80)
    service = VirtualService(
        host=HOST, origin=ORIGIN, service="web", selector=selector, scheduler=Scheduler.RR
    )
    servers = [
        RealServer(
            host=HOST,
            origin=ORIGIN,
            selector=selector,
            name="",
            address=IPv4Address(f"192.0.2.2{number}"),
            port=8080,
            forwarding=method,
        )
        for number, method in ((1, Forwarding.NAT), (2, Forwarding.DIRECT))
    ]
    rules = [
        source_nat(traffic(Hook.POSTROUTING, dst=to, dport=port), f"192.0.2.{last}")
        for to, port, last in (("192.0.2.21", "8080", 2), ("192.0.2.21", "80", 3), ("192.0.2.10", "80", 4))
    ]
    host = HostSide(host=HOST, nodes=OrderedNodes([service, *servers, *rules]), roles=ALL_ROLES, whole=True)
    (way,) = trace(Side(name="nodes", hosts={HOST: host}), parse(PACKET)).ways
    assert way.course.service is not None
    assert [str(candidate.source) for candidate in way.course.service.candidates] == [
        "192.0.2.2",
        "192.0.2.4",
    ]
    assert [candidate.port for candidate in way.course.service.candidates] == [8080, 80]
