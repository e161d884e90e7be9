"""What a build leaves when nothing goes wrong."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvsc.diagnostics import DiagnosticError, Origin
from lvsc.output import codes
from lvsc.output.secrets import Resolution
from lvsc.output.write import write
from lvsc.secrets import Secret, SecretRef
from support.output import CLUSTER, PASSWORD, VALUE, build, compiled, snapshot

PLAIN = {"a/etc/x": "one\ntwo\n", "a/etc/sub/y": "y\n", "b/etc/x": "other\n"}
SECRET = {"a/etc/x": "one\n", "a/etc/keepalived.conf": f'auth_pass "{PASSWORD.placeholder}"\n'}


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_every_file_is_below_its_cluster_and_host_and_the_manifest_is_beside_the_hosts(
    tmp_path: Path,
) -> None:
    report = build(compiled(PLAIN), tmp_path / "out")
    tree = snapshot(tmp_path / "out")
    files = {path: content for path, (_, content) in tree.items() if content is not None}
    assert files.pop(f"{CLUSTER}/manifest.json").startswith(b"{")
    assert files == {f"{CLUSTER}/{source}": text.encode() for source, text in PLAIN.items()}
    assert report.written == tuple(
        tmp_path / "out" / CLUSTER / source
        for source in ("a/etc/sub/y", "a/etc/x", "b/etc/x", "manifest.json")
    )
    assert (report.unchanged, report.removed, report.diagnostics) == ((), (), ())


def test_what_is_written_does_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    build(compiled(PLAIN | SECRET), tmp_path / "out")
    modes = {path: mode for path, (mode, _) in snapshot(tmp_path / "out").items()}
    assert modes == {
        CLUSTER: 0o755,
        f"{CLUSTER}/a": 0o755,
        f"{CLUSTER}/a/etc": 0o755,
        f"{CLUSTER}/a/etc/keepalived.conf": 0o600,
        f"{CLUSTER}/a/etc/sub": 0o755,
        f"{CLUSTER}/a/etc/sub/y": 0o644,
        f"{CLUSTER}/a/etc/x": 0o644,
        f"{CLUSTER}/b": 0o755,
        f"{CLUSTER}/b/etc": 0o755,
        f"{CLUSTER}/b/etc/x": 0o644,
        f"{CLUSTER}/manifest.json": 0o644,
    }
    # Who wants the whole tree for himself has it: the directory around it follows the umask, as any other.
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o777 & ~umask
    assert os.umask(umask) == umask


def test_an_executable_is_one(tmp_path: Path) -> None:
    build(compiled(PLAIN, mode=0o755), tmp_path)
    assert (tmp_path / CLUSTER / "a/etc/x").stat().st_mode & 0o777 == 0o755


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    build(compiled(PLAIN | SECRET), tmp_path / "one")
    build(compiled(dict(reversed((PLAIN | SECRET).items()))), tmp_path / "two")
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "two")


def test_what_is_as_it_shall_be_is_not_touched(tmp_path: Path) -> None:
    build(compiled(PLAIN | SECRET), tmp_path)
    everything = [tmp_path, *tmp_path.rglob("*")]
    for path in everything:
        os.utime(path, (1, 1))
    before = [path.stat() for path in everything]
    report = build(compiled(PLAIN | SECRET), tmp_path)
    assert [(now.st_mtime, now.st_ino, now.st_ctime) for now in map(Path.stat, everything)] == [
        (then.st_mtime, then.st_ino, then.st_ctime) for then in before
    ]
    assert (report.written, report.removed) == ((), ())
    assert len(report.unchanged) == 5


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    build(compiled(PLAIN), tmp_path)
    for path in tmp_path.rglob("*"):
        os.utime(path, (1, 1))
    report = build(compiled(PLAIN | {"a/etc/x": "changed\n"}), tmp_path)
    root = tmp_path / CLUSTER
    assert report.written == (root / "a/etc/x", root / "manifest.json")
    assert report.unchanged == (root / "a/etc/sub/y", root / "b/etc/x")
    assert (root / "a/etc/x").read_text() == "changed\n"
    assert (root / "b/etc/x").stat().st_mtime == 1


def test_a_file_is_replaced_not_written_into(tmp_path: Path) -> None:
    build(compiled(PLAIN), tmp_path)
    path = tmp_path / CLUSTER / "a/etc/x"
    with path.open() as reader:
        build(compiled(PLAIN | {"a/etc/x": "changed\n"}), tmp_path)
        assert reader.read() == PLAIN["a/etc/x"]


def test_permissions_that_changed_are_put_right(tmp_path: Path) -> None:
    build(compiled(SECRET), tmp_path)
    path = tmp_path / CLUSTER / "a/etc/keepalived.conf"
    path.chmod(0o644)
    assert build(compiled(SECRET), tmp_path).written == (path,)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_edited_by_hand_is_written_again(tmp_path: Path) -> None:
    build(compiled(PLAIN), tmp_path)
    (tmp_path / CLUSTER / "a/etc/x").write_text("edited")
    build(compiled(PLAIN), tmp_path)
    assert (tmp_path / CLUSTER / "a/etc/x").read_text() == PLAIN["a/etc/x"]


def test_what_is_no_longer_emitted_is_removed_with_the_directories_that_are_empty_then(
    tmp_path: Path,
) -> None:
    build(compiled(PLAIN), tmp_path / "out")
    report = build(compiled({"a/etc/x": "one\ntwo\n"}), tmp_path / "out")
    root = tmp_path / "out" / CLUSTER
    assert report.removed == (root / "a/etc/sub/y", root / "b/etc/x")
    build(compiled({"a/etc/x": "one\ntwo\n"}), tmp_path / "fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_what_somebody_else_put_into_the_tree_stays(tmp_path: Path) -> None:
    build(compiled(PLAIN), tmp_path)
    note = tmp_path / CLUSTER / "b/etc/note"
    note.write_text("mine")
    (tmp_path / CLUSTER / "README").write_text("mine")
    build(compiled({"a/etc/x": "one\ntwo\n"}), tmp_path)
    assert note.read_text() == "mine"
    assert (tmp_path / CLUSTER / "README").read_text() == "mine"
    assert not (tmp_path / CLUSTER / "b/etc/x").exists()


def test_what_is_left_over_and_gone_already_is_not_reported(tmp_path: Path) -> None:
    build(compiled(PLAIN), tmp_path)
    (tmp_path / CLUSTER / "b/etc/x").unlink()
    report = build(compiled({"a/etc/x": "one\ntwo\n"}), tmp_path)
    assert report.removed == (tmp_path / CLUSTER / "a/etc/sub/y",)
    assert not (tmp_path / CLUSTER / "b").exists()


def test_two_clusters_in_one_directory_leave_each_other_alone(tmp_path: Path) -> None:
    other = tmp_path / "other/a/etc"
    other.mkdir(parents=True)
    (other / "x").write_text("theirs")
    build(compiled(PLAIN), tmp_path)
    build(compiled({}), tmp_path)
    assert (other / "x").read_text() == "theirs"


def test_a_file_that_lvsc_did_not_write_is_an_error_that_names_it(tmp_path: Path) -> None:
    root = tmp_path / CLUSTER
    for source in ("a/etc/x", "b/etc/x"):
        (root / source).parent.mkdir(parents=True)
        (root / source).write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(DiagnosticError) as caught:
        build(compiled(PLAIN), tmp_path)
    assert [problem.code for problem in caught.value.diagnostics] == [codes.NOT_OURS] * 2
    assert [str(root / source) in str(caught.value) for source in PLAIN] == [True, False, True]
    assert snapshot(tmp_path) == before


def test_the_same_content_is_nobody_elses(tmp_path: Path) -> None:
    root = tmp_path / CLUSTER
    (root / "a/etc").mkdir(parents=True)
    (root / "a/etc/x").write_text(PLAIN["a/etc/x"])
    assert build(compiled(PLAIN), tmp_path).unchanged == (root / "a/etc/x",)
    build(compiled({}), tmp_path)
    assert not (root / "a").exists()


def test_a_file_under_a_temporary_files_name_is_an_error_that_names_it(tmp_path: Path) -> None:
    build(compiled(PLAIN), tmp_path)
    mine = tmp_path / CLUSTER / "a/etc/.x.lvsc-tmp"
    mine.write_text("mine")
    with pytest.raises(DiagnosticError, match=r"LVS601.*etc/\.x\.lvsc-tmp"):
        build(compiled(PLAIN | {"a/etc/x": "changed\n"}), tmp_path)
    assert mine.read_text() == "mine"


def test_a_secret_is_in_its_file_and_nowhere_else(tmp_path: Path) -> None:
    report = build(compiled(SECRET), tmp_path)
    holders = [path for path in tmp_path.rglob("*") if path.is_file() and VALUE in path.read_text()]
    assert holders == [tmp_path / CLUSTER / "a/etc/keepalived.conf"]
    assert holders[0].read_text() == f'auth_pass "{VALUE}"\n'
    assert VALUE not in repr(report)


def test_no_file_with_a_secret_can_be_read_by_others_at_any_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0)
    seen = set()

    def write_and_look(descriptor: int, data: bytes) -> int:
        written = real_write(descriptor, data)
        seen.add(os.fstat(descriptor).st_mode & 0o777)
        return written

    def rename_and_look(source: Path, target: Path) -> None:
        if VALUE in source.read_text():
            seen.add(source.stat().st_mode & 0o777)
        real_rename(source, target)

    real_write, real_rename = os.write, os.rename
    monkeypatch.setattr(os, "write", write_and_look)
    monkeypatch.setattr(os, "rename", rename_and_look)
    build(compiled(SECRET), tmp_path)
    os.umask(before)
    assert seen == {0o600}


def test_values_are_not_searched_for_placeholders(tmp_path: Path) -> None:
    longer = SecretRef(PASSWORD.source, f"{PASSWORD.name}>", 8)
    first, second = PASSWORD.placeholder, longer.placeholder
    assert second.startswith(first)
    values = {PASSWORD: second, longer: first}
    spec = compiled({"a/x": f"{first} {second} {first}\n"})
    (file,) = spec.files
    object.__setattr__(file.artifact, "secrets", (PASSWORD, longer))

    def resolve(ref: SecretRef, _: Origin | None) -> Resolution:
        return Resolution(Secret(values[ref]))

    write(spec, tmp_path, resolve)
    assert (tmp_path / CLUSTER / "a/x").read_text() == f"{second} {first} {second}\n"


def test_each_secret_that_cannot_be_had_is_one_error_and_nothing_is_written(tmp_path: Path) -> None:
    asked: list[Origin | None] = []

    def resolve(ref: SecretRef, origin: Origin | None) -> Resolution:
        asked.append(origin)
        return Resolution(None, (codes.NO_SECRET.at(origin, f"{ref.name} is not set"),))

    spec = compiled({"a/x": f"{PASSWORD.placeholder}\n", "b/x": f"{PASSWORD.placeholder}\n"})
    with pytest.raises(DiagnosticError) as caught:
        write(spec, tmp_path / "out", resolve)
    assert [problem.code for problem in caught.value.diagnostics] == [codes.NO_SECRET]
    assert asked == [spec.files[0].artifact.lines[0].origin]
    assert not (tmp_path / "out").exists()


def test_a_warning_about_a_secret_is_in_the_report(tmp_path: Path) -> None:
    warning = codes.EXPOSED_SECRET.at(None, "others can read it")
    report = write(compiled(SECRET), tmp_path, lambda *_: Resolution(Secret(VALUE), (warning,)))
    assert report.diagnostics == (warning,)
