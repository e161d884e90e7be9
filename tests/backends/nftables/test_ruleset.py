"""The exact text for nodes, and where each line comes from."""

from dataclasses import replace

import pytest

from lvsc.plugin import Accept, Feature, Hook, Origin, PacketRule, Protocol, Stage
from lvsc_nftables.backend import Nftables
from support.features import features_of
from support.nodes import accept, helper, marking, no_track, source_nat, traffic

from .cases import OUT, PEERS, VIP, VIP6
from .conftest import Emit, MakePart

HEADER = "# Written by lvsc for host lvs1 of cluster red-hat. Do not edit: change the spec and build again.\n"
RED_HAT: tuple[PacketRule, ...] = (
    marking(traffic(dst=VIP, dport="80")),
    marking(traffic(dst=VIP, dport="443")),
    marking(traffic(dst=VIP, dport="21"), 21, "files"),
    marking(traffic(dst=VIP, dport="10000-20000"), 21, "files"),
    helper(traffic(dst=VIP, dport="21")),
    source_nat(traffic(OUT, src="10.11.12.0/24", sport="20"), VIP),
)


def test_the_whole_file(ruleset: Emit) -> None:
    assert (
        ruleset(RED_HAT)
        == HEADER
        + """
table inet lvsc
delete table inet lvsc

table inet lvsc {
	ct helper ftp-tcp-ip {
		type "ftp" protocol tcp
		l3proto ip
	}

	map marks_ip {
		type ipv4_addr . inet_proto . inet_service : mark
		flags interval
		elements = {
			192.0.2.10 . tcp . 21 comment "service files" : 0x00000015,
			192.0.2.10 . tcp . 80 comment "service web" : 0x00000050,
			192.0.2.10 . tcp . 443 comment "service web" : 0x00000050,
			192.0.2.10 . tcp . 10000-20000 comment "service files" : 0x00000015,
		}
	}

	set helper_ftp-tcp-ip {
		type ipv4_addr . inet_proto . inet_service
		elements = {
			192.0.2.10 . tcp . 21 comment "service files",
		}
	}

	map snat_ip {
		type ipv4_addr . inet_proto . inet_service : ipv4_addr
		flags interval
		elements = {
			10.11.12.0/24 . tcp . 20 comment "service files" : 192.0.2.10,
		}
	}

	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
		meta mark set ip daddr . meta l4proto . th dport map @marks_ip
		ip daddr . meta l4proto . th dport @helper_ftp-tcp-ip ct helper set "ftp-tcp-ip"
	}

	chain postrouting {
		type nat hook postrouting priority srcnat - 10; policy accept;
		snat ip to ip saddr . meta l4proto . th sport map @snat_ip
	}
}
"""
    )


def test_the_whole_file_where_neither_ranges_nor_inet_nat_are_known(part: MakePart) -> None:
    old = part(RED_HAT, "rhel8")
    without_ranges = replace(old.target, stated=((Feature.KERNEL_NFT_CONCAT_RANGES, False),))
    emission = Nftables().emit(replace(old, target=without_ranges))
    assert (
        emission.artifacts[0].text
        == HEADER
        + """
table inet lvsc
delete table inet lvsc
table ip lvsc
delete table ip lvsc
table ip6 lvsc
delete table ip6 lvsc

table inet lvsc {
	ct helper ftp-tcp-ip {
		type "ftp" protocol tcp
		l3proto ip
	}

	map marks_ip {
		type ipv4_addr . inet_proto . inet_service : mark
		elements = {
			192.0.2.10 . tcp . 21 comment "service files" : 0x00000015,
			192.0.2.10 . tcp . 80 comment "service web" : 0x00000050,
			192.0.2.10 . tcp . 443 comment "service web" : 0x00000050,
		}
	}

	map marks_ip_2 {
		type ipv4_addr : mark
		elements = {
			192.0.2.10 comment "service files" : 0x00000015,
		}
	}

	set helper_ftp-tcp-ip {
		type ipv4_addr . inet_proto . inet_service
		elements = {
			192.0.2.10 . tcp . 21 comment "service files",
		}
	}

	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
		meta mark set ip daddr . meta l4proto . th dport map @marks_ip
		tcp dport 10000-20000 meta mark set ip daddr map @marks_ip_2
		ip daddr . meta l4proto . th dport @helper_ftp-tcp-ip ct helper set "ftp-tcp-ip"
	}
}

table ip lvsc {
	map snat_ip {
		type inet_proto . inet_service : ipv4_addr
		elements = {
			tcp . 20 comment "service files" : 192.0.2.10,
		}
	}

	chain postrouting {
		type nat hook postrouting priority srcnat - 10; policy accept;
		ip saddr 10.11.12.0/24 snat to meta l4proto . th sport map @snat_ip
	}
}
"""
    )


