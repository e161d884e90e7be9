"""The way through, from a spec's text to the files of every host. Pure: text in, text out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from lvsc import targets
from lvsc.analysis.choice import choose_backends
from lvsc.analysis.codes import SAME_FILE
from lvsc.analysis.features import missing_features
from lvsc.analysis.lints import lint, lint_sayable
from lvsc.analysis.partition import partition
from lvsc.blame import DEFECT, FAILED
from lvsc.diagnostics import Diagnostic, DiagnosticError, Place, Severity, has_errors, nearest
from lvsc.lowering.lower import lower
from lvsc.lowering.lowered import Lowered
from lvsc.plugins.artifact import Artifact, LoadStep, is_host_path
from lvsc.plugins.backend import Backend, HostPart, blamed_backend
from lvsc.plugins.manager import Plugins
from lvsc.spec import model_codes
from lvsc.spec.check import check
from lvsc.spec.load import load
from lvsc.spec.model import Cluster
from lvsc.spec.read import Document, read
from lvsc.spec.salvage import salvage
from lvsc.spec.schema import generate


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a command overrides."""

    target: str | None = None
    backends: tuple[str, ...] = ()
    managing_all: bool = False
    """Whether real servers that somebody else manages get files, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedFile:
    """A file for a host, and the backend that made it."""

    host: str
    backend: str
    artifact: Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStep:
    """A step of loading on a host, and the backend that asks for it."""

    host: str
    backend: str
    step: LoadStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A spec that compiles: its graph, who renders what, and everything that is emitted."""

    lowered: Lowered
    targets: Mapping[str, targets.Target]
    """Each host's target."""
    parts: Mapping[Backend, tuple[HostPart, ...]]
    files: tuple[EmittedFile, ...]
    """By host and path."""
    steps: tuple[HostStep, ...]
    """By host, in loading order."""
    diagnostics: tuple[Diagnostic, ...]
    """Warnings and notes."""

    @property
    def cluster(self) -> Cluster:
        """The cluster."""
        return self.lowered.cluster


def compile_spec(text: str, file: str, plugins: Plugins, options: Options | None = None) -> Compiled:
    """Compile the text of a spec.

    Raises:
        DiagnosticError: The spec has errors; all that were found are in it, warnings too.
    """
    options = options or Options()
    lowered = analyse(text, file, plugins, options)
    problems = list(lowered.diagnostics)
    host_targets = {host: targets.load(name) for host, name in lowered.targets.items()}
    director_target = targets.load(lowered.cluster.target)
    with _beside(problems):
        backends = choose_backends(lowered, director_target, plugins, options.backends)
        parts, unrendered = partition(lowered.graph, backends, host_targets, lowered.cluster.name, plugins)
        problems += unrendered
        problems += missing_features(parts, lowered.services, director_target)
        if not has_errors(problems):
            # A backend may rely on its target's features, so it is asked only where they are there.
            for backend, part in _each(parts):
                with blamed_backend(backend, part.host):
                    problems += backend.check(part)
        if not has_errors(problems):
            problems += lint_sayable(lowered)
    if has_errors(problems):
        raise DiagnosticError(problems)
    with _beside(problems):
        files, steps = _emit(parts)
    return Compiled(
        lowered=lowered,
        targets=host_targets,
        parts=parts,
        files=files,
        steps=steps,
        diagnostics=tuple(problems),
    )


def analyse(text: str, file: str, plugins: Plugins, options: Options | None = None) -> Lowered:
    """Read, check, model, lower and lint a spec; its diagnostics are warnings and notes.

    Raises:
        DiagnosticError: The spec has errors.
    """
    document = read(text, file)
    problems: list[Diagnostic] = list(check(document, generate(plugins.fragments)))
    if has_errors(problems):
        raise DiagnosticError((*problems, *_further_errors(document, problems, plugins, options)))
    with _beside(problems):
        cluster, found = load(document.values, file, plugins.kinds)
    problems += found
    if options is not None and options.target is not None:
        cluster = replace(cluster, target=options.target)
    if options is not None and options.managing_all:
        cluster = cluster.managing_all()
    problems += _unknown_targets(cluster, given=options is not None and options.target is not None)
    if has_errors(problems):
        raise DiagnosticError(problems)
    with _beside(problems):
        lowered = lower(cluster, plugins.kinds)
        problems += lowered.diagnostics
        problems += lint(lowered)
        if not has_errors(problems):
            problems += plugins.lint(lowered)
    if has_errors(problems):
        raise DiagnosticError(problems)
    return replace(lowered, diagnostics=tuple(problems))


