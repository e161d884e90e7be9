"""A kernel with IPVS for the tests: User Mode Linux as Debian packages it (user-mode-linux, kmod).

It needs neither root nor KVM nor a disk image. A guest sees this machine's files, read-only, and has its own kernel,
network and /run; it boots and halts in about two seconds. Its nftables has no ip, ip6 and inet families.
"""

import os
import pwd
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
MODULES = Path("/usr/lib/uml/modules")


class GuestError(RuntimeError):
    """The guest ended, or was ended by the time-out, before its command did."""


def run(
    command: Sequence[str], *, timeout: float = 60, files: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as root in a new guest, in /mnt, where it finds `files` and may write. `timeout` is in seconds.

    Skips the test, with the reason, where this machine cannot run a guest.

    Raises:
        GuestError: The guest did not come to the command's end.
    """
    if reason := why_not():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="guest-") as name:
        share = Path(name)
        shutil.copy(HERE / "guest-init", share)
        (share / "command").write_text(shlex.join(command), encoding="utf-8")
        for path, text in (files or {}).items():
            (share / path).write_text(text, encoding="utf-8")
        console = _boot(share, timeout)
        if not (share / "status").exists():
            raise GuestError(f"{_output(share, 'stdout')}\n{_output(share, 'stderr')}\n{console}")
        status = int((share / "status").read_text(encoding="utf-8"))
        return subprocess.CompletedProcess(
            command, status, _output(share, "stdout"), _output(share, "stderr")
        )


@cache
def why_not() -> str | None:
    """Why this machine cannot run a guest, None where it can."""
    if shutil.which("linux.uml") is None or not MODULES.is_dir():
        return "no User Mode Linux: apt-get install user-mode-linux"
    if not Path("/sbin/modprobe").exists():
        return "no modprobe: apt-get install kmod"
    if _needs_shim() and shutil.which("cc") is None:
        return "User Mode Linux needs xstate.c on a processor with AMX: apt-get install gcc libc6-dev"
    return None


def _boot(share: Path, timeout: float) -> str:
    """Boot a guest, wait for its end and return what its console said."""
    arguments = [
        "linux.uml",
        *("mem=256M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet", "panic=-1"),
        *("con=null", "con0=null,fd:1", "ssl=null", f"uml_dir={share}/"),
        "random.trust_cpu=on",  # else Python waits 10 s for entropy
        "initcall_blacklist=raid6_select_algo",  # a benchmark of 0.8 s
        *(f"init={share}/guest-init", f"SHARE={share}", f"MODULES={MODULES}"),
    ]
    environment = dict(os.environ)
    if _needs_shim():
        shim = share / "xstate.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", shim, HERE / "xstate.c", "-ldl"], check=True)
        environment["LD_PRELOAD"] = str(shim)
    # A guest's root could remount this machine's files to write them as whoever runs the guest.
    user = None
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody").pw_uid
        for path in (share, *share.iterdir()):
            os.chown(path, user, -1)
    kernel = subprocess.Popen(
        arguments,
        env=environment,
        cwd=share,
        user=user,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        return kernel.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired:
        os.killpg(kernel.pid, signal.SIGKILL)
        return f"{kernel.communicate()[0]}\nended after {timeout} s"


@cache
def _needs_shim() -> bool:
    """Whether this processor's state is larger than the guest's kernel knows; see xstate.c."""
    return " amx_tile" in Path("/proc/cpuinfo").read_text(encoding="utf-8")


def _output(share: Path, name: str) -> str:
    path = share / name
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
