import subprocess
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest

from lvsc.plugin import Stage, Target, disable_unit, enable_unit

from .conftest import Emit, Make

STUBS = """
ebegin() { echo "ebegin $*"; }
eend() { echo "eend $1"; return "$1"; }
"""


def test_the_systemd_unit_comes_after_settings_and_network(emit: Emit, make: Make, debian: Target) -> None:
    unit = emit(make.address("10.0.0.80/32")).artifacts[-1]
    assert (unit.path, unit.mode) == ("/etc/systemd/system/lvsc-addresses.service", 0o644)
    assert (
        unit.text
        == f"""\
{make.header}
[Unit]
Description=Virtual addresses and tunnel devices of lvsc
# By then a real server answers no ARP for them, and what configures the network removes nothing any more.
After=systemd-modules-load.service systemd-sysctl.service network-online.target keepalived.service
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={debian.program("sh")} /etc/lvsc/addresses.sh start
ExecReload={debian.program("sh")} /etc/lvsc/addresses.sh start
ExecStop={debian.program("sh")} /etc/lvsc/addresses.sh stop

[Install]
WantedBy=multi-user.target
"""
    )


def test_the_openrc_script_needs_the_settings(emit: Emit, make: Make, alpine: Target) -> None:
    emission = emit(make.address("10.0.0.80/32"), make.sysctl("net.ipv4.conf.all.arp_ignore"), target=alpine)
    script = emission.artifacts[-1]
    assert (script.path, script.mode) == ("/etc/init.d/lvsc-addresses", 0o755)
    assert (
        script.text
        == f"""\
#!/sbin/openrc-run
{make.header}

description="Virtual addresses and tunnel devices of lvsc"
extra_started_commands="reload"

depend() {{
	need lvsc-settings
	use net
	after keepalived
}}

start() {{
	ebegin "Adding virtual addresses"
	/bin/sh /etc/lvsc/addresses.sh start
	eend $?
}}

reload() {{
	ebegin "Adding virtual addresses"
	/bin/sh /etc/lvsc/addresses.sh start
	eend $?
}}

stop() {{
	ebegin "Removing virtual addresses"
	/bin/sh /etc/lvsc/addresses.sh stop
	eend $?
}}
"""
    )


def test_without_settings_the_openrc_script_needs_none(emit: Emit, make: Make, alpine: Target) -> None:
    emission = emit(make.address("10.0.0.80/32"), target=alpine)
    assert [artifact.path for artifact in emission.artifacts] == [
        "/etc/lvsc/addresses.sh",
        "/etc/init.d/lvsc-addresses",
    ]
    assert "lvsc-settings" not in emission.artifacts[-1].text


def test_a_target_without_keepalived_is_not_ordered_after_it(
    emit: Emit, make: Make, debian: Target, alpine: Target
) -> None:
    for target in (debian, alpine):
        lacking = replace(target, units=replace(target.units, keepalived=None))
        nodes = (make.address("10.0.0.80/32"), make.module("ip_vs"))
        texts = [artifact.text for artifact in emit(*nodes, target=lacking).artifacts]
        assert not any("keepalived" in text or "None" in text for text in texts)


def test_the_script_is_loaded_last_and_unloaded(
    emit: Emit, make: Make, debian: Target, alpine: Target
) -> None:
    nodes = (make.address("10.0.0.80/32"), make.sysctl("a.b"), make.module("ipip"))
    for target, unit in ((debian, ".service"), (alpine, "")):
        shell = target.program("sh")
        steps = emit(*nodes, target=target).steps
        assert [step.stage for step in steps] == [Stage.MODULES, Stage.SYSCTL, Stage.ADDRESSES]
        assert steps[-1].unit == f"lvsc-addresses{unit}"
        assert steps[-1].load == ((shell, "/etc/lvsc/addresses.sh", "start"),)
        assert steps[-1].unload == ((shell, "/etc/lvsc/addresses.sh", "stop"),)
        assert steps[-1].enable == enable_unit(target, steps[-1].unit)
        assert steps[-1].disable == disable_unit(target, steps[-1].unit)


def test_only_openrc_must_be_told_to_load_modules_and_settings_at_boot(
    emit: Emit, make: Make, debian: Target, alpine: Target
) -> None:
    nodes = (make.sysctl("a.b"), make.module("ipip"))
    assert {(step.enable, step.disable) for step in emit(*nodes, target=debian).steps} == {((), ())}
    enabling = (enable_unit(alpine, "lvsc-settings"), disable_unit(alpine, "lvsc-settings"))
    assert {(step.enable, step.disable) for step in emit(*nodes, target=alpine).steps} == {enabling}


def test_systemd_finds_nothing_wrong_with_the_unit(emit: Emit, make: Make, tmp_path: Path) -> None:
    analyze = which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze: apt-get install systemd")
    unit = tmp_path / "lvsc-addresses.service"
    unit.write_text(emit(make.address("10.0.0.80/32")).artifacts[-1].text)
    ran = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    complaints = [line for line in ran.stderr.splitlines() if "lvsc" in line]
    assert (ran.returncode, complaints) == (0, []), ran.stderr


def test_openrc_settings_are_not_applied_where_a_module_is_missing(
    emit: Emit, make: Make, alpine: Target, tmp_path: Path
) -> None:
    for name, status in (("modprobe", 1), ("sysctl", 0)):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "{name} $*"\nexit {status}\n')
        program.chmod(0o755)
    fakes = {name: str(tmp_path / name) for name in ("modprobe", "sysctl")}
    target = replace(alpine, programs=tuple({**dict(alpine.programs), **fakes}.items()))
    script = emit(make.module("ip_vs"), make.sysctl("a.b"), target=target).artifacts[-1].text
    ran = subprocess.run(
        ["sh", "-c", f"{STUBS}\n{script}\nstart"], capture_output=True, text=True, check=False
    )
    assert ran.stdout.splitlines() == [
        "ebegin Loading kernel modules and settings",
        "modprobe -a ip_vs",
        "eend 1",
    ]
    assert ran.returncode == 1


def test_openrc_scripts_are_posix_sh(emit: Emit, make: Make, alpine: Target) -> None:
    emission = emit(make.module("ip_vs"), make.sysctl("a.b"), make.address("10.0.0.80/32"), target=alpine)
    for artifact in emission.artifacts:
        if artifact.mode == 0o755 or artifact.path.endswith(".sh"):
            for shell in ("sh", "bash"):
                ran = subprocess.run(
                    [shell, "-n"], input=artifact.text, capture_output=True, text=True, check=False
                )
                assert (ran.returncode, ran.stderr) == (0, "")
