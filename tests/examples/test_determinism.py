"""The same spec gives the same bytes: in any process, place and surroundings, and with its keys in any order."""

import os
import random
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from support.examples import EXAMPLES, FILES, text

#: Path below the output directory: the bytes, and the mode.
Tree = Mapping[str, tuple[bytes, int]]

PASSWORD = "k33p-off"  # noqa: S105 - of nothing


def build(where: Path, specs: Mapping[str, str], *, umask: int = 0o022, **environment: str) -> Tree:
    """Write specs into a directory and build them in a process of its own that works there."""
    where.mkdir(parents=True)
    secret = where / "everything.secret"
    secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
    secret.chmod(0o600)
    for name, spec in specs.items():
        (where / f"{name}.toml").write_text(spec, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "lvsc", "build", *(f"{name}.toml" for name in specs), "-o", "out"],
        cwd=where,
        umask=umask,
        env={**_needed(), "VRRP_PASSWORD": PASSWORD, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, "error" in ran.stderr, "warning" in ran.stderr) == (0, False, False), ran.stderr
    out = where / "out"
    return {
        str(path.relative_to(out)): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _needed() -> dict[str, str]:
    """What finds the same programs and the same lvsc; all else is left out."""
    return {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}


def shuffled(value: Any, order: random.Random) -> Any:  # noqa: ANN401 - a document's values are of any type
    """The value with the keys of every table in another order; lists keep theirs, which means something."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], order) for key in order.sample(sorted(value), len(value))}
    if isinstance(value, list):
        return [shuffled(item, order) for item in value]
    return value


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    specs = {example: text(example) for example in EXAMPLES}
    return build(
        tmp_path_factory.mktemp("first") / "specs", specs, PYTHONHASHSEED="1", LC_ALL="C.UTF-8", TZ="UTC"
    )


def assert_same(tree: Tree, other: Tree) -> None:
    assert sorted(other) == sorted(tree)
    assert [path for path in tree if other[path] != tree[path]] == []


def test_another_process_elsewhere_writes_the_same_bytes(tree: Tree, tmp_path: Path) -> None:
    specs = {example: text(example) for example in reversed(EXAMPLES)}
    other = build(
        tmp_path / "a place of another name",
        specs,
        umask=0o077,
        PYTHONHASHSEED="4242",
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
        TZ="Pacific/Kiritimati",
        HOSTNAME="another",
        HOME=str(tmp_path),
        COLUMNS="20",
        FORCE_COLOR="1",
    )
    assert_same(tree, other)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_keys_means_nothing(tree: Tree, tmp_path: Path, seed: int) -> None:
    order = random.Random(seed)  # noqa: S311 - for another order, not for a secret
    specs = {example: tomli_w.dumps(shuffled(tomllib.loads(text(example)), order)) for example in EXAMPLES}
    assert all(tomllib.loads(spec) == tomllib.loads(text(example)) for example, spec in specs.items())
    assert_same(tree, build(tmp_path / "specs", specs, PYTHONHASHSEED=str(seed)))


def test_no_file_says_where_it_was_built(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> None:
    traces = [str(tmp_path_factory.getbasetemp()), *(path.name for path in FILES.values())]
    found = {(path, trace) for path, (data, _) in tree.items() for trace in traces if trace.encode() in data}
    assert not found


def test_every_example_was_built(tree: Tree) -> None:
    names = {tomllib.loads(text(example))["cluster"]["name"] for example in EXAMPLES}
    assert {path.partition("/")[0] for path in tree} == names
    assert all(f"{name}/manifest.json" in tree for name in names)
