"""Asks every program that is installed about every emitted file that it would read."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from lvsc.checkers.checker import Checker, Unjudged
from lvsc.checkers.iptables import LegacyRestore, NftRestore
from lvsc.checkers.keepalived import KeepalivedTest
from lvsc.checkers.nft import NftCheck, NftLoad
from lvsc.checkers.shell import ShellSyntax
from lvsc.checkers.systemd import SystemdVerify
from lvsc.compile import Compiled, EmittedFile
from lvsc.diagnostics import Origin
from lvsc.verify import codes
from lvsc.verify.emitted import Emitted
from lvsc.verify.found import Found, Judgement, LeftOut, together

CHECKERS: tuple[Checker, ...] = (
    NftCheck(),
    NftLoad(),
    LegacyRestore(),
    NftRestore(),
    KeepalivedTest(),
    ShellSyntax(),
    SystemdVerify(),
)
_HELP = "report this defect of the backend, unless this machine's release of the program is too old for the target"


def ask(compiled: Compiled, checkers: Sequence[Checker] = CHECKERS, tree: str | None = None) -> Found:
    """What the programs say. Writes in temporary directories alone, and loads nothing into this machine.

    `tree` is what messages call the cluster's directory.
    """
    emitted = Emitted(tree or compiled.cluster.name, compiled.files)
    return together(found for checker in checkers for found in _asked(checker, compiled.files, emitted))


def _asked(checker: Checker, files: Sequence[EmittedFile], emitted: Emitted) -> Iterator[Found]:
    judged = [file for file in files if checker.judges(file)]
    if not judged:
        return
    why = checker.why_not()
    if why is not None:
        yield Found(left_out=(LeftOut(f"`{checker.name}`", why),))
        return
    for file in judged:
        with TemporaryDirectory(prefix="lvsc-verify-") as directory:
            complaints = checker.complaints(file, Path(directory))
        if isinstance(complaints, Unjudged):
            yield Found(left_out=(LeftOut(f"`{checker.name}`", complaints.why),))
            continue
        name = emitted.name(file)
        diagnostics = tuple(
            emitted.complain(
                codes.REFUSED,
                Origin(name, line=complaint.line or 1, column=1),
                f"`{checker.name}` does not take `{name}`: {complaint.message}",
                help=_HELP,
            )
            for complaint in complaints
        )
        yield Found(
            judgements=(Judgement(name, checker.name),),
            diagnostics=diagnostics,
            texts=emitted.texts(diagnostics),
        )
