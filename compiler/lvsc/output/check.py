"""Compares a tree with what the spec says, without writing; secrets, as far as they are there."""

import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from lvsc.compile import Compiled
from lvsc.diagnostics import Diagnostic, DiagnosticError, has_errors
from lvsc.output import codes
from lvsc.output.files import JOURNAL, MANIFEST, OutputFile, output_files
from lvsc.output.manifest import manifest
from lvsc.output.secrets import Resolve
from lvsc.output.tree import Tree
from lvsc.output.write import RECORD_MODE, filled_in, owned, resolved
from lvsc.secrets import Secret, SecretRef

_VERSION_LINE = re.compile(rb'^  "lvsc": "[^"\n]*"\n', re.MULTILINE)


class DifferenceKind(Enum):
    """How a tree differs from what the spec says."""

    MISSING = "missing"
    DIFFERENT = "different"
    MODE = "mode"
    """The bytes are right, the permissions are not."""
    LEFT_OVER = "left-over"
    """lvsc wrote it and the spec no longer asks for it."""
    UNFINISHED = "unfinished"
    """The journal of a build that was interrupted, or is at work."""
    IN_THE_WAY = "in-the-way"
    """No build can write here before somebody acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference, said of one path."""

    kind: DifferenceKind
    path: Path
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a comparison found."""

    differences: tuple[Difference, ...]
    not_compared: tuple[str, ...]
    """Why a secret was not compared, for each that is not there: only `write` cannot do without it."""
    diagnostics: tuple[Diagnostic, ...]
    """Warnings about secrets."""


def compare(compiled: Compiled, directory: Path, resolve: Resolve) -> Comparison:
    """How `directory/<cluster>` differs from what `write` would make of it.

    Raises:
        DiagnosticError: something in the tree cannot be read, a path is impossible, or a secret is there and cannot be written.
    """
    files = output_files(compiled)
    secrets, not_compared, warnings = _secrets(files, resolve)
    tree = Tree(directory / compiled.cluster.name)
    found: list[Difference] = []
    ours: frozenset[str] | None = None
    try:
        listed, unfinished = owned(tree, compiled.cluster.name)
    except DiagnosticError as error:
        found.append(_in_the_way(tree.path(MANIFEST), error))
    else:
        ours = listed | (unfinished or frozenset())
        if unfinished is not None:
            message = "names a build that was interrupted, or is at work"
            found.append(Difference(kind=DifferenceKind.UNFINISHED, path=tree.path(JOURNAL), message=message))
    for file in files:
        found += _compare_file(tree, file, ours, secrets)
    found += _left_over(tree, (ours or frozenset()).difference(file.source for file in files))
    if ours is not None:
        found += _compare_manifest(tree, manifest(compiled, files).encode())
    return Comparison(differences=tuple(found), not_compared=not_compared, diagnostics=warnings)


def _secrets(
    files: Iterable[OutputFile], resolve: Resolve
) -> tuple[dict[SecretRef, Secret], tuple[str, ...], tuple[Diagnostic, ...]]:
    """The secrets that are there, why others are not, and warnings.

    Raises:
        DiagnosticError: one is there and cannot be written.
    """
    secrets, found = resolved(files, resolve)
    problems = [problem for problem in found if problem.code is not codes.NO_SECRET]
    if has_errors(problems):
        raise DiagnosticError(problems)
    missing = [problem.message for problem in found if problem.code is codes.NO_SECRET]
    return secrets, tuple(f"a secret was not compared: {why}" for why in missing), tuple(problems)


def _compare_file(
    tree: Tree, file: OutputFile, ours: frozenset[str] | None, secrets: Mapping[SecretRef, Secret]
) -> Iterator[Difference]:
    path = tree.path(file.source)
    try:
        status = tree.look(file.source)
    except DiagnosticError as error:
        yield _in_the_way(path, error)
        return
    if status is None:
        yield Difference(kind=DifferenceKind.MISSING, path=path, message="is missing")
        return
    data = tree.read(file.source)
    if not _matches(data, file):
        if ours is None or file.source in ours:
            yield Difference(kind=DifferenceKind.DIFFERENT, path=path, message="is not what the spec says")
        else:
            yield Difference(
                kind=DifferenceKind.IN_THE_WAY, path=path, message="is not lvsc's: no build wrote it"
            )
    elif file.secrets and secrets.keys() >= set(file.secrets) and data != filled_in(file, secrets).encode():
        yield Difference(
            kind=DifferenceKind.DIFFERENT, path=path, message="has another secret than the spec refers to"
        )
    elif (mode := stat.S_IMODE(status.st_mode)) != file.mode:
        yield _mode(path, mode, file.mode)


def _left_over(tree: Tree, sources: Iterable[str]) -> Iterator[Difference]:
    for source in sorted(sources):
        path = tree.path(source)
        try:
            if tree.look(source) is not None:
                yield Difference(
                    kind=DifferenceKind.LEFT_OVER,
                    path=path,
                    message="is left over: the spec no longer asks for it",
                )
        except DiagnosticError as error:
            yield _in_the_way(path, error)


def _compare_manifest(tree: Tree, wanted: bytes) -> Iterator[Difference]:
    path = tree.path(MANIFEST)
    status = tree.look(MANIFEST)
    if status is None:
        yield Difference(kind=DifferenceKind.MISSING, path=path, message="is missing")
    elif _VERSION_LINE.sub(b"", tree.read(MANIFEST), count=1) != _VERSION_LINE.sub(b"", wanted, count=1):
        yield Difference(kind=DifferenceKind.DIFFERENT, path=path, message="is not what the spec says")
    elif (mode := stat.S_IMODE(status.st_mode)) != RECORD_MODE:
        yield _mode(path, mode, RECORD_MODE)


def _matches(data: bytes, file: OutputFile) -> bool:
    """Whether the bytes are the file's text with something that may be a secret for each placeholder."""
    if not file.secrets:
        return data == file.text.encode()
    lengths = {ref.placeholder: ref.max_length for ref in file.secrets}
    placeholders = "|".join(re.escape(each) for each in sorted(lengths, key=len, reverse=True))
    # With a group around it, `split` keeps what it splits at: every second part is a placeholder.
    parts = re.split(f"({placeholders})", file.text)
    pattern = b"".join(
        b"[!-~]{1,%d}" % lengths[part] if number % 2 else re.escape(part.encode())
        for number, part in enumerate(parts)
    )
    return re.fullmatch(pattern, data) is not None


def _mode(path: Path, mode: int, wanted: int) -> Difference:
    return Difference(kind=DifferenceKind.MODE, path=path, message=f"has mode {mode:04o}, not {wanted:04o}")


def _in_the_way(path: Path, error: DiagnosticError) -> Difference:
    """The difference that an obstacle or a broken record is.

    Raises:
        DiagnosticError: the error is of another kind.
    """
    problem = error.diagnostics[0]
    if problem.code not in (codes.OBSTACLE, codes.BROKEN_RECORD):
        raise error
    return Difference(kind=DifferenceKind.IN_THE_WAY, path=path, message=problem.message)
