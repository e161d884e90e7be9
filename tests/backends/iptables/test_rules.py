import random
import re
from ipaddress import IPv4Address, ip_network
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.plugin import (
    Family,
    Hook,
    Marking,
    Origin,
    PacketRule,
    Portless,
    PortRange,
    Protocol,
    State,
    TrafficClass,
)
from lvsc_iptables.chains import Chain
from lvsc_iptables.rules import MULTIPORT_SLOTS, rules_by_chain
from support.nodes import HOST, ORIGIN, accept, helper, marking, no_track, source_nat, traffic

VIP = "192.0.2.10"
WEB = '-m comment --comment "service web"'
FILES = '-m comment --comment "service files"'
MARK_80 = f"{WEB} -j MARK --set-xmark 0x50/0xffffffff"
OUT = Hook.POSTROUTING


def lines(nodes: list[PacketRule]) -> list[str]:
    return [line.text for rules in rules_by_chain(nodes).values() for line in rules]


def web(*dports: str | None) -> list[PacketRule]:
    return [marking(traffic(dst=VIP, dport=dport)) for dport in dports]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        pytest.param(
            web("80"), [f"-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 {MARK_80}"], id="one port"
        ),
        pytest.param(
            web("10000-20000"),
            [f"-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 10000:20000 {MARK_80}"],
            id="range",
        ),
        pytest.param(
            web("443", "80", "10000-20000"),
            [f"-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m multiport --dports 80,443,10000:20000 {MARK_80}"],
            id="several ports",
        ),
        pytest.param(web("1-65535"), [f"-A LVSC-MARK -d 192.0.2.10/32 -p tcp {MARK_80}"], id="all ports"),
        pytest.param(web(None), [f"-A LVSC-MARK -d 192.0.2.10/32 -p tcp {MARK_80}"], id="any port"),
        pytest.param(
            web("80", "0-65535"),
            [f"-A LVSC-MARK -d 192.0.2.10/32 -p tcp {MARK_80}"],
            id="all ports hold one port",
        ),
        pytest.param(
            [marking(traffic(protocol=Protocol.SCTP, dst=VIP, dport="5000"))],
            [f"-A LVSC-MARK -d 192.0.2.10/32 -p sctp -m sctp --dport 5000 {MARK_80}"],
            id="sctp",
        ),
        pytest.param(
            [marking(traffic(protocol=Protocol.UDP, dst="2001:db8::10", dport="53"))],
            [f"-A LVSC-MARK -d 2001:db8::10/128 -p udp -m udp --dport 53 {MARK_80}"],
            id="IPv6",
        ),
        pytest.param(
            [marking(traffic(src="198.51.100.0/24", dst=VIP, sport="20", dport="21", interface="eth0"))],
            [
                "-A LVSC-MARK -s 198.51.100.0/24 -d 192.0.2.10/32 -i eth0 -p tcp -m tcp --sport 20 --dport 21 "
                + MARK_80
            ],
            id="source and interface",
        ),
        pytest.param(
            [marking(traffic(src="0.0.0.0/0", dst=VIP, sport="20", dport=dport)) for dport in ("80", "443")],
            [
                "-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --sport 20 -m multiport --dports 80,443 "
                + MARK_80
            ],
            id="source port and several ports, from anywhere",
        ),
        pytest.param(
            [
                *(
                    accept(traffic(Hook.FORWARD, src=VIP, sport=sport))
                    for sport in ("443", "80", "8000-8010")
                ),
                accept(traffic(Hook.FORWARD, src=VIP, sport="80", dport="1024-65535")),
            ],
            [
                f"-A LVSC-FORWARD -s 192.0.2.10/32 -p tcp -m multiport --sports 80,443,8000:8010 {WEB} -j ACCEPT",
                f"-A LVSC-FORWARD -s 192.0.2.10/32 -p tcp -m tcp --sport 80 --dport 1024:65535 {WEB} -j ACCEPT",
            ],
            id="several source ports, to all ports",
        ),
        pytest.param(
            [marking(traffic(dst=VIP, sport="1-65535", dport="80"))],
            [f"-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 {MARK_80}"],
            id="all source ports",
        ),
        pytest.param(
            [marking(traffic(dst=VIP, dport="80", not_macs=("02:00:00:00:00:0a", "02:00:00:00:00:0b")))],
            [
                (
                    "-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 -m mac ! --mac-source 02:00:00:00:00:0a "
                    f"-m mac ! --mac-source 02:00:00:00:00:0b {MARK_80}"
                )
            ],
            id="not from two directors",
        ),
        pytest.param(
            [marking(traffic(Hook.OUTPUT, dst=VIP, dport="80", interface="eth0"))],
            [f"-A LVSC-MARK-OUT -d 192.0.2.10/32 -o eth0 -p tcp -m tcp --dport 80 {MARK_80}"],
            id="the host's own packets",
        ),
        pytest.param(
            [marking(traffic(dst=VIP, dport="80"), mark=0x7FFFFFFF)],
            [
                (
                    "-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 "
                    f"{WEB} -j MARK --set-xmark 0x7fffffff/0xffffffff"
                )
            ],
            id="largest mark",
        ),
        pytest.param(
            [
                marking(traffic(dst=VIP, dport="80"), 80, "web"),
                marking(traffic(dst=VIP, dport="443"), 80, "tls"),
            ],
            [
                f"-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 {MARK_80}",
                (
                    "-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 443 "
                    '-m comment --comment "service tls" -j MARK --set-xmark 0x50/0xffffffff'
                ),
            ],
            id="a rule names one service",
        ),
        pytest.param(
            [helper(traffic(dst=VIP, dport="21"))],
            [f"-A LVSC-CONNTRACK -d 192.0.2.10/32 -p tcp -m tcp --dport 21 {FILES} -j CT --helper ftp"],
            id="helper",
        ),
        pytest.param(
            [no_track(traffic(dst=VIP, dport=dport)) for dport in ("443", "80")],
            [f"-A LVSC-CONNTRACK -d 192.0.2.10/32 -p tcp -m multiport --dports 80,443 {WEB} -j CT --notrack"],
            id="not tracked",
        ),
        pytest.param(
            [no_track(traffic(Hook.OUTPUT, dst="2001:db8::10", dport="80"))],
            [f"-A LVSC-CONNTRACK-OUT -d 2001:db8::10/128 -p tcp -m tcp --dport 80 {WEB} -j CT --notrack"],
            id="the host's own packets, not tracked",
        ),
        pytest.param(
            [helper(traffic(dst="192.0.2.9", dport="21")), no_track(traffic(dst=VIP, dport="80"))],
            [
                f"-A LVSC-CONNTRACK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 {WEB} -j CT --notrack",
                f"-A LVSC-CONNTRACK -d 192.0.2.9/32 -p tcp -m tcp --dport 21 {FILES} -j CT --helper ftp",
            ],
            id="no tracking before helpers",
        ),
        pytest.param(
            [source_nat(traffic(OUT, src="10.11.12.0/24", sport="20"), VIP)],
            [
                (
                    "-A LVSC-SNAT -s 10.11.12.0/24 -p tcp -m tcp --sport 20 "
                    f"{FILES} -j SNAT --to-source 192.0.2.10"
                )
            ],
            id="active FTP",
        ),
        pytest.param(
            [source_nat(traffic(OUT, dst="10.0.0.5", original_dst=VIP, original_dport="80"), "10.0.0.1")],
            [
                (
                    "-A LVSC-SNAT -d 10.0.0.5/32 -p tcp -m conntrack --ctorigdst 192.0.2.10 --ctorigdstport 80 "
                    f"--ctdir ORIGINAL {FILES} -j SNAT --to-source 10.0.0.1"
                )
            ],
            id="full NAT",
        ),
        pytest.param(
            [
                source_nat(
                    traffic(OUT, dst="2001:db8:1::/64", original_dst="2001:db8::/64", original_dport="80-90"),
                    "2001:db8::1",
                )
            ],
            [
                (
                    "-A LVSC-SNAT -d 2001:db8:1::/64 -p tcp -m conntrack --ctorigdst 2001:db8::/64 "
                    f"--ctorigdstport 80:90 --ctdir ORIGINAL {FILES} -j SNAT --to-source 2001:db8::1"
                )
            ],
            id="full NAT of networks and ranges",
        ),
        pytest.param(
            [
                source_nat(
                    traffic(OUT, dst="10.0.0.5", original_dst="0.0.0.0/0", original_dport="1-65535"),
                    "10.0.0.1",
                )
            ],
            [
                (
                    "-A LVSC-SNAT -d 10.0.0.5/32 -p tcp -m conntrack --ctdir ORIGINAL "
                    f"{FILES} -j SNAT --to-source 10.0.0.1"
                )
            ],
            id="any original destination is still the original direction",
        ),
        pytest.param(
            [
                accept(traffic(Hook.INPUT, dst=VIP, dport="80")),
                accept(traffic(Hook.FORWARD, dst=VIP, dport="80")),
            ],
            [
                f"-A LVSC-FORWARD -d 192.0.2.10/32 -p tcp -m tcp --dport 80 {WEB} -j ACCEPT",
                f"-A LVSC-INPUT -d 192.0.2.10/32 -p tcp -m tcp --dport 80 {WEB} -j ACCEPT",
            ],
            id="accepts",
        ),
        pytest.param(
            [
                accept(traffic(Hook.INPUT, src="192.0.2.21", sport="80", state=State.ESTABLISHED)),
                accept(traffic(Hook.INPUT, src="192.0.2.3", interface="eth0", protocol=Portless.VRRP), ""),
                accept(
                    traffic(Hook.INPUT, dst="2001:db8::1", protocol=Portless.ICMPV6, state=State.RELATED), ""
                ),
            ],
            [
                f"-A LVSC-INPUT -s 192.0.2.21/32 -p tcp -m tcp --sport 80 -m conntrack --ctstate ESTABLISHED {WEB} -j ACCEPT",
                "-A LVSC-INPUT -s 192.0.2.3/32 -i eth0 -p 112 -j ACCEPT",
                "-A LVSC-INPUT -d 2001:db8::1/128 -p ipv6-icmp -m conntrack --ctstate RELATED -j ACCEPT",
            ],
            id="states and other protocols",
        ),
        pytest.param([], [], id="nothing"),
    ],
)
def test_renders(nodes: list[PacketRule], expected: list[str]) -> None:
    assert lines(nodes) == expected


