import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from lvsc.plugin import Artifact, Hook, HostPart, LoadStep, Node, PacketRule, Stage, disable_unit, enable_unit
from lvsc.targets import Program, Target, Version
from lvsc_iptables.backend import Iptables
from support.nodes import accept, helper, marking, source_nat, traffic

MakePart = Callable[[Iterable[Node]], HostPart]

HEADER = "# Written by lvsc for host lvs1 of cluster red-hat. Do not edit: change the spec and build again."
VIP = "192.0.2.10"
#: What Red Hat's manual asks for: HTTP and HTTPS under one mark, FTP under another, active FTP's source NAT.
RED_HAT: list[PacketRule] = [
    *(marking(traffic(dst=VIP, dport=dport), 80, "web") for dport in ("80", "443")),
    *(marking(traffic(dst=VIP, dport=dport), 21, "files") for dport in ("21", "10000-20000")),
    helper(traffic(dst=VIP, dport="21")),
    source_nat(traffic(Hook.POSTROUTING, src="10.11.12.0/24", sport="20"), VIP),
    accept(traffic(Hook.INPUT, dst=VIP, dport="80")),
]
SIX = marking(traffic(dst="2001:db8::10", dport="80"))


def files(part: HostPart) -> dict[str, Artifact]:
    return {artifact.path: artifact for artifact in Iptables().emit(part).artifacts}


def test_a_restore_file_holds_each_table_once(part: MakePart) -> None:
    assert (
        files(part(RED_HAT))["/etc/lvsc/iptables.v4"].text
        == f"""\
{HEADER}
*raw
:LVSC-CONNTRACK - [0:0]
-A LVSC-CONNTRACK -d 192.0.2.10/32 -p tcp -m tcp --dport 21 -m comment --comment "service files" -j CT --helper ftp
COMMIT
*mangle
:LVSC-MARK - [0:0]
-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m multiport --dports 21,10000:20000 -m comment --comment "service files" -j MARK --set-xmark 0x15/0xffffffff
-A LVSC-MARK -d 192.0.2.10/32 -p tcp -m multiport --dports 80,443 -m comment --comment "service web" -j MARK --set-xmark 0x50/0xffffffff
COMMIT
*nat
:LVSC-SNAT - [0:0]
-A LVSC-SNAT -s 10.11.12.0/24 -p tcp -m tcp --sport 20 -m comment --comment "service files" -j SNAT --to-source 192.0.2.10
COMMIT
*filter
:LVSC-INPUT - [0:0]
-A LVSC-INPUT -d 192.0.2.10/32 -p tcp -m tcp --dport 80 -m comment --comment "service web" -j ACCEPT
COMMIT
"""
    )


@pytest.mark.parametrize(
    ("nodes", "paths"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(RED_HAT, ["/etc/lvsc/iptables.v4"], id="IPv4"),
        pytest.param([SIX], ["/etc/lvsc/iptables.v6"], id="IPv6"),
        pytest.param([*RED_HAT, SIX], ["/etc/lvsc/iptables.v4", "/etc/lvsc/iptables.v6"], id="both"),
    ],
)
def test_only_families_with_rules_have_a_file(
    part: MakePart, nodes: list[PacketRule], paths: list[str]
) -> None:
    loader = [
        "/etc/lvsc/iptables.sh",
        "/etc/systemd/system/lvsc-iptables.service",
        "/etc/systemd/system/netfilter-persistent.service.d/lvsc-iptables.conf",
        "/etc/systemd/system/firewalld.service.d/lvsc-iptables.conf",
    ]
    assert list(files(part(nodes))) == [*paths, *(loader if paths else [])]


def test_each_rule_carries_its_origin_and_nothing_else_does(part: MakePart) -> None:
    for artifact in files(part([*RED_HAT, SIX])).values():
        for line in artifact.lines:
            assert (line.origin is not None) == line.text.startswith("-A LVSC-")


def test_the_first_start_of_the_distributions_packet_filter_has_the_rules_loaded_again(
    part: MakePart,
) -> None:
    assert (
        files(part(RED_HAT))["/etc/systemd/system/firewalld.service.d/lvsc-iptables.conf"].text
        == f"""\
{HEADER}
[Service]
ExecStartPost=-/usr/bin/systemctl --no-block try-reload-or-restart lvsc-iptables.service
"""
    )


