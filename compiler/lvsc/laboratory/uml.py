"""User Mode Linux as Debian packages it: a kernel with IPVS that is an ordinary program.

It needs neither root nor KVM nor a disk image, and is up in about a second. Its nftables has no ip, ip6 and inet
families, and its iptables is the legacy variant alone (Debian's configuration: CONFIG_NF_TABLES_{IPV4,IPV6,INET} unset).
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lvsc.laboratory.guest import BOOT, Guest, boot_directory, hand_over, started

#: Bytes that the guest may use; it takes what it needs of them, some 60 MB and 15 more for each host.
_MEMORY = 1 << 30
_MODULES = Path("/usr/lib/uml/modules")


def why_not() -> str | None:
    """Why this machine cannot run User Mode Linux, and what to do; None where it can."""
    if shutil.which("linux.uml") is None or not _MODULES.is_dir():
        return "no User Mode Linux: apt-get install user-mode-linux"
    if not Path("/sbin/modprobe").exists():
        return "no modprobe: apt-get install kmod"
    if _needs_shim() and shutil.which("cc") is None:
        return "User Mode Linux needs a C compiler on a processor with AMX: apt-get install gcc libc6-dev"
    return None


@contextmanager
def running(share: Path, command: Sequence[str]) -> Iterator[Guest]:
    """Boot it; see `lvsc.laboratory.kernels.running`."""
    (share / "command").write_text(shlex.join(command), encoding="utf-8")
    with boot_directory(share) as directory:
        environment = {**os.environ, "TMPDIR": _memory_in(directory)}
        if _needs_shim():
            shim = directory / "xstate.so"
            source = BOOT / "xstate.c"
            subprocess.run(  # noqa: S603 - a fixed command
                ["cc", "-O2", "-shared", "-fPIC", "-o", shim, source, "-ldl"],  # noqa: S607 - this machine's own compiler
                check=True,
            )
            environment["LD_PRELOAD"] = str(shim)
            if os.geteuid() == 0:
                hand_over(directory)
        arguments = [
            "linux.uml",
            *(
                f"mem={_MEMORY >> 20}M",
                "root=/dev/root",
                "rootfstype=hostfs",
                "rootflags=/",
                "ro",
                "quiet",
                "panic=-1",
            ),
            *("con=null", "con0=null,fd:1", "ssl=null", f"uml_dir={directory}/"),
            "random.trust_cpu=on",  # else Python waits 10 s for entropy
            "initcall_blacklist=raid6_select_algo",  # a benchmark of 0.8 s
            *(f"init={directory}/guest-init", "KERNEL=uml", f"SHARE={share}", f"MODULES={_MODULES}"),
        ]
        with started(arguments, directory, environment) as guest:
            yield guest


def _memory_in(directory: Path) -> str:
    """Where the file with the guest's memory goes: to memory, if that has room for all that the guest may use."""
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108 - the kernel makes a file without a name there
    except FileNotFoundError:
        return str(directory)
    return "/dev/shm" if room.f_bavail * room.f_frsize > _MEMORY else str(directory)  # noqa: S108 - likewise


def _needs_shim() -> bool:
    """Whether this processor's state is larger than the guest's kernel knows; see xstate.c."""
    return " amx_tile" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
