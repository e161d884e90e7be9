"""The emitted files, unchanged and in their places, loaded by the unit's own commands into a kernel with IPVS."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace

import pytest

from lvsc.plugin import Emission, Node, Tunnel, TunnelChecksum, TunnelType
from lvsc_ipvsadm import rules
from lvsc_ipvsadm.backend import Ipvsadm
from support import guest, ipvsadm_table
from support.ipvs import connection_sync, part, persistent, server, service, timeouts

pytestmark = pytest.mark.kernel

WEB = "tcp 192.0.2.10:80"
WEB6 = "tcp [2001:db8::10]:80"

# `put N` makes /etc/lvsc what was emitted for the Nth list of nodes. /etc is this machine's, so changes go to an overlay.
PRELUDE = r"""
set -eu
for module in ipv6 ip_vs dummy overlay; do $MODPROBE $module; done
mkdir /run/upper /run/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work overlay /etc
mkdir -p /etc/lvsc
ip link add eth9 type dummy
ip link set eth9 up multicast on
ip addr add 192.0.2.10/24 dev eth9
ip addr add 192.0.2.21/24 dev eth9
put() { for name in ipvsadm.rules ipvsadm.sh; do cp "/mnt/$1-$name" "/etc/lvsc/$name"; done; }
"""


def emitted(*nodes: Node) -> Emission:
    backend = Ipvsadm()
    assert not list(backend.check(part(*nodes)))
    return backend.emit(part(*nodes))


def in_guest(script: str, *tables: list[Node], files: Mapping[str, str] | None = None) -> str:
    """Run a script after the prelude; returns what it prints. It must print nothing on stderr."""
    emissions = [emitted(*table) for table in tables]
    exchanged = dict(files or {})
    for number, emission in enumerate(emissions):
        for artifact in emission.artifacts[:2]:
            exchanged[f"{number}-{artifact.path.rpartition('/')[2]}"] = artifact.text
    step = emissions[0].steps[0]
    commands = f"start() {{ {shlex.join(step.load[0])}; }}\nstop() {{ {shlex.join(step.unload[0])}; }}\n"
    result = guest.run(["sh", "-c", PRELUDE + commands + script], timeout=300, files=exchanged)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def saved(text: str) -> ipvsadm_table.Table:
    return ipvsadm_table.read(text)


def wanted(*nodes: Node) -> ipvsadm_table.Table:
    """The table that is emitted for these nodes, without the thresholds, which `ipvsadm -S` leaves out."""
    text = next(artifact.text for artifact in emitted(*nodes).artifacts if artifact.path == rules.PATH)
    table = ipvsadm_table.read(text)
    for entry in table.values():
        entry.servers = {place: replace(real, upper=0, lower=0) for place, real in entry.servers.items()}
    return table


def gue(port: int, checksum: TunnelChecksum = TunnelChecksum.NONE) -> Tunnel:
    return Tunnel(type=TunnelType.GUE, port=port, checksum=checksum)


ALL: list[Node] = [
    service(WEB, "wrr", persistence=persistent(300, 24)),
    server(WEB, "10.0.0.21", 8080, weight=3, upper=100, lower=50),
    server(WEB, "200.0.0.21", 80, "direct", weight=0),
    server(WEB, "10.0.0.23", 80, "tunnel"),
    server(WEB, "10.0.0.24", 80, "tunnel", tunnel=gue(6080, TunnelChecksum.REMOTE), upper=7),
    server(WEB, "10.0.0.25", 80, "tunnel", tunnel=Tunnel(type=TunnelType.GRE, checksum=TunnelChecksum.FULL)),
    server(WEB, "fd00:0:0:9::21", 80, "tunnel"),
    service("tcp 1.2.3.4:80", "rr"),
    service("tcp 192.0.2.10:0", persistence=persistent(60, 0)),
    service("udp 192.0.2.10:5060", "sh", flags=("sh-fallback", "sh-port"), one_packet=True),
    service("udp 192.0.2.10:5061", "rr", persistence=persistent(30, 32, "sip")),
    service("sctp 192.0.2.10:36412", "mh", flags=("mh-port",)),
    service(WEB6, "sed", persistence=persistent(60, 64)),
    server(WEB6, "fd00::21", 8080, upper=9),
    service("mark 80", "lblcr"),
    server("mark 80", "10.0.0.21", 0, "direct"),
    service("mark 80 -6", "nq"),
    server("mark 80 -6", "fd00::21", 0, "direct"),
    server("mark 80 -6", "10.0.0.22", 0, "tunnel", tunnel=gue(5555)),
    service("mark 2147483647", "ovf"),
]
# The same services and servers with nearly every option another one.
CHANGED: list[Node] = [
    service(WEB, "wlc"),
    server(WEB, "10.0.0.21", 8080, weight=1),
    server(WEB, "200.0.0.21", 80, "nat", lower=1, upper=2),
    server(WEB, "10.0.0.23", 80, "tunnel", tunnel=gue(7000)),
    server(WEB, "10.0.0.24", 80, "tunnel", tunnel=Tunnel(type=TunnelType.GRE)),
    server(WEB, "10.0.0.25", 80, "direct"),
    service("tcp 1.2.3.4:80", "rr", persistence=persistent(60)),
    service("udp 192.0.2.10:5060", "sh", flags=("sh-port",), persistence=persistent(60)),
    service("udp 192.0.2.10:5061", "rr", persistence=persistent(30)),
    service("sctp 192.0.2.10:36412", "mh", flags=("mh-fallback",)),
    service(WEB6, "fo"),
    server(WEB6, "fd00::21", 8081, lower=3, upper=9),
    service("mark 80 -6", "nq", persistence=persistent(60, 128), one_packet=True),
    server("mark 80 -6", "fd00::21", 0, "tunnel"),
]


def test_any_table_loads_twice_becomes_another_and_goes() -> None:
    output = in_guest(
        """
