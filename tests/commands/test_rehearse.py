"""The command: what it prints and returns, what it refuses, and that nothing of it stays behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lvsc.laboratory.kernels import Kernel, why_not
from support import guest, guest_lvsc
from support.cli import Project
from support.specs import Layer, servers, spec

SPEC = spec(cluster={"backends": ["iptables"]})


def test_a_rehearsal_that_no_kernel_can_do_says_what_to_install(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    why_not.cache_clear()
    monkeypatch.setenv("PATH", "/nonexistent")
    outcome = project.lvsc("rehearse", project.write("shop.toml", SPEC), "--kernel", "uml")
    why_not.cache_clear()
    assert outcome.code == 2
    assert outcome.out == ""
    assert "error[LVS809]: no kernel here can rehearse this cluster" in outcome.err
    assert "apt-get install user-mode-linux" in outcome.err


def test_a_kernel_without_nftables_is_not_taken_for_it(project: Project) -> None:
    bundle = {"services": {"web": {"ports": ["tcp/80", "tcp/443"], "mark": 80, "persistence": "5m"}}}
    nftables = spec(bundle, {"pools": {"web": {"check": "none"}}}, cluster={"backends": ["nftables"]})
    outcome = project.lvsc("rehearse", project.write("shop.toml", nftables), "--kernel", "uml")
    assert outcome.code == 2
    assert "uml: its nftables knows no IP" in outcome.err


def test_a_spec_with_errors_is_not_rehearsed(project: Project) -> None:
    outcome = project.lvsc("rehearse", project.write("shop.toml", "[cluster]\n"), "--format", "json")
    assert outcome.code == 1
    assert outcome.fits("rehearse")["diagnostics"]


@pytest.mark.parametrize("words", ["0", "-1", "3601", "nan", "soon"])
def test_a_limit_is_a_number_of_seconds(project: Project, words: str) -> None:
    outcome = project.lvsc("rehearse", project.write("shop.toml", SPEC), f"--limit={words}")
    assert outcome.code == 2
    assert "argument --limit: say a number of seconds up to 3600" in outcome.err


@pytest.mark.kernel
def test_what_was_proved_and_left_out_as_json(project: Project) -> None:
    _need(Kernel.UML)
    shop = project.write("shop.toml", SPEC)
    outcome = project.lvsc("rehearse", shop, "--kernel", "uml", "--limit", "600", "--format", "json")
    document = outcome.fits("rehearse")
    assert (outcome.code, document["kernel"]) == (0, "uml")
    assert {"what": "web", "how": "reached at tcp 192.0.2.10:80"} in document["proved"]
    assert document["left_out"]


@pytest.mark.kernel
def test_what_lvsc_does_not_manage_is_as_it_would_be_made(project: Project) -> None:
    _need(Kernel.UML)
    layers = {"cluster": {"forwarding": "direct"}, "pools": {"web": {"managed": False, "check": "none"}}}
    shop = project.write("shop.toml", spec(layers, cluster={"backends": ["iptables"]}))
    outcome = project.lvsc("rehearse", shop, "--kernel", "uml", "--limit", "600")
    assert outcome.code == 0
    assert "web: reached at tcp 192.0.2.10:80\n" in outcome.out
    assert (
        "not tried: web1, web2: lvsc does not manage them; they got what it would write for them\n"
        in outcome.out
    )


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (servers({}, {}, upper_threshold=20), "its real servers may refuse the connections of a rehearsal"),
        (
            {
                "services": {
                    "web": {"kind": "ftp", "ports": None, "passive_ports": "2000-3000", "server": "other"}
                }
            },
            "somebody else gives its FTP servers their passive range",
        ),
    ],
    ids=["threshold", "passive-range"],
)
def test_a_service_that_would_fail_by_the_rehearsal_alone_is_left_out(
    layer: Layer, why: str, project: Project
) -> None:
    _need(Kernel.UML)
    shop = project.write(
        "shop.toml", spec({"pools": {"web": {"check": "none"}}}, layer, cluster={"backends": ["iptables"]})
    )
    outcome = project.lvsc("rehearse", shop, "--kernel", "uml", "--limit", "600")
    assert outcome.code == 0
    assert "reached" not in outcome.out
    assert f"not tried: web: {why}" in outcome.out


@pytest.mark.kernel
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "killed"])
def test_nothing_of_an_interrupted_rehearsal_is_left(stop: signal.Signals, tmp_path: Path) -> None:
    _need(Kernel.UML)
    (tmp_path / "shop.toml").write_text(SPEC, encoding="utf-8")
    place = tempfile.mkdtemp(prefix="lvsc-test-", dir="/tmp")  # where a guest's user may enter
    Path(place).chmod(0o755)
    command = subprocess.Popen(
        # A shell has what it starts in the background ignore SIGINT, and these tests too if they are.
        [
            *("env", "--default-signal=INT", sys.executable),
            *("-m", "lvsc", "rehearse", str(tmp_path / "shop.toml"), "--kernel", "uml"),
        ],
        env={**os.environ, "TMPDIR": place},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stderr
    for line in command.stderr:
        if "waiting for the directors" in line:
            break
    running = _processes_of(place)
    assert running
    command.send_signal(stop)
    _, err = command.communicate(timeout=300)
    assert command.returncode == 130
    assert "Traceback" not in err
    assert list(Path(place).iterdir()) == []
    assert _processes_of(place) == set()
    Path(place).rmdir()


def _processes_of(place: str) -> set[int]:
    """The processes whose command line names a directory; those that nobody has waited for have none."""
    found = set()
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit() and int(directory.name) != os.getpid():
            try:
                words = (directory / "cmdline").read_bytes()
            except OSError:
                continue
            if place.encode() in words:
                found.add(int(directory.name))
    return found


def _need(kernel: Kernel) -> None:
    if why := why_not(kernel):
        pytest.skip(why)


#: What a machine has that a rehearsal on its own kernel must leave alone.
STATE = r"""
state() {
    echo == $1
    ip -o addr; ip route; ip -o link | cut -d: -f2; ip netns
    cat /proc/mounts /proc/net/ip_vs /proc/net/nf_conntrack 2>&1 | grep -v "^lvsc-nothing"
    sysctl -a 2>/dev/null | grep -E "^net[.](ipv4[.](ip_forward|vs)|netfilter)|nf_conntrack_max"
    iptables-legacy-save | grep -v "^#"; ipvsadm -Sn
    find /etc /run -newer /mnt/shop.toml ! -path "/run/modules*" 2>/dev/null | sort
    ls /tmp
    ps -e -o args= | grep -v -e " ps " -e "^ps" -e "^\[" -e "^grep" -e "^sort" -e "^sh" | sort
}
"""


@pytest.mark.kernel
def test_a_rehearsal_on_the_machines_own_kernel_touches_nothing_of_it(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tuned = {"tuning": {"conntrack_max": 262144, "conntrack_buckets": 65536, "connection_table_bits": 14}}
    project.write("shop.toml", spec(tuned, cluster={"backends": ["iptables"]}))
    packages = guest_lvsc.packages(tmp_path_factory.mktemp("lvsc") / guest_lvsc.DIRECTORY)
    script = [
        "for module in ipv6 ip_vs ip_vs_wlc nf_conntrack veth bridge overlay; do modprobe $module; done",
        f"sleep 1; touch shop.toml; {STATE}",
        "state before",
        f"{guest_lvsc.command()} rehearse shop.toml --kernel native --limit 600 >said 2>told; echo $? >code",
        "state after",
        "echo == code; cat code; echo == said; cat said told",
    ]
    done = guest.run(
        ["sh", "-c", "\n".join(script)],
        timeout=900,
        files={"shop.toml": project.read("shop.toml")},
        trees={guest_lvsc.DIRECTORY: packages},
    )
    before, after, code, said = (block.partition("\n")[2] for block in done.stdout.split("== ")[1:])
    assert code == "0\n", said
    assert "web: reached at tcp 192.0.2.10:80" in said
    assert re.search(r"^rehearse: +\d+ s: making namespaces$", said, re.MULTILINE)
    assert before == after
    assert len(before.splitlines()) > 30
