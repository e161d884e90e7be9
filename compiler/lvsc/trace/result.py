"""What is known of a packet's way once it was followed."""

from dataclasses import dataclass
from enum import Enum

from lvsc.compare.changes import Aspect
from lvsc.diagnostics import KeyPath
from lvsc.graph.nodes import Forwarding, Persistence, Scheduler, SchedulerFlag, Selector, TunnelType
from lvsc.graph.traffic import Address, Hook, Network
from lvsc.trace.asked import Asked


class Handler(Enum):
    """What handles a packet at a hook, or between hooks."""

    RAW = "raw"
    CONNTRACK = "conntrack"
    MANGLE = "mangle"
    ROUTING = "routing"
    FILTER = "filter"
    IPVS = "ipvs"
    NAT = "nat"


class Fate(Enum):
    """What becomes of a packet."""

    BALANCED = "balanced"
    """It goes to a real server."""
    UNSERVED = "unserved"
    """It finds a virtual service, and no real server of that takes new connections."""
    REFUSED = "refused"
    """It finds a virtual service that does not take it."""
    LOCAL = "local"
    """It finds no virtual service, and the director keeps it."""
    FORWARDED = "forwarded"
    """It is not for the director, which sends it on."""
    ANSWER = "answer"
    """It can be a real server's answer to a client, and is sent on as one."""
    UNTOLD = "untold"
    """What is traced does not say what IPVS is told, or not in words that are understood."""


class Lookup(Enum):
    """Which question of IPVS's look-up found a service, in their order (ip_vs_ctl.c, ip_vs_service_find)."""

    MARK = "mark"
    EXACT = "exact"
    FTP = "port-21"
    ANY_PORT = "any-port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A line that a program reads."""

    file: str
    """On the host, or as the text was named."""
    line: int
    text: str
    key_path: KeyPath = ()
    """Where in the spec it comes from; empty where no spec is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happens to the packet at a place on its way."""

    hook: Hook | None
    """None between hooks."""
    handler: Handler
    what: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A real server that the packet may go to."""

    name: str
    """As in the spec; empty where it is not known."""
    address: Address
    port: int
    """Where the packet arrives."""
    forwarding: Forwarding
    tunnel: TunnelType | None
    """None unless `forwarding` is tunnel."""
    weight: int
    upper_threshold: int
    """No new connection above this many; 0 is no limit."""
    source: Address | None
    """What source NAT makes of the packet's source; None where it stays."""
    evidence: tuple[Evidence, ...]

    @property
    def drained(self) -> bool:
        """Whether it gets no new client: those that it has stay."""
        return self.weight == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """What goes to the same real server as the packet, while persistence lasts."""

    persistence: Persistence
    clients: Network
    packets: tuple[str, ...]
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundService:
    """The virtual service that the packet finds."""

    name: str
    selector: Selector
    by: Lookup
    scheduler: Scheduler
    flags: tuple[SchedulerFlag, ...]
    one_packet: bool
    candidates: tuple[Candidate, ...]
    sorry: tuple[Candidate, ...]
    """Where packets go while the service has no quorum."""
    tie: Tie | None
    """None where each connection is scheduled by itself."""
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """Something that may do otherwise with the packet, and that lvsc does not follow."""

    aspect: Aspect
    text: str
    file: str
    line: int | None
    """None where it has no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The packet's way through a director, and the answer's way back."""

    fate: Fate
    why: str
    steps: tuple[Step, ...]
    back: tuple[Step, ...]
    mark: int
    """The mark that the packet has at the end; 0 is none."""
    tracked: bool
    helper: str | None
    service: FoundService | None
    open_questions: tuple[OpenQuestion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """Directors on which the packet has the same way."""

    directors: tuple[str, ...]
    course: Course


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A packet and its ways."""

    asked: Asked
    ways: tuple[Traced, ...]