@pytest.mark.parametrize(
    ("dports", "chunks"),
    [
        pytest.param([str(p) for p in range(15)], ["0,1,2,3,4,5,6,7,8,9,10,11,12,13,14"], id="15 ports fit"),
        pytest.param(
            [str(p) for p in range(16)], ["0,1,2,3,4,5,6,7,8,9,10,11,12,13,14", "15"], id="the 16th does not"
        ),
        pytest.param(
            [f"{p}-{p + 5}" for p in range(10, 90, 10)],
            ["10:15,20:25,30:35,40:45,50:55,60:65,70:75", "80:85"],
            id="a range takes two of 15",
        ),
        pytest.param(
            [*(f"{p}-{p + 5}" for p in range(10, 80, 10)), "80"],
            ["10:15,20:25,30:35,40:45,50:55,60:65,70:75,80"],
            id="seven ranges and a port",
        ),
    ],
)
def test_multiport_holds_15_ports(dports: list[str], chunks: list[str]) -> None:
    texts = lines(web(*dports))
    matches = [f"-m multiport --dports {c}" if "," in c else f"-m tcp --dport {c}" for c in chunks]
    assert texts == [f"-A LVSC-MARK -d 192.0.2.10/32 -p tcp {match} {MARK_80}" for match in matches]


