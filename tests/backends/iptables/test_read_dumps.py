"""Real dumps: what was emitted, loaded by its script in a namespace of its own and dumped by the programs of both variants."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck as Health
from hypothesis import given, settings

from lvsc.plugin import (
    Accept,
    Family,
    HostGraph,
    HostPart,
    Node,
    PacketRule,
    Reading,
    Scope,
    Source,
    Touch,
)
from lvsc.targets import load
from lvsc_iptables.backend import Iptables
from support.nodes import HOST
from support.strategies import BOTH_FILTERS, loadable, parts

from .everything import FOUR, SIX

#: Other people's rules, and what each touches.
FOREIGN = {
    "raw": {
        "-A PREROUTING -i lo -j THEIRS": {Touch.TRACKING},
        "-A THEIRS -p tcp -m tcp --dport 21 -j CT --notrack": {Touch.TRACKING},
    },
    "mangle": {
        '-A PREROUTING -p udp -m comment --comment "a \\"b\\" LVSC-MARK" -j MARK --set-xmark 0x1/0xffffffff': {
            Touch.MARK
        },
        "-A OUTPUT -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff": {Touch.MARK},
        "-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu": set(),
    },
    "nat": {"-A POSTROUTING -o eth9 -j MASQUERADE": {Touch.SOURCE_NAT}},
    "filter": {
        "-A INPUT -i eth9 -j DROP": {Touch.FILTER},
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT": set(),
    },
}


@pytest.fixture(params=["legacy", "nft"])
def variant(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    for program in (f"iptables-{name}", f"ip6tables-{name}", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: apt-get install iptables util-linux")
    return name


class Lab:
    """Loads and dumps in a namespace of its own."""

    def __init__(self, variant: str, directory: Path) -> None:
        self._variant = variant
        self._directory = directory
        self._unshare = ("unshare", "-n") if os.geteuid() == 0 else ("unshare", "-rn")

    def install(self, rules: Iterable[Node]) -> str:
        """Write what is emitted; the command that loads it."""
        target = load("debian12")
        programs = tuple(
            (name, path.replace("tables", f"tables-{self._variant}")) for name, path in target.programs
        )
        part = HostPart(
            cluster="red-hat", graph=HostGraph(HOST, rules), target=replace(target, programs=programs)
        )
        emission = Iptables().emit(part)
        for artifact in emission.artifacts:
            path = self._directory / Path(artifact.path).name
            path.write_text(artifact.text.replace("/etc/lvsc/", f"{self._directory}/"), encoding="utf-8")
        ((shell, script, action),) = emission.steps[0].load
        return f"{shell} {script.replace('/etc/lvsc', str(self._directory))} {action}"

    def run(self, *commands: str) -> str:
        """Run commands, in which `iptables` is the variant's; what they print."""
        names = (
            f"{command}{tail}" for command in ("iptables", "ip6tables") for tail in ("", "-save", "-restore")
        )
        functions = [
            f'{name.replace("-", "_")}() {{ {name.replace("tables", f"tables-{self._variant}")} "$@"; }}'
            for name in names
        ]
        result = subprocess.run(
            [*self._unshare, "sh", "-euc", "\n".join([*functions, *commands])],
            capture_output=True,
            text=True,
            check=False,
            cwd=self._directory,
            env={**os.environ, "XTABLES_LOCKFILE": str(self._directory / "lock"), "LC_ALL": "C"},
        )
        if "Operation not permitted" in result.stderr or "Permission denied" in result.stderr:
            pytest.skip(f"no iptables-{self._variant} in a network namespace here: {result.stderr.strip()}")
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout


@pytest.fixture
def lab(variant: str, tmp_path: Path) -> Lab:
    return Lab(variant, tmp_path)


def read(dump: str) -> Reading:
    source = Source(host=HOST, file="live", text=dump)
    assert Iptables().recognises(source)
    return Iptables().read(source)


SAVE = {Family.IPV4: "iptables_save", Family.IPV6: "ip6tables_save"}


@pytest.mark.parametrize("counters", ["", " -c"])
@pytest.mark.parametrize("family", Family)
def test_a_dump_is_read_as_what_was_emitted(lab: Lab, family: Family, counters: str) -> None:
    start = lab.install([*FOUR, *SIX])
    reading = read(lab.run(start, f"{SAVE[family]}{counters}"))
    assert (reading.problems, reading.foreign) == ((), ())
    assert set(reading.nodes) == set(FOUR if family is Family.IPV4 else SIX)


