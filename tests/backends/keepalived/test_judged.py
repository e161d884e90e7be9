"""Whole files, judged by the installed keepalived and, for every target, by the keyword table."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lvsc.plugin import Node, Origin, Program
from lvsc.targets import load, names
from lvsc_keepalived.backend import Keepalived
from support import keepalived
from support.features import features_of
from support.ipvs import part
from support.keepalived_keywords import unknown_keywords

from .build import group, instance, script_user, text_of, track_script, virtual_address
from .everything import PASSWORD, everything, plain

WITH_KEEPALIVED = [name for name in names() if load(name).version(Program.KEEPALIVED) is not None]


#: What only newer releases say of each real server or check; refused by `check`, since no node alone shows it.
DIFFERENCES = ("lvs_method", "sorry_server_lvs_method", "delay_loop", "virtualhost")


def resolved(text: str) -> str:
    """As `write` leaves it, with a password that needs its quotes."""
    return text.replace(PASSWORD.placeholder, "a#b! {c}")


@pytest.mark.parametrize(
    ("nodes", "target"),
    [
        pytest.param(everything(), "debian12", id="everything"),
        pytest.param(plain(), "debian12", id="plain"),
        pytest.param(plain(), "rhel7", id="plain, as keepalived 1.3.5 reads it"),
    ],
)
def test_the_installed_keepalived_says_nothing(nodes: list[Node], target: str, tmp_path: Path) -> None:
    # The new release knows the old one's spelling of `retry`, and complains of it.
    text = text_of(*nodes, target=load(target)).replace("nb_get_retry", "retry")

    assert keepalived.complaints(resolved(text), tmp_path) == []


def test_the_directors_user_and_commands_need_not_be_on_this_machine(tmp_path: Path) -> None:
    nodes = [script_user("nosuchuser"), track_script(command="/nowhere/check"), instance(), virtual_address()]
    tracked = replace(group("public"), track_scripts=("up",), master="/nowhere/notify")

    assert keepalived.complaints(text_of(*nodes, tracked), tmp_path) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        pytest.param("    retri 1", "Unknown keyword 'retri'", id="keyword"),
        pytest.param("    lvs_sched wlcc", "Invalid lvs_scheduler 'wlcc'", id="scheduler"),
        pytest.param("    persistence_timeout 0", "persistence_timeout invalid", id="value"),
    ],
)
def test_the_judge_is_awake(wrong: str, words: str, tmp_path: Path) -> None:
    text = resolved(text_of(*everything()))
    broken = re.sub(r"^    protocol TCP$", f"    protocol TCP\n{wrong}", text, count=1, flags=re.MULTILINE)

    assert any(words in line for line in keepalived.complaints(broken, tmp_path))


@pytest.mark.parametrize("target", WITH_KEEPALIVED)
def test_the_plain_director_is_in_every_targets_language(target: str) -> None:
    release = load(target)
    version = release.version(Program.KEEPALIVED)
    assert version is not None

    assert [f.key for node in plain() for f in features_of(Keepalived(), node) if not release.has(f)] == []
    assert unknown_keywords(text_of(*plain(), target=release), version) == []


@pytest.mark.parametrize("target", WITH_KEEPALIVED)
def test_a_keyword_that_the_target_does_not_know_is_asked_for_by_its_node(target: str) -> None:
    """Emitted without heed of what is refused, each unknown keyword comes from a node that needs what is missing."""
    release = load(target)
    version = release.version(Program.KEEPALIVED)
    assert version is not None
    backend = Keepalived()
    nodes = [replace(node, origin=Origin("spec", (number,))) for number, node in enumerate(everything())]
    given = part(*nodes, target=release)
    asking = {node.origin for node in nodes if any(not release.has(f) for f in features_of(backend, node))}
    old = any(diagnostic.code.id == "KAD017" for diagnostic in backend.check(given))
    (artifact,) = backend.emit(given).artifacts

    for complaint in unknown_keywords(artifact.text, version):
        number, path = re.findall(r"^line (\d+): (\S+)", complaint)[0]
        by_difference = path.rpartition("/")[2] in DIFFERENCES
        assert (old and by_difference) or artifact.lines[int(number) - 1].origin in asking, complaint


def test_the_big_director_is_in_debian_12s_language_and_not_in_an_older_one() -> None:
    text = text_of(*everything())

    assert unknown_keywords(text, "2.2.7") == []
    assert len(unknown_keywords(text, "1.3.5")) > 20
