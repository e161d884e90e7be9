"""Which packets other people's rules may be for: what their conditions say as far as they are understood.

nft goes through a rule from left to right, so the conditions that stand before everything else bound it from above.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from lvsc.plugin import Family, Hook, MarkGiven, Network, PortRange, Scope
from lvsc_nftables.read_model import Match
from lvsc_nftables.read_packets import WrongError, address, network, ports
from lvsc_nftables.read_words import Kind, Word

_WHOLE_MARK = 0xFFFFFFFF
#: With a zero before it, it would be octal to nft (scanner.l).
_NUMBER = re.compile(r"0|[1-9][0-9]{0,2}")
_FAMILIES = {"ip": Family.IPV4, "ip6": Family.IPV6}
_PROTOCOLS = {
    "icmp": 1,
    "tcp": 6,
    "udp": 17,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "vrrp": 112,
    "sctp": 132,
    "udplite": 136,
}
_FIELDS = frozenset(
    {
        *(f"{word} {name}" for word in ("ip", "ip6") for name in ("saddr", "daddr")),
        *(f"{word} {name}" for word in ("tcp", "udp", "sctp", "th") for name in ("sport", "dport")),
        *("meta l4proto", "meta iifname", "meta oifname", "ct state", "ct direction"),
    }
)
_KNOWN = frozenset({"established", "related"})
_STRANGE = frozenset({"new", "invalid", "untracked"})
#: Matches that say something which a scope has no word for.
_OTHERS = frozenset({"meta iifname", "meta oifname", "ct state", "ct direction"})


@dataclass(frozen=True, slots=True)
class Bound:
    """What is known of a rule's packets."""

    scope: Scope = field(default_factory=Scope)
    exact: bool = True
    """Whether the rule is for every packet of the scope."""


def of_family(table_family: str) -> Bound:
    """The packets that a table sees."""
    return Bound(Scope(family=_FAMILIES.get(table_family)))


def hook_of(table_family: str, name: str) -> frozenset[Hook] | None:
    """The hook of a base chain; None where it is none of the IP layer's."""
    of_ip = table_family in (*_FAMILIES, "inet")
    found = next((hook for hook in Hook if of_ip and hook.value == name), None)
    return None if found is None else frozenset({found})


def narrowed(bound: Bound, match: Match) -> Bound | None:
    """The bound with one condition more; None where the condition is not understood."""
    if len(match.fields) != 1 or any(len(value) != 1 for value in match.values):
        return None
    (name,) = match.fields
    values = tuple(value[0] for value in match.values)
    try:
        return _narrowed(bound, name, values)
    except WrongError:
        return None


def condition_in(words: Sequence[Word], at: int) -> tuple[Match | None, int]:
    """The condition that begins at a word, and where it ends; None where none begins there that is understood."""
    texts = [text for _, text, _, _ in words[at : at + 3]]
    if texts[:1] in (["iifname"], ["oifname"]):
        name, at = f"meta {texts[0]}", at + 1
    elif len(texts) > 1 and f"{texts[0]} {texts[1]}" in _FIELDS:
        name, at = f"{texts[0]} {texts[1]}", at + 2
    else:
        return None, at
    rest = words[at:]
    if rest and rest[0][:2] == (Kind.SIGN, "=="):
        rest, at = rest[1:], at + 1
    braced = bool(rest) and rest[0][:2] == (Kind.SIGN, "{")
    values: list[tuple[str, ...]] = []
    index = int(braced)
    while index < len(rest) and rest[index][0] in (Kind.WORD, Kind.STRING):
        values.append((rest[index][1],))
        index += 1
        if index < len(rest) and rest[index][:2] == (Kind.SIGN, ","):
            index += 1
            continue
        break
    if braced:
        if index == len(rest) or rest[index][:2] != (Kind.SIGN, "}"):
            return None, at
        index += 1
    following = rest[index][:2] if index < len(rest) else (Kind.END, "")
    if not values or following[0] is Kind.SIGN or following == (Kind.WORD, "."):
        return None, at
    return Match((name,), tuple(values)), at + index


