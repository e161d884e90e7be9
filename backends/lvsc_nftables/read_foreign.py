"""What other people's rules may do to packets that lvsc cares for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lvsc.plugin import Foreign, Origin, Touch
from lvsc_nftables.read_words import Kind, Word

Json = Any  # what `json.loads` returns; each use says what it expects of it

#: A packet filter does everything but balance.
EVERYTHING = frozenset(Touch) - {Touch.BALANCE}
NOTHING: frozenset[Touch] = frozenset()

_FILTER = frozenset({Touch.FILTER})
_MARK = frozenset({Touch.MARK})
_HELPER = frozenset({Touch.HELPER})
_TRACKING = frozenset({Touch.TRACKING})
_SOURCE = frozenset({Touch.SOURCE_NAT})
_DESTINATION = frozenset({Touch.DESTINATION_NAT})

#: Statements by their first word, in nft's language and in JSON alike (nft(8), STATEMENTS; libnftables-json(5)).
_STATEMENTS = {
    "accept": _FILTER,
    "drop": _FILTER,
    "reject": _FILTER,
    "notrack": _TRACKING,
    "snat": _SOURCE,
    "masquerade": _SOURCE,
    "dnat": _DESTINATION,
    "redirect": _DESTINATION,
    "tproxy": _MARK | _DESTINATION,
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
_TARGETS = {
    "MARK": _MARK,
    "CONNMARK": _MARK,
    "TPROXY": _MARK | _DESTINATION,
    "CT": _TRACKING | _HELPER,
    "NOTRACK": _TRACKING,
    "REJECT": _FILTER,
    "SNAT": _SOURCE,
    "MASQUERADE": _SOURCE,
    "DNAT": _DESTINATION,
    "REDIRECT": _DESTINATION,
    "NETMAP": _SOURCE | _DESTINATION,
    "LOG": NOTHING,
    "NFLOG": NOTHING,
    "TRACE": NOTHING,
    "TCPMSS": NOTHING,
    "CLASSIFY": NOTHING,
    "CHECKSUM": NOTHING,
    "SET": NOTHING,
}
#: What is set, by the words or keys before `set`.
_SETS: dict[tuple[str, ...], frozenset[Touch]] = {
    ("meta", "mark"): _MARK,
    ("ct", "mark"): _MARK,
    ("ct", "helper"): _HELPER,
    ("ct", "zone"): _TRACKING,
    ("ct", "timeout"): _TRACKING,
    ("ct", "expectation"): _TRACKING | _HELPER,
    ("ct", "event"): NOTHING,
    ("ct", "label"): NOTHING,
    ("ct", "secmark"): NOTHING,
    ("meta", "priority"): NOTHING,
    ("meta", "nftrace"): NOTHING,
    ("meta", "secmark"): NOTHING,
    ("ip", "dscp"): NOTHING,
    ("ip", "ttl"): NOTHING,
    ("ip6", "dscp"): NOTHING,
    ("ip6", "hoplimit"): NOTHING,
    ("maxseg", "size"): NOTHING,
}
_QUIET = frozenset(
    """
    meta ct ip ip6 tcp udp udplite sctp dccp th icmp icmpv6 igmp ether vlan arp ah esp comp rt frag hbh dst mh
    fib socket osf exthdr option numgen jhash symhash ipsec inet
    saddr daddr sport dport sequence ackseq doff flags window checksum urgptr length nexthdr hoplimit hdrlength
    flowlabel version dscp ecn ttl protocol frag-off id type code mtu mac-id operation htype ptype hlen plen pcp dei
    l4proto nfproto iif oif iifname oifname iiftype oiftype iifgroup oifgroup skuid skgid nftrace rtclassid mark
    ibrname obrname pkttype cpu cgroup random ibrpvid ibrvproto time day hour priority sdif sdifname
    state direction status expiration helper label zone count event original reply proto-src proto-dst l3proto
    bytes packets avgpkt original
    established related new untracked invalid expected seen-reply assured confirmed dying snat-status dnat-status
    ipv4 ipv6 unix local broadcast unicast multicast anycast blackhole unreachable prohibit host other loopback
    fin syn rst psh ack urg cwr ecn exists missing true false
    ipv6-icmp ipcomp udp-lite ospf vrrp
    and or xor not over until rate burst second minute hour day week mbytes kbytes
    vmap map . - : + / * on to with port random fully-random persistent fully-random
    log prefix level group snaplen queue-threshold emerg alert crit err warn notice info debug audit
    counter limit quota used name comment add update delete set packets timeout expires
    tcp reset icmpx no-route port-unreachable host-unreachable net-unreachable admin-prohibited net-prohibited
    host-prohibited addr-unreachable policy-fail reject-route
    echo-request echo-reply destination-unreachable time-exceeded parameter-problem packet-too-big redirect-type
    router-advertisement router-solicitation source-quench timestamp-request timestamp-reply info-request info-reply
    address-mask-request address-mask-reply nd-router-solicit nd-router-advert nd-neighbor-solicit
    nd-neighbor-advert nd-redirect mld-listener-query mld-listener-report mld-listener-done mld-listener-reduction
    mld2-listener-report router-renumbering ind-neighbor-solicit ind-neighbor-advert
    maxseg size sack-perm window echo
    """.split()  # noqa: SIM905 - as a list each word would take a line
)
_VALUE = re.compile(r"@?[0-9].*|@.*|-[0-9].*|:[0-9].*|[0-9a-f]*:[0-9a-f:./-]*", re.DOTALL)


@dataclass(slots=True)
class Fragment:
    """A rule or a declaration, and what it is known to do by itself."""

    text: str
    origin: Origin
    touches: frozenset[Touch] = NOTHING
    jumps: set[str] = field(default_factory=set)
    """The chains that it leads to."""
    containers: set[str] = field(default_factory=set)
    """The sets and maps that it looks at."""


@dataclass(slots=True)
class ForeignTable:
    """A table that is not lvsc's."""

    chains: dict[str, list[Fragment]] = field(default_factory=dict)
    containers: dict[str, Fragment] = field(default_factory=dict)
    rest: list[Fragment] = field(default_factory=list)


