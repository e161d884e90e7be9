"""Laws of the reader: it reads what was emitted, notices what was changed, and says so for whatever it is given."""

import json
import re

import pytest
from hypothesis import HealthCheck as Health
from hypothesis import given, settings
from hypothesis import strategies as st

from lvsc.packets.diagram import Space
from lvsc.packets.effects import KINDS, effect
from lvsc.plugin import Hook, HostGraph, HostPart, PacketRule, Protocol, Reading, Source
from lvsc.targets import load
from lvsc_nftables.backend import Nftables
from support.examples import EXAMPLES, outcome
from support.examples import TARGETS as ALL_TARGETS
from support.nodes import HOST, helper, marking, no_track, source_nat, traffic
from support.strategies import loadable, meet, packet_rules, parts
from support.text_mutations import Mutant, mutants

from .cases import EVERYTHING, PEERS, TARGETS, VIP, VIP6
from .conftest import InNamespace

SOME: tuple[PacketRule, ...] = (
    marking(traffic(dst=VIP, dport="80")),
    marking(traffic(dst=VIP, dport="10000-20000"), 21, "files"),
    marking(traffic(dst=VIP6, dport="80")),
    marking(traffic(dst="192.0.2.12", dport="80", not_macs=PEERS), 90, "loop"),
    marking(traffic(dport="7777", interface="eth0"), 7, "any"),
    marking(traffic(dst="192.0.2.13", sport="1000-2000", dport="80-90"), 98, "two-ranges"),
    marking(traffic(Hook.OUTPUT, dst=VIP, dport="80")),
    no_track(traffic(dst=VIP, dport="4433", protocol=Protocol.UDP)),
    no_track(traffic(Hook.OUTPUT, src=VIP, sport="4433", protocol=Protocol.UDP)),
    helper(traffic(dst=VIP, dport="21")),
    source_nat(traffic(Hook.POSTROUTING, src="10.11.0.0/16", sport="20"), VIP),
    source_nat(traffic(Hook.POSTROUTING, original_dst=VIP, original_dport="8080"), "192.168.9.2", "web"),
)


def host_part(nodes: tuple[PacketRule, ...], target: str = "debian12") -> HostPart:
    return HostPart(cluster="red-hat", graph=HostGraph(HOST, nodes), target=load(target))


def emitted(part: HostPart) -> str:
    artifacts = Nftables().emit(part).artifacts
    return artifacts[0].text if artifacts else "table inet lvsc\ndelete table inet lvsc\n"


def read(text: str, host: str = HOST) -> Reading:
    source = Source(host=host, file="nftables.nft", text=text)
    assert Nftables().recognises(source)
    return Nftables().read(source)


def read_whole(text: str, host: str = HOST) -> tuple[PacketRule, ...]:
    """The nodes of a text that says nothing else."""
    reading = read(text, host)
    assert (reading.foreign, reading.problems) == ((), ())
    return tuple(node for node in reading.nodes if isinstance(node, PacketRule))


@pytest.mark.parametrize("target", TARGETS)
@given(nodes=parts())
def test_what_is_read_is_what_was_emitted(target: str, nodes: tuple[PacketRule, ...]) -> None:
    part = host_part(nodes, target)
    assert list(Nftables().check(part)) == []
    found = read_whole(emitted(part))
    assert len(found) == len(nodes)
    assert set(found) == set(nodes)
    services = {node: node.service for node in nodes}
    assert all(node.service == services[node] for node in found)


@pytest.mark.parametrize("target", TARGETS)
@given(nodes=st.lists(packet_rules(), max_size=8))
def test_rules_that_overlap_are_read_as_rules_for_the_same_packets(
    target: str, nodes: list[PacketRule]
) -> None:
    """Elements that overlap become one, so the nodes differ, and what packets get does not."""
    nodes = agreeing(nodes)
    part = host_part(tuple(nodes), target)
    if list(Nftables().check(part)):
        return
    found = read_whole(emitted(part))
    space = Space()
    for kind in KINDS:
        for answer in {node_answer(node) for node in nodes if type(node) is kind}:
            wanted, got = (
                effect(space, (n for n in some if type(n) is kind and node_answer(n) == answer))
                for some in (nodes, found)
            )
            assert wanted is got


def agreeing(nodes: list[PacketRule]) -> list[PacketRule]:
    """The nodes without those that answer otherwise than an earlier one for some of its packets."""
    kept: list[PacketRule] = []
    for node in nodes:
        rivals = (one for one in kept if type(one) is type(node) and node_answer(one) != node_answer(node))
        if not any(meet(one.traffic, node.traffic) for one in rivals):
            kept.append(node)
    return kept


def node_answer(node: PacketRule) -> object:
    return getattr(node, "mark", None) or getattr(node, "helper", None) or getattr(node, "address", None)


