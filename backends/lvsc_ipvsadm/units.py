"""The unit that runs the script, for systemd and for OpenRC."""

from lvsc.plugin import ConnectionSync, HostGraph, Target, Text
from lvsc_ipvsadm import script

SYSTEMD = "lvsc-ipvsadm.service"
OPENRC = "lvsc-ipvsadm"

_TITLE = "IPVS table of lvsc"


def systemd_unit(header: str, graph: HostGraph, target: Target) -> Text:
    """A systemd unit. Where the distribution has a unit that restores a table, this one comes after it.

    That unit flushes the table when it starts and when it stops, so it takes this one along (PartOf).
    """
    shell = target.program("sh")
    after = ["systemd-modules-load.service", "systemd-sysctl.service"]
    text = Text()
    text.extend([header, "[Unit]", f"Description={_TITLE}"])
    if target.units.ipvsadm:
        text.add(f"PartOf={target.units.ipvsadm}")
        after.append(target.units.ipvsadm)
    if graph.of(ConnectionSync):
        text.add(f"Wants={target.units.network_online}")  # a sync daemon binds to its interface's address
        after.append(target.units.network_online)
    text.extend(
        [
            f"After={' '.join(after)}",
            "# No virtual address before there is something to do with its packets.",
            "Before=lvsc-addresses.service",
            "",
            "[Service]",
            "Type=oneshot",
            "RemainAfterExit=yes",
            f"ExecStart={shell} {script.PATH} start",
            f"ExecReload={shell} {script.PATH} start",
            f"ExecStop={shell} {script.PATH} stop",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
        ]
    )
    return text


def openrc_script(header: str, graph: HostGraph, target: Target) -> Text:
    """An OpenRC script with start, stop and reload."""
    shell = target.program("sh")
    text = Text()
    text.extend(
        ["#!/sbin/openrc-run", header, f'description="{_TITLE}"', 'extra_started_commands="reload"', ""]
    )
    text.extend(["depend() {", "\tafter modules sysctl lvsc-settings", "\tbefore lvsc-addresses"])
    if target.units.ipvsadm:
        text.add(f"\tafter {target.units.ipvsadm}")
    if graph.of(ConnectionSync):
        text.add(f"\tneed {target.units.network_online}")  # a sync daemon binds to its interface's address
    text.add("}")
    for function, doing, action in (
        ("start", "Loading", "start"),
        ("reload", "Reloading", "start"),
        ("stop", "Emptying", "stop"),
    ):
        text.extend(
            [
                "",
                f"{function}() {{",
                f'\tebegin "{doing} the IPVS table"',
                f"\t{shell} {script.PATH} {action}",
                "\teend $?",
                "}",
            ]
        )
    return text
