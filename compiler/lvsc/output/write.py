"""Writes a compiled spec's files: all or nothing where it can be, and completed by the next build where it cannot.

First every new content is written beside its file, then each is renamed into place, then what is no longer emitted is
removed, and the manifest comes last. A journal names the files that are written from before the first step until after
the last. So at every moment each file is what it was or what it shall be, and the files that lvsc owns are those that the
manifest or the journal names.
"""

import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lvsc.compile import Compiled
from lvsc.diagnostics import Diagnostic, DiagnosticError, Origin, has_errors
from lvsc.output import codes, journal, manifest
from lvsc.output.files import JOURNAL, MANIFEST, OutputFile, output_files, temporary
from lvsc.output.secrets import Resolve
from lvsc.output.tree import Tree, make_root, remove_directories
from lvsc.secrets import Secret, SecretRef

#: Of the manifest and the journal, which hold no secret.
RECORD_MODE = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReport:
    """What a build did, each file by its path, in order, the manifest among them."""

    written: tuple[Path, ...]
    unchanged: tuple[Path, ...]
    removed: tuple[Path, ...]
    diagnostics: tuple[Diagnostic, ...]
    """Warnings about secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What a file shall be, secrets and all, so its bytes are never shown."""

    source: str
    data: bytes = field(repr=False)
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is to be done, and what an interrupted build left."""

    write: tuple[_Content, ...]
    unchanged: tuple[str, ...]
    left_over: tuple[str, ...]
    """Files that lvsc owns and no longer emits, and that may be gone already."""
    unfinished: frozenset[str] | None
    """What the journal of an interrupted build names; None without a journal."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is to be done."""
        return not self.write and not self.left_over and self.unfinished is None


def write(compiled: Compiled, directory: Path, resolve: Resolve) -> WriteReport:
    """Bring `directory/<cluster>` to what the spec says. Nothing is touched that is as it shall be.

    Raises:
        DiagnosticError: nothing was written; or the system refused in the middle, and the next build completes this one.
    """
    files = output_files(compiled)
    contents, warnings = _contents(files, resolve)
    contents.append(
        _Content(source=MANIFEST, data=manifest.manifest(compiled, files).encode(), mode=RECORD_MODE)
    )
    tree = Tree(directory / compiled.cluster.name)
    made = make_root(tree.root)
    try:
        with tree.locked():
            plan = _plan(tree, contents, compiled.cluster.name)
            removed = () if plan.is_done else _carry_out(tree, plan)
    except BaseException:
        remove_directories(made)
        raise
    return WriteReport(
        written=_paths(tree, (content.source for content in plan.write)),
        unchanged=_paths(tree, plan.unchanged),
        removed=_paths(tree, removed),
        diagnostics=warnings,
    )


def owned(tree: Tree, cluster: str) -> tuple[frozenset[str], frozenset[str] | None]:
    """The files that the last manifest names, and those of an interrupted build's journal, None if none was.

    Raises:
        DiagnosticError: one of the two cannot be read.
    """
    listed: frozenset[str] = frozenset()
    if tree.look(MANIFEST):
        listed = manifest.sources(tree.read(MANIFEST), str(tree.path(MANIFEST)), cluster)
    unfinished = None
    if tree.look(JOURNAL):
        unfinished = journal.sources(tree.read(JOURNAL), str(tree.path(JOURNAL)))
    elif tree.look(temporary(JOURNAL)):
        unfinished = frozenset()
    return listed, unfinished


def resolved(
    files: Iterable[OutputFile], resolve: Resolve
) -> tuple[dict[SecretRef, Secret], list[Diagnostic]]:
    """The secrets of the files, each looked up once, and what there is to say about them and about those that are not there."""
    secrets: dict[SecretRef, Secret] = {}
    problems: list[Diagnostic] = []
    first: dict[SecretRef, OutputFile] = {}
    for file in files:
        for ref in file.secrets:
            first.setdefault(ref, file)
    for ref, file in first.items():
        resolution = resolve(ref, ref.origin or _origin(file, ref))
        problems += resolution.diagnostics
        if resolution.secret is not None:
            secrets[ref] = resolution.secret
    return secrets, problems


def _contents(files: Sequence[OutputFile], resolve: Resolve) -> tuple[list[_Content], tuple[Diagnostic, ...]]:
    """What the files shall be.

    Raises:
        DiagnosticError: a secret cannot be had.
    """
    secrets, problems = resolved(files, resolve)
    if has_errors(problems):
        raise DiagnosticError(problems)
    contents = [
        _Content(source=file.source, data=filled_in(file, secrets).encode(), mode=file.mode) for file in files
    ]
    return contents, tuple(problems)


