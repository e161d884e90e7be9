"""The schema of the cluster, its networks, directors and addresses, and of kernel settings."""

from lvsc.graph.nodes import Forwarding
from lvsc.spec.schema import words
from lvsc.spec.schema.words import Schema

#: Derived marks keep away from keepalived's (1000 up) and Seesaw's (256 up); lvsc.lowering.marks leaves out Kubernetes' bits.
FIRST_MARK = 0x10000000
LAST_MARK = 0x7FFFFFFF


def cluster() -> Schema:
    """The schema of `[cluster]`."""
    return words.table(
        "The cluster",
        "What holds for the whole cluster.",
        {
            "name": words.name(
                "Name", "Names the cluster, and the directory that its files are built into.", example="shop"
            ),
            "target": words.name(
                "Target",
                "The directors' Linux distribution release, which decides the backends, the programs' versions and the"
                " files' paths. `lvsc targets` lists them.",
                example="debian12",
            ),
            "backends": words.array(
                "Backends",
                "The backends to use in place of the target's own. One of a role replaces the target's of that role:"
                " a packet filter (iptables, nftables) or a director (keepalived, ipvsadm).",
                {"type": "string", "pattern": words.NAME, "x-pattern-says": words.NAME_SAYS},
                example=["iptables", "keepalived"],
            ),
            "forwarding": {**forwarding(), "default": Forwarding.NAT.value},
            "firewall": words.choice(
                "Firewall",
                "What filters packets on the directors: `none`; `stateful`, rules of your own that use connection"
                " tracking; `firewalld`. Unsaid, lvsc prepares for any of them: connections by NAT are tracked, those by"
                " direct routing and tunnels are exempt from tracking, and every helper is explicit.",
                ["none", "stateful", "firewalld"],
                examples=["stateful"],
            ),
            "accept": words.boolean(
                "Accept",
                "Emit accepts for what the services, their health checks, failover and connection synchronisation need"
                " in the directors' INPUT and FORWARD chains. Only iptables can: an accept in one nftables table does not"
                " overrule a drop in another. `lvsc explain` prints them.",
                default=False,
            ),
            "marks": words.table(
                "Derived marks",
                "The range that the marks of bundles without a `mark` of their own are derived in.",
                {
                    "first": words.integer(
                        "First",
                        "The lowest derived mark.",
                        1,
                        LAST_MARK,
                        examples=[0x20000000],
                        default=FIRST_MARK,
                    ),
                    "last": words.integer(
                        "Last",
                        "The highest derived mark.",
                        1,
                        LAST_MARK,
                        examples=[0x2FFFFFFF],
                        default=LAST_MARK,
                    ),
                },
            ),
            "script_user": words.string(
                "Script user",
                "The user that check, track and notify commands run as.",
                pattern="^[a-z_][a-z0-9_-]*$",
                says="a user's name",
                examples=["keepalived_script"],
                max_length=32,
                default="root",
            ),
        },
        required=["name", "target"],
    )


def networks() -> Schema:
    """The schema of `[networks.NAME]`."""
    return words.named(
        "Networks",
        "The networks that the directors are on, each by a name of your choice.",
        words.table(
            "A network",
            "A network, the directors' interface in it, and the addresses on it.",
            {
                "interface": words.string(
                    "Interface",
                    "The directors' interface in this network; a director may have another.",
                    pattern=words.INTERFACE,
                    says=words.INTERFACE_SAYS,
                    examples=["eth0"],
                ),
                "prefixes": words.array(
                    "Prefixes",
                    "The network's prefixes; dual stack says one of each family.",
                    {"type": "string", "pattern": words.PREFIX, "x-pattern-says": words.PREFIX_SAYS},
                    example=["192.0.2.0/24", "2001:db8::/64"],
                ),
                "gateway": words.name(
                    "Gateway",
                    "The virtual address that is the real servers' default route; it fails over with the others.",
                    example="inside",
                ),
            },
            required=["interface", "prefixes"],
        ),
    )


def directors() -> Schema:
    """The schema of `[directors.NAME]`."""
    by_network = "Keys are networks."
    return words.named(
        "Directors",
        "The hosts that run IPVS and own the virtual addresses, each by its host name.",
        words.table(
            "A director",
            "A host that runs IPVS.",
            {
                "addresses": words.named(
                    "Addresses",
                    f"The director's own addresses in each network. {by_network}",
                    words.addresses("Own addresses", "Addresses that do not move.", example=["192.0.2.2"]),
                ),
                "priority": words.integer(
                    "Priority",
                    "Among the directors that live, the one of the highest priority has the virtual addresses.",
                    1,
                    254,
                    examples=[150],
                    default=100,
                ),
                "interfaces": words.named(
                    "Interfaces",
                    f"This director's interfaces where they differ from the network's. {by_network}",
                    words.string(
                        "Interface",
                        "The director's interface in this network.",
                        pattern=words.INTERFACE,
                        says=words.INTERFACE_SAYS,
                        examples=["ens3"],
                    ),
                ),
                "macs": words.named(
                    "MAC addresses",
                    "The director's MAC addresses. Asked for where a director is also a real server by direct routing and"
                    f" its peers must know what comes from it. {by_network}",
                    words.string(
                        "MAC address",
                        "The MAC address of the director's interface in this network.",
                        pattern=words.MAC,
                        says=words.MAC_SAYS,
                        examples=["52:54:00:12:34:56"],
                    ),
                ),
            },
            required=["addresses"],
        ),
    )


