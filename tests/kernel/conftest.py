"""The laboratory for tests: `trial(...)` builds a spec with `lvsc build` and starts the cluster on a real kernel."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol as Interface
from typing import TypeVar

import pytest
import tomli_w

from lvsc.compile import Compiled, Options, compile_spec
from lvsc.graph.traffic import Family, Protocol
from lvsc.laboratory.kernels import Kernel, nftables, why_not
from lvsc.laboratory.laboratory import Laboratory, laboratory
from lvsc.laboratory.site import PATIENCE, Answer, Question, Site, tally
from support.specs import Layer, merged, plugins, without_none

T = TypeVar("T")

#: A change of an emitted file before it is installed: the end of its path, and what to make of its text.
Edit = tuple[str, Callable[[str], str]]

#: How long to wait for an answer that must not come, and for a state, in seconds: a machine that is slow or busy is no finding.
DOOMED, _LIMIT = 3.0, 180.0


class Trial(Site):
    """A cluster under trial, and the questions that tests ask of it."""

    def __init__(
        self, laboratory: Laboratory, layers: Sequence[Layer], backends: Sequence[str], directory: Path
    ) -> None:
        """As `Site` has it, of the layers' spec, which is built in a directory."""
        self.compiled, self._built = _build(layers, backends, directory)
        super().__init__(laboratory, self.compiled.lowered, self._built)
        self.backends = tuple(backends)
        self._layers, self._directory = layers, directory

    def get(
        self,
        *ports: int | str,
        clients: int | Iterable[int] = 1,
        times: int = 1,
        address: str = "www",
        ip: str | None = None,
        family: Family = Family.IPV4,
        limit: float = PATIENCE,
        size: int = 0,
    ) -> list[Answer]:
        """Have clients, by their number or how many, ask each port some times; a port is 80 or "udp/53"."""
        virtual = ip or next(str(i) for i in self.cluster.addresses[address].ips if Family.of(i) is family)
        sources = self.clients(address, Family.IPV6 if ":" in virtual else Family.IPV4)
        numbers = range(clients) if isinstance(clients, int) else clients
        asked = [port.split("/") if isinstance(port, str) else ("tcp", port) for port in ports]
        return self.ask(
            Question(
                protocol=Protocol(protocol),
                host=virtual,
                port=int(port),
                source=sources[number],
                limit=limit,
                size=size,
            )
            for _ in range(times)
            for number in numbers
            for protocol, port in asked
        )

    def tally(self, *ports: int | str, **how: object) -> Counter[str]:
        """How often each server answered, and each failure occurred."""
        return tally(self.get(*ports, **how))  # type: ignore[arg-type]  # the same words as of get

    def until(self, wanted: Callable[[], bool], what: str, limit: float = _LIMIT) -> None:
        """Wait for a state, at most `limit` seconds."""
        end = time.monotonic() + limit
        while not wanted():
            assert time.monotonic() < end, f"not within {limit} s: {what}"
            time.sleep(0.1)

    def rewrite(self, host: str, *edits: Edit) -> None:
        """Change emitted files of a host that runs, and load all of the host's again."""
        for end, change in edits:
            _edit(self._built / host, end, change)
        self.install(host)
        for done in self.load(host):
            assert done.quiet, done

    def rebuild(self, *layers: Layer) -> None:
        """Build the spec anew, with these layers over those that the trial began with, and load every host again.

        Servers serve also what is new; the hosts, their addresses and what was edited by hand are not made anew.
        """
        self.compiled, self._built = _build((*self._layers, *layers), self.backends, self._directory)
        self.use(self.compiled.lowered, self._built)
        self.serve()
        for host in self.managed:
            self.install(host)
            for done in self.load(host):
                assert done.quiet, done

    def becomes(self, look: Callable[[], T], wanted: T, limit: float = _LIMIT) -> None:
        """Wait until a look gives what is wanted, at most `limit` seconds; what it gave instead is shown."""
        end = time.monotonic() + limit
        while (seen := look()) != wanted and time.monotonic() < end:
            time.sleep(0.1)
        assert seen == wanted

    def hold(
        self, name: str, port: int | str = 80, *, address: str = "www", family: Family = Family.IPV4
    ) -> Answer:
        """Open a connection by a name, which `say` asks on; a port is 80 or "udp/53". Who answered."""
        protocol, _, number = f"tcp/{port}".rpartition("/")
        virtual = next(str(ip) for ip in self.cluster.addresses[address].ips if Family.of(ip) is family)
        source = self.clients(address, family)[0]
        how = Protocol(protocol.rpartition("/")[2])
        return self.open(name, Question(protocol=how, host=virtual, port=int(number), source=source))

    def table(self, director: str | None = None) -> str:
        """A director's IPVS table, as `ipvsadm -Sn` prints it."""
        return self.run(director or self.directors[0], "ipvsadm", "-Sn")


