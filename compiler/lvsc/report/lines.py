"""Where origins stand, for reports that name a file and a line."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lvsc.diagnostics import Anchor, Origin

if TYPE_CHECKING:
    from lvsc.spec.locate import Locator


class Lines:
    """Finds the lines of origins in the specs that they are of; each spec is parsed once, and only if it is asked for."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """`sources` has the text of each spec by the name that origins call it."""
        self._sources = sources
        self._locators: dict[str, Locator] = {}

    def line(self, origin: Origin) -> int | None:
        """The line, from 1; None where the file's text is not known."""
        if origin.line is not None:
            return origin.line
        if origin.file not in self._sources:
            return None
        if origin.file not in self._locators:
            from lvsc.spec.locate import Locator  # noqa: PLC0415 - the syntax tree is made for reports alone

            self._locators[origin.file] = Locator(self._sources[origin.file])
        return self._locators[origin.file].span(origin.path, Anchor.TABLE).line

    def place(self, origin: Origin) -> str:
        """`FILE:LINE`."""
        line = self.line(origin)
        return origin.file if line is None else f"{origin.file}:{line}"

    def places(self, origins: Iterable[Origin]) -> str:
        """The places, each once, separated by commas."""
        return ", ".join(dict.fromkeys(map(self.place, origins)))
