"""What `--check` finds, and that it changes nothing."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lvsc.diagnostics import DiagnosticError
from lvsc.output.check import DifferenceKind, compare
from lvsc.output.files import JOURNAL, MANIFEST
from lvsc.output.secrets import resolver
from lvsc.secrets import SecretRef
from support.output import CLUSTER, PASSWORD, VALUE, build, compiled, placed, resolve, snapshot

K = DifferenceKind
FILES = {
    "a/etc/x": "one\n",
    "a/etc/secret": f'auth_pass "{PASSWORD.placeholder}" # {PASSWORD.placeholder}.\n',
    "b/etc/y": "y\n",
}
SPEC = compiled(FILES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The cluster's directory after a build."""
    build(SPEC, tmp_path)
    return tmp_path / CLUSTER


def found(root: Path) -> list[tuple[DifferenceKind, str]]:
    """The differences, and that looking for them changed nothing."""
    before = snapshot(root.parent)
    differences = compare(SPEC, root.parent, resolve).differences
    assert snapshot(root.parent) == before
    return [(each.kind, str(each.path.relative_to(root))) for each in differences]


def test_a_fresh_build_is_what_the_spec_says(root: Path) -> None:
    assert found(root) == []


def test_without_a_build_everything_is_missing(tmp_path: Path) -> None:
    directory = tmp_path / "out"
    missing = [
        str(each.path.relative_to(directory / CLUSTER))
        for each in compare(SPEC, directory, resolve).differences
    ]
    assert missing == ["a/etc/secret", "a/etc/x", "b/etc/y", MANIFEST]
    assert not directory.exists()


def change(source: str, text: str) -> Callable[[Path], object]:
    return lambda root: (root / source).write_text(text)


def version(root: Path) -> None:
    path = root / MANIFEST
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join('  "lvsc": "9.9.9"\n' if '"lvsc"' in line else line for line in lines))


def link(root: Path) -> None:
    (root / "b").rename(root.parent / "elsewhere")
    (root / "b").symlink_to(root.parent / "elsewhere")


@pytest.mark.parametrize(
    ("spoil", "differences"),
    [
        pytest.param(lambda root: (root / "a/etc/x").unlink(), [(K.MISSING, "a/etc/x")], id="missing"),
        pytest.param(change("a/etc/x", "two\n"), [(K.DIFFERENT, "a/etc/x")], id="different"),
        pytest.param(change("a/etc/x", "one\n\n"), [(K.DIFFERENT, "a/etc/x")], id="longer"),
        pytest.param(lambda root: (root / "a/etc/x").chmod(0o600), [(K.MODE, "a/etc/x")], id="mode"),
        pytest.param(
            lambda root: (root / "a/etc/secret").chmod(0o644), [(K.MODE, "a/etc/secret")], id="exposed"
        ),
        pytest.param(lambda root: (root / MANIFEST).chmod(0o600), [(K.MODE, MANIFEST)], id="manifest's mode"),
        pytest.param(
            change("a/etc/secret", 'auth_pass "other" # different.\n'),
            [(K.DIFFERENT, "a/etc/secret")],
            id="too long",
        ),
        pytest.param(
            change("a/etc/secret", 'auth_pass "other" # new.\n'),
            [(K.DIFFERENT, "a/etc/secret")],
            id="another secret",
        ),
        pytest.param(
            change("a/etc/secret", 'auth_pass "" # x.\n'), [(K.DIFFERENT, "a/etc/secret")], id="no secret"
        ),
        pytest.param(
            change("a/etc/secret", 'auth_pass "a b" # x.\n'), [(K.DIFFERENT, "a/etc/secret")], id="no word"
        ),
        pytest.param(
            change("a/etc/secret", 'auth_pass "other" # newX\n'),
            [(K.DIFFERENT, "a/etc/secret")],
            id="text around it",
        ),
        pytest.param(
            change("a/etc/secret", FILES["a/etc/secret"]), [(K.DIFFERENT, "a/etc/secret")], id="placeholders"
        ),
        pytest.param(version, [], id="another version of lvsc"),
        pytest.param(
            lambda root: (root / MANIFEST).write_text((root / MANIFEST).read_text() + "\n"),
            [(K.DIFFERENT, MANIFEST)],
            id="manifest",
        ),
        pytest.param(
            lambda root: (root / MANIFEST).write_text("{}"), [(K.IN_THE_WAY, MANIFEST)], id="no manifest"
        ),
        pytest.param(
            change(JOURNAL, '{"format_version": 1, "sources": []}'), [(K.UNFINISHED, JOURNAL)], id="journal"
        ),
        pytest.param(change(f".{JOURNAL}.lvsc-tmp", ""), [(K.UNFINISHED, JOURNAL)], id="half a journal"),
        pytest.param(link, [(K.IN_THE_WAY, "b/etc/y")], id="symbolic link"),
        pytest.param(change("a/etc/mine", "mine"), [], id="somebody else's file"),
        pytest.param(lambda root: os.utime(root / "a/etc/x", (1, 1)), [], id="time"),
    ],
)
def test_a_difference(
    root: Path, spoil: Callable[[Path], object], differences: list[tuple[DifferenceKind, str]]
) -> None:
    spoil(root)
    assert found(root) == differences


