"""How a service kind wants a service to be balanced."""

from dataclasses import dataclass

from lvsc.diagnostics import Diagnostic
from lvsc.graph.traffic import PortRange, Protocol
from lvsc.targets import Feature


@dataclass(frozen=True, slots=True, order=True)
class ServicePort:
    """Ports of one protocol that a service balances."""

    protocol: Protocol
    ports: PortRange

    def __str__(self) -> str:
        return f"{self.protocol.value}/{'all' if self.ports.all else self.ports}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a kind wants a service to be balanced."""

    ports: tuple[ServicePort, ...]
    mark_reasons: tuple[str, ...] = ()
    """Why only a mark will do; the core adds reasons of its own (several ports, addresses, …)."""
    persistence: int | None = None
    """Seconds; the service's own, or what the kind needs."""
    probe_port: int | None = None
    """The port that a health check asks unless it says another."""
    features: tuple[Feature, ...] = ()
    """What the directors' target must have for this way to work."""
    reasons: tuple[str, ...] = ()
    """Sentences for `lvsc explain`: which way was chosen, and why."""
    diagnostics: tuple[Diagnostic, ...] = ()
