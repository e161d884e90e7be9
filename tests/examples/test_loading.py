"""Each tree that builds is loaded by its own units' commands, twice, without a word. What is the same is loaded once."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lvsc.plugin import Artifact, Stage
from support import ipvsadm_table, place
from support.examples import EXAMPLES
from support.tell import Tell
from support.trees import Commands, HostTree, read_unit, trees


@dataclass(slots=True)
class Case:
    """A step that some hosts share, with the files that it loads."""

    first: HostTree
    load: Commands
    unload: Commands
    files: tuple[Artifact, ...]
    hosts: int = 0
    """How many there are, over all targets and backends."""


def cases(example: str, stage: Stage, backend: str) -> list[Case]:
    """A backend's steps of a stage, each once. Skips the test where there is none."""
    found: dict[object, Case] = {}
    for tree in trees(example):
        step = tree.step(stage)
        if step is not None and tree.backend(stage) == backend:
            files = tree.files_of(backend, "/etc/lvsc/")
            key = (step.load, step.unload, tuple((file.path, file.text) for file in files))
            found.setdefault(key, Case(tree, step.load, step.unload, files)).hosts += 1
    if not found:
        pytest.skip(f"{example} has no {stage.value} step by {backend} on any target")
    return list(found.values())


def report(tell: Tell, example: str, what: str, found: list[Case], how: str) -> None:
    tell(f"{example}: {what} of {sum(case.hosts for case in found)} hosts ({len(found)} different): {how}")


def commands(of: Commands) -> str:
    return "\n".join(shlex.join(command) for command in of)


def twice(case: Case, show: str) -> str:
    """A script that loads a case twice and unloads it twice; between them it shows what there is."""
    load, unload = commands(case.load), commands(case.unload)
    return "\necho ====\n".join([show, f"{load}\n{show}", f"{load}\n{show}", f"{unload}\n{unload}\n{show}"])


def shown(ran: subprocess.CompletedProcess[str], case: Case) -> tuple[str, str, str]:
    """What there was before, when loaded, and after. Loading again must not change it, and nothing else may be said."""
    assert (ran.returncode, ran.stderr) == (0, ""), case.first
    before, once, again, after = ran.stdout.split("====\n")
    assert once == again, case.first
    assert once != before, case.first
    return before, once, after


