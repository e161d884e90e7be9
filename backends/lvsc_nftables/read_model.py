"""What one of lvsc's own tables says, whether it was read from nft's language or from JSON.

An expression is the words that nft lists it with (`ip daddr`, `meta l4proto`); a value is too (`80`, `80-90`, `10.0.0.0/8`).
"""

from dataclasses import dataclass, field

from lvsc.plugin import Diagnostic, Foreign, Origin

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a set or map has for these fields of a packet."""

    fields: Key
    name: str


@dataclass(frozen=True, slots=True)
class Match:
    """A condition: the fields have one of these values."""

    fields: Key
    values: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class SetMark:
    """Sets the mark to a number, or to what a map says."""

    answer: str | Lookup


@dataclass(frozen=True, slots=True)
class SetHelper:
    """Assigns the helper of a `ct helper` object."""

    name: str


@dataclass(frozen=True, slots=True)
class Snat:
    """Replaces the source address, of one family's packets where it says one."""

    family: str | None
    answer: str | Lookup


@dataclass(frozen=True, slots=True)
class Untrack:
    """Exempts from connection tracking."""


@dataclass(frozen=True, slots=True)
class Jump:
    """Goes to another chain and comes back."""

    target: str


@dataclass(frozen=True, slots=True)
class Return:
    """Leaves the chain."""


Statement = Match | Lookup | SetMark | SetHelper | Snat | Untrack | Jump | Return


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; a `Lookup` among its statements is a condition."""

    statements: tuple[Statement, ...]
    comment: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a set, or of a map with its answer."""

    key: Key
    answer: str
    comment: str
    origin: Origin


@dataclass(slots=True)
class Container:
    """A set, or a map."""

    name: str
    origin: Origin
    is_map: bool
    types: Key = ()
    answers: str = ""
    """The type of a map's answers."""
    interval: bool = False
    elements: list[Element] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HelperObject:
    """A `ct helper` object."""

    name: str
    helper: str
    protocol: str
    family: str
    """`ip`, `ip6`, or `inet` for both."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class Base:
    """What makes a chain a base chain."""

    type: str
    hook: str
    priority: int
    policy: str


@dataclass(slots=True)
class Chain:
    """A chain."""

    name: str
    origin: Origin
    base: Base | None = None
    rules: list[Rule] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """One of lvsc's tables."""

    family: str
    origin: Origin
    containers: dict[str, Container] = field(default_factory=dict)
    helpers: dict[str, HelperObject] = field(default_factory=dict)
    chains: dict[str, Chain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """All that a text says: lvsc's tables, what is other people's, and what was not understood."""

    tables: tuple[Table, ...]
    foreign: tuple[Foreign, ...]
    problems: tuple[Diagnostic, ...]


def is_own(family: str, name: str) -> bool:
    """Whether a table is one of lvsc's."""
    return name == "lvsc" and family in ("inet", "ip", "ip6")