def _further_errors(
    document: Document, problems: Sequence[Diagnostic], plugins: Plugins, options: Options | None
) -> list[Diagnostic]:
    """The errors in the sound part of a document that does not fit the schema, so that one run names every mistake."""
    rest = salvage(document.values, problems)
    if not rest.loadable:
        return []
    try:
        cluster, found = load(rest.values, document.file, plugins.kinds)
        given = options is not None and options.target is not None
        further = [*found, *_unknown_targets(cluster, given=given)]
        if rest.lowerable and not has_errors(further):
            whole = tuple(s for s in cluster.services if s.origin.path not in rest.incomplete)
            lowered = lower(replace(cluster, services=whole), plugins.kinds)
            further += [*lowered.diagnostics, *lint(lowered)]
    except DiagnosticError:
        # A service kind may rely on what the schema promises it.
        return []
    return [d for d in further if d.severity is Severity.ERROR and not rest.concerns(d)]


def _unknown_targets(cluster: Cluster, *, given: bool) -> list[Diagnostic]:
    wanted: dict[str, Place | None] = {}
    for pool in cluster.pools.values():
        for server in pool.real_servers:
            if server.target and server.target not in wanted:
                wanted[server.target] = Place(server.at("target"))
    wanted[cluster.target] = None if given else Place(cluster.origin / "target")
    problems: list[Diagnostic] = []
    for name, place in wanted.items():
        try:
            targets.load(name)
        except targets.UnknownTarget:
            near = nearest(name, targets.names())
            problems.append(
                model_codes.UNKNOWN_TARGET.at(
                    place,
                    f"there is no target `{name}`",
                    help=f"did you mean `{near}`?" if near else "`lvsc targets` lists them",
                    replacement=f'"{near}"' if near and place else None,
                    trouble=place is None,
                )
            )
    return problems


def _emit(
    parts: Mapping[Backend, tuple[HostPart, ...]],
) -> tuple[tuple[EmittedFile, ...], tuple[HostStep, ...]]:
    files: dict[tuple[str, str], EmittedFile] = {}
    steps: list[HostStep] = []
    defects: list[Diagnostic] = []
    for backend, part in _each(parts):
        with blamed_backend(backend, part.host):
            emission = backend.emit(part)
        for artifact in emission.artifacts:
            file = EmittedFile(host=part.host, backend=backend.name, artifact=artifact)
            if not is_host_path(artifact.path):
                said = f"backend `{backend.name}` asks for a file at {artifact.path!r} of `{part.host}`"
                defects.append(FAILED.at(None, said, help=DEFECT))
            other = files.setdefault((part.host, artifact.path), file)
            if other is not file:
                said = f"backends `{other.backend}` and `{backend.name}` both write `{artifact.path}` of `{part.host}`"
                defects.append(SAME_FILE.at(None, said, help=DEFECT, trouble=True))
        steps += [HostStep(host=part.host, backend=backend.name, step=step) for step in emission.steps]
    if defects:
        raise DiagnosticError(defects)
    steps.sort(key=lambda s: (s.host, s.step.stage.position, s.backend))
    return tuple(files[key] for key in sorted(files)), tuple(steps)


def _each(parts: Mapping[Backend, tuple[HostPart, ...]]) -> Iterator[tuple[Backend, HostPart]]:
    return ((backend, part) for backend, own in parts.items() for part in own)


@contextmanager
def _beside(problems: Sequence[Diagnostic]) -> Iterator[None]:
    """Errors that are raised within are raised together with those known by then."""
    try:
        yield
    except DiagnosticError as error:
        raise DiagnosticError((*problems, *error.diagnostics)) from error