def test_a_condition_that_everything_meets_is_none() -> None:
    said = marking(traffic(dst="0.0.0.0/0", src="0.0.0.0/0", sport="0-65535", dport="0-65535"))
    assert read_whole(emitted(host_part((said,)))) == (marking(traffic()),)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_read_back(example: str) -> None:
    found = 0
    for target in ALL_TARGETS:
        for director in ("keepalived", "ipvsadm"):
            compiled = outcome(example, target, ("nftables", director)).compiled
            host_parts = compiled.parts.items() if compiled is not None else ()
            for part in (part for backend, some in host_parts if backend.name == "nftables" for part in some):
                assert set(read_whole(emitted(part), part.host)) == set(part.graph)
                found += 1
    if not found:
        pytest.skip(f"{example} builds for no target by nftables")


# --- mutations -----------------------------------------------------------------------------------------------------------


def facts(reading: Reading) -> object:
    return set(reading.nodes), {found.text for found in reading.foreign}, reading.problems


def changes_nothing(mutant: Mutant) -> bool:
    """Whether the change is one that no packet can tell."""
    line, column, change = mutant.line.strip(), mutant.column, mutant.change
    start = len(mutant.line) - len(mutant.line.lstrip())
    comment = re.search(r'comment "([^"]*)"', mutant.line)
    last_comma = change == "`,` -> ``" and column == len(mutant.line) - 1
    chain_name = re.fullmatch(r"chain \w+ {", line) is not None and column == start + len("chain ")
    return (
        line.startswith("#")
        or not line
        or (comment is not None and comment.start(1) <= column < comment.end(1))
        # What stands behind a prefix, and one comma more or less at the end.
        or re.match(r"[0-9]+(\.[0-9]+)?/16", mutant.line[column:]) is not None
        or last_comma
        # The name of a base chain; where it is jumped to from somewhere, a problem tells.
        or chain_name
        # Semicolons before the end of a line.
        or (column == len(mutant.line) - 1 and change in ("`;` -> ``", "`;` -> `;;`"))
        # 89 is just before 100 as well as 90 is.
        or change in ("`;` -> `;;`", "`10` -> `11`")
        # Of what family a helper is for or an address is replaced, when the rule says it.
        or (line.startswith("l3proto") and change == "left out")
        or ("snat ip" in line and re.fullmatch("`ip6?` -> ``", change) is not None)
        or (change == "doubled" and not line.endswith("{") and line != "}")
        or change == "moved down"
    )


def test_every_change_of_a_word_is_noticed() -> None:
    text = emitted(host_part(SOME))
    before = facts(read(text))
    assert before == (set(SOME), set(), ())
    noticed = 0
    missed = []
    for mutant in mutants(text):
        source = Source(host=HOST, file="nftables.nft", text=mutant.text)
        if facts(Nftables().read(source)) != before:
            noticed += 1
        elif not changes_nothing(mutant):
            missed.append(f"{mutant.change}: {mutant.line}")
    assert missed == []
    assert noticed > 1500


def test_what_a_change_is_read_as_is_what_the_kernel_does(in_namespace: InNamespace) -> None:
    """Every so many mutants that nft loads: the kernel's listing is read as the changed text is."""
    every = [mutant.text for mutant in mutants(emitted(host_part(SOME)))][7::41]
    files = {f"mutant{number}.nft": text for number, text in enumerate(every)}
    script = f"""
        for number in $(seq 0 {len(every) - 1}); do
            nft flush ruleset
            if nft -f mutant$number.nft 2>/dev/null; then nft -j list ruleset; else echo refused; fi
        done"""
    listed = in_namespace(script, **files).splitlines()
    assert len(listed) == len(every)
    compared = 0
    for text, dump in zip(every, listed, strict=True):
        source = Source(host=HOST, file="nftables.nft", text=text)
        reading = Nftables().read(source)
        if dump != "refused" and not reading.problems and "table inet lvsc {" in text:
            loaded = read(dump)
            assert (set(loaded.nodes), len(loaded.foreign), loaded.problems) == (
                set(reading.nodes),
                len(reading.foreign),
                (),
            )
            compared += 1
    assert compared > 5


# --- whatever it is given ------------------------------------------------------------------------------------------------


def judge(text: str) -> None:
    """Read a text, which must come to a reading with its problems in lines that the text has."""
    source = Source(host=HOST, file="dump", text=text)
    Nftables().recognises(source)
    reading = Nftables().read(source)
    lines = text.count("\n") + 1
    for problem in reading.problems:
        assert problem.place is not None
        assert "\n" not in problem.message
        assert 1 <= (problem.place.origin.line or 0) <= lines


