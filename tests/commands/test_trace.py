import shutil
import subprocess
from pathlib import Path

import pytest

from support.cli import Project
from support.specs import PAIR, Layer, service, spec

EXAMPLES = Path(__file__).parents[2] / "examples"
RED_HAT = str(EXAMPLES / "red-hat.toml")
CLIENT = "tcp 198.51.100.7 -> 192.0.2.10:443"


def words(text: str) -> str:
    """The text with its lines joined, so that it does not matter where they are broken."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    "said",
    [
        "tcp 198.51.100.7:40000 -> 192.0.2.10:443 on lvs1 and lvs2: service `web` (mark 80) balances it",
        "mangle it gets mark 80 /etc/lvsc/nftables.nft:18 192.0.2.10 . tcp . 443 comment",
        "INPUT filter the director's own firewall, if it has one, must let it through ipvs IPVS finds",
        "/etc/keepalived/keepalived.conf:65 virtual_server fwmark 80 {",
        "service web: scheduler wlc may go to: web1 10.11.12.21:443, nat, weight 2",
        "/etc/keepalived/keepalived.conf:70 real_server 10.11.12.21 0 {",
        "persistence: client 198.51.100.7: on one real server for 5m after the last connection, for tcp to",
        "the way back PREROUTING conntrack by nat: the answer comes back through the director",
        "FORWARD filter the director's own firewall, if it has one, must let the answer through",
        "its source becomes 192.0.2.10:443 again",
    ],
)
def test_a_trace_says(said: str, project: Project) -> None:
    outcome = project.lvsc("trace", RED_HAT, CLIENT)
    assert (outcome.code, outcome.err) == (0, "")
    assert said in words(outcome.out)


@pytest.mark.parametrize("backend", ["iptables", "nftables"])
@pytest.mark.parametrize("director", ["keepalived", "ipvsadm"])
def test_every_line_that_is_named_is_in_the_built_file(backend: str, director: str, project: Project) -> None:
    project.write("shop.toml", spec(service(mark=80, source_nat=True, check="none")))
    chosen = ("--backend", backend, "--backend", director)
    assert project.lvsc("build", "shop.toml", *chosen).code == 0
    (way,) = project.lvsc(
        "trace", "shop.toml", "tcp 198.51.100.7 -> 192.0.2.10:80", *chosen, "--format", "json"
    ).fits("trace")["ways"]
    parts = [*way["steps"], way["service"], *way["service"]["real_servers"]]
    found = [line for part in parts for line in part["lines"]]
    for line in found:
        text = project.read(f"build/shop/lvs1{line['file']}").splitlines()[line["line"] - 1]
        assert text.strip() == line["text"]
    assert [part["lines"] != [] for part in parts].count(True) >= 5
    assert ["services", "web"] in [line["key_path"] for line in found]


def test_a_built_tree_is_traced_from_its_files(project: Project) -> None:
    project.write("shop.toml", spec(service(mark=80)))
    assert project.lvsc("build", "shop.toml").code == 0
    packet = "tcp 198.51.100.7 -> 192.0.2.10:80"
    ways = project.lvsc("trace", "build/shop", packet, "--format", "json").fits("trace")["ways"]
    assert [(way["fate"], way["mark"], way["directors"]) for way in ways] == [("balanced", 80, ["lvs1"])]


def test_a_file_is_traced_as_one_host(project: Project) -> None:
    project.write("rules", "-A -t 192.0.2.10:80 -s rr\n-a -t 192.0.2.10:80 -r 192.0.2.21:80 -m -w 1\n")
    packet = "tcp 198.51.100.7 -> 192.0.2.10:80 on lvs9"
    outcome = project.lvsc("trace", "rules", packet, "--host", "lvs9")
    assert (outcome.code, outcome.err) == (0, "")
    assert "rules:1" in outcome.out
    assert "on lvs9: service tcp 192.0.2.10:80 balances it" in outcome.out


def git(project: Project, *words: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("no git: apt-get install git")
    named = ("-c", "user.name=test", "-c", "user.email=test@example.net")
    subprocess.run(["git", *named, *words], cwd=project.root, check=True, capture_output=True)


def test_a_revision_is_traced_as_it_was(project: Project) -> None:
    (project.root / "clusters").mkdir()
    project.write("clusters/shop.toml", spec(service(mark=80)))
    project.write("rules", "-A -t 192.0.2.10:80 -s rr\n-a -t 192.0.2.10:80 -r 192.0.2.21:80 -m -w 1\n")
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "one")):
        git(project, *words)
    project.write("clusters/shop.toml", spec(service(mark=81)))
    project.write("rules", "")

    def traced(side: str) -> tuple[int, str]:
        packet = "tcp 198.51.100.7 -> 192.0.2.10:80"
        (way,) = project.lvsc("trace", side, packet, "--format", "json").fits("trace")["ways"]
        return way["mark"], way["service"]["name"]

    assert traced("clusters/shop.toml") == (81, "web")
    assert traced("HEAD:clusters/shop.toml") == (80, "web")
    assert traced("HEAD:rules") == (0, "tcp 192.0.2.10:80")


def test_a_spec_of_a_revision_says_as_much_as_the_file(project: Project) -> None:
    project.write("shop.toml", spec(service(mark=80)))
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "one")):
        git(project, *words)
    for destination in ("192.0.2.10:81", "192.0.2.99:80"):
        packet = f"tcp 198.51.100.7 -> {destination}"
        assert (
            project.lvsc("trace", "HEAD:shop.toml", packet).out
            == project.lvsc("trace", "shop.toml", packet).out
        )


def test_a_revision_that_git_does_not_have_cannot_be_traced(project: Project) -> None:
    git(project, "init", "--quiet")
    outcome = project.lvsc("trace", "HEAD:shop.toml", "tcp 198.51.100.7 -> 192.0.2.10:80")
    assert (outcome.code, outcome.out) == (2, "")
    assert "LVS016" in outcome.err
    assert "git does not have `HEAD:shop.toml`" in outcome.err


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.toml")))
def test_what_a_trace_of_every_example_prints_fits_its_schema(example: str, project: Project) -> None:
    packet = "tcp 2001:db8:f::7 -> [2001:db8:0:2::10]:80" if example == "one-armed.toml" else CLIENT
    outcome = project.lvsc("trace", str(EXAMPLES / example), packet, "--format", "json")
    assert outcome.code == 0
    assert outcome.fits("trace")["ways"]


@pytest.mark.parametrize(
    ("layers", "packet", "code"),
    [
        ((), "tcp 198.51.100.7 -> www:80", "LVS721"),
        ((), "tcp 198.51.100.7 -> [2001:db8::10]:80", "LVS722"),
        ((PAIR,), "tcp 198.51.100.7 -> 192.0.2.10:80 on lvs3", "LVS723"),
        ((service(pool="wep"),), "tcp 198.51.100.7 -> 192.0.2.10:80", "LVS201"),
    ],
)
def test_what_cannot_be_traced_is_a_diagnostic(
    layers: tuple[Layer, ...], packet: str, code: str, project: Project
) -> None:
    project.write("shop.toml", spec(*layers))
    outcome = project.lvsc("trace", "shop.toml", packet, "--format", "json")
    assert outcome.code == (1 if code == "LVS201" else 2)
    assert code in [each["code"] for each in outcome.fits("trace")["diagnostics"]]


def test_a_mistake_in_the_packet_is_shown_under_its_word(project: Project) -> None:
    outcome = project.lvsc("trace", RED_HAT, "tpc 198.51.100.7 -> 192.0.2.10:443")
    assert (outcome.code, outcome.out) == (2, "")
    assert " --> PACKET:1:1\n" in outcome.err
    assert "1 | tpc 198.51.100.7 -> 192.0.2.10:443\n  | ^^^\n" in outcome.err


def test_a_file_does_nothing_to_the_terminal(project: Project) -> None:
    rules = (
        '*mangle\n-A PREROUTING -m comment --comment "a\x1b[2Jb" -j MARK --set-xmark 0x1/0xffffffff\nCOMMIT\n'
    )
    project.write("rules", rules)
    outcome = project.lvsc("trace", "rules", "tcp 198.51.100.7 -> 192.0.2.10:80")
    assert "\x1b" not in outcome.out + outcome.err
    assert "a\u241b[2Jb" in outcome.out + outcome.err


@pytest.mark.parametrize(
    "said",
    [
        "INPUT filter a rule of lvsc lets it through /etc/lvsc/iptables.v4:",
        "may go to: web1 10.0.0.21:80, nat, weight 3, at most 4000 connections",
        "drained: web3 10.0.0.23:80, nat, weight 0, keeps the clients that it has, and gets no new one",
        "without quorum: 10.0.0.99:80, nat, weight 1",
        "persistence: all clients of 198.51.100.0/24: on one real server for 1h after the last connection",
    ],
)
def test_a_trace_says_what_a_service_has_besides(said: str, project: Project) -> None:
    packet = "tcp 198.51.100.7 -> 192.0.2.10:80 on lvs1"
    outcome = project.lvsc("trace", str(EXAMPLES / "everything.toml"), packet)
    assert said in words(outcome.out)


def test_what_is_open_is_said_last(project: Project) -> None:
    project.write("rules", "*mangle\n-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff\nCOMMIT\n")
    outcome = project.lvsc("trace", "rules", "tcp 198.51.100.7 -> 192.0.2.10:80")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].startswith("    which virtual service packets find: rules:2: ")
