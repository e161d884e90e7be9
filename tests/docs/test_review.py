"""docs/review.md shows what the commands really print."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lvsc.checkers.ask import CHECKERS
from support.cli import Project

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/review.md").read_text(encoding="utf-8")
OLD = (ROOT / "examples/red-hat.toml").read_text(encoding="utf-8")
NEW = OLD.replace("weight = 2", "weight = 5").replace('"tcp/443"', '"tcp/443", "tcp/8080"')
SPEC = "clusters/shop.toml"
DRIVER = f"{sys.executable} -m lvsc git-diff"


def shown(command: str) -> str:
    """What the page shows behind a command, up to the end of its block."""
    found = re.search(rf"^(`{{3,}})\n\$ {re.escape(command)}\n(.*?)^\1$", PAGE, re.MULTILINE | re.DOTALL)
    assert found, command
    return found[2]


def commands() -> list[str]:
    return re.findall(r"^`{3,}\n\$ (.*)$", PAGE, re.MULTILINE)


def git(project: Project, *words: str) -> str:
    if shutil.which("git") is None:
        pytest.skip("no git: apt-get install git")
    imports = os.pathsep.join(str(ROOT / part) for part in ("compiler", "backends", "schemas"))
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.net")
    done = subprocess.run(
        ["git", *identity, "--no-pager", *words],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": imports, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def repository(project: Project) -> Project:
    """A repository whose branch main has the old spec, set up by the two lines of the page; the new one is not committed."""
    (project.root / "clusters").mkdir()
    project.write(SPEC, OLD)
    lines = re.findall(r"^(?:git config|echo) .*$", PAGE, re.MULTILINE)
    assert len(lines) == 2
    git(project, "init", "--quiet", "--initial-branch=main")
    script = "\n".join(lines).replace('"lvsc git-diff"', f'"{DRIVER}"')
    subprocess.run(["sh", "-euc", script], cwd=project.root, check=True)
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "one")
    project.write(SPEC, NEW)
    return project


def test_every_output_is_held_to_its_command() -> None:
    assert commands() == [
        "lvsc diff old.toml new.toml",
        "lvsc diff --backends iptables,nftables shop.toml",
        "lvsc diff shop.toml build/red-hat",
        "git diff",
        "lvsc check --format github clusters/shop.toml",
        "lvsc diff --against main --format markdown clusters/shop.toml",
        "lvsc verify clusters/shop.toml",
        "lvsc diff --host lvs1 shop.toml lvs1.iptables-save",
        "lvsc diff --host lvs1 shop.toml firewall.iptables-save",
    ]


def test_the_difference_of_two_specs(project: Project) -> None:
    project.write("old.toml", OLD)
    project.write("new.toml", NEW)
    assert project.lvsc("diff", "old.toml", "new.toml").out == shown("lvsc diff old.toml new.toml")


def test_the_move_from_iptables_to_nftables(project: Project) -> None:
    project.write("shop.toml", OLD)
    said = project.lvsc("diff", "--backends", "iptables,nftables", "shop.toml").out
    assert said == shown("lvsc diff --backends iptables,nftables shop.toml")


def test_a_setting_of_a_built_tree_that_was_changed_by_hand(project: Project) -> None:
    project.write("shop.toml", OLD)
    assert project.lvsc("build", "shop.toml").code == 0
    settings = project.root / "build/red-hat/lvs1/etc/sysctl.d/90-lvsc.conf"
    settings.write_text(settings.read_text().replace("ip_forward = 1", "ip_forward = 0"))
    assert project.lvsc("diff", "shop.toml", "build/red-hat").out == shown(
        "lvsc diff shop.toml build/red-hat"
    )


def test_git_shows_it_after_the_two_lines(repository: Project) -> None:
    assert git(repository, "diff") == shown("git diff")


def test_a_mistake_is_annotated(repository: Project) -> None:
    repository.write(SPEC, OLD.replace('scheduler = "wlc"', 'scheduler = "wlcc"', 1))
    outcome = repository.lvsc("check", "--format", "github", SPEC)
    assert (outcome.code, outcome.out) == (1, shown("lvsc check --format github clusters/shop.toml"))


def test_the_comment_on_a_pull_request(repository: Project) -> None:
    outcome = repository.lvsc("diff", "--against", "main", "--format", "markdown", SPEC)
    assert outcome.out == shown("lvsc diff --against main --format markdown clusters/shop.toml")


def test_what_verify_has_judged(repository: Project) -> None:
    repository.write(SPEC, OLD)
    page = shown("lvsc verify clusters/shop.toml")
    text_alone = repository.lvsc("verify", "--no-programs", SPEC)
    programs = "|".join(re.escape(checker.name) for checker in CHECKERS)
    without = re.sub(rf", (?:{programs})|: (?:{programs})$", "", page, flags=re.MULTILINE)
    named = [line if ": " in line else f"{line}: not judged" for line in without.splitlines()]
    assert [line for line in named if line.startswith("red-hat/")] == text_alone.out.splitlines()
    wanted = {name for line in page.splitlines() for name in re.findall(programs, line)}
    missing = [checker.name for checker in CHECKERS if checker.name in wanted and checker.why_not()]
    if missing:
        pytest.skip(f"the rest needs root and {', '.join(missing)}")
    whole = repository.lvsc("verify", SPEC)
    assert whole.out + whole.err == page


FIREWALL = """\
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p vrrp -j ACCEPT
-A INPUT -p udp -m udp --dport 8848 -j ACCEPT
COMMIT
"""


def dumped(project: Project, firewall: str = "") -> str:
    """What iptables prints of a director with the rules that are built, and a firewall."""
    missing = [name for name in ("unshare", "iptables-nft-save") if shutil.which(name) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root, and {', '.join(missing) or 'nothing else'}")
    project.write("shop.toml", OLD)
    assert project.lvsc("build", "--backend", "iptables", "shop.toml").code == 0
    etc = project.root / "build/red-hat/lvs1/etc/lvsc"
    start = (etc / "iptables.sh").read_text(encoding="utf-8")
    project.write(
        "start.sh", start.replace("/etc/lvsc/", f"{etc}/").replace("/usr/sbin/iptables", "iptables-nft")
    )
    project.write("firewall", firewall)
    script = "iptables-nft-restore <firewall; sh start.sh start; iptables-nft-save"
    done = subprocess.run(
        ["unshare", "-n", "sh", "-euc", script], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_port_that_was_changed_by_hand(project: Project) -> None:
    changed = re.sub(r"(MARK .*?dports 80),443", r"\1,8443", dumped(project))
    project.write("lvs1.iptables-save", changed)
    words = ("diff", "--host", "lvs1", "shop.toml", "lvs1.iptables-save")
    assert project.lvsc(*words).out == shown("lvsc diff --host lvs1 shop.toml lvs1.iptables-save")


def test_a_firewall_that_does_not_let_the_service_in(project: Project) -> None:
    project.write("firewall.iptables-save", dumped(project, FIREWALL))
    words = ("diff", "--host", "lvs1", "shop.toml", "firewall.iptables-save")
    assert project.lvsc(*words).out == shown("lvsc diff --host lvs1 shop.toml firewall.iptables-save")
