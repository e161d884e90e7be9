"""`live` on a director with a kernel that has IPVS: what is loaded is the spec, and what was changed by hand is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from support import guest, guest_lvsc
from support.cli import Project, judge
from support.specs import Layer, servers, spec

pytestmark = pytest.mark.kernel

SPEC: Layer = {
    "pools": {"web": {"check": "none"}},
    "timeouts": {"tcp": "10m"},
    "services": {
        "web": {"ports": ["tcp/80", "tcp/443"], "mark": 80, "persistence": "5m"},
        "dns": {"address": "www", "pool": "web", "ports": ["udp/53"], "scheduler": "sh"},
    },
}
POOL = servers({"upper_threshold": 100, "lower_threshold": 50}, {"weight": 3})
BACKENDS = ("--backend", "iptables", "--backend", "ipvsadm")

# Loads what was built with its own commands; the guest's iptables is the old variant's.
PRELUDE = r"""
set -eu
for module in ipv6 ip_vs overlay; do modprobe $module; done
mkdir /run/upper /run/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work overlay /etc
mkdir -p /etc/lvsc
cp built/lvs1/etc/lvsc/* /etc/lvsc
sed -i 's#/usr/sbin/ip6\{0,1\}tables#&-legacy#g' /etc/lvsc/iptables.sh
load() { ipvsadm -C; for name in iptables ipvsadm; do sh /etc/lvsc/$name.sh start; done; }
status() { "$@" && echo 0 || echo $?; }
"""
WEB = "wlc over 192.0.2.21 by nat weight 1, 192.0.2.22 by nat weight 3 with persistence 300 s"
CLIENT = "198.51.100.7:40000 ->"
Row = tuple[str, str, str, str]
#: By what somebody did by hand on the director: the commands, and what changes for packets.
DRIFTS: dict[str, tuple[str, list[Row]]] = {
    "nothing": (":", []),
    "another weight": (
        "ipvsadm -e -f 80 -r 192.0.2.22 -m -w 7",
        [
            (
                "weights",
                "`web` (mark 80): real server 192.0.2.22 weight 3",
                "mark 80: real server 192.0.2.22 weight 7",
                f"tcp {CLIENT} 192.0.2.10:80",
            )
        ],
    ),
    "another port in a mark's rule": (
        "iptables-legacy-save -t mangle | sed s/443/444/ | iptables-legacy-restore",
        [
            ("exposure", "no virtual service", f"mark 80: {WEB}", f"tcp {CLIENT} 192.0.2.10:444"),
            ("loss", f"`web` (mark 80): {WEB}", "no virtual service", f"tcp {CLIENT} 192.0.2.10:443"),
        ],
    ),
    "a real server removed": (
        "ipvsadm -d -u 192.0.2.10:53 -r 192.0.2.21:53",
        [
            (
                "treatment",
                "`dns` (udp 192.0.2.10:53): real server 192.0.2.21 by nat weight 1",
                "udp 192.0.2.10:53: real server no 192.0.2.21",
                f"udp {CLIENT} 192.0.2.10:53",
            )
        ],
    ),
    "a real server added again": (
        "ipvsadm -d -u 192.0.2.10:53 -r 192.0.2.21:53; ipvsadm -a -u 192.0.2.10:53 -r 192.0.2.21:53 -m -x 100 -y 50",
        [
            (
                "treatment",
                "`dns` (udp 192.0.2.10:53): scheduler sh over 192.0.2.21, 192.0.2.22 in this order",
                "udp 192.0.2.10:53: scheduler sh over 192.0.2.22, 192.0.2.21 in this order",
                f"udp {CLIENT} 192.0.2.10:53",
            )
        ],
    ),
    "other thresholds": (
        "ipvsadm -e -f 80 -r 192.0.2.21 -m -w 1 -x 7 -y 5",
        [
            (
                "treatment",
                "`web` (mark 80): real server 192.0.2.21 limits 100/50",
                "mark 80: real server 192.0.2.21 limits 7/5",
                f"tcp {CLIENT} 192.0.2.10:80",
            )
        ],
    ),
    "a service added": (
        "ipvsadm -A -t 192.0.2.10:8080; ipvsadm -a -t 192.0.2.10:8080 -r 192.0.2.21:8080 -m",
        [
            (
                "exposure",
                "no virtual service",
                "tcp 192.0.2.10:8080: wlc over 192.0.2.21:8080 by nat weight 1",
                f"tcp {CLIENT} 192.0.2.10:8080",
            )
        ],
    ),
}
FOREIGN = "-A PREROUTING -p tcp -j MARK --set-xmark 0x9/0xffffffff"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the packages of lvsc."""
    if reason := guest.why_not():
        pytest.skip(reason)
    return guest_lvsc.packages(tmp_path_factory.mktemp("lvsc") / guest_lvsc.DIRECTORY)


def in_guest(project: Project, packages: Path, script: str) -> list[str]:
    """Run a script after the prelude beside what is built of the spec; what it prints between lines of dashes."""
    project.write("cluster.toml", spec(SPEC, POOL))
    assert project.lvsc("build", "cluster.toml", *BACKENDS).code == 0
    done = guest.run(
        ["sh", "-c", PRELUDE + f'lvsc() {{ {guest_lvsc.command()} "$@"; }}\n' + script],
        timeout=900,
        files={"cluster.toml": project.read("cluster.toml")},
        trees={"built": project.root / "build" / "shop", guest_lvsc.DIRECTORY: packages},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("---\n")


def test_a_loaded_director_is_its_spec_and_each_drift_is_named(project: Project, packages: Path) -> None:
    diff = f"lvsc diff --host lvs1 {' '.join(BACKENDS)} cluster.toml live"
    rows = [
        f"load\n{hand}\nstatus {diff} --exit-code --format json\necho ---\n" for hand, _ in DRIFTS.values()
    ]
    foreign = f"load\niptables-legacy -t mangle {FOREIGN}\n{diff} --format json\necho ---\n"
    *printed, unknown, text = in_guest(
        project, packages, f"{''.join(rows)}{foreign}iptables-legacy -t mangle -D{FOREIGN[2:]}\n{diff}\n"
    )
    for (name, (_, expected)), shown in zip(DRIFTS.items(), printed, strict=True):
        document, _, status = shown.rstrip().rpartition("\n")
        assert (name, difference(document), status) == (name, (expected, []), "1" if expected else "0")
    assert difference(unknown) == ([], [FOREIGN])
    first, *_, last = text.splitlines()
    assert first.startswith("no packet is treated differently; ")
    assert last == "  one side says nothing of the time-outs of connections: they are not compared"


def difference(text: str) -> tuple[list[Row], list[str]]:
    """What a document of `lvsc diff` says of packets, and the fragments that leave something open."""
    document: dict[str, Any] = json.loads(text)
    judge("diff", document)
    changes = [
        (change["kind"], change["before"], change["after"], change["witness"]["text"])
        for change in document["packets"]
    ]
    return changes, [unknown["fragment"] for unknown in document["unknown"]]


def test_a_packet_is_traced_through_what_runs(project: Project, packages: Path) -> None:
    trace = "lvsc trace live --format json 'tcp 198.51.100.7 -> 192.0.2.10:443 on lvs1' --host lvs1"
    printed = in_guest(
        project,
        packages,
        f"load\n{trace}\necho ---\nipvsadm -d -f 80 -r 192.0.2.21\n{trace}\necho ---\nipvsadm -C\n{trace}\n",
    )
    ways = []
    for text in printed:
        judge("trace", json.loads(text))
        (way,) = json.loads(text)["ways"]
        ways.append((way["fate"], way["mark"], servers_of(way)))
    assert ways == [
        ("balanced", 80, ["192.0.2.21", "192.0.2.22"]),
        ("balanced", 80, ["192.0.2.22"]),
        ("local", 80, []),
    ]


def servers_of(way: dict[str, Any]) -> list[str]:
    return [server["address"] for server in way["service"]["real_servers"]] if way["service"] else []
