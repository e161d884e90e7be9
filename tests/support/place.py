"""A throw-away place on this machine where emitted files stand at their own paths and emitted commands run as they are.

It is a network and a mount namespace: /etc is an overlay that goes with it, /run is empty. Nothing outside changes.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from lvsc.plugin import Artifact

_OVERLAY = r"""
mount -t tmpfs none /run
over() {
    mkdir -p "/run/over$1/upper" "/run/over$1/work"
    mount -t overlay -o "lowerdir=$1,upperdir=/run/over$1/upper,workdir=/run/over$1/work" overlay "$1"
}
over /etc
"""
#: The names by which the two variants of iptables are told from each other, each a program with many names.
VARIANTS = {"legacy": "xtables-legacy-multi", "nft": "xtables-nft-multi"}


def run(
    script: str,
    directory: Path,
    files: Iterable[Artifact] = (),
    *,
    programs: Iterable[tuple[str, str]] = (),
    interfaces: Iterable[str] = (),
    variant: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a script among the files.

    `programs` are names of programs and the paths where the script expects them; those of another distribution lead to
    this machine's. `interfaces` are made. `variant` is the one that `iptables` is. Skips the test, with the reason, where
    this machine cannot do that.
    """
    if reason := why_not():
        pytest.skip(reason)
    lines = ["set -eu", _OVERLAY]
    for number, file in enumerate(files):
        source = directory / f"file{number}"
        source.write_text(file.text, encoding="utf-8")
        lines.append(f"install -D -m {file.mode:o} {source} {shlex.quote(file.path)}")
    lines += _elsewhere(programs)
    if variant is not None:
        lines.append(_variant(variant))
    for number, interface in enumerate(interfaces):
        lines.append(f"ip link add {interface} type veth peer name peer{number}")
        lines.append(f"ip link set {interface} up")
    return subprocess.run(
        [*_unshare(), "sh", "-c", "\n".join([*lines, script])],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        env={**os.environ, "LC_ALL": "C"},
        timeout=60,
    )


def _elsewhere(programs: Iterable[tuple[str, str]]) -> list[str]:
    """What gives the programs that are not at their paths here a link there."""
    links = {path: shutil.which(name) for name, path in programs if not Path(path).exists()}
    found = {path: program for path, program in links.items() if program is not None}
    directories = sorted({str(Path(path).parent.resolve()) for path in found})
    return [
        *(f"over {directory}" for directory in directories),
        *(f"ln -s {program} {path}" for path, program in sorted(found.items())),
    ]


def _variant(variant: str) -> str:
    wanted = shutil.which(VARIANTS[variant])
    if wanted is None:
        pytest.skip(f"no {VARIANTS[variant]}: apt-get install iptables")
    there = {str(Path(path).resolve()) for path in map(shutil.which, ("iptables", "ip6tables")) if path}
    return "\n".join(f"mount --bind {wanted} {path}" for path in sorted(there - {wanted}))


@cache
def why_not() -> str | None:
    """Why this machine has no such place, None where it has."""
    for program in ("unshare", "ip"):
        if shutil.which(program) is None:
            return f"no {program}: apt-get install util-linux iproute2"
    tried = subprocess.run(
        [*_unshare(), "sh", "-euc", f"{_OVERLAY}ip link set lo up"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no network namespace with an overlay: {tried.stderr.strip()}" if tried.returncode else None


def _unshare() -> list[str]:
    return ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net", "--mount"]