def test_a_rule_comes_from_the_origin_of_its_first_port() -> None:
    def node(dport: str, index: int) -> Marking:
        origin = Origin("c.toml", ("services", "web", "ports", index))
        return Marking(
            host=HOST, origin=origin, service="web", traffic=traffic(dst=VIP, dport=dport), mark=80
        )

    (line,) = rules_by_chain([node("443", 0), node("80", 1)])[Chain.MARK]
    assert line.origin == Origin("c.toml", ("services", "web", "ports", 1))


def test_full_nat_of_two_services_to_one_server_has_one_order() -> None:
    nodes: list[PacketRule] = [
        source_nat(traffic(OUT, dst="10.0.0.5", dport="80", original_dst=vip, original_dport="80"), vip)
        for vip in ("192.0.2.11", "192.0.2.10", "192.0.2.12")
    ]
    assert lines(nodes) == lines(nodes[::-1])


PORTS = st.one_of(
    st.none(), st.builds(lambda a, b: PortRange(min(a, b), max(a, b)), *[st.integers(0, 65535)] * 2)
)


@st.composite
def markings(draw: st.DrawFn) -> PacketRule:
    packets = TrafficClass(
        hook=draw(st.sampled_from([Hook.PREROUTING, Hook.OUTPUT])),
        family=Family.IPV4,
        protocol=draw(st.sampled_from(Protocol)),
        source=draw(st.sampled_from([None, ip_network("198.51.100.0/24")])),
        destination=draw(st.sampled_from([None, ip_network("192.0.2.10"), ip_network("192.0.2.11")])),
        source_ports=draw(PORTS),
        destination_ports=draw(PORTS),
    )
    service = draw(st.sampled_from(["web", "files"]))
    return marking(packets, draw(st.integers(1, 3)), service)


