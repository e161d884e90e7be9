"""A running kernel with IPVS, and the calls to the hosts in it."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lvsc.laboratory.kernels import Guest, GuestError, Kernel, running
from lvsc.laboratory.topology import Topology

_AGENT = Path(__file__).resolve().parent / "agent"
#: The directories where the system's own Python is: one that a guest's user may run, too.
_PYTHONS = "/usr/local/bin:/usr/bin:/bin"
#: How long a call may take before the guest counts as lost, in seconds.
LIMIT = 300


class LaboratoryError(RuntimeError):
    """The laboratory could not do what it was told; says what and why."""


class Laboratory:
    """A running laboratory; `laboratory` makes one."""

    def __init__(self, kernel: Kernel, share: Path, guest: Guest) -> None:
        self.kernel = kernel
        self._share = share
        self._guest = guest
        self._calls = 0
        self._files = 0
        self._stuck = False

    @property
    def alive(self) -> bool:
        """Whether calls have a chance."""
        return not (self._stuck or self._guest.ended)

    def make(self, topology: Topology) -> None:
        """Make the hosts of a topology; those that there were end.

        Raises:
            LaboratoryError: The kernel cannot.
        """
        self.call("topology", segments=topology.segments, hosts=[asdict(host) for host in topology.hosts])

    def call(self, do: str, host: str = "", **details: object) -> Any:  # noqa: ANN401 - as the call has it
        """Have something done on a host; what it gives. The calls are those of `agent/work.py`.

        Raises:
            LaboratoryError: It failed, or the guest is gone or stands still.
        """
        calls, replies = self._share / "calls", self._share / "replies"
        part = calls / f"{self._calls}.part"
        _write(part, json.dumps({"do": do, "host": host, **details}))
        part.rename(part.with_suffix(".json"))
        answer = replies / f"{self._calls}.json"
        self._calls += 1
        end = time.monotonic() + LIMIT
        while not answer.exists():
            self._stuck = time.monotonic() > end
            if not self.alive:
                fate = f"did not answer in {LIMIT} s" if self._stuck else "is gone"
                raise LaboratoryError(f"the {self.kernel.value} guest {fate}: {self._last_words()}")
            time.sleep(0.005)
        reply = json.loads(answer.read_text(encoding="utf-8"))
        answer.unlink()
        if "error" in reply:
            raise LaboratoryError(f"{host or 'laboratory'}: {do}: {reply['error']}")
        return reply["value"]

    def lacks(self, modules: Iterable[str]) -> tuple[str, ...]:
        """The modules that the kernel does not have."""
        return tuple(self.call("lacks", modules=list(modules)))

    def hand_in(self, text: str) -> str:
        """Put a text where hosts can copy it from; its path there."""
        self._files += 1
        _write(self._share / "files" / str(self._files), text)
        return f"files/{self._files}"

    def _last_words(self) -> str:
        stderr = self._share / "stderr"
        said = stderr.read_text(encoding="utf-8", errors="replace") if stderr.exists() else ""
        return (said + self._guest.console())[-2000:].strip() or "it said nothing"


@contextmanager
def laboratory(kernel: Kernel) -> Iterator[Laboratory]:
    """Boot a kernel and have it ready for calls; leaving the context ends it and everything in it.

    Raises:
        LaboratoryError: The kernel did not come up.
    """
    python = shutil.which("python3", path=_PYTHONS)
    if python is None:
        raise LaboratoryError(f"no python3 in {_PYTHONS}: apt-get install python3-minimal")
    with tempfile.TemporaryDirectory(prefix="lvsc-laboratory-") as name:
        share = Path(name)
        shutil.copytree(_AGENT, share / "agent", ignore=shutil.ignore_patterns("__pycache__"))
        for directory in ("calls", "replies", "files"):
            (share / directory).mkdir()
        _open_to_all(share)
        try:
            with running(kernel, share, _command(python)) as guest:
                yield Laboratory(kernel, share, guest)
        except GuestError as error:
            raise LaboratoryError(str(error)) from error


def _command(python: str) -> Sequence[str]:
    return (python, "-B", "-m", "agent")


def _open_to_all(share: Path) -> None:
    """Let whoever the guest runs as read what is in the share, which itself is closed to all others."""
    for directory, directories, files in os.walk(share):
        for name in (*directories, *files):
            Path(directory, name).chmod(0o755 if name in directories else 0o644)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
