"""What every node of the rule graph has."""

from dataclasses import dataclass, field
from functools import reduce
from operator import truediv
from typing import ClassVar

from lvsc.diagnostics import Origin, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Something that one host must be told."""

    said: ClassVar[str] = ""
    """What messages call a node of a plugin's own type; unsaid, its type's name."""

    host: str
    origin: Origin = field(compare=False, repr=False)
    said_at: tuple[tuple[str, Origin], ...] = field(default=(), compare=False, repr=False)
    """The keys of the node that the spec says elsewhere than at `origin`, and where: a tunnel that is its pool's, say."""

    def at(self, key: str, *within: Step) -> Origin:
        """Where the spec says a key of the node, or could, by the spec's own words: `check.at("notify", "up")`.

        The origin itself where that is a line of another text.
        """
        if self.origin.line is not None:
            return self.origin
        return reduce(truediv, within, dict(self.said_at).get(key) or self.origin / key)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """A key that orders the nodes of one type on one host by what they mean."""
        return ()
