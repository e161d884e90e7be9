"""Reads emitted files with the readers of their backends."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lvsc.compile import EmittedFile
from lvsc.diagnostics import Diagnostic, Origin, Severity
from lvsc.graph.nodes import Node
from lvsc.plugins.backend import Backend
from lvsc.plugins.reading import Source
from lvsc.verify import codes
from lvsc.verify.emitted import Emitted

_DEFECT = "report this defect of the backend"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRead:
    """What a backend's files of one host say, to its own reader."""

    files: tuple[str, ...]
    """The files that were read."""
    nodes: tuple[Node, ...]
    """In the order in which they were read; of packet rules, the first that matches a packet decides."""
    problems: tuple[Diagnostic, ...]
    """Errors alone."""


def has_reader(backend: Backend) -> bool:
    """Whether the backend reads its language."""
    return type(backend).read is not Backend.read


def read_part(backend: Backend, files: Iterable[EmittedFile], emitted: Emitted) -> PartRead:
    """Read a backend's files of one host; those in another language than the reader's are passed over."""
    names: list[str] = []
    nodes: list[Node] = []
    problems: list[Diagnostic] = []
    for file in files:
        source = Source(host=file.host, file=emitted.name(file), text=file.artifact.text)
        try:
            if not backend.recognises(source):
                continue
            names.append(source.file)
            reading = backend.read(source)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and must be named for it
            problems.append(_failed(backend, source, error))
            continue
        nodes += reading.nodes
        problems += (_relocated(problem, source, emitted) for problem in reading.problems)
        problems += (
            emitted.complain(
                codes.MISREAD,
                foreign.origin,
                f"backend `{backend.name}` takes `{foreign.text}`, which it wrote itself, for somebody else's",
                help=_DEFECT,
            )
            for foreign in reading.foreign
            if foreign.touches
        )
    return PartRead(
        files=tuple(names),
        nodes=tuple(nodes),
        problems=tuple(problem for problem in problems if problem.severity is Severity.ERROR),
    )


def _failed(backend: Backend, source: Source, error: Exception) -> Diagnostic:
    return codes.MISREAD.at(
        Origin(source.file, line=1, column=1),
        f"backend `{backend.name}` fails to read what it wrote: {type(error).__name__}: {error}",
        help=_DEFECT,
    )


def _relocated(problem: Diagnostic, source: Source, emitted: Emitted) -> Diagnostic:
    """A reader's problem at the place in the spec that its line comes from."""
    written = Origin(source.file, line=1, column=1) if problem.place is None else problem.place.origin
    moved = emitted.complain(
        problem.code, written, problem.message, others=problem.others, notes=problem.notes, help=_DEFECT
    )
    return moved if moved.others or problem.place is None else replace(moved, place=problem.place)
