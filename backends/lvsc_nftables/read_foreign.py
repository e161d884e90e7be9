"""What other people's rules may do to packets that lvsc cares for."""

from dataclasses import dataclass, field

from lvsc.plugin import Hook, MarkGiven, Origin, Scope, Touch
from lvsc_nftables.read_scope import Bound, made, mark_given
from lvsc_nftables.read_touches import DESTINATION, EVERYTHING, MARK, NOTHING


@dataclass(slots=True)
class Fragment:
    """A rule or a declaration, and what it is known to do by itself."""

    text: str
    origin: Origin
    touches: frozenset[Touch] = NOTHING
    jumps: set[str] = field(default_factory=set)
    """The chains that it leads to."""
    containers: set[str] = field(default_factory=set)
    """The sets and maps that it looks at."""
    filled: bool = False
    """Whether it is a set or map with elements."""
    bound: Bound = field(default_factory=Bound)
    """The packets that it may be for."""
    accepts: bool = False
    """Whether it accepts every packet of the bound's scope."""
    leaves: bool = False
    """Whether packets may go on elsewhere than at the next rule, though none of its statements is known to decide on them."""
    calls_all: bool = False
    """Whether it does nothing but send every packet to a chain, from which they come back."""
    marks: tuple[MarkGiven, ...] | None = ()
    made: tuple[Scope, ...] | None = ()

    def touch(self, touches: frozenset[Touch]) -> None:
        """Note what it does, in a way that is not known more closely."""
        self.touches |= touches
        if Touch.MARK in touches:
            self.marks = None
        if Touch.DESTINATION_NAT in touches:
            self.made = None

    def set_mark(self, value: str) -> None:
        """Note that it sets the mark."""
        given = mark_given(value)
        self.touches |= MARK
        self.marks = None if self.marks is None or given is None else (*self.marks, *given)

    def send_to(self, address: str, port: str) -> None:
        """Note that it sets the destination."""
        given = made(self.bound, address, port)
        self.touches |= DESTINATION
        self.made = None if self.made is None or given is None else (*self.made, *given)


@dataclass(slots=True)
class ForeignTable:
    """A table that is not lvsc's."""

    family: str = ""
    name: str = ""
    bases: dict[str, frozenset[Hook] | None] = field(default_factory=dict)
    """The hook of each base chain; None for one that is not of the IP layer."""
    heads: dict[str, Fragment] = field(default_factory=dict)
    """What each chain says of itself."""
    chains: dict[str, list[Fragment]] = field(default_factory=dict)
    containers: dict[str, Fragment] = field(default_factory=dict)
    rest: list[Fragment] = field(default_factory=list)


class Reach:
    """What fragments do with all that they lead to."""

    def __init__(self, table: ForeignTable) -> None:
        parts = dict(table.chains)
        parts |= {f"@{name}": [container] for name, container in table.containers.items()}
        self._known: dict[str, frozenset[Touch]] = {}
        led_from: dict[str, list[str]] = {}
        for name, fragments in parts.items():
            self._known[name] = frozenset[Touch]().union(*(fragment.touches for fragment in fragments))
            for other in set[str]().union(*map(leads_to, fragments)):
                led_from.setdefault(other, []).append(name)
                if other not in parts:
                    self._known[other] = NOTHING if other.startswith("@") else EVERYTHING
        # What a chain does is handed back to whatever leads to it, until nothing is news to anybody.
        waiting = list(self._known)
        while waiting:
            name = waiting.pop()
            for origin in led_from.get(name, ()):
                if not self._known[name] <= self._known[origin]:
                    self._known[origin] |= self._known[name]
                    waiting.append(origin)

    def of(self, fragment: Fragment) -> frozenset[Touch]:
        """What it touches, with what it leads to."""
        return fragment.touches.union(*(self._known.get(name, EVERYTHING) for name in leads_to(fragment)))


def leads_to(fragment: Fragment) -> set[str]:
    """The chains, and the sets and maps with an `@`."""
    return fragment.jumps | {f"@{name}" for name in fragment.containers}
