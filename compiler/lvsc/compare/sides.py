"""The two things that are compared: each made of nodes with origins, from a spec, a built tree, a file or a running host.

What has a reader is taken from its text, so that a comparison rests on what programs will read and not on what lvsc meant.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from lvsc.compare.treatment import N
from lvsc.compile import Compiled
from lvsc.diagnostics import Diagnostic, Origin
from lvsc.graph.graph import HostGraph
from lvsc.graph.nodes import (
    Accept,
    HelperAssignment,
    Marking,
    Node,
    NoTrack,
    RealServer,
    Selector,
    SorryServer,
    SourceNat,
    VirtualService,
)
from lvsc.plugins.artifact import Artifact, Line
from lvsc.plugins.backend import Backend, HostPart, Role, blamed_backend
from lvsc.plugins.manager import Plugins
from lvsc.plugins.reading import Foreign, Source
from lvsc.secrets import HIDDEN

#: What the programs of a role are asked about packets; a text of theirs without it says that there is none.
PACKET_KINDS: Mapping[Role, frozenset[type[Node]]] = {
    Role.PACKET_FILTER: frozenset({Marking, HelperAssignment, NoTrack, SourceNat, Accept}),
    Role.DIRECTOR: frozenset({VirtualService, RealServer, SorryServer}),
}
ALL_ROLES = frozenset(Role)


class OrderedNodes:
    """The nodes of one host by type, in the order in which they were read."""

    __slots__ = ("_by_type",)

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._by_type: dict[type[Node], tuple[Node, ...]] = {}
        groups: dict[type[Node], list[Node]] = {}
        for node in nodes:
            groups.setdefault(type(node), []).append(node)
        self._by_type = {kind: tuple(group) for kind, group in groups.items()}

    def of(self, kind: type[N]) -> tuple[N, ...]:
        """The nodes of exactly this type; of packet rules, the first that matches a packet decides."""
        return self._by_type.get(kind, ())  # type: ignore[return-value]  # the dictionary's key is the value's type

    @property
    def kinds(self) -> frozenset[type[Node]]:
        """The types of which there are nodes."""
        return frozenset(self._by_type)

    def __iter__(self) -> Iterator[Node]:
        for nodes in self._by_type.values():
            yield from nodes

    def __len__(self) -> int:
        return sum(map(len, self._by_type.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something in a text of a program of a role that its reader does not understand."""

    role: Role
    problem: Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSide:
    """What a side says of one host."""

    host: str
    nodes: OrderedNodes
    roles: frozenset[Role]
    """The roles of whose programs it speaks."""
    whole: bool
    """Whether it speaks of every type of node; otherwise of those that decide on packets, and those that it has."""
    readers: tuple[Backend, ...] = ()
    """The backends that read it, in the order of their names."""
    complete: bool = False
    """Whether it has all of their files, so that it speaks of whatever they render."""
    foreign: tuple[Foreign, ...] = ()
    unread: tuple[Unread, ...] = ()
    doubtful: frozenset[Selector] = frozenset()
    """The virtual services of which it is open what they do, because not all of their text is understood."""
    partial: bool = False
    """Whether there may be virtual services that are not understood at all."""

    def understands(self, role: Role) -> bool:
        """Whether all is understood of the texts of a role's programs."""
        return all(unread.role is not role for unread in self.unread)

    def speaks_of(self, kind: type[Node]) -> bool:
        """Whether the absence of a node of the type means that there is none."""
        if self.whole or kind in self.nodes.kinds:
            return True
        return any(kind in PACKET_KINDS.get(role, ()) for role in self.roles)

    def would_say(self, node: Node) -> bool:
        """Whether the absence of such a node means that there is none."""
        kind = type(node)
        if self.whole or any(kind in PACKET_KINDS.get(role, ()) for role in self.roles):
            return True
        # A backend does not say of each node of a type whether it is there: of addresses, only of those that fail over.
        said = self.complete or kind in self.nodes.kinds
        unknown = not self.readers and not self.complete
        return said and (unknown or any(backend.renders(node) for backend in self.readers))


