"""What is left of a document when what the schema refuses is taken out, so that its other mistakes are found as well."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lvsc.diagnostics import Anchor, Diagnostic, KeyPath
from lvsc.spec import model_codes

#: The depth of a table with a name: `services.web`.
_NAMED = 2


@dataclass(frozen=True, slots=True)
class Salvage:
    """The sound part of a document."""

    values: dict[str, Any]
    lacking: frozenset[KeyPath]
    """The tables, named ones as a whole, that lack something: what is wrong in them may only follow from that."""
    misspelt: frozenset[KeyPath]
    """The tables, named ones as a whole, with a key that was taken out and may have been meant as one that they need."""

    @property
    def incomplete(self) -> frozenset[KeyPath]:
        """The tables, named ones as a whole, that are not fit to be lowered."""
        return self.lacking | self.misspelt

    @property
    def loadable(self) -> bool:
        """Whether names can be resolved: no table of tables is missing."""
        return () not in self.incomplete

    @property
    def lowerable(self) -> bool:
        """Whether everything but some services is whole."""
        return all(path[0] == "services" and len(path) == _NAMED for path in self.incomplete)

    def concerns(self, diagnostic: Diagnostic) -> bool:
        """Whether a diagnostic may be a mere consequence of what was taken out."""
        if diagnostic.place is None:
            return True
        path = diagnostic.place.origin.path
        if diagnostic.code is model_codes.NAME and self._has(path):
            return False  # whatever else its table lacks, nothing has the name
        if any(path[: len(prefix)] == prefix for prefix in self.lacking):
            return True
        # A misspelt key makes another one absent; what is wrong with the keys that are there is wrong.
        return any(path[: len(prefix)] == prefix for prefix in self.misspelt) and not self._has(path)

    def _has(self, path: KeyPath) -> bool:
        values: Any = self.values
        for step in path:
            try:
                values = values[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True


def salvage(values: dict[str, Any], problems: Iterable[Diagnostic]) -> Salvage:
    """The document without unknown keys and refused values."""
    kept = deepcopy(values)
    lacking: set[KeyPath] = set()
    misspelt: set[KeyPath] = set()
    # From the back, so that an array's earlier items keep their places.
    places = sorted(
        {(d.place.origin.path, d.place.anchor, d.replacement is not None) for d in problems if d.place},
        key=_position,
        reverse=True,
    )
    for path, anchor, meant in places:
        if anchor is Anchor.TABLE or not path:
            lacking.add(path[:_NAMED])
            continue
        _remove(kept, path)
        if anchor is Anchor.VALUE:
            lacking.add(path[:_NAMED] if len(path) > _NAMED else path[:-1])
        elif meant:
            misspelt.add(path[:_NAMED] if len(path) > _NAMED else path[:-1])
    return Salvage(kept, frozenset(lacking), frozenset(misspelt))


def _position(place: tuple[KeyPath, Anchor, bool]) -> list[tuple[int, int | str]]:
    return [(0, step) if isinstance(step, int) else (1, step) for step in place[0]]


def _remove(values: Any, path: KeyPath) -> None:  # noqa: ANN401 - a document's values are of any type
    for step in path[:-1]:
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            return
    try:
        del values[path[-1]]
    except (KeyError, IndexError, TypeError):
        return
