from collections.abc import Iterable
from typing import ClassVar

from lvsc.plugin import (
    Backend,
    ConnectionSync,
    Diagnostic,
    Emission,
    HostPart,
    Init,
    LoadStep,
    Need,
    Node,
    Reading,
    RealServer,
    Role,
    Source,
    Stage,
    Timeouts,
    VirtualService,
    disable_unit,
    enable_unit,
)
from lvsc_ipvsadm import read, rules, script, units
from lvsc_ipvsadm.check import refusals
from lvsc_ipvsadm.needs import needs

_RENDERED = frozenset({VirtualService, RealServer, Timeouts, ConnectionSync})


class Ipvsadm(Backend):
    """Renders IPVS's table for ipvsadm. It probes no server and moves no address: nothing of it runs after loading."""

    name: ClassVar[str] = "ipvsadm"
    title: ClassVar[str] = "the IPVS table for ipvsadm, and the unit that reconciles the kernel with it"
    role: ClassVar[Role] = Role.DIRECTOR

    def renders(self, node: Node) -> bool:
        """Whether the node belongs in IPVS's table or beside it; a plugin's subclass is the plugin's to render."""
        return type(node) in _RENDERED

    def needs(self, node: Node) -> Iterable[Need]:
        """What ipvsadm must know for this node."""
        return needs(node)

    def check(self, part: HostPart) -> Iterable[Diagnostic]:
        """An error for each thing that ipvsadm would refuse, replace silently or be unable to restore."""
        return refusals(part.graph)

    def recognises(self, source: Source) -> bool:
        """Whether the text is a table, with or without a listing, or the script that loads one."""
        return read.recognises(source.text)

    def read(self, source: Source) -> Reading:
        """The services and real servers of a table; the time-outs and the synchronisation of a script."""
        return read.read(source)

    def emit(self, part: HostPart) -> Emission:
        """The table, the script that reconciles the kernel with it, and its unit; nothing where no node asks for it."""
        if not len(part.graph):
            return Emission()
        header = (
            f"# Written by lvsc for host {part.host} of cluster {part.cluster}. "
            "Do not edit: change the spec and build again."
        )
        target = part.target
        if target.init is Init.SYSTEMD:
            unit = units.SYSTEMD
            unit_text, mode = units.systemd_unit(header, part.graph, target), 0o644
        else:
            unit = units.OPENRC
            unit_text, mode = units.openrc_script(header, part.graph, target), 0o755
        shell = target.program("sh")
        return Emission(
            artifacts=(
                rules.table(part.graph, target).artifact(rules.PATH),
                script.script(header, part.graph, target).artifact(script.PATH, mode=0o755),
                unit_text.artifact(f"{target.paths.unit_dir}/{unit}", mode=mode),
            ),
            steps=(
                LoadStep(
                    stage=Stage.DIRECTOR,
                    unit=unit,
                    load=((shell, script.PATH, "start"),),
                    unload=((shell, script.PATH, "stop"),),
                    enable=enable_unit(target, unit),
                    disable=disable_unit(target, unit),
                ),
            ),
        )
