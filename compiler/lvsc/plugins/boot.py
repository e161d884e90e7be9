"""How an init system is told to start a unit at boot."""

from lvsc.targets import Init, Target


def enable_unit(target: Target, unit: str) -> tuple[tuple[str, ...], ...]:
    """The commands that make a unit start at boot, and now where it does not run (`LoadStep.enable`).

    Raises:
        UnknownProgram: the target names no path for its service manager.
    """
    if target.init is Init.SYSTEMD:
        systemctl = target.program("systemctl")
        return ((systemctl, "daemon-reload"), (systemctl, "enable", "--now", unit))
    return (
        (target.program("rc-update"), "add", unit, "default"),
        (target.program("rc-service"), "--ifstopped", unit, "start"),
    )


def disable_unit(target: Target, unit: str) -> tuple[tuple[str, ...], ...]:
    """The commands that undo `enable_unit`: the unit stops, and does not start at boot (`LoadStep.disable`).

    Raises:
        UnknownProgram: the target names no path for its service manager.
    """
    if target.init is Init.SYSTEMD:
        return ((target.program("systemctl"), "disable", "--now", unit),)
    return (
        (target.program("rc-service"), "--ifstarted", unit, "stop"),
        (target.program("rc-update"), "del", unit, "default"),
    )
