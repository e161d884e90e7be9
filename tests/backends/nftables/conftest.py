"""Parts of a cluster to emit from, and throw-away network namespaces to load what was emitted in."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest

from lvsc.plugin import HostGraph, HostPart, Node
from lvsc.targets import load
from lvsc_nftables.backend import Nftables
from support.nodes import HOST

MakePart = Callable[..., HostPart]
Emit = Callable[..., str]
InNamespace = Callable[..., str]


@pytest.fixture
def part() -> MakePart:
    def make(nodes: Iterable[Node], target: str = "debian12") -> HostPart:
        return HostPart(cluster="red-hat", graph=HostGraph(HOST, nodes), target=load(target))

    return make


@pytest.fixture
def ruleset(part: MakePart) -> Emit:
    """The text of the file that nft loads."""

    def emit(nodes: Iterable[Node], target: str = "debian12") -> str:
        return Nftables().emit(part(nodes, target)).artifacts[0].text

    return emit


@cache
def _namespace_command() -> tuple[str, ...]:
    # An unprivileged user's namespace takes small messages only; the kernel's limit is met by the largest tests.
    return ("unshare", "-n") if os.geteuid() == 0 else ("unshare", "-rn")


@cache
def _why_not() -> str | None:
    for program in ("nft", "unshare", "ip"):
        if shutil.which(program) is None:
            return f"`{program}` is not installed"
    tried = subprocess.run(
        [*_namespace_command(), "nft", "add table inet lvsc"], capture_output=True, text=True, check=False
    )
    return f"no nftables in a network namespace: {tried.stderr.strip()}" if tried.returncode else None


@pytest.fixture
def in_namespace(tmp_path: Path) -> InNamespace:
    """Run a shell script in a network namespace of its own; it must succeed and write nothing to stderr.

    Returns what it wrote to stdout. `files` are put into the directory that the script runs in.
    """
    why_not = _why_not()
    if why_not is not None:
        pytest.skip(why_not)

    def run(script: str, **files: str) -> str:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        done = subprocess.run(
            [*_namespace_command(), "sh", "-euc", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run
