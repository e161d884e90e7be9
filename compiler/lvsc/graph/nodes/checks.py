"""How real servers are probed."""

from dataclasses import dataclass
from enum import Enum

from lvsc.graph.nodes.base import Node
from lvsc.graph.nodes.services import Selector
from lvsc.graph.traffic import Address


class FailureAction(Enum):
    """What becomes of a real server that fails its health check."""

    REMOVE = "remove"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpProbe:
    """Alive if it accepts a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """Alive if it answers as said over HTTP, or HTTPS where `tls`."""

    tls: bool
    path: str
    status: tuple[tuple[int, int], ...]
    """Sorted, disjoint ranges of accepted status codes."""
    digest: str | None = None
    """The MD5 of the body, in hexadecimal."""
    regex: str | None = None
    """What the body must match; None takes any."""
    virtual_host: str | None = None
    """The host to ask for; None names none."""
    sni: bool = False
    http_version: str = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpProbe:
    """Alive if it greets over SMTP."""

    helo: str | None = None
    """The name to greet with; None leaves the program's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsProbe:
    """Alive if it answers a DNS query."""

    record: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpProbe:
    """Alive if it does not refuse a datagram, or if it answers where `reply` is said."""

    payload: str | None = None
    """Hexadecimal."""
    require_reply: bool = False
    reply: str | None = None
    """Hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PingProbe:
    """Alive if it answers an ICMP echo request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptProbe:
    """Alive if a command says so."""

    command: str
    """An absolute path and its arguments."""


Probe = TcpProbe | HttpProbe | SmtpProbe | DnsProbe | UdpProbe | PingProbe | ScriptProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck(Node):
    """How a director learns that a real server of a virtual service lives. Times are seconds."""

    selector: Selector
    address: Address
    port: int
    """With `selector` and `address`, the real server that is probed."""
    probe: Probe
    probe_port: int | None
    """The port to connect to; None for a ping or a script."""
    interval: float
    timeout: float
    retries: int
    delay_before_retry: float
    """0 where `retries` is."""
    on_failure: FailureAction = FailureAction.REMOVE
    up: str | None = None
    """A command run when the real server comes back."""
    down: str | None = None
    """A command run when the real server fails."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (*self.selector.sort_key, self.address.version, int(self.address), self.port)
