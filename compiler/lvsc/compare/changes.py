"""What a comparison finds, as data; `lvsc.report` has the words around it."""

from dataclasses import dataclass
from enum import Enum

from lvsc.diagnostics import Origin
from lvsc.packets.dimensions import Box, Packet


class ChangeKind(Enum):
    """What becomes of a class of packets; the most alarming first."""

    EXPOSURE = "exposure"
    """They found no virtual service with a real server for new clients, and find one now."""
    LOSS = "loss"
    """They found a virtual service with a real server for new clients, and find none now."""
    TREATMENT = "treatment"
    """Other real servers, another way to them, another choice between them."""
    TYING = "tying"
    """What persistence keeps on one real server is another bundle."""
    MARK = "mark"
    HELPER = "helper"
    TRACKING = "tracking"
    SOURCE_NAT = "source-nat"
    FILTER = "filter"
    WEIGHTS = "weights"
    """The same real servers get other shares."""

    @property
    def position(self) -> int:
        """The place in the order in which changes are told."""
        return list(ChangeKind).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketChange:
    """Packets that are treated differently."""

    kind: ChangeKind
    hosts: tuple[str, ...]
    boxes: tuple[Box, ...]
    """Exactly the packets that it is true of, as disjoint boxes."""
    before: str
    after: str
    before_origins: tuple[Origin, ...]
    after_origins: tuple[Origin, ...]
    witness: Packet


class Aspect(Enum):
    """A question about packets that a comparison answers."""

    SERVICE = "which virtual service packets find"
    HELPER = "which connections a helper reads"
    TRACKING = "which packets are tracked"
    SOURCE_NAT = "whose source address is replaced"
    FILTER = "which packets get through"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """What keeps a question from being answered: a rule that is not lvsc's, or a fragment that was not understood."""

    aspect: Aspect
    host: str
    side: str
    """The name of the side that it stands in."""
    fragment: str
    """The rule's text, or what is wrong with the fragment."""
    origin: Origin | None
    is_rule: bool = True
    """Whether the fragment is a rule's text."""


class Section(Enum):
    """What a setting belongs to, in the order in which settings are told."""

    HOSTS = "hosts"
    SERVICES = "services"
    REAL_SERVERS = "real servers"
    CHECKS = "health checks"
    FAILOVER = "failover"
    HOST_SETTINGS = "host settings"
    OTHER = "other settings"

    @property
    def position(self) -> int:
        """The place in the order in which settings are told."""
        return list(Section).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """A field of something that is there on both sides, or a thing that is on one side alone (`field` is empty)."""

    section: Section
    hosts: tuple[str, ...]
    subject: str
    field: str
    before: str | None
    """None where it is added."""
    after: str | None
    """None where it is removed."""
    origin: Origin | None
    """Where the new side says it, or the old one where the new one does not."""
    reaches_packets: bool = False
    """Whether it may decide what becomes of packets, in ways that are not followed here."""


class Fate(Enum):
    """What becomes of connections when the new side is applied to a running director."""

    LOST = "lost"
    TEMPLATES_LOST = "persistence lost"
    """Established connections live, but clients are no longer led back to their real servers."""
    DRAINS = "drains"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChange:
    """What becomes of a service's connections."""

    fate: Fate
    hosts: tuple[str, ...]
    service: str
    what: str
    """Which connections, and why."""
    origin: Origin | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Everything that is different between two sides."""

    old: str
    new: str
    packets: tuple[PacketChange, ...]
    unknown: tuple[Unknown, ...]
    settings: tuple[SettingChange, ...]
    connections: tuple[ConnectionChange, ...]
    rewritten: int
    """How many rules and virtual services of the new side are not in the old one word for word."""
    notes: tuple[str, ...]
    """What was not compared, and why."""

    @property
    def differs(self) -> bool:
        """Whether anything is different, or may be."""
        return bool(self.packets or self.unknown or self.settings)
