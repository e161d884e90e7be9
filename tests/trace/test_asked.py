from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import DiagnosticError
from lvsc.graph.traffic import Family, Protocol
from lvsc.trace.asked import Asked, parse
from support.strategies import addresses


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("tcp 198.51.100.7 -> 192.0.2.10:443", "tcp 198.51.100.7:40000 -> 192.0.2.10:443"),
        ("TCP 198.51.100.7:1->192.0.2.10:65535", "tcp 198.51.100.7:1 -> 192.0.2.10:65535"),
        ("udp 2001:db8::7 -> [2001:DB8::10]:53", "udp [2001:db8::7]:40000 -> [2001:db8::10]:53"),
        ("sctp [2001:db8::7] -> [2001:db8::10]:53", "sctp [2001:db8::7]:40000 -> [2001:db8::10]:53"),
        (
            "tcp 198.51.100.7 -> 192.0.2.10:80 mark 0x50 from 52:54:00:AB:00:01 on lvs-1 in eth0.7",
            "tcp 198.51.100.7:40000 -> 192.0.2.10:80 on lvs-1 in eth0.7 from 52:54:00:ab:00:01 mark 80",
        ),
        ("tcp 198.51.100.7 -> 192.0.2.10:80 mark 0", "tcp 198.51.100.7:40000 -> 192.0.2.10:80"),
        ("tcp 198.51.100.7 -> 192.0.2.10:80 on mark", "tcp 198.51.100.7:40000 -> 192.0.2.10:80 on mark"),
    ],
)
def test_a_packet_is_read_with_everything_that_is_left_unsaid(text: str, whole: str) -> None:
    assert str(parse(text)) == whole


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [("LVS721", 1, "expected a protocol, a source, `->` and a destination")]),
        ("tcp 198.51.100.7 192.0.2.10:80", [("LVS721", 18, "expected a protocol, a source, `->` and")]),
        ("tcp 198.51.100.7 -> 192.0.2.10", [("LVS721", 21, "the destination has no port")]),
        ("tcp 2001:db8::7 -> 2001:db8::10", [("LVS721", 20, "the destination has no port")]),
        ("tpc 198.51.100.7 -> 192.0.2.10:80", [("LVS721", 1, "there is no protocol `tpc`")]),
        ("icmp 198.51.100.7 -> 192.0.2.10:80", [("LVS721", 1, "there is no protocol `icmp`")]),
        ("tcp client -> 192.0.2.10:80", [("LVS721", 5, "`client` is no IP address")]),
        ("tcp 198.51.100.07 -> 192.0.2.10:80", [("LVS721", 5, "`198.51.100.07` is no IP address")]),
        ("tcp 198.51.100.7:0 -> 192.0.2.10:80", [("LVS721", 5, "`0` is no port")]),
        ("tcp 198.51.100.7: -> 192.0.2.10:80", [("LVS721", 5, "`` is no port")]),
        ("tcp 198.51.100.7 -> 192.0.2.10:65536", [("LVS721", 21, "`65536` is no port")]),
        ("tcp 198.51.100.7 -> 192.0.2.10:https", [("LVS721", 21, "`https` is no port")]),
        ("tcp 198.51.100.7 -> 192.0.2.10:\u0668\u0660", [("LVS721", 21, "`\u0668\u0660` is no port")]),
        ("tcp 198.51.100.7 -> 192.0.2.10:" + "9" * 5000, [("LVS721", 21, "is no port")]),
        ("tcp 198.51.100.7 -> [192.0.2.10]:80", [("LVS721", 21, "an IPv4 address stands without brackets")]),
        ("tcp fe80::1%eth0 -> [2001:db8::10]:80", [("LVS721", 5, "`fe80::1%eth0` names a zone")]),
        ("tcp 198.51.100.7 -> [2001:db8::10]:80", [("LVS722", 21, "are of two families")]),
        ("udp 198.51.100.7 -> 224.0.0.1:80", [("LVS722", 21, "`224.0.0.1` is no address of a single host")]),
        ("udp :: -> [2001:db8::10]:80", [("LVS722", 5, "`::` is no address of a single host")]),
        (
            "tcp 198.51.100.7 -> 192.0.2.10:80 onn lvs1",
            [("LVS721", 35, "`onn` says nothing of a packet")],
        ),
        ("tcp 198.51.100.7 -> 192.0.2.10:80 on", [("LVS721", 35, "nothing follows `on`")]),
        ("tcp 198.51.100.7 -> 192.0.2.10:80 on a on b", [("LVS721", 40, "`on` is said twice")]),
        ("tcp 198.51.100.7 -> 192.0.2.10:80 from 52:54", [("LVS721", 40, "`52:54` is no MAC address")]),
        ("tcp 198.51.100.7 -> 192.0.2.10:80 mark 4294967296", [("LVS721", 40, "is no mark")]),
        ("tcp 198.51.100.7 -> 192.0.2.10:80 mark -1", [("LVS721", 40, "`-1` is no mark")]),
        (
            "tcp 198.51.100.7 -> 192.0.2.10:80 in eth0/../x",
            [("LVS721", 38, "`eth0/../x` is no interface")],
        ),
        ("tcp 198.51.100.7 -> 192.0.2.10:80\nmark 1", [("LVS721", 1, "one line of printable characters")]),
        (
            "tpc x -> 192.0.2.10 mark y",
            [
                ("LVS721", 1, "there is no protocol"),
                ("LVS721", 5, "`x` is no IP address"),
                ("LVS721", 10, "the destination has no port"),
                ("LVS721", 26, "`y` is no mark"),
            ],
        ),
    ],
)
def test_every_mistake_is_named_at_its_column(text: str, problems: list[tuple[str, int, str]]) -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse(text)
    found = caught.value.diagnostics
    places = [(d.code.id, d.place.origin.column) for d in found if d.place is not None]
    assert places == [(code, column) for code, column, _ in problems]
    assert all(words in d.message for d, (_, _, words) in zip(found, problems, strict=True))
    assert all(d.help for d in found)


@st.composite
def packets(draw: st.DrawFn) -> Asked:
    family = draw(st.sampled_from(Family))
    unicast = addresses(family).filter(lambda a: not a.is_multicast and int(a) != 2**32 - 1)
    ports = st.integers(1, 65535)
    return Asked(
        protocol=draw(st.sampled_from(Protocol)),
        source=draw(unicast),
        source_port=draw(ports),
        destination=draw(unicast),
        destination_port=draw(ports),
        director=draw(st.none() | st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True)),
        interface=draw(st.none() | st.just("bond0.12")),
        source_mac=draw(st.none() | st.just("52:54:00:00:00:02")),
        mark=draw(st.integers(0, 2**32 - 1)),
    )


@given(packets())
def test_what_a_packet_is_called_is_a_packet_that_can_be_asked_about(asked: Asked) -> None:
    assert parse(str(asked)) == asked


@given(st.text(max_size=40) | st.text(alphabet="tcpudp 0123456789.:[]->onfrmark%x\n", max_size=60))
def test_no_text_is_more_than_a_mistake(text: str) -> None:
    with suppress(DiagnosticError):
        assert parse(str(parse(text))) == parse(text)
