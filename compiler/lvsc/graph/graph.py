"""The rule graph: the nodes of a cluster, by host and type."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from lvsc.graph.nodes import Node

N = TypeVar("N", bound=Node)


class HostGraph:
    """The part of a rule graph that lives on one host. Immutable; nodes of a type come in their `sort_key` order."""

    __slots__ = ("_by_type", "host")

    def __init__(self, host: str, nodes: Iterable[Node]) -> None:
        self.host = host
        groups: dict[type[Node], list[Node]] = {}
        for node in nodes:
            groups.setdefault(type(node), []).append(node)
        self._by_type: Mapping[type[Node], tuple[Node, ...]] = {
            kind: _in_order(groups[kind]) for kind in sorted(groups, key=_type_name)
        }

    def part(self, nodes: Iterable[Node]) -> "HostGraph":
        """The graph of some of these nodes, which come in this graph's own order."""
        groups: dict[type[Node], list[Node]] = {}
        for node in nodes:
            groups.setdefault(type(node), []).append(node)
        part = HostGraph(self.host, ())
        part._by_type = {kind: tuple(groups[kind]) for kind in groups}
        return part

    def of(self, kind: type[N]) -> tuple[N, ...]:
        """The nodes of exactly this type, in order."""
        return self._by_type.get(kind, ())  # type: ignore[return-value]  # the dictionary's key is the value's type

    def one(self, kind: type[N]) -> N | None:
        """The only node of this type, or None.

        Raises:
            ValueError: There are several.
        """
        nodes = self.of(kind)
        if len(nodes) > 1:
            raise ValueError(f"{self.host} has {len(nodes)} nodes of type {kind.__name__}")
        return nodes[0] if nodes else None

    def __iter__(self) -> Iterator[Node]:
        for nodes in self._by_type.values():
            yield from nodes

    def __len__(self) -> int:
        return sum(map(len, self._by_type.values()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HostGraph):
            return NotImplemented
        return self.host == other.host and self._by_type == other._by_type

    __hash__ = None  # type: ignore[assignment]  # equality is by content, which is too large to hash

    def __repr__(self) -> str:
        return f"HostGraph({self.host!r}, {len(self)} nodes)"


@dataclass(frozen=True, slots=True)
class RuleGraph:
    """All nodes of one cluster, keyed by the host that each lives on. Equal nodes are one node."""

    hosts: Mapping[str, HostGraph]

    @classmethod
    def from_nodes(cls, nodes: Iterable[Node]) -> "RuleGraph":
        """The graph of these nodes; hosts in alphabetical order."""
        groups: dict[str, list[Node]] = {}
        for node in nodes:
            groups.setdefault(node.host, []).append(node)
        return cls(MappingProxyType({host: HostGraph(host, groups[host]) for host in sorted(groups)}))

    def of(self, kind: type[N]) -> Iterator[N]:
        """The nodes of exactly this type on every host."""
        for part in self.hosts.values():
            yield from part.of(kind)

    def __iter__(self) -> Iterator[Node]:
        for part in self.hosts.values():
            yield from part

    def __len__(self) -> int:
        return sum(map(len, self.hosts.values()))


def _in_order(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes sorted, equal ones once, of which the first stays."""
    ordered: list[Node] = []
    tied: list[Node] = []
    last: object = None
    for key, node in sorted(((node.sort_key, node) for node in nodes), key=_first):
        if key != last:
            ordered += _untied(tied)
            tied = []
            last = key
        tied.append(node)
    ordered += _untied(tied)
    return tuple(ordered)


def _untied(nodes: list[Node]) -> list[Node]:
    """Nodes of one sort key in an order of their own. Only they can be equal, so only they are hashed, which is slow."""
    return nodes if len(nodes) < 2 else sorted(dict.fromkeys(nodes), key=repr)  # noqa: PLR2004 - one cannot tie


def _first(keyed: tuple[tuple[object, ...], Node]) -> tuple[object, ...]:
    return keyed[0]


def _type_name(kind: type[Node]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
