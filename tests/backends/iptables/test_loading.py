"""The emitted files, loaded by the real programs of both variants in a network namespace of their own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lvsc.plugin import Hook, HostPart, Node, PacketRule, Protocol
from lvsc.targets import Target
from lvsc_iptables.backend import Iptables
from support.nodes import helper, marking, no_track, traffic

from .everything import FOUR, SIX

MakePart = Callable[[Iterable[Node]], HostPart]

VIP = "192.0.2.10"
MARK_ONLY: list[PacketRule] = [marking(traffic(dst=VIP, dport="80"))]


#: Prints how many packets INPUT saw in each state, by protocol and port.
COUNTS = """
iptables_save -c | sed -n 's/^\\[\\([0-9]*\\):.* -p \\([a-z]*\\) .* --dport \\([0-9]*\\) .* --ctstate \\([A-Z]*\\)$/\\2 \\3 \\4 \\1/p'
"""
#: Sends a packet to each protocol and port of the arguments.
SEND = """
import socket, sys
for protocol, port in zip(sys.argv[1::2], sys.argv[2::2]):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect_ex(("192.0.2.10", int(port)))
        if protocol == "udp":
            client.send(b"x")
"""

FOREIGN = """\
*raw
:THEIRS - [0:0]
-A PREROUTING -d 192.0.2.10/32 -j THEIRS
-A THEIRS -p tcp -m tcp --dport 21 -j CT --notrack
COMMIT
*mangle
-A PREROUTING -d 192.0.2.10/32 -j MARK --set-xmark 0x1/0xffffffff
-A OUTPUT -j MARK --set-xmark 0x1/0xffffffff
COMMIT
*nat
-A POSTROUTING -j MASQUERADE
COMMIT
*filter
:THEIRS - [0:0]
-A INPUT -j THEIRS
-A INPUT -j REJECT --reject-with icmp-port-unreachable
-A FORWARD -j DROP
-A THEIRS -s 203.0.113.0/24 -m comment --comment "LVSC-INPUT is not ours" -j DROP
COMMIT
"""


@dataclass(frozen=True)
class Lab:
    """A place to run shell commands in a fresh network namespace, with the programs of one variant."""

    variant: str
    unshare: tuple[str, ...]
    directory: Path
    make: MakePart
    target: Target

    def install(self, nodes: list[PacketRule], name: str = "lvsc") -> str:
        """Write what is emitted for the nodes and return the command that runs the script."""
        programs = tuple(
            (name, re.sub("(ip6?tables)", rf"\1-{self.variant}", path) if "tables" in name else path)
            for name, path in self.target.programs
        )
        place = self.directory / name
        place.mkdir()
        for artifact in (
            Iptables()
            .emit(replace(self.make(nodes), target=replace(self.target, programs=programs)))
            .artifacts
        ):
            path = place / Path(artifact.path).name
            path.write_text(artifact.text.replace("/etc/lvsc/", f"{place}/"), encoding="utf-8")
        return f"sh {place}/iptables.sh"

    def run(self, *commands: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the commands one after the other; `iptables` and `ip6tables` are the variant's."""
        (self.directory / "foreign").write_text(FOREIGN, encoding="utf-8")
        names = [
            f"{command}{tail}" for command in ("iptables", "ip6tables") for tail in ("", "-save", "-restore")
        ]
        functions = [
            f'{name.replace("-", "_")}() {{ {name.replace("tables", f"tables-{self.variant}")} "$@"; }}'
            for name in names
        ]
        result = subprocess.run(
            [*self.unshare, "sh", "-euc", "\n".join([*functions, *commands])],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
            env={**os.environ, "XTABLES_LOCKFILE": str(self.directory / "lock"), "LC_ALL": "C"},
        )
        if check:
            assert (result.returncode, result.stderr) == (0, "")
        return result


