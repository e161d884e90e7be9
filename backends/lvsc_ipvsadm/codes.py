"""The codes of what this backend refuses."""

from lvsc.plugin import Code

SELECTOR = Code(
    "IPV001",
    "a virtual service that ipvsadm cannot name",
    """\
A firewall mark is a number from 1 to 2147483647. The kernel takes larger ones, but `ipvsadm -S` prints them as negative
numbers, which `ipvsadm -R` refuses, so that a table with one cannot be compared or restored.

A service on every port of an address (port 0) must be persistent: ipvsadm(8), "A Port of zero is only valid if the
service is persistent".

Each service is said once. A plugin's nodes said one twice, or named a real server of a service that there is not.""",
)
ADDRESS = Code(
    "IPV002",
    "an IPv4 address written as IPv6",
    """\
`::ffff:192.0.2.1` and `::192.0.2.1` are IPv4 addresses in IPv6's notation. IPVS does not balance them, and programs
write them in several ways. Write the IPv4 address.""",
)
SCHEDULING = Code(
    "IPV003",
    "a way of scheduling that ipvsadm refuses",
    """\
One-packet scheduling is for UDP services and for services selected by mark. `sh-fallback` and `sh-port` are flags of
the scheduler `sh`, `mh-fallback` and `mh-port` of `mh` (ipvsadm(8)). With another scheduler they would mean something
else, or nothing.""",
)
PERSISTENCE = Code(
    "IPV004",
    "persistence that ipvsadm cannot say",
    """\
The time-out of a persistent service is 1 second to 31 days. Its clients are grouped by 0 to 32 leading bits of an IPv4
address, or 1 to 128 of an IPv6 address. The only persistence engine is `sip` (ipvsadm(8)).""",
)
SERVER = Code(
    "IPV005",
    "a number that a real server cannot have",
    """\
A weight is 0 to 65535 and a threshold 0 to 2147483647, where 0 is none (ipvsadm.c). The lower threshold is not above
the upper one, and there is none without an upper one: the kernel refuses it ("Numerical result out of range").""",
)
PORT = Code(
    "IPV006",
    "a port that the forwarding method cannot change",
    """\
Direct routing and tunnels hand a packet on with the port that the client wrote, so a real server's port is that of the
virtual service, or 0 where a mark or every port selects the service. ipvsadm replaces another one without a word, and
for a service selected by mark IPVS would ignore it. Under `nat` a real server of a service on one port has a port too.""",
)
FAMILY = Code(
    "IPV007",
    "a real server of the other address family",
    """\
An IPv4 service can have IPv6 real servers, and the other way round, only by tunnel. Nor can it while connections are
synchronised: the messages cannot say a server's family, so the kernel refuses one of the two (ip_vs_ctl.c,
mixed_address_family_dests).""",
)
TUNNEL = Code(
    "IPV008",
    "a tunnel that ipvsadm cannot say",
    """\
A tunnel of type `gue` has a UDP port, 1 to 65535, and no other type has one. `gue` knows every kind of checksum, `gre`
all but the remote one, and `ipip` none. Forwarding methods other than tunnels have no such options (ipvsadm(8)).""",
)
SYNC = Code(
    "IPV009",
    "connection synchronisation that ipvsadm cannot start",
    """\
A sync daemon is started on an interface with an identifier from 0 to 255 and, where they are said, a packet length from
1 to 65507 (65487 where the group is IPv6), a multicast group, a port from 1 to 65535 and a TTL from 1 to 255.

It cannot follow a VRRP instance: ipvsadm is run once and knows no VRRP. Without VRRP both directors send and receive at
the same time, which IPVS can. Use the keepalived backend where VRRP decides.""",
)
TIMEOUTS = Code(
    "IPV010",
    "a time-out that ipvsadm cannot set",
    """\
The time-outs of idle connections are 0 (the kernel's own) to 2678400 seconds, which is 31 days.""",
)

ALL = (SELECTOR, ADDRESS, SCHEDULING, PERSISTENCE, SERVER, PORT, FAMILY, TUNNEL, SYNC, TIMEOUTS)
