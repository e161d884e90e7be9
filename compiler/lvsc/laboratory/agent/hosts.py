"""The hosts of a topology: each a process with its own network, mounts, processes and name, and what wires them."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import kernel
from .work import Work

#: What each host may write, over this machine's files; it goes with the host.
OVERLAYS = ("/etc", "/usr/sbin", "/usr/bin")
#: Directories of a host that begin empty.
EMPTY = ("/run",)
#: The state of a bridge's port that passes frames on (Linux: linux/if_bridge.h, BR_STATE_FORWARDING).
_FORWARDING = "3"


class Hosts:
    """The hosts that there are now."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}
        self._bridges: list[str] = []
        self._wires: dict[str, list[str]] = {}
        """The far ends of each host's wires."""
        self._count = 0

    def do(self, call: dict[str, Any]) -> Any:  # noqa: ANN401 - what a call gives depends on the call
        """Carry out a call: "topology" makes all hosts anew, "kill" ends one at once, everything else is for a host."""
        match call["do"]:
            case "topology":
                self.clear()
                self._make(call["segments"], call["hosts"])
                return None
            case "lacks":
                return [name for name in call["modules"] if not _module(name)]
            case "kill":
                # The kernel goes on forwarding for a host without processes until it clears its network away. The wires are
                # not deleted: when they were, the kernel twice waited for ever for the interfaces to be free.
                _ip(*(f"link set {wire} down" for wire in self._wires.pop(call["host"])))
                self._hosts.pop(call["host"]).kill()
                return None
        return self._hosts[call["host"]].do(call)

    def clear(self) -> None:
        """End all hosts; their networks go with them."""
        for host in self._hosts.values():
            host.kill()
        self._hosts.clear()
        for bridge in self._bridges:
            _ip(f"link del {bridge}")
        self._bridges.clear()

    def _make(self, segments: int, hosts: list[dict[str, Any]]) -> None:
        self._hosts = {host["name"]: _Host(host["name"]) for host in hosts}
        self._bridges = [f"segment{number}" for number in range(segments)]
        lines = []
        for bridge in self._bridges:
            lines += [f"link add {bridge} type bridge mcast_snooping 0", f"link set {bridge} up"]
        for host in hosts:
            self._wires[host["name"]] = []
            for wire in host["wires"]:
                self._count += 1
                self._wires[host["name"]].append(f"wire{self._count}")
                mac = f"address {wire['mac']} " if wire.get("mac") else ""
                inner = f"netns {self._hosts[host['name']].pid} {mac}"
                lines += [
                    f"link add name {wire['interface']} {inner}type veth peer name wire{self._count}",
                    f"link set wire{self._count} master segment{wire['segment']} up",
                ]
        _ip(*lines)
        for host in hosts:
            self._hosts[host["name"]].do({"do": "network", **host})
        # The kernel takes note of a wire whose both ends are up by and by; until then what comes by it is lost.
        for wire in (wire for host in hosts for wire in self._wires[host["name"]]):
            kernel.becomes(f"/sys/class/net/{wire}/brport/state", _FORWARDING)


class _Host:
    """A host's first process, and the line to the one that does its work."""

    def __init__(self, name: str) -> None:
        ours, theirs = socket.socketpair()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            ours.close()
            os.close(reader)
            os._exit(_host(name, theirs, writer))
        theirs.close()
        os.close(writer)
        with os.fdopen(reader) as told:
            self.pid = int(told.read() or "0")
        if not self.pid:
            raise OSError(f"no namespaces for host {name}")
        self._child = child
        self._line = ours.makefile("rw", encoding="utf-8")
        ours.close()

    def do(self, call: dict[str, Any]) -> Any:  # noqa: ANN401 - what a call gives depends on the call
        self._line.write(json.dumps(call) + "\n")
        self._line.flush()
        said = self._line.readline()
        if not said:
            raise OSError("the host is gone")
        reply = json.loads(said)
        if "error" in reply:
            raise OSError(reply["error"])
        return reply["value"]

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self._child, 0)
        self._line.close()


def _host(name: str, line: socket.socket, writer: int) -> int:
    """Be the parent of the host's first process, which needs a parent that waits for it."""
    first_network = os.open("/proc/self/ns/net", os.O_RDONLY)
    kernel.unshare(
        kernel.NEW_NETWORK | kernel.NEW_MOUNTS | kernel.NEW_PROCESSES | kernel.NEW_UTS | kernel.NEW_IPC
    )
    first = os.fork()
    if first:
        os.write(writer, str(first).encode())
        os.close(writer)
        os.waitpid(first, 0)
        return 0
    os.close(writer)
    kernel.die_with_parent(signal.SIGKILL)
    os.setsid()
    try:
        _furnish(name)
    except OSError as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.stderr.flush()
        return 1
    worker = os.fork()
    if worker == 0:
        Work(name, first_network).serve(line)
        return 0
    line.close()
    while True:  # the first process of a PID namespace is everybody's last parent
        ended, _ = os.wait()
        if ended == worker:
            return 0


def _furnish(name: str) -> None:
    socket.sethostname(name)
    kernel.mount("none", "/", flags=kernel.RECURSIVE | kernel.PRIVATE)
    kernel.mount("proc", "/proc", "proc")
    kernel.mount("sysfs", "/sys", "sysfs")
    for directory in EMPTY:
        kernel.mount("tmpfs", directory, "tmpfs")
    for directory in OVERLAYS:
        upper, work = f"/run/over{directory}/upper", f"/run/over{directory}/work"
        for path in (upper, work):
            Path(path).mkdir(parents=True)
        kernel.mount(
            "overlay", directory, "overlay", data=f"lowerdir={directory},upperdir={upper},workdir={work}"
        )


def _module(name: str) -> bool:
    """Whether the kernel has a module, loaded or not."""
    found = subprocess.run(["modprobe", "-n", "-q", name], capture_output=True, check=False)
    return found.returncode == 0


def _ip(*lines: str) -> None:
    """Have ip(8) do some lines.

    Raises:
        OSError: It refuses one.
    """
    done = subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"ip: {done.stderr.strip()}")
