"""`git diff` shows what a change of a spec does to packets, by the two lines of docs/review.md."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRIVER = f"{sys.executable} -m lvsc git-diff"


class Repository:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "--quiet")
        self.git("config", "user.name", "test")
        self.git("config", "user.email", "test@example.net")
        self.git("config", "diff.lvsc.command", DRIVER)
        (path / ".gitattributes").write_text("*.toml diff=lvsc\n")

    def git(self, *words: str) -> str:
        imports = os.pathsep.join(str(ROOT / part) for part in ("compiler", "backends", "schemas"))
        done = subprocess.run(
            ["git", "--no-pager", *words],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": imports, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    def commit(self, text: str) -> None:
        (self.path / "shop.toml").write_text(text)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "change")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    if shutil.which("git") is None:
        pytest.skip("no git: apt-get install git")
    return Repository(tmp_path)


@pytest.fixture
def spec() -> str:
    return (ROOT / "examples/red-hat.toml").read_text()


def test_a_new_port_is_an_exposure(repository: Repository, spec: str) -> None:
    repository.commit(spec)
    (repository.path / "shop.toml").write_text(spec.replace('"tcp/443"', '"tcp/443", "tcp/8080"'))
    said = repository.git("diff")
    assert said.startswith("lvsc diff a/shop.toml b/shop.toml\n1 class of packets: 1 exposed\n")
    assert "tcp to 192.0.2.10:8080" in said
    assert "b/shop.toml:" in said


def test_a_comment_treats_no_packet_differently(repository: Repository, spec: str) -> None:
    repository.commit(spec)
    (repository.path / "shop.toml").write_text(f"# a remark\n{spec}")
    assert "no packet is treated differently; 0 rules rewritten" in repository.git("diff")


def test_the_log_shows_it_too(repository: Repository, spec: str) -> None:
    repository.commit(spec)
    repository.commit(spec.replace("weight = 2", "weight = 5"))
    assert "weight 2 -> 5" in repository.git("log", "--patch", "--ext-diff", "--max-count=1")


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)], ids=["removed", "new"])
def test_a_spec_that_comes_or_goes(repository: Repository, spec: str, first: bool, second: bool) -> None:
    file = repository.path / "shop.toml"
    repository.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    for there in (first, second):
        if there:
            file.write_text(spec)
        else:
            file.unlink(missing_ok=True)
        repository.git("add", "--all")
        if there is first and there:
            repository.git("commit", "--quiet", "--message", "spec")
    word = "new" if second else "removed"
    said = repository.git("diff", "--cached")
    assert f"the spec is {word}\n2 classes of packets: 2 {'exposed' if second else 'lost'}\n" in said
    assert "tcp to 192.0.2.10:80,443 on lvs1, lvs2" in said


def test_a_renamed_spec_is_called_by_both_names(repository: Repository, spec: str) -> None:
    repository.commit(spec)
    repository.git("mv", "shop.toml", "shop2.toml")
    (repository.path / "shop2.toml").write_text(spec.replace("weight = 2", "weight = 5"))
    said = repository.git("diff", "-M", "HEAD")
    assert said.startswith("lvsc diff a/shop.toml b/shop2.toml\n1 class of packets: 1 with other weights\n")
    assert "b/shop2.toml:" in said


def test_a_spec_with_errors_says_them_and_keeps_git_going(repository: Repository, spec: str) -> None:
    repository.commit(spec)
    (repository.path / "shop.toml").write_text(spec.replace("persistence", "persistance"))
    (repository.path / "other.txt").write_text("x\n")
    repository.git("add", "--intent-to-add", "other.txt")
    said = repository.git("diff")
    assert "cannot be compared:" in said
    assert "unknown key `persistance`" in said
    assert "+x" in said
