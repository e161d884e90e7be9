"""Running programs on a host, and what of them only the kernel's first network namespace allows.

A machine of its own has no other network namespace. Here hosts share a kernel, and a few things belong to all of them:
modules with their parameters, and the size of the connection tracking table (net/netfilter/nf_conntrack_standalone.c makes
those sysctls read-only elsewhere). Where the kernel is the machine's own, they are the machine's and stay as they are.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

#: How long a command may take, in seconds.
LIMIT = 120
_SHARED = ("net.netfilter.nf_conntrack_max", "net.netfilter.nf_conntrack_buckets", "net.nf_conntrack_max")
_NATIVE = os.environ.get("KERNEL") == "native"
_REFUSED = re.compile(r'sysctl: (?:setting key|permission denied on key) ["\']([^"\']+)["\'].*')


class Commands:
    """Runs a host's programs."""

    def __init__(self, first_network: int) -> None:
        """`first_network` is a descriptor of the kernel's first network namespace."""
        self._first_network = first_network

    def run(self, argv: list[str], stdin: str = "", limit: float = LIMIT) -> dict[str, Any]:
        """A program's status, output and errors; by its name on PATH where it is not at the path that is asked for."""
        if not Path(argv[0]).exists() and (here := shutil.which(Path(argv[0]).name)):
            argv = [here, *argv[1:]]
        match Path(argv[0]).name:
            case "modprobe" if _NATIVE:
                return self._run([argv[0], "--config=/dev/null", *argv[1:]], stdin, limit)
            case "modprobe":
                return self._run(self._from_first(argv), stdin, limit)
            case "sysctl" if "-p" in argv:
                return self._settings(argv)
        return self._run(argv, stdin, limit)

    def _settings(self, argv: list[str]) -> dict[str, Any]:
        """A file of sysctls: what a host may not set, the first namespace sets."""
        said = self._run(argv, "", LIMIT)
        lines: list[str] = said["stderr"].splitlines()
        refused = [found[1] for line in lines if (found := _REFUSED.fullmatch(line)) and found[1] in _SHARED]
        if not refused:
            return said
        for line in Path(argv[-1]).read_text(encoding="utf-8").splitlines():
            key, equals, value = (word.strip() for word in line.partition("="))
            if equals and key in refused and not _NATIVE:
                shared = self._run(self._from_first([argv[0], "-q", "-w", f"{key}={value}"]), "", LIMIT)
                if shared["status"]:
                    return shared
        rest = [line for line in lines if not ((found := _REFUSED.fullmatch(line)) and found[1] in _SHARED)]
        return {
            **said,
            "status": said["status"] if rest else 0,
            "stderr": "".join(f"{line}\n" for line in rest),
        }

    def _from_first(self, argv: list[str]) -> list[str]:
        return ["nsenter", f"--net=/proc/self/fd/{self._first_network}", *argv]

    def _run(self, argv: list[str], stdin: str, limit: float) -> dict[str, Any]:
        try:
            done = subprocess.run(
                argv,
                pass_fds=[self._first_network],
                input=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=limit,
                check=False,
            )
        except FileNotFoundError:
            return {"status": 127, "stdout": "", "stderr": f"{argv[0]}: not found"}
        except subprocess.TimeoutExpired:
            return {"status": 124, "stdout": "", "stderr": f"{argv[0]}: not done after {limit} s"}
        return {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
