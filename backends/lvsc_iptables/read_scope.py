"""Which packets other people's rules may be for: what their conditions say as far as they are understood.

Conditions only ever narrow a rule, so reading stops at the first that is not understood, and what was read until there
bounds the rule from above.
"""

import re
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Network, IPv6Network, NetmaskValueError

from lvsc.plugin import Family, MarkGiven, Network, PortRange, Scope
from lvsc_iptables.read_lines import Rule

_WHOLE_MARK = 0xFFFFFFFF
#: As iptables-save prints them; others it prints as numbers (xshared.c, proto_to_name).
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
_PORTED = frozenset({6, 17, 132, 136})
#: Matches whose options are followed, or known to have one value each.
_MODULES = frozenset(
    "tcp udp sctp icmp icmp6 multiport comment conntrack state addrtype limit mark mac".split()  # noqa: SIM905 - shorter
)
#: Options with one value that say something which a scope has no word for.
_OTHERS = frozenset(
    """
    -i -o --ctstate --state --dst-type --src-type --limit --limit-burst --icmp-type --icmpv6-type --mark --mac-source
    """.split()  # noqa: SIM905 - likewise
)
_KNOWN = frozenset({"ESTABLISHED", "RELATED"})
_STRANGE = frozenset({"NEW", "INVALID", "UNTRACKED"})
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,8}|0|[1-9][0-9]{0,9}")
_PORTS = re.compile(r"([0-9]{1,5})(?::([0-9]{1,5}))?")
_END = re.compile(
    r"(?:([0-9.]+)|\[([0-9a-fA-F:.]+)\]|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::([0-9]{1,5}))?"
)


@dataclass(frozen=True, slots=True)
class Bound:
    """What is known of a rule's packets."""

    scope: Scope
    exact: bool
    """Whether the rule is for every packet of the scope."""


class _UnknownError(Exception):
    """A condition that is not understood."""


def bound_of(rule: Rule, family: Family | None) -> Bound:
    """The packets that a rule may be for."""
    scope = Scope(family=family)
    words = rule.words
    at = 0
    exact = True
    try:
        while at < len(words) and words[at] not in ("-j", "-g"):
            negated = words[at] == "!"
            option, value, *_ = (*words[at + negated :], "", "")
            narrowed = _narrowed(scope, option, value, family)
            if negated or narrowed is None:
                exact = False
            else:
                scope = narrowed
            at += 2 + negated
    except _UnknownError:
        exact = False
    return Bound(scope, exact)


def marks_of(rule: Rule) -> tuple[MarkGiven, ...] | None:
    """The marks that a MARK rule gives; None where any."""
    match _behind_target(rule):
        case ("MARK", "--set-mark" | "--set-xmark", value):
            number, slash, mask = value.partition("/")
            if _NUMBER.fullmatch(number) and (not slash or _NUMBER.fullmatch(mask)):
                given = MarkGiven(int(number, 0), int(mask, 0) if slash else _WHOLE_MARK)
                # Bits outside of the mask are turned over, so nothing is sure of them.
                return (given,) if given.value & ~given.mask == 0 else None
    return None


def made_of(rule: Rule, bound: Bound) -> tuple[Scope, ...] | None:
    """What a DNAT rule makes of its packets; None where anything."""
    match _behind_target(rule):
        case ("DNAT", "--to-destination", value, *options) if set(options) <= {"--random", "--persistent"}:
            found = _END.fullmatch(value)
            if found is None:
                return None
            try:
                to = _network(found[1] or found[2] or found[3], bound.scope.family)
                ports = (_ports(found[4]),) if found[4] else bound.scope.destination_ports
            except _UnknownError:
                return None
            return (
                Scope(
                    family=bound.scope.family,
                    protocols=bound.scope.protocols,
                    destinations=(to,),
                    destination_ports=ports,
                ),
            )
    return None


def _behind_target(rule: Rule) -> tuple[str, ...]:
    words = rule.words
    return words[words.index("-j") + 1 :] if "-j" in words else ()


def _narrowed(scope: Scope, option: str, value: str, family: Family | None) -> Scope | None:
    """The scope with one condition more; None where the scope has no word for it.

    Raises:
        _UnknownError: Nothing says how many words the condition has.
    """
    match option:
        case "-s":
            return replace(scope, sources=(_network(value, family),))
        case "-d":
            return replace(scope, destinations=(_network(value, family),))
        case "-p":
            return replace(scope, protocols=frozenset({_protocol(value)}))
        case "-m" if value in _MODULES:
            return scope
        case "--comment":
            return scope
        case "--dport" | "--dports" if scope.protocols & _PORTED and not scope.destination_ports:
            return replace(scope, destination_ports=tuple(map(_ports, value.split(","))))
        case "--sport" | "--sports" if scope.protocols & _PORTED and not scope.source_ports:
            return replace(scope, source_ports=tuple(map(_ports, value.split(","))))
        case "--ctstate" | "--state" if set(value.split(",")) == _KNOWN:
            return replace(scope, known=True)
        case "--ctstate" | "--state" if _STRANGE.issuperset(value.split(",")):
            return replace(scope, known=False)
    if option in _OTHERS:
        return None
    raise _UnknownError


def _protocol(value: str) -> int:
    if value in _PROTOCOLS:
        return _PROTOCOLS[value]
    if value.isascii() and value.isdigit() and 0 < int(value) <= 255:  # noqa: PLR2004 - a byte; 0 is every protocol
        return int(value)
    raise _UnknownError


def _ports(value: str) -> PortRange:
    found = _PORTS.fullmatch(value)
    if found is not None:
        try:
            return PortRange(int(found[1]), int(found[2] or found[1]))
        except ValueError:
            pass
    raise _UnknownError


def _network(value: str, family: Family | None) -> Network:
    """A network as iptables-save prints it, with the length of its prefix."""
    try:
        if family is Family.IPV4:
            return IPv4Network(value, strict=False)
        if family is Family.IPV6:
            return IPv6Network(value, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        pass
    raise _UnknownError
