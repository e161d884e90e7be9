"""The codes of services that cannot be lowered to the rule graph."""

from lvsc.diagnostics import Code

MARK_TWICE = Code(
    "LVS301",
    "one mark, two services",
    """Two services of one address family say the same `mark`. IPVS has one service for a mark and a family, so the second
would be lost. Give each its own mark, or make one service with the ports and addresses of both.""",
)

MARK_COLLISION = Code(
    "LVS302",
    "derived marks collide",
    """A service that needs a mark and says none has one that is derived from its name alone, so that other services
never renumber it. Here two names derive the same number, or one derives a number that another service says. Say an
explicit `mark` for one of the two.""",
)

BUNDLE_PORT = Code(
    "LVS303",
    "a real server's port under a bundle",
    """A real server of a service with several ports says a `port`. IPVS would send the packets of every port of the
bundle to that one. Leave the real server's `port` out, so that each packet keeps its own, or make a service of each
port.""",
)

FIXED_PORT = Code(
    "LVS304",
    "a port that this forwarding method cannot change",
    """By `direct` and `tunnel` a packet reaches its real server as the client sent it, so the port stays the service's.
Only `nat` can change it.""",
)

PROBE_PORT = Code(
    "LVS305",
    "no port to probe",
    """A health check connects to one port, and nothing says which: the service has several ports, or none of the
check's protocol. Say a `port` in the check, choose a check that needs none (`ping`, `script`), or say `check = "none"`.""",
)

NO_SERVER = Code(
    "LVS306",
    "no real server of a family",
    """The service has addresses of a family of which its pool has no real server, so IPVS would answer nobody there. Add
real servers with such addresses, or give the service addresses of the other family only. Only by `tunnel` can a real
server be of another family than the service (Linux 3.18).""",
)

ONE_PACKET = Code(
    "LVS307",
    "one-packet scheduling of something else than UDP",
    """One-packet scheduling keeps no connections, so it can carry UDP alone (`ipvsadm(8)`, --ops), and persistence, which
needs a connection to begin with, does nothing with it. Make a service of its own of the UDP ports.""",
)

ONE_PACKET_NAT = Code(
    "LVS317",
    "one-packet scheduling by NAT",
    """With one-packet scheduling IPVS forgets a datagram at once, so it does not recognise the answer and cannot give it
the virtual address back: it leaves with the real server's own, and the client drops it. Reach the real servers by
`direct` or `tunnel`, where they answer with the virtual address themselves.""",
)

ONE_PACKET_COUNTS = Code(
    "LVS319",
    "one-packet scheduling by what counts connections",
    """The schedulers lc, wlc (the one that a service has unless it says another), sed, nq, ovf, lblc and lblcr compare how many
connections each real server has. With one-packet scheduling a connection is over when its datagram is sent on, so nobody ever
has any (ip_vs_conn.c), and one real server gets everything. These spread the datagrams of each client: rr; wrr, by weight; twos,
by chance and weight. sh and mh keep a client at one real server without any connection, and other clients at others. dh and fo
choose one real server for everybody, and do so without one-packet scheduling too.""",
)

GRE_CHECKSUM = Code(
    "LVS318",
    "gre with and without checksums at one real server",
    """A gre device of the real server takes packets with a checksum or packets without one, never both. Use the same
`checksum` for every pool that the real server is in.""",
)

FLAGS = Code(
    "LVS308",
    "flags of another scheduler",
    """`sh-fallback` and `sh-port` are options of the sh scheduler, `mh-fallback` and `mh-port` of mh (`ipvsadm(8)`). With
any other scheduler they do nothing.""",
)

LOOP_MAC = Code(
    "LVS309",
    "directors that would balance each other's packets",
    """A director is also a real server by direct routing. A packet that its peer sends on to it would be balanced again,
and might go round for ever. Two things prevent it: connection synchronisation, by which the backup director knows that it
is one (`net.ipv4.vs.backup_only`), or a mark that packets from the peer's MAC address do not get. Add
`[connection_sync]`, or the `macs` of each director in the network that it is reached by.""",
)

LOOP_TUNNEL = Code(
    "LVS310",
    "directors that would balance each other's tunnelled packets",
    """A director is also a real server by `tunnel`, and what comes out of a tunnel has no MAC address to tell its sender
by. Only connection synchronisation prevents it from balancing its peer's packets again: add `[connection_sync]` and
failover by VRRP.""",
)

SOURCE_NAT = Code(
    "LVS311",
    "source NAT that cannot be",
    """Full NAT replaces the client's address by the director's own, so the real server is reached by `nat`, and the
director has an address of the family in the network that the real server is in. Where a real server is behind a router, say
which network: `source_nat = "private"`.""",
)

PEER_BY_NAT = Code(
    "LVS320",
    "a director that another one reaches by NAT",
    """By `nat` the answers of a real server come back through the active director, which gives them the virtual address. A real
server, or sorry server, that is a director itself has another way to the clients: what the active director sends it is answered
past that one, with an address that the client never asked. With `source_nat` the answers go to the active director; by
`direct` they have the virtual address anyway. Only a director without peers may be its own real server by `nat`.""",
)

PLAIN_FTP = Code(
    "LVS312",
    "FTP as a plain service",
    """IPVS treats TCP port 21 as FTP: while it has a service there, it gives a client's connections to any unprivileged
port of that address to the same service, and a persistent one sends them all to the real servers. Say `kind = "ftp"`, which
opens just what FTP needs, or an explicit `mark`, which balances port 21 alone.""",
)

SETTING = Code(
    "LVS313",
    "two values for one setting",
    """Two parts of the spec need different values of one kernel setting on one host. This is a conflict of what you ask
for; the notes say who asks.""",
)

SHARED_INTERFACE = Code(
    "LVS314",
    "two virtual routers on one interface",
    """Each network is a virtual router of its own for each family, all with one `virtual_router_id`, and two with the same
id on one interface are taken for one (RFC 5798, 5.2.3). What shares an interface is one network: list the prefixes of both
in it.""",
)

PORT_ZERO = Code(
    "LVS315",
    "a service that takes another's ports",
    """IPVS looks for TCP port 21's service before the one of all ports: with both at one address, connections to port 20
and to unprivileged ports find the FTP service and are not balanced by the other (ip_vs_ctl.c, ip_vs_service_find). Say a
`mark` for the FTP service.""",
)

SYNC_FAMILY = Code(
    "LVS316",
    "VRRP version 2 and IPv6",
    """VRRP version 2 (RFC 3768) carries IPv4 addresses alone. Use version 3 for virtual IPv6 addresses.""",
)

ALL = (
    MARK_TWICE,
    MARK_COLLISION,
    BUNDLE_PORT,
    FIXED_PORT,
    PROBE_PORT,
    NO_SERVER,
    ONE_PACKET,
    ONE_PACKET_NAT,
    ONE_PACKET_COUNTS,
    GRE_CHECKSUM,
    FLAGS,
    LOOP_MAC,
    LOOP_TUNNEL,
    SOURCE_NAT,
    PEER_BY_NAT,
    PLAIN_FTP,
    SETTING,
    SHARED_INTERFACE,
    PORT_ZERO,
    SYNC_FAMILY,
)