def foreign_of(host: str, table: ForeignTable) -> Iterator[Foreign]:
    """What is in a table, each with all that it may do through the chains, sets and maps that it names."""
    reach = _Reach(table)
    rules = [rule for chain in table.chains.values() for rule in chain]
    # A set does nothing, but whether rules that name it do depends on what is in it.
    uses: dict[str, frozenset[Touch]] = {}
    for fragment in (*rules, *table.rest):
        touches = reach.of(fragment)
        yield Foreign(host=host, text=fragment.text, touches=touches, origin=fragment.origin)
        for name in fragment.containers:
            uses[name] = uses.get(name, NOTHING) | touches
    for name, container in table.containers.items():
        touches = reach.of(container) | uses.get(name, NOTHING)
        yield Foreign(host=host, text=container.text, touches=touches, origin=container.origin)


class _Reach:
    """What fragments do with all that they lead to."""

    def __init__(self, table: ForeignTable) -> None:
        parts = dict(table.chains)
        parts |= {f"@{name}": [container] for name, container in table.containers.items()}
        self._known: dict[str, frozenset[Touch]] = {}
        led_from: dict[str, list[str]] = {}
        for name, fragments in parts.items():
            self._known[name] = frozenset[Touch]().union(*(fragment.touches for fragment in fragments))
            for other in set[str]().union(*map(_leads_to, fragments)):
                led_from.setdefault(other, []).append(name)
                if other not in parts:
                    self._known[other] = NOTHING if other.startswith("@") else EVERYTHING
        # What a chain does is handed back to whatever leads to it, until nothing is news to anybody.
        waiting = list(self._known)
        while waiting:
            name = waiting.pop()
            for origin in led_from.get(name, ()):
                if not self._known[name] <= self._known[origin]:
                    self._known[origin] |= self._known[name]
                    waiting.append(origin)

    def of(self, fragment: Fragment) -> frozenset[Touch]:
        return fragment.touches.union(*(self._known.get(name, EVERYTHING) for name in _leads_to(fragment)))


def _leads_to(fragment: Fragment) -> set[str]:
    """The chains, and the sets and maps with an `@`."""
    return fragment.jumps | {f"@{name}" for name in fragment.containers}


