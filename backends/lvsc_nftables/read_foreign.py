"""What other people's rules may do to packets that lvsc cares for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lvsc.plugin import Hook, MarkGiven, Origin, Scope, Touch
from lvsc_nftables.read_model import Match
from lvsc_nftables.read_scope import Bound, condition_in, made, mark_given, narrowed, of_family, of_protocol
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
    "accept": NOTHING,
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
    # With --map-set it marks, and the listing does not say.
    "SET": _MARK,
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
    ("meta", "priority"): NOTHING,
    ("meta", "nftrace"): NOTHING,
    # A security module may refuse by it.
    ("ct", "secmark"): _FILTER,
    ("meta", "secmark"): _FILTER,
    # Routes are chosen by it (ip-rule(8)), and anew where a chain of type route changes it (nft_chain_route.c).
    ("ip", "dscp"): _FILTER,
    ("ip6", "dscp"): _FILTER,
    # A packet that lives for fewer hops does not arrive.
    ("ip", "ttl"): _FILTER,
    ("ip6", "hoplimit"): _FILTER,
    # It only ever makes segments smaller (nft_exthdr.c).
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

#: The words of a rule that is a jump.
_JUMP = 2
_TO = re.compile(
    r"(?:([0-9.]+)|\[([0-9a-fA-F:.]+)\]|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::([0-9]{1,5}))?"
)


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
    filled: bool = False
    """Whether it is a set or map with elements."""
    bound: Bound = field(default_factory=Bound)
    """The packets that it may be for."""
    accepts: bool = False
    """Whether it accepts every packet of the bound's scope."""
    leaves: bool = False
    """Whether packets may go on elsewhere than at the next rule, though none of its statements is known to decide on them."""
    calls_all: bool = False
    """Whether it does nothing but send every packet to a chain, from which they come back."""
    marks: tuple[MarkGiven, ...] | None = ()
    made: tuple[Scope, ...] | None = ()

    def touch(self, touches: frozenset[Touch]) -> None:
        """Note what it does, in a way that is not known more closely."""
        self.touches |= touches
        if Touch.MARK in touches:
            self.marks = None
        if Touch.DESTINATION_NAT in touches:
            self.made = None

    def set_mark(self, value: str) -> None:
        """Note that it sets the mark."""
        given = mark_given(value)
        self.touches |= _MARK
        self.marks = None if self.marks is None or given is None else (*self.marks, *given)

    def send_to(self, address: str, port: str) -> None:
        """Note that it sets the destination."""
        given = made(self.bound, address, port)
        self.touches |= _DESTINATION
        self.made = None if self.made is None or given is None else (*self.made, *given)


@dataclass(slots=True)
class ForeignTable:
    """A table that is not lvsc's."""

    family: str = ""
    name: str = ""
    bases: dict[str, frozenset[Hook] | None] = field(default_factory=dict)
    """The hook of each base chain; None for one that is not of the IP layer."""
    heads: dict[str, Fragment] = field(default_factory=dict)
    """What each chain says of itself."""
    chains: dict[str, list[Fragment]] = field(default_factory=dict)
    containers: dict[str, Fragment] = field(default_factory=dict)
    rest: list[Fragment] = field(default_factory=list)


class Reach:
    """What fragments do with all that they lead to."""

    def __init__(self, table: ForeignTable) -> None:
        parts = dict(table.chains)
        parts |= {f"@{name}": [container] for name, container in table.containers.items()}
        self._known: dict[str, frozenset[Touch]] = {}
        led_from: dict[str, list[str]] = {}
        for name, fragments in parts.items():
            self._known[name] = frozenset[Touch]().union(*(fragment.touches for fragment in fragments))
            for other in set[str]().union(*map(leads_to, fragments)):
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
        """What it touches, with what it leads to."""
        return fragment.touches.union(*(self._known.get(name, EVERYTHING) for name in leads_to(fragment)))


def leads_to(fragment: Fragment) -> set[str]:
    """The chains, and the sets and maps with an `@`."""
    return fragment.jumps | {f"@{name}" for name in fragment.containers}


def words_fragment(words: Sequence[Word], text: str, origin: Origin, family: str) -> Fragment:
    """A rule in nft's language. A word that is not known may do everything."""
    found = Fragment(text, origin)
    texts = [word for _, word, _, _ in words]
    found.bound, rest = _conditions(words, of_family(family))
    found.accepts = found.bound.exact and _only_accepts(texts[rest:])
    found.leaves = not {"goto", "return", "vmap"}.isdisjoint(texts)
    found.calls_all = texts[:1] == ["jump"] and len(texts) == _JUMP
    for index, (kind, word, _, _) in enumerate(words):
        before = tuple(texts[max(index - 2, 0) : index])
        if before == ("xt", "target"):
            found.touch(_TARGETS.get(word, EVERYTHING))
        elif kind in (Kind.STRING, Kind.SIGN, Kind.END):
            continue
        elif kind is not Kind.WORD:
            found.touch(EVERYTHING)
        elif word in ("jump", "goto"):
            found.jumps.update(texts[index + 1 : index + 2])
        elif before[-1:] in (("jump",), ("goto",)) or before == ("ct", "status"):
            continue
        elif word == "set" and index:
            if before == ("meta", "mark"):
                found.set_mark("".join(texts[index + 1 : index + 2]))
            else:
                found.touch(_MARK if before[-1:] == ("mark",) else _SETS.get(before, EVERYTHING))
        elif word == "reset" and before[-1:] != ("tcp",):
            # Without an option of its header a packet may be taken for another connection's.
            found.touch(EVERYTHING)
        elif word in ("xt", "target", "match") or before == ("xt", "match"):
            continue
        elif word == "dnat":
            found.send_to(*_end(texts[index + 1 : index + 4]))
        elif word in _STATEMENTS:
            found.touch(_STATEMENTS[word])
        elif word.startswith("@"):
            found.containers.add(word[1:])
        elif word not in _QUIET and not _VALUE.fullmatch(word):
            found.touch(EVERYTHING)
    found.leaves = found.leaves or found.touches >= EVERYTHING
    return found


