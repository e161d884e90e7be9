"""The codes of what can be wrong with a packet to trace."""

from lvsc.diagnostics import Code

UNREADABLE_PACKET = Code(
    "LVS721",
    "a packet that cannot be read",
    """A packet is a protocol, where it comes from, an arrow, and where it goes:

    tcp 198.51.100.7 -> 192.0.2.10:443
    udp [2001:db8:ffff::7]:5353 -> [2001:db8::10]:53

The protocol is tcp, udp or sctp. The destination has a port; a source without one has 40000. An IPv6 address stands in
brackets where a port follows. Behind it may stand, each once and in any order:

    on lvs1                   the director that it arrives at; unsaid, each
    in eth0                   the interface that it comes in by
    from 52:54:00:12:34:56    the MAC address that it comes from
    mark 80                   the firewall mark that it has already, decimal or 0x50

The whole is one word of the command line, so it needs quotes: an arrow outside of them is a redirection.""",
    trouble=True,
)

IMPOSSIBLE_PACKET = Code(
    "LVS722",
    "a packet that cannot be",
    """Its two addresses are of two families, or one of them is no address of a single host: multicast, broadcast and the
unspecified address never reach a virtual service.""",
    trouble=True,
)

UNKNOWN_DIRECTOR = Code(
    "LVS723",
    "a packet on a host that is no director",
    """A packet is followed through directors, the hosts that have virtual services. The host behind `on` is none of them.""",
    trouble=True,
)

ALL = (UNREADABLE_PACKET, IMPOSSIBLE_PACKET, UNKNOWN_DIRECTOR)
