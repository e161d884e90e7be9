"""Other people's rules in nft's language: what each does by itself."""

import re
from collections.abc import Sequence

from lvsc.plugin import Origin
from lvsc_nftables.read_foreign import Fragment
from lvsc_nftables.read_scope import Bound, condition_in, narrowed, of_family, of_protocol
from lvsc_nftables.read_touches import EVERYTHING, FILTER, MARK, SETS, STATEMENTS, TARGETS
from lvsc_nftables.read_words import Kind, Word

#: Words that do nothing to packets: conditions, their values, and what belongs to the statements.
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
            found.touch(TARGETS.get(word, EVERYTHING))
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
                found.touch(MARK if before[-1:] == ("mark",) else SETS.get(before, EVERYTHING))
        elif word == "reset" and before[-1:] != ("tcp",):
            # Without an option of its header a packet may be taken for another connection's.
            found.touch(EVERYTHING)
        elif word in ("xt", "target", "match") or before == ("xt", "match"):
            continue
        elif word == "dnat":
            found.send_to(*_end(texts[index + 1 : index + 4]))
        elif word in STATEMENTS:
            found.touch(STATEMENTS[word])
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
            found.touch(FILTER)
        elif word == "queue":
            found.touch(EVERYTHING)
    return found
