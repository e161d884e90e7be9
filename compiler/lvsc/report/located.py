"""Diagnostics with their places found in the sources, in the order to report them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lvsc.diagnostics import Diagnostic, KeyPath, Place, Severity
from lvsc.spec.span import Span

if TYPE_CHECKING:
    from lvsc.spec.locate import Locator


@dataclass(frozen=True, slots=True)
class LocatedPlace:
    """A place of a diagnostic; its span is None where no source was given for its file."""

    file: str
    path: KeyPath
    label: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Located:
    """A diagnostic and where its places stand."""

    diagnostic: Diagnostic
    place: LocatedPlace | None
    others: tuple[LocatedPlace, ...]


def locate(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str]) -> list[Located]:
    """The diagnostics by file and position, each once; those without a place first.

    `sources` has the text of each file by the name that origins call it. Only the specs in which a key path has to be
    found are parsed.
    """
    finder = _Finder(sources)
    found: dict[object, Located] = {}
    for diagnostic in diagnostics:
        place = None if diagnostic.place is None else finder.find(diagnostic.place)
        others = tuple(finder.find(other) for other in diagnostic.others)
        found.setdefault((diagnostic.code.id, diagnostic.message, place), Located(diagnostic, place, others))
    return sorted(found.values(), key=_position)


def count(diagnostics: Iterable[Located]) -> Counter[Severity]:
    """How many diagnostics there are of each severity."""
    return Counter(located.diagnostic.severity for located in diagnostics)


def _position(located: Located) -> tuple[str, Span, str]:
    place, nowhere = located.place, Span(0, 0, 0, 0)
    if place is None:
        return "", nowhere, located.diagnostic.code.id
    return place.file, place.span or nowhere, located.diagnostic.code.id


class _Finder:
    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._locators: dict[str, Locator] = {}

    def find(self, place: Place) -> LocatedPlace:
        origin = place.origin
        return LocatedPlace(origin.file, origin.path, place.label, self._span(place))

    def _span(self, place: Place) -> Span | None:
        origin = place.origin
        if origin.line is not None:
            column = origin.column or 1
            return Span(origin.line, column, origin.line, column + place.length)
        if origin.file not in self._sources:
            return None
        if origin.file not in self._locators:
            from lvsc.spec.locate import Locator  # noqa: PLC0415 - the syntax tree is made for diagnostics alone

            self._locators[origin.file] = Locator(self._sources[origin.file])
        return self._locators[origin.file].span(origin.path, place.anchor)