@given(st.lists(markings(), max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_nodes_does_not_matter(nodes: list[PacketRule], chance: random.Random) -> None:
    shuffled = nodes.copy()
    chance.shuffle(shuffled)
    assert lines(shuffled) == lines(nodes)


@given(st.lists(markings(), max_size=40))
def test_grouping_keeps_each_port_and_fills_at_most_15_slots(nodes: list[PacketRule]) -> None:
    together = lines(nodes)
    for text in together:
        for listed in re.findall(r"--[ds]ports (\S+)", text):
            ports = listed.split(",")
            assert len(ports) >= 2
            assert sum(2 if ":" in each else 1 for each in ports) <= MULTIPORT_SLOTS
    assert expanded(together) == expanded([text for node in nodes for text in lines([node])])


def expanded(texts: list[str]) -> set[tuple[str, str, str]]:
    """Each rule without its ports, with each pair of source and destination ports; all of the latter swallow others."""
    found: dict[str, set[tuple[str, str]]] = {}
    for text in texts:
        ports = {"s": "all", "d": "all"} | dict(re.findall(r" --([sd])ports? (\S+)", text))
        rule = re.sub(r" --[sd]ports? \S+| -m (?:tcp|udp|sctp|multiport)\b", "", text)
        found.setdefault(rule, set()).update(product(ports["s"].split(","), ports["d"].split(",")))
    return {
        (rule, source, destination)
        for rule, pairs in found.items()
        for source, destination in pairs
        if destination == "all" or (source, "all") not in pairs
    }


def test_many_services_take_about_a_second() -> None:
    base = int(IPv4Address("10.0.0.0"))
    nodes: list[PacketRule] = [
        Marking(
            host=HOST,
            origin=ORIGIN,
            service=f"s{i}",
            traffic=TrafficClass(
                hook=Hook.PREROUTING,
                family=Family.IPV4,
                protocol=Protocol.TCP,
                destination=ip_network(base + i),
                destination_ports=PortRange.one(port),
            ),
            mark=i + 1,
        )
        for i in range(10_000)
        for port in (80, 443)
    ]
    rules = rules_by_chain(nodes)
    assert len(rules[Chain.MARK]) == 10_000