def of_protocol(bound: Bound, word: str) -> Bound:
    """The bound of a rule that looks into a protocol's header, in which case packets are of that protocol."""
    number = {"icmp": 1, "icmpv6": 58, "igmp": 2, "esp": 50, "ah": 51}.get(word)
    if number is None or bound.scope.protocols:
        return bound
    return Bound(replace(bound.scope, protocols=frozenset({number})), exact=False)


def mark_given(value: str) -> tuple[MarkGiven, ...] | None:
    """The mark that `meta mark set` gives; None for any."""
    try:
        return (MarkGiven(int(value, 0), _WHOLE_MARK),)
    except ValueError:
        return None


def made(bound: Bound, to: str, port: str) -> tuple[Scope, ...] | None:
    """What `dnat to` an address and port makes of packets; None for anything."""
    family = Family.IPV6 if ":" in to else Family.IPV4
    try:
        address(to, family)
        given = (ports(port),) if port else bound.scope.destination_ports
        return (
            Scope(
                family=family,
                protocols=bound.scope.protocols,
                destinations=(network(to, family),),
                destination_ports=given,
            ),
        )
    except WrongError:
        return None


def _narrowed(bound: Bound, name: str, values: tuple[str, ...]) -> Bound:
    scope = bound.scope
    match name.split(" "):
        case "ip" | "ip6" as word, "saddr" if not scope.sources:
            family = _FAMILIES[word]
            return _with(bound, family=family, sources=_networks(values, family))
        case "ip" | "ip6" as word, "daddr" if not scope.destinations:
            family = _FAMILIES[word]
            return _with(bound, family=family, destinations=_networks(values, family))
        case "meta", "l4proto" if not scope.protocols:
            return _with(bound, protocols=frozenset(map(_protocol, values)))
        case "tcp" | "udp" | "sctp" | "th" as word, "dport" if not scope.destination_ports:
            return _with(bound, protocols=_ported(scope, word), destination_ports=_all(ports, values))
        case "tcp" | "udp" | "sctp" | "th" as word, "sport" if not scope.source_ports:
            return _with(bound, protocols=_ported(scope, word), source_ports=_all(ports, values))
        case "ct", "state" if frozenset(values) == _KNOWN:
            return _with(bound, known=True)
        case "ct", "state" if _STRANGE.issuperset(values):
            return replace(_with(bound, known=False), exact=False)
    if name in _OTHERS:
        return Bound(scope, exact=False)
    raise WrongError("no scope has a word for it")


def _with(bound: Bound, **conditions: object) -> Bound:
    family = conditions.get("family")
    if family is not None and bound.scope.family not in (None, family):
        raise WrongError("no packet is of two families")
    return Bound(replace(bound.scope, **conditions), bound.exact)  # type: ignore[arg-type]  # fields of a scope, by name


def _ported(scope: Scope, word: str) -> frozenset[int]:
    number = None if word == "th" else _PROTOCOLS[word]
    if number is None:
        if not scope.protocols:
            raise WrongError("ports of no protocol")
        return scope.protocols
    if scope.protocols and scope.protocols != {number}:
        raise WrongError("ports of another protocol")
    return frozenset({number})


def _protocol(value: str) -> int:
    if value in _PROTOCOLS:
        return _PROTOCOLS[value]
    if _NUMBER.fullmatch(value) and int(value) <= 255:  # noqa: PLR2004 - a byte
        return int(value)
    raise WrongError("no protocol")


def _networks(values: Iterable[str], family: Family) -> tuple[Network, ...]:
    return tuple(network(value, family) for value in values)


def _all(read: Callable[[str], PortRange], values: Iterable[str]) -> tuple[PortRange, ...]:
    return tuple(map(read, values))
