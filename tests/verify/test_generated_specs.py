"""The law of the readers over whole specs: what is emitted reads back, from its text alone, as what was meant.

Each spec is built by several pairs of backends, and no packet can tell which of them it was.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
import tomli_w
from hypothesis import Phase, given, settings

from lvsc import targets
from lvsc.compare.difference import compare
from lvsc.compare.sides import Side, of_texts
from lvsc.compile import Compiled, Options
from lvsc.diagnostics import DiagnosticError, Severity
from lvsc.plugin import Backend, Feature, HostPart, Node, PacketRule, Source, VirtualService
from lvsc.spec.schema import generate
from lvsc.verify.emitted import Emitted
from lvsc.verify.reading import PartRead, has_reader, read_part
from lvsc.verify.verify import verify
from support.schema_keys import Where, entries, keys
from support.spec_site import Values
from support.spec_strategies import specs
from support.specs import compile_text, plugins

#: Packet filter and director. The first of each director builds whatever is drawn for it; a director that probes nothing
#: can be replaced by the one that does.
PAIRS = {
    "keepalived": (("iptables", "keepalived"), ("nftables", "keepalived")),
    "ipvsadm": (("iptables", "ipvsadm"), ("nftables", "ipvsadm"), ("iptables", "keepalived")),
}
#: Specs for each target and director: ten, unless the profile wants more of everything.
SPECS = settings().max_examples // 10
#: Making a failing spec small takes minutes, so that is left to a profile that has them.
PHASES = settings().phases if SPECS > 10 else (Phase.explicit, Phase.reuse, Phase.generate)
#: The backends that write the names of services.
NAMING = {"iptables", "nftables", "keepalived"}


@pytest.mark.parametrize("director", PAIRS)
@pytest.mark.parametrize("target", targets.names())
def test_what_is_emitted_for_a_spec_reads_as_its_graph(target: str, director: str) -> None:
    tally: Counter[str] = Counter()

    @settings(max_examples=SPECS, phases=PHASES)
    @given(values=specs(target, director))
    def law(values: Values) -> None:
        tally["specs"] += 1
        sides: list[Side] = []
        for pair in PAIRS[director]:
            compiled = built(values, pair, refusals(target, director, pair, values))
            if compiled is None:
                continue
            for backend, part, found in read_parts(compiled):
                assert found.problems == ()
                assert Counter(found.nodes) == Counter(part.graph)
                if backend.name in NAMING:
                    assert names(found.nodes) == names(part.graph)
                tally[backend.name] += 1
            assert verify(compiled, plugins()).diagnostics == ()
            sides.append(side(pair, compiled))
            tally["+".join(pair)] += 1
        for other in sides[1:]:
            difference = compare(sides[0], other)
            assert (difference.packets, difference.unknown) == ((), ()), other.name

    law()
    assert_not_vacuous(tally, target, director)


def assert_not_vacuous(tally: Counter[str], target: str, director: str) -> None:
    """Assert that a law has seen pairs build and files of each of their backends, where the target can have all of them.

    Of ten specs some nine build in every way; hypothesis draws like ones in a row, so less than two is what tells a defect.
    """
    first, *others = ("+".join(pair) for pair in PAIRS[director])
    assert tally[first] == tally["specs"] >= SPECS
    able = [each for each in (*others, "nftables") if whole(target, each)]
    seen = {each: tally[each] for each in ("iptables", director, *able)}
    assert min(seen.values()) >= SPECS // 5, seen


def whole(target: str, backends: str) -> bool:
    """Whether the target has all that the backends need for what is drawn."""
    needed = {"nftables": Feature.NFT_TRANSPORT_PORTS, "keepalived": Feature.KEEPALIVED_SYNC_BOTH}
    has = targets.load(target).has
    return all(has(needed[name]) for name in backends.split("+") if name in needed)


def refusals(target: str, director: str, pair: tuple[str, ...], values: Values) -> set[str]:
    """The codes of the errors that a spec which was drawn for a director may be refused with."""
    codes: set[str] = set()
    if "nftables" in pair and values["cluster"].get("accept"):
        codes.add("NFT001")
    if "nftables" in pair and not whole(target, "nftables"):
        codes.add("LVS501")
    if director not in pair:
        codes |= {"LVS501", "KAD017"}
    return codes


def built(values: Values, backends: tuple[str, ...], expected: set[str]) -> Compiled | None:
    """The spec as those backends have it; None where they refuse it as expected."""
    try:
        return compile_text(tomli_w.dumps(values), Options(backends=backends))
    except DiagnosticError as error:
        codes = {each.code.id for each in error.diagnostics if each.severity is Severity.ERROR}
        if codes <= expected:
            return None
        raise


def read_parts(compiled: Compiled) -> Iterator[tuple[Backend, HostPart, PartRead]]:
    """Each part of a backend that reads, and what it reads in its files."""
    emitted = Emitted(compiled.cluster.name, compiled.files)
    for backend, parts in compiled.parts.items():
        if has_reader(backend):
            for part in parts:
                files = [f for f in compiled.files if (f.backend, f.host) == (backend.name, part.host)]
                yield backend, part, read_part(backend, files, emitted)


def names(nodes: Iterable[Node]) -> Counter[tuple[Node, str]]:
    """What the nodes are labelled with, which is no part of what they are."""
    return Counter((node, node.service) for node in nodes if isinstance(node, PacketRule | VirtualService))


def side(pair: tuple[str, ...], compiled: Compiled) -> Side:
    """What the emitted texts say, with nothing of the graph."""
    sources = [
        Source(host=f.host, file=f"{f.host}{f.artifact.path}", text=f.artifact.text) for f in compiled.files
    ]
    return of_texts("+".join(pair), sources, plugins())[0]


def test_the_generated_specs_use_nine_keys_in_ten() -> None:
    schema = generate(plugins().fragments)
    seen: set[Where] = set()

    @settings(max_examples=150)
    @given(values=specs("debian13", "keepalived"))
    def look(values: Values) -> None:
        seen.update(entry.where for entry in entries(schema, values))

    look()
    unused = keys(schema) - seen
    assert len(unused) <= len(keys(schema)) // 10, unused
