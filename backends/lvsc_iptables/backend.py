from collections.abc import Iterable
from typing import ClassVar

from lvsc.plugin import (
    Backend,
    Diagnostic,
    Emission,
    Family,
    HostPart,
    Init,
    LoadStep,
    Node,
    Reading,
    Role,
    Source,
    Stage,
    disable_unit,
    enable_unit,
)
from lvsc_iptables import read
from lvsc_iptables.check import refusals
from lvsc_iptables.restore import restore_file, restore_path
from lvsc_iptables.rules import RENDERED, packet_rules, rules_by_chain
from lvsc_iptables.script import SCRIPT_PATH, script
from lvsc_iptables.units import SYSTEMD_UNIT, drop_in, openrc_script, systemd_unit


class Iptables(Backend):
    """Renders the packet filter's nodes as iptables rules, for iptables-legacy and iptables-nft alike."""

    name: ClassVar[str] = "iptables"
    title: ClassVar[str] = "iptables-restore files of lvsc's own chains, and the unit that loads them"
    role: ClassVar[Role] = Role.PACKET_FILTER

    def renders(self, node: Node) -> bool:
        """Whether the node is a packet rule of the core's own; a plugin's subclass is the plugin's to render."""
        return type(node) in RENDERED

    def check(self, part: HostPart) -> Iterable[Diagnostic]:
        """An error for each condition that iptables has no words for, or that the kernel would not look at."""
        return refusals(part)

    def emit(self, part: HostPart) -> Emission:
        """A restore file for each family that has rules, one loader script and its unit; nothing without rules."""
        header = (
            f"# Written by lvsc for host {part.host} of cluster {part.cluster}. "
            "Do not edit: change the spec and build again."
        )
        target = part.target
        artifacts = []
        loaded = {}
        for family in Family:
            rules = rules_by_chain(node for node in packet_rules(part.graph) if node.traffic.family is family)
            if rules:
                artifacts.append(restore_file(header, rules).artifact(restore_path(family)))
                loaded[family] = tuple(rules)
        if not loaded:
            return Emission()
        artifacts.append(script(header, loaded, target).artifact(SCRIPT_PATH, mode=0o755))
        if target.init is Init.SYSTEMD:
            unit = SYSTEMD_UNIT
            directory = target.paths.unit_dir
            artifacts.append(systemd_unit(header, target).artifact(f"{directory}/{unit}"))
            artifacts += [
                drop_in(header, target).artifact(f"{directory}/{other}.d/lvsc-iptables.conf")
                for other in target.units.iptables
            ]
        else:
            unit = "lvsc-iptables"
            artifacts.append(
                openrc_script(header, target).artifact(f"{target.paths.unit_dir}/{unit}", mode=0o755)
            )
        shell = target.program("sh")
        step = LoadStep(
            stage=Stage.PACKET_FILTER,
            unit=unit,
            load=((shell, SCRIPT_PATH, "start"),),
            unload=((shell, SCRIPT_PATH, "stop"),),
            enable=enable_unit(target, unit),
            disable=disable_unit(target, unit),
        )
        return Emission(artifacts=tuple(artifacts), steps=(step,))

    def recognises(self, source: Source) -> bool:
        """Whether it is the text that iptables-restore reads or iptables-save prints."""
        return read.recognises(source.text)

    def read(self, source: Source) -> Reading:
        """The rules of lvsc's own chains as nodes, other people's rules and chains as foreign."""
        return read.read(source)