def _origin(file: OutputFile, ref: SecretRef) -> Origin | None:
    return next((line.origin for line in file.lines if ref.placeholder in line.text), None)


def filled_in(file: OutputFile, secrets: Mapping[SecretRef, Secret]) -> str:
    """The file's text with each secret in place of its placeholder; `secrets` has all of the file's."""
    if not file.secrets:
        return file.text
    values = {ref.placeholder: secrets[ref] for ref in file.secrets}
    # One pass, so that no value is searched for placeholders; the longest first, because one may begin another.
    pattern = "|".join(re.escape(each) for each in sorted(values, key=len, reverse=True))
    return re.sub(pattern, lambda match: values[match[0]].reveal(), file.text)


def _plan(tree: Tree, contents: list[_Content], cluster: str) -> _Plan:
    """What is to be done.

    Raises:
        DiagnosticError: something is in the way; all of it is in the error.
    """
    listed, unfinished = owned(tree, cluster)
    ours = listed | (unfinished or frozenset())
    to_write: list[_Content] = []
    unchanged: list[str] = []
    problems: list[Diagnostic] = []
    for content in contents:
        try:
            if _is_as_it_shall_be(tree, content, ours):
                unchanged.append(content.source)
            else:
                to_write.append(content)
                _require_free(tree, content.source, unfinished)
        except DiagnosticError as error:
            problems += error.diagnostics
    left_over = sorted(ours.difference(content.source for content in contents))
    for source in left_over:
        try:
            tree.look(source)
        except DiagnosticError as error:
            problems += error.diagnostics
    if problems:
        raise DiagnosticError(dict.fromkeys(problems))
    return _Plan(
        write=tuple(to_write), unchanged=tuple(unchanged), left_over=tuple(left_over), unfinished=unfinished
    )


def _is_as_it_shall_be(tree: Tree, content: _Content, ours: frozenset[str]) -> bool:
    status = tree.look(content.source)
    if status is None:
        return False
    if tree.read(content.source) == content.data:
        return stat.S_IMODE(status.st_mode) == content.mode
    if content.source not in ours and content.source != MANIFEST:
        raise _not_ours(tree, content.source)
    return False


def _require_free(tree: Tree, source: str, unfinished: frozenset[str] | None) -> None:
    """The name of the temporary file is free, or an interrupted build's."""
    is_ours = unfinished is not None and (source in unfinished or source == MANIFEST)
    if not is_ours and tree.look(temporary(source)) is not None:
        raise _not_ours(tree, temporary(source))


def _not_ours(tree: Tree, source: str) -> DiagnosticError:
    problem = codes.NOT_OURS.at(
        None,
        f"`{tree.path(source)}` is not lvsc's: no build wrote it",
        help="move it away and build again, or build into another directory with `-o`",
    )
    return DiagnosticError([problem])


def _carry_out(tree: Tree, plan: _Plan) -> tuple[str, ...]:
    """Do what the plan says; returns what was removed."""
    unfinished = plan.unfinished or frozenset()
    sources = [content.source for content in plan.write]
    files = [source for source in sources if source != MANIFEST]
    directories: list[str] = []
    begun = False
    try:
        tree.remove(temporary(JOURNAL))
        text = journal.journal(unfinished.union(files))
        tree.write_temporary(JOURNAL, text.encode(), RECORD_MODE)
        tree.sync(temporary(JOURNAL))
        tree.replace(JOURNAL)
        tree.sync("")
        for source in (*sorted(unfinished), MANIFEST):
            tree.remove(temporary(source))
        for content in plan.write:
            tree.make_directories(content.source, directories)
            tree.write_temporary(content.source, content.data, content.mode)
        # Only now, because a disk that has all of them at hand is many times as fast as one that is given each alone.
        for source in sources:
            tree.sync(temporary(source))
        begun = True
        for source in files:
            tree.replace(source)
        removed = tuple(source for source in plan.left_over if tree.remove(source))
        pruned = [directory for source in plan.left_over for directory in tree.prune(source)]
        changed = (*files, *directories, *plan.left_over, *pruned)
        for directory in sorted({str(PurePosixPath(path).parent) for path in changed}):
            tree.sync(directory)
        if MANIFEST in sources:
            tree.replace(MANIFEST)
        tree.sync("")
        tree.remove(JOURNAL)
    except BaseException:
        with suppress(DiagnosticError):
            for source in (JOURNAL, *sources):
                tree.remove(temporary(source))
            if not begun and plan.unfinished is None:
                remove_directories([tree.path(each) for each in directories])
                tree.remove(JOURNAL)
        raise
    return removed


def _paths(tree: Tree, sources: Iterable[str]) -> tuple[Path, ...]:
    return tuple(tree.path(source) for source in sources)
