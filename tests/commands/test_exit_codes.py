"""That exit code 1 is for what specs say, and 2 for everything else that keeps a command from its work."""

import errno
import fcntl
import os

import pytest

from lvsc.commands.console import ERRORS, OK, TROUBLE, exit_code
from lvsc.diagnostics import Code, Severity
from support.cli import Project
from support.specs import service, spec

WRONG = spec(service(pool="wep"))
PACKET = "tcp 198.51.100.7 -> 192.0.2.10:443"
ERROR, WARNING = Code("X1", "", ""), Code("X2", "", "", Severity.WARNING)
REFUSED = Code("X3", "", "", trouble=True)
COMMANDS = (
    ("build", "{}"),
    ("build", "--check", "{}"),
    ("build", "--stdout", "{}"),
    ("check", "{}"),
    ("show", "{}"),
    ("explain", "{}"),
    ("trace", "{}", PACKET),
    ("verify", "--no-programs", "{}"),
    ("rehearse", "{}"),
)
every_command = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def run(project: Project, words: tuple[str, ...], name: str) -> int:
    return project.lvsc(*(word.format(name) for word in words)).code


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ((), OK),
        ((WARNING,), OK),
        ((WARNING, ERROR), ERRORS),
        ((REFUSED,), TROUBLE),
        ((ERROR, REFUSED), TROUBLE),
    ],
)
def test_trouble_comes_before_errors(codes: tuple[Code, ...], code: int) -> None:
    assert exit_code(each.at(None, "it is so") for each in codes) == code


def test_a_code_of_specs_may_be_troubles_once() -> None:
    assert exit_code([ERROR.at(None, "it is so", trouble=True)]) == TROUBLE


@every_command
def test_a_spec_with_errors_is_1(words: tuple[str, ...], project: Project) -> None:
    assert run(project, words, project.write("wrong.toml", WRONG)) == 1


@every_command
def test_a_spec_that_is_not_there_is_2(words: tuple[str, ...], project: Project) -> None:
    assert run(project, words, "missing.toml") == 2


@every_command
@pytest.mark.parametrize("option", ["--target=debain12", "--backend=iptabels"])
def test_what_the_command_line_names_in_vain_is_2(
    words: tuple[str, ...], option: str, project: Project
) -> None:
    assert run(project, (*words, option), project.write("right.toml", spec())) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES], ids=os.strerror)
@pytest.mark.parametrize("call", ["write", "open"])
def test_a_system_that_refuses_is_2(
    call: str, number: int, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    project.write("right.toml", spec())
    assert project.lvsc("build", "right.toml").code == 0
    project.write("right.toml", spec(service(scheduler="rr")))
    monkeypatch.setattr(f"lvsc.output.tree.os.{call}", refuse)
    outcome = project.lvsc("build", "right.toml")
    assert (outcome.code, outcome.err[:14]) == (2, "error[LVS605]:")


def test_another_build_at_work_is_2(project: Project) -> None:
    project.write("right.toml", spec())
    assert project.lvsc("build", "right.toml").code == 0
    (cluster,) = (project.root / "build").iterdir()
    project.write("right.toml", spec(service(scheduler="rr")))
    held = os.open(cluster, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        outcome = project.lvsc("build", "right.toml")
    finally:
        os.close(held)
    assert (outcome.code, outcome.err[:14]) == (2, "error[LVS604]:")


def test_a_file_that_is_somebody_elses_is_2(project: Project) -> None:
    project.write("right.toml", spec())
    assert project.lvsc("build", "right.toml").code == 0
    (manifest,) = (project.root / "build").glob("*/manifest.json")
    manifest.unlink()
    project.write("right.toml", spec(service(scheduler="rr")))
    outcome = project.lvsc("build", "right.toml")
    assert (outcome.code, "error[LVS601]" in outcome.err) == (2, True)


def test_no_directory_is_no_directory(project: Project) -> None:
    outcome = project.lvsc("build", project.write("right.toml", spec()), "-o", "")
    assert (outcome.code, "name a directory" in outcome.err) == (2, True)
