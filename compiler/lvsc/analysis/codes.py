"""The codes of what is wrong with a lowered cluster, or suspicious in it, and of what its backends cannot render."""

from lvsc.diagnostics import Code, Severity

TWO_MARKS = Code(
    "LVS401",
    "packets with two marks",
    """Two services put their marks on the same packets, so that the order of rules would decide who gets them. The witness
is one such packet. Take the shared ports or addresses out of one of the two.""",
)

MARK_SHADOWS = Code(
    "LVS402",
    "a mark that hides a service",
    """IPVS looks for a packet's mark before its address (ip_vs_core.c), so a service known by its address never sees packets
that another service marks. Take the shared port out of one of the two, or give both marks over different ports.""",
)

SAME_ADDRESS = Code(
    "LVS403",
    "two services at one address and port",
    """IPVS has one service for a protocol, an address and a port. The second would be refused, or replace the first.
Make one service of the two, or move one to another port or address.""",
)

UNUSED_POOL = Code(
    "LVS404",
    "a pool that no service uses",
    """Nothing is balanced to this pool, and nothing is emitted for its real servers. Name it in a service, or remove
it.""",
    Severity.WARNING,
)

UNUSED_ADDRESS = Code(
    "LVS405",
    "an address that nothing uses",
    """No service has this virtual address and no network names it as its gateway, so no director gets it. Name it in a
service, or remove it.""",
    Severity.WARNING,
)

WEIGHTS_IGNORED = Code(
    "LVS406",
    "weights that the scheduler ignores",
    """The schedulers rr, lc and dh treat every real server alike, whatever its weight; only a weight of 0 still means
that it gets nothing new. Choose wrr or wlc, or leave the weights out.""",
    Severity.WARNING,
)

UNTIED_BUNDLE = Code(
    "LVS407",
    "a bundle that does not keep a client together",
    """One mark makes one service of several ports, but without persistence (or source hashing without ports) each new
connection of a client is scheduled by itself, so its ports may end at different real servers. Add `persistence`.""",
    Severity.WARNING,
)

ZERO_WEIGHT = Code(
    "LVS408",
    "no real server gets new connections",
    """Every real server of the service is drained or has weight 0, so new clients are refused. That is right only while
the pool is emptied on purpose, and where ipvsadm is the director: keepalived cannot say it (KAD009).""",
    Severity.WARNING,
)

QUORUM = Code(
    "LVS409",
    "a quorum that is out of reach",
    """The quorum is more than the total weight of all real servers, so the service would never be up; or the hysteresis is not
below the quorum, so that it would never go down; or both together are more than that total, and only with so much does a
service come up. A service of two families is two to IPVS, each with the real servers that
have an address of its family.""",
)

UNREACHABLE = Code(
    "LVS410",
    "a forwarding method that cannot reach the real server",
    """By `direct` only the Ethernet frame's destination changes, so the real server must be in a network that the
directors are in. It is in none of the prefixes of `[networks]`. Reach it by `nat` or `tunnel`, or add the prefix that is
missing to its network.""",
)

NO_GATEWAY = Code(
    "LVS411",
    "NAT without a gateway that fails over",
    """By `nat` the answers come back through the active director, so the real servers' default route must move with the
virtual addresses. With several directors, no network that these real servers are in has a `gateway`. Add a virtual address
for it and name it in the network, or use `source_nat`.""",
    Severity.WARNING,
)

UNCHECKED = Code(
    "LVS412",
    "something that waits for a failure that nobody notices",
    """The spec says `check = "none"`, so no real server is ever seen to fail. Then a sorry server gets no clients, a quorum is
never lost, and no command runs. Say a check, or remove what waits for one.""",
    Severity.WARNING,
)

TWO_SOURCES = Code(
    "LVS413",
    "packets with two source addresses",
    """Two services would replace the source address of the same packets by different ones. For FTP, that is the data that a
real server sends from port 20: where it serves two virtual addresses, nothing in the packet says which one it belongs to.
Name both addresses in one service, or give each service real servers of its own.""",
)

HALF_TRACKED = Code(
    "LVS414",
    "connections of which some can be tracked and some cannot",
    """By `nat` a stateful firewall on the director needs connection tracking; by `direct` and `tunnel` it sees half of each
connection and must not track it. Which real server a new connection gets is not known before IPVS has chosen, so one service
cannot have both. Make a service, with an address or port of its own, for each; or say `firewall = "none"` where nothing on the
directors looks at a connection's state.""",
)

