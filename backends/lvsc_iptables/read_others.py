"""Other people's rules of one table, each with the packets that it may touch."""

from lvsc.plugin import Foreign, Origin, Scope, Touch, shown
from lvsc_iptables.read_foreign import Effects, own_touches
from lvsc_iptables.read_lines import Rule, Table
from lvsc_iptables.read_options import Parts
from lvsc_iptables.read_scope import bound_of, made_of, marks_of
from lvsc_iptables.read_ways import BUILT_IN, Accepted, Ways

_FILTER = frozenset({Touch.FILTER})
#: Targets that give no mark, so that they touch marks only by keeping packets from lvsc's rules.
_NO_MARK = frozenset(
    {
        "ACCEPT",
        "DROP",
        "REJECT",
        "RETURN",
        "SNAT",
        "DNAT",
        "MASQUERADE",
        "REDIRECT",
        "NETMAP",
        "CT",
        "NOTRACK",
    }
)


class Others:
    """What a table does with packets beside lvsc's own chains."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.effects = Effects(table)
        self.ways = Ways(table)
        self.called: dict[str, tuple[Scope, ...]] = {}
        """What the chains that others call accept, of those that have been asked about."""

    def walk(self, chain: str) -> "Walk":
        """The rules of a chain, to be gone through in their order."""
        return Walk(self, chain)


class Walk:
    """The rules of one chain, one after the other."""

    def __init__(self, others: Others, chain: str) -> None:
        self._others = others
        self._table = others.table
        self._chain = chain
        self._hooks = others.ways.hooks(chain)
        self._accepted = Accepted(others.table, others.called)
        self.jumps = 0
        """How many jumps to lvsc's chains packets have met by now."""
        self.closed = False
        """Whether no packet comes further."""

    def foreign(self, host: str, origin: Origin, rule: Rule, *, before_own: bool) -> Foreign:
        """The next rule; `before_own` says whether a jump to lvsc's chains comes behind it."""
        table = self._table
        parts = rule.parts
        effect = self._others.effects.of(rule)
        touches = effect.touches
        calls = parts is not None and parts.target in table.chains
        built_in = self._chain in BUILT_IN
        passes_by = built_in and before_own and effect.ends and not self._only_lets_in(parts)
        if passes_by:
            touches |= own_touches(table)
        if built_in and before_own and effect.ends:
            self.closed = self.closed or (parts is not None and parts.always and not calls)
        bound = bound_of(rule, table.family)
        target = "" if parts is None else parts.target
        found = Foreign(
            host=host,
            text=rule.text,
            touches=touches,
            origin=origin,
            # What is saved in the connection may come back at another hook.
            hooks=None if parts is None or target in ("CONNMARK", "CONNSECMARK") else self._hooks,
            scopes=()
            if calls and not passes_by
            else tuple(bound.scope.within(outer) for outer in self._others.ways.scopes(self._chain)),
            spared=self._accepted.scopes,
            behind_accepts=self._behind_accepts(),
            marks=() if calls or target in _NO_MARK else marks_of(parts),
            made=made_of(parts, bound),
            unseen=_sets(rule),
            place=self._place(),
        )
        self._accepted.add(rule)
        return found

    def policy(self, host: str, origin: Origin, text: str) -> Foreign:
        """The policy of a built-in chain that keeps packets out, behind all rules."""
        return Foreign(
            host=host,
            text=text,
            touches=_FILTER,
            origin=origin,
            hooks=self._hooks,
            scopes=(Scope(family=self._table.family),),
            spared=self._accepted.scopes,
            behind_accepts=self._behind_accepts(),
            place=self._place(),
        )

    def _behind_accepts(self) -> bool:
        if self._table.name != "filter":
            return False
        return self.jumps > 0 if self._chain in BUILT_IN else self._others.ways.behind_own(self._chain)

    def _only_lets_in(self, parts: Parts | None) -> bool:
        """Whether a rule does what lvsc's own accepts do, or leads to rules of which each says what it does."""
        if self._table.name != "filter" or parts is None:
            return False
        return parts.target == "ACCEPT" or (parts.target in self._table.chains and not parts.goes)

    def _place(self) -> str:
        family = self._table.family
        return f"{'' if family is None else family.value} {self._table.name} {self._chain} {self.jumps}"


def _sets(rule: Rule) -> frozenset[str]:
    """The sets that a rule looks at; ipset(8) keeps them apart."""
    pairs = zip(rule.words, rule.words[1:], strict=False)
    return frozenset(shown(name) for option, name in pairs if option == "--match-set")
