"""The units that load the table at boot and after the distribution's ruleset has flushed it."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lvsc.plugin import Artifact, HostPart
from lvsc_nftables.backend import Nftables
from support.nodes import marking, traffic

from .cases import EVERYTHING, VIP
from .conftest import MakePart

HEADER = "# Written by lvsc for host lvs1 of cluster red-hat. Do not edit: change the spec and build again.\n"
NODES = [marking(traffic(dst=VIP, dport="80"))]


def artifacts(part: HostPart) -> dict[str, Artifact]:
    return {artifact.path: artifact for artifact in Nftables().emit(part).artifacts}


def test_the_systemd_unit(part: MakePart) -> None:
    unit = artifacts(part(NODES))["/etc/systemd/system/lvsc-nftables.service"]
    assert unit.mode == 0o644
    assert (
        unit.text
        == HEADER
        + """\
[Unit]
Description=Firewall marks, conntrack helpers and source NAT of lvsc
Documentation=man:nft(8)
DefaultDependencies=no
Conflicts=shutdown.target
Wants=network-pre.target
Before=network-pre.target keepalived.service lvsc-ipvsadm.service lvsc-addresses.service shutdown.target
After=systemd-modules-load.service systemd-sysctl.service nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/lvsc/nftables.nft
ExecReload=/usr/sbin/nft -f /etc/lvsc/nftables.nft
ExecStop=/usr/sbin/nft "table inet lvsc; delete table inet lvsc"

[Install]
WantedBy=multi-user.target nftables.service
"""
    )


def test_the_distribution_s_unit_brings_the_table_back_when_it_starts(part: MakePart) -> None:
    drop_in = artifacts(part(NODES))["/etc/systemd/system/nftables.service.d/lvsc-nftables.conf"]
    assert (
        drop_in.text
        == HEADER
        + """\
[Service]
ExecStartPost=-/bin/systemctl --no-block try-reload-or-restart lvsc-nftables.service
"""
    )


def test_where_nothing_else_flushes_the_unit_depends_on_nothing(part: MakePart) -> None:
    host = part(NODES)
    alone = replace(
        host, target=replace(host.target, units=replace(host.target.units, nftables=(), keepalived=None))
    )
    found = artifacts(alone)
    assert set(found) == {"/etc/lvsc/nftables.nft", "/etc/systemd/system/lvsc-nftables.service"}
    unit = found["/etc/systemd/system/lvsc-nftables.service"].text.splitlines()
    assert "Before=network-pre.target lvsc-ipvsadm.service lvsc-addresses.service shutdown.target" in unit
    assert "After=systemd-modules-load.service systemd-sysctl.service" in unit
    assert "WantedBy=multi-user.target" in unit
    assert not [line for line in unit if line.startswith(("PartOf", "Reload"))]


@pytest.mark.parametrize("target", ["debian12", "rhel8", "arch"])
def test_systemd_has_nothing_to_say_about_the_unit(target: str, part: MakePart, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("`systemd-analyze` is not installed")
    for path, artifact in artifacts(part(EVERYTHING, target)).items():
        if path.startswith("/etc/systemd/system/"):
            file = tmp_path / path.removeprefix("/etc/systemd/system/")
            file.parent.mkdir(exist_ok=True)
            file.write_text(
                artifact.text.replace("/usr/bin/nft", "/usr/sbin/nft")
            )  # where this machine has it
    # A unit for the drop-in to add to: the distribution's own may be missing here, as it may be on a director.
    (tmp_path / "nftables.service").write_text("[Service]\nType=oneshot\nExecStart=/usr/bin/true\n")
    for unit in ("lvsc-nftables.service", "nftables.service"):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / unit)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_openrc_script(part: MakePart) -> None:
    found = artifacts(part(NODES, "alpine324"))
    assert set(found) == {"/etc/lvsc/nftables.nft", "/etc/init.d/lvsc-nftables"}
    script = found["/etc/init.d/lvsc-nftables"]
    assert script.mode == 0o755
    assert (
        script.text
        == "#!/sbin/openrc-run\n"
        + HEADER
        + """
description="Firewall marks, conntrack helpers and source NAT of lvsc"
extra_started_commands="reload"

depend() {
	after lvsc-settings
	before keepalived lvsc-ipvsadm lvsc-addresses
	use nftables
	# What flushes every table is needed where it is enabled, so that this restarts with it.
	# Run `rc-update -u` after enabling or disabling it.
	for runlevel in /etc/runlevels/*; do
		config "$runlevel"
		if [ -e "$runlevel/nftables" ]; then need nftables; fi
	done
}

start() {
	ebegin "Loading lvsc's nftables table"
	/usr/sbin/nft -f /etc/lvsc/nftables.nft
	eend $?
}

stop() {
	ebegin "Removing lvsc's nftables table"
	/usr/sbin/nft 'table inet lvsc; delete table inet lvsc'
	eend $?
}

reload() {
	ebegin "Reloading lvsc's nftables table"
	/usr/sbin/nft -f /etc/lvsc/nftables.nft
	eend $?
}
"""
    )


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash --posix"])
def test_shells_can_read_the_openrc_script(shell: str, part: MakePart, tmp_path: Path) -> None:
    program, *arguments = shell.split()
    if shutil.which(program) is None:
        pytest.skip(f"`{program}` is not installed")
    script = tmp_path / "lvsc-nftables"
    script.write_text(artifacts(part(EVERYTHING, "alpine324"))["/etc/init.d/lvsc-nftables"].text)
    done = subprocess.run(
        [program, *arguments, "-n", str(script)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