def test_what_is_left_over(root: Path) -> None:
    build(compiled(FILES | {"c/etc/z": "z\n"}), root.parent)
    assert found(root) == [(K.LEFT_OVER, "c/etc/z"), (K.DIFFERENT, MANIFEST)]


def test_what_an_interrupted_build_left_over(root: Path) -> None:
    (root / "c").mkdir()
    (root / "c/z").touch()
    (root / JOURNAL).write_text('{"format_version": 1, "sources": ["c/z", "c/gone"]}')
    assert found(root) == [(K.UNFINISHED, JOURNAL), (K.LEFT_OVER, "c/z")]


def test_what_is_left_over_behind_a_link(root: Path) -> None:
    build(compiled(FILES | {"c/z": "z\n"}), root.parent)
    (root / "c").rename(root.parent / "elsewhere")
    (root / "c").symlink_to(root.parent / "elsewhere")
    assert found(root) == [(K.IN_THE_WAY, "c/z"), (K.DIFFERENT, MANIFEST)]


def test_a_file_that_no_build_wrote_is_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / CLUSTER / "b/etc/y"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    assert (K.IN_THE_WAY, "b/etc/y") in found(tmp_path / CLUSTER)


def test_what_it_says_names_what_is_wrong(root: Path) -> None:
    (root / "a/etc/secret").chmod(0o644)
    (difference,) = compare(SPEC, root.parent, resolve).differences
    assert difference.message == "has mode 0644, not 0600"
    assert difference.path == root / "a/etc/secret"


def test_no_secret_is_in_what_it_says(root: Path) -> None:
    (root / "a/etc/secret").write_text(f"{VALUE}\n")
    assert VALUE not in repr(compare(SPEC, root.parent, resolve))


def test_a_secret_that_is_not_there_is_not_compared_and_said_to_be(root: Path) -> None:
    (root / "a/etc/secret").write_text('auth_pass "other" # other.\n')
    found = compare(SPEC, root.parent, resolver({}, root))
    assert (found.differences, found.diagnostics) == ((), ())
    assert found.not_compared == (
        "a secret was not compared: environment variable `VRRP_PASSWORD` is not set",
    )


def test_a_secret_that_no_build_would_write_is_an_error(root: Path) -> None:
    with pytest.raises(DiagnosticError, match="LVS612"):
        compare(SPEC, root.parent, resolver({"VRRP_PASSWORD": "a b"}, root))


def test_one_placeholder_may_begin_another(tmp_path: Path) -> None:
    longer = SecretRef(PASSWORD.source, f"{PASSWORD.name}>", 8)
    spec = compiled({"a/x": f"{PASSWORD.placeholder} {longer.placeholder}.\n"})
    object.__setattr__(spec.files[0].artifact, "secrets", (PASSWORD, longer))
    path = tmp_path / CLUSTER / "a/x"
    path.parent.mkdir(parents=True)
    path.write_text("one two.\n")
    path.chmod(0o600)
    assert [each.path.name for each in compare(spec, tmp_path, resolver({}, tmp_path)).differences] == [
        MANIFEST
    ]


@pytest.mark.parametrize("name", [MANIFEST, "x"])
def test_what_cannot_be_read_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def fail(path: Path, flags: int, mode: int) -> int:
        if path.name == name:
            raise PermissionError(errno.EACCES, "no")
        return real(path, flags, mode)

    real = os.open
    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(DiagnosticError, match=rf"LVS605: cannot read .*/{name}"):
        compare(SPEC, root.parent, resolve)


def test_an_impossible_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError, match="LVS606"):
        compare(placed(SPEC, "a", "/../x"), tmp_path, resolve)
