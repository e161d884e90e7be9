"""What is built of the examples, host by host, as far as it differs."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from lvsc.plugin import Artifact, Init, LoadStep, Stage, Target
from support.examples import EXAMPLES, PAIRS, TARGETS, outcome

#: What a unit starts, reloads and stops with: argument lists.
Commands = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class HostTree:
    """All files and steps of one host of an example."""

    example: str
    target: Target
    """The host's own."""
    pair: tuple[str, ...]
    host: str
    files: tuple[tuple[str, Artifact], ...]
    """With the backend that wrote each."""
    steps: tuple[tuple[str, LoadStep], ...]
    """In loading order, with the backend of each."""

    def __str__(self) -> str:
        return f"{self.example}/{self.host} on {self.target.name} by {'+'.join(self.pair)}"

    def step(self, stage: Stage) -> LoadStep | None:
        """The step of a stage."""
        return next((step for _, step in self.steps if step.stage is stage), None)

    def backend(self, stage: Stage) -> str | None:
        """The backend of a stage."""
        return next((backend for backend, step in self.steps if step.stage is stage), None)

    def text(self, path: str) -> str | None:
        """The text of a file."""
        return next((file.text for _, file in self.files if file.path == path), None)

    def unit(self, name: str) -> str | None:
        """The text of a unit that is emitted."""
        return self.text(f"{self.target.paths.unit_dir}/{name}")

    def files_of(self, backend: str, below: str = "/etc") -> tuple[Artifact, ...]:
        """A backend's files in a directory."""
        return tuple(file for by, file in self.files if by == backend and file.path.startswith(below))


def trees(example: str | None = None) -> Iterator[HostTree]:
    """Every host of an example, or of all, on every target by every pair of backends that builds."""
    for name in EXAMPLES if example is None else (example,):
        yield from _of_example(name)


@cache
def _of_example(example: str) -> tuple[HostTree, ...]:
    return tuple(_hosts(example))


def _hosts(example: str) -> Iterator[HostTree]:
    for target in TARGETS:
        for pair in PAIRS:
            compiled = outcome(example, target, pair).compiled
            if compiled is None:
                continue
            for host in sorted({file.host for file in compiled.files}):
                yield HostTree(
                    example,
                    compiled.targets[host],
                    pair,
                    host,
                    tuple((f.backend, f.artifact) for f in compiled.files if f.host == host),
                    tuple((s.backend, s.step) for s in compiled.steps if s.host == host),
                )


@dataclass(frozen=True, slots=True)
class Unit:
    """The commands of a unit's file."""

    start: Commands
    reload: Commands
    stop: Commands


def read_unit(text: str, init: Init) -> Unit:
    """The commands of a systemd unit or of an OpenRC script, read by a small reader of this function's own.

    Raises:
        ValueError: A command means more to systemd or the shell than its words.
    """
    return _systemd(text) if init is Init.SYSTEMD else _openrc(text)


def _systemd(text: str) -> Unit:
    found: dict[str, list[tuple[str, ...]]] = {"ExecStart": [], "ExecReload": [], "ExecStop": []}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key in found:
            if set("$%\\") & set(value):
                raise ValueError(f"systemd would expand {line}")
            found[key].append(tuple(shlex.split(value)))
    return Unit(*(tuple(commands) for commands in found.values()))


def _openrc(text: str) -> Unit:
    bodies = dict(re.findall(r"^(\w+)\(\) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL))

    def commands(name: str) -> Commands:
        lines = [line.strip() for line in bodies.get(name, "").splitlines()]
        if lines == ["start"]:
            return commands("start")
        lines = [
            line.removesuffix(" &&") for line in lines if line and not re.match(r"(ebegin|eend)\b", line)
        ]
        for line in lines:
            if set("$`") & set(line):
                raise ValueError(f"the shell would expand {line}")
        return tuple(tuple(shlex.split(line)) for line in lines)

    return Unit(commands("start"), commands("reload"), commands("stop"))
