"""What a service kind adds to the schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lvsc.spec.schema.words import Schema

#: The kind of a service that says none.
PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A service kind's own keys. With the core's common keys they make one closed table."""

    title: str
    description: str
    properties: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Common keys that make no sense for this kind."""
