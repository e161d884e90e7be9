"""What a backend reads out of its own language: nodes again, what is other people's, and what it does not understand."""

from dataclasses import dataclass
from enum import Enum

from lvsc.diagnostics import Diagnostic, Origin
from lvsc.graph.nodes import Node


class Touch(Enum):
    """What a foreign rule may do to packets that lvsc cares for."""

    MARK = "mark"
    HELPER = "helper"
    TRACKING = "tracking"
    SOURCE_NAT = "source-nat"
    DESTINATION_NAT = "destination-nat"
    FILTER = "filter"
    BALANCE = "balance"
    """It is a virtual service, or changes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A fragment that lvsc did not write. What it touches makes a comparison of that say "unknown"."""

    host: str
    text: str
    touches: frozenset[Touch]
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text to read, and the host that it is of."""

    host: str
    file: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text says. Nothing of it is left out: it is a node, foreign, or a problem at its line."""

    nodes: tuple[Node, ...] = ()
    """Each with the file and line that it was read from as its origin."""
    foreign: tuple[Foreign, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
