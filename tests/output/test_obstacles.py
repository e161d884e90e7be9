"""What stands in the way of a build: each an error that names it, and nothing is written."""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lvsc.diagnostics import Code, DiagnosticError
from lvsc.output import codes
from lvsc.output.files import JOURNAL, MANIFEST
from support.output import CLUSTER, build, compiled, snapshot

FILES = {"a/etc/x": "one\n", "a/etc/sub/y": "y\n"}
CHANGED = {"a/etc/x": "changed\n", "a/etc/sub/y": "changed\n"}
NOBODY = 65534


def refused(directory: Path, spec: dict[str, str] = CHANGED) -> str:
    """The messages of a build that must fail without a trace."""
    before = snapshot(directory)
    with pytest.raises(DiagnosticError) as caught:
        build(compiled(spec), directory)
    assert snapshot(directory) == before
    assert all(problem.help for problem in caught.value.diagnostics)
    return str(caught.value)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The cluster's directory after a build."""
    build(compiled(FILES), tmp_path / "out")
    return tmp_path / "out" / CLUSTER


@pytest.mark.parametrize(
    ("source", "make", "message"),
    [
        pytest.param("a/etc/x", Path.mkdir, "is a directory where a file must go", id="directory"),
        pytest.param("a/etc/x", os.mkfifo, "is neither a file nor a directory where a file", id="pipe"),
        pytest.param(MANIFEST, Path.mkdir, "is a directory where a file must go", id="manifest"),
        pytest.param(JOURNAL, Path.mkdir, "is a directory where a file must go", id="journal"),
        pytest.param("a/etc/sub", Path.touch, "is a file where a directory must go", id="file"),
        pytest.param("a", Path.touch, "is a file where a directory must go", id="host"),
    ],
)
def test_something_else_in_the_place(
    tmp_path: Path, root: Path, source: str, make: Callable[[Path], object], message: str
) -> None:
    if (root / source).exists():
        (root / source).rename(tmp_path / "aside")
    make(root / source)
    assert f"LVS602: `{root / source}` {message}" in refused(root.parent)


@pytest.mark.parametrize("source", ["a/etc/x", "a/etc/sub", "a/etc", "a", MANIFEST, JOURNAL])
@pytest.mark.parametrize("inside", [False, True], ids=["out-of-the-tree", "within-the-tree"])
def test_symbolic_links_are_not_followed(
    tmp_path: Path,
    root: Path,
    source: str,
    inside: bool,
) -> None:
    outside = (root if inside else tmp_path) / "aside"
    if (root / source).exists():
        (root / source).rename(outside)
    (root / source).symlink_to(outside)
    before = snapshot(tmp_path)
    assert f"LVS602: `{root / source}` is a symbolic link where" in refused(root.parent)
    assert snapshot(tmp_path) == before


def test_a_symbolic_link_to_a_file_that_is_no_longer_emitted_is_not_followed(
    tmp_path: Path, root: Path
) -> None:
    (root / "a/etc").rename(tmp_path / "aside")
    (root / "a/etc").symlink_to(tmp_path / "aside")
    assert "is a symbolic link where a directory must go" in refused(root.parent, {})
    assert (tmp_path / "aside/x").exists()


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("/")], ids=["file", "link"])
def test_the_clusters_own_directory_is_one(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / CLUSTER)
    with pytest.raises(DiagnosticError, match=f"LVS602: `{tmp_path / CLUSTER}` is a"):
        build(compiled(FILES), tmp_path)


def test_the_output_directory_may_be_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    build(compiled(FILES), tmp_path / "link")
    assert (tmp_path / "real" / CLUSTER / "a/etc/x").exists()


