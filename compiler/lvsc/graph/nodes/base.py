"""What every node of the rule graph has."""

from dataclasses import dataclass, field
from typing import ClassVar

from lvsc.diagnostics import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Something that one host must be told."""

    said: ClassVar[str] = ""
    """What messages call a node of a plugin's own type; unsaid, its type's name."""

    host: str
    origin: Origin = field(compare=False, repr=False)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """A key that orders the nodes of one type on one host by what they mean."""
        return ()
