"""The units of a whole host together, as its init system orders them at boot."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from lvsc.compile import Compiled, Options
from lvsc.plugin import Init, Stage
from support.examples import built

#: Each unit and those that are started before it.
Order = Mapping[str, set[str]]

#: What the distributions' own units say (systemd 252, keepalived 2.2.8, ipvsadm 1.31, nftables 1.0.6, firewalld 1.3, vsftpd 3.0.5).
SYSTEMD_STUBS = {
    "systemd-modules-load.service": "[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n",
    "systemd-sysctl.service": "[Unit]\nDefaultDependencies=no\nAfter=systemd-modules-load.service\nBefore=sysinit.target\n",
    "sysinit.target": "[Unit]\nDefaultDependencies=no\n",
    "network-pre.target": "[Unit]\nDefaultDependencies=no\n",
    "network-online.target": "[Unit]\nDefaultDependencies=no\nAfter=network-pre.target\n",
    "keepalived.service": "[Unit]\nAfter=network-online.target\n",
    "ipvsadm.service": "[Unit]\nAfter=network-pre.target\n",
    "nftables.service": "[Unit]\nDefaultDependencies=no\nAfter=systemd-modules-load.service\nBefore=network-pre.target\n",
    "firewalld.service": "[Unit]\nBefore=network-pre.target\n",
    "iptables.service": "[Unit]\nBefore=network-pre.target\n",
    "vsftpd.service": "[Unit]\nAfter=network-online.target\n",
}
#: Services of the distribution that may be missing here, or be others than the target's.
STUB_SERVICES = {
    name: f"{text}[Service]\nType=oneshot\nExecStart=/bin/true\n"
    for name, text in SYSTEMD_STUBS.items()
    if name.endswith(".service") and not name.startswith("systemd-")
}
#: The same of Alpine's scripts.
OPENRC_STUBS = {
    "modules": "",
    "sysctl": "",
    "net": "after modules\n",
    "keepalived": "need net\n",
    "ipvsadm": "need net\n",
    "nftables": "before net\n",
    "iptables": "before net\n",
    "vsftpd": "need net\n",
}

SYSTEMD_CASES = [
    pytest.param("red-hat", Options(), id="Red Hat's"),
    pytest.param("red-hat", Options(backends=("iptables",)), id="Red Hat's, iptables"),
    pytest.param("red-hat", Options(target="rhel7", backends=("iptables",)), id="an old Red Hat's"),
    pytest.param("minimal", Options(backends=("iptables",)), id="a single director with keepalived"),
    pytest.param("ipvsadm", Options(), id="ipvsadm"),
    pytest.param("ipvsadm", Options(backends=("nftables", "ipvsadm")), id="ipvsadm, nftables"),
    pytest.param("direct-routing", Options(backends=("iptables",)), id="direct routing, FTP"),
    pytest.param("tunnel", Options(backends=("iptables",)), id="tunnels"),
]
CASES = [
    *SYSTEMD_CASES,
    pytest.param("dns", Options(), id="Alpine"),
    pytest.param("dns", Options(backends=("iptables",)), id="Alpine, iptables"),
    pytest.param("ipvsadm", Options(target="alpine324"), id="Alpine, ipvsadm"),
    pytest.param("tunnel", Options(target="alpine324", backends=("iptables",)), id="Alpine, tunnels"),
    pytest.param("direct-routing", Options(target="alpine324"), id="Alpine, direct routing, FTP"),
]


def units(compiled: Compiled, host: str) -> dict[str, str]:
    """The emitted unit files and drop-ins of a host, by path below the units' directory."""
    directory = f"{compiled.targets[host].paths.unit_dir}/"
    return {
        file.artifact.path.removeprefix(directory): file.artifact.text
        for file in compiled.files
        if file.host == host and file.artifact.path.startswith(directory)
    }


def systemd_order(files: Mapping[str, str]) -> Order:
    """What After=, Before= and the default dependencies of services say (systemd.unit(5), systemd.service(5))."""
    before: dict[str, set[str]] = {}
    for path, text in files.items():
        name = path.partition(".d/")[0]
        own = before.setdefault(name, set())
        if path == name and name.endswith(".service") and "DefaultDependencies=no" not in text:
            own.add("sysinit.target")
        for key, _, value in (line.partition("=") for line in text.splitlines()):
            if key == "After":
                own.update(value.split())
            elif key == "Before":
                for later in value.split():
                    before.setdefault(later, set()).add(name)
    return before


