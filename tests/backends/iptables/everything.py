"""Rules of every kind that the backend can say, with every condition, for each family."""

from lvsc.plugin import Hook, PacketRule, Portless, Protocol, State
from support.nodes import accept, helper, marking, no_track, source_nat, traffic

MACS = ("02:00:00:00:00:0a", "02:00:00:00:00:0b")


def everything(vip: str, server: str, clients: str) -> list[PacketRule]:
    """The rules for one family's virtual address, real server and network of clients."""
    out = Hook.POSTROUTING
    icmp = Portless.ICMPV6 if ":" in vip else Portless.ICMP
    return [
        *(marking(traffic(dst=vip, dport=dport)) for dport in ("80", "443", "8000-8010", "8011-8020")),
        *(
            marking(traffic(dst=vip, protocol=Protocol.UDP, dport=str(p)), 53, "many")
            for p in range(1000, 1020)
        ),
        *(
            marking(traffic(dst=vip, protocol=Protocol.SCTP, dport=dport), 5, "sctp")
            for dport in ("5000", "6000", "7000-7010")
        ),
        marking(traffic(dst=server, protocol=Protocol.UDP), 7, "all-ports"),
        marking(traffic(dst=vip, src=clients, sport="20", dport="0", interface="eth0"), 8, "zero"),
        *(
            marking(traffic(dst=vip, sport="1024-65535", dport=p, not_macs=MACS), 9, "macs")
            for p in ("1", "3")
        ),
        marking(traffic(Hook.OUTPUT, dst=vip, dport="80", interface="lo"), 0xFFFFFFFF),
        *(no_track(traffic(dst=vip, dport=dport), "direct") for dport in ("81", "82")),
        no_track(traffic(Hook.OUTPUT, dst=vip, dport="81"), "direct"),
        helper(traffic(dst=vip, dport="21")),
        source_nat(traffic(out, src=clients, sport="20", interface="eth0"), vip),
        source_nat(traffic(out, dst=server, original_dst=vip, original_dport="80"), vip, "full"),
        source_nat(traffic(out, dst=server, original_dst=vip, original_dport="90-99"), vip, "full"),
        source_nat(traffic(out, dst=server, original_dst=clients, dport="100"), vip, "full"),
        *(accept(traffic(hook, dst=vip, dport="80")) for hook in (Hook.INPUT, Hook.FORWARD)),
        *(
            accept(traffic(Hook.FORWARD, src=server, sport=sport, state=State.ESTABLISHED))
            for sport in ("80", "443", "8000-8010")
        ),
        accept(traffic(Hook.INPUT, src=server, interface="eth1", protocol=Portless.VRRP), ""),
        accept(traffic(Hook.INPUT, dst=vip, protocol=icmp, state=State.RELATED), ""),
    ]


FOUR = everything("192.0.2.10", "10.11.12.21", "198.51.100.0/24")
SIX = everything("2001:db8::10", "2001:db8:1::21", "2001:db8:2::/64")
