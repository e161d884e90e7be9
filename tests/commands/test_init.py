import re
from pathlib import Path

import pytest

from lvsc import targets
from lvsc.commands.init import DEFAULT_TARGET, starter
from support.cli import Project
from support.specs import compile_text, reported


def with_every_option(text: str) -> str:
    """The spec with its optional lines in effect: those that begin with # and no space."""
    return re.sub(r"^#(?=[a-z\[]|    \{)(?!:)", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("target", targets.names())
def test_the_spec_builds_without_a_word_for_every_target(target: str) -> None:
    compiled = compile_text(starter(target))
    assert compiled.cluster.target == target
    assert compiled.diagnostics == ()


@pytest.mark.parametrize("target", targets.names())
def test_with_every_optional_line_it_still_builds(target: str) -> None:
    text = with_every_option(starter(target))
    assert [(d.code.id, d.message) for d in reported(text)] == []
    assert text.count("\n") == starter(target).count("\n")


def test_no_optional_line_is_left_out_of_that_test() -> None:
    left = [line for line in with_every_option(starter("debian12")).splitlines() if line.startswith("#")]
    assert [line for line in left if not line.startswith(("# ", "#:schema "))] == []


def test_editors_find_the_schema_by_the_first_line() -> None:
    assert starter("debian12").startswith("#:schema ./cluster.schema.json\n")


@pytest.mark.parametrize("words", [(), ("-",)], ids=["unsaid", "-"])
def test_without_a_file_it_is_printed(words: tuple[str, ...], project: Project) -> None:
    outcome = project.lvsc("init", *words)
    assert (outcome.code, outcome.out, outcome.err) == (0, starter(DEFAULT_TARGET), "")
    assert list(project.root.iterdir()) == []


def test_a_file_is_written_and_passes_the_check(project: Project) -> None:
    outcome = project.lvsc("init", "shop.toml", "--target", "rhel9")
    assert (outcome.code, outcome.out) == (0, "")
    assert "lvsc check shop.toml" in outcome.err
    assert project.read("shop.toml") == starter("rhel9")
    assert project.lvsc("check", "--strict", "shop.toml").code == 0


def test_an_alias_becomes_the_targets_own_name(project: Project) -> None:
    assert '\ntarget = "alpine324"\n' in project.lvsc("init", "--target", "alpine").out


@pytest.mark.parametrize("options", [(), ("--format", "json")], ids=["text", "json"])
def test_a_file_that_exists_is_never_overwritten(options: tuple[str, ...], project: Project) -> None:
    project.write("shop.toml", "mine\n")
    outcome = project.lvsc("init", "shop.toml", *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "lvsc: error: `shop.toml` exists and is not overwritten: name another file\n"
    assert project.read("shop.toml") == "mine\n"


def test_a_dangling_link_is_not_followed(project: Project) -> None:
    (project.root / "shop.toml").symlink_to("elsewhere")
    assert project.lvsc("init", "shop.toml").code == 2
    assert not Path(project.root / "elsewhere").exists()


def test_a_directory_that_is_not_there_is_2(project: Project) -> None:
    outcome = project.lvsc("init", "no/shop.toml")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "lvsc: error: No such file or directory: no/shop.toml\n"


def test_an_unknown_target_writes_nothing(project: Project) -> None:
    outcome = project.lvsc("init", "shop.toml", "--target", "debain12")
    assert (outcome.code, outcome.out) == (2, "")
    assert "did you mean `debian12`?" in outcome.err
    assert not (project.root / "shop.toml").exists()


def test_json_says_which_file_was_written(project: Project) -> None:
    written = project.lvsc("init", "shop.toml", "--format", "json").fits("init")
    assert (written["file"], written["text"]) == ("shop.toml", project.read("shop.toml"))
    assert project.lvsc("init", "--format", "json").fits("init")["file"] is None
