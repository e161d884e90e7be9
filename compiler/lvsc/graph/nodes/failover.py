"""How addresses move between directors, and connections with them."""

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Interface, IPv6Interface

from lvsc.graph.nodes.base import Node
from lvsc.graph.traffic import Address, Family
from lvsc.secrets import SecretRef

Interface = IPv4Interface | IPv6Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts(Node):
    """IPVS's time-outs for idle connections, in seconds; 0 leaves the kernel's."""

    tcp: int
    tcp_fin: int
    udp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSync(Node):
    """IPVS's connection synchronisation between directors, over multicast."""

    interface: str
    instance: str | None
    """The VRRP instance whose state decides who sends and who receives; None where both run at once."""
    sync_id: int
    max_length: int | None = None
    """The longest message in bytes; None leaves the kernel's, as the three below do."""
    port: int | None = None
    """UDP."""
    ttl: int | None = None
    """Of the multicast packets."""
    group: Address | None = None
    """The multicast group."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The spec's keys of what is asked for that only newer kernels can be told."""
        values = {"max_length": self.max_length, "port": self.port, "ttl": self.ttl, "group": self.group}
        return tuple(key for key, value in values.items() if value is not None)


class AddressRole(Enum):
    """Why a host has a virtual address."""

    SERVED = "served"
    GATEWAY = "gateway"
    """The real servers' default route."""
    LOOPBACK = "loopback"
    """A real server accepts packets for it, and never answers ARP for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualAddress(Node):
    """A virtual address on a host."""

    interface: str
    address: Interface
    role: AddressRole = field(compare=False)
    """A label: what a host does with the address follows from its interface and its instance."""
    instance: str | None
    """The VRRP instance that moves it; None where the host has it always."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (self.instance or "", self.interface, self.address.version, int(self.address.ip))


class AuthenticationType(Enum):
    """VRRPv2 authentication (keepalived.conf(5), auth_type)."""

    PASS = "pass"  # noqa: S105 - the protocol's word
    AH = "ah"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """How VRRPv2 adverts are authenticated."""

    type: AuthenticationType
    password: SecretRef


@dataclass(frozen=True, slots=True, kw_only=True)
class VrrpInstance(Node):
    """A director's part in one virtual router: one a network and family. Times are seconds."""

    name: str
    interface: str
    family: Family
    version: int
    router_id: int
    priority: int
    preempt: bool = True
    preempt_delay: float = 0
    advertisement_interval: float = 1
    unicast_source: Address | None = None
    """The director's own address where adverts are unicast; None where they are multicast."""
    unicast_peers: tuple[Address, ...] = ()
    authentication: Authentication | None = None
    """None where adverts are not authenticated, as always in VRRPv3."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncGroup(Node):
    """VRRP instances that fail over together, or one alone, and what is told when they do. Each instance is in one group."""

    name: str = field(compare=False)
    instances: tuple[str, ...]
    track_interfaces: tuple[str, ...] = ()
    """Besides those of the instances, which each instance tracks anyway."""
    track_scripts: tuple[str, ...] = ()
    master: str | None = None
    """A command run when the group becomes master; None runs nothing."""
    backup: str | None = None
    """Likewise when it becomes backup."""
    fault: str | None = None
    """Likewise when it cannot be either."""
    stop: str | None = None
    """Likewise when the program stops."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        return self.instances


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackScript(Node):
    """A command whose failure takes a director out of the failover group. Times are seconds."""

    name: str
    command: str
    interval: int
    timeout: int
    rise: int
    fall: int

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptUser(Node):
    """The user that health check, notify and track commands run as."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailAlerts(Node):
    """Who is told by mail when a real server or a director changes state."""

    sender: str
    recipients: tuple[str, ...]
    server: Address
    port: int = 25
