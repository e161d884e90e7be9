"""What nft's statements, and iptables' targets in its tables, are known to do to packets."""

from lvsc.plugin import Touch

#: A packet filter does everything but balance.
EVERYTHING = frozenset(Touch) - {Touch.BALANCE}
NOTHING: frozenset[Touch] = frozenset()

FILTER = frozenset({Touch.FILTER})
MARK = frozenset({Touch.MARK})
_HELPER = frozenset({Touch.HELPER})
_TRACKING = frozenset({Touch.TRACKING})
_SOURCE = frozenset({Touch.SOURCE_NAT})
DESTINATION = frozenset({Touch.DESTINATION_NAT})

#: Statements by their first word, in nft's language and in JSON alike (nft(8), STATEMENTS; libnftables-json(5)).
STATEMENTS = {
    "accept": NOTHING,
    "drop": FILTER,
    "reject": FILTER,
    "notrack": _TRACKING,
    "snat": _SOURCE,
    "masquerade": _SOURCE,
    "dnat": DESTINATION,
    "redirect": DESTINATION,
    "tproxy": MARK | DESTINATION,
    "ct helper": _HELPER,
    "ct timeout": _TRACKING,
    "ct expectation": _TRACKING | _HELPER,
    "ct count": NOTHING,
    "match": NOTHING,
    "counter": NOTHING,
    "limit": NOTHING,
    "quota": NOTHING,
    "last": NOTHING,
    "log": NOTHING,
    "continue": NOTHING,
    "return": NOTHING,
    "set": NOTHING,
    "map": NOTHING,
}
#: Targets of iptables, in a table that iptables-nft manages (iptables-extensions(8)).
TARGETS = {
    "MARK": MARK,
    "CONNMARK": MARK,
    "TPROXY": MARK | DESTINATION,
    "CT": _TRACKING | _HELPER,
    "NOTRACK": _TRACKING,
    "REJECT": FILTER,
    "SNAT": _SOURCE,
    "MASQUERADE": _SOURCE,
    "DNAT": DESTINATION,
    "REDIRECT": DESTINATION,
    "NETMAP": _SOURCE | DESTINATION,
    "LOG": NOTHING,
    "NFLOG": NOTHING,
    "TRACE": NOTHING,
    "TCPMSS": NOTHING,
    "CLASSIFY": NOTHING,
    "CHECKSUM": NOTHING,
    # With --map-set it marks, and the listing does not say.
    "SET": MARK,
}
#: What is set, by the words or keys before `set`.
SETS: dict[tuple[str, ...], frozenset[Touch]] = {
    ("meta", "mark"): MARK,
    ("ct", "mark"): MARK,
    ("ct", "helper"): _HELPER,
    ("ct", "zone"): _TRACKING,
    ("ct", "timeout"): _TRACKING,
    ("ct", "expectation"): _TRACKING | _HELPER,
    ("ct", "event"): NOTHING,
    ("ct", "label"): NOTHING,
    ("meta", "priority"): NOTHING,
    ("meta", "nftrace"): NOTHING,
    # A security module may refuse by it.
    ("ct", "secmark"): FILTER,
    ("meta", "secmark"): FILTER,
    # Routes are chosen by it (ip-rule(8)), and anew where a chain of type route changes it (nft_chain_route.c).
    ("ip", "dscp"): FILTER,
    ("ip6", "dscp"): FILTER,
    # A packet that lives for fewer hops does not arrive.
    ("ip", "ttl"): FILTER,
    ("ip6", "hoplimit"): FILTER,
    # It only ever makes segments smaller (nft_exthdr.c).
    ("maxseg", "size"): NOTHING,
}
