"""Secrets: where one is kept, and values that are never shown. `lvsc.output` alone reveals one, while it writes."""

import re
from dataclasses import dataclass, field
from enum import Enum

from lvsc.diagnostics import Origin


class SecretSource(Enum):
    """Where a secret's value is read from."""

    ENVIRONMENT = "env"
    FILE = "file"
    UNKNOWN = "unknown"
    """It stands in a text that was read, which says neither; its name is empty."""


class Secret:
    """A secret's value. Its `repr` and `str` do not show it, nor does pickling, which fails."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the file that it belongs in and nothing else."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled")


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept, and how long its value may be."""

    source: SecretSource
    name: str
    """The environment variable, or the file's path, relative to the spec."""
    max_length: int
    origin: Origin | None = field(default=None, compare=False)
    """Where the spec says so; None for one that was read."""
    value: Secret | None = field(default=None, repr=False)
    """What was read in a text, to be compared with what another text has; None for a spec's, which has none."""

    @property
    def placeholder(self) -> str:
        """The text that stands for the value in everything but the written file."""
        return f"<lvsc-secret:{self.source.value}:{self.name}>"

    def same_as(self, other: "SecretRef") -> bool | None:
        """Whether both are the same secret; None where only one of them says where its value is kept."""
        if (self.source is SecretSource.UNKNOWN) != (other.source is SecretSource.UNKNOWN):
            return None
        if self.source is SecretSource.UNKNOWN and (self.value is None or other.value is None):
            return None
        return self == other


#: Stands for a secret in a text that was read.
HIDDEN = SecretRef(SecretSource.UNKNOWN, "", 0).placeholder
_PLACEHOLDER = re.compile(r'<lvsc-secret:(?:env|file|unknown):[^"\n]*>')


def without_names(text: str) -> str:
    """The text with each placeholder as that of a secret of which nobody knows where it is kept."""
    return _PLACEHOLDER.sub(HIDDEN, text)
