"""Where a command prints: results to stdout, diagnostics to stderr, or both as one document of another form."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from lvsc.diagnostics import Diagnostic, Severity

#: The exit codes: all is fine; the specs have errors; the command was used wrongly, or something else keeps it from its work.
OK, ERRORS, TROUBLE = 0, 1, 2

#: The forms of the output that every command has.
COMMON = ("text", "json")
#: Those of a command whose result is for a review.
REVIEW = (*COMMON, "markdown", "github", "sarif")


def exit_code(diagnostics: Iterable[Diagnostic]) -> int:
    """The exit code of a command that finds this; trouble comes first, since it may hide what is wrong with a spec."""
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]
    if any(error.trouble for error in errors):
        return TROUBLE
    return ERRORS if errors else OK


@dataclass(slots=True, kw_only=True)
class Console:
    """The streams of one run, and the sources that its diagnostics point into."""

    stdout: TextIO
    stderr: TextIO
    colour: bool = False
    """Whether diagnostics, on stderr, are coloured."""
    result_colour: bool = False
    """Whether results, on stdout, are."""
    form: str = "text"
    """The form of the output, by its word on the command line."""
    sources: dict[str, str] = field(default_factory=dict)
    """The text of each spec read, by the name it is reported under."""

    @property
    def json(self) -> bool:
        """Whether the output is one JSON document."""
        return self.form == "json"

    def print(self, text: str = "") -> None:
        """A line of the result."""
        self.stdout.write(f"{text}\n")

    def note(self, text: str) -> None:
        """A line beside the result; only where the output is text."""
        if self.form == "text":
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

    def review(self, command: str, diagnostics: Sequence[Diagnostic]) -> None:
        """Print diagnostics where they are all that a command has to say, in each of the forms of a review."""
        match self.form:
            case "markdown":
                from lvsc.report.markdown import check_page  # noqa: PLC0415 - only where it is asked for

                self.stdout.write(check_page(command, diagnostics, self.sources))
            case "github" | "sarif":
                self.annotate(diagnostics)
            case _:
                self.report(diagnostics)

    def annotate(self, diagnostics: Sequence[Diagnostic], notices: Iterable[str] = ()) -> None:
        """Print diagnostics, and what was not judged, for the programs that show them beside the spec's lines.

        Raises:
            ValueError: The form is none of those programs'.
        """
        match self.form:
            case "github":
                from lvsc.report import github  # noqa: PLC0415 - only where it is asked for

                self.stdout.write(github.render(diagnostics, self.sources, notices))
            case "sarif":
                from lvsc.report import sarif  # noqa: PLC0415 - likewise

                self.print_json(sarif.document(diagnostics, self.sources, notices))
            case _:
                raise ValueError(f"{self.form} annotates nothing")

    def print_json(self, document: Mapping[str, Any]) -> None:
        """A JSON document as the result."""
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=True) + "\n")
