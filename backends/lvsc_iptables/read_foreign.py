"""What other people's rules may do to packets that lvsc cares for."""

from dataclasses import dataclass

from lvsc.plugin import Touch
from lvsc_iptables.read_lines import Rule, Table

#: A packet filter does everything but balance.
EVERYTHING = frozenset(Touch) - {Touch.BALANCE}
_NOTHING: frozenset[Touch] = frozenset()

_TOUCHES = {
    "ACCEPT": set(),
    "DROP": {Touch.FILTER},
    "REJECT": {Touch.FILTER},
    "MARK": {Touch.MARK},
    "CONNMARK": {Touch.MARK},
    "CONNSECMARK": set(),
    "TPROXY": {Touch.MARK, Touch.DESTINATION_NAT},
    "NOTRACK": {Touch.TRACKING},
    "CT": {Touch.TRACKING, Touch.HELPER},
    "SNAT": {Touch.SOURCE_NAT},
    "MASQUERADE": {Touch.SOURCE_NAT},
    "NETMAP": {Touch.SOURCE_NAT, Touch.DESTINATION_NAT},
    "DNAT": {Touch.DESTINATION_NAT},
    "REDIRECT": {Touch.DESTINATION_NAT},
    "LOG": set(),
    "NFLOG": set(),
    "ULOG": set(),
    "AUDIT": set(),
    "TRACE": set(),
    "CLASSIFY": set(),
    "CHECKSUM": set(),
    "DSCP": set(),
    "TOS": set(),
    "ECN": set(),
    "TTL": set(),
    "HL": set(),
    "TCPMSS": set(),
    "SECMARK": set(),
    "SET": set(),
    "RETURN": set(),
}
#: The targets after which a packet goes on to the next rule (iptables-extensions(8)).
_GO_ON = frozenset(_TOUCHES) - {
    "ACCEPT",
    "DROP",
    "REJECT",
    "RETURN",
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


@dataclass(frozen=True, slots=True)
class Jump:
    """Where a rule sends its packets."""

    target: str
    returns: bool
    """Whether packets come back from a chain."""
    always: bool
    """Whether it sends every packet."""


def jump_of(rule: Rule) -> Jump | None:
    """The rule's jump or target; None where it has none, or where it cannot be told."""
    words = rule.words
    always = True
    at = 0
    while at < len(words):
        if words[at] in ("-j", "-g", "--jump", "--goto"):
            if at + 1 == len(words):
                return None
            return Jump(words[at + 1], words[at] in ("-j", "--jump"), always)
        if words[at : at + 2] == ("-m", "comment") or words[at] == "--comment":
            at += 2
        else:
            always = False
            at += 1
    return None


def own_touches(table: Table) -> frozenset[Touch]:
    """What lvsc's chains in a table do."""
    return _OWN.get(table.name, EVERYTHING)


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
        jump = jump_of(rule)
        if jump is None:
            told = not any(word in ("-j", "-g", "--jump", "--goto") for word in rule.words)
            return Effect(_NOTHING, ends=False) if told else Effect(EVERYTHING, ends=True)
        if jump.target in self._table.chains:
            inner = self._chain(jump.target, stack)
            return Effect(inner.touches, inner.ends or not jump.returns)
        if jump.target == "CT" and "--helper" not in rule.words:
            return Effect(frozenset({Touch.TRACKING}), ends=False)
        if jump.target == "CT" and "--notrack" not in rule.words:
            return Effect(frozenset({Touch.HELPER}), ends=False)
        touches = _TOUCHES.get(jump.target)
        if touches is None:
            return Effect(EVERYTHING, ends=True)
        ends = jump.target not in _GO_ON
        if jump.target == "RETURN":
            # In a built-in chain the policy decides; elsewhere the packet goes on where it came from.
            ends = self.built_in(rule.chain)
            touches = {Touch.FILTER} if ends else touches
        return Effect(frozenset(touches), ends)

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
