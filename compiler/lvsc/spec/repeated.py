"""Finds the key or table that a TOML text gives twice, which `tomllib` notices but says no exact place of."""

from dataclasses import dataclass, field
from enum import Enum, auto

from tree_sitter import Node

from lvsc.diagnostics import KeyPath
from lvsc.spec.locate import SourceTree
from lvsc.spec.span import Span


@dataclass(frozen=True, slots=True)
class Repeated:
    """A key path, where it is given first, and where again."""

    path: KeyPath
    first: Span
    again: Span


class _By(Enum):
    """By what a path was given."""

    VALUE = auto()
    DOTTED_KEY = auto()
    HEADER = auto()
    LONGER_HEADER = auto()
    LIST_HEADER = auto()


def find_repeated(text: str) -> Repeated | None:
    """The first path in the text that is given twice, or None where there is none."""
    search = _Search(SourceTree(text))
    for node in search.tree.root.named_children:
        found = (
            search.header(node) if node.type in ("table", "table_array_element") else search.pair((), node)
        )
        if found:
            return found
    return None


@dataclass(slots=True)
class _Search:
    tree: SourceTree
    given: dict[KeyPath, tuple[_By, Node]] = field(default_factory=dict)
    headers: dict[KeyPath, int] = field(default_factory=dict)
    """How many headers in double brackets name a path."""

    def header(self, table: Node) -> Repeated | None:
        names = self.tree.names(table)
        path: KeyPath = ()
        for position, (name, node) in enumerate(names):
            path = (*path, name)
            last = position == len(names) - 1
            if not last:
                found = self._give(path, node, _By.LONGER_HEADER, unless=(_By.VALUE,))
            elif table.type == "table":
                found = self._give(path, node, _By.HEADER, unless=tuple(set(_By) - {_By.LONGER_HEADER}))
            else:
                found = self._give(path, node, _By.LIST_HEADER, unless=tuple(set(_By) - {_By.LIST_HEADER}))
                self.headers[path] = self.headers.get(path, 0) + 1
            if found:
                return found
            if path in self.headers:
                path = (*path, self.headers[path] - 1)
        return self._pairs(path, table)

    def pair(self, path: KeyPath, pair: Node) -> Repeated | None:
        value = self.tree.value(pair)
        if value is None:
            return None
        names = self.tree.names(pair)
        for position, (name, node) in enumerate(names):
            path = (*path, name)
            last = position == len(names) - 1
            by = _By.VALUE if last else _By.DOTTED_KEY
            found = self._give(path, node, by, unless=tuple(_By if last else set(_By) - {_By.DOTTED_KEY}))
            if found:
                return found
        return self._value(path, value)

    def _value(self, path: KeyPath, value: Node) -> Repeated | None:
        if value.type == "inline_table":
            return self._pairs(path, value)
        if value.type == "array":
            items = [node for node in value.named_children if node.type != "comment"]
            return next(
                filter(None, (self._value((*path, index), item) for index, item in enumerate(items))), None
            )
        return None

    def _pairs(self, path: KeyPath, node: Node) -> Repeated | None:
        return next(filter(None, (self.pair(path, child) for child in node.named_children)), None)

    def _give(self, path: KeyPath, node: Node, by: _By, unless: tuple[_By, ...]) -> Repeated | None:
        before = self.given.get(path)
        if before is not None and before[0] in unless:
            return Repeated(path, self.tree.span(before[1]), self.tree.span(node))
        if before is None or by is not _By.LONGER_HEADER:
            self.given[path] = (by, node)
        return None
