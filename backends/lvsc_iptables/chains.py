"""The chains that are lvsc's own, and where each is jumped to from."""

from dataclasses import dataclass
from enum import Enum

from lvsc.plugin import Accept, HelperAssignment, Hook, Marking, NoTrack, PacketRule, SourceNat


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What is known of one chain."""

    table: str
    chain: str
    """At most 28 characters: XT_EXTENSION_MAXNAMELEN of the kernel's x_tables.h, less the final zero."""
    nodes: tuple[type[PacketRule], ...]
    """The types of the nodes whose rules are in it, in the order of their rules."""
    hook: Hook
    last: bool
    """Whether the jump is appended to the built-in chain rather than inserted at its top."""
    why: str
    """Why the jump stands there, for the reader of the loader script."""


_CONNTRACK_WHY = "First: CT leaves a packet alone that an earlier CT rule has seen (Linux: xt_ct_target)."
_MARK_WHY = (
    "Last: MARK ends nothing and IPVS looks at the whole mark, so the last rule to set it must be lvsc's."
)
_ACCEPT_WHY = "First: a REJECT or DROP at the end of the distribution's rules must not come before it."


class Chain(Enum):
    """A chain of lvsc's own, in the order of the restore file: as packets meet the tables, then by name."""

    CONNTRACK = ChainFacts(
        "raw",
        "LVSC-CONNTRACK",
        (NoTrack, HelperAssignment),
        Hook.PREROUTING,
        last=False,
        why=_CONNTRACK_WHY,
    )
    CONNTRACK_OUT = ChainFacts(
        "raw", "LVSC-CONNTRACK-OUT", (NoTrack,), Hook.OUTPUT, last=False, why=_CONNTRACK_WHY
    )
    MARK = ChainFacts("mangle", "LVSC-MARK", (Marking,), Hook.PREROUTING, last=True, why=_MARK_WHY)
    MARK_OUT = ChainFacts("mangle", "LVSC-MARK-OUT", (Marking,), Hook.OUTPUT, last=True, why=_MARK_WHY)
    SNAT = ChainFacts(
        "nat",
        "LVSC-SNAT",
        (SourceNat,),
        Hook.POSTROUTING,
        last=False,
        why="First: the first rule of the nat table that matches wins, and MASQUERADE often matches everything.",
    )
    FORWARD = ChainFacts("filter", "LVSC-FORWARD", (Accept,), Hook.FORWARD, last=False, why=_ACCEPT_WHY)
    INPUT = ChainFacts("filter", "LVSC-INPUT", (Accept,), Hook.INPUT, last=False, why=_ACCEPT_WHY)

    @property
    def table(self) -> str:
        """The table that the chain is in."""
        return self.value.table

    @property
    def label(self) -> str:
        """The chain's name on the host; no two are alike, whatever the table."""
        return self.value.chain

    @property
    def nodes(self) -> tuple[type[PacketRule], ...]:
        """The types of the nodes whose rules are in it, in the order of their rules."""
        return self.value.nodes

    @property
    def hook(self) -> Hook:
        """The hook whose built-in chain jumps to it."""
        return self.value.hook

    @property
    def last(self) -> bool:
        """Whether the jump is appended to the built-in chain rather than inserted at its top."""
        return self.value.last

    @property
    def why(self) -> str:
        """Why the jump stands there."""
        return self.value.why


_BY_NODE = {(node, chain.hook): chain for chain in Chain for node in chain.nodes}


def chain_of(node: PacketRule) -> Chain | None:
    """The chain that the node's rule belongs in, None where its hook has none."""
    return _BY_NODE.get((type(node), node.traffic.hook))


def hooks_of(kind: type[PacketRule]) -> tuple[Hook, ...]:
    """The hooks at which nodes of this type have a chain."""
    return tuple(chain.hook for chain in Chain if kind in chain.nodes)
