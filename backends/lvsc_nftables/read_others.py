"""Other people's tables: each fragment with the packets that it may touch."""

from collections.abc import Iterable, Iterator

from lvsc.plugin import Foreign, Hook, Scope, Touch
from lvsc_nftables.read_foreign import ForeignTable, Fragment, Reach, leads_to
from lvsc_nftables.read_scope import of_family

_EVERY_PACKET = (Scope(),)
#: More ways or accepts than these are not followed: fewer ways would be wrong, so it is every packet; fewer accepts are only less.
_MOST_WAYS, _MOST_ACCEPTS = 16, 256


def foreign_of(host: str, table: ForeignTable) -> Iterator[Foreign]:
    """What is in a table, each with all that it may do through the chains, sets and maps that it names."""
    return _Table(host, table).fragments()


class _Table:
    def __init__(self, host: str, table: ForeignTable) -> None:
        self._host = host
        self._table = table
        self._reach = Reach(table)
        self._users: dict[str, list[tuple[str, Fragment]]] = {}
        for chain, fragments in table.chains.items():
            for fragment in fragments:
                for name in leads_to(fragment):
                    self._users.setdefault(name, []).append((chain, fragment))
        for name, container in table.containers.items():
            for target in container.jumps:
                self._users.setdefault(target, []).extend(self._users.get(f"@{name}", ()))
        self._scopes: dict[str, tuple[Scope, ...]] = {}
        self._hooks: dict[str, frozenset[Hook] | None] = dict(table.bases)
        self._spread_hooks()

    def fragments(self) -> Iterator[Foreign]:
        called: dict[str, tuple[Scope, ...]] = {}
        for chain, fragments in self._table.chains.items():
            accepted = _Accepted(self._table, called)
            for fragment in fragments:
                yield self._foreign(fragment, chain, accepted.scopes)
                accepted.add(fragment)
            if chain in self._table.heads:
                yield self._head(chain, accepted.scopes)
        for fragment in self._table.rest:
            yield self._beside(fragment, self._reach.of(fragment), _EVERY_PACKET)
        for name, container in self._table.containers.items():
            users = self._users.get(f"@{name}", [])
            # A set does nothing, but whether rules that name it do depends on what is in it.
            touches = self._reach.of(container).union(*(self._reach.of(user) for _, user in users))
            yield self._beside(container, touches, self._used_for(users) if users else _EVERY_PACKET)

    def _foreign(self, fragment: Fragment, chain: str, spared: tuple[Scope, ...]) -> Foreign:
        touches = self._reach.of(fragment)
        hooks = self._hooks.get(chain)
        told = self._only_leads(fragment)
        # What is saved in the connection may come back at another hook.
        free = Touch.MARK in fragment.touches and fragment.marks is None
        return Foreign(
            host=self._host,
            text=fragment.text,
            touches=touches,
            origin=fragment.origin,
            hooks=None if free else hooks,
            scopes=self._within(fragment, chain)
            if fragment.touches or not self._only_leads(fragment)
            else (),
            spared=spared,
            marks=fragment.marks if told else None,
            made=fragment.made if told else None,
            unseen=frozenset(self._unseen(fragment)),
            place=self._place(chain, touches),
        )

    def _head(self, chain: str, spared: tuple[Scope, ...]) -> Foreign:
        head = self._table.heads[chain]
        return Foreign(
            host=self._host,
            text=head.text,
            touches=head.touches,
            origin=head.origin,
            hooks=self._hooks.get(chain),
            scopes=(of_family(self._table.family).scope,),
            spared=spared,
            place=self._place(chain, head.touches),
        )

    def _beside(self, fragment: Fragment, touches: frozenset[Touch], scopes: tuple[Scope, ...]) -> Foreign:
        return Foreign(
            host=self._host,
            text=fragment.text,
            touches=touches,
            origin=fragment.origin,
            scopes=scopes,
            place=self._place("", touches),
        )

    def _unseen(self, fragment: Fragment) -> Iterator[str]:
        """The sets that it looks at, of which the text shows no elements: there are none, or `nft -t` left them out."""
        for name in fragment.containers:
            container = self._table.containers.get(name)
            if container is None or not container.filled:
                yield name

    def _only_leads(self, fragment: Fragment) -> bool:
        """Whether what it leads to is there and says all that it does."""
        table = self._table
        return fragment.jumps <= table.chains.keys() and fragment.containers <= table.containers.keys()

    def _place(self, chain: str, touches: frozenset[Touch]) -> str:
        # Packets are kept out in whatever order of the tables; of other chains with one priority the order is not told.
        if touches <= {Touch.FILTER}:
            return f"{self._table.family} {self._table.name} {chain}"
        return ""

    # --- the ways ----------------------------------------------------------------------------------------------------

    def _within(self, fragment: Fragment, chain: str) -> tuple[Scope, ...]:
        return tuple(fragment.bound.scope.within(outer) for outer in self._ways(chain))

    def _ways(self, chain: str, depth: int = 0) -> tuple[Scope, ...]:
        """Packets among which are all that come to a chain."""
        users = self._users.get(chain)
        if chain in self._table.bases or not users or depth > _MOST_WAYS:
            return _EVERY_PACKET
        known = self._scopes.get(chain)
        if known is None:
            # Whoever comes back here on the way has a loop before him, of which the kernel knows none.
            self._scopes[chain] = _EVERY_PACKET
            known = self._scopes[chain] = self._used_for(users, depth + 1)
        return known

    def _used_for(self, users: Iterable[tuple[str, Fragment]], depth: int = 0) -> tuple[Scope, ...]:
        found = dict.fromkeys(
            fragment.bound.scope.within(outer)
            for chain, fragment in users
            for outer in self._ways(chain, depth)
        )
        return tuple(found) if len(found) <= _MOST_WAYS else _EVERY_PACKET

    def _spread_hooks(self) -> None:
        """Hand the hooks of base chains on to the chains that they lead to."""
        leads: dict[str, set[str]] = {}
        for name, users in self._users.items():
            for chain, _ in users:
                leads.setdefault(chain, set()).add(name)
        waiting = list(self._table.bases)
        while waiting:
            chain = waiting.pop()
            hooks = self._hooks[chain]
            for name in leads.get(chain, ()):
                before = self._hooks.get(name, frozenset())
                after = None if before is None or hooks is None else before | hooks
                if name not in self._hooks or after != before:
                    self._hooks[name] = after
                    waiting.append(name)


