"""References to secrets. The value is known to `lvsc.output` alone, and only while it writes."""

from dataclasses import dataclass, field
from enum import Enum

from lvsc.diagnostics import Origin


class SecretSource(Enum):
    """Where a secret's value is read from."""

    ENVIRONMENT = "env"
    FILE = "file"
    UNKNOWN = "unknown"
    """It stands in a text that was read, which says neither; its name is empty."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept, and how long its value may be; never the value."""

    source: SecretSource
    name: str
    """The environment variable, or the file's path, relative to the spec."""
    max_length: int
    origin: Origin | None = field(default=None, compare=False)
    """Where the spec says so; None for one that was read."""

    @property
    def placeholder(self) -> str:
        """The text that stands for the value in everything but the written file."""
        return f"<lvsc-secret:{self.source.value}:{self.name}>"
