"""Proves that what was emitted says what the spec asks for: no more, no less, nothing else.

The witness is the backend's reader. Packet filters are compared by what they do to packets, so that another way to say
the same is no difference; everything else node by node.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lvsc.compare.changes import PacketChange
from lvsc.compare.fields import differing, value_words
from lvsc.compare.filters import filter_changes
from lvsc.compare.sides import HostSide, OrderedNodes, Side
from lvsc.compile import Compiled, EmittedFile
from lvsc.diagnostics import Diagnostic, Origin
from lvsc.graph.nodes import Node, PacketRule
from lvsc.packets.diagram import Space
from lvsc.packets.effects import KINDS
from lvsc.plugins.backend import Backend, HostPart, Role
from lvsc.verify import codes
from lvsc.verify.emitted import Emitted
from lvsc.verify.found import Found, Judgement, LeftOut
from lvsc.verify.reading import PartRead, has_reader, read_part

READ_BACK = "read back"
_HELP = "do not load it; report this defect of the backend, or choose another"


def read_filter(compiled: Compiled, emitted: Emitted) -> dict[str, PartRead]:
    """What the chosen packet filter's files say, by host; nothing where it has no reader."""
    own = _by_part(compiled.files)
    return {
        part.host: read_part(backend, own[backend.name, part.host], emitted)
        for backend, parts in compiled.parts.items()
        if backend.role is Role.PACKET_FILTER and has_reader(backend)
        for part in parts
    }


def _by_part(files: Iterable[EmittedFile]) -> dict[tuple[str, str], list[EmittedFile]]:
    """By backend and host."""
    own: dict[tuple[str, str], list[EmittedFile]] = defaultdict(list)
    for file in files:
        own[file.backend, file.host].append(file)
    return own


def read_back(
    compiled: Compiled, emitted: Emitted | None = None, filters: Mapping[str, PartRead] | None = None
) -> Found:
    """What the emitted files say otherwise than the spec, by the backends' own readers.

    `filters` is what was read of the packet filter's files before.
    """
    emitted = emitted or Emitted(compiled.cluster.name, compiled.files)
    filters = read_filter(compiled, emitted) if filters is None else filters
    own = _by_part(compiled.files)
    judgements: list[Judgement] = []
    left_out: list[LeftOut] = []
    diagnostics: list[Diagnostic] = []
    for backend, parts in compiled.parts.items():
        for part in parts:
            files = own[backend.name, part.host]
            if not has_reader(backend):
                why = f"backend `{backend.name}` has no reader"
                if files:
                    left_out.append(LeftOut(f"reading back what `{backend.name}` writes", why))
                continue
            is_filter = backend.role is Role.PACKET_FILTER
            read = filters[part.host] if is_filter else read_part(backend, files, emitted)
            judgements += (Judgement(file, READ_BACK) for file in read.files)
            diagnostics += read.problems
            diagnostics += _differences(backend, part, read, emitted, files)
    return Found(judgements=tuple(judgements), left_out=tuple(left_out), diagnostics=tuple(diagnostics))


def _differences(
    backend: Backend, part: HostPart, read: PartRead, emitted: Emitted, files: Sequence[EmittedFile]
) -> Iterator[Diagnostic]:
    if not read.files and len(part.graph):
        where = Origin(emitted.name(files[0]), line=1, column=1) if files else next(iter(part.graph)).origin
        yield codes.MISREAD.at(
            where,
            f"backend `{backend.name}` recognises none of the files that it writes for `{part.host}`",
            help=_HELP,
        )
        return
    asked, said = frozenset(part.graph), frozenset(read.nodes)
    missing = [node for node in part.graph if node not in said]
    extra = [node for node in dict.fromkeys(read.nodes) if node not in asked]
    if any(type(node) in KINDS for node in (*missing, *extra)):
        yield from _packets(backend, part, read, emitted)
    yield from _nodes(
        [node for node in missing if type(node) not in KINDS],
        [node for node in extra if type(node) not in KINDS],
        read.files,
        emitted,
    )


