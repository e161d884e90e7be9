"""How packets come to the chains of one table, and which are accepted on the way."""

from lvsc.plugin import Hook, Scope
from lvsc_iptables.read_foreign import jump_of
from lvsc_iptables.read_lines import Rule, Table
from lvsc_iptables.read_scope import bound_of

BUILT_IN = {
    "PREROUTING": Hook.PREROUTING,
    "INPUT": Hook.INPUT,
    "FORWARD": Hook.FORWARD,
    "OUTPUT": Hook.OUTPUT,
    "POSTROUTING": Hook.POSTROUTING,
}
_EVERY_PACKET = (Scope(),)
#: More ways or accepts than these are not followed: fewer ways would be wrong, so it is every packet; fewer accepts are only less.
_MOST_WAYS, _MOST_ACCEPTS = 16, 256


class Ways:
    """The ways through a table, from above: every packet that comes to a chain comes by one of them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        # Without the built-in chains nothing says from where the others are called.
        self._whole = any(chain.policy != "-" for chain in table.chains.values())
        self._callers: dict[str, list[Rule]] = {}
        self._own_jumps: dict[str, list[int]] = {}
        for rules in table.rules.values():
            for rule in rules:
                jump = jump_of(rule)
                if jump is None or jump.target not in table.chains:
                    continue
                self._callers.setdefault(jump.target, []).append(rule)
                if jump.target.startswith("LVSC-") and jump.always and jump.returns:
                    self._own_jumps.setdefault(rule.chain, []).append(rule.line)
        self._scopes: dict[str, tuple[Scope, ...]] = {}
        self._behind: dict[str, bool] = {}
        self._hooks: dict[str, set[Hook]] = {}
        for name, hook in BUILT_IN.items():
            self._reach(name, hook)

    def hooks(self, chain: str) -> frozenset[Hook] | None:
        """The hooks from which packets come to a chain; None where that is not known."""
        return frozenset(self._hooks.get(chain, ())) if self._whole else None

    def behind_own(self, chain: str) -> bool:
        """Whether packets come to a chain that is not built in only behind the jump to lvsc's chain."""
        known = self._behind.get(chain)
        if known is None:
            self._behind[chain] = False
            callers = self._callers.get(chain, ())
            known = self._behind[chain] = self._whole and bool(callers) and all(map(self._is_behind, callers))
        return known

    def _is_behind(self, rule: Rule) -> bool:
        if rule.chain not in BUILT_IN:
            return self.behind_own(rule.chain)
        return any(line < rule.line for line in self._own_jumps.get(rule.chain, ()))

    def scopes(self, chain: str, depth: int = 0) -> tuple[Scope, ...]:
        """Packets among which are all that come to a chain."""
        if chain in BUILT_IN or not self._whole or depth > _MOST_WAYS:
            return _EVERY_PACKET
        known = self._scopes.get(chain)
        if known is None:
            # Whoever comes back here on the way has a loop before him, of which the kernel knows none.
            self._scopes[chain] = _EVERY_PACKET
            found = dict.fromkeys(
                bound_of(rule, self._table.family).scope.within(outer)
                for rule in self._callers.get(chain, ())
                for outer in self.scopes(rule.chain, depth + 1)
            )
            known = self._scopes[chain] = tuple(found) if len(found) <= _MOST_WAYS else _EVERY_PACKET
        return known

    def _reach(self, name: str, hook: Hook) -> None:
        waiting = [name]
        while waiting:
            chain = waiting.pop()
            hooks = self._hooks.setdefault(chain, set())
            if hook in hooks:
                continue
            hooks.add(hook)
            for rule in self._table.rules.get(chain, ()):
                jump = jump_of(rule)
                if jump is not None and jump.target in self._table.chains:
                    waiting.append(jump.target)


class Accepted:
    """Packets that the rules of a chain accept one and all, unless one of them decides otherwise on them before."""

    def __init__(self, table: Table, depth: int = 0) -> None:
        self._table = table
        self._depth = depth
        self._over = False
        self.scopes: tuple[Scope, ...] = ()

    def add(self, rule: Rule) -> None:
        """The next rule of the chain."""
        jump = jump_of(rule)
        if jump is None or self._over:
            return
        inner = self._table.rules.get(jump.target, ()) if jump.target in self._table.chains else None
        if jump.target == "RETURN" or (inner is not None and not jump.returns):
            # Some packets do not come to what follows in the chain.
            self._over = True
        elif jump.target == "ACCEPT":
            bound = bound_of(rule, self._table.family)
            if bound.exact:
                self._more((bound.scope,))
        elif inner is not None and jump.always and self._depth < _MOST_WAYS:
            called = Accepted(self._table, self._depth + 1)
            for each in inner:
                called.add(each)
            self._more(called.scopes)

    def _more(self, scopes: tuple[Scope, ...]) -> None:
        if len(self.scopes) < _MOST_ACCEPTS:
            self.scopes += scopes