class _Accepted:
    """Packets that the rules of a chain accept one and all, unless one of them decides otherwise on them before."""

    def __init__(self, table: ForeignTable, called: dict[str, tuple[Scope, ...]], depth: int = 0) -> None:
        self._table = table
        self._called = called
        """The scopes of chains that have been gone through already; shared by those who ask about one table."""
        self._depth = depth
        self._over = False
        self.scopes: tuple[Scope, ...] = ()

    def add(self, fragment: Fragment) -> None:
        """The next rule of the chain."""
        if self._over or len(self.scopes) >= _MOST_ACCEPTS:
            return
        if fragment.leaves:
            # Some packets do not come to what follows in the chain.
            self._over = True
        elif fragment.accepts:
            self.scopes += (fragment.bound.scope,)
        elif fragment.calls_all and self._depth < _MOST_WAYS:
            for name in fragment.jumps:
                self.scopes += self._of(name)

    def _of(self, chain: str) -> tuple[Scope, ...]:
        known = self._called.get(chain)
        if known is None:
            # Whoever comes back here on the way has a loop before him, of which the kernel knows none.
            self._called[chain] = ()
            inner = _Accepted(self._table, self._called, self._depth + 1)
            for fragment in self._table.chains.get(chain, ()):
                inner.add(fragment)
            known = self._called[chain] = inner.scopes
        return known
