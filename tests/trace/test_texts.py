"""Packets followed through what programs read, without a spec."""

from ipaddress import IPv4Address

import pytest

from lvsc.compare.sides import ALL_ROLES, HostSide, OrderedNodes, Side, of_texts
from lvsc.graph.nodes import AddressSelector, Forwarding, Node, RealServer, Scheduler, VirtualService
from lvsc.graph.traffic import Hook, Protocol
from lvsc.plugins.reading import Source
from lvsc.trace.asked import parse
from lvsc.trace.follow import trace
from lvsc.trace.result import Course, Fate
from support.nodes import HOST, ORIGIN, no_track, source_nat, traffic
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
    without = "without a mark, it finds service tcp 192.0.2.10:80"
    assert (found.fate, found.service) == (Fate.UNTOLD, None)
    assert found.why == (
        f"nothing here says whether it gets mark 7, by which it finds a service; {without}"
        " (`mark 7` behind the packet says that it has one)"
    )


@pytest.mark.parametrize(
    ("packet", "fate"),
    [
        ("tcp 198.51.100.7 -> 192.0.2.10:443", Fate.UNTOLD),
        ("tcp 198.51.100.7 -> 203.0.113.1:80", Fate.UNTOLD),
        ("tcp [2001:db8::7] -> [2001:db8::10]:80", Fate.FORWARDED),
    ],
    ids=["another port", "another address", "a family without services of marks"],
)
def test_a_mark_that_nobody_says_may_lead_any_packet_of_its_family_to_a_service(
    packet: str, fate: Fate
) -> None:
    assert course(packet, TABLE.format(weight=1)).fate is fate


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (PACKET, "it finds service tcp 192.0.2.10:80, and not all of that is understood"),
        (
            "tcp 198.51.100.7 -> 192.0.2.10:443",
            "it finds none of the services that are understood, and there may be others",
        ),
    ],
    ids=["the service", "no service"],
)
def test_what_is_not_understood_of_services_leaves_the_packets_way_open(packet: str, words: str) -> None:
    table = "-A -t 192.0.2.10:80 -s rr --new\n-A -t192.0.2.10:443 -s rr\n"
    found = course(packet, table)
    assert (found.fate, found.why, found.service) == (Fate.UNTOLD, words, None)


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
    found = course(PACKET, "".join(TABLE.format(weight=0).splitlines(keepends=True)[:2]))
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


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("", "its source becomes 192.0.2.10:80 again"),
        (" -o", "each datagram is scheduled by itself, so the answer"),
    ],
)
def test_an_answer_to_a_datagram_scheduled_by_itself_keeps_its_source(flags: str, words: str) -> None:
    table = f"-A -u 192.0.2.10:80 -s rr{flags}\n-a -u 192.0.2.10:80 -r 192.0.2.21:80 -m -w 1\n"
    back = course(PACKET.replace("tcp", "udp"), table).back
    assert back[-1].what.startswith(words)


@pytest.mark.parametrize(("untracked", "source"), [(False, "192.0.2.2"), (True, None)])
def test_no_source_nat_for_a_packet_that_is_not_tracked(*, untracked: bool, source: str | None) -> None:
    rules: list[Node] = [source_nat(traffic(Hook.POSTROUTING, src="192.0.2.21", sport="20"), "192.0.2.2")]
    rules += [no_track(traffic(src="192.0.2.21"))] * untracked
    host = HostSide(host=HOST, nodes=OrderedNodes(rules), roles=ALL_ROLES, whole=True)
    asked = parse("tcp 192.0.2.21:20 -> 198.51.100.7:5000")
    (way,) = trace(Side(name="nodes", hosts={HOST: host}), asked).ways
    assert way.course.tracked is not untracked
    assert way.course.why.startswith("sent on, with the source 192.0.2.2" if source else "sent on as it is")


def test_where_nothing_says_the_hosts_addresses_the_answer_says_so() -> None:
    found = course("tcp 198.51.100.7 -> 203.0.113.9:80", TABLE.format(weight=1), MARKS)
    assert found.fate is Fate.FORWARDED
    assert found.why.endswith("; unless 203.0.113.9 is the director's own")
