"""Interval decision diagrams: a function from packets to answers, exact and in a canonical form.

A node asks for one dimension, in their fixed order, and its cuts divide that dimension's numbers among its children. A
dimension that makes no difference is not asked for; equal diagrams of one space are the same object. So equality is
identity, emptiness is a look, and every operation is one walk over both diagrams with a memory of the pairs it has seen
(the technique of binary decision diagrams, Bryant 1986, with intervals in place of bits).
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence

from lvsc.packets.dimensions import Box, Dimension, Intervals, Point


class Leaf:
    """The same answer for every packet."""

    __slots__ = ("answer",)

    def __init__(self, answer: Hashable) -> None:
        self.answer = answer


class Fork:
    """Divides a dimension: child `i` is for the numbers up to `cuts[i]`, and above the cut before it."""

    __slots__ = ("children", "cuts", "dimension")

    def __init__(self, dimension: int, cuts: tuple[int, ...], children: tuple["Diagram", ...]) -> None:
        self.dimension = dimension
        self.cuts = cuts
        self.children = children


Diagram = Leaf | Fork
Operation = Callable[[Hashable, Hashable], Hashable]

_BELOW_ALL = len(Dimension)


def first(one: Hashable, other: Hashable) -> Hashable:
    """The first answer that is one: rules in the order in which a packet meets them."""
    return other if one is None else one


class Space:
    """Makes diagrams, each once. Only diagrams of one space can be combined or compared."""

    def __init__(self) -> None:
        # With the type, because True equals the mark 1.
        self._leaves: dict[tuple[type, Hashable], Leaf] = {}
        self._forks: dict[tuple[int, tuple[int, ...], tuple[int, ...]], Fork] = {}

    def leaf(self, answer: Hashable) -> Leaf:
        """The diagram that answers every packet alike."""
        key = (type(answer), answer)
        found = self._leaves.get(key)
        if found is None:
            found = self._leaves[key] = Leaf(answer)
        return found

    def box(self, box: Box, inside: Hashable, outside: Hashable) -> Diagram:
        """One answer where every condition holds, another elsewhere."""
        diagram: Diagram = self.leaf(inside)
        miss = self.leaf(outside)
        for dimension in sorted(box, reverse=True):
            cuts: list[int] = []
            children: list[Diagram] = []
            start = 0
            for first, last in box[dimension]:
                if start < first:
                    cuts.append(first - 1)
                    children.append(miss)
                cuts.append(last)
                children.append(diagram)
                start = last + 1
            if start <= dimension.top:
                cuts.append(dimension.top)
                children.append(miss)
            diagram = self.fork(dimension, cuts, children)
        return diagram

    def combine(self, one: Diagram, other: Diagram, operation: Operation) -> Diagram:
        """The diagram that answers `operation(one's answer, the other's)`."""
        return _Combination(self, operation).walk(one, other)

    def reduce(self, diagrams: Sequence[Diagram], operation: Operation, empty: Hashable) -> Diagram:
        """All diagrams combined in order by an associative operation, in pairs, so that no step is quadratic."""
        if not diagrams:
            return self.leaf(empty)
        level = list(diagrams)
        while len(level) > 1:
            paired = [self.combine(level[i], level[i + 1], operation) for i in range(0, len(level) - 1, 2)]
            level = paired if len(level) % 2 == 0 else [*paired, level[-1]]
        return level[0]

    def fork(self, dimension: int, cuts: Sequence[int], children: Sequence[Diagram]) -> Diagram:
        """The diagram that divides a dimension at cuts, each the last number of its child; the last is the dimension's top."""
        kept_cuts: list[int] = []
        kept: list[Diagram] = []
        for cut, child in zip(cuts, children, strict=True):
            if kept and kept[-1] is child:
                kept_cuts[-1] = cut
            else:
                kept_cuts.append(cut)
                kept.append(child)
        if len(kept) == 1:
            return kept[0]
        key = (dimension, tuple(kept_cuts), tuple(map(id, kept)))
        found = self._forks.get(key)
        if found is None:
            found = self._forks[key] = Fork(dimension, key[1], tuple(kept))
        return found


