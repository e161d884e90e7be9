"""This machine's own kernel, in namespaces: nothing to boot, and the very kernel that a director may run.

What is not in namespaces is read-only inside: this machine's files, and all settings but those of the network.
Modules that are loaded inside stay loaded.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lvsc.laboratory.guest import Guest, boot_directory, started

_NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--propagation=private")


def why_not() -> str | None:
    """Why this machine's own kernel cannot be used, and what to do; None where it can."""
    # IPVS asks for CAP_NET_ADMIN in the first user namespace (Linux: ip_vs_ctl.c, GENL_ADMIN_PERM).
    if os.geteuid() != 0 or Path("/proc/self/uid_map").read_text(encoding="utf-8").split()[:2] != ["0", "0"]:
        return "this machine's own kernel gives IPVS to root alone: become root"
    if shutil.which("unshare") is None:
        return "no unshare: apt-get install util-linux"
    if not Path("/proc/sys/net/ipv4/vs").exists() and not _done("/sbin/modprobe", "--dry-run", "ip_vs"):
        return f"this machine's own kernel, {os.uname().release}, has no IPVS: install the package with its modules"
    if not _done(*_NAMESPACES, "--fork", "--mount-proc", "true"):
        return "no namespaces may be made here: `unshare` is refused, as in a container without privileges"
    return None


def nftables() -> bool:
    """Whether this machine's own kernel has nftables' families ip, ip6 and inet."""
    return shutil.which("nft") is not None and _done(
        "unshare", "--net", "nft", "add", "table", "inet", "lvsc"
    )


@contextmanager
def running(share: Path, command: Sequence[str]) -> Iterator[Guest]:
    """Make the namespaces; see `lvsc.laboratory.kernels.running`."""
    (share / "command").write_text(shlex.join(command), encoding="utf-8")
    with boot_directory(share, drop=False) as directory:
        environment = {"KERNEL": "native", "SHARE": str(share)}
        arguments = [*_NAMESPACES, "--fork", "--kill-child", "--mount-proc", f"{directory}/guest-init"]
        with started(arguments, directory, environment, drop=False) as guest:
            yield guest


def _done(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - fixed commands
    except FileNotFoundError:
        return False
    return done.returncode == 0
