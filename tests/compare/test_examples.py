"""For every example and target, the outputs of the backends that can take each other's place treat every packet alike."""

from itertools import combinations

import pytest

from lvsc.compare.difference import compare
from lvsc.compare.sides import of_compiled
from support.examples import EXAMPLES, PAIRS, TARGETS, outcome


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_packet_can_tell_by_which_backends_an_example_was_built(example: str) -> None:
    compared = 0
    for target in TARGETS:
        built = [found for pair in PAIRS if (found := outcome(example, target, pair)).compiled is not None]
        sides = [of_compiled(found.title, found.compiled) for found in built if found.compiled is not None]
        for one, other in combinations(sides, 2):
            difference = compare(one, other)
            assert (difference.packets, difference.unknown) == ((), ()), f"{one.name} and {other.name}"
            compared += 1
    if not compared:
        pytest.skip(f"{example} builds with one pair of backends only")
