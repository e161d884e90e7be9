"""In a guest: connections through IPVS, and what becomes of them when the director's configuration changes.

`python3 balancing_lab.py` reads rows.json, where each row has a director's configurations, one after the other. Before the
first change every client connects; after each it asks again by its old connection, and then connects once more.
Prints by row what the clients have found. Nothing waits for time to pass: packets of a guest's one processor keep
their order, so whoever has no answer when a later packet has come back has none to expect.
"""

import ctypes
import json
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

VIRTUAL = "192.0.2.10"
SERVERS = {"web1": "192.0.2.21", "web2": "192.0.2.22"}
PORTS = (80, 81, 8080)
#: How long something may take that must come, in seconds; a slow machine is no finding.
LIMIT = 60
LOG = Path("/run/keepalived.log")
NETWORK = """\
netns add client
netns add web1
netns add web2
link add lan type bridge
link set lan up
link add to-client master lan type veth peer name eth0 netns client
link add to-web1 master lan type veth peer name eth0 netns web1
link add to-web2 master lan type veth peer name eth0 netns web2
link set to-client up
link set to-web1 up
link set to-web2 up
addr add 192.0.2.2/24 dev lan
addr add 192.0.2.10/32 dev lan
route add 203.0.0.0/8 via 192.0.2.100
"""
CLIENT = """\
link set lo up
link set eth0 up
addr add 192.0.2.100/24 dev eth0
route add local 203.0.0.0/8 dev lo
"""
#: What a server answers by direct routing or a tunnel comes from the virtual address, and goes past the director.
SERVER = """\
link set lo up
link set eth0 up
addr add {address}/24 dev eth0
addr add 192.0.2.10/32 dev lo
route add default via 192.0.2.2
rule add from 192.0.2.10 table 100
route add default via 192.0.2.100 table 100
link set tunl0 up
"""


