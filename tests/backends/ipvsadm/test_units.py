"""The unit, the order of loading and what both depend on."""

import random
import subprocess
from dataclasses import replace

from lvsc.plugin import Artifact, Feature, Init, Node, Stage, Target
from lvsc.targets import load
from lvsc_ipvsadm.backend import Ipvsadm
from support.ipvs import connection_sync, part, server, service, timeouts

WEB = "tcp 192.0.2.10:80"
OLD = Feature.KERNEL_SYNC_PARAMETERS, Feature.IPVSADM_SYNC_PARAMETERS


def openrc() -> Target:
    """A target with OpenRC and busybox."""
    target = load("debian12")
    paths = replace(target.paths, unit_dir="/etc/init.d")
    units = replace(target.units, ipvsadm="ipvsadm", network_online="net")
    return replace(target, init=Init.OPENRC, paths=paths, units=units)


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
After=ipvsadm.service

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
    assert "\nWants=network-online.target\nAfter=ipvsadm.service network-online.target\n" in text
    assert "\tneed net\n" in unit(connection_sync(), target=openrc()).text
    assert "\tneed" not in unit(service(WEB), target=openrc()).text


def test_the_openrc_script_has_start_reload_and_stop() -> None:
    artifact = unit(service(WEB), target=openrc())
    assert (artifact.path, artifact.mode) == ("/etc/init.d/lvsc-ipvsadm", 0o755)
    calls = 'ebegin() { echo "$1"; }; eend() { return $1; }; after() { echo after "$@"; };'
    run = artifact.text.replace("/etc/lvsc/ipvsadm.sh", "-c 'echo $0'")
    result = subprocess.run(
        ["/bin/sh", "-eu", "-c", f"{calls}\n{run}\ndepend; start; reload; stop"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.splitlines() == [
        "after modules sysctl",
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


def test_a_host_without_a_node_gets_no_file() -> None:
    assert Ipvsadm().emit(part()).artifacts == ()


def test_the_nodes_order_does_not_show() -> None:
    nodes = [service(WEB), server(WEB, "10.0.0.21", 80), service("mark 8"), timeouts(), connection_sync()]
    emission = Ipvsadm().emit(part(*nodes))
    random.Random(1).shuffle(nodes)  # noqa: S311 - no secret
    assert Ipvsadm().emit(part(*nodes)) == emission


def test_the_script_is_posix_and_says_who_wrote_it() -> None:
    script = Ipvsadm().emit(part(service(WEB), connection_sync())).artifacts[1]
    assert script.mode == 0o755
    assert script.text.splitlines()[1].startswith("# Written by lvsc for host lvs1 of cluster demo.")
    for shell in (["/bin/sh"], ["bash", "--posix"], ["busybox", "sh"]):
        subprocess.run([*shell, "-n"], input=script.text, text=True, check=True)


def test_the_sync_daemons_of_an_old_target_are_not_told_what_it_does_not_know() -> None:
    target = load("debian12")
    old = replace(target, stated=tuple((feature, False) for feature in OLD))
    text = Ipvsadm().emit(part(connection_sync("eth1", 7), target=old)).artifacts[1].text
    assert (
        "\tstart_daemon master 'master sync daemon (mcast=eth1, syncid=7)' --mcast-interface eth1 --syncid 7\n"
        in text
    )


def test_a_receiver_takes_no_messages_shorter_than_the_kernel_lets_it() -> None:
    text = Ipvsadm().emit(part(connection_sync(max_length=600, group="ff02::81"))).artifacts[1].text
    assert (
        "'master sync daemon (mcast=eth1, syncid=51, maxlen=600, group=ff02::81, port=8848, ttl=1)'" in text
    )
    assert (
        "'backup sync daemon (mcast=eth1, syncid=51, maxlen=1024, group=ff02::81, port=8848, ttl=1)'" in text
    )