def web(*dports: str, service: str = "web") -> list[PacketRule]:
    return [marking(traffic(dst=VIP, dport=dport), service=service) for dport in dports]


KEY = "ip daddr . meta l4proto . th dport"


@pytest.mark.parametrize(
    ("nodes", "target", "expected"),
    [
        pytest.param(
            web("80"),
            "debian12",
            [
                '\t\t\t192.0.2.10 . tcp . 80 comment "service web" : 0x00000050,',
                f"\t\tmeta mark set {KEY} map @marks_ip",
            ],
            id="one port",
        ),
        pytest.param(
            web("80", "81"),
            "debian12",
            [
                '\t\t\t192.0.2.10 . tcp . 80 comment "service web" : 0x00000050,',
                '\t\t\t192.0.2.10 . tcp . 81 comment "service web" : 0x00000050,',
                f"\t\tmeta mark set {KEY} map @marks_ip",
            ],
            id="ports that touch stay apart",
        ),
        pytest.param(
            web("80-90") + web("85-95", service="more"),
            "debian12",
            [
                '\t\t\t192.0.2.10 . tcp . 80-95 comment "services more, web" : 0x00000050,',
                f"\t\tmeta mark set {KEY} map @marks_ip",
            ],
            id="ranges that overlap become one",
        ),
        pytest.param(
            [marking(traffic(dst=VIP6, dport="80", protocol=Protocol.SCTP), 0x7FFFFFFF)],
            "debian12",
            [
                '\t\t\t2001:db8::10 . sctp . 80 comment "service web" : 0x7fffffff,',
                "\t\tmeta mark set ip6 daddr . meta l4proto . th dport map @marks_ip6",
            ],
            id="IPv6",
        ),
        pytest.param(
            [marking(traffic(dst=VIP))],
            "debian12",
            [
                '\t\t\t192.0.2.10 . tcp comment "service web" : 0x00000050,',
                "\t\tmeta mark set ip daddr . meta l4proto map @marks_ip",
            ],
            id="every port",
        ),
        pytest.param(
            [marking(traffic(dst="0.0.0.0/0", dport="0-65535"))],
            "debian12",
            [
                '\t\t\ttcp comment "service web" : 0x00000050,',
                "\t\tmeta nfproto ipv4 meta mark set meta l4proto map @marks_ip",
            ],
            id="conditions that every packet meets",
        ),
        pytest.param(
            [marking(traffic(dst=VIP, dport="80", interface="eth0.100"))],
            "debian12",
            [
                '\t\t\t192.0.2.10 . tcp . 80 comment "service web" : 0x00000050,',
                f'\t\tiifname "eth0.100" meta mark set {KEY} map @marks_ip',
            ],
            id="interface",
        ),
        pytest.param(
            [marking(traffic(Hook.OUTPUT, dst=VIP, dport="80", interface="eth0"))],
            "debian12",
            [
                '\t\t\t192.0.2.10 . tcp . 80 comment "service web" : 0x00000050,',
                "\t\ttype route hook output priority mangle; policy accept;",
                f'\t\toifname "eth0" meta mark set {KEY} map @marks_ip',
            ],
            id="output",
        ),
        pytest.param(
            [
                marking(traffic(dst=VIP, dport="80", not_macs=PEERS)),
                marking(traffic(dst=VIP, dport="81", not_macs=PEERS)),
            ],
            "debian12",
            [
                '\t\t\t192.0.2.10 . tcp . 80 comment "service web" : 0x00000050,',
                '\t\t\t192.0.2.10 . tcp . 81 comment "service web" : 0x00000050,',
                "\t\tether saddr { 02:00:00:00:00:01, 02:00:00:00:00:02 } return",
                f"\t\tmeta mark set {KEY} map @marks_ip",
                "\t\tjump prerouting_not_from_1",
            ],
            id="not from the peers",
        ),
        pytest.param(
            [
                no_track(traffic(dst=VIP, dport="80")),
                no_track(traffic(Hook.OUTPUT, src=VIP, sport="80")),
            ],
            "debian12",
            [
                '\t\t\t192.0.2.10 . tcp . 80 comment "service web",',
                '\t\t\t192.0.2.10 . tcp . 80 comment "service web",',
                "\t\ttype filter hook prerouting priority raw; policy accept;",
                f"\t\t{KEY} @untracked_ip notrack",
                "\t\ttype filter hook output priority raw; policy accept;",
                "\t\tip saddr . meta l4proto . th sport @untracked_ip_2 notrack",
            ],
            id="no connection tracking",
        ),
        pytest.param(
            [marking(traffic(src="10.0.0.0/8", dst="198.51.100.0/24", dport="80-90"))],
            "ubuntu2004",
            [
                (
                    "\t\tip saddr 10.0.0.0/8 ip daddr 198.51.100.0/24 tcp dport 80-90 "
                    'meta mark set 0x00000050 comment "service web"'
                )
            ],
            id="ranges only, on an old target",
        ),
        pytest.param(
            [helper(traffic(dst="198.51.100.0/24", dport="21-22"))],
            "ubuntu2004",
            [
                (
                    "\t\tip daddr 198.51.100.0/24 tcp dport 21-22 "
                    'ct helper set "ftp-tcp-ip" comment "service files"'
                )
            ],
            id="helper for ranges, on an old target",
        ),
        pytest.param(
            [
                source_nat(
                    traffic(OUT, original_dst=VIP, original_dport="80", dst="10.0.0.1"), "10.0.0.9", "web"
                )
            ],
            "debian12",
            [
                '\t\t\t192.0.2.10 . 10.0.0.1 . 80 comment "service web" : 10.0.0.9,',
                "\t\ttype nat hook postrouting priority srcnat - 10; policy accept;",
                (
                    "\t\tct direction original meta l4proto tcp "
                    "snat ip to ct original ip daddr . ip daddr . ct original proto-dst map @snat_ip"
                ),
            ],
            id="source NAT by the original destination",
        ),
        pytest.param(
            [source_nat(traffic(OUT, original_dst=VIP6, original_dport="80"), "fd00::9", "web")],
            "rhel8",
            [
                '\t\t\t2001:db8::10 . 80 comment "service web" : fd00::9,',
                "\t\ttype nat hook postrouting priority srcnat - 10; policy accept;",
                (
                    "\t\tct direction original meta l4proto tcp "
                    "snat to ct original ip6 daddr . ct original proto-dst map @snat_ip6"
                ),
            ],
            id="source NAT in a table of its family",
        ),
    ],
)
def test_rules(nodes: list[PacketRule], target: str, expected: list[str], ruleset: Emit) -> None:
    skeleton = (
        "type ipv",
        "type inet",
        "flags",
        "elements",
        "}",
        'type "',
        "l3proto",
        "type filter hook prerouting priority mangle",
    )
    found = [
        line
        for line in ruleset(nodes, target).splitlines()
        if line.startswith("\t\t") and not line.strip().startswith(skeleton)
    ]
    assert found == expected


