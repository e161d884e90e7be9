"""Times the algebra of packets, 10,000 rules against 10,000 others: `python benchmarks/packet_sets.py [RULES]`.

Seconds of processor time, and the peak of memory so far.
"""

import gc
import resource
import sys
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import TypeVar

from lvsc.diagnostics import Origin
from lvsc.graph.nodes import Marking
from lvsc.graph.traffic import Family, Hook, PortRange, Protocol, TrafficClass
from lvsc.packets.diagram import Space
from lvsc.packets.effects import effect
from lvsc.packets.sets import PacketSet

T = TypeVar("T")

_FIRST = IPv4Address("10.0.0.1")
_CHANGED = 10


def timed(step: str, run: Callable[[], T]) -> T:
    """Run a step and print what it took."""
    started = time.process_time()
    result = run()
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{step:44}{seconds:8.2f} s{peak:8} MiB", flush=True)
    return result


def rules(count: int, changed: int) -> list[Marking]:
    """Rules for single addresses and ports, of which no two are for one packet; the last ones are for another port."""
    return [
        Marking(
            host="lvs1",
            origin=Origin("rules"),
            service="web",
            mark=1 + n,
            traffic=TrafficClass(
                hook=Hook.PREROUTING,
                family=Family.IPV4,
                protocol=Protocol.TCP,
                destination=IPv4Network(_FIRST + n // 4),
                destination_ports=PortRange.one(80 + n % 4 + (8 if n >= count - changed else 0)),
            ),
        )
        for n in range(count)
    ]


def main() -> int:
    """Time every step."""
    gc.disable()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    space = Space()
    old, new = rules(count, 0), rules(count, _CHANGED)

    def packets(of: list[Marking]) -> PacketSet:
        return PacketSet.of_classes(space, (rule.traffic for rule in of))

    one, other = timed("the packets of each", lambda: (packets(old), packets(new)))
    found = timed(
        "union, intersection, both differences",
        lambda: (one | other, one & other, one - other, other - one),
    )
    timed("a witness of each", lambda: [each.witness() for each in found])
    timed("the boxes of the differences", lambda: [len(list(each.boxes())) for each in found[2:]])
    before, after = timed("the mark that each gives", lambda: (effect(space, old), effect(space, new)))
    timed("whose mark is another", lambda: space.combine(before, after, lambda a, b: a != b))
    return 0


if __name__ == "__main__":
    sys.exit(main())
