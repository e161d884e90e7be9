"""A built cluster in a laboratory: its hosts with the files that `lvsc build` wrote, loaded as the manifest says."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lvsc import targets
from lvsc.graph.traffic import Family, Protocol
from lvsc.laboratory.kernels import nftables
from lvsc.laboratory.laboratory import Laboratory, LaboratoryError
from lvsc.laboratory.services import ftp_servers, servings
from lvsc.laboratory.topology import OUTSIDE, Topology, topology
from lvsc.lowering.lowered import Lowered, LoweredService
from lvsc.spec.model import Cluster

#: An anonymous server as its operator would have it; seccomp filters of old versions do not know new kernels.
VSFTPD = """listen=NO
listen_ipv6=YES
anonymous_enable=YES
local_enable=NO
anon_root=/run/ftp
connect_from_port_20=YES
seccomp_sandbox=NO
xferlog_enable=NO
secure_chroot_dir=/run/vsftpd/empty
ftp_username=daemon
"""
#: How long to wait for an answer, in seconds: the machine may be slow, and who loses a packet sends it again after 1, 3, 7 and 15.
PATIENCE = 30.0
#: How long to wait for a program to be ready, and before looking again, in seconds.
_READY, _PAUSE = 120, 0.1
#: How many questions a call asks, so that it ends in time where nobody answers any.
_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A client's connection to a virtual address."""

    protocol: Protocol
    host: str
    port: int
    source: str
    source_port: int = 0
    limit: float = PATIENCE
    """How long to wait for an answer, in seconds."""
    tls: bool = False
    greeted: bool = False
    """Whether the server speaks first."""
    call: str = ""
    """The Call-ID of the SIP request that asks (RFC 3261, 8.1.1.4); empty asks by a line."""
    size: int = 0
    """How long the question is, in bytes, if that is more than it needs."""

    def words(self) -> dict[str, object]:
        """The question as the agent's `clients.py` has it."""
        return {
            "protocol": self.protocol.value,
            "host": self.host,
            "port": self.port,
            "source": self.source,
            "source_port": self.source_port,
            "limit": self.limit,
            "tls": self.tls,
            "greeted": self.greeted,
            "call": self.call,
            "size": self.size,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Who answered a client, or why nobody did."""

    server: str | None
    """The host's name; None where there was no answer."""
    address: str = ""
    """The address at which the server was asked."""
    port: int = 0
    client: str = ""
    """The address that the server took for the client's."""
    error: str = ""

    def __str__(self) -> str:
        return self.server or self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A file to be fetched by FTP."""

    server: str
    mode: str
    """Which kind of client: one of `agent/ftp.py`."""
    source: str
    port: int = 21
    tls: bool = False
    limit: float = 5.0
    """How long to wait for each answer, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A file fetched by FTP, or why it was not."""

    mode: str
    server: str | None = None
    """The host's name; None where the transfer failed."""
    data_from: str = ""
    """The address and port of the data connection's other end."""
    error: str = ""

    def __str__(self) -> str:
        return self.server or self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A command of a host's loading, and what came of it."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def quiet(self) -> bool:
        """Whether it succeeded without a word."""
        return self.status == 0 and not self.stderr


class Site:
    """A cluster's machines in a laboratory."""

    def __init__(
        self,
        laboratory: Laboratory,
        lowered: Lowered,
        tree: Path,
        services: Sequence[LoweredService] | None = None,
    ) -> None:
        """Make the machines; they have addresses and routes, and none of lvsc's files.

        Args:
            laboratory: Where; the machines of an earlier site there end.
            lowered: What was built.
            tree: The directory of the cluster that `lvsc build` wrote, with its manifest.
            services: Those whose servers are made; None makes all.

        Raises:
            Unbuildable: The cluster leaves no room for a router.
            LaboratoryError: The kernel cannot.
        """
        self.laboratory = laboratory
        self._ftp: set[str] = set()
        self.use(lowered, tree, services)
        self.topology: Topology = topology(self.cluster, [each.service for each in self.services])
        laboratory.make(self.topology)
        if not nftables(laboratory.kernel):
            for director in self.directors:
                laboratory.call("variant", director, variant="legacy")

    def use(self, lowered: Lowered, tree: Path, services: Sequence[LoweredService] | None = None) -> None:
        """Take a built cluster for what is installed and loaded from now on; the machines stay what they are."""
        self.lowered = lowered
        self.cluster: Cluster = lowered.cluster
        self.services = lowered.services if services is None else tuple(services)
        self._tree = tree

    @property
    def manifest(self) -> dict[str, Any]:
        """The tree's manifest, as it is now."""
        found: dict[str, Any] = json.loads((self._tree / "manifest.json").read_text(encoding="utf-8"))
        return found

    @property
    def directors(self) -> tuple[str, ...]:
        """The directors' names, the one that clients reach first when all is well first."""
        return tuple(director.name for director in sorted(self.cluster.directors, key=lambda d: -d.priority))

    @property
    def managed(self) -> tuple[str, ...]:
        """The hosts that lvsc writes files for, the directors last, so that servers are there before clients come."""
        hosts = [host.name for host in self.topology.hosts if host.name in self.manifest["hosts"]]
        return tuple(sorted(hosts, key=lambda name: name in self.directors))

    def install(self, host: str) -> None:
        """Copy a host's files to where they belong, and lead the target's paths of programs to this machine's."""
        programs = dict(targets.load(self.lowered.targets[host]).programs)
        self.laboratory.call("programs", host, programs=programs)
        files = [
            {
                "path": file["path"],
                "mode": file["mode"],
                "source": self.laboratory.hand_in((self._tree / file["source"]).read_text(encoding="utf-8")),
            }
            for file in self.manifest["hosts"][host]["files"]
        ]
        self.laboratory.call("install", host, files=files)

    def load(self, host: str) -> list[Loaded]:
        """Do all steps of a host's manifest, then what makes its units run; every command that ran, in order."""
        steps = self.manifest["hosts"][host]["load"]
        commands = [c for step in steps for c in step["commands"]]
        commands += [c for step in steps for c in step["enable"]]
        return self.commands(host, commands)

    def unload(self, host: str) -> list[Loaded]:
        """Undo `load`, the last step first."""
        steps = self.manifest["hosts"][host]["load"][::-1]
        commands = [c for step in steps for c in step["unload"]]
        commands += [c for step in steps for c in step["disable"]]
        return self.commands(host, commands)

    def commands(self, host: str, commands: Sequence[Sequence[str]]) -> list[Loaded]:
        """Run commands up to the first that fails; systemctl is the laboratory's own."""
        return [
            Loaded(argv=tuple(d["argv"]), status=d["status"], stdout=d["stdout"], stderr=d["stderr"])
            for d in self.laboratory.call("load", host, commands=commands)
        ]

    def start(self) -> None:
        """Install and load every host.

        Raises:
            LaboratoryError: A command failed or complained.
        """
        for host in self.managed:
            self.install(host)
            for done in self.load(host):
                if not done.quiet:
                    said = done.stderr.strip() or f"status {done.status}"
                    raise LaboratoryError(f"{host}: `{' '.join(done.argv)}`: {said}")
        self.await_ftp()

    def run(self, host: str, *argv: str, stdin: str = "") -> str:
        """Run a program on a host; its output.

        Raises:
            LaboratoryError: It failed.
        """
        done = self.laboratory.call("run", host, argv=argv, stdin=stdin)
        if done["status"]:
            raise LaboratoryError(f"{host}: `{' '.join(argv)}`: {done['stderr'].strip() or done['status']}")
        return str(done["stdout"])

    def write(self, host: str, path: str, text: str) -> None:
        """Write a file on a host."""
        self.laboratory.call("write", host, path=path, text=text)

    def serve(self) -> None:
        """Have every server answer for what the services send it, at its own addresses and all virtual ones."""
        virtual = [str(ip) for address in self.cluster.addresses.values() for ip in address.ips]
        for ftp in ftp_servers(self.services):
            self.start_ftp(self.topology.names[str(ftp.ips[0])])
        for host, listeners in servings(self.services, self.topology.names).items():
            own = [ip for ip, name in self.topology.names.items() if name == host]
            words = [
                {
                    "protocol": each.protocol.value,
                    "port": each.port,
                    "addresses": [*own, *virtual],
                    "greeting": each.greeting,
                    "tls": each.tls,
                }
                for each in listeners
            ]
            self.laboratory.call("serve", host, listeners=words)

    def serve_also(self, protocol: Protocol, port: int) -> None:
        """Have every real server answer at a further port."""
        virtual = [str(ip) for address in self.cluster.addresses.values() for ip in address.ips]
        for host in sorted(set(self.topology.names.values()) - set(self.directors)):
            own = [ip for ip, name in self.topology.names.items() if name == host]
            words = {"protocol": protocol.value, "port": port, "addresses": [*own, *virtual]}
            self.laboratory.call("serve", host, listeners=[words])

    def start_ftp(self, host: str) -> None:
        """Start vsftpd on a host, with what its operator says and what lvsc adds; the file `who` is the host's name."""
        self._ftp.add(host)
        self.write(host, "/run/ftp/who", f"{host}\n")
        self.write(host, "/run/vsftpd/empty/.keep", "")
        paths = targets.load(self.lowered.targets.get(host, self.cluster.target)).paths
        for path in {paths.vsftpd_conf, "/etc/vsftpd.conf"}:
            self.write(host, path, VSFTPD)
        self.run(host, "chmod", "-R", "a+rX", "/run/ftp", "/run/vsftpd")
        for done in self.commands(host, [("/bin/systemctl", "restart", "vsftpd.service")]):
            if not done.quiet:
                raise LaboratoryError(f"{host}: vsftpd: {done.stderr}")

    def await_ftp(self) -> None:
        """Wait until every FTP server listens: its unit counts as started before the program is ready.

        Raises:
            LaboratoryError: One does not.
        """
        for host in sorted(self._ftp):
            end = time.monotonic() + _READY
            while "vsftpd" not in self.run(host, "ss", "-Hltnp"):
                if time.monotonic() > end:
                    raise LaboratoryError(f"{host}: vsftpd does not listen")
                time.sleep(_PAUSE)

    def fetch(self, address: str, *modes: str, source: str = "", limit: float = 5) -> list[Transfer]:
        """Fetch a file by FTP from outside, in each mode of `agent/ftp.py` at once."""
        return self.transfer(Fetch(server=address, mode=mode, source=source, limit=limit) for mode in modes)

    def transfer(self, wanted: Iterable[Fetch]) -> list[Transfer]:
        """Fetch files by FTP from outside, many at a time; what came of it, in the same order."""
        said = self.laboratory.call("ftp", OUTSIDE, wanted=[asdict(each) for each in wanted])
        return [Transfer(**each) for each in said]

    def silence(self, host: str) -> None:
        """Have a host answer nowhere any more."""
        self.laboratory.call("silence", host)

    def kill(self, host: str) -> None:
        """End a host as a power cut does."""
        self.laboratory.call("kill", host)

    def clients(self, address: str, family: Family) -> tuple[str, ...]:
        """The addresses of the clients that reach a virtual address by its network's router."""
        network = self.cluster.addresses[address].network
        return self.topology.clients[network, family]

    def ask(self, questions: Iterable[Question]) -> list[Answer]:
        """Ask all questions from outside, many at a time; the answers in the questions' order."""
        asked = [question.words() for question in questions]
        calls = (asked[first : first + _AT_ONCE] for first in range(0, len(asked), _AT_ONCE))
        return [
            _answer(said) for some in calls for said in self.laboratory.call("ask", OUTSIDE, questions=some)
        ]

    def open(self, name: str, question: Question) -> Answer:
        """Open a connection from outside that stays, and ask on it."""
        return _answer(self.laboratory.call("open", OUTSIDE, name=name, question=question.words()))

    def say(self, name: str, limit: float = PATIENCE) -> Answer:
        """Ask again on an open connection; `limit` is for the answer, in seconds."""
        return _answer(self.laboratory.call("say", OUTSIDE, name=name, limit=limit))

    def close(self, name: str) -> None:
        """Close a connection."""
        self.laboratory.call("close", OUTSIDE, name=name)


def tally(answers: Iterable[Answer]) -> Counter[str]:
    """How often each server answered, and each failure occurred."""
    return Counter(str(answer) for answer in answers)


def _answer(said: dict[str, Any]) -> Answer:
    return Answer(**said) if "server" in said else Answer(server=None, error=said["error"])
