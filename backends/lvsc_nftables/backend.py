from collections.abc import Iterable
from typing import ClassVar

from lvsc.plugin import (
    Accept,
    Backend,
    Diagnostic,
    Emission,
    Feature,
    HelperAssignment,
    HostPart,
    Init,
    LoadStep,
    Need,
    Node,
    PacketRule,
    Reading,
    Role,
    Source,
    Stage,
    disable_unit,
    enable_unit,
)
from lvsc_nftables import read
from lvsc_nftables.check import refusals
from lvsc_nftables.lookup import RENDERED
from lvsc_nftables.ruleset import RULESET_PATH, packet_rules, removal, ruleset
from lvsc_nftables.units import OPENRC_UNIT, SYSTEMD_UNIT, drop_in, openrc_script, systemd_unit


class Nftables(Backend):
    """Renders the packet filter's nodes as one nftables table of lvsc's own."""

    name: ClassVar[str] = "nftables"
    title: ClassVar[str] = "one nftables table of lvsc's own, and the unit that loads it"
    role: ClassVar[Role] = Role.PACKET_FILTER

    def renders(self, node: Node) -> bool:
        """Whether the node is a packet rule of the core's own; a plugin's subclass is the plugin's to render."""
        return type(node) in (*RENDERED, Accept)

    def needs(self, node: Node) -> Iterable[Feature | Need]:
        """What every table needs, and `ct helper` objects or original destinations where the node calls for them."""
        yield Feature.KERNEL_NFTABLES
        yield Feature.NFT_TRANSPORT_PORTS
        if isinstance(node, HelperAssignment):
            yield Need(Feature.KERNEL_NFT_CT_HELPER, node.origin)
            yield Need(Feature.NFT_CT_HELPER, node.origin)
        if isinstance(node, PacketRule) and (
            node.traffic.original_destination is not None
            or node.traffic.original_destination_ports is not None
        ):
            yield Need(Feature.KERNEL_NFT_CT_ORIGINAL, node.origin)

    def check(self, part: HostPart) -> Iterable[Diagnostic]:
        """An error for each node that a table of lvsc's own cannot carry out."""
        return refusals(part)

    def emit(self, part: HostPart) -> Emission:
        """The ruleset and its unit; nothing for a host without rules."""
        if next(packet_rules(part.graph), None) is None:
            return Emission()
        header = (
            f"# Written by lvsc for host {part.host} of cluster {part.cluster}. "
            "Do not edit: change the spec and build again."
        )
        target = part.target
        directory = target.paths.unit_dir
        artifacts = [ruleset(header, part).artifact(RULESET_PATH)]
        if target.init is Init.SYSTEMD:
            unit = SYSTEMD_UNIT
            artifacts.append(systemd_unit(header, target).artifact(f"{directory}/{unit}"))
            artifacts += [
                drop_in(header, target).artifact(f"{directory}/{wiper}.d/lvsc-nftables.conf")
                for wiper in target.units.nftables
            ]
        else:
            unit = OPENRC_UNIT
            artifacts.append(openrc_script(header, target).artifact(f"{directory}/{unit}", mode=0o755))
        nft = target.program("nft")
        step = LoadStep(
            stage=Stage.PACKET_FILTER,
            unit=unit,
            load=((nft, "-f", RULESET_PATH),),
            unload=((nft, "; ".join(removal(target))),),
            enable=enable_unit(target, unit),
            disable=disable_unit(target, unit),
        )
        return Emission(artifacts=tuple(artifacts), steps=(step,))

    def recognises(self, source: Source) -> bool:
        """Whether it is a ruleset in nft's language, or in the JSON that nft prints."""
        return read.recognises(source.text)

    def read(self, source: Source) -> Reading:
        """The rules of lvsc's own tables as nodes, everything in other tables as foreign."""
        return read.read(source)