def test_the_unit_goes_with_the_distributions_packet_filter(part: MakePart) -> None:
    others = "netfilter-persistent.service firewalld.service"
    assert (
        files(part(RED_HAT))["/etc/systemd/system/lvsc-iptables.service"].text
        == f"""\
{HEADER}
[Unit]
Description=lvsc's iptables rules
# These units wipe rules that they did not make: go with their stop, restart and reload, after them.
PartOf={others}
ReloadPropagatedFrom={others}
After=systemd-modules-load.service systemd-sysctl.service {others}
# No virtual address before its packets are marked.
Before=keepalived.service lvsc-ipvsadm.service lvsc-addresses.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /etc/lvsc/iptables.sh start
ExecReload=/bin/sh /etc/lvsc/iptables.sh start
ExecStop=/bin/sh /etc/lvsc/iptables.sh stop

[Install]
# PartOf= stops this unit with the others but does not start it with them.
WantedBy=multi-user.target {others}
"""
    )


def test_a_target_without_such_units_gets_a_unit_of_its_own(part: MakePart, debian: Target) -> None:
    alone = replace(debian, units=replace(debian.units, iptables=(), keepalived=None))
    text = files(replace(part(RED_HAT), target=alone))["/etc/systemd/system/lvsc-iptables.service"].text
    for word in ("PartOf", "ReloadPropagatedFrom", "keepalived"):
        assert word not in text
    assert "\nBefore=lvsc-ipvsadm.service lvsc-addresses.service\n" in text
    assert "\nWantedBy=multi-user.target\n" in text