def comparable(node: Node, old: HostSide, new: HostSide) -> bool:
    """Whether a node that only one of two sides has is missing on the other, rather than unsaid."""
    if old.would_say(node) and new.would_say(node):
        return True
    readers, others = ([backend.name for backend in side.readers] for side in (old, new))
    return not old.whole and not new.whole and readers == others


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two sides of a comparison."""

    name: str
    """As it was asked for."""
    hosts: Mapping[str, HostSide]
    lines: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    """The lines of each emitted file, with where in the spec each comes from."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The text of each file, secrets as placeholders, by its host's name and path."""
    unread: frozenset[str] = frozenset()
    """The files among them that no backend reads, so that only their text can be compared."""
    built: bool = False
    """Whether it is what a build wrote: every file of its hosts, as they may be by now."""

    def origin(self, origin: Origin) -> Origin:
        """Where in the spec something comes from that was read in an emitted file; otherwise where it was read."""
        lines = self.lines.get(origin.file)
        if lines is None or origin.line is None or origin.line > len(lines):
            return origin
        return lines[origin.line - 1].origin or origin

    def line(self, origin: Origin) -> str:
        """The text of the line that something was read from; empty where there is none."""
        text = self.lines.get(origin.file)
        if text is None or origin.line is None or origin.line > len(text):
            return ""
        return text[origin.line - 1].text.strip()

    @property
    def whole(self) -> bool:
        """Whether it says all of its hosts: those of a spec, or of a built tree."""
        return self.built or all(host.whole for host in self.hosts.values())

    @property
    def only_host(self) -> str | None:
        """The host's name where the side is of one host."""
        return next(iter(self.hosts)) if len(self.hosts) == 1 else None


def of_compiled(name: str, compiled: Compiled) -> Side:
    """What a spec's emitted files say, and the graph's own nodes where no backend reads them."""
    artifacts: dict[tuple[str, str], list[Artifact]] = {}
    for file in compiled.files:
        artifacts.setdefault((file.host, file.backend), []).append(file.artifact)
    hosts: dict[str, _Collected] = {}
    for backend, parts in compiled.parts.items():
        for part in parts:
            collected = hosts.setdefault(part.host, _Collected(part.host))
            collected.add_part(backend, part, artifacts.get((part.host, backend.name), ()))
    return Side(
        name=name,
        hosts={
            host: hosts[host].side(roles=ALL_ROLES, whole=True) if host in hosts else _silent(graph)
            for host, graph in compiled.lowered.graph.hosts.items()
        },
        lines={file.host + file.artifact.path: file.artifact.lines for file in compiled.files},
        texts={file.host + file.artifact.path: file.artifact.text for file in compiled.files},
        unread=frozenset(file for host in hosts.values() for file in host.unread_files),
    )


def emptied(side: Side) -> Side:
    """The same hosts, of which it says that there is nothing on them."""
    nothing = OrderedNodes(())
    hosts = {
        name: replace(host, nodes=nothing, foreign=(), unread=(), doubtful=frozenset(), partial=False)
        for name, host in side.hosts.items()
    }
    return Side(name="nothing", hosts=hosts)


def of_texts(
    name: str,
    sources: Iterable[Source],
    plugins: Plugins,
    *,
    roles: frozenset[Role] = frozenset(),
    complete: bool = False,
) -> tuple[Side, tuple[Source, ...]]:
    """What texts say that some backend reads, and the texts that none does.

    `roles` are those that every host's texts speak of even where they say nothing; each that a text is read for is added.
    `complete` says that they are all files of their hosts, as a build wrote them.

    Raises:
        PluginError: A backend cannot be imported.
        DiagnosticError: A backend fails.
    """
    backends = [plugins.backend(each) for each in plugins.backend_names]
    sources = tuple(sources)
    speaking = sources if roles or complete else ()
    hosts: dict[str, _Collected] = {source.host: _Collected(source.host) for source in speaking}
    unknown: list[Source] = []
    texts: dict[str, str] = {}
    for found in sources:
        reader = next((backend for backend in backends if _recognises(backend, found)), None)
        source = _hidden(found, reader, backends)
        texts[source.file] = source.text
        if reader is None:
            unknown.append(source)
        else:
            hosts.setdefault(source.host, _Collected(source.host)).add_text(reader, source)
    side = Side(
        name=name,
        hosts={
            host: hosts[host].side(
                roles=hosts[host].roles | roles,
                whole=False,
                complete=complete,
            )
            for host in sorted(hosts)
        },
        unread=frozenset(source.file for source in unknown),
        built=complete,
        lines={
            file: tuple(Line(line) for line in text.replace("\r", "").replace("\0", "").split("\n"))
            for file, text in texts.items()
        },
        texts=texts,
    )
    return side, tuple(unknown)