def version(*command: str) -> str:
    """The first line of what a program says of itself; skips the test where it is not there."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]}: apt-get install iptables nftables")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_unit_does_what_the_manifest_says(example: str) -> None:
    """So what is loaded by the steps' commands is loaded by the units' own."""
    own = 0
    for tree in trees(example):
        for name in {step.unit for _, step in tree.steps if step.unit is not None}:
            text = tree.unit(name)
            if text is None:
                continue  # the distribution's own
            steps = [step for _, step in tree.steps if step.unit == name]
            unit = read_unit(text, tree.target.init)
            load = tuple(command for step in steps for command in step.load)
            if all(name in command for command in load):
                continue  # a daemon's: to load is to run the unit
            assert (unit.start, unit.reload) == (load, load), tree
            assert unit.stop == tuple(command for step in steps for command in step.unload), tree
            own += 1
    assert own


@pytest.mark.parametrize("example", EXAMPLES)
def test_nft_loads_the_tables_twice_and_removes_them(example: str, tmp_path: Path, tell: Tell) -> None:
    found = cases(example, Stage.PACKET_FILTER, "nftables")
    nft = version("nft", "--version")
    for case in found:
        script = twice(case, "nft -s list ruleset")
        ran = place.run(script, tmp_path, case.files, programs=case.first.target.programs)
        before, once, after = shown(ran, case)
        assert set(re.findall(r"^table \S+ (\S+) \{$", once, re.MULTILINE)) == {"lvsc"}
        assert before == after == ""
    report(tell, example, "nftables.nft", found, f"loaded twice by {nft}")


SAVE = r"{ iptables-save; ip6tables-save; } 2>/dev/null | sed '/^#/d; s/\[[0-9:]*\]$//'"


@pytest.mark.parametrize("variant", place.VARIANTS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_iptables_loads_the_chains_twice_and_removes_them(
    example: str, variant: str, tmp_path: Path, tell: Tell
) -> None:
    found = cases(example, Stage.PACKET_FILTER, "iptables")
    listing = "iptables -t mangle -S; iptables-save"
    probe = place.run(listing, tmp_path, variant=variant)
    if probe.returncode:
        pytest.skip(f"no iptables-{variant} in a network namespace here: {probe.stderr.strip()}")
    iptables = version(f"iptables-{variant}", "--version")
    for case in found:
        script = f"[ \"$(iptables --version)\" = '{iptables}' ]\n{twice(case, SAVE)}"
        ran = place.run(script, tmp_path, case.files, programs=case.first.target.programs, variant=variant)
        before, once, after = shown(ran, case)
        rules = [line for file in case.files for line in file.text.splitlines() if line.startswith("-A ")]
        assert sorted(re.findall(r"^-A LVSC-.*", once, re.MULTILINE)) == sorted(rules)
        chains = {rule.split()[1] for rule in rules}
        assert set(re.findall(r"^-A [A-Z]+ -j (LVSC-\S+)$", once, re.MULTILINE)) == chains
        assert "LVSC" not in before + after
    report(tell, example, "iptables.v4 and .v6", found, f"loaded twice by {iptables}")


@pytest.mark.parametrize("example", EXAMPLES)
def test_addresses_are_added_twice_and_removed(example: str, tmp_path: Path, tell: Tell) -> None:
    every = cases(example, Stage.ADDRESSES, "host")
    found = [case for case in every if all(kind == "address" for kind, *_ in wanted(case))]
    if not found:
        pytest.skip("tunnels need a kernel that has them, see test_kernel.py")
    for case in found:
        lines = wanted(case)
        show = (
            r"ip -o addr show scope global | sed -n 's/^[0-9]*: \(\S*\) *inet6* \(\S*\) .*/address \2 \1/p'"
        )
        interfaces = sorted({interface for _, _, interface in lines} - {"lo"})
        ran = place.run(
            f"ip link set lo up\n{twice(case, show)}",
            tmp_path,
            case.files,
            programs=case.first.target.programs,
            interfaces=interfaces,
        )
        before, once, after = shown(ran, case)
        assert sorted(once.splitlines()) == sorted(" ".join(line) for line in lines)
        assert before == after == ""
    report(tell, example, "addresses.sh", found, "run twice")


def wanted(case: Case) -> list[tuple[str, ...]]:
    """What a script of addresses adds, from its list."""
    (script,) = case.files
    (lines,) = re.findall(r"<<'END'\n(.*?)^END$", script.text, re.MULTILINE | re.DOTALL)
    return [tuple(line.split()) for line in lines.splitlines()]


def test_an_independent_reader_understands_every_ipvs_table(tell: Tell) -> None:
    texts: dict[str, int] = {}
    for tree in trees():
        text = tree.text("/etc/lvsc/ipvsadm.rules")
        if text is not None:
            texts[text] = texts.get(text, 0) + 1
    for text in texts:
        table = ipvsadm_table.read(text)
        assert table
        assert all(service.servers for service in table.values())
    tell(
        f"ipvsadm.rules of {sum(texts.values())} hosts ({len(texts)} different): read by the tests' own reader"
    )


def scripts() -> Iterator[tuple[HostTree, Artifact]]:
    """Every script that a shell reads, each once."""
    seen = set()
    for tree in trees():
        for _, file in tree.files:
            if (file.path.endswith(".sh") or file.text.startswith("#!")) and file.text not in seen:
                seen.add(file.text)
                yield tree, file


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "busybox"])
def test_a_shell_finds_no_fault_with_any_script(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    found = list(scripts())
    for number, (_, file) in enumerate(found):
        (tmp_path / str(number)).write_text(file.text, encoding="utf-8")
    command = ["busybox", "sh"] if shell == "busybox" else [shell]
    for number, (tree, file) in enumerate(found):
        ran = subprocess.run(
            [*command, "-n", str(tmp_path / str(number))], capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", ""), f"{file.path} of {tree}"
    assert len(found) > 50
