"""The schema of everything but pools and services."""

from lvsc.graph.nodes import AuthenticationType, Forwarding
from lvsc.spec.schema import words
from lvsc.spec.schema.words import Schema

#: Derived marks keep away from keepalived's (1000 up) and Seesaw's (256 up); lvsc.lowering.marks leaves out Kubernetes' bits.
FIRST_MARK = 0x10000000
LAST_MARK = 0x7FFFFFFF

#: Linux: ip_vs_sync.c.
SYNC_PORT, SYNC_TTL, SYNC_GROUP = 8848, 1, "224.0.0.81"


def cluster() -> Schema:
    """The schema of `[cluster]`."""
    return words.table(
        "The cluster",
        "What holds for the whole cluster.",
        {
            "name": words.name("Name", "Names the cluster, and the directory that its files are built into.", example="shop"),
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
                "Emit the accepts that the services need in the directors' INPUT and FORWARD chains. Only iptables can:"
                " an accept in one nftables table does not overrule a drop in another. `lvsc explain` prints them.",
                default=False,
            ),
            "marks": words.table(
                "Derived marks",
                "The range that the marks of bundles without a `mark` of their own are derived in.",
                {
                    "first": words.integer(
                        "First", "The lowest derived mark.", 1, LAST_MARK, examples=[0x20000000], default=FIRST_MARK
                    ),
                    "last": words.integer(
                        "Last", "The highest derived mark.", 1, LAST_MARK, examples=[0x2FFFFFFF], default=LAST_MARK
                    ),
                },
            ),
            "script_user": words.string(
                "Script user",
                "The user that check, track and notify commands run as.",
                pattern="^[a-z_][a-z0-9_-]{0,31}$",
                says="a user's name",
                examples=["keepalived_script"],
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


def failover() -> Schema:
    """The schema of `[failover]`."""
    return words.variants(
        "Failover",
        "How the virtual addresses move when a director fails. Needed with more than one director.",
        "method",
        {
            "vrrp": words.table(
                "Failover by VRRP",
                "One VRRP instance for each network and family, all in one group that moves together.",
                {
                    "method": words.choice(
                        "Method",
                        "`vrrp`, by the director backend; `external`, by something that lvsc does not configure.",
                        ["vrrp"],
                        default="vrrp",
                    ),
                    "version": {
                        "title": "Version",
                        "description": "VRRP's version. Version 2 carries authentication and no IPv6.",
                        "enum": [2, 3],
                        "default": 3,
                        "examples": [2],
                    },
                    "virtual_router_id": words.integer(
                        "Virtual router id", "Unique among the virtual routers of each network.", 1, 255, examples=[51]
                    ),
                    "advertisement_interval": words.duration(
                        "Advertisement interval",
                        "How often the master says that it lives: whole seconds in version 2, up to 40 seconds in"
                        " version 3.",
                        example="500ms",
                        default="1s",
                    ),
                    "preempt": words.boolean(
                        "Preempt", "A director of higher priority takes over from a living one.", default=True
                    ),
                    "preempt_delay": words.duration(
                        "Preempt delay", "How long it waits after its start before it does.", example="1m", default="0s"
                    ),
                    "unicast": words.boolean(
                        "Unicast", "Send adverts to each peer's own address in place of multicast.", default=False
                    ),
                    "authentication": words.table(
                        "Authentication",
                        "VRRPv2's authentication. It keeps mistakes out, not attackers.",
                        {
                            "type": words.choice(
                                "Type",
                                "A plain password, or an authentication header.",
                                [kind.value for kind in AuthenticationType],
                                default=AuthenticationType.PASS.value,
                            ),
                            "password": words.one_of(
                                "Password",
                                "Where the password is kept: an environment variable or a file. At most eight characters"
                                " count. The spec never holds it.",
                                {
                                    "env": words.string(
                                        "Environment variable",
                                        "Its value is read when the files are written.",
                                        pattern="^[A-Za-z_][A-Za-z0-9_]{0,63}$",
                                        says="an environment variable's name",
                                        examples=["VRRP_PASSWORD"],
                                    ),
                                    "file": words.string(
                                        "File",
                                        "Its first line is read when the files are written; the path is relative to"
                                        " the spec.",
                                        pattern=words.PRINTABLE,
                                        says=words.PRINTABLE_SAYS,
                                        examples=["secrets/vrrp"],
                                    ),
                                },
                            ),
                        },
                        required=["password"],
                    ),
                    "track_interfaces": words.array(
                        "Track interfaces",
                        "Further networks whose interface must be up; those with virtual addresses are tracked anyway.",
                        {"type": "string", "pattern": words.NAME, "x-pattern-says": words.NAME_SAYS},
                        example=["private"],
                    ),
                    "track_scripts": words.array(
                        "Track scripts",
                        "Commands whose failure makes a director give up its addresses.",
                        words.table(
                            "A track script",
                            "A command and how often it runs.",
                            {
                                "name": words.name("Name", "Names the script.", example="uplink"),
                                "command": words.command(
                                    "Command", "Succeeds while all is well.", example="/usr/bin/ping -c 1 192.0.2.1"
                                ),
                                "interval": words.duration(
                                    "Interval", "Whole seconds between runs.", example="5s", default="2s"
                                ),
                                "timeout": words.duration(
                                    "Timeout", "Whole seconds until a run counts as failed.", example="5s", default="2s"
                                ),
                                "rise": words.integer(
                                    "Rise", "Successes until it counts as good.", 1, 1000, examples=[3], default=2
                                ),
                                "fall": words.integer(
                                    "Fall", "Failures until it counts as bad.", 1, 1000, examples=[3], default=2
                                ),
                            },
                            required=["name", "command"],
                        ),
                        example=[{"name": "uplink", "command": "/usr/bin/ping -c 1 192.0.2.1"}],
                    ),
                    "notify": words.table(
                        "Notify",
                        "Commands that run when a director changes state.",
                        {
                            state: words.command(
                                state.capitalize(), f"Runs when the director {event}.", example=f"/usr/local/sbin/{state}"
                            )
                            for state, event in {
                                "master": "takes the addresses",
                                "backup": "gives them up",
                                "fault": "finds a fault of its own",
                                "stop": "stops",
                            }.items()
                        },
                    ),
                },
                required=["virtual_router_id"],
            ),
            "external": words.table(
                "External failover",
                "Something else moves the virtual addresses; lvsc emits none for the directors.",
                {"method": words.choice("Method", "How the addresses move.", ["external"])},
                required=["method"],
            ),
        },
        default="vrrp",
    )


def connection_sync() -> Schema:
    """The schema of `[connection_sync]`."""
    return words.table(
        "Connection synchronisation",
        "The active director tells the others of its connections, so that these survive a failover.",
        {
            "network": words.name("Network", "The network whose interface carries it.", example="private"),
            "id": words.integer("Id", "Tells clusters on one network apart.", 0, 255, examples=[51]),
            "max_length": words.integer(
                "Maximum length", "The longest message, in bytes; unsaid, what the interface carries.", 1, 65507, examples=[1472]
            ),
            "port": words.integer("Port", "The UDP port.", 1, 65535, examples=[8849], default=SYNC_PORT),
            "ttl": words.integer("TTL", "How many routers a message may pass.", 1, 255, examples=[2], default=SYNC_TTL),
            "group": words.string(
                "Group",
                "The multicast group.",
                pattern=words.ADDRESS,
                says=words.ADDRESS_SAYS,
                examples=["224.0.0.82"],
                default=SYNC_GROUP,
            ),
        },
        required=["id", "network"],
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
                    "packets": words.integer("Packets", "After so many packets.", 0, 2147483646, examples=[3], default=3),
                    "period": words.integer(
                        "Period", "And again every so many packets.", 1, 2147483647, examples=[50], default=50
                    ),
                },
            ),
            "connection_table_bits": words.integer(
                "Connection table size", "The connection table has two to the power of so many rows.", 8, 27, examples=[20]
            ),
            "conntrack_max": words.integer(
                "Conntrack limit", "The most connections that connection tracking holds.", 1024, 2147483647, examples=[1048576]
            ),
            "conntrack_buckets": words.integer(
                "Conntrack buckets", "The rows of connection tracking's table.", 1024, 2147483647, examples=[262144]
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
                "Server", "The mail server's address.", pattern=words.ADDRESS, says=words.ADDRESS_SAYS, examples=["192.0.2.25"]
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
                "ip": words.addresses("IP", "The IP addresses, of either family.", example=["192.0.2.10", "2001:db8::10"]),
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