def run(*words: str, stdin: str = "") -> str:
    """What a program prints; it must succeed, and print nothing on stderr."""
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise SystemExit(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def setting(path: str, value: object) -> None:
    Path(f"/proc/sys/net/ipv4/{path}").write_text(f"{value}\n", encoding="utf-8")


def enter(namespace: str) -> None:
    """Go on in a network namespace; the director's is called `director`."""
    path = Path("/proc/1/ns/net" if namespace == "director" else f"/run/netns/{namespace}")
    with path.open() as file:
        assert ctypes.CDLL(None).setns(file.fileno(), 0) == 0


def build() -> None:
    run("modprobe", "-a", "ipv6", "veth", "bridge", "ip_vs", "ipip", "overlay")
    for directory in ("/run/upper", "/run/work"):
        Path(directory).mkdir()
    run(
        "mount",
        "-t",
        "overlay",
        "-o",
        "lowerdir=/etc,upperdir=/run/upper,workdir=/run/work",
        "overlay",
        "/etc",
    )
    Path("/etc/lvsc").mkdir()
    run("ip", "-batch", "-", stdin=NETWORK)
    run("ip", "-n", "client", "-batch", "-", stdin=CLIENT)
    for device in ("all", "lan"):
        setting(f"conf/{device}/send_redirects", 0)
        setting(f"conf/{device}/rp_filter", 0)
    setting("ip_forward", 1)
    for name, address in SERVERS.items():
        enter(name)
        for device in ("all", "eth0", "tunl0"):
            setting(f"conf/{device}/rp_filter", 0)
        setting("conf/all/arp_ignore", 1)
        setting("conf/all/arp_announce", 2)
        enter("director")
        run("ip", "-n", name, "-batch", "-", stdin=SERVER.format(address=address))
    chain = "*mangle\n:LVSC-MARK - [0:0]\n-A PREROUTING -j LVSC-MARK\nCOMMIT\n"
    run("iptables-legacy-restore", "--noflush", stdin=chain)


class Servers(threading.Thread):
    """Greet each connection and each datagram with the server's name; a connection gets back what it sends, too."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._selector = selectors.DefaultSelector()
        for name, address in SERVERS.items():
            enter(name)
            for port in PORTS:
                self._register(socket.create_server(("", port), backlog=100), name, self._accept)
                for own in (VIRTUAL, address):
                    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    datagrams.bind((own, port))
                    self._register(datagrams, name, self._answer)
        enter("director")

    def _register(
        self, thing: socket.socket, name: str, handler: Callable[[socket.socket, str], None]
    ) -> None:
        self._selector.register(thing, selectors.EVENT_READ, (name, handler))

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                name, handler = key.data
                handler(key.fileobj, name)

    def _accept(self, listener: socket.socket, name: str) -> None:
        connection, _ = listener.accept()
        connection.sendall(name.encode())
        self._register(connection, name, self._echo)

    def _echo(self, connection: socket.socket, _name: str) -> None:
        try:
            data = connection.recv(100)
            if data:
                connection.sendall(data)
                return
        except OSError:
            pass  # the client is gone
        self._selector.unregister(connection)
        connection.close()

    def _answer(self, datagrams: socket.socket, name: str) -> None:
        _, client = datagrams.recvfrom(100)
        datagrams.sendto(name.encode(), client)


def settle() -> None:
    """Return when whatever was sent before has come to its end."""
    for _ in range(3):
        for address in SERVERS.values():
            with socket.create_connection((address, 80), timeout=LIMIT) as probe:
                assert probe.recv(10)


class Client:
    """A client's connection, or its datagrams from one port."""

    def __init__(self, source: str, protocol: str, port: int) -> None:
        self._tcp = protocol == "tcp"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM if self._tcp else socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self._socket.settimeout(0)
        self._socket.connect_ex((VIRTUAL, port))
        self._ended = ""
        if not self._tcp:
            self.ask()
        settle()
        self.server = self.answer()

    def ask(self) -> None:
        try:
            self._socket.send(b"ping")
        except (ConnectionResetError, BrokenPipeError):
            self._ended = "reset"
        except OSError:
            return  # what became of the connection is read

    def answer(self) -> str:
        """What came, or what became of the connection; for good, once it is `reset` or `refused`."""
        if not self._ended:
            try:
                said = self._socket.recv(100).decode()
                return "lives" if said.startswith("ping") else said
            except BlockingIOError:
                return "silent"
            except ConnectionResetError:
                self._ended = "reset"
            except ConnectionRefusedError:
                self._ended = "refused"
        ended = self._ended
        if not self._tcp:
            self._ended = ""
        return ended

    def close(self) -> None:
        self._socket.close()


class Row:
    """One row's clients: they have addresses of their own, so that no row's persistence is another's."""

    def __init__(self, number: int, row: dict[str, Any]) -> None:
        self._row = row
        self._sources = [f"203.0.{number}.{host}" for host in (1, 2, 3, 4)]
        self._keepalived: subprocess.Popen[bytes] | None = None

    def measure(self) -> dict[str, Any]:
        first, *changes = self._row["configurations"]
        run(
            "ipvsadm", "--set", "900", "120", "300"
        )  # the kernel's own, which the row before may have changed
        self._apply(first)
        enter("client")
        clients = self._connected(range(4))
        found: dict[str, Any] = {"first": [client.server for client in clients], "changes": []}
        for configuration in changes:
            enter("director")
            self._apply(configuration)
            enter("client")
            early = self._connected(range(4)) if self._row["new first"] else []
            said = self._asked(clients, self._row["until"] if configuration is changes[-1] else None)
            # In another order, so that a scheduler that takes turns does not choose the same again by chance.
            again = early or self._connected((1, 0, 3, 2))
            found["changes"].append({"old": said, "new": [client.server for client in again]})
            for client in again:
                client.close()
        for client in clients:
            client.close()
        settle()
        enter("director")
        if self._keepalived is not None:
            self._keepalived.terminate()
            self._keepalived.wait(LIMIT)
        run("ipvsadm", "-C")
        return found

    def _connected(self, order: Sequence[int]) -> list[Client]:
        made = {
            index: Client(self._sources[index], self._row["protocol"], self._row["port"]) for index in order
        }
        return [made[index] for index in range(4)]

    def _asked(self, clients: Sequence[Client], until: str | None) -> list[str]:
        """What the old connections come to; asked again until none is silent, where that is to come."""
        end = time.monotonic() + LIMIT
        while True:
            for client in clients:
                client.ask()
            settle()
            said = [client.answer() for client in clients]
            if until is None or until not in said or time.monotonic() > end:
                return said
            time.sleep(0.1)

    def _apply(self, configuration: dict[str, Any]) -> None:
        for name, value in configuration["settings"].items():
            setting(f"vs/{name}", value)
        run("iptables-legacy-restore", "--noflush", stdin=configuration["marks"])
        if "keepalived.conf" in configuration:
            self._reload(configuration)
            return
        for name in ("ipvsadm.rules", "ipvsadm.sh"):
            Path("/etc/lvsc", name).write_text(configuration[name], encoding="utf-8")
        run("/bin/sh", "/etc/lvsc/ipvsadm.sh", "start")

    def _reload(self, configuration: dict[str, Any]) -> None:
        path = Path("/run/keepalived.conf")
        path.write_text(configuration["keepalived.conf"], encoding="utf-8")
        if self._keepalived is None:
            words = ["keepalived", "-n", "-l", "-C", "-f", str(path)]
            with LOG.open("ab") as log:
                self._keepalived = subprocess.Popen(words, stdout=log, stderr=log)
        else:
            self._keepalived.send_signal(signal.SIGHUP)
        end = time.monotonic() + LIMIT
        wanted = sorted(configuration["table"].splitlines())
        while sorted(run("ipvsadm", "-Sn").splitlines()) != wanted:
            if time.monotonic() > end:
                table, said = run("ipvsadm", "-Sn"), LOG.read_text(encoding="utf-8")
                raise SystemExit(f"keepalived's table:\n{table}not:\n{configuration['table']}{said}")
            time.sleep(0.05)


def main() -> None:
    rows = json.loads(Path("rows.json").read_text(encoding="utf-8"))
    build()
    Servers().start()
    found = {}
    for number, (name, row) in enumerate(rows.items(), start=1):
        found[name] = Row(number, row).measure()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