def _packets(backend: Backend, part: HostPart, read: PartRead, emitted: Emitted) -> Iterator[Diagnostic]:
    """What the rules that were read do otherwise to packets."""
    asked = packet_side("spec", backend, part.host, part.graph)
    said = packet_side("files", backend, part.host, read.nodes)
    pairs = ((side, side.hosts[part.host]) for side in (asked, said))
    for change in filter_changes(Space(), *pairs, services=False):
        yield _packet_change(change, read.files, emitted)


def packet_side(name: str, backend: Backend, host: str, nodes: Iterable[Node]) -> Side:
    """One side of a comparison of packet filters on one host."""
    rules = OrderedNodes(node for node in nodes if isinstance(node, PacketRule))
    return Side(
        name=name,
        hosts={host: HostSide(host=host, nodes=rules, roles=frozenset({backend.role}), whole=False)},
    )


def _packet_change(change: PacketChange, files: Sequence[str], emitted: Emitted) -> Diagnostic:
    asked = next(iter(change.before_origins), None)
    written = next(iter(change.after_origins), None)
    label = f"{change.after}, by this line"
    if written is None and asked is not None:
        written, label = emitted.written_for(asked, files), "written for it"
    file = written.file if written is not None else files[0]
    others = [] if written is None else [emitted.place(written, label)]
    return codes.OTHERWISE.at(
        asked or (emitted.spec(written) if written is not None else None) or Origin(file, line=1, column=1),
        f"packets get another treatment by `{file}` than the spec asks for: {change.after}, where it asks for: {change.before}",
        others=others,
        notes=[f"such a packet is {change.witness}, at {change.witness.hook.value}"],
        help=_HELP,
    )


def _nodes(
    missing: Sequence[Node], extra: Sequence[Node], files: Sequence[str], emitted: Emitted
) -> Iterator[Diagnostic]:
    """A diagnostic for each type of node at each place of the spec."""
    groups: dict[tuple[type[Node], Origin | None], tuple[list[Node], list[Node]]] = {}
    for node in missing:
        groups.setdefault((type(node), node.origin), ([], []))[0].append(node)
    for node in extra:
        spec = emitted.spec(node.origin)
        groups.setdefault((type(node), spec), ([], []))[1].append(node)
    for asked, said in groups.values():
        yield _node(asked, said, files, emitted)


def _node(asked: Sequence[Node], said: Sequence[Node], files: Sequence[str], emitted: Emitted) -> Diagnostic:
    count = max(len(asked), len(said))
    notes = [f"{count} such differences come from this place; this is the first"] if count > 1 else []
    if asked and said:
        fields = ", ".join(
            f"{each.name} is {each.after}, not {each.before}" for each in differing(asked[0], said[0])
        )
        message = f"`{said[0].origin.file}` says otherwise of a {words(asked[0])} than the spec: {fields}"
    elif asked:
        message = f"`{files[0]}` does not say what the spec asks for: {value_words(asked[0])}"
    else:
        message = f"`{said[0].origin.file}` says what the spec does not ask for: {value_words(said[0])}"
    written = said[0].origin if said else emitted.written_for(asked[0].origin, files)
    if written is None:
        return codes.OTHERWISE.at(asked[0].origin, message, notes=notes, help=_HELP)
    if asked:
        label = "written for it"
        return codes.OTHERWISE.at(
            asked[0].origin, message, others=[emitted.place(written, label)], notes=notes, help=_HELP
        )
    return emitted.complain(codes.OTHERWISE, written, message, notes=notes, help=_HELP)


def words(node: Node) -> str:
    """What a type of node is called: `real server`."""
    return node.said or re.sub(r"(?<=.)(?=[A-Z])", " ", type(node).__name__).lower()
