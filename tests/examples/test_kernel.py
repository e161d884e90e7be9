"""What every host of the examples loads before and beside its packet filter, loaded into a kernel with IPVS for real.

One guest loads all that differs, one host after the other: modules, kernel settings, the IPVS table of ipvsadm, tunnels.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lvsc.plugin import Stage
from support import guest, ipvsadm_table
from support.tell import Tell
from support.trees import Commands, HostTree, trees

pytestmark = pytest.mark.kernel

RULES = "/etc/lvsc/ipvsadm.rules"
STAGES = (Stage.MODULES, Stage.SYSCTL, Stage.DIRECTOR, Stage.ADDRESSES)

#: The files go where they belong. /etc is this machine's, so changes go to an overlay.
PRELUDE = r"""
set -eu
modprobe overlay
over() {
    mkdir -p "/run/over$1/upper" "/run/over$1/work"
    mount -t overlay -o "lowerdir=$1,upperdir=/run/over$1/upper,workdir=/run/over$1/work" overlay "$1"
}
over /etc
modprobe -a ipv6 dummy
interface() { [ -e "/sys/class/net/$1" ] || { ip link add "$1" type dummy && ip link set "$1" up; }; }
local_address() { ip addr replace "$1" dev lo; }
show() {
    ipvsadm -Sn 2>/dev/null || :  # likewise
    ip -o addr show scope global | sed 's/^[0-9]*: *//; s/ *valid_lft.*//'
    ip -o link show up | sed 's/^[0-9]*: *\([^ ]*\) .*/up \1/'
    ip fou show 2>/dev/null || :  # there is none without its module
    sed -n 's/^\([a-z][^ ]*\) = .*/\1/p' /etc/sysctl.d/90-lvsc.conf | xargs -r sysctl
}
quietly() {
    sh -euc "$2" >said 2>&1 || echo "status $?" >>said
    [ ! -s said ] || { echo "$1: $(cat said)" >&2; }
}
"""


def steps(tree: HostTree) -> list[tuple[Commands, Commands]]:
    """The commands of what a guest can load; keepalived is no part of it."""
    return [
        (step.load, step.unload)
        for backend, step in tree.steps
        if step.stage in STAGES and backend in ("host", "ipvsadm")
    ]


def different() -> Iterator[HostTree]:
    """The hosts that load something which none before them loads; programs elsewhere make no difference."""
    seen = set()
    for tree in trees():
        text = "\n".join(
            [
                *(shlex.join(command) for load, unload in steps(tree) for command in (*load, *unload)),
                *(
                    re.sub(r"^#.*\n", "", file.text)
                    for backend, file in tree.files
                    if backend in ("host", "ipvsadm") and not file.path.startswith(tree.target.paths.unit_dir)
                ),
            ]
        )
        text = _anywhere(tree, text)
        if steps(tree) and text not in seen:
            seen.add(text)
            yield tree


def _anywhere(tree: HostTree, text: str) -> str:
    """The text with the target's programs by their names alone, which may be elsewhere in the guest."""
    paths = "|".join(re.escape(path) for _, path in tree.target.programs)
    return re.sub(rf"(?<![\w/])(?:{paths})(?![\w/-])", lambda found: found[0].rpartition("/")[2], text)


def script(tree: HostTree, files: dict[str, str]) -> str:
    """Load a host twice, show each time what there is, and unload it."""
    lines = ["rm -rf /etc/lvsc /etc/sysctl.d/90-lvsc.conf /etc/modprobe.d/lvsc.conf"]
    for backend, file in tree.files:
        if backend in ("host", "ipvsadm"):
            name = f"file{len(files)}"
            files[name] = _anywhere(tree, file.text)
            lines.append(f"install -D -m {file.mode:o} {name} {shlex.quote(file.path)}")
    texts = "\n".join(file.text for backend, file in tree.files if backend == "host")
    names = {
        *re.findall(r"^net\.ipv[46]\.conf\.(\S+?)\.\w+ =", texts, re.MULTILINE),
        *re.findall(r"^address \S+ (\S+)$", texts, re.MULTILINE),
    }
    lines += [f"interface {name.replace('/', '.')}" for name in sorted(names - {"all", "default", "lo"})]
    lines += [
        f"local_address {local}"
        for local in sorted(set(re.findall(r"^(?:ip6)?gre \S+ (\S+)$", texts, re.MULTILINE)))
    ]
    load = "\n".join(shlex.join(command) for each, _ in steps(tree) for command in each)
    unload = "\n".join(shlex.join(command) for _, each in reversed(steps(tree)) for command in each)
    for path in {path for _, path in tree.target.programs}:
        load, unload = (
            re.sub(rf"(?m)^{path}(?= )", path.rpartition("/")[2], text) for text in (load, unload)
        )
    name = shlex.quote(str(tree))
    once = f"quietly {name} {shlex.quote(_anywhere(tree, load))}\nshow\necho ===="
    return "\n".join([*lines, once, once, f"quietly {name} {shlex.quote(_anywhere(tree, unload))}"])


def without_thresholds(text: str) -> ipvsadm_table.Table:
    """The IPVS table in a text's lines of ipvsadm; `ipvsadm -S` leaves the thresholds out."""
    table = ipvsadm_table.read(
        "".join(f"{line}\n" for line in text.splitlines() if line[:3] in ("-A ", "-a "))
    )
    for service in table.values():
        service.servers = {at: replace(server, upper=0, lower=0) for at, server in service.servers.items()}
    return table


def test_every_host_loads_its_settings_tables_and_tunnels_twice(tell: Tell) -> None:
    hosts = list(different())
    files: dict[str, str] = {}
    lines = [script(tree, files) for tree in hosts]
    ran = guest.run(["sh", "script"], files={**files, "script": "\n".join([PRELUDE, *lines])}, timeout=900)
    assert (ran.returncode, ran.stderr) == (0, "")
    shown = ran.stdout.split("====\n")
    assert shown.pop() == ""
    assert len(shown) == 2 * len(hosts)
    for tree, once, twice in zip(hosts, shown[::2], shown[1::2], strict=True):
        assert once == twice, tree
        wanted = tree.text(RULES)
        if wanted is not None:
            assert without_thresholds(once) == without_thresholds(wanted), tree
    tell(f"modules, settings, IPVS tables and tunnels, {len(hosts)} different hosts: loaded twice in a guest")