class _Combination:
    """One walk over two diagrams."""

    __slots__ = ("_operation", "_seen", "_space")

    def __init__(self, space: Space, operation: Operation) -> None:
        self._space = space
        self._operation = operation
        self._seen: dict[tuple[int, int], Diagram] = {}

    def walk(self, one: Diagram, other: Diagram) -> Diagram:
        key = (id(one), id(other))
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = self._combined(one, other)
        return found

    def _combined(self, one: Diagram, other: Diagram) -> Diagram:
        if isinstance(one, Leaf) and isinstance(other, Leaf):
            return self._space.leaf(self._operation(one.answer, other.answer))
        dimension = min(_dimension(one), _dimension(other))
        cuts_one, children_one = _divided(one, dimension)
        cuts_other, children_other = _divided(other, dimension)
        cuts: list[int] = []
        children: list[Diagram] = []
        i = j = 0
        while i < len(cuts_one):
            cut_one, cut_other = cuts_one[i], cuts_other[j]
            children.append(self.walk(children_one[i], children_other[j]))
            cuts.append(min(cut_one, cut_other))
            i += cut_one <= cut_other
            j += cut_other <= cut_one
        return self._space.fork(dimension, cuts, children)


def _dimension(diagram: Diagram) -> int:
    return diagram.dimension if isinstance(diagram, Fork) else _BELOW_ALL


def _divided(diagram: Diagram, dimension: int) -> tuple[tuple[int, ...], tuple[Diagram, ...]]:
    if isinstance(diagram, Fork) and diagram.dimension == dimension:
        return diagram.cuts, diagram.children
    return (Dimension(dimension).top,), (diagram,)


def answer_at(diagram: Diagram, point: Point) -> Hashable:
    """What the diagram answers a packet."""
    while isinstance(diagram, Fork):
        diagram = diagram.children[bisect_left(diagram.cuts, point[diagram.dimension])]
    return diagram.answer


def answers(diagram: Diagram) -> dict[Hashable, Point]:
    """Every answer that some packet gets, each with one such packet: the lowest numbers of its first branch."""
    found: dict[Hashable, Point] = {}
    seen: set[int] = set()

    def walk(node: Diagram, path: list[int]) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, Leaf):
            found.setdefault(node.answer, tuple(path))
            return
        low = 0
        for cut, child in zip(node.cuts, node.children, strict=True):
            path[node.dimension] = low
            walk(child, path)
            low = cut + 1
        path[node.dimension] = 0

    walk(diagram, [0] * len(Dimension))
    return found


def boxes(diagram: Diagram) -> Iterator[tuple[Box, Hashable]]:
    """The diagram as disjoint boxes with their answers, in order."""

    def walk(node: Diagram, box: Box) -> Iterator[tuple[Box, Hashable]]:
        if isinstance(node, Leaf):
            yield dict(box), node.answer
            return
        dimension = Dimension(node.dimension)
        groups: dict[int, tuple[Diagram, list[tuple[int, int]]]] = {}
        low = 0
        for cut, child in zip(node.cuts, node.children, strict=True):
            groups.setdefault(id(child), (child, []))[1].append((low, cut))
            low = cut + 1
        for child, intervals in groups.values():
            box[dimension] = tuple(intervals)
            yield from walk(child, box)
        del box[dimension]

    yield from walk(diagram, {})


def meets(diagram: Diagram, box: Box) -> bool:
    """Whether a packet of the box has an answer that counts as true."""
    waiting = [diagram]
    seen: set[int] = set()
    while waiting:
        here = waiting.pop()
        if isinstance(here, Leaf):
            if bool(here.answer):
                return True
        elif id(here) not in seen:
            seen.add(id(here))
            waiting += _within(here, box.get(Dimension(here.dimension)))
    return False


def _within(fork: Fork, intervals: Intervals | None) -> Iterator[Diagram]:
    """The children for numbers of the intervals; without any, all of them."""
    if intervals is None:
        yield from fork.children
        return
    for low, high in intervals:
        for place in range(bisect_left(fork.cuts, low), len(fork.cuts)):
            yield fork.children[place]
            if fork.cuts[place] >= high:
                break
