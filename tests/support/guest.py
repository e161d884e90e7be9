"""A kernel with IPVS for the tests: User Mode Linux, as the laboratory boots it (see `lvsc.laboratory.uml`)."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lvsc.laboratory import kernels
from lvsc.laboratory.kernels import GuestError, Kernel

__all__ = ["GuestError", "run", "why_not"]


def run(
    command: Sequence[str],
    *,
    timeout: float = 300,
    files: Mapping[str, str] | None = None,
    trees: Mapping[str, Path] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command as root in a new guest, in /mnt, where it finds `files` and copies of `trees` and may write. `timeout` is in seconds.

    Skips the test, with the reason, where this machine cannot run a guest.

    Raises:
        GuestError: The guest did not come to the command's end.
    """
    if reason := why_not():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="guest-") as name:
        share = Path(name)
        for path, text in (files or {}).items():
            (share / path).write_text(text, encoding="utf-8")
        for path, tree in (trees or {}).items():
            shutil.copytree(tree, share / path)
            for each in (share / path, *(share / path).rglob("*")):
                each.chmod(0o755 if each.is_dir() else 0o644)  # the guest may run as another user
        with kernels.running(Kernel.UML, share, command) as guest:
            late = "" if guest.wait(timeout) else f"\nended after {timeout} s"
            console = f"{guest.console()}{late}"
        if not (share / "status").exists():
            raise GuestError(f"{_output(share, 'stdout')}\n{_output(share, 'stderr')}\n{console}")
        status = int((share / "status").read_text(encoding="utf-8"))
        return subprocess.CompletedProcess(
            command, status, _output(share, "stdout"), _output(share, "stderr")
        )


def why_not() -> str | None:
    """Why this machine cannot run a guest, None where it can."""
    return kernels.why_not(Kernel.UML)


def _output(share: Path, name: str) -> str:
    path = share / name
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