class Laboratories:
    """The laboratories of a session; each kernel is booted when the first test asks for it."""

    def __init__(self) -> None:
        self._stacks: dict[Kernel, ExitStack] = {}
        self._running: dict[Kernel, Laboratory] = {}
        self.standing: dict[Laboratory, tuple[Hashable, Trial]] = {}
        """The site that each has now, and what it was made of."""

    def on(self, kernel: Kernel, *, fresh: bool = False) -> Laboratory:
        """A running one. `fresh` boots it anew, for tests of what stays in a kernel, such as its modules."""
        if why_not(Kernel.NATIVE) is None:
            kernel = Kernel.NATIVE
        if why := why_not(kernel):
            pytest.skip(why)
        if kernel in self._running and (fresh or not self._running[kernel].alive):
            self._stacks.pop(kernel).close()
            del self._running[kernel]
        if kernel not in self._running:
            stack = ExitStack()
            self._running[kernel] = stack.enter_context(laboratory(kernel))
            self._stacks[kernel] = stack
        return self._running[kernel]

    def close(self) -> None:
        """End them all."""
        for stack in self._stacks.values():
            stack.close()


class Start(Interface):
    """What `trial` is."""

    def __call__(
        self,
        *layers: Layer,
        backends: Sequence[str] = ("iptables", "ipvsadm"),
        kernel: Kernel | None = None,
        fresh: bool = False,
        edits: Sequence[Edit] = (),
        before: Callable[[Trial], None] | None = None,
        serve: bool = True,
        start: bool = True,
        shared: bool = False,
    ) -> Trial:
        """Build the layers' spec, make its machines, have the servers serve and load every host's files.

        The kernel is the quickest that can: User Mode Linux for iptables, QEMU for nftables. Each of `edits` must change
        something. `before` is what the operator has done on the hosts. `start` False leaves out the loading, but not the
        installing. `shared` takes the site of the last trial if that was of the very same, for tests that only ask.
        """


@pytest.fixture(scope="session")
def laboratories() -> Iterator[Laboratories]:
    found = Laboratories()
    yield found
    found.close()


@pytest.fixture
def trial(laboratories: Laboratories, tmp_path: Path) -> Start:
    def start_trial(
        *layers: Layer,
        backends: Sequence[str] = ("iptables", "ipvsadm"),
        kernel: Kernel | None = None,
        fresh: bool = False,
        edits: Sequence[Edit] = (),
        before: Callable[[Trial], None] | None = None,
        serve: bool = True,
        start: bool = True,
        shared: bool = False,
    ) -> Trial:
        wanted = kernel or (Kernel.QEMU if "nftables" in backends else Kernel.UML)
        assert "nftables" not in backends or nftables(wanted), f"no nftables in {wanted}"
        where = laboratories.on(wanted, fresh=fresh)
        key = (repr(merged(*layers)), tuple(backends), tuple(edits), before, serve, start)
        had, standing = laboratories.standing.pop(where, (None, None))
        if shared and standing is not None and had == key:
            laboratories.standing[where] = key, standing
            return standing
        site = Trial(where, layers, backends, tmp_path)
        for end, change in edits:
            _edit(tmp_path, end, change)
        if serve:
            site.serve()
        if before is not None:
            before(site)
        if start:
            site.start()
        else:
            for host in site.managed:
                site.install(host)
        if shared:
            laboratories.standing[where] = key, site
        return site

    return start_trial


def _build(layers: Sequence[Layer], backends: Sequence[str], directory: Path) -> tuple[Compiled, Path]:
    """Have `lvsc build` write the layers' spec; it compiled, and the cluster's tree."""
    spec = directory / "cluster.toml"
    spec.write_text(tomli_w.dumps(without_none(merged(*layers))), encoding="utf-8")
    words = [word for backend in backends for word in ("--backend", backend)]
    built = subprocess.run(
        [sys.executable, "-m", "lvsc", "build", str(spec), "-o", str(directory), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    compiled = compile_spec(
        spec.read_text(encoding="utf-8"), str(spec), plugins(), Options(backends=tuple(backends))
    )
    return compiled, directory / compiled.cluster.name


def _edit(tree: Path, end: str, change: Callable[[str], str]) -> None:
    """Change every file whose path ends so."""
    files = [path for path in tree.rglob("*") if str(path).endswith(end) and path.is_file()]
    assert files, f"no file of the tree ends in {end}"
    for path in files:
        text = path.read_text(encoding="utf-8")
        changed = change(text)
        assert changed != text, f"the edit of {path.name} changes nothing"
        path.write_text(changed, encoding="utf-8")


def without(*words: str) -> Callable[[str], str]:
    """An edit that removes the lines that hold all of these words."""

    def change(text: str) -> str:
        return "".join(
            line for line in text.splitlines(keepends=True) if not all(word in line for word in words)
        )

    return change


def replaced(old: str, new: str) -> Callable[[str], str]:
    """An edit that replaces some words."""

    def change(text: str) -> str:
        return text.replace(old, new)

    return change
