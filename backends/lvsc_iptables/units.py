"""What makes an init system run the loader script at boot, and again when others have wiped its rules."""

from lvsc.plugin import Target, Text
from lvsc_iptables.script import SCRIPT_PATH

SYSTEMD_UNIT = "lvsc-iptables.service"
_DESCRIPTION = "lvsc's iptables rules"
_SYSTEMD_FIRST = ("systemd-modules-load.service", "systemd-sysctl.service")


def systemd_unit(header: str, target: Target) -> Text:
    """The service unit.

    The distribution's own packet filter units wipe rules that they did not make. The unit is stopped, started and
    reloaded with them, so that it is never called active without its rules: PartOf= passes on their stop and restart,
    WantedBy= their start (PartOf= does not, systemd.unit(5)), ReloadPropagatedFrom= their reload; After= orders each
    behind theirs. Names of units that the host does not have are no error in any of the four.

    What PartOf= costs, as seen with systemd 252: `systemctl stop` of one of them stops this unit too, even where that one
    was not running, and so does the start of one that conflicts with a running other (firewalld and iptables.service).
    This unit is to be started again then. A reload that systemd is not told of (`firewall-cmd --reload`) reaches nothing.
    """
    shell = target.program("sh")
    others = " ".join(target.units.iptables)
    text = Text()
    text.add(header)
    text.add("[Unit]")
    text.add(f"Description={_DESCRIPTION}")
    if others:
        text.add(
            "# These units wipe rules that they did not make: go with their stop, restart and reload, after them."
        )
        text.add(f"PartOf={others}")
        text.add(f"ReloadPropagatedFrom={others}")
    text.add(f"After={' '.join((*_SYSTEMD_FIRST, *target.units.iptables))}")
    text.add("# No virtual address before its packets are marked.")
    text.add(f"Before={' '.join(_later(target, '.service'))}")
    text.add()
    text.add("[Service]")
    text.add("Type=oneshot")
    text.add("RemainAfterExit=yes")
    text.add(f"ExecStart={shell} {SCRIPT_PATH} start")
    text.add(f"ExecReload={shell} {SCRIPT_PATH} start")
    text.add(f"ExecStop={shell} {SCRIPT_PATH} stop")
    text.add()
    text.add("[Install]")
    if others:
        text.add("# PartOf= stops this unit with the others but does not start it with them.")
    text.add(f"WantedBy={' '.join(('multi-user.target', *target.units.iptables))}")
    return text


def drop_in(header: str, target: Target) -> Text:
    """An addition to a unit that wipes rules that it did not make: once started, it has lvsc's rules loaded again.

    This is for the one case that lvsc's own unit leaves out: its rules are loaded, and the other unit is started for the
    first time, which WantedBy= passes on to no unit that is up. `try-` leaves a unit that does not run alone.
    """
    text = Text()
    text.add(header)
    text.add("[Service]")
    text.add(f"ExecStartPost=-{target.program('systemctl')} --no-block try-reload-or-restart {SYSTEMD_UNIT}")
    return text


def openrc_script(header: str, target: Target) -> Text:
    """The OpenRC script. Where the distribution's rules are loaded at boot, it stops and restarts together with that.

    OpenRC restarts only what needs a service, and starts what is needed, here perhaps a firewall that nobody asked for:
    so the need is declared only where the distribution's script is in a runlevel. `config` asks OpenRC to look again
    when the runlevels change (openrc-run(8)); 0.45 does not, hence the advice in the script. A script that is enabled and
    does not start (Alpine's iptables without saved rules) keeps this one from starting, and both say so.
    """
    shell = target.program("sh")
    text = Text()
    text.add("#!/sbin/openrc-run")
    text.add(header)
    text.add(f'description="{_DESCRIPTION}"')
    text.add('extra_started_commands="reload"')
    text.add()
    text.add("depend() {")
    if target.units.iptables:
        text.add("    # They wipe rules that they did not make.")
        text.add(f"    after {' '.join(target.units.iptables)}")
        text.add("    # Those that are enabled are needed, so that this restarts with them.")
        text.add("    # Run `rc-update -u` after enabling or disabling one.")
        text.add("    for runlevel in /etc/runlevels/*; do")
        text.add('        config "$runlevel"')
        for wiper in target.units.iptables:
            text.add(f'        if [ -e "$runlevel/{wiper}" ]; then need {wiper}; fi')
        text.add("    done")
    text.add("    after lvsc-settings")
    text.add("    # No virtual address before its packets are marked.")
    text.add(f"    before {' '.join(_later(target))}")
    text.add("}")
    for function, argument, message in (
        ("start", "start", "Loading"),
        ("stop", "stop", "Removing"),
        ("reload", "start", "Reloading"),
    ):
        text.add()
        text.add(f"{function}() {{")
        text.add(f'    ebegin "{message} {_DESCRIPTION}"')
        text.add(f"    {shell} {SCRIPT_PATH} {argument}")
        text.add("    eend $?")
        text.add("}")
    return text


def _later(target: Target, suffix: str = "") -> tuple[str, ...]:
    """The units that may bring up a virtual address or send its packets on."""
    keepalived = () if target.units.keepalived is None else (target.units.keepalived,)
    return (*keepalived, f"lvsc-ipvsadm{suffix}", f"lvsc-addresses{suffix}")
