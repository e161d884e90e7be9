"""`systemd-analyze verify`: whether systemd understands a unit."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lvsc.checkers import namespace
from lvsc.checkers.checker import Checker, Complaint, Unjudged, lines_of, written
from lvsc.compile import EmittedFile

_PLACED = re.compile(r"^(\S+?):(\d+): (.*)$")
#: The unit's programs and files are on the director, not on this machine.
_HARMLESS = re.compile(
    r"Command \S+ is not executable|Unit \S+ not found|Failed to open manual|man \S+.*failed"
)


class SystemdVerify(Checker):
    """systemd's own reading of a unit."""

    name = "systemd-analyze verify"

    def judges(self, file: EmittedFile) -> bool:
        """Whether it is a whole unit; a drop-in is read only with what it changes."""
        return file.artifact.path.endswith(".service")

    def why_not(self) -> str | None:
        """Not installed."""
        return None if namespace.find("systemd-analyze") else "no `systemd-analyze` is installed (systemd)"

    def complaints(self, file: EmittedFile, directory: Path) -> Iterable[Complaint] | Unjudged:
        """What it says of this unit; what it says of this machine's own units is none of the file's business."""
        path = written(file, directory)
        program = namespace.find("systemd-analyze") or "systemd-analyze"
        done = namespace.run([program, "verify", "--man=no", str(path)], directory)
        return tuple(_complaints(done.said, path))


def _complaints(said: str, path: Path) -> Iterator[Complaint]:
    for line in lines_of(said):
        placed = _PLACED.match(line)
        if placed and Path(placed[1]).name == path.name:
            yield Complaint(int(placed[2]), placed[3])
        elif line.startswith(f"{path.name}:") and not _HARMLESS.search(line):
            yield Complaint(None, line.removeprefix(f"{path.name}:").strip())
