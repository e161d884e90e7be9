"""Built trees are compared with all of their files: what no backend reads is told by its path where it differs."""

import json
import shutil
from pathlib import Path

import pytest

from support.cli import Project

ROOT = Path(__file__).parents[2]
SAME = "no packet is treated differently; 0 rules rewritten\n"
OPEN = (
    "no rule of a packet filter or a director treats a packet differently; {},"
    " and what that does to packets is not known; 0 rules rewritten\n"
)


@pytest.fixture
def trees(project: Project) -> Project:
    """`red-hat.toml`, what was built of it as `was`, and the same again as `now`."""
    shutil.copy(ROOT / "examples/red-hat.toml", project.root)
    built = project.lvsc("build", "red-hat.toml", "--backend", "iptables", "-o", "build")
    assert built.code == 0
    for name in ("was", "now"):
        shutil.copytree(project.root / "build/red-hat", project.root / name)
    return project


def edit(project: Project, path: str, old: str, new: str) -> int:
    """Change one file of the tree `now`, and return the number of the line."""
    file = project.root / "now" / path
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1


EDITS = {
    "routing": ("lvs1/etc/sysctl.d/90-lvsc.conf", "net.ipv4.ip_forward = 1", "net.ipv4.ip_forward = 0"),
    "tracking": ("lvs1/etc/sysctl.d/90-lvsc.conf", "net.ipv4.vs.conntrack = 1", "net.ipv4.vs.conntrack = 0"),
    "an option of a module": (
        "lvs1/etc/modprobe.d/lvsc.conf",
        "options ip_vs_ftp ports=21",
        "options ip_vs_ftp ports=2121",
    ),
    "a program's settings": ("ftp1/etc/lvsc/vsftpd.conf", "pasv_max_port=20000", "pasv_max_port=10001"),
    "a script": ("lvs1/etc/lvsc/iptables.sh", "start) start ;;", "start) ;;"),
}


@pytest.mark.parametrize(("path", "old", "new"), EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("before", ["was", "red-hat.toml"], ids=["tree", "spec"])
def test_a_file_that_is_edited_is_told(trees: Project, before: str, path: str, old: str, new: str) -> None:
    line = edit(trees, path, old, new)
    outcome = trees.lvsc("diff", "--backend", "iptables", "--exit-code", before, "now")
    host, slash, inside = path.partition("/")
    assert outcome.code == 1
    assert outcome.out == OPEN.format("1 setting of a host differs") + (
        f"\nhost settings:\n  ~ file {slash}{inside}: text `{old}` -> `{new}` on {host} ({path}:{line})\n"
    )


def test_a_tree_is_what_its_spec_says(trees: Project) -> None:
    for sides in (("red-hat.toml", "now"), ("now", "red-hat.toml"), ("was", "now")):
        outcome = trees.lvsc("diff", "--backend", "iptables", "--exit-code", *sides)
        assert (outcome.code, outcome.out) == (0, SAME)


def test_lines_that_several_hosts_lack_are_told_once(trees: Project) -> None:
    for host in ("lvs1", "lvs2"):
        edit(trees, f"{host}/etc/modules-load.d/lvsc.conf", "ip_vs\n", "")
    outcome = trees.lvsc("diff", "was", "now")
    assert "  ~ file /etc/modules-load.d/lvsc.conf: text `ip_vs` -> nothing on lvs1, lvs2 (" in outcome.out


def drop(project: Project, host: str, path: str | None = None) -> None:
    """Leave a host, or one of its files, out of the tree `now`."""
    manifest = project.root / "now/manifest.json"
    document = json.loads(manifest.read_text())
    if path is None:
        del document["hosts"][host]
    else:
        files = document["hosts"][host]["files"]
        document["hosts"][host]["files"] = [file for file in files if file["path"] != path]
    manifest.write_text(json.dumps(document))


@pytest.mark.parametrize("before", ["was", "red-hat.toml"], ids=["tree", "spec"])
def test_a_file_or_a_host_that_is_gone_is_told(trees: Project, before: str) -> None:
    drop(trees, "lvs1", "/etc/sysctl.d/90-lvsc.conf")
    drop(trees, "lvs2")
    out = trees.lvsc("diff", "--backend", "iptables", before, "now").out
    assert out.startswith(OPEN.format("2 settings of hosts differ"))
    assert "hosts:\n  - host `lvs2` on lvs2\n" in out
    assert "host settings:\n  - file /etc/sysctl.d/90-lvsc.conf on lvs1 (" in out


def test_addresses_that_no_failover_moves_are_not_a_failover_programs_to_say(project: Project) -> None:
    """keepalived.conf has the virtual addresses, and nothing of those on loopback."""
    shutil.copy(ROOT / "examples/direct-routing.toml", project.root)
    assert project.lvsc("build", "direct-routing.toml", "-o", "build").code == 0
    conf = "build/direct-routing/lvs1/etc/keepalived/keepalived.conf"
    for other in ("build/direct-routing", conf):
        for sides in (("direct-routing.toml", other), (other, "direct-routing.toml")):
            outcome = project.lvsc("diff", "--host", "lvs1", "--exit-code", *sides)
            assert (outcome.code, outcome.out.splitlines()[0]) == (0, SAME.strip())


def test_a_file_of_one_program_leaves_host_settings_uncompared(trees: Project) -> None:
    outcome = trees.lvsc("diff", "--host", "lvs1", "now/lvs1/etc/keepalived/keepalived.conf", "red-hat.toml")
    assert outcome.out.endswith(
        "not compared:\n"
        "  one side says nothing of packet filters: they are not compared\n"
        "  one side says nothing of host settings: they are not compared\n"
    )
