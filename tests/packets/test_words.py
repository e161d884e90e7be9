"""Packets as an operator would say them."""

import pytest

from lvsc.graph.traffic import Family, Hook, Portless, Protocol, State, TrafficClass
from lvsc.packets.diagram import Space
from lvsc.packets.dimensions import Dimension, traffic_box
from lvsc.packets.sets import PacketSet
from lvsc.packets.words import box_words, listed
from support.nodes import traffic

WORDS = {
    "tcp to 192.0.2.10:80": traffic(dst="192.0.2.10", dport="80"),
    "tcp to 192.0.2.0/24 port 80-90": traffic(dst="192.0.2.0/24", dport="80-90"),
    "udp to 2001:db8::10 port 53": traffic(dst="2001:db8::10", dport="53", protocol=Protocol.UDP),
    "tcp to 192.0.2.10 from 198.51.100.0/24": traffic(dst="192.0.2.10", src="198.51.100.0/24"),
    "tcp over IPv6 to port 80": traffic(family=Family.IPV6, dport="80"),
    "tcp from 10.0.0.1:20 at postrouting": traffic(Hook.POSTROUTING, src="10.0.0.1", sport="20"),
    "tcp from 192.0.2.21:80 in state ESTABLISHED at forward": traffic(
        Hook.FORWARD, src="192.0.2.21", sport="80", state=State.ESTABLISHED
    ),
    "vrrp to 224.0.0.18 from 192.0.2.3 at input": traffic(
        Hook.INPUT, src="192.0.2.3", dst="224.0.0.18", protocol=Portless.VRRP
    ),
    "tcp to 192.0.2.10 in by eth1": traffic(dst="192.0.2.10", interface="eth1"),
    "tcp to 192.0.2.10 not from MAC 00:00:5e:00:53:01": traffic(
        dst="192.0.2.10", not_macs=("00:00:5e:00:53:01",)
    ),
    "tcp first sent to 192.0.2.10:80 at postrouting": traffic(
        Hook.POSTROUTING, original_dst="192.0.2.10", original_dport="80"
    ),
}


@pytest.mark.parametrize(("expected", "packets"), WORDS.items(), ids=WORDS)
def test_a_class_in_words(expected: str, packets: TrafficClass) -> None:
    assert box_words(traffic_box(packets)) == expected


def test_adjacent_addresses_are_one_network_and_ports_one_list() -> None:
    box = traffic_box(traffic(dst="192.0.2.8/31")) | {
        Dimension.DESTINATION: ((0xC0000208, 0xC000020B),),
        Dimension.DESTINATION_PORT: ((80, 80), (443, 445)),
        Dimension.MARK: ((5, 5),),
    }
    assert box_words(box) == "tcp to 192.0.2.8/30 port 80,443-445 marked 5"


def test_of_a_long_list_the_rest_is_counted() -> None:
    assert listed("abcd") == "a, b, c, d"
    assert listed("abcdef") == "a, b, c, 3 more"


def test_a_packet_without_ports_names_none() -> None:
    adverts = traffic(Hook.INPUT, src="192.0.2.3", dst="224.0.0.18", protocol=Portless.VRRP)
    assert str(PacketSet.of_classes(Space(), [adverts]).witness()) == "vrrp 192.0.2.3 -> 224.0.0.18"
