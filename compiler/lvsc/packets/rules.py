"""The diagram of rules in order, made at once: a sweep over one dimension after the other.

Rules for single addresses, of which a packet filter has thousands, are divided by the first dimension that they look at and
never meet again, so the work grows with their number and not with its square.
"""

from collections.abc import Hashable, Sequence
from heapq import heappop, heappush

from lvsc.packets.diagram import Diagram, Space, first
from lvsc.packets.dimensions import Box, Dimension

Rule = tuple[Box, Hashable]

#: How many times more rules than there are may be active in all the intervals of a dimension before pairs are quicker.
_MOST = 8
_DIMENSIONS = tuple(Dimension)


def first_match(space: Space, rules: Sequence[Rule]) -> Diagram:
    """What packets get of rules of which the first that matches decides; None where none does."""
    return _Sweep(space, rules).diagram(tuple(range(len(rules))), 0)


class _Sweep:
    def __init__(self, space: Space, rules: Sequence[Rule]) -> None:
        self._space = space
        self._rules = rules
        #: The last dimension that each rule looks at; what is below none is decided.
        self._last = [max(box, default=-1) for box, _ in rules]
        self._seen: dict[tuple[tuple[int, ...], int], Diagram] = {}

    def diagram(self, active: tuple[int, ...], start: int) -> Diagram:
        """The diagram of some of the rules, by their numbers in order, from a dimension on."""
        for place, number in enumerate(active):
            if self._last[number] < start:
                # This one matches whatever comes, so none behind it ever does.
                active = active[: place + 1]
                break
        if not active or self._last[active[0]] < start:
            return self._space.leaf(self._rules[active[0]][1] if active else None)
        key = (active, start)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = self._divided(active, start)
        return found

    def _divided(self, active: tuple[int, ...], start: int) -> Diagram:
        dimension = next(
            d for d in _DIMENSIONS[start:] if any(d in self._rules[number][0] for number in active)
        )
        whole = ((0, dimension.top),)
        starts = sorted(
            (low, high, number)
            for number in active
            for low, high in self._rules[number][0].get(dimension, whole)
        )
        budget = _MOST * len(active) + 64
        cuts: list[int] = []
        children: list[Diagram] = []
        ends: list[tuple[int, int]] = []
        here: set[int] = set()
        place = position = 0
        while position <= dimension.top:
            while place < len(starts) and starts[place][0] == position:
                _, high, number = starts[place]
                here.add(number)
                heappush(ends, (high, number))
                place += 1
            following = starts[place][0] - 1 if place < len(starts) else dimension.top
            cut = min(following, ends[0][0]) if ends else following
            budget -= len(here)
            if budget < 0:
                return self._in_pairs(active, dimension)
            cuts.append(cut)
            children.append(self.diagram(tuple(sorted(here)), dimension + 1))
            while ends and ends[0][0] == cut:
                here.discard(heappop(ends)[1])
            position = cut + 1
        return self._space.fork(dimension, cuts, children)

    def _in_pairs(self, active: tuple[int, ...], start: int) -> Diagram:
        """The same where most rules meet most others."""
        diagrams = []
        for number in active:
            box, answer = self._rules[number]
            rest = {dimension: box[dimension] for dimension in box if dimension >= start}
            diagrams.append(self._space.box(rest, answer, None))
        return self._space.reduce(diagrams, first, None)
