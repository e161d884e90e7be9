"""Generated conditions of rules, the packets at their corners, and the plainest way to say whether a packet fulfils them."""

from collections.abc import Iterable
from itertools import product
from math import prod
from random import Random

from hypothesis import strategies as st

from lvsc.packets.dimensions import Box, Dimension, Intervals, Point

#: Few numbers, so that conditions often meet; the last is the dimension's own top.
_NEAR = (0, 1, 2, 5, 6, 80, 443, 65535)


def _numbers(dimension: Dimension) -> tuple[int, ...]:
    return tuple(sorted({min(number, dimension.top) for number in (*_NEAR, dimension.top)}))


@st.composite
def intervals(draw: st.DrawFn, dimension: Dimension) -> Intervals:
    """One or two disjoint intervals of a dimension."""
    ends = sorted(draw(st.lists(st.sampled_from(_numbers(dimension)), min_size=2, max_size=4)))
    found = [(ends[0], ends[1])]
    if len(ends) == 4 and ends[2] > ends[1]:
        found.append((ends[2], ends[3]))
    return tuple(found)


@st.composite
def packet_boxes(draw: st.DrawFn) -> Box:
    """Conditions in up to four dimensions."""
    dimensions = draw(st.sets(st.sampled_from(Dimension), max_size=4))
    return {dimension: draw(intervals(dimension)) for dimension in sorted(dimensions)}


def inside(box: Box, point: Point) -> bool:
    """Whether a packet fulfils every condition."""
    return all(any(a <= point[d] <= b for a, b in box[d]) for d in box)


def corners(boxes: Iterable[Box], most: int = 150) -> list[Point]:
    """Packets at and just beside the ends of the conditions; of very many, as many as asked for, the same ones every time.

    Where two descriptions of packets differ, a packet at the ends of their conditions shows it.
    """
    cuts: dict[Dimension, set[int]] = {dimension: {0} for dimension in Dimension}
    for box in boxes:
        for dimension, found in box.items():
            for first, last in found:
                cuts[dimension] |= {first, min(last + 1, dimension.top)}
    choices = [sorted(cuts[dimension]) for dimension in Dimension]
    if prod(map(len, choices)) <= most:
        return list(product(*choices))
    random = Random(0)  # noqa: S311 - the same packets every time
    return [tuple(map(random.choice, choices)) for _ in range(most)]
