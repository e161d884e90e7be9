"""The lines that programs read, for the nodes that say the same."""

import json
from collections.abc import Iterable, Iterator

from lvsc.compare.sides import HostSide, Side
from lvsc.diagnostics import Origin
from lvsc.graph.nodes import AddressSelector, Node, RealServer, Selector, SorryServer, VirtualService
from lvsc.graph.traffic import Address
from lvsc.trace.result import Evidence

_DECODER = json.JSONDecoder()


class Lines:
    """Finds the line of a node of one host: the one it was read from, else one that was emitted for it."""

    def __init__(self, side: Side, host: HostSide) -> None:
        self._side = side
        self._host = host.host
        nodes: Iterable[Node] = host.nodes
        read = {node.origin.file for node in nodes if node.origin.line is not None}
        self._emitted: dict[Origin, list[tuple[str, int]]] = {}
        for file, lines in side.lines.items():
            # A file that was read speaks for itself.
            if file in read or not file.startswith(f"{self._host}/"):
                continue
            for number, line in enumerate(lines, start=1):
                if line.origin is not None:
                    self._emitted.setdefault(line.origin, []).append((file, number))

    def of(self, *nodes: Node) -> tuple[Evidence, ...]:
        """The lines that the nodes were read from, in order, each once; a node that was not read has none."""
        found = [self._evidence(node.origin) for node in nodes if node.origin.line is not None]
        return tuple(dict.fromkeys(found))

    def of_service(
        self, service: VirtualService, servers: Iterable[RealServer | SorryServer]
    ) -> tuple[Evidence, ...]:
        """The line that begins a virtual service."""
        if service.origin.line is not None:
            return self.of(service)
        files = {file for server in servers for file, _ in self._emitted.get(server.origin, ())}
        for file, number in self._emitted.get(service.origin, ()):
            if (not files or file in files) and _names(self._text(file, number), service.selector):
                return (self._evidence(Origin(file, line=number, column=1)),)
        return ()

    def of_server(
        self, server: RealServer | SorryServer, service: tuple[Evidence, ...]
    ) -> tuple[Evidence, ...]:
        """The line that begins a real server, which is below its service's."""
        if server.origin.line is not None:
            return self.of(server)
        for head in service:
            for file, number in self._emitted.get(server.origin, ()):
                below = self._path(file) == head.file and number > head.line
                if below and _has(self._text(file, number), server.address):
                    return (self._evidence(Origin(file, line=number, column=1)),)
        return ()

    def _evidence(self, origin: Origin) -> Evidence:
        said = self._side.origin(origin)
        return Evidence(
            file=self._path(origin.file),
            line=origin.line or 1,
            text=_value(self._side.line(origin), (origin.column or 1) - 1),
            key_path=said.path,
        )

    def _text(self, file: str, number: int) -> str:
        return self._side.lines[file][number - 1].text

    def _path(self, file: str) -> str:
        """The path on the host of a file of a tree."""
        inside = file.removeprefix(self._host)
        return inside if inside.startswith("/") else file


def _value(line: str, start: int) -> str:
    """The line; of JSON, which has a whole ruleset on one, the object or list that begins in it."""
    if line[start : start + 1] not in ("{", "["):
        return line
    try:
        _, end = _DECODER.raw_decode(line, start)
    except (ValueError, RecursionError):
        return line
    return line[start:end]


def _names(text: str, selector: Selector) -> bool:
    if isinstance(selector, AddressSelector):
        return _has(text, selector.address)
    return str(selector.mark) in text.split() and not text.lstrip().startswith("#")


def _has(text: str, address: Address) -> bool:
    return any(word == str(address) for word in _addresses(text))


def _addresses(text: str) -> Iterator[str]:
    """The words of a line without the brackets and ports that may be around addresses."""
    for word in text.split():
        if word.startswith("["):
            yield word[1:].partition("]")[0]
        else:
            yield word
            yield word.partition(":")[0]
