"""All steps of a whole host, done on a kernel with IPVS by the very commands that the steps name."""

import shlex
import shutil
from collections.abc import Iterable

import pytest

from lvsc.compile import Options
from lvsc.plugin import Artifact, LoadStep, Sysctl
from support import guest
from support.examples import built

pytestmark = pytest.mark.kernel

IPTABLES = Options(backends=("iptables",))

#: The files go where they belong. /etc is this machine's, so changes go to an overlay.
PRELUDE = r"""
set -eu
for module in ipv6 dummy overlay; do modprobe $module; done
over() {
    mkdir -p "/run/over$1/upper" "/run/over$1/work"
    mount -t overlay -o "lowerdir=$1,upperdir=/run/over$1/upper,workdir=/run/over$1/work" overlay "$1"
}
over /etc
# The guest's kernel has no nftables for IP.
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf "/usr/sbin/$(echo $name | sed 's/tables/tables-legacy/')" /etc/alternatives/$name
done
chmod 755 systemctl
mount --bind systemctl "$(readlink -f "$(command -v systemctl)")"
for interface in eth0 eth1; do
    ip link add $interface type dummy
    ip link set $interface up
done
sh place
show() {
    echo "== $1"
    { iptables-save; ip6tables-save; } | sed -n 's/ \[[0-9:]*\]$//; /LVSC/p'
    if [ -e /proc/net/ip_vs ]; then ipvsadm -S -n; fi
    ip -o addr show scope global | while read -r _ name _ address _; do echo "$address $name"; done
    ip -o link show up | while read -r _ name _; do echo "up $name"; done
    cat /run/systemctl 2>/dev/null || :
    ip fou show 2>/dev/null || :
    sh settings
}
"""
#: Stands for systemctl, which does nothing without systemd.
SYSTEMCTL = '#!/bin/sh\necho "systemctl $*" >/run/systemctl\n'

#: An example's host, and words of what it must have when it is loaded.
CASES = [
    pytest.param(
        "ipvsadm",
        "lb",
        Options(),
        [
            "-j LVSC-MARK",
            "-j MARK --set-xmark 0x50/",
            "-a -f 80 -r 10.0.0.21:0 -m -w 3",
            "198.51.100.10/32 eth0",
        ],
        id="director, iptables and ipvsadm",
    ),
    pytest.param(
        "red-hat",
        "lvs1",
        IPTABLES,
        ["-j LVSC-SNAT", "-j CT --helper ftp", "systemctl reload-or-restart keepalived.service"],
        id="director, iptables and keepalived",
    ),
    pytest.param("minimal", "lvs1", IPTABLES, ["192.0.2.10/32 eth0"], id="single director"),
    pytest.param("minimal", "web1", IPTABLES, ["192.0.2.10/32 lo"], id="real server, direct routing"),
    pytest.param("tunnel", "far1", IPTABLES, ["192.0.2.10/32 lo", "up tunl0"], id="real server, ipip"),
    pytest.param("tunnel", "far4", IPTABLES, ["up tunl0", "port 6081 gue"], id="real server, gue"),
    pytest.param("tunnel", "far5", IPTABLES, ["192.0.2.12/32 lo", "up lvsc-gre"], id="real server, gre"),
]


@pytest.fixture(autouse=True)
def _systemctl() -> None:
    if shutil.which("systemctl") is None:
        pytest.skip("no systemctl to stand something in for: apt-get install systemd")


def placing(artifacts: Iterable[Artifact]) -> dict[str, str]:
    """The files for the guest, and a script that puts each in its place."""
    files, lines = {}, ["set -eu"]
    for number, artifact in enumerate(artifacts):
        files[f"file{number}"] = artifact.text
        lines.append(f"install -D -m {artifact.mode:o} /mnt/file{number} {shlex.quote(artifact.path)}")
    return {**files, "place": "\n".join(lines)}


def commands(steps: Iterable[LoadStep], *, unload: bool = False) -> str:
    return "\n".join(
        shlex.join(command) for step in steps for command in (step.unload if unload else step.load)
    )


@pytest.mark.parametrize(("example", "host", "options", "there"), CASES)
def test_the_steps_make_a_host_complete_and_a_second_time_change_nothing(
    example: str, host: str, options: Options, there: list[str]
) -> None:
    compiled = built(example, options)
    steps = [step.step for step in compiled.steps if step.host == host]
    settings = {
        f"/proc/sys/{node.key.replace('.', '/')}": node.value
        for node in compiled.lowered.graph
        if isinstance(node, Sysctl) and node.host == host
    }
    files = {
        **placing(file.artifact for file in compiled.files if file.host == host),
        "settings": "\n".join(f"echo setting {path} $(cat {path} 2>/dev/null)" for path in settings),
        "systemctl": SYSTEMCTL,
    }
    load, unload = commands(steps), commands(reversed(steps), unload=True)
    script = [PRELUDE, "show before", load, "show once", load, "show twice", unload, "show after"]
    ran = guest.run(["sh", "-c", "\n".join(script)], files=files, timeout=600)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    before, once, twice, after = (block.splitlines()[1:] for block in ran.stdout.split("== ")[1:])
    assert once == twice
    assert [words for words in there if not any(words in line for line in once)] == []
    assert {f"setting {path} {value}" for path, value in settings.items()} <= set(once)
    assert [words for words in there if any(words in line for line in before)] == []
    assert without_settings(after) == without_settings(before)


def without_settings(lines: Iterable[str]) -> list[str]:
    """The lines of what unloading takes away: settings stay until the next boot."""
    return [line for line in lines if not line.startswith(("setting ", "systemctl "))]