def test_the_dumps_of_both_families_are_one_text(lab: Lab) -> None:
    start = lab.install([*FOUR, *SIX])
    reading = read(lab.run(start, "iptables_save", "ip6tables_save"))
    assert (reading.problems, reading.foreign) == ((), ())
    assert set(reading.nodes) == {*FOUR, *SIX}


def test_other_peoples_rules_are_beside_the_same_nodes(lab: Lab, tmp_path: Path) -> None:
    start = lab.install(FOUR)
    tables = [
        "\n".join([f"*{table}", ":THEIRS - [0:0]", *rules, "COMMIT", ""]) for table, rules in FOREIGN.items()
    ]
    (tmp_path / "foreign").write_text("".join(tables), encoding="utf-8")
    reading = read(lab.run("iptables_restore <foreign", start, "iptables_save"))
    assert reading.problems == ()
    assert set(reading.nodes) == set(FOUR)
    found = {one.text: set(one.touches) for one in reading.foreign}
    assert found == {":THEIRS -": set()} | {
        rule: touches for rules in FOREIGN.values() for rule, touches in rules.items()
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("iptables -t mangle -D PREROUTING -j LVSC-MARK", "IPT103"),
        ("iptables -t mangle -F PREROUTING", "IPT103"),
        ("iptables -t mangle -I PREROUTING -j ACCEPT", "IPT103"),
        ("iptables -t mangle -I PREROUTING -i lo -j LVSC-MARK", "IPT104"),
        ("iptables -t mangle -A LVSC-MARK -p icmp -j MARK --set-mark 1", "IPT102"),
        ("iptables -t mangle -N LVSC-OTHER", "IPT105"),
    ],
)
def test_what_was_changed_by_hand_is_a_problem(lab: Lab, change: str, code: str) -> None:
    start = lab.install(FOUR)
    reading = read(lab.run(start, change, "iptables_save"))
    assert [problem.code.id for problem in reading.problems] == [code]


@settings(max_examples=15, deadline=None, suppress_health_check=[Health.function_scoped_fixture])
@given(nodes=parts((*BOTH_FILTERS, Accept)))
def test_a_dump_of_whatever_was_emitted_is_read_as_that(lab: Lab, nodes: tuple[PacketRule, ...]) -> None:
    rules = tuple(filter(loadable, nodes))
    if rules:
        reading = read(lab.run(lab.install(rules), "iptables_save", "ip6tables_save"))
        assert (reading.problems, reading.foreign) == ((), ())
        assert set(reading.nodes) == set(rules)


@pytest.mark.parametrize(
    "rule",
    [
        "-j DROP -s 10.0.0.0/8",
        "-j DROP -i eth7 -p udp",
        "-j ACCEPT -s 10.0.0.1",
        "-j ACCEPT -m limit --limit 1/h",
        "-m limit -j ACCEPT",
        "-m hashlimit --hashlimit-upto 1/s --hashlimit-name x -j ACCEPT",
        "--protocol tcp --destination-port 80 --jump DROP",
        "-p tcp --dport 80 --jum DROP",
        "-p tcp --dport 80 --j ACCEPT",
        "-p tcp --dport 0120 -j ACCEPT",
        "-p 021 -j ACCEPT",
        "-s 10.0.0.0/8 -fj ACCEPT",
        "-s 10.0.0.0/010 -j ACCEPT",
        "-s 10.0.0.0/255.0.0.0 -j ACCEPT",
        "-s 10.0.0.9/0.0.0.255 -j ACCEPT",
        "--sour 10.0.0.1 -j ACCEPT",
        "-c 1 2 -j ACCEPT -m comment --comment -j",
        "-j ACCEPT -m conntrack --ctstate ESTABLISHED,RELATED",
    ],
)
def test_what_is_written_by_hand_says_no_less_than_what_is_saved_of_it(
    lab: Lab, tmp_path: Path, rule: str
) -> None:
    text = f"# Generated by iptables-save\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {rule}\n-A INPUT -j REJECT\nCOMMIT\n"
    (tmp_path / "written").write_text(text, encoding="utf-8")
    (one, behind), (saved_one, saved_behind) = (
        read(each).foreign for each in (text, lab.run("iptables_restore <written", "iptables_save"))
    )
    assert one.touches >= saved_one.touches
    (scope,), (saved,) = one.scopes, saved_one.scopes
    for each in fields(Scope):
        assert getattr(scope, each.name) in (getattr(Scope(), each.name), getattr(saved, each.name))
    assert set(behind.spared) <= set(saved_behind.spared)
    assert behind.touches == saved_behind.touches
