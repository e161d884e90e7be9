"""The host backend: what every host of a cluster needs beside its programs' own files."""

from collections.abc import Iterable

from lvsc.plugin import (
    Artifact,
    Backend,
    Diagnostic,
    Emission,
    Feature,
    HostPart,
    Init,
    KernelModule,
    LoadStep,
    ModuleOption,
    Need,
    Node,
    Role,
    Sysctl,
    TunnelDevice,
    TunnelType,
    VirtualAddress,
)
from lvsc_host import script, settings, units
from lvsc_host.check import check

_KINDS = frozenset({KernelModule, ModuleOption, Sysctl, TunnelDevice})


class Host(Backend):
    """Renders kernel modules and settings, tunnel devices, and the virtual addresses that no failover moves."""

    name = "host"
    title = "kernel modules, sysctls, tunnel devices and static addresses of directors and real servers"
    role = Role.HOST

    def renders(self, node: Node) -> bool:
        """Of virtual addresses, those that the host has always; a VRRP instance's are the director backend's."""
        if type(node) is VirtualAddress:
            return node.instance is None
        return type(node) in _KINDS

    def needs(self, node: Node) -> Iterable[Need]:
        """The kernel's fou for gue, which not every distribution builds."""
        if isinstance(node, TunnelDevice) and node.type is TunnelType.GUE:
            yield Need(Feature.KERNEL_FOU, node.at("tunnel", "type"))

    def check(self, part: HostPart) -> Iterable[Diagnostic]:
        """An error for each node whose text a program that runs as root could misread."""
        return check(part.graph)

    def emit(self, part: HostPart) -> Emission:
        """The files of one host; none for what it does not need."""
        target = part.target
        header = (
            f"# Written by lvsc for host {part.host} of cluster {part.cluster}. "
            "Do not edit: change the spec and build again."
        )
        modules = part.graph.of(KernelModule)
        options = part.graph.of(ModuleOption)
        sysctls = part.graph.of(Sysctl)
        tunnels = part.graph.of(TunnelDevice)
        addresses = part.graph.of(VirtualAddress)
        artifacts: list[Artifact] = []
        steps: list[LoadStep] = []
        if modules:
            artifacts.append(settings.modules_load(header, target, modules))
            steps.append(settings.load_modules(target, modules))
        if options:
            artifacts.append(settings.modprobe(header, target, options))
        if sysctls:
            artifacts.append(settings.sysctl(header, target, sysctls))
            steps.append(settings.load_sysctl(target))
        if target.init is Init.OPENRC and steps:
            artifacts.append(settings.openrc_settings(header, target, modules, sysctls=bool(sysctls)))
        if tunnels or addresses:
            artifacts.append(script.script(header, target, tunnels, addresses))
            artifacts.append(units.unit(header, target, settings=bool(modules or sysctls)))
            steps.append(units.load(target))
        return Emission(artifacts=tuple(artifacts), steps=tuple(steps))
