"""The codes of what the schema cannot say of a spec."""

from lvsc.diagnostics import Code, Severity

NAME = Code(
    "LVS201",
    "a name that nothing has",
    """A key refers to a network, an address, a pool or a director by a name, and no table of that name exists.

    [services.web]
    pool = "wbe"        # there is only [pools.web]

Correct the name, or add the table.""",
)

ADDRESS = Code(
    "LVS202",
    "not an IP address",
    """The text is neither an IPv4 nor an IPv6 address. Host names are not looked up: the same spec must give the same
files everywhere. An octet has no leading zero, and an address has no zone (`%eth0`).""",
)

PREFIX = Code(
    "LVS203",
    "not a network prefix",
    """A network prefix is a network's address and the number of its leading bits: "192.0.2.0/24". The bits behind the
prefix are zero; `192.0.2.7/24` is an address in a network, not the network.""",
)

DURATION = Code(
    "LVS204",
    "a duration out of range",
    """A duration is a whole number and a unit: ms, s, m, h or d. Where a program counts whole seconds, so must the spec.
Persistence is at most 31 days (`ipvsadm(8)`), an advertisement interval at most 40 seconds.""",
)

PORTS = Code(
    "LVS205",
    "not a range of ports",
    """Ports are 1 to 65535, and a range has its lower port first: "tcp/10000-20000". All ports are "tcp/all".""",
)

TWICE = Code(
    "LVS206",
    "the same thing twice",
    """The same address, port, name or host is said twice where only once makes sense. IPVS has a real server once in a
service, and a virtual address belongs to one name.""",
)

HOST = Code(
    "LVS207",
    "one host, two descriptions",
    """A host has one name, and one name is one host: a real server in two pools, or a director that is also a real
server. Its addresses, its target, its interface and whether it is managed must then be the same wherever it is named.""",
)

KEYS = Code(
    "LVS208",
    "keys that do not go together",
    """One key makes sense only with another, or only without it. For example: a tunnel's `port` belongs to gue and gue
needs one; `authentication` is VRRP version 2's; `sni` needs a `virtual_host`; `persistence_granularity` needs
`persistence`; a lower threshold is below the upper one.""",
)

OUTSIDE = Code(
    "LVS209",
    "an address outside its network",
    """A virtual address, or a director's own, is in none of its network's prefixes, so that nobody in that network
would send packets for it to the director. Correct the address, or add the prefix to the network.""",
)

NO_FAILOVER = Code(
    "LVS210",
    "several directors and no failover",
    """Two directors cannot both have the same virtual addresses. Say how they move: a `[failover]` table with a
`virtual_router_id` for VRRP, or `method = "external"` where something else moves them.""",
)

NO_OWN_ADDRESS = Code(
    "LVS211",
    "a director without an address of its own",
    """Something needs an address of the director's own in a network: VRRP sends its adverts from one, unicast peers are
known by theirs, and full NAT replaces the client's address by it. Add it to the director's `addresses`.""",
)

EQUAL_PRIORITY = Code(
    "LVS212",
    "directors of equal priority",
    """Two directors have the same priority, so that chance (the higher IP address, or who came first) decides which one
has the virtual addresses. Give each a `priority` of its own.""",
    Severity.WARNING,
)

UNKNOWN_TARGET = Code(
    "LVS213",
    "an unknown target",
    """A target is a Linux distribution release that lvsc has a data file for. `lvsc targets` lists them; rebuilds of
RHEL have aliases.""",
)

REGEX = Code(
    "LVS214",
    "a regular expression that is none",
    """A parenthesis of the expression is opened and never closed, or closed and never opened, so keepalived cannot compile it
(PCRE2). It says so in its log alone, `keepalived -t` passes, and the check goes on with memory that was given back
(check_http.c, prepare_regex). Write `\\(` or `[(]` where a parenthesis itself is meant.""",
)

ALL = (
    NAME,
    ADDRESS,
    PREFIX,
    DURATION,
    PORTS,
    TWICE,
    HOST,
    KEYS,
    OUTSIDE,
    NO_FAILOVER,
    NO_OWN_ADDRESS,
    EQUAL_PRIORITY,
    UNKNOWN_TARGET,
    REGEX,
)
