"""The codes of what this backend refuses."""

from lvsc.plugin import Code

TEXT = Code(
    "KAD001",
    "text that keepalived would not read literally",
    """\
keepalived cuts comments at `#` and `!`, replaces `$NAME`, ends lines at braces and takes backslashes for escapes in some
places and not in others. lvsc quotes what can be quoted. It refuses the rest, because keepalived would run another
command or ask for another page than the spec says:

- a path, virtual host, name, user or mail address with a double quote, a backslash, `$_` or `${_`;
- a command that does not begin with an absolute path, has a backslash, a quote that is never closed, or words grouped
  with both kinds of quotes;
- anything that is not printable ASCII.

In a command, quotes of either kind group words; nothing else is special, and no shell sees it. Put what needs more into
a script and name the script.""",
)
LINE = Code(
    "KAD002",
    "a line longer than keepalived reads",
    """\
keepalived reads its configuration in lines of at most 1024 bytes (MAXBUF in lib/parser.h). The rest of a longer line
would be a line of its own. Shorten the value, or put a long command into a script and name the script.""",
)
NO_SERVERS = Code(
    "KAD003",
    "a virtual service without real servers",
    """\
keepalived ignores a virtual service that has no real server. Give its pool a real server of the service's address
family, or remove the service.""",
)
PORT = Code(
    "KAD004",
    "a real server's port that cannot be kept",
    """\
Only masquerading (`nat`) can change a packet's port. Under direct routing and tunnels, keepalived silently resets a real
server's port to the service's, and clears it where a mark selects the service. Leave the port out, or forward by nat.""",
)
FAMILY = Code(
    "KAD005",
    "an address of the wrong family",
    """\
A real server or sorry server of another address family than its virtual service is reached by a tunnel only; keepalived
drops any other. A VRRP instance moves addresses of one family, that of its unicast peers; it drops others too.""",
)
DUPLICATE = Code(
    "KAD006",
    "the same thing twice",
    """\
Of two virtual services with one selector, two real servers with one address and port, two sorry servers, two quorums, two
VRRP blocks of one name, or two VRRP instances with one virtual router number on an interface, keepalived takes one and
drops or mixes up the other. Remove one of the two.""",
)
ORPHAN = Code(
    "KAD007",
    "something that belongs to nothing",
    """\
A real server, health check, quorum, sorry server, virtual address, sync group or connection synchronisation names a
virtual service, real server, VRRP instance or script that this host does not have. keepalived would leave it out.""",
)
RANGE = Code(
    "KAD008",
    "a number that keepalived does not take",
    """\
keepalived replaces a number outside of its range with another, or ignores the line. The ranges are those of
keepalived.conf(5) and of the kernel's IPVS interface.""",
)
QUORUM = Code(
    "KAD009",
    "a quorum that keepalived would lower",
    """\
A quorum above the total weight of the real servers can never be had, so keepalived lowers it to that total; a hysteresis
must be less than the quorum, or keepalived lowers it as well. What is lost below quorum minus hysteresis comes back at quorum
plus hysteresis, so that sum, too, must be within the total: keepalived takes a greater one without a word, begins with the
quorum lost and never has it (seen with 2.2.7). A quorum is 1 where none is asked for, so a pool whose every
real server is drained or has weight 0 cannot be said: keepalived makes its quorum 0 and its hysteresis 4294967295, and
`keepalived -t` fails (check_data.c, validate_check_config; seen with 2.2.7). Keep a weight for one real server, let a pool of
another server take the clients, or use ipvsadm, which carries it.""",
)
TUNNEL = Code(
    "KAD010",
    "tunnel options that do not go together",
    """\
`gue` needs a UDP port and no other type has one; `ipip` has no checksum; `gre` has no remote checksum; and only the
tunnel forwarding method has such options. keepalived ignores the whole `lvs_method` line otherwise.""",
)
SERVICE = Code(
    "KAD011",
    "properties of a virtual service that do not go together",
    """\
keepalived drops scheduler flags that belong to another scheduler and one-packet scheduling of a service that is not UDP,
and makes a service of port 0 persistent for 360 seconds if it is not persistent. Say what you want instead.""",
)
DISAGREE = Code(
    "KAD012",
    "health checks that disagree about their real server",
    """\
What happens when a real server fails or comes back is a property of the real server in keepalived. All health checks of
one real server must say the same about it.""",
)
PROBE = Code(
    "KAD013",
    "a health check that keepalived cannot make as it is said",
    """\
A check needs a port to connect to where the service is selected by a mark or has port 0. An HTTP check needs accepted
status codes from 100 to 599 and takes an MD5 of 32 hexadecimal digits; server name indication needs https and a virtual
host to name; DNS checks know the record types A, NS, CNAME, SOA, MX, TXT, AAAA, RRSIG and DNSKEY; the contents of a UDP
check are whole bytes in hexadecimal, and a reply is compared only where one is required.""",
)
USER = Code(
    "KAD014",
    "commands without a user to run them",
    """\
keepalived runs check, notify and track commands as the user `keepalived_script` if there is one and as root otherwise,
and complains. Say the user: lvsc then also turns script security on, so that keepalived refuses to run as root what
others can change.""",
)
SORRY = Code(
    "KAD015",
    "a sorry server that is one of the real servers",
    """\
A sorry server that is also a drained real server of the same virtual service takes over that real server's setting in
keepalived. Name another sorry server, or let the failed real server be removed instead of drained.""",
)
VRRP = Code(
    "KAD016",
    "properties of a VRRP instance that do not go together",
    """\
keepalived resets what VRRP does not allow: IPv6 needs version 3; authentication needs version 2, a password of at most
8 bytes, and for `ah` IPv4; version 2 counts adverts in whole seconds, version 3 in hundredths below 41 s; a preemption
delay needs preemption; priority 255 means the owner of the addresses, who cannot start as backup; a unicast source needs
peers; an instance needs an address to move.""",
)
OLD = Code(
    "KAD017",
    "a difference that the target's keepalived cannot say",
    """\
Old releases of keepalived have one forwarding method, one check interval and one virtual host for all real servers of a
virtual service. Use the same for all of them, or a target with a newer keepalived.""",
)
NO_KEEPALIVED = Code(
    "KAD018",
    "a target without keepalived",
    """\
The target's data names no unit that runs keepalived, because the distribution does not ship it. Choose the ipvsadm
backend (which has no health checks and no failover) or another target.""",
)

ALL = (
    TEXT,
    LINE,
    NO_SERVERS,
    PORT,
    FAMILY,
    DUPLICATE,
    ORPHAN,
    RANGE,
    QUORUM,
    TUNNEL,
    SERVICE,
    DISAGREE,
    PROBE,
    USER,
    SORRY,
    VRRP,
    OLD,
    NO_KEEPALIVED,
)
