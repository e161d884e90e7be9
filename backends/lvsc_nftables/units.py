"""How a host loads the table at boot, and again after the distribution's own ruleset has flushed it."""

from lvsc.plugin import Target, Text
from lvsc_nftables.ruleset import RULESET_PATH, removal

SYSTEMD_UNIT = "lvsc-nftables.service"
OPENRC_UNIT = "lvsc-nftables"


def systemd_unit(header: str, target: Target) -> Text:
    """The systemd unit. It is as early as nftables.service is, so that no packet comes before the marks.

    A distribution's ruleset begins with `flush ruleset`, and its unit ends with that. So the unit stops and restarts
    with it (PartOf), reloads after it (ReloadPropagatedFrom), and starts again when it does (WantedBy); systemd ignores
    all three for a unit that does not exist. What they leave out is `drop_in`'s.
    """
    nft = target.program("nft")
    wipers = " ".join(target.units.nftables)
    before = [target.units.network_pre, *_later(target, ".service"), "shutdown.target"]
    after = ["systemd-modules-load.service", "systemd-sysctl.service", *target.units.nftables]
    text = Text()
    text.add(header)
    text.add("[Unit]")
    text.add("Description=Firewall marks, conntrack helpers and source NAT of lvsc")
    text.add("Documentation=man:nft(8)")
    text.add("DefaultDependencies=no")
    text.add("Conflicts=shutdown.target")
    text.add(f"Wants={target.units.network_pre}")
    text.add(f"Before={' '.join(before)}")
    text.add(f"After={' '.join(after)}")
    if wipers:
        text.add(f"PartOf={wipers}")
        text.add(f"ReloadPropagatedFrom={wipers}")
    text.add()
    text.add("[Service]")
    text.add("Type=oneshot")
    text.add("RemainAfterExit=yes")
    text.add(f"ExecStart={nft} -f {RULESET_PATH}")
    text.add(f"ExecReload={nft} -f {RULESET_PATH}")
    text.add(f'ExecStop={nft} "{"; ".join(removal(target))}"')
    text.add()
    text.add("[Install]")
    text.add(f"WantedBy={' '.join(['multi-user.target', *target.units.nftables])}")
    return text


def drop_in(header: str, target: Target) -> Text:
    """An addition to a unit that flushes every table: once started, it has lvsc's table loaded again.

    This is for the one case that the unit's own settings leave out: lvsc's table is loaded, and the distribution's unit
    is started for the first time. `try-` leaves a unit that does not run alone.
    """
    text = Text()
    text.add(header)
    text.add("[Service]")
    text.add(f"ExecStartPost=-{target.program('systemctl')} --no-block try-reload-or-restart {SYSTEMD_UNIT}")
    return text


def openrc_script(header: str, target: Target) -> Text:
    """The OpenRC script. Where the distribution's ruleset is loaded at boot, it restarts together with that.

    OpenRC restarts only what needs a service, and starts what is needed, here perhaps a firewall that nobody asked for:
    so the need is declared only where the distribution's script is in a runlevel. `config` asks OpenRC to look again
    when the runlevels change (openrc-run(8)); 0.45 does not, hence the advice in the script.
    """
    nft = target.program("nft")
    text = Text()
    text.add("#!/sbin/openrc-run")
    text.add(header)
    text.add()
    text.add('description="Firewall marks, conntrack helpers and source NAT of lvsc"')
    text.add('extra_started_commands="reload"')
    text.add()
    text.add("depend() {")
    text.add("\tafter lvsc-settings")  # which comes after the network, so this cannot come before it
    text.add(f"\tbefore {' '.join(_later(target))}")
    if target.units.nftables:
        text.add(f"\tuse {' '.join(target.units.nftables)}")
        text.add("\t# What flushes every table is needed where it is enabled, so that this restarts with it.")
        text.add("\t# Run `rc-update -u` after enabling or disabling it.")
        text.add("\tfor runlevel in /etc/runlevels/*; do")
        text.add('\t\tconfig "$runlevel"')
        for wiper in target.units.nftables:
            text.add(f'\t\tif [ -e "$runlevel/{wiper}" ]; then need {wiper}; fi')
        text.add("\tdone")
    text.add("}")
    for action, doing, command in (
        ("start", "Loading", f"{nft} -f {RULESET_PATH}"),
        ("stop", "Removing", f"{nft} '{'; '.join(removal(target))}'"),
        ("reload", "Reloading", f"{nft} -f {RULESET_PATH}"),
    ):
        text.add()
        text.add(f"{action}() {{")
        text.add(f'\tebegin "{doing} lvsc\'s nftables table"')
        text.add(f"\t{command}")
        text.add("\teend $?")
        text.add("}")
    return text


def _later(target: Target, suffix: str = "") -> tuple[str, ...]:
    """The units that may bring up a virtual address or send its packets on."""
    keepalived = () if target.units.keepalived is None else (target.units.keepalived,)
    return (*keepalived, f"lvsc-ipvsadm{suffix}", f"lvsc-addresses{suffix}")