def timeouts() -> Schema:
    """The schema of `[timeouts]`."""
    return words.table(
        "Timeouts",
        "When IPVS forgets an idle connection, in whole seconds. Unsaid, the kernel's own.",
        {
            "tcp": words.duration("TCP", "An established TCP connection.", example="15m"),
            "tcp_fin": words.duration("TCP FIN", "A TCP connection after its FIN.", example="2m"),
            "udp": words.duration("UDP", "A UDP flow.", example="5m"),
        },
    )


def tuning() -> Schema:
    """The schema of `[tuning]`."""
    return words.table(
        "Tuning",
        "Kernel settings of the directors. Unsaid, the kernel's own.",
        {
            "expire_nodest_conn": words.boolean(
                "Expire connections without a real server",
                "A connection ends at once when its real server is removed, and the client is told.",
                default=None,
            ),
            "expire_quiescent_template": words.boolean(
                "Expire persistence of drained servers",
                "A persistent client of a real server of weight 0 goes to another one.",
                default=None,
            ),
            "conn_reuse_mode": words.integer(
                "Connection reuse",
                "What happens when a client uses a port again: 0 keeps the real server, 1 reschedules, 2 and 3 also while"
                " it waits for a FIN.",
                0,
                3,
                examples=[0],
            ),
            "sloppy_tcp": words.boolean(
                "Sloppy TCP",
                "Take over established TCP connections without a SYN, for directors that hash and do not synchronise.",
                default=None,
            ),
            "sync_threshold": words.table(
                "Sync threshold",
                "When a connection is told to the other directors.",
                {
                    "packets": words.integer(
                        "Packets", "After so many packets.", 0, 2147483646, examples=[3], default=3
                    ),
                    "period": words.integer(
                        "Period", "And again every so many packets.", 1, 2147483647, examples=[50], default=50
                    ),
                },
            ),
            "connection_table_bits": words.integer(
                "Connection table size",
                "The connection table has two to the power of so many rows.",
                8,
                27,
                examples=[20],
            ),
            "conntrack_max": words.integer(
                "Conntrack limit",
                "The most connections that connection tracking holds.",
                1024,
                2147483647,
                examples=[1048576],
            ),
            "conntrack_buckets": words.integer(
                "Conntrack buckets",
                "The rows of connection tracking's table.",
                1024,
                2147483647,
                examples=[262144],
            ),
        },
    )


def email() -> Schema:
    """The schema of `[email]`."""
    mailbox = "^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}$"
    return words.table(
        "E-mail",
        "Who is told by mail when a real server or a director changes state.",
        {
            "from": words.string(
                "From", "The sender.", pattern=mailbox, says="a mail address", examples=["lvs@example.net"]
            ),
            "to": words.array(
                "To",
                "The recipients.",
                {"type": "string", "pattern": mailbox, "x-pattern-says": "a mail address"},
                example=["ops@example.net"],
            ),
            "server": words.string(
                "Server",
                "The mail server's address.",
                pattern=words.ADDRESS,
                says=words.ADDRESS_SAYS,
                examples=["192.0.2.25"],
            ),
            "port": words.integer("Port", "The mail server's port.", 1, 65535, examples=[587], default=25),
        },
        required=["from", "server", "to"],
    )


def addresses() -> Schema:
    """The schema of `[addresses.NAME]`."""
    return words.named(
        "Virtual addresses",
        "The addresses that clients connect to, and the gateway addresses, each by a name of your choice.",
        words.table(
            "A virtual address",
            "One or more IP addresses that move together.",
            {
                "network": words.name("Network", "The network that the address is on.", example="public"),
                "ip": words.addresses(
                    "IP", "The IP addresses, of either family.", example=["192.0.2.10", "2001:db8::10"]
                ),
            },
            required=["ip", "network"],
        ),
    )


def forwarding() -> Schema:
    """The schema of a forwarding method."""
    return words.choice(
        "Forwarding",
        "How a packet reaches its real server: `nat` rewrites its destination, and the answer comes back through the"
        " director; `direct` sends it on as it is, in the same network; `tunnel` wraps it. By the latter two the real"
        " server answers the client itself. A real server's word wins over its pool's, and that over the cluster's.",
        [method.value for method in Forwarding],
        examples=["direct"],
    )
