"""What is done on one host, call by call."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

from . import clients, ftp, kernel
from .commands import LIMIT, Commands
from .servers import Servers
from .units import Units


class Work:
    """A host's worker."""

    def __init__(self, name: str, first_network: int) -> None:
        """For the host of a name; `first_network` is a descriptor of the kernel's first network namespace."""
        self._command = Commands(first_network).run
        self._units = Units(self._command)
        self._servers = Servers(name)
        self._held = clients.Held()
        self._started: dict[str, subprocess.Popen[str]] = {}
        self._calls: dict[str, Callable[[dict[str, Any]], Any]] = {
            "network": self._network,
            "variant": self._variant,
            "programs": self._programs,
            "install": self._install,
            "load": self._load,
            "run": self._run,
            "start": self._start,
            "stop": self._stop,
            "write": self._write,
            "serve": self._serve,
            "silence": self._silence,
            "ask": self._ask,
            "open": self._open,
            "say": self._say,
            "close": self._close,
            "ftp": self._ftp,
        }

    def serve(self, line: socket.socket) -> None:
        """Answer calls until the line ends."""
        with line.makefile("rw", encoding="utf-8") as calls:
            for text in calls:
                call = json.loads(text)
                try:
                    reply = {"value": self._calls[call["do"]](call)}
                except Exception as error:  # noqa: BLE001 - the other side tells of it
                    reply = {"error": f"{type(error).__name__}: {error}"}
                calls.write(json.dumps(reply) + "\n")
                calls.flush()

    def _network(self, call: dict[str, Any]) -> None:
        """Addresses and routes: what the host has before lvsc's files come; its wires carry when it is done."""
        forward = "1" if call["forward"] else "0"
        interfaces = [wire["interface"] for wire in call["wires"]]
        for path, value in (
            ("ipv6/conf/all/disable_ipv6", "0"),
            # An address that is still looked for elsewhere answers nobody for up to two seconds. An interface that is there
            # has its own value, which counts beside that of all.
            *((f"ipv6/conf/{name}/accept_dad", "0") for name in ("all", "default", *interfaces)),
            # Clients have the addresses of whole networks (routes of the type local), which are on no interface.
            ("ipv4/ip_nonlocal_bind", forward),
            ("ipv6/ip_nonlocal_bind", forward),
            ("ipv4/ip_forward", forward),
            ("ipv6/conf/all/forwarding", forward),
        ):
            file = Path("/proc/sys/net", path)
            if file.exists():
                file.write_text(value, encoding="ascii")
        lines = ["link set dev lo up"]
        for wire in call["wires"]:
            lines.append(f"link set dev {wire['interface']} up")
            lines += [
                f"addr add {address} dev {wire['interface']}{' nodad' if ':' in address else ''}"
                for address in wire["addresses"]
            ]
        lines += [f"route add {route}" for route in call["routes"]]
        done = self._command(["ip", "-batch", "-"], "\n".join(lines) + "\n")
        if done["status"]:
            raise OSError(done["stderr"])
        for interface in interfaces:
            kernel.becomes(f"/sys/class/net/{interface}/operstate", "up")

    def _variant(self, call: dict[str, Any]) -> None:
        """Make iptables the legacy variant or the one over nftables, as update-alternatives(1) does."""
        program = shutil.which(f"xtables-{call['variant']}-multi")
        if program is None:
            raise OSError(f"no iptables of variant {call['variant']}: apt-get install iptables")
        for name, verb in product(("iptables", "ip6tables"), ("", "-save", "-restore")):
            path = Path(shutil.which(name + verb) or f"/usr/sbin/{name}{verb}")
            path.unlink(missing_ok=True)
            path.symlink_to(program)

    def _programs(self, call: dict[str, Any]) -> None:
        """Lead the paths of another distribution's programs to this machine's."""
        for name, path in call["programs"].items():
            here = shutil.which(name)
            if here is not None and not Path(path).exists() and Path(path).parent.is_dir():
                Path(path).symlink_to(here)

    def _install(self, call: dict[str, Any]) -> None:
        """Put files where they belong, as whoever copies a built tree to a host does."""
        for file in call["files"]:
            path = Path(file["path"])
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file["source"], path)
            path.chmod(int(file["mode"], 8))

    def _load(self, call: dict[str, Any]) -> list[dict[str, Any]]:
        """Run commands in their order, up to the first that fails; systemctl(1) is this package's."""
        done = []
        for argv in call["commands"]:
            said = self._units.load(argv)
            done.append({"argv": argv, **said})
            if said["status"]:
                break
        return done

    def _run(self, call: dict[str, Any]) -> dict[str, Any]:
        return self._command(call["argv"], call.get("stdin", ""), call.get("limit", LIMIT))

    def _start(self, call: dict[str, Any]) -> int:
        """Start a program that goes on; its output is in /run/NAME.log."""
        with Path(f"/run/{call['name']}.log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                call["argv"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self._started[call["name"]] = process
        return process.pid

    def _stop(self, call: dict[str, Any]) -> int:
        process = self._started.pop(call["name"])
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, getattr(signal, call.get("signal", "SIGTERM")))
        return process.wait(LIMIT)

    def _write(self, call: dict[str, Any]) -> None:
        path = Path(call["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(call["text"], encoding="utf-8")
        if "mode" in call:
            path.chmod(int(call["mode"], 8))

    def _serve(self, call: dict[str, Any]) -> None:
        for listener in call["listeners"]:
            self._servers.listen(**listener)

    def _silence(self, call: dict[str, Any]) -> None:
        """Stop serving: one port of a protocol, or all."""
        self._servers.silence(call.get("protocol"), call.get("port"))

    def _ask(self, call: dict[str, Any]) -> list[dict[str, Any]]:
        return clients.ask_all(call["questions"])

    def _open(self, call: dict[str, Any]) -> dict[str, Any]:
        return self._held.open(call["name"], call["question"])

    def _say(self, call: dict[str, Any]) -> dict[str, Any]:
        return self._held.say(call["name"], call["limit"])

    def _close(self, call: dict[str, Any]) -> None:
        self._held.close(call["name"])

    def _ftp(self, call: dict[str, Any]) -> list[dict[str, Any]]:
        return ftp.fetch_all(call["wanted"])