LOOSE_MARK = Code(
    "LVS415",
    "a mark without a service, or a service without its mark",
    """A firewall mark does something only where the packet filter sets it and IPVS has a service for it, in the same family on
the same host. Here one of the two is missing. lvsc's own service kinds always give both, so this is a defect of a plugin.""",
)

STUCK_CLIENTS = Code(
    "LVS416",
    "clients that stay with a failed real server",
    """`on_failure = "drain"` leaves a failed real server in the table with weight 0, and IPVS goes on sending it the new
connections of each client that persistence ties to it (Linux: ip_vs_conn.c, ip_vs_check_template). Set
`expire_quiescent_template = true` in `[tuning]`, or let failed real servers be removed.""",
    Severity.WARNING,
)

IDLE_ENGINE = Code(
    "LVS417",
    "a persistence engine that reads nothing",
    """The engine `sip` reads the call id of UDP packets alone (ip_vs_pe_sip.c). For other protocols the service is persistent by
the client's address, as without it. Balance UDP ports with it, or remove it.""",
    Severity.WARNING,
)

LOST_CONNECTIONS = Code(
    "LVS418",
    "connections that connection synchronisation does not save",
    """With `source_nat` a real server sees the director's own address as the client. Connection synchronisation tells the other
director of the connection and not of that address, so when a director dies, the service's open connections end, though
connections of other services go on. New connections are served at once.""",
    Severity.NOTE,
)

IDLE_QUORUM = Code(
    "LVS419",
    "a quorum that nothing follows from",
    """keepalived takes the real servers of a service without its quorum out of the table only where a sorry server takes their place.
Without one they go on getting clients however few they are, and a lost quorum runs `quorum_down` and nothing else. Here there is
neither. Add a `sorry_server` or the commands, or remove the quorum.""",
    Severity.WARNING,
)

IDLE_THRESHOLD = Code(
    "LVS420",
    "a threshold that nothing reaches",
    """A threshold limits the connections of a real server, and with one-packet scheduling each is over when its datagram is sent
on (ip_vs_conn.c), so there is never one too many. Leave the thresholds out, or give the service a pool without them.""",
    Severity.WARNING,
)

LEFT_OUT = Code(
    "LVS421",
    "a real server that a service goes without",
    """A real server is in the pool of a service and has no address of the service's family, so nothing is emitted for it there.
Give it one, or take it out of the pool. Only by `tunnel` can it be of another family than the service.""",
    Severity.WARNING,
)

ONE_FAMILY = Code(
    "LVS422",
    "a real server for one family of two",
    """A service has IPv4 and IPv6 addresses, and a real server of its pool has an address of one of the two families. It serves
the clients of that family alone. Only by `tunnel` could it serve both.""",
    Severity.NOTE,
)

IDLE_GRANULARITY = Code(
    "LVS423",
    "persistence for a family without an address",
    """`persistence_granularity` says how many leading bits of a client's address count, and the service has no address of that
family, so that it has no such clients. Remove it, or give the service an address of the family.""",
    Severity.WARNING,
)

NETWORK_WITHIN = Code(
    "LVS424",
    "a network within another",
    """A prefix of one network lies within a prefix of another one. The directors send to the longer prefix by its own interface,
while the hosts of the larger network look for those addresses on their own link, where nobody has them. Correct one of
the two, unless something answers for them there.""",
    Severity.WARNING,
)

HOPELESS_CHECK = Code(
    "LVS425",
    "a health check that cannot succeed",
    """The check speaks another protocol than what listens at the port that it asks: HTTP or SMTP at TCP port 21, where FTP
listens, or a datagram at the port of a service that is for TCP alone. Every real server would count as failed. Let it connect
(`type = "tcp"`), or say which `port` answers what it asks.""",
    Severity.WARNING,
)

DISTANT = Code(
    "LVS426",
    "a server by NAT in no network of the directors",
    """By `nat` a real server's answers must come back through the director, and this server is in none of the directors' networks, so
that they do only if the routers between lead them there. Use `source_nat` or `tunnel`, or add the server's prefix to its
network, unless those routes are there.""",
    Severity.WARNING,
)

