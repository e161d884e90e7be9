"""What a backend reads out of its own language: nodes again, what is other people's, and what it does not understand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from lvsc.diagnostics import Diagnostic, Origin
from lvsc.graph.nodes import Node, Selector
from lvsc.graph.traffic import Family, Hook, Network, PortRange
from lvsc.secrets import Secret


class Touch(Enum):
    """What a foreign rule may do to packets that lvsc cares for."""

    MARK = "mark"
    HELPER = "helper"
    TRACKING = "tracking"
    SOURCE_NAT = "source-nat"
    DESTINATION_NAT = "destination-nat"
    FILTER = "filter"
    """It keeps packets out. What only lets them in takes nothing from lvsc's."""
    BALANCE = "balance"
    """It is a virtual service, or changes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Packets by conditions, of which each that is None or empty says nothing."""

    family: Family | None = None
    protocols: frozenset[int] = frozenset()
    """Numbers in the IP header."""
    sources: tuple[Network, ...] = ()
    destinations: tuple[Network, ...] = ()
    source_ports: tuple[PortRange, ...] = ()
    destination_ports: tuple[PortRange, ...] = ()
    known: bool | None = None
    """Only packets of connections that connection tracking knows already and of those related to them, or none of these."""

    def within(self, outer: "Scope") -> "Scope":
        """These packets by more conditions: those of `outer` where there are none of its own. What is in both is in it."""
        return Scope(
            family=self.family or outer.family,
            protocols=self.protocols or outer.protocols,
            sources=self.sources or outer.sources,
            destinations=self.destinations or outer.destinations,
            source_ports=self.source_ports or outer.source_ports,
            destination_ports=self.destination_ports or outer.destination_ports,
            known=outer.known if self.known is None else self.known,
        )


@dataclass(frozen=True, slots=True)
class MarkGiven:
    """Marks by the bits that are sure: those of the mask are the value's."""

    value: int
    mask: int

    def may_be(self, mark: int) -> bool:
        """Whether a packet may get this mark."""
        return mark & self.mask == self.value & self.mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A fragment that lvsc did not write. What it touches makes a comparison of that say "unknown".

    The rest bounds which packets: a reader that cannot tell leaves it as it is, and the fragment may touch every packet.
    """

    host: str
    text: str
    touches: frozenset[Touch]
    origin: Origin
    hooks: frozenset[Hook] | None = None
    """Where packets meet it; None where that is not known."""
    scopes: tuple[Scope, ...] = (Scope(),)
    """Packets among which are all that it touches; empty where it only leads to other fragments, which say it themselves."""
    spared: tuple[Scope, ...] = ()
    """Packets of which none comes to it, unless another fragment touches them before."""
    behind_accepts: bool = False
    """Whether the same is true of packets that lvsc's own rules accept at its hooks."""
    marks: tuple[MarkGiven, ...] | None = None
    """The marks that it gives; None for any."""
    made: tuple[Scope, ...] | None = None
    """What packets become by the destination that it gives them; None for anything."""
    unseen: frozenset[str] = frozenset()
    """Names of the sets that it looks at and whose elements the text does not show."""
    place: str = ""
    """Where it stands among lvsc's rules, by words that are the same wherever the same text does the same; empty where
    the text does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text to read, and the host that it is of."""

    host: str
    file: str
    text: str
    holds_secret: bool = False
    """Whether the manifest that names the file says so."""
    secrets: Mapping[int, Secret] = field(default_factory=dict)
    """Values that `Backend.hide` took out of the text, by line, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text says. Nothing of it is left out: it is a node, foreign, or a problem at its line."""

    nodes: tuple[Node, ...] = ()
    """Each with the file and line that it was read from as its origin."""
    foreign: tuple[Foreign, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    doubtful: frozenset[Selector] = frozenset()
    """The virtual services of which a problem leaves open what they do; each is a node, by what of it is understood."""
    partial: bool = True
    """Whether the problems, where there are any, leave open that there are virtual services which are no nodes."""