@pytest.fixture(params=["legacy", "nft"])
def variant(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    for program in (f"iptables-{name}", f"ip6tables-{name}", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: apt-get install iptables util-linux")
    return name


@pytest.fixture(params=["root", "user"])
def lab(request: pytest.FixtureRequest, variant: str, tmp_path: Path, part: MakePart, debian: Target) -> Lab:
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("only root makes a network namespace without a user namespace")
    unshare = ("unshare", "-n") if request.param == "root" else ("unshare", "-rn")
    made = Lab(variant, unshare, tmp_path, part, debian)
    probe = made.run("iptables_save", "iptables -t mangle -S", "ip6tables -t mangle -S", check=False)
    if probe.returncode:
        pytest.skip(f"no iptables-{variant} in a network namespace here: {probe.stderr.strip()}")
    return made


SAVE = r"{ iptables_save; ip6tables_save; } 2>/dev/null | sed '/^#/d; s/\[[0-9:]*\]$//'"


def test_start_loads_the_rules_as_they_are_printed_back(lab: Lab) -> None:
    lvsc = lab.install([*FOUR, *SIX])
    for command, file in (("iptables", "iptables.v4"), ("ip6tables", "iptables.v6")):
        # iptables-save names what /etc/protocols does.
        dump = lab.run(f"{lvsc} start", f"{command}_save").stdout.replace("-p vrrp", "-p 112").splitlines()
        wanted = (lab.directory / "lvsc" / file).read_text(encoding="utf-8").splitlines()
        tables = {table(dump, name): table(wanted, name) for name in ("raw", "mangle", "nat", "filter")}
        assert all(wanted_rules for wanted_rules in tables.values())
        for loaded_rules, wanted_rules in tables.items():
            own = [rule for rule in loaded_rules if rule.startswith("-A LVSC-")]
            assert own == sorted(wanted_rules, key=lambda rule: rule.split()[1])


def table(dump: list[str], name: str) -> tuple[str, ...]:
    """The rules of one table, by chain name as iptables-legacy-save orders them."""
    begin = dump.index(f"*{name}")
    rules = [line for line in dump[begin : dump.index("COMMIT", begin)] if line.startswith("-A ")]
    return tuple(sorted(rules, key=lambda rule: rule.split()[1]))


def test_starting_twice_changes_nothing(lab: Lab) -> None:
    lvsc = lab.install([*FOUR, *SIX])
    result = lab.run(
        "iptables_restore <foreign",
        f"{lvsc} start",
        SAVE,
        "echo ====",
        f"{lvsc} start",
        f"{lvsc} start",
        SAVE,
    )
    once, twice = result.stdout.split("====\n")
    assert once.count("-j LVSC-") == 14
    assert once == twice


def test_jumps_stand_where_the_verdict_is_lvscs(lab: Lab) -> None:
    lvsc = lab.install(FOUR)
    dump = lab.run("iptables_restore <foreign", f"{lvsc} start", "iptables_save").stdout.splitlines()

    def chain(table_name: str, name: str) -> list[str]:
        return [
            rule.partition("-j ")[2].split()[0]
            for rule in table(dump, table_name)
            if rule.startswith(f"-A {name} ")
        ]

    assert chain("raw", "PREROUTING") == ["LVSC-CONNTRACK", "THEIRS"]
    assert chain("mangle", "PREROUTING") == ["MARK", "LVSC-MARK"]
    assert chain("mangle", "OUTPUT") == ["MARK", "LVSC-MARK-OUT"]
    assert chain("nat", "POSTROUTING") == ["LVSC-SNAT", "MASQUERADE"]
    assert chain("filter", "INPUT") == ["LVSC-INPUT", "THEIRS", "REJECT"]
    assert chain("filter", "FORWARD") == ["LVSC-FORWARD", "DROP"]


def test_connection_tracking_passes_over_what_it_is_told_to(lab: Lab) -> None:
    lvsc = lab.install(
        [
            *(no_track(traffic(dst=VIP, protocol=Protocol.UDP, dport=dport)) for dport in ("81", "82")),
            no_track(traffic(Hook.OUTPUT, dst=VIP, protocol=Protocol.UDP, dport="90")),
            helper(traffic(dst=VIP, dport="21")),
        ]
    )
    sent = [("udp", 80), ("udp", 81), ("udp", 82), ("udp", 90), ("tcp", 21)]
    arguments = " ".join(f"{protocol} {port}" for protocol, port in sent)
    (lab.directory / "send.py").write_text(SEND, encoding="utf-8")
    send = f"{sys.executable} send.py {arguments}"
    result = lab.run(
        "unshare -n sleep 60 & client=$!",
        "trap 'kill $client' EXIT",
        "while [ $(readlink /proc/$client/ns/net) = $(readlink /proc/self/ns/net) ]; do sleep 0.1; done",
        "ip link set lo up",
        "ip link add eth0 type veth peer name eth0 netns $client",
        f"ip addr add {VIP}/24 dev eth0",
        "ip link set eth0 up",
        "nsenter -t $client -n ip addr add 192.0.2.2/24 dev eth0",
        "nsenter -t $client -n ip link set eth0 up",
        # Until the kernel has taken note that both ends are up, what is sent is lost.
        'for where in "ip" "nsenter -t $client -n ip"; do',
        "until $where link show eth0 | grep -q 'state UP'; do sleep 0.02; done; done",
        f"arrived() {{ until {{ {COUNTS} }} | grep -c ' [1-9][0-9]*$' | grep -qx $1; do sleep 0.02; done; }}",
        *(
            f"iptables -A INPUT -p {protocol} -m {protocol} --dport {port} -m conntrack --ctstate {state}"
            for protocol, port in sent
            for state in ("UNTRACKED", "NEW")
        ),
        f"{lvsc} start",
        f"nsenter -t $client -n {send}",
        f"arrived {len(sent)}",
        COUNTS,
        "echo ====",
        f"iptables -Z && {send}",
        f"arrived {len(sent)}",
        COUNTS,
    )
    received, own = (set(text.splitlines()) for text in result.stdout.split("====\n"))
    assert {"udp 81 UNTRACKED 1", "udp 82 UNTRACKED 1", "udp 81 NEW 0"} < received
    assert {"udp 80 NEW 1", "udp 90 NEW 1", "tcp 21 NEW 1", "udp 80 UNTRACKED 0"} < received
    assert {"udp 90 UNTRACKED 1", "udp 80 NEW 1"} < own


def test_other_peoples_rules_survive_start_and_stop(lab: Lab) -> None:
    lvsc = lab.install(FOUR)
    result = lab.run(
        "iptables_restore <foreign", SAVE, "echo ====", f"{lvsc} start", f"{lvsc} stop", f"{lvsc} stop", SAVE
    )
    before, after = result.stdout.split("====\n")
    assert "THEIRS" in before
    assert before == after


def test_what_is_no_longer_used_is_removed(lab: Lab) -> None:
    before, after = lab.install([*FOUR, *SIX]), lab.install(MARK_ONLY, "next")
    dump = lab.run(f"{before} start", f"{after} start", SAVE).stdout
    assert [line for line in dump.splitlines() if "LVSC-" in line] == [
        ":LVSC-MARK - ",
        "-A PREROUTING -j LVSC-MARK",
        (
            '-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m tcp --dport 80 -m comment --comment "service web" '
            "-j MARK --set-xmark 0x50/0xffffffff"
        ),
    ]


def test_only_tables_in_use_are_touched(lab: Lab) -> None:
    lvsc = lab.install(MARK_ONLY)
    commands = (f"{lvsc} start", f"{lvsc} stop", f"{lvsc} start", "iptables_save", "ip6tables_save")
    dump = lab.run(*commands).stdout
    assert [line for line in dump.splitlines() if line.startswith("*")] == ["*mangle"]


def test_start_brings_back_what_others_flushed(lab: Lab) -> None:
    lvsc = lab.install(FOUR)
    flush = [
        f"iptables -t {name} {option}"
        for name in ("raw", "mangle", "nat", "filter")
        for option in ("-F", "-X")
    ]
    result = lab.run(f"{lvsc} start", SAVE, "echo ====", *flush, f"{lvsc} start", SAVE)
    before, after = result.stdout.split("====\n")
    assert before == after


def test_start_replaces_old_rules_that_others_restored(lab: Lab) -> None:
    before, after = lab.install(FOUR), lab.install(MARK_ONLY, "next")
    result = lab.run(
        f"{before} start",
        "iptables_save >saved",
        f"{before} stop",
        f"{after} start",
        SAVE,
        "echo ====",
        "iptables_restore <saved",
        f"{after} start",
        SAVE,
    )
    once, again = (sorted(text.splitlines()) for text in result.stdout.split("====\n"))
    assert [line for line in once if "LVSC" in line] == [line for line in again if "LVSC" in line]


def test_jumps_added_twice_are_both_removed(lab: Lab) -> None:
    lvsc = lab.install(FOUR)
    result = lab.run(f"{lvsc} start", "iptables -t mangle -I PREROUTING -j LVSC-MARK", f"{lvsc} stop", SAVE)
    assert "LVSC" not in result.stdout


#: What others do to a built-in chain once lvsc's rules are loaded: each line is added by `iptables`.
DISORDER = {
    "twice": ["-A {home} -j {chain}"],
    "three times, a rule between": [
        "-A {home} -j {chain}",
        "-A {home} -s 203.0.113.9",
        "-I {home} -j {chain}",
    ],
    "a rule before it": ["-I {home} -s 203.0.113.9"],
    "rules behind it": ["-A {home} -s 203.0.113.9", "-A {home} -s 203.0.113.8"],
    "rules around it": ["-I {home} -s 203.0.113.9", "-A {home} -s 203.0.113.8"],
    "gone": ["-D {home} -j {chain}"],
    "gone among others' rules": [
        "-D {home} -j {chain}",
        "-A {home} -s 203.0.113.9",
        "-A {home} -s 203.0.113.8",
    ],
}
#: The chains by where they are jumped to from; the jumps to those for marks come last, all others first.
HOMES = {
    "LVSC-CONNTRACK": ("raw", "PREROUTING"),
    "LVSC-CONNTRACK-OUT": ("raw", "OUTPUT"),
    "LVSC-MARK": ("mangle", "PREROUTING"),
    "LVSC-MARK-OUT": ("mangle", "OUTPUT"),
    "LVSC-SNAT": ("nat", "POSTROUTING"),
    "LVSC-INPUT": ("filter", "INPUT"),
    "LVSC-FORWARD": ("filter", "FORWARD"),
}


@pytest.mark.parametrize("disorder", DISORDER.values(), ids=DISORDER)
def test_start_leaves_one_jump_to_each_chain_at_its_place(lab: Lab, disorder: list[str]) -> None:
    lvsc = lab.install(FOUR)
    places = HOMES.items()
    commands = [
        f"iptables -t {name} {line.format(home=home, chain=chain)}"
        for chain, (name, home) in places
        for line in disorder
    ]
    dumps = [f"echo ===={chain} && iptables -t {name} -S {home}" for chain, (name, home) in places]
    printed = lab.run(f"{lvsc} start", *commands, f"{lvsc} start", *dumps).stdout
    for section in printed.split("====")[1:]:
        chain, _, *rules = section.splitlines()
        name, home = HOMES[chain]
        others = sorted({rule for rule in rules if " -s 203.0.113." in rule})
        last = name == "mangle"
        assert len(rules) == len(others) + 1, section
        assert rules[-1 if last else 0] == f"-A {home} -j {chain}", section


def test_jumps_that_stand_right_are_not_touched(lab: Lab) -> None:
    lvsc = lab.install([*FOUR, *SIX])
    # From now on to move a jump is to fail.
    broken = "sed -i 's/ } | / } | false /' lvsc/iptables.sh"
    lab.run("iptables_restore <foreign", f"{lvsc} start", broken, f"{lvsc} start")
    assert lab.run(f"{lvsc} start", check=False).returncode


def test_tables_of_the_other_variant_are_no_trouble(lab: Lab) -> None:
    lvsc = lab.install(FOUR)
    for other in ("iptables-legacy", "iptables-nft"):
        lab.run(f"{other} -t mangle -A PREROUTING -j MARK --set-mark 1", f"{lvsc} start", f"{lvsc} stop")


def test_a_chain_that_others_use_is_not_removed_silently(lab: Lab) -> None:
    lvsc = lab.install(FOUR)
    result = lab.run(
        f"{lvsc} start", "iptables -A FORWARD -i eth9 -j LVSC-FORWARD", f"{lvsc} stop", check=False
    )
    assert result.returncode != 0
    assert "LVSC-FORWARD" in result.stderr or "CHAIN" in result.stderr or "links" in result.stderr


def test_what_cannot_be_loaded_fails_and_says_so(lab: Lab) -> None:
    lvsc = lab.install(FOUR)
    file = lab.directory / "lvsc" / "iptables.v4"
    file.write_text(
        file.read_text(encoding="utf-8").replace("--helper ftp", "--helper nonsense"), encoding="utf-8"
    )
    result = lab.run(f"{lvsc} start", check=False)
    assert result.returncode != 0
    assert result.stderr


@pytest.mark.parametrize("arguments", ["", "status", "start stop; echo"])
def test_the_script_knows_two_words(lab: Lab, arguments: str) -> None:
    result = lab.run(f"{lab.install(FOUR)} '{arguments}'", check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith("iptables.sh start|stop\n")
