"""Calls to a guest, without one: what it answers, and that it does not."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import lvsc.laboratory.laboratory
from lvsc.laboratory.guest import Guest
from lvsc.laboratory.kernels import Kernel
from lvsc.laboratory.laboratory import Laboratory, LaboratoryError


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """What stands for a guest that runs."""
    with subprocess.Popen(["sleep", "infinity"]) as running:
        yield running
        running.kill()


@pytest.fixture
def silent(process: subprocess.Popen[bytes], tmp_path: Path) -> Laboratory:
    """A laboratory in whose guest nobody answers; what is put in its replies does."""
    for name in ("calls", "replies"):
        (tmp_path / name).mkdir()
    console = tmp_path / "console"
    console.write_text("watchdog: soft lockup\n")
    return Laboratory(Kernel.QEMU, tmp_path, Guest(process, console))


def test_an_answer_is_the_calls_own(silent: Laboratory, tmp_path: Path) -> None:
    for number, value in enumerate(("one", "two")):
        (tmp_path / "replies" / f"{number}.json").write_text(json.dumps({"value": value}))
    assert [silent.call("run", "lvs1"), silent.call("run", "lvs1")] == ["one", "two"]
    assert json.loads((tmp_path / "calls" / "1.json").read_text()) == {"do": "run", "host": "lvs1"}


def test_a_call_that_failed_says_where_and_why(silent: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "replies" / "0.json").write_text(json.dumps({"error": "no such file"}))
    with pytest.raises(LaboratoryError, match=r"^lvs1: run: no such file$"):
        silent.call("run", "lvs1")
    assert silent.alive


def test_a_guest_that_stands_still_is_given_up(silent: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lvsc.laboratory.laboratory, "LIMIT", 0)
    with pytest.raises(LaboratoryError, match=r"(?s)qemu guest did not answer in 0 s: .*soft lockup"):
        silent.call("run", "lvs1")
    assert not silent.alive


def test_a_guest_that_ended_is_gone(silent: Laboratory, process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    with pytest.raises(LaboratoryError, match=r"(?s)qemu guest is gone: .*soft lockup"):
        silent.call("run", "lvs1")
    assert not silent.alive
