"""Builds that stop in the middle, at every step there is, and the builds that come after them."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lvsc.diagnostics import DiagnosticError
from lvsc.output import codes
from lvsc.output.files import JOURNAL, TEMPORARY
from lvsc.output.tree import Tree
from support.output import CLUSTER, PASSWORD, build, compiled, snapshot

BEFORE = {
    "a/etc/same": "same\n",
    "a/etc/changed": "before\n" * 9,
    "a/etc/old/gone": "gone\n",
    "a/etc/secret": f"before {PASSWORD.placeholder}\n",
}
AFTER = {
    "a/etc/same": "same\n",
    "a/etc/changed": "after\n" * 9,
    "a/etc/new/file": "new\n",
    "a/etc/secret": f"after {PASSWORD.placeholder}\n",
    "b/etc/new": "new\n",
}
LATER = {"a/etc/changed": "later\n", "a/etc/old/gone": "back\n", "c/new": "later\n"}
STEPS = ("open", "write", "fchmod", "fsync", "rename", "unlink", "rmdir", "mkdir")

#: What the system call raises, and whether the process does nothing more then.
Stop = tuple[BaseException, bool]
FULL: Stop = (OSError(errno.ENOSPC, "no space"), False)
CTRL_C: Stop = (KeyboardInterrupt(), False)
KILLED: Stop = (KeyboardInterrupt(), True)


class Fault:
    """Makes the n-th of all system calls fail, counted from 1, and every later one too if it is fatal."""

    def __init__(self, number: int, error: BaseException, *, fatal: bool) -> None:
        self.number = number
        self.error = error
        self.fatal = fatal
        self.calls = 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in STEPS:
            monkeypatch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def _wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - it passes on what it is given
            self.calls += 1
            if self.calls == self.number or (self.fatal and self.calls > self.number):
                if name == "write" and self.calls == self.number:
                    descriptor, data = arguments
                    call(descriptor, data[: len(data) // 2])
                raise self.error
            return call(*arguments, **options)

        return wrapped


def interrupt(directory: Path, fault: Fault, spec: dict[str, str] = AFTER) -> int:
    """Build with a fault; returns how many system calls there were."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        fault.install(monkeypatch)
        build(compiled(spec), directory)
    return fault.calls


def judge_what_is_left(left: Any, old: Any, new: Any, *, alive: bool) -> None:  # noqa: ANN401 - three snapshots
    """Every file is what it was or what it shall be, and the new manifest is only beside new files."""
    extra = {path for path in left if path.endswith((TEMPORARY, JOURNAL))}
    for path in left.keys() - extra:
        assert left[path] in (old.get(path), new.get(path)), path
    for path in old.keys() & new.keys():
        assert path in left
    manifest = f"{CLUSTER}/manifest.json"
    if manifest in left and left[manifest] == new[manifest] != old.get(manifest):
        assert {path: left[path] for path in left.keys() - extra} == new
    if alive:
        assert not {path for path in extra if path.endswith(TEMPORARY)}


@pytest.mark.parametrize(
    ("start", "stop", "then"),
    [
        pytest.param(BEFORE, FULL, AFTER, id="disk-full"),
        pytest.param(BEFORE, CTRL_C, AFTER, id="ctrl-c"),
        pytest.param(BEFORE, KILLED, AFTER, id="killed"),
        pytest.param(BEFORE, KILLED, BEFORE, id="killed-then-the-spec-is-as-before"),
        pytest.param(BEFORE, KILLED, LATER, id="killed-then-the-spec-is-another"),
        pytest.param(BEFORE, FULL, LATER, id="disk-full-then-the-spec-is-another"),
        pytest.param(None, FULL, AFTER, id="disk-full-at-the-first-build"),
        pytest.param(None, KILLED, LATER, id="killed-at-the-first-build"),
    ],
)
def test_a_build_that_stops_anywhere_is_completed_by_the_next(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    start: dict[str, str] | None,
    stop: Stop,
    then: dict[str, str],
) -> None:
    error, fatal = stop
    # What the disk holds is not judged here, and waiting for it takes most of the time.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    old_tree = tmp_path / "old"
    old_tree.mkdir()
    if start is not None:
        build(compiled(start), old_tree)
    for name, spec in (("new", AFTER), ("fresh", then)):
        build(compiled(spec), tmp_path / name)
    old, new, fresh = (snapshot(tmp_path / name) for name in ("old", "new", "fresh"))

    counted = tmp_path / "counted"
    shutil.copytree(old_tree, counted)
    total = interrupt(counted, Fault(0, error, fatal=False))
    assert total > 50
    for number in range(1, total + 1):
        directory = tmp_path / "out"
        shutil.copytree(old_tree, directory)
        with pytest.raises((DiagnosticError, KeyboardInterrupt)) as caught:
            interrupt(directory, Fault(number, error, fatal=fatal))
        assert isinstance(caught.value, KeyboardInterrupt) == isinstance(error, KeyboardInterrupt)
        left = snapshot(directory)
        judge_what_is_left(left, old, new, alive=not fatal)
        if not fatal and not any(path.endswith(JOURNAL) for path in left):
            assert left in (old, new)
        build(compiled(then), directory)
        assert snapshot(directory) == fresh, number
        shutil.rmtree(directory)


