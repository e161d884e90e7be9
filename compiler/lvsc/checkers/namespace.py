"""A user and network namespace of its own, in which programs that load rules can do no harm; it goes with them."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: Where administrators' programs are, which an ordinary user's PATH may lack.
_SYSTEM = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a program."""

    code: int
    """Negative where a signal ended it."""
    said: str
    """Standard error, and standard output before it."""


def find(program: str) -> str | None:
    """The path of an installed program, None where it is not installed."""
    return shutil.which(program, path=_path())


def run(command: Sequence[str], directory: Path, more: Mapping[str, str] | None = None) -> Done:
    """Run a program in a directory, with English messages and without standard input.

    Raises:
        OSError: It cannot be run.
    """
    environment = {"PATH": _path(), "LC_ALL": "C", "HOME": str(directory), **(more or {})}
    try:
        done = subprocess.run(  # noqa: S603 - the programs are this package's own choice
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Done(1, f"{Path(command[0]).name} did not end within {_SECONDS} seconds")
    return Done(done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"))


def within(command: Sequence[str]) -> list[str]:
    """The command that runs a command in a namespace of its own."""
    return [find("unshare") or "unshare", "--map-root-user", "--net", "--", *command]


@cache
def why_not() -> str | None:
    """Why this machine makes no such namespace, None where it does."""
    if find("unshare") is None:
        return "no `unshare` is installed (util-linux)"
    done = run(within(["true"]), Path("/"))
    return f"this machine makes no user and network namespace: {done.said.strip()}" if done.code else None


def _path() -> str:
    return os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM)).lstrip(os.pathsep)
