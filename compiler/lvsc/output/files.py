"""What is to be written: each emitted file with its place in the tree and the unit that must know of a change."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from lvsc.compile import Compiled, EmittedFile, HostStep
from lvsc.diagnostics import Diagnostic, DiagnosticError
from lvsc.output import codes
from lvsc.plugins.artifact import Line, Stage, is_host_path
from lvsc.secrets import SecretRef

#: Ends the name under which a file is written before it is renamed.
TEMPORARY = ".lvsc-tmp"
#: Stands in the cluster's directory, beside the hosts.
MANIFEST = "manifest.json"
#: Stands beside the manifest while a build is at work, and after one that was interrupted.
JOURNAL = ".lvsc-journal.json"

#: The mode of a file that holds a secret, whatever the artifact says.
SECRET_MODE = 0o600

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """An emitted file as it goes into the tree."""

    host: str
    path: str
    """Absolute, on the host."""
    text: str
    """With placeholders for secrets."""
    lines: tuple[Line, ...]
    mode: int
    secrets: tuple[SecretRef, ...]
    backend: str
    unit: str | None
    """The unit to reload when the file changes, or None where the host has none for it."""

    @property
    def source(self) -> str:
        """Where the file stands, relative to the cluster's directory: its path below its host's name."""
        return self.host + self.path


def output_files(compiled: Compiled) -> tuple[OutputFile, ...]:
    """Every file of a compiled spec, by host and path.

    Raises:
        DiagnosticError: a path is impossible.
    """
    problems = [problem for file in compiled.files if (problem := _impossible(file))]
    sources = {file.host + file.artifact.path for file in compiled.files}
    problems += _files_as_directories(sources)
    if problems:
        raise DiagnosticError(problems)
    units = _units(compiled.steps)
    return tuple(
        OutputFile(
            host=file.host,
            path=file.artifact.path,
            text=file.artifact.text,
            lines=file.artifact.lines,
            mode=SECRET_MODE if file.artifact.secrets else file.artifact.mode,
            secrets=file.artifact.secrets,
            backend=file.backend,
            unit=units.get((file.host, file.backend, file.artifact.stage)),
        )
        for file in compiled.files
    )


def is_source(host: str, path: str) -> bool:
    """Whether a host's name and a path on it make a path that stays below the host's own directory."""
    return (
        _HOST.fullmatch(host) is not None
        and host != MANIFEST
        and is_host_path(path)
        and not any(part.endswith(TEMPORARY) for part in path.split("/"))
    )


def temporary(source: str) -> str:
    """The name under which a file is written first, in the same directory."""
    directory, slash, name = source.rpartition("/")
    return f"{directory}{slash}.{name}{TEMPORARY}"


def parents(source: str) -> tuple[str, ...]:
    """The directories that a file stands in, innermost first, down to its host's."""
    return tuple(str(parent) for parent in PurePosixPath(source).parents)[:-1]


def _impossible(file: EmittedFile) -> Diagnostic | None:
    if is_source(file.host, file.artifact.path):
        return None
    return codes.BAD_PATH.at(
        None,
        f"backend `{file.backend}` asks for a file at {file.artifact.path!r} of host {file.host!r}",
        help="report this defect of the plugin, or choose another backend",
    )


def _files_as_directories(sources: set[str]) -> Iterator[Diagnostic]:
    directories = {parent for source in sources for parent in parents(source)}
    for both in sorted(sources & directories):
        yield codes.BAD_PATH.at(
            None,
            f"`{both}` is to be a file and the directory of another file",
            help="report this defect of the plugin, or choose another backend",
        )


def _units(steps: tuple[HostStep, ...]) -> dict[tuple[str, str, Stage | None], str]:
    """Units by host, backend and stage; without a stage, that of a backend's only step."""
    units: dict[tuple[str, str, Stage | None], str] = {}
    counts: dict[tuple[str, str], int] = {}
    for each in steps:
        counts[each.host, each.backend] = counts.get((each.host, each.backend), 0) + 1
    for each in steps:
        if each.step.unit is not None:
            units.setdefault((each.host, each.backend, each.step.stage), each.step.unit)
            if counts[each.host, each.backend] == 1:
                units[each.host, each.backend, None] = each.step.unit
    return units
