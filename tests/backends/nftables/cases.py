"""Rules of every kind and shape that the backend knows."""

from lvsc.plugin import Hook, PacketRule, Protocol
from support.nodes import helper, marking, no_track, source_nat, traffic

VIP = "192.0.2.10"
VIP6 = "2001:db8::10"
PEERS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
OUT = Hook.POSTROUTING

MARKS: tuple[PacketRule, ...] = (
    marking(traffic(dst=VIP, dport="80")),
    marking(traffic(dst=VIP, dport="443")),
    marking(traffic(dst=VIP, dport="21"), 21, "files"),
    marking(traffic(dst=VIP, dport="10000-20000"), 21, "files"),
    marking(traffic(dst=VIP, dport="53", protocol=Protocol.UDP), 53, "dns"),
    marking(traffic(dst="192.0.2.11", dport="1-65535", protocol=Protocol.SCTP), 54, "sctp"),
    marking(traffic(dst=VIP6, dport="80")),
    marking(traffic(dst=VIP6, dport="10000-20000"), 21, "files"),
    marking(traffic(dst="192.0.2.12", dport="80", not_macs=PEERS), 90, "loop"),
    marking(traffic(dst="192.0.2.13", dport="80", not_macs=PEERS[:1]), 91, "loop2"),
    marking(traffic(dst=VIP6, dport="81", not_macs=PEERS), 90, "loop"),
    marking(traffic(dst="198.51.100.0/24", dport="80", interface="eth0"), 92, "net"),
    marking(
        traffic(dst="198.51.100.0/25", dport="80-90", src="10.0.0.0/8", protocol=Protocol.UDP), 93, "net2"
    ),
    # Boxes that overlap, with the same answer.
    marking(traffic(dst="198.51.100.0/25", dport="80", interface="eth0"), 92, "net"),
    marking(traffic(dst="203.0.113.3", sport="1000-2000", dport="80-90"), 98, "two-ranges"),
    marking(traffic(dst="203.0.113.3", sport="1500-2500", dport="85-95"), 98, "two-ranges"),
    marking(traffic(dst="203.0.113.1"), 94, "all"),
    marking(traffic(dport="7777"), 0xFFFFFFFF, "any"),
    marking(traffic(original_dst="203.0.113.2", original_dport="80-81"), 97, "original"),
)
UNTRACKED: tuple[PacketRule, ...] = (
    no_track(traffic(dst=VIP, dport="4433", protocol=Protocol.UDP)),
    no_track(traffic(dst=VIP6, dport="5000-6000")),
    no_track(traffic(Hook.OUTPUT, src=VIP, sport="4433", protocol=Protocol.UDP)),
    no_track(traffic(dst="192.0.2.14", not_macs=PEERS)),
)
HELPERS: tuple[PacketRule, ...] = (
    helper(traffic(dst=VIP, dport="21")),
    helper(traffic(dst="192.0.2.12", dport="2121-2122", not_macs=PEERS)),
    helper(traffic(dst=VIP6, dport="21")),
    helper(traffic(dst=VIP, dport="69", protocol=Protocol.UDP), "tftp", "boot"),
)
SOURCE_NATS: tuple[PacketRule, ...] = (
    source_nat(traffic(OUT, src="10.11.12.0/24", sport="20"), VIP),
    source_nat(traffic(OUT, src="10.11.13.1", sport="20"), VIP),
    source_nat(traffic(OUT, original_dst=VIP, original_dport="80", dst="10.0.0.1"), "192.168.9.1", "web"),
    source_nat(traffic(OUT, original_dst=VIP, original_dport="80-90", dst="10.0.0.2"), "192.168.9.1", "web"),
    source_nat(traffic(OUT, original_dst=VIP, original_dport="8080"), "192.168.9.2", "web"),
    source_nat(traffic(OUT, original_dst=VIP6, original_dport="80", dst="fd00::1"), "fd00::ff", "web"),
    source_nat(traffic(OUT, src="fd00:9::/64", sport="20"), VIP6),
)
EVERYTHING = (*UNTRACKED, *MARKS, *HELPERS, *SOURCE_NATS)

#: One target for each way to render: everything in one table; ranges outside of keys; source NAT in other tables.
TARGETS = ("debian12", "ubuntu2004", "rhel8")