def _conditions(words: Sequence[Word], bound: Bound) -> tuple[Bound, int]:
    """What the conditions at a rule's beginning say, and where they end."""
    at = 0
    while True:
        match, end = condition_in(words, at)
        more = None if match is None else narrowed(bound, match)
        if more is None:
            return (of_protocol(bound, words[at][1]) if at < len(words) else bound), at
        bound, at = more, end


def _only_accepts(texts: Sequence[str]) -> bool:
    """Whether nothing but a verdict is behind the conditions, or what does nothing to packets."""
    at = 0
    if texts[:1] == ["counter"]:
        at = 5 if texts[1:2] == ["packets"] else 1
    return texts[at : at + 1] == ["accept"] and texts[at + 1 : at + 2] in ([], ["comment"])


def _end(texts: Sequence[str]) -> tuple[str, str]:
    """The address and port behind `dnat`; empty where they are not plain."""
    texts = [text for text in texts if text not in ("ip", "ip6")]
    if texts[:1] != ["to"]:
        return "", ""
    found = _TO.fullmatch("".join(texts[1:2]))
    return ("", "") if found is None else (found[1] or found[2] or found[3], found[4] or "")


def declared(words: Sequence[Word], text: str, origin: Origin) -> Fragment:
    """A set, map or other object in nft's language, which does what the verdicts in it do."""
    texts = [word for _, word, _, _ in words]
    found = Fragment(text, origin, filled="elements" in texts)
    for word, following in zip(texts, [*texts[1:], ""], strict=True):
        if word in ("jump", "goto"):
            found.jumps.add(following)
        elif word == "drop":
            found.touch(_FILTER)
        elif word == "queue":
            found.touch(EVERYTHING)
    return found


def expression_fragment(
    expression: Json, text: str, origin: Origin, conditions: Sequence[Match], family: str
) -> Fragment:
    """A rule's statements in JSON, of which the first are these conditions."""
    found = Fragment(text, origin, bound=of_family(family))
    statements = expression if isinstance(expression, list) else [None]
    read = 0
    for match in conditions:
        more = narrowed(found.bound, match)
        if more is None:
            break
        found.bound = more
        read += 1
    rest = [only_entry(statement) for statement in statements[read:]]
    if rest[:1]:
        found.bound = _looked_into(found.bound, *rest[0])
    kinds = [kind for kind, _ in rest if kind != "counter"]
    found.accepts = found.bound.exact and kinds == ["accept"]
    found.leaves = not {"goto", "return", "vmap"}.isdisjoint(kinds)
    found.calls_all = [kind for kind, _ in map(only_entry, statements)] == ["jump"]
    for statement in statements:
        _statement(statement, found)
    found.leaves = found.leaves or found.touches >= EVERYTHING
    return found


def _looked_into(bound: Bound, kind: str, body: Json) -> Bound:
    match kind, body:
        case "match", {"left": {"payload": {"protocol": str(protocol)}}}:
            return of_protocol(bound, protocol)
    return bound


def elements_fragment(elements: Json, text: str, origin: Origin) -> Fragment:
    """A declared set or map in JSON, which does what the verdicts in it do."""
    found = Fragment(text, origin, filled=bool(elements))
    _verdicts(elements, found)
    return found


def _statement(statement: Json, found: Fragment) -> None:
    kind, body = only_entry(statement)
    match kind, body:
        case "jump" | "goto", {"target": str(target)}:
            found.jumps.add(target)
        case "mangle", {"key": {"meta": {"key": "mark"}}, "value": int() | str() as value}:
            found.set_mark(str(value))
        case "mangle", {"key": key}:
            found.touch(_SETS.get(_changed(key), EVERYTHING))
        case "dnat", {"addr": str(address), **rest}:
            port = rest.get("port", "")
            found.send_to(address if isinstance(port, int | str) else "", str(port))
        case "vmap", {"data": data}:
            _verdicts(data, found)
        case "xt", {"type": "target", "name": str(target)}:
            found.touch(_TARGETS.get(target, EVERYTHING))
        case "xt", {"type": "match"}:
            pass
        case _:
            found.touch(_STATEMENTS.get(kind, EVERYTHING))
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