for n in 0 0 1 1 0 2; do put $n; start; ipvsadm -Sn; echo ---; ipvsadm -Ln --thresholds; echo ---; done
put 0; start; stop; stop; ipvsadm -Sn
""",
        ALL,
        CHANGED,
        [timeouts()],
    )
    dumps = output.split("---\n")
    assert dumps.pop() == ""
    tables = [ALL, ALL, CHANGED, CHANGED, ALL, []]
    assert [saved(dump) for dump in dumps[::2]] == [wanted(*table) if table else {} for table in tables]
    limits = ["10.0.0.21:8080 100 50", "10.0.0.24:80 7 0", "[fd00::21]:8080 9 0"]
    changed = ["200.0.0.21:80 2 1", "[fd00::21]:8081 9 3"]
    assert [thresholds(dump) for dump in dumps[1::2]] == [limits, limits, changed, changed, limits, []]


def thresholds(listing: str) -> list[str]:
    """The servers that have any, each with its upper and lower threshold."""
    words = (
        line.split() for line in listing.splitlines() if line.startswith("  -> ") and "Remote" not in line
    )
    return sorted(
        (" ".join(line[1:4]) for line in words if line[2:4] != ["0", "0"]), key=lambda s: (s[0] == "[", s)
    )


# A client and a real server in namespaces of their own, on both sides of the director, and one connection through it.
NETWORK = """
$MODPROBE veth
echo 1 >/proc/sys/net/ipv4/ip_forward
for name in client server; do
	ip netns add $name
	ip link add to-$name type veth peer name eth0 netns $name
	ip link set to-$name up
	ip -n $name link set eth0 up
done
ip addr add 198.51.100.1/24 dev to-client
ip addr add 10.0.0.1/24 dev to-server
ip -n client addr add 198.51.100.2/24 dev eth0
ip -n server addr add 10.0.0.21/24 dev eth0
ip -n client route add default via 198.51.100.1
ip -n server route add default via 10.0.0.1
python3 client.py
"""
CLIENT = """
import ctypes, json, shutil, socket, subprocess, time

def enter(namespace):
    with open(namespace) as file:
        assert ctypes.CDLL(None).setns(file.fileno(), 0) == 0

def run(*command):
    return subprocess.run(command, capture_output=True, text=True)

def reconcile(number):
    for name in ("ipvsadm.rules", "ipvsadm.sh"):
        shutil.copy(f"/mnt/{number}-{name}", f"/etc/lvsc/{name}")
    done = run("/bin/sh", "/etc/lvsc/ipvsadm.sh", "start")
    return [done.returncode, done.stderr]

def alive(limit=60):
    served.settimeout(limit)
    client.send(b"ping")
    try:
        return served.recv(4) == b"ping"
    except TimeoutError:
        return False

def connections():
    lines = run("ipvsadm", "-Ln", "--stats", "--exact").stdout.splitlines()[3:]
    return {line.split()[1]: int(line.split()[2]) for line in lines}

seen = {"first": reconcile(0)}
enter("/run/netns/server")
listener = socket.create_server(("10.0.0.21", 8080))
enter("/run/netns/client")
client = socket.create_connection(("192.0.2.10", 80), timeout=60)
enter("/proc/1/ns/net")
served, _ = listener.accept()
seen["alive before"] = alive()
seen["second"] = reconcile(1)
seen["alive after"] = alive()
# The kernel sums its counters every 2 s.
end = time.monotonic() + 60
while sum(connections().values()) < 2 and time.monotonic() < end:
    time.sleep(0.1)
