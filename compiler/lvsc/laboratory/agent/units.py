"""As much of systemd as loading a host needs: the units' own commands, in the order and with the ties that the files state.

From systemd.unit(5) and systemd.service(5): drop-ins, empty assignments, `-` before a command, EnvironmentFile=, Type=oneshot
with RemainAfterExit=, Type=notify, PartOf=, ReloadPropagatedFrom=, WantedBy= of what is enabled.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

DIRECTORIES = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
#: How long a daemon may take to be ready, and to end, in seconds: systemd's own default (systemd-system.conf(5)).
_LIMIT = 90
#: How long a daemon must live to count as started, and how long to wait before looking again whether it is ready, in seconds.
_ALIVE, _PAUSE = 0.2, 0.02
#: What openrc-run(8) gives to scripts, as far as lvsc's use it.
_OPENRC = "ebegin() { :; }; eend() { return $1; };"

Command = Callable[[list[str]], dict[str, Any]]
Settings = dict[str, list[str]]


class Units:
    """The units of one host and what of them is up."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._up: set[str] = set()
        self._enabled: set[str] = set()
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def systemctl(self, arguments: list[str]) -> dict[str, Any]:
        """Do what `systemctl` does with these arguments: its status, output and errors."""
        words = [word for word in arguments if not word.startswith("-")]
        verb, names = words[0], words[1:]
        try:
            for name in names:
                self._do(verb, name, now="--now" in arguments)
        except _UnitError as error:
            return {"status": 1, "stdout": "", "stderr": str(error)}
        return {"status": 0, "stdout": "", "stderr": ""}

    def rc_service(self, arguments: list[str]) -> dict[str, Any]:
        """Do what rc-service(8) does: OpenRC's own scripts are run; for others this machine's unit of the name stands in."""
        name, verb = (word for word in arguments if not word.startswith("--"))
        script = Path("/etc/init.d", name)
        own = script.exists() and "openrc-run" in script.read_text(encoding="utf-8").partition("\n")[0]
        unit = name if own else f"{name}.service"
        skipped = {"--ifstopped"} if self._is_up(unit) else {"--ifstarted"}
        if skipped & set(arguments):
            return {"status": 0, "stdout": "", "stderr": ""}
        if not own:
            return self.systemctl([verb, unit])
        said = self._command(["sh", "-c", f"{_OPENRC} . {script}; {verb}"])
        if said["status"] == 0:
            (self._up.discard if verb == "stop" else self._up.add)(unit)
        return said

    def load(self, argv: list[str]) -> dict[str, Any]:
        """Run a command of a manifest, in which the init system's own are this class's."""
        match Path(argv[0]).name:
            case "systemctl":
                return self.systemctl(argv[1:])
            case "rc-service":
                return self.rc_service(argv[1:])
            case "rc-update":
                return {"status": 0, "stdout": "", "stderr": ""}
        return self._command(argv)

    def _do(self, verb: str, name: str, *, now: bool) -> None:
        match verb:
            case "start":
                self._start(name)
            case "stop":
                self._stop(name)
            case "restart":
                self._restart(name)
            case "reload":
                self._reload(name)
            case "reload-or-restart" | "try-reload-or-restart":
                if self._is_up(name):
                    self._reload(name)
                elif verb == "reload-or-restart":
                    self._start(name)
            case "try-restart":
                if self._is_up(name):
                    self._restart(name)
            case "enable":
                self._enabled.add(name)
                if now:
                    self._start(name)
            case "disable":
                self._enabled.discard(name)
                if now:
                    self._stop(name)
            case "is-active":
                if not self._is_up(name):
                    raise _UnitError("inactive")
            case _:
                raise _UnitError(f"systemctl {verb}: the laboratory does not know it")

    def _is_up(self, name: str) -> bool:
        daemon = self._daemons.get(name)
        return name in self._up if daemon is None else daemon.poll() is None

    def _start(self, name: str) -> None:
        if self._is_up(name):
            return
        unit = _unit(name)
        environment = _environment(unit)
        for line in unit.get("ExecStartPre", []):
            self._run(name, line, environment)
        if unit.get("Type", ["simple"])[-1] == "oneshot":
            for line in unit.get("ExecStart", []):
                self._run(name, line, environment)
        else:
            self._daemon(name, unit, environment)
        self._up.add(name)
        for line in unit.get("ExecStartPost", []):
            self._run(name, line, environment)
        for other in self._tied(name, "WantedBy", self._enabled):
            self._start(other)

    def _daemon(self, name: str, unit: Settings, environment: dict[str, str]) -> None:
        argv, _ = _argv(unit["ExecStart"][-1], environment)
        if not Path(argv[0]).exists():
            argv[0] = shutil.which(Path(argv[0]).name) or argv[0]
        with Path(f"/run/{name}.log").open("ab") as log:
            try:
                self._daemons[name] = subprocess.Popen(
                    argv,
                    env={**os.environ, **environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise _UnitError(f"{name}: {argv[0]} not found") from None
        time.sleep(_ALIVE)
        end = time.monotonic() + (_LIMIT if unit.get("Type", ["simple"])[-1] == "notify" else 0)
        while self._is_up(name) and not _knows_reload(self._daemons[name].pid) and time.monotonic() < end:
            time.sleep(_PAUSE)
        if not self._is_up(name):
            said = Path(f"/run/{name}.log").read_text(encoding="utf-8", errors="replace")
            raise _UnitError(f"{name} ended at once: {said[-500:]}")

    def _restart(self, name: str) -> None:
        """Stop and start a unit, and what is part of it with it."""
        parts = list(self._tied(name, "PartOf"))
        self._stop(name)
        self._start(name)
        for other in parts:
            self._start(other)

    def _stop(self, name: str) -> None:
        for other in self._tied(name, "PartOf"):
            self._stop(other)
        if not self._is_up(name):
            return
        unit = _unit(name)
        for line in unit.get("ExecStop", []):
            self._run(name, line, _environment(unit))
        self._up.discard(name)
        daemon = self._daemons.pop(name, None)
        if daemon is not None and daemon.poll() is None:
            os.killpg(daemon.pid, signal.SIGTERM)
            try:
                daemon.wait(_LIMIT)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()

    def _reload(self, name: str) -> None:
        if not self._is_up(name):
            raise _UnitError(f"{name} is not active, cannot reload")
        unit = _unit(name)
        environment = _environment(unit)
        if name in self._daemons:
            environment["MAINPID"] = str(self._daemons[name].pid)
        if not unit.get("ExecReload"):
            raise _UnitError(f"{name} cannot be reloaded")
        for line in unit["ExecReload"]:
            self._run(name, line, environment)
        for other in self._tied(name, "ReloadPropagatedFrom"):
            self._reload(other)

    def _tied(self, name: str, key: str, units: AbstractSet[str] | None = None) -> Iterator[str]:
        """The units, of those that are up if none are said, that name this one under a key."""
        for other in sorted((self._up if units is None else units) - {name}):
            if name in " ".join(_unit(other).get(key, [])).split():
                yield other

    def _run(self, name: str, line: str, environment: dict[str, str]) -> None:
        argv, lenient = _argv(line, environment)
        said = self.load(argv)
        if said["status"] and not lenient:
            raise _UnitError(f"{name}: {line}: status {said['status']}: {said['stderr'].strip()}")


class _UnitError(Exception):
    """What systemctl would have complained of."""


def _knows_reload(pid: int) -> bool:
    """Whether a process would not end by SIGHUP, which has a program that is still starting end instead of reload.

    keepalived says that it is ready (sd_notify(3)) to no other parent than systemd.
    """
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    )
    handled = int(fields["SigCgt"], 16) | int(fields["SigBlk"], 16)
    return bool(handled >> (signal.SIGHUP - 1) & 1)


def _unit(name: str) -> Settings:
    """A unit's settings, with its drop-ins, as lists of assignments."""
    own = next((path for d in DIRECTORIES if (path := Path(d, name)).exists()), None)
    if own is None:
        raise _UnitError(f"unit {name} not found")
    found: dict[str, Path] = {}
    for directory in reversed(DIRECTORIES):
        found |= {path.name: path for path in Path(directory, f"{name}.d").glob("*.conf")}
    settings: Settings = {}
    for path in (own, *(found[file] for file in sorted(found))):
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            key, equals, value = line.strip().partition("=")
            if not equals or key.startswith(("#", ";")):
                continue
            if value.strip():
                settings.setdefault(key.strip(), []).append(value.strip())
            else:
                settings[key.strip()] = []
    return settings


def _environment(unit: Settings) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in unit.get("Environment", []):
        found |= dict(word.split("=", 1) for word in shlex.split(line))
    for name in unit.get("EnvironmentFile", []):
        path = Path(name.removeprefix("-"))
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                key, equals, value = line.partition("=")
                if equals and not key.strip().startswith("#"):
                    found[key.strip()] = " ".join(shlex.split(value))
    return found


def _argv(line: str, environment: dict[str, str]) -> tuple[list[str], bool]:
    """A command's words, and whether its failure counts for nothing."""
    lenient = "-" in line[: len(line) - len(line.lstrip("-@:+!"))]
    words: list[str] = []
    for word in shlex.split(line.lstrip("-@:+!")):
        if match := _VARIABLE.fullmatch(word):
            value = environment.get(match[1], "")
            words += value.split() if "{" not in word else [value]
        else:
            words.append(_VARIABLE.sub(lambda found: environment.get(found[1], ""), word))
    return words, lenient