def _hidden(source: Source, reader: Backend | None, backends: Iterable[Backend]) -> Source:
    """The source without its secrets; without all of its text where nobody knows how to tell them."""
    hidden = source
    for backend in backends if reader is None else (reader,):
        with blamed_backend(backend, source.host):
            hidden = backend.hide(hidden)
    is_known = reader is not None and type(reader).hide is not Backend.hide
    if source.holds_secret and not is_known and hidden.text == source.text:
        return replace(source, text=f"{HIDDEN}\n")
    return hidden


def _recognises(backend: Backend, source: Source) -> bool:
    with blamed_backend(backend, source.host):
        return backend.recognises(source)


class _Collected:
    """What is known of one host so far."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._nodes: list[Node] = []
        self._foreign: list[Foreign] = []
        self._unread: list[Unread] = []
        self.unread_files: list[str] = []
        self._doubtful: frozenset[Selector] = frozenset()
        self._partial = False
        self._readers: dict[str, Backend] = {}
        self.roles: frozenset[Role] = frozenset()

    def add_text(self, backend: Backend, source: Source) -> None:
        with blamed_backend(backend, source.host):
            reading = backend.read(source)
        self._readers[backend.name] = backend
        self.roles |= {backend.role}
        self._nodes += reading.nodes
        self._foreign += reading.foreign
        self._unread += (Unread(role=backend.role, problem=problem) for problem in reading.problems)
        if backend.role is Role.DIRECTOR:
            self._doubtful |= reading.doubtful
            self._partial = self._partial or (reading.partial and bool(reading.problems))

    def add_part(self, backend: Backend, part: HostPart, artifacts: Iterable[Artifact]) -> None:
        before = len(self._nodes)
        sources = [Source(host=part.host, file=part.host + a.path, text=a.text) for a in artifacts]
        readable = [source for source in sources if _recognises(backend, source)]
        self.unread_files += (source.file for source in sources if source not in readable)
        for source in readable:
            self.add_text(backend, source)
        if not readable:
            self._nodes += part.graph
            return
        self._nodes[before:] = _labelled(self._nodes[before:], part.graph)
        # A file that is not read may say the rest (a unit starts the synchronisation), never what decides on packets.
        said = {type(node) for node in self._nodes[before:]} | PACKET_KINDS.get(backend.role, frozenset())
        self._nodes += (node for node in part.graph if type(node) not in said)

    @property
    def readers(self) -> tuple[Backend, ...]:
        return tuple(self._readers[name] for name in sorted(self._readers))

    def side(
        self,
        *,
        roles: frozenset[Role],
        whole: bool,
        complete: bool = False,
    ) -> HostSide:
        return HostSide(
            host=self._host,
            nodes=OrderedNodes(self._nodes),
            roles=roles,
            whole=whole,
            readers=self.readers,
            complete=complete,
            foreign=tuple(self._foreign),
            unread=tuple(self._unread),
            doubtful=self._doubtful,
            partial=self._partial,
        )


def _labelled(nodes: Iterable[Node], graph: HostGraph) -> Iterator[Node]:
    """The nodes with the labels that the graph has for what is the same by its key: few languages write names."""
    servers = {server.sort_key: server.name for server in graph.of(RealServer)}
    services = {service.sort_key: service.service for service in graph.of(VirtualService)}
    for node in nodes:
        if isinstance(node, RealServer):
            yield replace(node, name=servers.get(node.sort_key, node.name))
        elif isinstance(node, VirtualService):
            yield replace(node, service=services.get(node.sort_key, node.service))
        else:
            yield node


def _silent(graph: HostGraph) -> HostSide:
    """A host that no backend has a part of."""
    return HostSide(host=graph.host, nodes=OrderedNodes(graph), roles=ALL_ROLES, whole=True)