def test_systemd_takes_the_unit(part: MakePart, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze: apt-get install systemd")
    unit = tmp_path / "lvsc-iptables.service"
    unit.write_text(files(part(RED_HAT))["/etc/systemd/system/lvsc-iptables.service"].text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_openrc_gets_an_init_script(part: MakePart, openrc: Target) -> None:
    artifact = files(replace(part(RED_HAT), target=openrc))["/etc/init.d/lvsc-iptables"]
    assert artifact.mode == 0o755
    assert (
        artifact.text
        == f"""\
#!/sbin/openrc-run
{HEADER}
description="lvsc's iptables rules"
extra_started_commands="reload"

depend() {{
    # They wipe rules that they did not make.
    after iptables ip6tables
    # Those that are enabled are needed, so that this restarts with them.
    # Run `rc-update -u` after enabling or disabling one.
    for runlevel in /etc/runlevels/*; do
        config "$runlevel"
        if [ -e "$runlevel/iptables" ]; then need iptables; fi
        if [ -e "$runlevel/ip6tables" ]; then need ip6tables; fi
    done
    after lvsc-settings
    # No virtual address before its packets are marked.
    before keepalived lvsc-ipvsadm lvsc-addresses
}}

start() {{
    ebegin "Loading lvsc's iptables rules"
    /bin/sh /etc/lvsc/iptables.sh start
    eend $?
}}

stop() {{
    ebegin "Removing lvsc's iptables rules"
    /bin/sh /etc/lvsc/iptables.sh stop
    eend $?
}}

reload() {{
    ebegin "Reloading lvsc's iptables rules"
    /bin/sh /etc/lvsc/iptables.sh start
    eend $?
}}
"""
    )


@pytest.mark.parametrize("enabled", [(), ("iptables",), ("iptables", "ip6tables")], ids=" ".join)
def test_openrc_restarts_it_with_the_wipers_that_are_enabled(
    part: MakePart, openrc: Target, tmp_path: Path, enabled: tuple[str, ...]
) -> None:
    for name in enabled:
        (tmp_path / "default").mkdir(exist_ok=True)
        (tmp_path / "default" / name).touch()
    script = files(replace(part(RED_HAT), target=openrc))["/etc/init.d/lvsc-iptables"].text
    words = "after() { :; }\nbefore() { :; }\nconfig() { :; }\nneed() { echo $*; }"
    depend = script.replace("/etc/runlevels", str(tmp_path))
    ran = subprocess.run(
        ["sh", "-euc", f"{words}\n{depend}\ndepend"], capture_output=True, text=True, check=True
    )
    assert set(ran.stdout.split()) == set(enabled)


@pytest.mark.parametrize(("init", "unit"), [("debian", "lvsc-iptables.service"), ("openrc", "lvsc-iptables")])
def test_is_loaded_by_its_script(
    part: MakePart, request: pytest.FixtureRequest, init: str, unit: str
) -> None:
    target: Target = request.getfixturevalue(init)
    assert Iptables().emit(replace(part(RED_HAT), target=target)).steps == (
        LoadStep(
            stage=Stage.PACKET_FILTER,
            unit=unit,
            load=(("/bin/sh", "/etc/lvsc/iptables.sh", "start"),),
            unload=(("/bin/sh", "/etc/lvsc/iptables.sh", "stop"),),
            enable=enable_unit(target, unit),
            disable=disable_unit(target, unit),
        ),
    )


def test_the_script_can_be_run(part: MakePart) -> None:
    artifact = files(part(RED_HAT))["/etc/lvsc/iptables.sh"]
    assert artifact.mode == 0o755
    assert not artifact.mode & (stat.S_IWGRP | stat.S_IWOTH)
    assert artifact.text.startswith(f"#!/bin/sh\n{HEADER}\n")


def test_start_loads_jumps_and_removes_what_is_no_longer_used(part: MakePart) -> None:
    text = files(part([marking(traffic(dst=VIP, dport="80"))]))["/etc/lvsc/iptables.sh"].text
    start = text.partition("start() {\n")[2].partition("}\n")[0]
    assert (
        start
        == """\
    /usr/sbin/iptables-restore -w --noflush </etc/lvsc/iptables.v4
    # Last: MARK ends nothing and IPVS looks at the whole mark, so the last rule to set it must be lvsc's.
    jump /usr/sbin/iptables /usr/sbin/iptables-restore mangle -A PREROUTING LVSC-MARK
    look /usr/sbin/iptables-save
    remove /usr/sbin/iptables raw PREROUTING LVSC-CONNTRACK
    remove /usr/sbin/iptables raw OUTPUT LVSC-CONNTRACK-OUT
    remove /usr/sbin/iptables mangle OUTPUT LVSC-MARK-OUT
    remove /usr/sbin/iptables nat POSTROUTING LVSC-SNAT
    remove /usr/sbin/iptables filter FORWARD LVSC-FORWARD
    remove /usr/sbin/iptables filter INPUT LVSC-INPUT
    look /usr/sbin/ip6tables-save
    remove /usr/sbin/ip6tables raw PREROUTING LVSC-CONNTRACK
    remove /usr/sbin/ip6tables raw OUTPUT LVSC-CONNTRACK-OUT
    remove /usr/sbin/ip6tables mangle PREROUTING LVSC-MARK
    remove /usr/sbin/ip6tables mangle OUTPUT LVSC-MARK-OUT
    remove /usr/sbin/ip6tables nat POSTROUTING LVSC-SNAT
    remove /usr/sbin/ip6tables filter FORWARD LVSC-FORWARD
    remove /usr/sbin/ip6tables filter INPUT LVSC-INPUT
"""
    )


@pytest.mark.parametrize(
    ("version", "restore_waits", "iptables_waits"),
    [("1.4.10", False, False), ("1.4.21", False, True), ("1.8.9", True, True)],
)
def test_waits_for_the_lock_where_the_version_can(
    part: MakePart, debian: Target, version: str, *, restore_waits: bool, iptables_waits: bool
) -> None:
    target = replace(debian, versions=((Program.IPTABLES, Version.parse(version)),), stated=())
    text = files(replace(part(RED_HAT), target=target))["/etc/lvsc/iptables.sh"].text
    assert ("iptables-restore -w --noflush" in text) == restore_waits
    assert ('"$1" -w -t' in text) == iptables_waits
    assert ('"$1" -t' in text) != iptables_waits


def test_a_target_without_ip6tables_is_not_asked_for_it(part: MakePart, openrc: Target) -> None:
    assert "ip6tables" not in files(replace(part(RED_HAT), target=openrc))["/etc/lvsc/iptables.sh"].text


def test_equal_parts_give_equal_bytes(part: MakePart) -> None:
    nodes = [*RED_HAT, SIX]
    assert Iptables().emit(part(nodes)) == Iptables().emit(part(nodes[::-1]))