def test_a_long_list_of_services_still_fits_a_comment(ruleset: Emit) -> None:
    names = [f"a-service-with-a-rather-long-name-{number:05}" for number in range(20)]
    text = ruleset(
        [marking(traffic(dst=VIP, dport="80-90"), 80, names[0])]
        + [
            marking(traffic(dst=VIP, dport=f"{81 + number // 3}-{82 + number}"), 80, name)
            for number, name in enumerate(names[1:])
        ]
    )
    assert f'comment "services {names[0]} and 19 more" : 0x00000050,' in text


def test_a_reason_stands_above_what_it_explains(ruleset: Emit) -> None:
    why = "to the virtual address; not $MASQUERADE { # }"
    network = replace(marking(traffic(dst="198.51.100.0/24", dport="80-90")), reason=why)
    text = ruleset([replace(node, reason=why) for node in web("80", "81")])
    assert text.count(why) == 1
    assert f"\t# {why}\n\tmap marks_ip {{\n" in text
    assert f"\t\t# {why}\n\t\tip daddr 198.51.100.0/24 tcp dport 80-90 " in ruleset([network], "ubuntu2004")


def test_each_line_of_a_node_says_where_it_comes_from(part: MakePart) -> None:
    nodes = [replace(node, origin=Origin("cluster.toml", (number,))) for number, node in enumerate(RED_HAT)]
    origins = {
        line.text.strip(): line.origin.path
        for line in Nftables().emit(part(nodes)).artifacts[0].lines
        if line.origin is not None
    }
    assert origins == {
        "ct helper ftp-tcp-ip {": (4,),
        'type "ftp" protocol tcp': (4,),
        "l3proto ip": (4,),
        "}": (4,),
        '192.0.2.10 . tcp . 80 comment "service web" : 0x00000050,': (0,),
        '192.0.2.10 . tcp . 443 comment "service web" : 0x00000050,': (1,),
        '192.0.2.10 . tcp . 21 comment "service files" : 0x00000015,': (2,),
        '192.0.2.10 . tcp . 10000-20000 comment "service files" : 0x00000015,': (3,),
        '192.0.2.10 . tcp . 21 comment "service files",': (4,),
        '10.11.12.0/24 . tcp . 20 comment "service files" : 192.0.2.10,': (5,),
    }


