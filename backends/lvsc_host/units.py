"""The unit that runs the script of addresses at boot."""

from lvsc.plugin import Artifact, Init, LoadStep, Stage, Target, Text, disable_unit, enable_unit
from lvsc_host import script
from lvsc_host.settings import SETTINGS_UNIT

NAME = "lvsc-addresses"


def unit(header: str, target: Target, *, settings: bool) -> Artifact:
    """The unit for the target's init system. `settings`: whether the host has modules or kernel settings to wait for."""
    if target.init is Init.OPENRC:
        return _openrc(header, target, settings=settings)
    return _systemd(header, target)


def load(target: Target) -> LoadStep:
    """Runs the script, whatever the init system."""
    unit = NAME if target.init is Init.OPENRC else f"{NAME}.service"
    return LoadStep(
        stage=Stage.ADDRESSES,
        unit=unit,
        load=(_command(target, "start"),),
        unload=(_command(target, "stop"),),
        enable=enable_unit(target, unit),
        disable=disable_unit(target, unit),
    )


def _systemd(header: str, target: Target) -> Artifact:
    after = ["systemd-modules-load.service", "systemd-sysctl.service", target.units.network_online]
    if target.units.keepalived:
        after.append(target.units.keepalived)
    text = Text()
    text.extend(
        (
            header,
            "[Unit]",
            "Description=Virtual addresses and tunnel devices of lvsc",
            "# By then a real server answers no ARP for them, and what configures the network removes nothing any more.",
            f"After={' '.join(after)}",
            f"Wants={target.units.network_online}",
            "",
            "[Service]",
            "Type=oneshot",
            "RemainAfterExit=yes",
            f"ExecStart={' '.join(_command(target, 'start'))}",
            f"ExecReload={' '.join(_command(target, 'start'))}",
            f"ExecStop={' '.join(_command(target, 'stop'))}",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
        )
    )
    return text.artifact(f"{target.paths.unit_dir}/{NAME}.service", stage=Stage.ADDRESSES)


def _openrc(header: str, target: Target, *, settings: bool) -> Artifact:
    text = Text()
    text.extend(
        (
            "#!/sbin/openrc-run",
            header,
            "",
            'description="Virtual addresses and tunnel devices of lvsc"',
            'extra_started_commands="reload"',
            "",
            "depend() {",
        )
    )
    if settings:
        # A real server without its ARP settings must not have the addresses: it would answer for the director.
        text.add(f"\tneed {SETTINGS_UNIT}")
    text.add(f"\tuse {target.units.network_online}")
    if target.units.keepalived:
        text.add(f"\tafter {target.units.keepalived}")
    text.add("}")
    for function, action, message in (
        ("start", "start", "Adding virtual addresses"),
        ("reload", "start", "Adding virtual addresses"),
        ("stop", "stop", "Removing virtual addresses"),
    ):
        text.extend(
            (
                "",
                f"{function}() {{",
                f'\tebegin "{message}"',
                f"\t{' '.join(_command(target, action))}",
                "\teend $?",
                "}",
            )
        )
    return text.artifact(f"{target.paths.unit_dir}/{NAME}", 0o755, stage=Stage.ADDRESSES)


def _command(target: Target, action: str) -> tuple[str, ...]:
    return (target.program("sh"), script.PATH, action)
