"""The benchmarks run, and what they measure is right."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import Project

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BENCHMARKS / words[0], *words[1:]],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, capsys, monkeypatch)


def test_the_large_spec_is_right_at_any_size(project: Project) -> None:
    spec = project.write("large.toml", run("large_spec.py", "300", "3").stdout)
    outcome = project.lvsc("check", "--strict", spec)
    assert outcome.code == 0, outcome.err


def test_every_stage_is_timed(tmp_path: Path) -> None:
    spec = tmp_path / "large.toml"
    spec.write_text(run("large_spec.py", "2", "2").stdout)
    found = run("stages.py", str(spec))
    assert (found.returncode, found.stderr) == (0, "")
    stages = [line.split("  ")[0] for line in found.stdout.splitlines()]
    assert stages[:3] == ["read", "check", "load"]
    assert stages[-2:] == ["check by nftables", "emit by nftables"]


def test_the_readers_of_every_language_are_timed(tmp_path: Path) -> None:
    spec = tmp_path / "large.toml"
    spec.write_text(run("large_spec.py", "3", "2").stdout)
    found = run("readers.py", str(spec))
    assert (found.returncode, found.stderr) == (0, "")
    languages = [line.split("  ")[0] for line in found.stdout.splitlines()]
    assert [each for each in languages if each != "nftables JSON"] == [
        "iptables",
        "nftables",
        "keepalived",
        "ipvsadm",
    ]


@pytest.mark.parametrize("words", [(), ("1",), ("x", "1"), ("0", "1"), ("1000000", "1")])
def test_a_size_that_cannot_be_is_refused(words: tuple[str, ...]) -> None:
    refused = run("large_spec.py", *words)
    assert refused.returncode == 1
    assert refused.stdout == ""
