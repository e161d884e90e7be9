"""The unit, the order of loading and what both depend on."""

import random
import subprocess
from dataclasses import replace

from lvsc.plugin import (
    Artifact,
    ConnectionSync,
    Feature,
    Init,
    Node,
    Stage,
    Target,
    disable_unit,
    enable_unit,
)
from lvsc.targets import load
from lvsc_ipvsadm.backend import Ipvsadm
from support.ipvs import connection_sync, part, server, service, timeouts, without

WEB = "tcp 192.0.2.10:80"


def openrc() -> Target:
    """A target with OpenRC and busybox."""
    target = load("debian12")
    paths = replace(target.paths, unit_dir="/etc/init.d")
    units = replace(target.units, ipvsadm="ipvsadm", network_online="net")
    programs = (*target.programs, ("rc-service", "/sbin/rc-service"), ("rc-update", "/sbin/rc-update"))
    return replace(target, init=Init.OPENRC, paths=paths, units=units, programs=programs)


def unit(*nodes: Node, target: Target | None = None) -> Artifact:
    return Ipvsadm().emit(part(*nodes, target=target)).artifacts[-1]


def test_the_systemd_unit_runs_the_script_and_follows_the_distributions_own() -> None:
    artifact = unit(service(WEB))
    assert (artifact.path, artifact.mode) == ("/etc/systemd/system/lvsc-ipvsadm.service", 0o644)
    assert (
        artifact.text
        == """\
# Written by lvsc for host lvs1 of cluster demo. Do not edit: change the spec and build again.
[Unit]
Description=IPVS table of lvsc
PartOf=ipvsadm.service
After=systemd-modules-load.service systemd-sysctl.service ipvsadm.service
# No virtual address before there is something to do with its packets.
Before=lvsc-addresses.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /etc/lvsc/ipvsadm.sh start
ExecReload=/bin/sh /etc/lvsc/ipvsadm.sh start
ExecStop=/bin/sh /etc/lvsc/ipvsadm.sh stop

[Install]
WantedBy=multi-user.target
"""
    )


def test_a_sync_daemon_waits_for_its_interfaces_address() -> None:
    text = unit(service(WEB), connection_sync()).text
    assert "\nWants=network-online.target\n" in text
    assert " ipvsadm.service network-online.target\n" in text
    assert "\tneed net\n" in unit(connection_sync(), target=openrc()).text
    assert "\tneed" not in unit(service(WEB), target=openrc()).text


def test_the_openrc_script_has_start_reload_and_stop() -> None:
    artifact = unit(service(WEB), target=openrc())
    assert (artifact.path, artifact.mode) == ("/etc/init.d/lvsc-ipvsadm", 0o755)
    calls = 'ebegin() { echo "$1"; }; eend() { return $1; }; after() { echo after "$@"; }; before() { echo before "$@"; };'
    run = artifact.text.replace("/etc/lvsc/ipvsadm.sh", "-c 'echo $0'")
    result = subprocess.run(
        ["/bin/sh", "-eu", "-c", f"{calls}\n{run}\ndepend; start; reload; stop"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.splitlines() == [
        "after modules sysctl lvsc-settings",
        "before lvsc-addresses",
        "after ipvsadm",
        *("Loading the IPVS table", "start"),
        *("Reloading the IPVS table", "start"),
        *("Emptying the IPVS table", "stop"),
    ]


def test_the_table_is_loaded_with_the_director_by_the_script() -> None:
    (step,) = Ipvsadm().emit(part(service(WEB))).steps
    assert (step.stage, step.unit) == (Stage.DIRECTOR, "lvsc-ipvsadm.service")
    assert step.load == (("/bin/sh", "/etc/lvsc/ipvsadm.sh", "start"),)
    assert step.unload == (("/bin/sh", "/etc/lvsc/ipvsadm.sh", "stop"),)
    assert step.enable == enable_unit(load("debian12"), "lvsc-ipvsadm.service")
    assert step.disable == disable_unit(load("debian12"), "lvsc-ipvsadm.service")


def test_a_host_without_a_node_gets_no_file() -> None:
    assert Ipvsadm().emit(part()).artifacts == ()


def test_the_nodes_order_does_not_show() -> None:
    nodes = [service(WEB), server(WEB, "10.0.0.21", 80), service("mark 8"), timeouts(), connection_sync()]
    emission = Ipvsadm().emit(part(*nodes))
    random.Random(1).shuffle(nodes)  # noqa: S311 - no secret
    assert Ipvsadm().emit(part(*nodes)) == emission


def test_the_script_says_who_wrote_it() -> None:
    script = Ipvsadm().emit(part(service(WEB))).artifacts[1]
    assert script.mode == 0o755
    assert script.text.splitlines()[:2] == [
        "#!/bin/sh",
        "# Written by lvsc for host lvs1 of cluster demo. Do not edit: change the spec and build again.",
    ]


def starts(node: ConnectionSync, *, target: Target | None = None) -> list[str]:
    """The script's lines that start a sync daemon."""
    script = Ipvsadm().emit(part(node, target=target)).artifacts[1]
    return [line.text.strip() for line in script.lines if line.text.startswith("\tstart_daemon ")]


def test_the_sync_daemons_of_an_old_target_are_not_told_what_it_does_not_know() -> None:
    old = without(Feature.KERNEL_SYNC_PARAMETERS, Feature.IPVSADM_SYNC_PARAMETERS)
    options = "--mcast-interface eth1 --syncid 7"
    assert starts(connection_sync("eth1", 7), target=old) == [
        f"start_daemon {state} '{state} sync daemon (mcast=eth1, syncid=7)' {options}"
        for state in ("master", "backup")
    ]


def test_a_receiver_is_not_given_messages_shorter_than_linux_lets_it() -> None:
    sync = connection_sync("eth1", 7, max_length=600, group="ff02::81", port=9000, ttl=3)
    assert starts(sync) == [
        f"start_daemon {state} "
        f"'{state} sync daemon (mcast=eth1, syncid=7, maxlen={length}, group=ff02::81, port=9000, ttl=3)' "
        f"--mcast-interface eth1 --syncid 7 --sync-maxlen {length} "
        "--mcast-group ff02::81 --mcast-port 9000 --mcast-ttl 3"
        for state, length in (("master", 600), ("backup", 1024))
    ]