def words_fragment(words: Sequence[Word], text: str, origin: Origin) -> Fragment:
    """A rule or declaration in nft's language. A word that is not known may do everything."""
    found = Fragment(text, origin)
    texts = [word for _, word, _, _ in words]
    for index, (kind, word, _, _) in enumerate(words):
        before = tuple(texts[max(index - 2, 0) : index])
        if before == ("xt", "target"):
            found.touches |= _TARGETS.get(word, EVERYTHING)
        elif kind in (Kind.STRING, Kind.SIGN, Kind.END):
            continue
        elif kind is not Kind.WORD:
            found.touches = EVERYTHING
        elif word in ("jump", "goto"):
            found.jumps.update(texts[index + 1 : index + 2])
        elif before[-1:] in (("jump",), ("goto",)):
            continue
        elif word == "set" and index:
            found.touches |= _MARK if before[-1:] == ("mark",) else _SETS.get(before, EVERYTHING)
        elif word in ("xt", "target", "match") or before == ("xt", "match"):
            continue
        elif word in _STATEMENTS:
            found.touches |= _STATEMENTS[word]
        elif word.startswith("@"):
            found.containers.add(word[1:])
        elif word not in _QUIET and not _VALUE.fullmatch(word):
            found.touches = EVERYTHING
    return found


def declared(words: Sequence[Word], text: str, origin: Origin) -> Fragment:
    """A set, map or other object in nft's language, which does what the verdicts in it do."""
    found = Fragment(text, origin)
    texts = [word for _, word, _, _ in words]
    for word, following in zip(texts, [*texts[1:], ""], strict=True):
        if word in ("jump", "goto"):
            found.jumps.add(following)
        elif word in ("accept", "drop"):
            found.touches |= _FILTER
        elif word == "queue":
            found.touches = EVERYTHING
    return found


def expression_fragment(expression: Json, text: str, origin: Origin) -> Fragment:
    """A rule's statements in JSON."""
    found = Fragment(text, origin)
    for statement in expression if isinstance(expression, list) else [None]:
        _statement(statement, found)
    return found


def elements_fragment(elements: Json, text: str, origin: Origin) -> Fragment:
    """A declared set or map in JSON, which does what the verdicts in it do."""
    found = Fragment(text, origin)
    _verdicts(elements, found)
    return found


def _statement(statement: Json, found: Fragment) -> None:
    kind, body = only_entry(statement)
    match kind, body:
        case "jump" | "goto", {"target": str(target)}:
            found.jumps.add(target)
        case "mangle", {"key": key}:
            found.touches |= _SETS.get(_changed(key), EVERYTHING)
        case "vmap", {"data": data}:
            _verdicts(data, found)
        case "xt", {"type": "target", "name": str(target)}:
            found.touches |= _TARGETS.get(target, EVERYTHING)
        case "xt", {"type": "match"}:
            pass
        case _:
            found.touches |= _STATEMENTS.get(kind, EVERYTHING)
    found.containers.update(_references(body))


def only_entry(value: Json) -> tuple[str, Json]:
    """The key and value of an object that has one; an empty key for anything else."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, body),) = value.items()
        return key, body
    return "", None


def _changed(key: Json) -> tuple[str, str]:
    """What a `mangle` statement changes, in the words of nft's language."""
    match only_entry(key):
        case "meta" | "ct" as kind, {"key": str(name)}:
            return kind, name
        case "payload", {"protocol": str(protocol), "field": str(name)}:
            return protocol, name
        case "tcp option", {"name": str(option), "field": str(name)}:
            return option, name
    return "", ""


def _verdicts(data: Json, found: Fragment) -> None:
    if isinstance(data, dict):
        data = data.get("set")
    for element in data if isinstance(data, list) else ():
        match element:
            case [_, dict() as verdict]:
                _statement(verdict, found)


def _references(value: Json) -> Iterator[str]:
    """The sets and maps that are named anywhere within."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str) and current.startswith("@"):
            yield current[1:]
        elif isinstance(current, dict | list):
            waiting += current.values() if isinstance(current, dict) else current
