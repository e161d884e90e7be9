"""Proves that every packet filter which can render a spec does the same to every packet, from their text."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from lvsc.analysis.features import missing_features
from lvsc.compare.changes import PacketChange
from lvsc.compare.filters import filter_changes
from lvsc.compile import Compiled, EmittedFile
from lvsc.diagnostics import Diagnostic, Origin, has_errors
from lvsc.packets.diagram import Space
from lvsc.plugins.artifact import Artifact
from lvsc.plugins.backend import Backend, HostPart, Role, blamed_backend
from lvsc.plugins.manager import Plugins
from lvsc.targets import load
from lvsc.verify import codes
from lvsc.verify.emitted import Emitted
from lvsc.verify.found import Found, Judgement, LeftOut, together
from lvsc.verify.readback import packet_side
from lvsc.verify.reading import PartRead, has_reader, read_part


def compare_filters(
    compiled: Compiled, plugins: Plugins, emitted: Emitted, filters: Mapping[str, PartRead]
) -> Found:
    """What the packet filters do differently to packets, and which could not be compared.

    `filters` is what was read of the chosen one's files, by host; its own problems are told by the reading back.

    Raises:
        PluginError: A backend cannot be imported.
        DiagnosticError: A backend fails.
    """
    chosen = next((backend for backend in compiled.parts if backend.role is Role.PACKET_FILTER), None)
    parts = compiled.parts.get(chosen, ()) if chosen is not None else ()
    if chosen is None or not parts:
        return Found()
    read: dict[str, tuple[Mapping[str, PartRead], Emitted]] = {}
    left_out: list[LeftOut] = []
    unread = None if has_reader(chosen) else f"backend `{chosen.name}` has no reader"
    if unread is None:
        read[chosen.name] = filters, emitted
    for backend in _others(chosen, plugins):
        why = unread or _why_not(backend, parts, compiled)
        if why is None:
            other, found = _rendered(backend, parts, emitted.tree)
            problem = next((problem for each in found.values() for problem in each.problems), None)
            why = None if problem is None else problem.message
        if why is not None:
            what = f"comparing the packet filters `{chosen.name}` and `{backend.name}`"
            left_out.append(LeftOut(what, why))
            continue
        read[backend.name] = found, other
    return together((Found(left_out=tuple(left_out)), *_compared(chosen, read, plugins)))


def _rendered(
    backend: Backend, parts: tuple[HostPart, ...], tree: str
) -> tuple[Emitted, dict[str, PartRead]]:
    """What another packet filter would write, and what its files say by host."""
    files = {
        part.host: [
            EmittedFile(host=part.host, backend=backend.name, artifact=artifact)
            for artifact in _emitted(backend, part)
        ]
        for part in parts
    }
    emitted = Emitted(tree, (file for own in files.values() for file in own))
    return emitted, {host: read_part(backend, own, emitted) for host, own in files.items()}


def _emitted(backend: Backend, part: HostPart) -> tuple[Artifact, ...]:
    with blamed_backend(backend, part.host):
        return backend.emit(part).artifacts


def _others(chosen: Backend, plugins: Plugins) -> Iterator[Backend]:
    for name in plugins.backend_names:
        backend = plugins.backend(name)
        if backend.role is Role.PACKET_FILTER and backend.name != chosen.name:
            yield backend


def _why_not(backend: Backend, parts: tuple[HostPart, ...], compiled: Compiled) -> str | None:
    """Why a packet filter cannot be compared; None where it can."""
    if not has_reader(backend):
        return f"backend `{backend.name}` has no reader"
    for part in parts:
        with blamed_backend(backend, part.host):
            strange = next((node for node in part.graph if not backend.renders(node)), None)
        if strange is not None:
            return f"`{backend.name}` does not render {type(strange).__name__}"
    own = {backend: parts}
    problems = [*missing_features(own, (), load(compiled.cluster.target))]
    if not has_errors(problems):
        for part in parts:
            with blamed_backend(backend, part.host):
                problems += backend.check(part)
    first = next((problem for problem in problems if has_errors([problem])), None)
    return None if first is None else first.message


def _compared(
    chosen: Backend, read: Mapping[str, tuple[Mapping[str, PartRead], Emitted]], plugins: Plugins
) -> Iterator[Found]:
    for one, other in pairwise(read):
        backends = plugins.backend(one), plugins.backend(other)
        (parts_one, emitted_one), (parts_other, emitted_other) = read[one], read[other]
        for host, part in parts_one.items():
            sides = (
                packet_side(backend.name, backend, host, nodes)
                for backend, nodes in zip(backends, (part.nodes, parts_other[host].nodes), strict=True)
            )
            changes = filter_changes(Space(), *((side, side.hosts[host]) for side in sides), services=False)
            diagnostics = tuple(
                _diagnostic(change, (one, other), (emitted_one, emitted_other)) for change in changes
            )
            yield Found(
                judgements=tuple(Judgement(file, f"equal to {other}") for file in part.files)
                if one == chosen.name
                else (),
                diagnostics=diagnostics,
                texts=emitted_one.texts(diagnostics) | emitted_other.texts(diagnostics),
            )


def _diagnostic(change: PacketChange, names: tuple[str, str], emitted: tuple[Emitted, Emitted]) -> Diagnostic:
    places = []
    spec: Origin | None = None
    for origins, name, each in zip(
        (change.before_origins, change.after_origins), names, emitted, strict=True
    ):
        for origin in origins:
            spec = spec or each.spec(origin)
            places.append(each.place(origin, f"of {name}"))
    (host,) = change.hosts
    return codes.FILTERS_DIFFER.at(
        spec,
        f"on `{host}`, `{names[0]}` and `{names[1]}` treat packets differently: {change.before}, and {change.after}",
        others=places,
        notes=[f"such a packet is {change.witness}, at {change.witness.hook.value}"],
        help="report this defect of one of the two backends",
    )
