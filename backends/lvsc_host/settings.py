"""Kernel modules, their options and kernel settings: what is written, and how a host loads it."""

from collections.abc import Iterable

from lvsc.plugin import (
    Artifact,
    Init,
    KernelModule,
    LoadStep,
    ModuleOption,
    Stage,
    Sysctl,
    Target,
    Text,
    disable_unit,
    enable_unit,
)

#: The OpenRC script that loads modules and settings in this order, which OpenRC's own services do not guarantee.
SETTINGS_UNIT = "lvsc-settings"


def modules_load(header: str, target: Target, modules: Iterable[KernelModule]) -> Artifact:
    """The modules to load at boot, one a line (modules-load.d(5))."""
    text = Text()
    text.add(header)
    for module in modules:
        text.add(module.name, module.origin)
    return text.artifact(f"{target.paths.modules_load_d}/lvsc.conf", stage=Stage.MODULES)


def modprobe(header: str, target: Target, options: Iterable[ModuleOption]) -> Artifact:
    """One `options` line for each option, its values in order and separated by commas (modprobe.d(5))."""
    text = Text()
    text.add(header)
    text.add("# A module reads its options when it is loaded: after a change, unload it first or boot again.")
    lists: dict[tuple[str, str], list[ModuleOption]] = {}
    for option in options:
        lists.setdefault((option.module, option.option), []).append(option)
    for (module, name), values in lists.items():
        joined = ",".join(option.value for option in values)
        text.add(f"options {module} {name}={joined}", values[0].origin)
    return text.artifact(f"{target.paths.modprobe_d}/lvsc.conf", stage=Stage.MODULES)


def sysctl(header: str, target: Target, settings: Iterable[Sysctl]) -> Artifact:
    """One `key = value` line for each setting (sysctl.d(5))."""
    text = Text()
    text.add(header)
    for setting in settings:
        text.add(f"{setting.key} = {setting.value}", setting.origin)
    return text.artifact(_sysctl_path(target), stage=Stage.SYSCTL)


def load_modules(target: Target, modules: Iterable[KernelModule]) -> LoadStep:
    """Loads the modules. They stay on removal: unloading ipip would delete every ipip tunnel of the host."""
    return LoadStep(
        stage=Stage.MODULES,
        unit=_unit(target, "systemd-modules-load.service"),
        load=(_modprobe_command(target, modules),),
        enable=_enable(target),
        disable=_disable(target),
    )


def load_sysctl(target: Target) -> LoadStep:
    """Applies the settings. They stay on removal until the next boot: what they were before is not known."""
    return LoadStep(
        stage=Stage.SYSCTL,
        unit=_unit(target, "systemd-sysctl.service"),
        load=(_sysctl_command(target),),
        enable=_enable(target),
        disable=_disable(target),
    )


def openrc_settings(
    header: str, target: Target, modules: tuple[KernelModule, ...], *, sysctls: bool
) -> Artifact:
    """The OpenRC script that loads the modules and then applies the settings.

    Neither Alpine's `modules` nor its `sysctl` names the other (aports, main/openrc: sysctl comes after `clock`, modules
    before `hwclock`, which need not be there), so settings of ip_vs might be applied before it is loaded. It also comes
    after the network, because no udev rule applies the settings of an interface that networking has just made.
    """
    director = target.units.keepalived
    text = Text()
    text.add("#!/sbin/openrc-run")
    text.add(header)
    text.extend(
        (
            "",
            'description="Loads lvsc\'s kernel modules and applies its kernel settings"',
            'extra_started_commands="reload"',
            "",
            "depend() {",
            f"\tuse {target.units.network_online}",
            "\tafter modules sysctl",
            f"\tbefore {director} lvsc-addresses" if director else "\tbefore lvsc-addresses",
            "}",
            "",
            "start() {",
            '\tebegin "Loading kernel modules and settings"',
        )
    )
    if modules:
        text.add("\t" + " ".join(_modprobe_command(target, modules)) + (" &&" if sysctls else ""))
    if sysctls:
        text.add("\t" + " ".join(_sysctl_command(target)))
    text.extend(("\teend $?", "}", "", "reload() {", "\tstart", "}"))
    stage = Stage.MODULES if modules else Stage.SYSCTL
    return text.artifact(f"{target.paths.unit_dir}/{SETTINGS_UNIT}", 0o755, stage=stage)


def _unit(target: Target, systemd: str) -> str:
    # systemd-sysctl.service is ordered after systemd-modules-load.service, and udev applies an interface's settings
    # when it appears (99-systemd.rules), so systemd's own units are enough.
    return SETTINGS_UNIT if target.init is Init.OPENRC else systemd


def _enable(target: Target) -> tuple[tuple[str, ...], ...]:
    # systemd's own units are always enabled.
    return enable_unit(target, SETTINGS_UNIT) if target.init is Init.OPENRC else ()


def _disable(target: Target) -> tuple[tuple[str, ...], ...]:
    return disable_unit(target, SETTINGS_UNIT) if target.init is Init.OPENRC else ()


def _modprobe_command(target: Target, modules: Iterable[KernelModule]) -> tuple[str, ...]:
    return (target.program("modprobe"), "-a", *(module.name for module in modules))


def _sysctl_command(target: Target) -> tuple[str, ...]:
    return (target.program("sysctl"), "-q", "-p", _sysctl_path(target))


def _sysctl_path(target: Target) -> str:
    # 90 comes after a distribution's files; 99 is left to the operator.
    return f"{target.paths.sysctl_d}/90-lvsc.conf"
