"""Where a command prints: results to stdout, diagnostics to stderr, or both as one JSON document."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from lvsc.diagnostics import Diagnostic


@dataclass(slots=True, kw_only=True)
class Console:
    """The streams of one run, and the sources that its diagnostics point into."""

    stdout: TextIO
    stderr: TextIO
    colour: bool = False
    json: bool = False
    sources: dict[str, str] = field(default_factory=dict)
    """The text of each spec read, by the name it is reported under."""

    def print(self, text: str = "") -> None:
        """A line of the result."""
        self.stdout.write(f"{text}\n")

    def note(self, text: str) -> None:
        """A line beside the result; nothing where the output is JSON."""
        if not self.json:
            self.stderr.write(f"{text}\n")

    def report(self, diagnostics: Iterable[Diagnostic], result: Mapping[str, Any] | None = None) -> None:
        """Print diagnostics: to stderr, or, as JSON, in one document with the result."""
        found = list(diagnostics)
        if self.json:
            from lvsc.report.json import document  # noqa: PLC0415 - only where it is asked for

            self.print_json({**document(found, self.sources), **(result or {})})
        elif found:
            from lvsc.report.text import render  # noqa: PLC0415 - a clean run prints none

            self.stderr.write(render(found, self.sources, colour=self.colour))

    def print_json(self, document: Mapping[str, Any]) -> None:
        """A JSON document as the result."""
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=True) + "\n")
