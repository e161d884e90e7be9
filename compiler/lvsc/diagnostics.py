"""What lvsc says about a mistake: data first, rendered by `lvsc.report`."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

#: One step into a document: a table's key or an array's index.
Step = str | int
#: Where a value stands in a document, from the top: `("pools", "web", "real_servers", 0, "ip")`.
KeyPath = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was said: a file and, in a spec, a key path, or a line and column (both from 1).

    A spec's line and column are looked up only when a diagnostic is printed (`lvsc.spec.locate`).
    """

    file: str
    path: KeyPath = ()
    line: int | None = None
    """None until it is looked up, or where nothing has a line."""
    column: int | None = None
    """None wherever `line` is."""

    def __truediv__(self, step: Step) -> "Origin":
        """The origin of something within: `origin / "ip" / 0`."""
        return Origin(self.file, (*self.path, step))


class Anchor(Enum):
    """Which part of the thing at a key path a place points at."""

    VALUE = "value"
    KEY = "key"
    TABLE = "table"
    """The header of the table that the path names, or where the table begins."""


@dataclass(frozen=True, slots=True)
class Place:
    """A span of a source file that a diagnostic points at, with a few words beside the caret."""

    origin: Origin
    anchor: Anchor = Anchor.VALUE
    label: str = ""
    length: int = 1
    """How many characters to underline where `origin` has a line and column of its own."""


class Severity(Enum):
    """How bad it is. An error means that nothing was written."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of diagnostic: stable identifier, title, and the long text that `lvsc explain` prints."""

    id: str
    title: str
    explanation: str
    severity: Severity = Severity.ERROR
    trouble: bool = False
    """Whether such an error says nothing against a spec: the command line is wrong, the system refuses, a plugin fails."""

    def at(
        self,
        place: Place | Origin | None,
        message: str,
        *,
        others: Iterable[Place] = (),
        notes: Iterable[str] = (),
        help: str | None = None,  # noqa: A002 - the word that compilers use for it
        replacement: str | None = None,
        trouble: bool = False,
    ) -> "Diagnostic":
        """A diagnostic of this code at a place; `trouble` says of a code that is also a spec's that this one is not."""
        if isinstance(place, Origin):
            place = Place(place)
        return Diagnostic(
            code=self,
            message=message,
            place=place,
            others=tuple(others),
            notes=tuple(notes),
            help=help,
            replacement=replacement,
            trouble=self.trouble or trouble,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One mistake, said once.

    `message` is lowercase, has no final period and puts code in backticks. `help` says what to do.
    `replacement` is text that certainly fits in the place of the primary span.
    """

    code: Code
    message: str
    place: Place | None = None
    """None where it is about no place in a file."""
    others: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    """None where there is nothing to do."""
    replacement: str | None = None
    """None where no text certainly fits."""
    trouble: bool = False
    """Whether it says nothing against a spec (`Code.trouble`)."""

    @property
    def severity(self) -> Severity:
        """The severity of the diagnostic's code."""
        return self.code.severity


class DiagnosticError(Exception):
    """Carries diagnostics, at least one of them an error, out of a stage that cannot go on."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(f"{d.code.id}: {d.message}" for d in self.diagnostics))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of the diagnostics is an error."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like a mistyped word, whatever the case of their letters, or None where nothing is like it."""
    import difflib  # noqa: PLC0415 - only mistakes pay for it

    folded = {candidate.casefold(): candidate for candidate in candidates}
    best = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[best[0]] if best else None


def shown(text: str) -> str:
    """Somebody's text for within a message: on one line, and otherwise as it was written."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
