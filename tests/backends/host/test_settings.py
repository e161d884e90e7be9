import subprocess
from pathlib import Path
from shutil import which

import pytest

from lvsc.plugin import Artifact, LoadStep, Stage, Target
from lvsc_host.backend import Host

from .conftest import Emit, Make, Run


def test_modules_are_loaded_at_boot_and_now(emit: Emit, make: Make, debian: Target) -> None:
    emission = emit(make.module("ip_vs_ftp"), make.module("ip_vs"))
    assert emission.artifacts == (
        Artifact(
            path="/etc/modules-load.d/lvsc.conf",
            lines=emission.artifacts[0].lines,
            stage=Stage.MODULES,
        ),
    )
    assert emission.artifacts[0].text == f"{make.header}\nip_vs\nip_vs_ftp\n"
    assert emission.steps == (
        LoadStep(
            stage=Stage.MODULES,
            unit="systemd-modules-load.service",
            load=((debian.program("modprobe"), "-a", "ip_vs", "ip_vs_ftp"),),
        ),
    )


def test_values_of_one_option_are_a_list_in_the_order_of_numbers(emit: Emit, make: Make) -> None:
    emission = emit(
        make.option("ip_vs_ftp", "ports", "2121"),
        make.option("ip_vs_ftp", "ports", "21"),
        make.option("ip_vs", "conn_tab_bits", "20"),
    )
    assert [artifact.path for artifact in emission.artifacts] == ["/etc/modprobe.d/lvsc.conf"]
    assert emission.artifacts[0].text.splitlines()[2:] == [
        "options ip_vs conn_tab_bits=20",
        "options ip_vs_ftp ports=21,2121",
    ]
    assert emission.steps == ()


def test_settings_are_applied_at_boot_and_now(emit: Emit, make: Make, debian: Target) -> None:
    emission = emit(make.sysctl("net.ipv4.vs.conntrack"), make.sysctl("net.ipv4.conf.eth0/5.arp_ignore", "1"))
    (artifact,) = emission.artifacts
    assert artifact.path == "/etc/sysctl.d/90-lvsc.conf"
    assert artifact.text == (
        f"{make.header}\nnet.ipv4.conf.eth0/5.arp_ignore = 1\nnet.ipv4.vs.conntrack = 1\n"
    )
    assert emission.steps == (
        LoadStep(
            stage=Stage.SYSCTL,
            unit="systemd-sysctl.service",
            load=((debian.program("sysctl"), "-q", "-p", "/etc/sysctl.d/90-lvsc.conf"),),
        ),
    )


def test_each_line_knows_what_it_comes_from(emit: Emit, make: Make) -> None:
    emission = emit(make.module("ip_vs"), make.option("ip_vs", "conn_tab_bits", "20"), make.sysctl("a.b"))
    for artifact in emission.artifacts:
        assert [line.origin for line in artifact.lines if not line.text.startswith("#")] == [make.origin]


def test_a_host_that_needs_nothing_gets_nothing(emit: Emit) -> None:
    emission = emit()
    assert (emission.artifacts, emission.steps) == ((), ())


def test_addresses_that_failover_moves_are_not_this_backends(make: Make) -> None:
    assert Host().renders(make.address("192.0.2.10/24", "eth0"))
    assert not Host().renders(make.address("192.0.2.10/24", "eth0", instance="public-4"))


def test_modprobe_reads_the_options(emit: Emit, make: Make, tmp_path: Path) -> None:
    modprobe = which("modprobe", path="/usr/sbin:/sbin")
    if modprobe is None:
        pytest.skip("no modprobe: apt-get install kmod")
    emission = emit(*(make.option("ip_vs_ftp", "ports", port) for port in ("21", "2121")))
    (tmp_path / "lvsc.conf").write_text(emission.artifacts[0].text)
    shown = subprocess.run(
        [modprobe, "-C", tmp_path, "--showconfig"], capture_output=True, text=True, check=True
    )
    assert "options ip_vs_ftp ports=21,2121" in shown.stdout.splitlines()
    assert shown.stderr == ""


@pytest.mark.parametrize("sysctl", ["sysctl", "busybox sysctl"])
def test_sysctl_applies_the_settings_twice_without_a_word(
    sysctl: str, emit: Emit, make: Make, namespace: Run, tmp_path: Path
) -> None:
    if which(sysctl.split(maxsplit=1)[0], path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        pytest.skip(f"no {sysctl.split(maxsplit=1)[0]}")
    emission = emit(
        make.sysctl("net.ipv4.conf.all.arp_announce", "2"),
        make.sysctl("net.ipv4.conf.eth0/5.arp_ignore", "1"),
        make.sysctl("net/ipv4/conf/eth0.5/arp_announce", "2"),
        make.sysctl("net.ipv4.ip_local_port_range", "20000 30000"),
    )
    (tmp_path / "sysctl.conf").write_text(emission.artifacts[0].text)
    ran = namespace(
        f"""
        ip link add eth0.5 type veth peer name peer
        {sysctl} -q -p sysctl.conf
        {sysctl} -q -p sysctl.conf
        cd /proc/sys/net/ipv4
        cat conf/all/arp_announce conf/eth0.5/arp_ignore conf/eth0.5/arp_announce ip_local_port_range
        """
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "2\n1\n2\n20000\t30000\n", "")


def test_openrc_loads_modules_before_settings_by_a_script_of_its_own(
    emit: Emit, make: Make, alpine: Target
) -> None:
    emission = emit(make.module("ip_vs"), make.sysctl("net.ipv4.vs.conntrack"), target=alpine)
    script = emission.artifacts[-1]
    assert (script.path, script.mode) == ("/etc/init.d/lvsc-settings", 0o755)
    assert (
        script.text
        == f"""\
#!/sbin/openrc-run
{make.header}

description="Loads lvsc's kernel modules and applies its kernel settings"
extra_started_commands="reload"

depend() {{
	use net
	after modules sysctl
	before keepalived lvsc-addresses
}}

start() {{
	ebegin "Loading kernel modules and settings"
	/sbin/modprobe -a ip_vs &&
	/sbin/sysctl -q -p /etc/sysctl.d/90-lvsc.conf
	eend $?
}}

reload() {{
	start
}}
"""
    )
    assert [step.unit for step in emission.steps] == ["lvsc-settings", "lvsc-settings"]


@pytest.mark.parametrize(
    ("nodes", "commands"),
    [
        (["module"], ["/sbin/modprobe -a ip_vs"]),
        (["sysctl"], ["/sbin/sysctl -q -p /etc/sysctl.d/90-lvsc.conf"]),
    ],
    ids=["only modules", "only settings"],
)
def test_openrc_runs_only_what_there_is(
    nodes: list[str], commands: list[str], emit: Emit, make: Make, alpine: Target
) -> None:
    node = make.module("ip_vs") if nodes == ["module"] else make.sysctl("net.ipv4.ip_forward")
    script = emit(node, target=alpine).artifacts[-1].text
    assert [line.strip() for line in script.splitlines() if line.startswith("\t/")] == commands
