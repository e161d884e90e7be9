"""`sh -n`: whether a script is one to the shell, without running it."""

import re
from collections.abc import Iterable
from pathlib import Path

from lvsc.checkers import namespace
from lvsc.checkers.checker import Checker, Complaint, Unjudged, lines_of, written
from lvsc.compile import EmittedFile

_FIRST_LINE = re.compile(r"#!\s*(?:/bin/sh|/sbin/openrc-run)\b")
#: dash: `file: 3: Syntax error`; bash and busybox: `file: line 3: syntax error`.
_PLACED = re.compile(r"^.*?: (?:line )?(\d+): (.*)$")


class ShellSyntax(Checker):
    """The shell's own reading of a script."""

    name = "sh -n"

    def judges(self, file: EmittedFile) -> bool:
        """Whether it is a script of the shell, or of OpenRC, which is one."""
        first = file.artifact.lines[0].text if file.artifact.lines else ""
        return file.artifact.path.endswith(".sh") or _FIRST_LINE.match(first) is not None

    def why_not(self) -> str | None:
        """No shell."""
        return None if namespace.find("sh") else "no `sh` is installed"

    def complaints(self, file: EmittedFile, directory: Path) -> Iterable[Complaint] | Unjudged:
        """The first complaint."""
        done = namespace.run([namespace.find("sh") or "sh", "-n", str(written(file, directory))], directory)
        said = list(lines_of(done.said))
        if not said and done.code == 0:
            return ()
        placed = _PLACED.match(said[0]) if said else None
        if placed is None:
            return (Complaint(None, said[0] if said else f"sh ends with {done.code}"),)
        return (Complaint(int(placed[1]), placed[2]),)
