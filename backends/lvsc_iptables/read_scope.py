"""Which packets other people's rules may be for: what their conditions say as far as they are understood.

Conditions only ever narrow a rule, so reading stops at the first that says what is not understood, and what was read until
there bounds the rule from above.
"""

import re
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Network, IPv6Network, NetmaskValueError

from lvsc.plugin import Family, MarkGiven, Network, PortRange, Scope
from lvsc_iptables.read_lines import Rule
from lvsc_iptables.read_options import Condition, Parts

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
_KNOWN = frozenset({"ESTABLISHED", "RELATED"})
_STRANGE = frozenset({"NEW", "INVALID", "UNTRACKED"})
_PLAIN = frozenset({"--random", "--persistent"})
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,8}|0|[1-9][0-9]{0,9}")
#: A number with a zero before it is octal to iptables (xtables.c, xtables_strtoul).
_PORTS = re.compile(r"(0|[1-9][0-9]{0,4})(?::(0|[1-9][0-9]{0,4}))?")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")
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
    parts = rule.parts
    if parts is None:
        return Bound(scope, exact=False)
    exact = parts.complete
    try:
        for condition in parts.conditions:
            narrowed = None if condition.negated else _narrowed(scope, condition, family)
            if narrowed is None:
                exact = False
            else:
                scope = narrowed
    except _UnknownError:
        exact = False
    return Bound(scope, exact)


def marks_of(parts: Parts | None) -> tuple[MarkGiven, ...] | None:
    """The marks that a rule gives by MARK; None where any."""
    match parts:
        case Parts(target="MARK", options=("--set-mark" | "--set-xmark", value)):
            number, slash, mask = value.partition("/")
            if _NUMBER.fullmatch(number) and (not slash or _NUMBER.fullmatch(mask)):
                given = MarkGiven(int(number, 0), int(mask, 0) if slash else _WHOLE_MARK)
                # Bits outside of the mask are turned over, so nothing is sure of them.
                return (given,) if given.value & ~given.mask == 0 else None
    return None


def made_of(parts: Parts | None, bound: Bound) -> tuple[Scope, ...] | None:
    """What a rule makes of its packets by DNAT; None where anything."""
    match parts:
        case Parts(target="DNAT", options=("--to-destination", value, *options)) if _PLAIN.issuperset(
            options
        ):
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


def _narrowed(scope: Scope, condition: Condition, family: Family | None) -> Scope | None:
    """The scope with one condition more; None where the scope has no word for it.

    Raises:
        _UnknownError: What the condition says is not understood.
    """
    match condition.option, condition.values:
        case "-s", (value,):
            return replace(scope, sources=(_network(value, family),))
        case "-d", (value,):
            return replace(scope, destinations=(_network(value, family),))
        case "-p", (value,):
            return replace(scope, protocols=frozenset({_protocol(value)}))
        case ("--dport" | "--dports", (value,)) if scope.protocols & _PORTED and not scope.destination_ports:
            return replace(scope, destination_ports=tuple(map(_ports, value.split(","))))
        case ("--sport" | "--sports", (value,)) if scope.protocols & _PORTED and not scope.source_ports:
            return replace(scope, source_ports=tuple(map(_ports, value.split(","))))
        case ("--ctstate" | "--state", (value,)) if scope.known is None:
            states = set(value.split(","))
            if states == _KNOWN:
                return replace(scope, known=True)
            if states <= _STRANGE:
                return replace(scope, known=False)
    return None


def _protocol(value: str) -> int:
    if value in _PROTOCOLS:
        return _PROTOCOLS[value]
    if _NUMBER.fullmatch(value) and 0 < int(value, 0) <= 255:  # noqa: PLR2004 - a byte; 0 is every protocol
        return int(value, 0)
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
    """A network by the length of its prefix, as iptables-save prints it, or by an IPv4 mask that is nothing but a prefix."""
    mask = value.partition("/")[2]
    try:
        if family is Family.IPV4:
            network = IPv4Network(value, strict=False)
            if not mask or _LENGTH.fullmatch(mask) or mask == str(network.netmask):
                return network
        if family is Family.IPV6 and (not mask or _LENGTH.fullmatch(mask)):
            return IPv6Network(value, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        pass
    raise _UnknownError
