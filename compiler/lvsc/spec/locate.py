"""Finds where in a spec's text a key path stands. Only a diagnostic needs to know, so nothing else imports this."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_toml
from tree_sitter import Language, Node, Parser, Point

from lvsc.diagnostics import Anchor, KeyPath, Step
from lvsc.spec.span import Span


@dataclass(slots=True)
class _Item:
    """What stands at one key path. A node is None where the text has none of the kind."""

    key: Node | None = None
    value: Node | None = None
    header: Node | None = None
    bodies: list[Node] = field(default_factory=list)
    """Nodes that the children are yet to be read from: most are never asked for."""
    children: dict[Step, "_Item"] = field(default_factory=dict)
    headers: int = 0
    """How many headers in double brackets name it."""


class Locator:
    """Maps the key paths of one TOML text to spans.

    A path that the text does not have is found at the nearest parent that it has. Text that is not TOML is no error:
    what can be made out in it is found.
    """

    def __init__(self, text: str) -> None:
        self._text = SourceTree(text)
        self._root = _Item(bodies=[self._text.root])
        for node in self._text.root.named_children:
            if node.type in ("table", "table_array_element"):
                self._add_header(node)

    def span(self, path: KeyPath, anchor: Anchor) -> Span:
        """The span of what stands at the path: its key, its value, or the header of its table.

        A list's item has no key, and a table of several parts no value: its header, or else its key, stands for it.
        """
        item = self._root
        for step in path:
            child = self._open(item).get(step)
            if child is None:
                anchor = Anchor.TABLE
                break
            item = child
        order = {
            Anchor.KEY: (item.key, item.value, item.header),
            Anchor.VALUE: (item.value, item.header, item.key),
            Anchor.TABLE: (item.header, item.value, item.key),
        }[anchor]
        node = next((node for node in order if node is not None), None)
        if node is None:
            return Span(1, 1, 1, 1)
        if node is item.header and anchor is not Anchor.KEY:
            return self._text.header_span(node)
        return self._text.span(node)

    def leaves(self) -> Iterator[tuple[KeyPath, Span]]:
        """Each value that is neither a table nor a list: its path and its span, in no order."""
        pending: list[tuple[KeyPath, _Item]] = [((), self._root)]
        while pending:
            path, item = pending.pop()
            pending += [((*path, step), child) for step, child in self._open(item).items()]
            if item.value is not None and item.value.type not in ("array", "inline_table"):
                yield path, self._text.span(item.value)

    def _add_header(self, table: Node) -> None:
        names = self._text.names(table)
        item = self._root
        for position, (name, node) in enumerate(names):
            item = item.children.setdefault(name, _Item(key=node))
            if item.headers and position < len(names) - 1:
                item = item.children[item.headers - 1]
        if table.type == "table_array_element" and names:
            item.headers += 1
            item = item.children.setdefault(item.headers - 1, _Item(key=names[-1][1]))
        item.header = item.header or table
        item.bodies.append(table)

    def _open(self, item: _Item) -> dict[Step, _Item]:
        """The item's children, all of them."""
        bodies, item.bodies = item.bodies, []
        for body in bodies:
            if body.type == "array":
                values = (node for node in body.named_children if node.type != "comment")
                item.children |= {index: _valued(_Item(), node) for index, node in enumerate(values)}
                continue
            for pair in body.named_children:
                value = self._text.value(pair)
                names = self._text.names(pair)
                if value is None or not names:
                    continue
                at = item
                for name, node in names:
                    at = at.children.setdefault(name, _Item(key=node))
                if at.value is None:
                    _valued(at, value)
        return item.children


class SourceTree:
    """The syntax tree of one TOML text, with what its nodes mean."""

    def __init__(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self._lines = data.split(b"\n")
        # The grammar wants each line ended.
        self.root = Parser(Language(tree_sitter_toml.language())).parse(data + b"\n").root_node

    def names(self, node: Node) -> list[tuple[str, Node]]:
        """The parts of the key of a pair or of a table's header, each with its own node."""
        if node.named_child_count == 0:
            return []
        return [(_name(part), part) for part in _parts(node.named_child(0))]

    def value(self, node: Node) -> Node | None:
        """The node of a pair's value; None where the node is no whole pair."""
        if node.type != "pair":
            return None
        found = [child for child in node.named_children if child.type != "comment"]
        return found[1] if len(found) > 1 else None

    def span(self, node: Node) -> Span:
        """Where the node stands."""
        return self._between(node.start_point, node.end_point)

    def header_span(self, table: Node) -> Span:
        """Where the brackets of a table's header stand, and what is between them."""
        end = next((child for child in table.children if child.type in ("]", "]]")), table)
        return self._between(table.start_point, end.end_point)

    def _between(self, start: Point, end: Point) -> Span:
        return Span(start.row + 1, self._column(start), end.row + 1, self._column(end))

    def _column(self, point: Point) -> int:
        before = self._lines[point.row][: point.column] if point.row < len(self._lines) else b""
        return len(before.decode("utf-8", "replace")) + 1


def _valued(item: _Item, value: Node) -> _Item:
    item.value = value
    if value.type in ("array", "inline_table"):
        item.bodies.append(value)
    return item


def _parts(key: Node | None) -> Iterator[Node]:
    # A key of many parts is a tree as deep: its first child has all of them but the last.
    pending = [key]
    while pending:
        node = pending.pop()
        if node is None:
            continue
        if node.type == "dotted_key":
            pending += reversed(node.named_children)
        elif node.type in ("bare_key", "quoted_key"):
            yield node


def _name(part: Node) -> str:
    text = (part.text or b"").decode("utf-8", "replace")
    if part.type == "bare_key":
        return text
    if text.startswith("'") or "\\" not in text:
        return text[1:-1]
    import tomllib  # noqa: PLC0415 - few keys have an escape in them

    try:
        return next(iter(tomllib.loads(f"{text}=0")))
    except tomllib.TOMLDecodeError:
        return text
