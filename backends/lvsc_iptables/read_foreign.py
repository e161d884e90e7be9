"""What other people's rules may do to packets that lvsc cares for."""

from dataclasses import dataclass

from lvsc.plugin import Touch
from lvsc_iptables.read_lines import Rule, Table
from lvsc_iptables.read_options import Parts

#: A packet filter does everything but balance.
EVERYTHING = frozenset(Touch) - {Touch.BALANCE}
_NOTHING: frozenset[Touch] = frozenset()

_FILTER = frozenset({Touch.FILTER})
_MARK = frozenset({Touch.MARK})
_TRACKING = frozenset({Touch.TRACKING})
_HELPER = frozenset({Touch.HELPER})
_SOURCE = frozenset({Touch.SOURCE_NAT})
_DESTINATION = frozenset({Touch.DESTINATION_NAT})
#: What targets do (iptables-extensions(8)). One that is not here may do everything.
_TOUCHES = {
    "DROP": _FILTER,
    "REJECT": _FILTER,
    # A packet that lives for fewer hops does not arrive.
    "TTL": _FILTER,
    "HL": _FILTER,
    # Routes are chosen by the type of service (ip-rule(8)), and anew where a rule at OUTPUT changes it (iptable_mangle.c).
    "TOS": _FILTER,
    "DSCP": _FILTER,
    "ECN": _FILTER,
    # A security module may refuse by it.
    "SECMARK": _FILTER,
    "CONNSECMARK": _FILTER,
    "MARK": _MARK,
    "CONNMARK": _MARK,
    "TPROXY": _MARK | _DESTINATION,
    "NOTRACK": _TRACKING,
    "CT": _TRACKING | _HELPER,
    "SNAT": _SOURCE,
    "MASQUERADE": _SOURCE,
    "NETMAP": _SOURCE | _DESTINATION,
    "DNAT": _DESTINATION,
    "REDIRECT": _DESTINATION,
    # With --map-set it marks.
    "SET": _MARK,
    # They let in, tell, choose a queue, or fill in what is missing; TCPMSS only ever makes segments smaller (xt_TCPMSS.c).
    "ACCEPT": _NOTHING,
    "LOG": _NOTHING,
    "NFLOG": _NOTHING,
    "ULOG": _NOTHING,
    "AUDIT": _NOTHING,
    "TRACE": _NOTHING,
    "CLASSIFY": _NOTHING,
    "CHECKSUM": _NOTHING,
    "TCPMSS": _NOTHING,
}
#: The targets after which a packet goes on to the next rule (iptables-extensions(8)).
_GO_ON = frozenset(_TOUCHES) - {
    "ACCEPT",
    "DROP",
    "REJECT",
    "TPROXY",
    "SNAT",
    "MASQUERADE",
    "NETMAP",
    "DNAT",
    "REDIRECT",
}
#: What lvsc's own chains do in a table.
_OWN = {
    "raw": frozenset({Touch.TRACKING, Touch.HELPER}),
    "mangle": frozenset({Touch.MARK}),
    "nat": frozenset({Touch.SOURCE_NAT}),
    "filter": frozenset({Touch.FILTER}),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a rule may do."""

    touches: frozenset[Touch]
    ends: bool
    """Whether packets may go no further in the built-in chain."""


def own_touches(table: Table) -> frozenset[Touch]:
    """What lvsc's chains in a table do."""
    return _OWN.get(table.name, EVERYTHING)


def _touches(parts: Parts) -> frozenset[Touch]:
    """What a target does with what is said to it."""
    match parts.target, parts.options:
        case "CT", ("--helper", _) if parts.complete:
            return _HELPER
        case "CT", tuple(options) if "--helper" not in options:
            return _TRACKING
        case "SET", tuple(options) if options:
            return _NOTHING
    return _TOUCHES.get(parts.target, EVERYTHING)


class Effects:
    """The effects of the rules of one table, through its chains."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._chains: dict[str, Effect] = {}

    def of(self, rule: Rule) -> Effect:
        """What a rule may do, with all that the chains do which it leads to."""
        stack = [rule.chain]
        return self._rule(rule, stack)

    def _rule(self, rule: Rule, stack: list[str]) -> Effect:
        parts = rule.parts
        if parts is None:
            return Effect(EVERYTHING, ends=True)
        if not parts.target:
            return Effect(_NOTHING, ends=False)
        if parts.target in self._table.chains:
            inner = self._chain(parts.target, stack)
            return Effect(inner.touches, inner.ends or parts.goes)
        if parts.target == "RETURN":
            # In a built-in chain the policy decides; elsewhere the packet goes on where it came from.
            ends = self.built_in(rule.chain)
            return Effect(_FILTER if ends else _NOTHING, ends)
        return Effect(_touches(parts), parts.target not in _GO_ON)

    def built_in(self, name: str) -> bool:
        """Whether the kernel calls the chain itself."""
        chain = self._table.chains.get(name)
        return chain is None or chain.policy != "-"

    def _chain(self, name: str, stack: list[str]) -> Effect:
        known = self._chains.get(name)
        if known is not None:
            return known
        if name in stack or len(stack) > 50:  # noqa: PLR2004 - no real packet filter is as deep
            return Effect(EVERYTHING, ends=True)
        if name.startswith("LVSC-"):
            return Effect(own_touches(self._table), ends=True)
        touches: set[Touch] = set()
        ends = False
        for rule in self._table.rules.get(name, ()):
            effect = self._rule(rule, [*stack, name])
            touches |= effect.touches
            ends = ends or effect.ends
        found = self._chains[name] = Effect(frozenset(touches), ends)
        return found
