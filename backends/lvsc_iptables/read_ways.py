"""How packets come to the chains of one table, and which are accepted on the way."""

from collections.abc import Iterator, Mapping

from lvsc.plugin import Hook, Scope
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
        own_jumps: dict[str, int] = {}
        for rules in table.rules.values():
            for rule in rules:
                parts = rule.parts
                if parts is None or parts.target not in table.chains:
                    continue
                self._callers.setdefault(parts.target, []).append(rule)
                if parts.target.startswith("LVSC-") and parts.always and not parts.goes:
                    own_jumps.setdefault(rule.chain, rule.line)
        self._scopes: dict[str, tuple[Scope, ...]] = {}
        self._before: set[str] = set()
        self._hooks: dict[str, set[Hook]] = {}
        for name, hook in BUILT_IN.items():
            self._reach(name, hook)
        self._reach_before(own_jumps)

    def hooks(self, chain: str) -> frozenset[Hook] | None:
        """The hooks from which packets come to a chain; None where that is not known."""
        return frozenset(self._hooks.get(chain, ())) if self._whole else None

    def behind_own(self, chain: str) -> bool:
        """Whether packets come to a chain that is not built in only behind the jump to lvsc's chain."""
        return self._whole and chain in self._callers and chain not in self._before

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
            if hook not in hooks:
                hooks.add(hook)
                waiting += (target for target, _ in self._called(chain))

    def _reach_before(self, own_jumps: Mapping[str, int]) -> None:
        """Note the chains that packets come to before lvsc's, of which `own_jumps` has the first jump by its line."""
        waiting = [
            target
            for name in BUILT_IN
            for target, line in self._called(name)
            if name not in own_jumps or line < own_jumps[name]
        ]
        while waiting:
            chain = waiting.pop()
            if chain not in self._before:
                self._before.add(chain)
                waiting += (target for target, _ in self._called(chain))

    def _called(self, chain: str) -> Iterator[tuple[str, int]]:
        """The chains that a chain's rules lead to, each with the rule's line."""
        for rule in self._table.rules.get(chain, ()):
            if rule.parts is not None and rule.parts.target in self._table.chains:
                yield rule.parts.target, rule.line


class Accepted:
    """Packets that the rules of a chain accept one and all, unless one of them decides otherwise on them before."""

    def __init__(self, table: Table, called: dict[str, tuple[Scope, ...]], depth: int = 0) -> None:
        self._table = table
        self._called = called
        """The scopes of chains that have been gone through already; shared by those who ask about one table."""
        self._depth = depth
        self._over = False
        self.scopes: tuple[Scope, ...] = ()

    def add(self, rule: Rule) -> None:
        """The next rule of the chain."""
        parts = rule.parts
        if self._over or (parts is not None and not parts.target):
            return
        if parts is None or parts.target == "RETURN" or parts.goes:
            # Some packets may not come to what follows in the chain.
            self._over = True
        elif parts.target == "ACCEPT":
            bound = bound_of(rule, self._table.family)
            if bound.exact:
                self._more((bound.scope,))
        elif parts.target in self._table.chains and parts.always and self._depth < _MOST_WAYS:
            self._more(self._of(parts.target))

    def _of(self, chain: str) -> tuple[Scope, ...]:
        known = self._called.get(chain)
        if known is None:
            # Whoever comes back here on the way has a loop before him, of which the kernel knows none.
            self._called[chain] = ()
            inner = Accepted(self._table, self._called, self._depth + 1)
            for rule in self._table.rules.get(chain, ()):
                inner.add(rule)
            known = self._called[chain] = inner.scopes
        return known

    def _more(self, scopes: tuple[Scope, ...]) -> None:
        if len(self.scopes) < _MOST_ACCEPTS:
            self.scopes += scopes