HASHED_AWAY = Code(
    "LVS427",
    "clients that are hashed to a server which takes none",
    """The schedulers `sh` and `dh` keep a place in their tables for a real server of weight 0, and refuse the clients that fall on it
(ip_vs_sh.c, ip_vs_dh.c). Choose `mh`, which leaves it out, or with `sh` the flag `sh-fallback`, which looks for another;
or disable the server instead of draining it.""",
    Severity.WARNING,
)

MOVED_BY_OTHERS = Code(
    "LVS428",
    "IPv6 addresses that something else moves, and tunnels",
    """A director takes an IPv6 address of its own for the source of tunnelled packets, and the latest first. If that is a virtual
address, the real server, which has it too, drops them. Where lvsc emits the addresses it says `preferred_lft 0` with them; with
`method = "external"` whatever moves them must do so (`ip addr add … preferred_lft 0`).""",
    Severity.NOTE,
)

TWO_WAYS_BACK = Code(
    "LVS429",
    "a real server by NAT and by another way",
    """By `nat` a real server's default route must lead through the director. What it answers for a virtual address of its own, by
`direct` or `tunnel`, then goes there, too, and the director drops packets that come from an address which it has itself. Reach
the server in one way in all services, or by `source_nat`, unless it routes by the source of its packets (`ip rule`).""",
    Severity.WARNING,
)

NO_WAY = Code(
    "LVS430",
    "a server of a family that no network of the directors has",
    """The directors send to a server at an IPv4 or IPv6 address, and none of their networks is of that family, so that they have neither an
address to send from nor a way to it as far as the spec says. Add the network, or give the server an address of their family.""",
    Severity.WARNING,
)

MISSING_FEATURE = Code(
    "LVS501",
    "something that the target's version cannot do",
    """The spec asks for something that the target's version of a program does not have. Configured all the same, it would be
refused when it is loaded, or silently left out. Choose a target that has it, or do without it.""",
)

UNKNOWN_BACKEND = Code(
    "LVS502",
    "an unknown backend",
    """No installed plugin provides a backend of this name. `lvsc backends` lists them.""",
)

TWO_BACKENDS = Code(
    "LVS503",
    "two backends of one role",
    """A cluster uses one packet filter and one director backend; every rule is rendered by exactly one. Name one of each
role at most.""",
)

NOT_RENDERED = Code(
    "LVS504",
    "something that no chosen backend can say",
    """Nothing is left out in silence: what the spec asks for must be rendered by one of the chosen backends. Choose a backend
that can, or say in the spec that it is not wanted (`check = "none"`, `[failover] method = "external"`).""",
)

TWICE_RENDERED = Code(
    "LVS505",
    "something that two backends would say",
    """Two of the chosen backends render the same part of the rule graph; loaded together they would disagree or do it
twice. This is a defect of a plugin: use only one of the two.""",
)

SAME_FILE = Code(
    "LVS506",
    "two backends that write one file",
    """Two of the chosen backends write the same file of a host. This is a defect of a plugin.""",
)

FOREIGN_HOST = Code(
    "LVS508",
    "a host that lvsc does not manage",
    """A service kind asks for something on a host that is no director and no managed real server of a service, so nothing
says how that host could be told. This is a defect of the plugin.""",
)

ALL = (
    TWO_MARKS,
    MARK_SHADOWS,
    SAME_ADDRESS,
    UNUSED_POOL,
    UNUSED_ADDRESS,
    WEIGHTS_IGNORED,
    UNTIED_BUNDLE,
    ZERO_WEIGHT,
    QUORUM,
    UNREACHABLE,
    NO_GATEWAY,
    UNCHECKED,
    TWO_SOURCES,
    HALF_TRACKED,
    LOOSE_MARK,
    IDLE_ENGINE,
    STUCK_CLIENTS,
    LOST_CONNECTIONS,
    IDLE_QUORUM,
    IDLE_THRESHOLD,
    LEFT_OUT,
    ONE_FAMILY,
    IDLE_GRANULARITY,
    NETWORK_WITHIN,
    HOPELESS_CHECK,
    DISTANT,
    HASHED_AWAY,
    MOVED_BY_OTHERS,
    TWO_WAYS_BACK,
    NO_WAY,
    MISSING_FEATURE,
    UNKNOWN_BACKEND,
    TWO_BACKENDS,
    NOT_RENDERED,
    TWICE_RENDERED,
    SAME_FILE,
    FOREIGN_HOST,
)
