"""Diagnostics as GitHub's workflow commands, which annotate the lines of a pull request.

The form is that of "Workflow commands for GitHub Actions", "Setting an error message"; what is escaped is what the runner turns
back (actions/toolkit, command.ts).
"""

from collections.abc import Iterable, Mapping

from lvsc.diagnostics import Diagnostic, Severity
from lvsc.report.located import Located, LocatedPlace, locate

_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], notices: Iterable[str] = ()) -> str:
    """A line for each diagnostic and notice. Errors come first, since only the first ten of a kind are shown.

    `sources` has the text of each file by the name that origins call it.
    """
    severities = list(Severity)
    located = sorted(
        locate(diagnostics, sources), key=lambda item: severities.index(item.diagnostic.severity)
    )
    lines = [_command(item) for item in located]
    lines += (f"::notice title=lvsc::{_message(notice)}" for notice in notices)
    return "".join(f"{line}\n" for line in lines)


def _command(located: Located) -> str:
    diagnostic = located.diagnostic
    properties = {**_where(located.place), "title": f"{diagnostic.code.id}: {diagnostic.code.title}"}
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_WORDS[diagnostic.severity]} {written}::{_message(whole_message(located))}"


def _where(place: LocatedPlace | None) -> dict[str, str]:
    if place is None:
        return {}
    if place.span is None:
        return {"file": place.file}
    span = place.span
    where = {"file": place.file, "line": str(span.line), "endLine": str(span.end_line)}
    if span.line == span.end_line:
        # The annotation's last column is the last character, a span's end is behind it; columns count only within a line.
        where |= {"col": str(span.column), "endColumn": str(max(span.end_column - 1, span.column))}
    return where


def whole_message(located: Located) -> str:
    """The message with everything else that a diagnostic says, a line each."""
    diagnostic = located.diagnostic
    lines = [diagnostic.message]
    lines += (f"{where(other)}: {other.label}" for other in located.others)
    lines += (f"note: {note}" for note in diagnostic.notes)
    if diagnostic.help is not None:
        lines.append(f"help: {diagnostic.help}")
    return "\n".join(lines)


def where(place: LocatedPlace) -> str:
    """A place as `file:line:column`."""
    return place.file if place.span is None else f"{place.file}:{place.span.line}:{place.span.column}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
