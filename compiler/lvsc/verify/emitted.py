"""From the lines of emitted files back to the lines of the spec."""

from collections.abc import Iterable, Mapping

from lvsc.compile import EmittedFile
from lvsc.diagnostics import Code, Diagnostic, Origin, Place
from lvsc.plugins.artifact import Line


class Emitted:
    """The lines of emitted files, and where in the spec each comes from.

    `tree` is what messages call the directory with the hosts' files.
    """

    def __init__(self, tree: str, files: Iterable[EmittedFile]) -> None:
        self.tree = tree
        self._lines: Mapping[str, tuple[Line, ...]] = {self.name(file): file.artifact.lines for file in files}
        self._first: dict[str, dict[Origin, int]] = {}

    def name(self, file: EmittedFile) -> str:
        """What messages call the file: `red-hat/lvs1/etc/lvsc/nftables.nft`."""
        return f"{self.tree}/{file.host}{file.artifact.path}"

    def texts(self, diagnostics: Iterable[Diagnostic]) -> dict[str, str]:
        """By name, the texts that the diagnostics point into."""
        places = (place for each in diagnostics for place in (each.place, *each.others) if place is not None)
        names = dict.fromkeys(place.origin.file for place in places)
        return {
            name: "".join(f"{line.text}\n" for line in self._lines[name])
            for name in names
            if name in self._lines
        }

    def spec(self, written: Origin) -> Origin | None:
        """Where in the spec an emitted line comes from; None where no place in the spec asks for it."""
        line = self._line(written)
        return None if line is None else line.origin

    def written_for(self, origin: Origin, files: Iterable[str]) -> Origin | None:
        """The first line in the files that comes from a place in the spec."""
        for file in files:
            if file not in self._first:
                first = self._first[file] = {}
                for number, line in enumerate(self._lines.get(file, ()), start=1):
                    if line.origin is not None:
                        first.setdefault(line.origin, number)
            if origin in self._first[file]:
                return Origin(file, line=self._first[file][origin], column=1)
        return None

    def place(self, written: Origin, label: str = "") -> Place:
        """The whole of an emitted line as a place."""
        line = self._line(written)
        text = "" if line is None else line.text
        indent = len(text) - len(text.lstrip())
        number = written.line or 1
        return Place(
            Origin(written.file, line=number, column=indent + 1),
            label=label,
            length=max(len(text.strip()), 1),
        )

    def complain(
        self,
        code: Code,
        written: Origin,
        message: str,
        *,
        others: Iterable[Place] = (),
        notes: Iterable[str] = (),
        help: str | None = None,  # noqa: A002 - as in `Code.at`
    ) -> Diagnostic:
        """A diagnostic of an emitted line, at the place in the spec that the line comes from where there is one."""
        spec = self.spec(written)
        if spec is None:
            return code.at(self.place(written), message, others=others, notes=notes, help=help)
        return code.at(
            Place(spec),
            message,
            others=(self.place(written, "written for it"), *others),
            notes=notes,
            help=help,
        )

    def _line(self, written: Origin) -> Line | None:
        lines = self._lines.get(written.file, ())
        return (
            lines[written.line - 1] if written.line is not None and 0 < written.line <= len(lines) else None
        )
