"""What the programs themselves print of loaded rules is the spec, and a rule changed by hand is named with a witness."""

import os
import shutil
import subprocess

import pytest

from support.cli import Project
from support.specs import Layer, spec

BUNDLE: Layer = {
    "pools": {"web": {"check": "none"}},
    "services": {"web": {"ports": ["tcp/80", "tcp/443"], "mark": 80, "persistence": "5m"}},
}
FULL_NAT: Layer = {"services": {"web": {"source_nat": "lan"}}}
IPTABLES = """
{tool}-restore -n < rules
if grep -q LVSC-SNAT rules; then {tool} -t nat -I POSTROUTING -j LVSC-SNAT; fi
{tool} -t mangle -A PREROUTING -j LVSC-MARK
{tool}-save
"""
NFT = """
nft -f rules
nft -j list ruleset
"""
#: By what is printed: the backend, the file that it writes, and the commands that load and print it.
DUMPS = {
    "iptables-legacy-save": ("iptables", "iptables.v4", IPTABLES.format(tool="iptables-legacy")),
    "iptables-nft-save": ("iptables", "iptables.v4", IPTABLES.format(tool="iptables-nft")),
    "nft -j list ruleset": ("nftables", "nftables.nft", NFT),
}


def dumped(project: Project, path: str, script: str, edit: tuple[str, str] | None = None) -> str:
    """The name of a file with what a program prints once the built file is loaded, edited before where that is asked for."""
    missing = [p for p in ("unshare", "nft", "iptables-legacy", "iptables-nft") if shutil.which(p) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root, and {', '.join(missing) or 'nothing else'}")
    text = project.read(path)
    if edit is not None:
        assert edit[0] in text
        text = text.replace(*edit)
    project.write("rules", text)
    done = subprocess.run(
        ["unshare", "-n", "sh", "-euc", script], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return project.write("dump", done.stdout)


@pytest.mark.parametrize(("backend", "file", "script"), DUMPS.values(), ids=DUMPS)
@pytest.mark.parametrize("layer", [{}, FULL_NAT], ids=["bundle", "full NAT"])
def test_a_dump_of_loaded_rules_is_the_spec(
    project: Project, backend: str, file: str, script: str, layer: Layer
) -> None:
    project.write("cluster.toml", spec(BUNDLE, layer))
    assert project.lvsc("build", "cluster.toml", "--backend", backend).code == 0
    dump = dumped(project, f"build/shop/lvs1/etc/lvsc/{file}", script)
    words = ("diff", dump, "cluster.toml", "--backend", backend, "--host", "lvs1", "--exit-code")
    outcome = project.lvsc(*words)
    assert outcome.out.startswith("no packet is treated differently; ")
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize(("backend", "file", "script"), DUMPS.values(), ids=DUMPS)
def test_a_rule_that_was_changed_by_hand_is_named_with_a_witness(
    project: Project, backend: str, file: str, script: str
) -> None:
    project.write("cluster.toml", spec(BUNDLE))
    project.lvsc("build", "cluster.toml", "--backend", backend)
    dump = dumped(project, f"build/shop/lvs1/etc/lvsc/{file}", script, ("443", "444"))
    words = ("diff", "cluster.toml", dump, "--backend", backend, "--host", "lvs1", "--format", "json")
    document = project.lvsc(*words).fits("diff")
    assert document["unknown"] == []
    assert [
        (change["traffic"], change["before"], change["after"], change["witness"]["text"])
        for change in document["packets"]
    ] == [
        (["tcp to 192.0.2.10:443"], "mark 80", "no mark", "tcp 198.51.100.7:40000 -> 192.0.2.10:443"),
        (["tcp to 192.0.2.10:444"], "no mark", "mark 80", "tcp 198.51.100.7:40000 -> 192.0.2.10:444"),
    ]
    assert document["packets"][0]["before_places"][0]["file"] == "cluster.toml"
    assert document["packets"][1]["after_places"][0]["file"] == "dump"
