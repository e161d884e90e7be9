"""What hosts need of their kernel."""

from dataclasses import dataclass

from lvsc.graph.nodes.base import Node
from lvsc.graph.nodes.services import TunnelChecksum, TunnelType
from lvsc.graph.traffic import Address, Family


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelModule(Node):
    """A kernel module that is loaded before anything that needs it."""

    name: str

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleOption(Node):
    """One value of a module's option. Several values of one option are a list (modprobe.d: `ports=21,2121`)."""

    module: str
    option: str
    value: str

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (self.module, self.option, len(self.value), self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sysctl(Node):
    """A kernel setting. One key has one value on a host."""

    key: str
    """With slashes or dots as sysctl.d(5) has it: dots separate, an interface's own dot is a slash."""
    value: str

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (self.key,)


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelDevice(Node):
    """What a real server unwraps tunnelled packets with."""

    type: TunnelType
    family: Family
    """The family of the packets inside; the outer one is that of the real server's address."""
    outer_family: Family
    port: int | None = None
    """The UDP port of gue, None otherwise."""
    checksum: TunnelChecksum = TunnelChecksum.NONE
    """A gre device takes packets with the checksum or without it, never both."""
    local: Address | None = None
    """Where the packets are sent to, for a device of its own; None otherwise."""

    @property
    def own(self) -> bool:
        """Whether it needs a device of its own; the one that comes with the module takes no gre checksums.

        Such a device needs a local address: the kernel takes it for the module's own otherwise (docs/kernel-facts.md).
        """
        return self.type is TunnelType.GRE and self.checksum is not TunnelChecksum.NONE

    @property
    def device(self) -> str:
        """The device that the packets come out of (docs/kernel-facts.md, Tunnels)."""
        outer_ipv4 = self.outer_family is Family.IPV4
        if self.own:
            return "lvsc-gre" if outer_ipv4 else "lvsc-gre6"
        if self.type is TunnelType.GRE:
            return "gre0" if outer_ipv4 else "ip6gre0"
        if outer_ipv4:
            return "tunl0" if self.family is Family.IPV4 else "sit0"
        return "ip6tnl0"

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (
            self.type.value,
            self.family.value,
            self.outer_family.value,
            self.port or 0,
            self.checksum.value,
            -1 if self.local is None else int(self.local),
        )
