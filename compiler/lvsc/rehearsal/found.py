"""What a rehearsal came to."""

from dataclasses import dataclass, field

from lvsc.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Proved:
    """Something that was promised, tried and kept."""

    what: str
    """The service, or "failover" and the like."""
    how: str
    """What was seen, with figures."""

    def __str__(self) -> str:
        return f"{self.what}: {self.how}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was not tried."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(slots=True)
class Found:
    """What has come out so far."""

    kernel: str
    """The kernel's word on the command line."""
    proved: list[Proved] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
