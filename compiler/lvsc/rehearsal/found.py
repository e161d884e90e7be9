"""What a rehearsal came to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lvsc.diagnostics import Diagnostic

#: How many of many names are said.
_NAMED = 5


def some(names: Sequence[str]) -> str:
    """The first of many names."""
    return ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")


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