def openrc_order(files: Mapping[str, str]) -> Order:
    """What the functions `depend` say (openrc-run(8)); `use` and `need` order as `after` does."""
    before: dict[str, set[str]] = {}
    for name, text in files.items():
        own = before.setdefault(name, set())
        depend = text.partition("depend() {\n")[2].partition("\n}\n")[0] or text
        for keyword, *names in (line.split() for line in depend.splitlines() if line.strip()):
            if keyword in ("after", "use", "need"):
                own.update(names)
            elif keyword == "before":
                for later in names:
                    before.setdefault(later, set()).add(name)
    return before


def order(compiled: Compiled, host: str) -> Order:
    files = units(compiled, host)
    if compiled.targets[host].init is Init.SYSTEMD:
        return systemd_order({**SYSTEMD_STUBS, **files})
    return openrc_order({**OPENRC_STUBS, **files})


def earlier(before: Order, unit: str) -> set[str]:
    """All units that are started before one, at whatever remove."""
    found: set[str] = set()
    todo = [unit]
    while todo:
        new = before.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


def hosts(compiled: Compiled) -> Iterable[str]:
    return sorted({step.host for step in compiled.steps})


@pytest.mark.parametrize(("example", "options"), CASES)
def test_a_host_starts_its_units_in_the_order_of_their_stages(example: str, options: Options) -> None:
    compiled = built(example, options)
    for host in hosts(compiled):
        before = order(compiled, host)
        steps = [step.step for step in compiled.steps if step.host == host]
        for first, then in ((a, b) for a in steps for b in steps if a.stage.position < b.stage.position):
            assert first.unit is not None
            assert then.unit is not None
            assert first.unit == then.unit or first.unit in earlier(before, then.unit), (host, first, then)


@pytest.mark.parametrize(("example", "options"), CASES)
def test_no_unit_waits_for_itself(example: str, options: Options) -> None:
    compiled = built(example, options)
    for host in hosts(compiled):
        TopologicalSorter(order(compiled, host)).prepare()


@pytest.mark.parametrize(("example", "options"), CASES)
def test_whatever_is_not_always_started_is_enabled(example: str, options: Options) -> None:
    compiled = built(example, options)
    for host_step in compiled.steps:
        step, init = host_step.step, compiled.targets[host_step.host].init
        always = init is Init.SYSTEMD and step.stage in (Stage.MODULES, Stage.SYSCTL)
        enabled = [command for command in step.enable if step.unit in command]
        assert bool(enabled) is not always
        assert all(command[0].startswith("/") for command in (*step.enable, *step.disable))


@pytest.mark.parametrize(("example", "options"), SYSTEMD_CASES)
def test_systemd_finds_nothing_wrong_with_a_hosts_units(
    example: str, options: Options, tmp_path: Path
) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze: apt-get install systemd")
    compiled = built(example, options)
    for host in hosts(compiled):
        directory = tmp_path / host
        files = {**STUB_SERVICES, **units(compiled, host)}
        for path, text in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            # The target's programs may be missing here.
            (directory / path).write_text(
                re.sub(r"^(Exec\w+=-?)/\S+", r"\1/bin/true", text, flags=re.MULTILINE)
            )
        ran = subprocess.run(
            [analyze, "verify", "--man=no", *sorted(path for path in files if "/" not in path)],
            capture_output=True,
            text=True,
            check=False,
            cwd=directory,
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{directory}:"},
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.parametrize(("example", "options"), SYSTEMD_CASES)
def test_systemd_starts_lvscs_own_units_at_boot_once_they_are_enabled(
    example: str, options: Options, tmp_path: Path
) -> None:
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        pytest.skip("no systemctl: apt-get install systemd")
    compiled = built(example, options)
    for host in hosts(compiled):
        root = tmp_path / host
        directory = root / "etc/systemd/system"
        for path, text in units(compiled, host).items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(text)
        for step in (step.step for step in compiled.steps if step.host == host):
            for _, verb, *arguments in step.enable:
                if verb == "enable" and arguments[-1].startswith("lvsc-"):
                    assert arguments[:-1] == ["--now"]
                    subprocess.run(
                        [systemctl, f"--root={root}", verb, arguments[-1]], check=True, capture_output=True
                    )
        wanted = {path.name for path in (directory / "multi-user.target.wants").glob("*")}
        assert wanted == {path for path in units(compiled, host) if "/" not in path}