def test_no_rules_no_files(part: MakePart) -> None:
    emission = Nftables().emit(part([]))
    assert (emission.artifacts, emission.steps) == ((), ())


@pytest.mark.parametrize(
    ("target", "removal"),
    [
        ("debian12", "table inet lvsc; delete table inet lvsc"),
        (
            "rhel8",
            (
                "table inet lvsc; delete table inet lvsc; table ip lvsc; delete table ip lvsc; "
                "table ip6 lvsc; delete table ip6 lvsc"
            ),
        ),
    ],
)
def test_the_load_step(target: str, removal: str, part: MakePart) -> None:
    (step,) = Nftables().emit(part(RED_HAT, target)).steps
    assert (step.stage, step.unit) == (Stage.PACKET_FILTER, "lvsc-nftables.service")
    assert step.load == (("/usr/sbin/nft", "-f", "/etc/lvsc/nftables.nft"),)
    assert step.unload == (("/usr/sbin/nft", removal),)


class Foreign(Accept):
    """A plugin's own kind of accept."""


def test_it_renders_the_packet_rules_of_the_core_only() -> None:
    backend = Nftables()
    an_accept = accept(traffic(Hook.INPUT, dst=VIP))
    assert all(backend.renders(node) for node in (*RED_HAT, an_accept))
    assert not backend.renders(
        Foreign(host="lvs1", origin=an_accept.origin, service="web", traffic=an_accept.traffic)
    )


@pytest.mark.parametrize(
    ("node", "beyond"),
    [
        pytest.param(RED_HAT[0], set(), id="marking"),
        pytest.param(RED_HAT[3], set(), id="marking of a range"),
        pytest.param(RED_HAT[4], {Feature.KERNEL_NFT_CT_HELPER, Feature.NFT_CT_HELPER}, id="helper"),
        pytest.param(RED_HAT[5], set(), id="source NAT"),
        pytest.param(
            source_nat(traffic(OUT, original_dst=VIP), "10.0.0.9"),
            {Feature.KERNEL_NFT_CT_ORIGINAL},
            id="original destination",
        ),
    ],
)
def test_needs(node: PacketRule, beyond: set[Feature]) -> None:
    assert (
        set(features_of(Nftables(), node)) == {Feature.KERNEL_NFTABLES, Feature.NFT_TRANSPORT_PORTS} | beyond
    )