def test_an_output_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(DiagnosticError, match=r"LVS605: cannot make .*: not a directory"):
        build(compiled(FILES), tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_each_obstacle_is_said_once_and_all_of_them_are(tmp_path: Path, root: Path) -> None:
    (root / "a/etc").rename(tmp_path / "aside")
    (root / "a/etc").touch()
    (root / "b").touch()
    message = refused(root.parent, CHANGED | {"b/x": "b\n"})
    assert re.findall(r"LVS\d+: `[^`]*`", message) == [f"LVS602: `{root / each}`" for each in ("a/etc", "b")]


def manifest_of(**changes: Any) -> bytes:  # noqa: ANN401 - JSON
    """A manifest with other values."""
    return json.dumps({"format_version": 1, "cluster": CLUSTER, "hosts": {}} | changes).encode()


def listing(source: str, host: str = "a", path: str | None = None) -> bytes:
    """A manifest with one file."""
    path = source.removeprefix(host) if path is None else path
    return manifest_of(hosts={host: {"files": [{"source": source, "path": path}]}})


TRICKS = [
    "a/../../../precious",
    "a/etc/../../../../precious",
    "../precious",
    "/precious",
    "a//precious",
    "a/./x",
    "a/",
    "a",
    "manifest.json",
    "./a/x",
    "a/x\ny",
    "a/x\0",
    "a/.x.lvsc-tmp",
]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b'{"format_version": 1', id="cut off"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(manifest_of(hosts=[]), id="hosts a list"),
        pytest.param(manifest_of(hosts={"a": None}), id="host null"),
        pytest.param(manifest_of(hosts={"a": {"files": [1]}}), id="file a number"),
        pytest.param(manifest_of(hosts={"a": {"files": [{"source": 1, "path": 2}]}}), id="source a number"),
        pytest.param(manifest_of(format_version=2), id="newer"),
        pytest.param(manifest_of(cluster="other"), id="another cluster"),
        pytest.param(listing("b/x", "a", "/x"), id="another host"),
        pytest.param(listing("../x", "..", "/x"), id="host above"),
        pytest.param(listing("a/b/x", "a/b", "/x"), id="host of two parts"),
        *(pytest.param(listing(source), id=ascii(source)) for source in TRICKS),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, root: Path, data: bytes) -> None:
    (tmp_path / "precious").write_text("mine")
    (root / MANIFEST).write_bytes(data)
    message = refused(root.parent)
    assert message.startswith(f"LVS603: the manifest `{root / MANIFEST}` ")
    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(b'{"format_version": 2, "sources": []}', id="newer"),
        pytest.param(b'{"format_version": 1, "sources": [1]}', id="a number"),
        pytest.param(b'{"format_version": 1, "sources": [[]]}', id="a list"),
        pytest.param(b'{"format_version": 1, "sources": 1}', id="no list"),
        *(
            pytest.param(json.dumps({"format_version": 1, "sources": [each]}).encode(), id=ascii(each))
            for each in TRICKS
        ),
    ],
)
def test_a_journal_that_is_none(tmp_path: Path, root: Path, data: bytes) -> None:
    (tmp_path / "precious").write_text("mine")
    (root / JOURNAL).write_bytes(data)
    message = refused(root.parent)
    assert message.startswith(f"LVS603: the journal `{root / JOURNAL}` ")
    assert (tmp_path / "precious").exists()


@pytest.fixture
def poor() -> Iterator[Path]:
    """A directory for a user who is not root, where permissions count."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        is_root = os.geteuid() == 0
        if is_root:
            os.chown(path, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield path
        finally:
            if is_root:
                os.seteuid(0)


def test_a_directory_that_may_not_be_written(poor: Path) -> None:
    build(compiled(FILES), poor)
    (poor / CLUSTER / "a/etc").chmod(0o555)
    message = refused(poor)
    assert "LVS605: cannot write" in message
    assert message.endswith(": permission denied")
    (poor / CLUSTER / "a/etc").chmod(0o755)
    build(compiled(CHANGED), poor)


def test_an_output_directory_that_may_not_be_written(poor: Path) -> None:
    poor.chmod(0o555)
    with pytest.raises(DiagnosticError, match=f"LVS605: cannot make `{poor / CLUSTER}`: permission denied"):
        build(compiled(FILES), poor)


def test_a_file_that_may_not_be_read(poor: Path) -> None:
    build(compiled(FILES), poor)
    path = poor / CLUSTER / "a/etc/x"
    path.chmod(0)
    with pytest.raises(DiagnosticError, match=f"LVS605: cannot read `{path}`: permission denied"):
        build(compiled(FILES), poor)


def test_every_code_has_its_own_identifier_and_says_what_to_do() -> None:
    assert len({code.id for code in codes.ALL}) == len(codes.ALL)
    assert set(codes.ALL) == {code for code in vars(codes).values() if isinstance(code, Code)}
    assert all(code.id.startswith("LVS6") and code.explanation for code in codes.ALL)
