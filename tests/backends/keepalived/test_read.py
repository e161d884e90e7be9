"""That the reader finds in a file what was meant, and sees each change of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.plugin import (
    Node,
    Reading,
    Source,
    VirtualService,
)
from lvsc.targets import load
from support import director_strategies as directors
from support import examples
from support.director_mutations import Mutation, mutations
from support.ipvs import HOST, part

from .build import text_of
from .everything import everything, plain
from .reading import KEEPALIVED, parts_of, read, read_back

TARGETS = ("rhel7", "debian12", "arch")


# --- the law -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
@given(pieces=directors.keepalived_directors())
def test_what_is_emitted_reads_as_it_was_meant(target: str, pieces: list[directors.Nodes]) -> None:
    part = directors.accepted(KEEPALIVED, load(target), pieces)
    found = read_back(part)
    assert (found.foreign, found.problems) == ((), ())
    assert set(found.nodes) == set(part.graph)
    names = {node.selector: node.service for node in part.graph.of(VirtualService)}
    assert names == {node.selector: node.service for node in found.nodes if isinstance(node, VirtualService)}


@pytest.mark.parametrize(
    ("nodes", "target"),
    [(everything(), "debian12"), (plain(), "debian12"), (plain(), "rhel7")],
    ids=["everything", "plain", "plain, as keepalived 1.3.5 reads it"],
)
def test_a_whole_director_reads_as_it_was_meant(nodes: list[Node], target: str) -> None:
    found = read_back(part(*nodes, target=load(target)))
    assert found.problems == ()
    assert set(found.nodes) == set(nodes)


def test_each_node_knows_the_line_that_it_was_read_from() -> None:
    (artifact,) = KEEPALIVED.emit(part(*everything())).artifacts
    lines = artifact.text.splitlines()
    for node in read(artifact.text).nodes:
        assert node.origin.line is not None
        assert node.origin.column is not None
        line = lines[node.origin.line - 1]
        assert not line[: node.origin.column - 1].strip()
        assert line[node.origin.column - 1 :].strip()


# --- mutations and noise -----------------------------------------------------------------------------------------

#: What is the same without a token, or says nothing that a node holds: a name in mails, a group's name, a port that is the
#: service's own or usual, and a word that a number of words tells too.
EQUIVALENT = {
    ("router_id", "changed"),
    ("vrrp_sync_group", "changed"),
    ("real_server", "left out"),
    ("sorry_server", "left out"),
    ("virtual_server", "left out"),
    ("smtp_server", "left out"),
    ("lvs_sync_daemon", "left out"),
}


@pytest.mark.parametrize("example", [name for name in examples.EXAMPLES if list(parts_of(name))])
def test_no_changed_token_of_an_example_goes_unseen(example: str) -> None:
    for one in parts_of(example):
        (artifact,) = KEEPALIVED.emit(one).artifacts
        meant = set(read(artifact.text, one.host).nodes)
        for mutation in mutations(artifact.text):
            found = KEEPALIVED.read(Source(host=one.host, file=artifact.path, text=mutation.text))
            if not found.problems and set(found.nodes) == meant:
                assert equivalent(mutation), mutation


def equivalent(mutation: Mutation) -> bool:
    """Whether a mutation is one that keepalived does not see either."""
    kind = (mutation.keyword, "changed" if mutation.changed else "left out")
    if kind[1] == "changed":
        return kind in EQUIVALENT
    return kind in EQUIVALENT and (mutation.token.isdecimal() or mutation.token == "inst")  # noqa: S105 - no secret


WORDS = sorted(set(text_of(*everything()).split()))


@pytest.mark.odd_texts
@given(st.text() | st.lists(st.sampled_from([*WORDS, "\n", "{", "}", '"', "\\"]), max_size=60).map(" ".join))
def test_no_text_is_too_odd_for_the_reader(text: str) -> None:
    found = KEEPALIVED.read(Source(host=HOST, file="keepalived.conf", text=text))
    assert isinstance(found, Reading)


@pytest.mark.odd_texts
@given(st.data())
def test_no_damage_to_a_file_is_too_odd_for_the_reader(data: st.DataObject) -> None:
    (artifact,) = KEEPALIVED.emit(part(*everything())).artifacts
    text = artifact.text
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 60, len(text))))
    noise = st.text(max_size=8) | st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
    damaged = text[:start] + data.draw(noise) + text[end:]
    assert isinstance(KEEPALIVED.read(Source(host=HOST, file="keepalived.conf", text=damaged)), Reading)
