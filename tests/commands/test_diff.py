"""The command: its sides, forms and exit codes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import Project
from support.specs import Layer, servers, spec

PLAIN: Layer = {"pools": {"web": {"check": "none"}}}
BUNDLE: Layer = {"services": {"web": {"ports": ["tcp/80", "tcp/443"], "mark": 80, "persistence": "5m"}}}
MORE: Layer = {"services": {"web": {"ports": ["tcp/80", "tcp/443", "tcp/8443"]}}}
SAME = "no packet is treated differently; 0 rules rewritten\n"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def two(project: Project) -> Project:
    """An old and a new spec, of which the new one opens a port and drains a real server."""
    project.write("old.toml", spec(PLAIN, BUNDLE, servers({}, {})))
    project.write("new.toml", spec(PLAIN, BUNDLE, MORE, servers({}, {"weight": 0})))
    return project


def git(project: Project, *words: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("no git: apt-get install git")
    named = ("-c", "user.name=test", "-c", "user.email=test@example.net")
    subprocess.run(["git", *named, *words], cwd=project.root, check=True, capture_output=True)


def test_text_says_first_what_changes_for_packets(two: Project) -> None:
    outcome = two.lvsc("diff", "old.toml", "new.toml")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == "2 classes of packets: 1 exposed, 1 with other weights"
    assert [cell.strip() for cell in lines[2].split(" | ")] == [
        "", "traffic class", "before", "after", "spec line", "witness",
    ]  # fmt: skip
    cells = [cell.strip() for cell in lines[3].split(" | ")]
    assert cells[:3] == ["exposed", "tcp to 192.0.2.10:8443 on lvs1", "no virtual service"]
    line = two.read("new.toml").splitlines().index("[services.web]") + 1
    assert cells[4:] == [f"new.toml:{line}", "tcp 198.51.100.7:40000 -> 192.0.2.10:8443"]
    assert lines[4].startswith("with other weights | tcp to 192.0.2.10:80,443 on lvs1 ")
    assert "  drains: `web` on lvs1: those on `web2`: established ones go on" in outcome.out
    assert "  ~ real server `web2` of `web`: weight 1 -> 0 on lvs1 (new.toml:" in outcome.out


def test_that_nothing_changes_is_said_exactly(two: Project) -> None:
    assert two.lvsc("diff", "old.toml", "old.toml").out == SAME


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("old.toml", "new.toml"), 0),
        (("old.toml", "new.toml", "--exit-code"), 1),
        (("old.toml", "old.toml", "--exit-code"), 0),
        (("old.toml", "missing.toml"), 2),
        (("old.toml", "missing.toml", "--exit-code"), 2),
        (("old.toml",), 2),
        (("old.toml", "new.toml", "old.toml"), 2),
        (("old.toml", "new.toml", "--against", "HEAD"), 2),
    ],
)
def test_exit_codes(two: Project, words: tuple[str, ...], code: int) -> None:
    assert two.lvsc("diff", *words).code == code


def test_weights_can_be_ignored(two: Project) -> None:
    two.write("drained.toml", spec(PLAIN, BUNDLE, servers({}, {"weight": 0})))
    assert two.lvsc("diff", "old.toml", "drained.toml", "--exit-code").code == 1
    outcome = two.lvsc("diff", "old.toml", "drained.toml", "--exit-code", "--ignore", "weights")
    assert outcome.code == 0
    assert outcome.out.startswith("no packet is treated differently; ")


def test_json_fits_its_schema(two: Project) -> None:
    document = two.lvsc("diff", "old.toml", "new.toml", "--text", "--format", "json").fits("diff")
    assert document["differs"] is True
    exposed, weighed = document["packets"]
    assert (exposed["kind"], exposed["traffic"], exposed["hosts"]) == (
        "exposure", ["tcp to 192.0.2.10:8443"], ["lvs1"],
    )  # fmt: skip
    assert exposed["witness"]["destination_port"] == 8443
    assert exposed["after_places"][0]["key_path"][:2] == ["services", "web"]
    assert weighed["kind"] == "weights"
    assert [change["fate"] for change in document["connections"]] == ["drains"]
    assert {Path(file["path"]).name for file in document["files"]} == {"nftables.nft", "keepalived.conf"}


def test_json_of_a_broken_spec_fits_its_schema_too(two: Project) -> None:
    two.write("broken.toml", "[cluster]\nname = 1\n")
    document = two.lvsc("diff", "old.toml", "broken.toml", "--format", "json").fits("diff")
    assert document["summary"]["errors"] > 0
    assert "verdict" not in document


def test_a_comment_has_the_verdict_first_and_details_folded(two: Project) -> None:
    page = two.lvsc("diff", "old.toml", "new.toml", "--text", "--format", "markdown").out
    lines = page.splitlines()
    assert lines[0] == "<!-- lvsc:diff -->"
    assert "2 classes of packets: 1 exposed, 1 with other weights" in lines[1]
    assert "| exposed | tcp to 192.0.2.10:8443 on lvs1 |" in page
    assert "<details><summary>1 setting</summary>" in page
    assert "<details><summary>lvs1/etc/lvsc/nftables.nft</summary>" in page


def test_a_comment_is_the_same_whenever_nothing_changed(two: Project) -> None:
    two.write("other.toml", spec(PLAIN, BUNDLE, MORE))
    pages = {two.lvsc("diff", name, name, "--format", "markdown").out for name in ("old.toml", "other.toml")}
    assert len(pages) == 1


def test_a_comment_of_very_many_changes_fits_a_comment(project: Project) -> None:
    def many(scheduler: str) -> str:
        ports = range(1000, 1400)
        services = {
            f"s{port}": {"address": "www", "pool": "web", "ports": [f"tcp/{port}"], "scheduler": scheduler}
            for port in ports
        }
        return spec(PLAIN, {"services": {"web": None, **services}})

    project.write("old.toml", many("rr"))
    project.write("new.toml", many("wlc"))
    page = project.lvsc("diff", "old.toml", "new.toml", "--text", "--format", "markdown").out
    assert len(page) <= 65_536
    assert "360 classes more." in page
    assert "More is left out here" in page


def test_github_shows_changes_at_the_new_specs_lines(two: Project) -> None:
    out = two.lvsc("diff", "old.toml", "new.toml", "--format", "github").out.splitlines()
    assert out[0].startswith("::warning file=new.toml,line=")
    assert "LVS030%3A packets that find a virtual service now::exposed: tcp to 192.0.2.10:8443" in out[0]
    assert out[-1] == "::notice title=lvsc::2 classes of packets: 1 exposed, 1 with other weights"


def test_sarif_has_a_result_for_each_change(two: Project) -> None:
    log = json.loads(two.lvsc("diff", "old.toml", "new.toml", "--format", "sarif").out)
    results = log["runs"][0]["results"]
    assert sorted(result["ruleId"] for result in results) == ["LVS030", "LVS032"]
    places = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results}
    assert places == {"new.toml"}


def test_the_difference_of_the_files_text(two: Project) -> None:
    out = two.lvsc("diff", "old.toml", "new.toml", "--text").out
    assert "--- a/lvs1/etc/lvsc/nftables.nft\n+++ b/lvs1/etc/lvsc/nftables.nft\n" in out
    assert "\n+" in out


def test_against_a_revision(two: Project) -> None:
    two.write("cluster.toml", two.read("old.toml"))
    git(two, "init", "--quiet")
    git(two, "add", "cluster.toml")
    git(two, "commit", "--quiet", "--message", "one")
    two.write("cluster.toml", two.read("new.toml"))
    against = two.lvsc("diff", "--against", "HEAD", "cluster.toml")
    named = two.lvsc("diff", "HEAD:cluster.toml", "cluster.toml")
    assert against.out == named.out
    assert against.out.startswith("2 classes of packets: 1 exposed, 1 with other weights\n")


def test_against_a_revision_from_below_the_top_of_the_repository(two: Project) -> None:
    (two.root / "sites").mkdir()
    two.write("sites/cluster.toml", two.read("old.toml"))
    git(two, "init", "--quiet")
    git(two, "add", "sites")
    git(two, "commit", "--quiet", "--message", "one")
    assert two.lvsc("diff", "--against", "HEAD", "sites/cluster.toml").out == SAME


@pytest.mark.parametrize("revision", ["HEAD~99", "-x", "--output=stolen", "nowhere"])
def test_a_revision_that_is_not_there(two: Project, revision: str) -> None:
    git(two, "init", "--quiet")
    outcome = two.lvsc("diff", f"--against={revision}", "old.toml")
    assert outcome.code == 2
    assert "error[LVS016]" in outcome.err
    assert sorted(path.name for path in two.root.iterdir() if path.name != ".git") == ["new.toml", "old.toml"]


def test_two_backends_are_compared_by_their_text(two: Project) -> None:
    out = two.lvsc("diff", "--backends", "iptables,nftables", "old.toml", "--exit-code")
    assert (out.code, out.err) == (0, "")
    assert out.out.startswith("no packet is treated differently; 2 rules rewritten\n")


def test_a_built_tree(two: Project) -> None:
    assert two.lvsc("build", "old.toml", "-o", "build").code == 0
    assert two.lvsc("diff", "build/shop", "old.toml").out.startswith(SAME)
    changed = two.root / "build/shop/lvs1/etc/lvsc/nftables.nft"
    changed.write_text(changed.read_text().replace(". 443 ", ". 444 "))
    document = two.lvsc("diff", "old.toml", "build/shop", "--format", "json").fits("diff")
    assert [(c["kind"], c["traffic"]) for c in document["packets"]] == [
        ("exposure", ["tcp to 192.0.2.10:444"]),
        ("loss", ["tcp to 192.0.2.10:443"]),
    ]
    assert document["packets"][0]["after_places"][0]["file"] == "lvs1/etc/lvsc/nftables.nft"


def test_a_directory_that_was_not_built(two: Project) -> None:
    (two.root / "build").mkdir()
    outcome = two.lvsc("diff", "build", "old.toml")
    assert (outcome.code, "error[LVS019]" in outcome.err) == (2, True)


def test_a_tree_with_a_missing_file_is_not_compared(two: Project) -> None:
    two.lvsc("build", "old.toml", "-o", "build")
    (two.root / "build/shop/lvs1/etc/lvsc/nftables.nft").unlink()
    outcome = two.lvsc("diff", "build/shop", "old.toml")
    assert (outcome.code, "error[LVS010]" in outcome.err) == (2, True)


def test_a_configuration_file(two: Project) -> None:
    two.lvsc("build", "old.toml", "-o", "build")
    shutil.copy(two.root / "build/shop/lvs1/etc/lvsc/nftables.nft", two.root / "running.nft")
    outcome = two.lvsc("diff", "running.nft", "old.toml", "--host", "lvs1", "--exit-code")
    assert outcome.code == 0
    assert outcome.out == SAME + (
        "\nnot compared:\n"
        "  one side says nothing of virtual services: they are not compared\n"
        "  one side says nothing of failover and host settings: they are not compared\n"
    )


def test_a_file_that_no_backend_reads(two: Project) -> None:
    two.write("notes.txt", "nothing of the kind\n")
    outcome = two.lvsc("diff", "notes.txt", "old.toml")
    assert (outcome.code, "error[LVS017]" in outcome.err) == (2, True)


def test_a_host_that_the_other_side_does_not_have(two: Project) -> None:
    two.lvsc("build", "old.toml", "-o", "build")
    failover: Layer = {
        "directors": {"lvs1": {"priority": 2}, "lvs2": {"priority": 1, "addresses": {"lan": ["192.0.2.3"]}}},
        "failover": {"virtual_router_id": 5},
    }
    two.write("pair.toml", spec(PLAIN, BUNDLE, failover))
    outcome = two.lvsc("diff", "build/shop/lvs1/etc/lvsc/nftables.nft", "pair.toml", "--host", "lvs9")
    assert (outcome.code, "error[LVS020]" in outcome.err) == (2, True)


def test_a_spec_on_standard_input(two: Project) -> None:
    assert two.lvsc("diff", "old.toml", "-", stdin=two.read("old.toml")).out == SAME


def test_warnings_of_the_specs_are_reported_and_the_result_alone_on_standard_output(two: Project) -> None:
    unused: Layer = {"pools": {"idle": {"real_servers": [{"name": "idle1", "ip": ["192.0.2.29"]}]}}}
    two.write("warned.toml", spec(PLAIN, BUNDLE, unused, servers({}, {})))
    outcome = two.lvsc("diff", "old.toml", "warned.toml")
    assert outcome.out.startswith(SAME)
    assert "warning[" in outcome.err


def test_no_control_character_of_a_file_reaches_the_output(two: Project) -> None:
    rule = '-A PREROUTING -m comment --comment "\x1b[2J" -j MARK --set-xmark 0x7/0xffffffff'
    two.write("dump.v4", f"*mangle\n:PREROUTING ACCEPT [0:0]\n{rule}\nCOMMIT\n")
    for form in ("text", "markdown"):
        outcome = two.lvsc("diff", "dump.v4", "old.toml", "--text", "--format", form)
        assert outcome.code == 0
        assert "\x1b" not in outcome.out


SCRIPT = """
set -eu
ip link set lo up
{python} -m lvsc diff live old.toml --host lvs1 --format json > before.json
nft -f build/shop/lvs1/etc/lvsc/nftables.nft
{python} -m lvsc diff live old.toml --host lvs1 --format json > loaded.json
nft add rule inet lvsc prerouting ip daddr 192.0.2.10 tcp dport 443 meta mark set 7
{python} -m lvsc diff live old.toml --host lvs1 --format json > changed.json
iptables-legacy -t mangle -A PREROUTING -p tcp -j MARK --set-mark 9
nft -f build/shop/lvs1/etc/lvsc/nftables.nft
{python} -m lvsc diff live old.toml --host lvs1 --format json > foreign.json
"""


def test_what_runs_on_this_machine(two: Project) -> None:
    if os.geteuid() != 0 or any(shutil.which(p) is None for p in ("nft", "iptables-legacy", "unshare", "ip")):
        pytest.skip("needs root, nft, iptables-legacy and unshare")
    two.lvsc("build", "old.toml", "-o", "build")
    imports = os.pathsep.join(str(ROOT / part) for part in ("compiler", "backends", "schemas"))
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", SCRIPT.format(python=sys.executable)],
        cwd=two.root,
        env={**os.environ, "PYTHONPATH": imports},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = {
        name: json.loads(two.read(f"{name}.json")) for name in ("before", "loaded", "changed", "foreign")
    }
    kinds = {name: [change["kind"] for change in each["packets"]] for name, each in found.items()}
    # No kernel with IPVS is at hand here, so the services are on one side alone: what counts is what is marked.
    assert kinds["before"] == kinds["loaded"] == kinds["foreign"] == ["exposure"]
    assert found["before"]["unknown"] == found["loaded"]["unknown"] == []
    aspects = {name: {u["aspect"] for u in found[name]["unknown"]} for name in ("changed", "foreign")}
    assert "which virtual service packets find" in aspects["foreign"]
    assert any("0x9" in u["fragment"] for u in found["foreign"]["unknown"])
    assert "which virtual service packets find" in aspects["changed"]


def test_live_needs_root(two: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    outcome = two.lvsc("diff", "live", "old.toml")
    assert (outcome.code, "error[LVS018]: `live` needs root's rights" in outcome.err) == (2, True)