seen["connections"] = connections()
run("ipvsadm", "-C")
seen["alive without a table"] = alive(2)
print(json.dumps(seen))
"""


def test_connections_and_counters_live_through_a_change_of_the_table() -> None:
    real = server(WEB, "10.0.0.21", 8080)
    before: list[Node] = [service(WEB), real, server(WEB, "10.0.0.9", 80, weight=0), service("mark 5")]
    after: list[Node] = [
        *(service(WEB, "rr", persistence=persistent()), real, server(WEB, "10.0.0.8", 80, weight=0)),
        service("tcp 192.0.2.10:443"),
    ]
    output = in_guest(NETWORK, before, after, files={"client.py": CLIENT})
    assert json.loads(output) == {
        "first": [0, ""],
        "alive before": True,
        "second": [0, ""],
        "alive after": True,
        # A table that was emptied and filled again would count from 0.
        "connections": {
            "192.0.2.10:80": 1,
            "10.0.0.8:80": 0,
            "10.0.0.21:8080": 1,
            "192.0.2.10:443": 0,
        },
        "alive without a table": False,
    }


def test_daemons_and_timeouts_are_set_once_and_give_way_to_servers_of_another_family() -> None:
    sync: list[Node] = [
        *(service(WEB), timeouts(600, 60, 30)),
        connection_sync("eth9", 7, max_length=900, group="239.1.1.1", port=9000, ttl=3),
    ]
    mixed: list[Node] = [service(WEB), server(WEB, "fd00::21", 80, "tunnel")]
    output = in_guest(
        """
show() { ipvsadm -L --daemon; ipvsadm -L --timeout; ipvsadm -Sn | grep -c fd00 || true; echo ---; }
threads() { grep -H '^ipvs-[mb]:' /proc/[0-9]*/comm; }
put 0; start; show; threads >/run/threads
start; show; threads | cmp - /run/threads
put 1; start; show
put 0; start; show
put 2; start; show
stop; show
""",
        sync,
        mixed,
        [service(WEB), connection_sync("eth9", 8)],
    )
    times = "Timeout (tcp tcpfin udp): 600 60 30\n"
    running = (
        "master sync daemon (mcast=eth9, syncid=7, maxlen=900, group=239.1.1.1, port=9000, ttl=3)\n"
        "backup sync daemon (mcast=eth9, syncid=7, maxlen=1024, group=239.1.1.1, port=9000, ttl=3)\n"
    )
    defaults = "sync daemon (mcast=eth9, syncid=8, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n"
    assert output.split("---\n") == [
        f"{running}{times}0\n",
        f"{running}{times}0\n",
        f"{times}1\n",
        f"{running}{times}0\n",
        f"master {defaults}backup {defaults}{times}0\n",
        f"{times}0\n",
        "",
    ]


def test_a_scheduler_that_the_kernel_lacks_fails_the_start_and_leaves_the_rest_loaded() -> None:
    nodes: list[Node] = [service(WEB), service("mark 7", "twos"), server("mark 7", "10.0.0.21")]
    output = in_guest("put 0; start 2>&1 && exit 1; ipvsadm -Sn", nodes)
    assert "1 Scheduler or persistence engine not found\n" in output
    assert "it would still take:\n-A -f 7 -s twos\n-a -f 7 -r 10.0.0.21:0 -m -w 1\n" in output
    assert output.endswith("\n-A -t 192.0.2.10:80 -s wlc\n")


def test_what_is_refused_is_what_the_kernel_and_ipvsadm_refuse() -> None:
    """Each line is one that a check keeps from being emitted."""
    refused = [
        "-A -t 192.0.2.10:81 -s wlc -o",
        "-A -t 192.0.2.10:0 -s wlc",
        "-A -t 192.0.2.10:81 -s mh -b sh-port",
        "-A -t 192.0.2.10:81 -s wlc -p 2678401",
        "-a -t 192.0.2.10:80 -r 10.0.0.1:80 -m -w -1",
        "-a -t 192.0.2.10:80 -r 10.0.0.1:80 -m -w 1 -y 5",
        "-a -t 192.0.2.10:80 -r [fd00::1]:80 -m -w 1",
        "-a -t 192.0.2.10:80 -r 10.0.0.1:80 -i --tun-type gue",
        "-a -t 192.0.2.10:80 -r 10.0.0.1:80 -i --tun-type gre --tun-remcsum",
        "--set 2678401 0 0",
    ]
    script = """
ipvsadm -A -t 192.0.2.10:80
while read -r line; do ipvsadm $line >/run/said 2>&1 && echo "accepted: $line"; done <refused || true
ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.1:8080 -g
ipvsadm -A -f 4294967295
ipvsadm -Sn
"""
    output = in_guest(script, [service(WEB)], files={"refused": "".join(f"{line}\n" for line in refused)})
    # The mark is saved as what cannot be restored, and the port is replaced.
    assert output.splitlines() == [
        "-A -f -1 -s wlc",
        "-A -t 192.0.2.10:80 -s wlc",
        "-a -t 192.0.2.10:80 -r 10.0.0.1:80 -g -w 1",
    ]