_PIECES = st.sampled_from(
    (
        *'{};,"#()=.:@\\ \t\n\r\0',
        *(
            "table inet lvsc {\n",
            "table ip x {\n",
            "chain prerouting {\n",
            "set s {\n",
            "map m {\n",
            "}\n",
            "type ",
        ),
        *(
            "filter hook prerouting priority mangle; policy accept;\n",
            "elements = {",
            "ct helper ",
            "ct original ",
        ),
        *(
            "meta mark set ",
            "ip daddr ",
            "th dport ",
            "@s ",
            "map @m ",
            "jump x\n",
            "goto ",
            "1-2 ",
            "::1 ",
            "٣",
        ),
        *(
            "delete ",
            "flush ruleset\n",
            "vmap ",
            "notrack\n",
            "snat to ",
            "return\n",
            "comment ",
            "# xt_x",
            "\u2028",
        ),
    )
)
_JSON_KEYS = (
    *(
        "table",
        "chain",
        "rule",
        "set",
        "map",
        "family",
        "name",
        "elem",
        "expr",
        "match",
        "mangle",
        "key",
        "meta",
    ),
    *(
        "left",
        "right",
        "op",
        "concat",
        "jump",
        "target",
        "snat",
        "addr",
        "type",
        "flags",
        "hook",
        "prio",
        "vmap",
    ),
    *("data", "val", "prefix", "len", "range"),
)
_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.sampled_from(("@x", "lvsc", "inet"))
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(_JSON_KEYS),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)


@pytest.mark.odd_texts
@given(st.one_of(st.text(), st.lists(_PIECES, max_size=40).map("".join)))
def test_any_text_is_read(text: str) -> None:
    judge(text)


@given(st.data())
def test_any_damage_is_read(data: st.DataObject) -> None:
    text = emitted(host_part(SOME))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text = (
            text[:at]
            + data.draw(st.one_of(st.text(max_size=3), _PIECES))
            + text[at + data.draw(st.integers(0, 40)) :]
        )
    judge(text)


@pytest.mark.odd_texts
@given(st.lists(_JSON, max_size=5))
def test_any_json_is_read(entries: list[object]) -> None:
    judge(json.dumps({"nftables": entries}))


_IN_OWN = {"family": "inet", "table": "lvsc"}


@pytest.mark.odd_texts
@given(st.sampled_from(("set", "map", "chain", "rule", "ct helper", "table")), st.data())
def test_any_json_of_lvscs_table_is_read(kind: str, data: st.DataObject) -> None:
    body = {"name": "x", "chain": "x", "type": "mark", "expr": [data.draw(_JSON)], "elem": [data.draw(_JSON)]}
    body |= data.draw(
        st.dictionaries(st.sampled_from(("hook", "prio", "flags", "map", "expr", "elem", "type")), _JSON)
    )
    chain = {"chain": {**_IN_OWN, "name": "x", "type": "filter", "hook": "prerouting", "prio": -150}}
    judge(json.dumps({"nftables": [chain, {kind: body | _IN_OWN}]}))


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"nftables": [' + "[" * 100_000, "{" * 100_000, '{"nftables": [{"a": 1' + "0" * 9999],
)
def test_depth_is_no_trouble(text: str) -> None:
    judge(text)
    judge(f"table inet lvsc {text}")
    judge(f"table inet x {text}")


def test_twenty_thousand_elements_are_read() -> None:
    nodes = tuple(
        marking(
            traffic(dst=f"198.18.{number // 256}.{number % 256}", dport=dport),
            number + 1,
            f"service-{number}",
        )
        for number in range(10_000)
        for dport in ("80", "10000-20000")
    )
    text = emitted(host_part(nodes))
    assert len(read(text).nodes) == len(nodes)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("command", ["list ruleset", "-a list ruleset", "-n list ruleset", "-j list ruleset"])
def test_what_the_kernel_lists_is_what_was_emitted(
    target: str, command: str, in_namespace: InNamespace
) -> None:
    text = emitted(host_part(EVERYTHING, target))
    listed = in_namespace(f"nft -f lvsc.nft\nnft {command}", **{"lvsc.nft": text})
    assert set(read_whole(listed)) == set(EVERYTHING)


@settings(max_examples=15, deadline=None, suppress_health_check=[Health.function_scoped_fixture])
@given(nodes=parts(), target=st.sampled_from(TARGETS))
def test_whatever_the_kernel_lists_is_what_was_emitted(
    nodes: tuple[PacketRule, ...], target: str, in_namespace: InNamespace
) -> None:
    rules = tuple(filter(loadable, nodes))
    script = "nft -f lvsc.nft\nnft list ruleset\necho ====\nnft -j list ruleset"
    listed = in_namespace(script, **{"lvsc.nft": emitted(host_part(rules, target))})
    for dump in listed.split("====\n"):
        if dump:
            assert set(read_whole(dump)) == set(rules)