def test_a_build_that_stops_after_one_that_was_killed_is_completed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    build(compiled(BEFORE), tmp_path / "killed")
    fresh = snapshot(tmp_path / "killed")
    renames: list[Path] = []

    def killed(source: Path, target: Path) -> None:
        if target.name == "manifest.json":
            raise KeyboardInterrupt
        renames.append(target)
        real(source, target)

    real = os.rename
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            build(compiled(AFTER), tmp_path / "killed")
    assert tmp_path / "killed" / CLUSTER / "b/etc/new" in renames

    shutil.copytree(tmp_path / "killed", tmp_path / "counted")
    total = interrupt(tmp_path / "counted", Fault(0, FULL[0], fatal=False), LATER)
    assert total > 50
    for number in range(1, total + 1):
        directory = tmp_path / "out"
        shutil.copytree(tmp_path / "killed", directory)
        with pytest.raises(DiagnosticError):
            interrupt(directory, Fault(number, FULL[0], fatal=False), LATER)
        build(compiled(BEFORE), directory)
        assert snapshot(directory) == fresh, number
        shutil.rmtree(directory)


@pytest.mark.parametrize("number", [1, 2, 4, 6])
def test_a_build_that_is_killed_is_completed_by_the_next(tmp_path: Path, number: int) -> None:
    build(compiled(BEFORE), tmp_path / "out")
    script = f"""
import os, signal, sys
sys.path[:0] = [{str(Path(__file__).parents[1])!r}, {str(Path(__file__).parent)!r}]
from pathlib import Path
from support.output import build, compiled
from test_interrupted import AFTER
real, calls = os.rename, []
def rename(*arguments):
    calls.append(arguments)
    if len(calls) == {number}:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*arguments)
os.rename = rename
build(compiled(AFTER), Path({str(tmp_path / "out")!r}))
"""
    result = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert result.returncode == -signal.SIGKILL
    assert (tmp_path / "out" / CLUSTER / JOURNAL).exists() == (number > 1)
    build(compiled(AFTER), tmp_path / "out")
    build(compiled(AFTER), tmp_path / "fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_a_failed_build_onto_nothing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DiagnosticError):
        build(compiled(AFTER), tmp_path / "deep/er/out")
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_cannot_make_its_directory_leaves_none_of_those_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mkdir(path: Path, mode: int = 0o777) -> None:
        if path.name == CLUSTER:
            raise OSError(errno.EDQUOT, "no quota")
        real(path, mode)

    real = os.mkdir
    monkeypatch.setattr(os, "mkdir", mkdir)
    with pytest.raises(DiagnosticError, match=f"cannot make `{tmp_path}/deep/er/out/{CLUSTER}`"):
        build(compiled(AFTER), tmp_path / "deep/er/out")
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_file_that_appears_under_way_is_not_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(source: Path, target: Path) -> None:
        real(source, target)
        theirs.write_text("theirs")

    build(compiled(BEFORE), tmp_path)
    theirs = tmp_path / CLUSTER / f"a/etc/.changed{TEMPORARY}"
    real = os.rename
    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(DiagnosticError, match=r"cannot write .*: file exists"):
        build(compiled(AFTER), tmp_path)


def test_the_error_says_what_could_not_be_done_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiagnosticError) as caught:
        build(compiled({"a/secret": f"{PASSWORD.placeholder}\n"}), tmp_path)
    (problem,) = caught.value.diagnostics
    assert problem.code is codes.INPUT_OUTPUT
    assert problem.message.startswith(f"cannot write `{tmp_path / CLUSTER}/.")
    assert problem.message.endswith("`: no space left on device")
    assert problem.help == "free some space and build again"


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    build(compiled(AFTER), tmp_path / "out")
    monkeypatch.undo()
    build(compiled(AFTER), tmp_path / "fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_everything_is_on_the_disk_before_its_name_and_the_names_before_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(compiled(BEFORE), tmp_path)
    events: list[tuple[str, str]] = []

    def fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        events.append(("sync", os.path.relpath(path, tmp_path / CLUSTER)))

    def rename(source: Path, target: Path) -> None:
        events.append(("rename", os.path.relpath(target, tmp_path / CLUSTER)))
        real(source, target)

    real = os.rename
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    build(compiled(AFTER), tmp_path)
    changed = ["a/etc/changed", "a/etc/new/file", "a/etc/secret", "b/etc/new"]
    temporaries = [*(f"{Path(source).parent}/.{Path(source).name}{TEMPORARY}" for source in changed)]
    manifest = "manifest.json"
    assert events == [
        ("sync", f".{JOURNAL}{TEMPORARY}"),
        ("rename", JOURNAL),
        ("sync", "."),
        *(("sync", each) for each in (*temporaries, f".{manifest}{TEMPORARY}")),
        *(("rename", each) for each in changed),
        # `a/etc` has a new directory and lost one; `a/etc/old` is gone.
        *(("sync", each) for each in (".", "a/etc", "a/etc/new", "b", "b/etc")),
        ("rename", manifest),
        ("sync", "."),
    ]


def test_two_builds_at_once_are_one_too_many(tmp_path: Path) -> None:
    build(compiled(BEFORE), tmp_path)
    before = snapshot(tmp_path)
    with Tree(tmp_path / CLUSTER).locked(), pytest.raises(DiagnosticError) as caught:
        build(compiled(AFTER), tmp_path)
    (problem,) = caught.value.diagnostics
    assert problem.code is codes.LOCKED
    assert str(tmp_path / CLUSTER) in problem.message
    assert snapshot(tmp_path) == before
    build(compiled(AFTER), tmp_path)


FULL_DISK = """
import json, subprocess, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from lvsc.diagnostics import DiagnosticError
from support.output import build, compiled, snapshot
place, fresh = Path(sys.argv[2]), Path(sys.argv[3])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "none", place], check=True)
old = {f"a/etc/{n}": "old\\n" for n in range(3)}
new = {f"a/etc/{n}": "new\\n" * 1000 for n in range(12)}
build(compiled(old), place)
before = snapshot(place)
try:
    build(compiled(new), place)
    said = []
except DiagnosticError as error:
    said = [problem.message for problem in error.diagnostics]
unchanged = snapshot(place) == before
subprocess.run(["mount", "-o", "remount,ro", place], check=True)
try:
    build(compiled(new), place)
except DiagnosticError as error:
    said += [problem.message for problem in error.diagnostics]
subprocess.run(["mount", "-o", "remount,rw,size=1m", place], check=True)
build(compiled(new), place)
build(compiled(new), fresh)
print(json.dumps([said, unchanged, snapshot(place) == snapshot(fresh)]))
"""


def test_a_full_and_a_read_only_disk_leave_the_tree_as_it_was(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root and unshare(1)")
    place = tmp_path / "place"
    place.mkdir()
    result = subprocess.run(
        [
            unshare,
            "-m",
            sys.executable,
            "-c",
            FULL_DISK,
            str(Path(__file__).parents[1]),
            place,
            tmp_path / "fresh",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    refused = "mount" in result.stderr and "permission denied" in result.stderr.lower()
    # In a chroot, too, nothing can be mounted.
    if refused or result.stderr.startswith("unshare: "):
        pytest.skip(f"no mounts here: {result.stderr.splitlines()[0]}")
    assert result.stderr == ""
    (full, read_only), unchanged, completed = json.loads(result.stdout)
    assert full.endswith(": no space left on device")
    assert read_only.endswith(": read-only file system")
    assert unchanged
    assert completed
