"""What IPVS is told: virtual services and their real servers."""

from dataclasses import dataclass, field
from enum import Enum

from lvsc.graph.nodes.base import Node
from lvsc.graph.traffic import Address, Family, Protocol


@dataclass(frozen=True, slots=True)
class MarkSelector:
    """A virtual service chosen by firewall mark, for one family."""

    mark: int
    family: Family

    @property
    def sort_key(self) -> tuple[object, ...]:
        """The order of `ipvsadm -S`: address services first, then marks ascending."""
        return (1, self.mark, self.family.value)


@dataclass(frozen=True, slots=True)
class AddressSelector:
    """A virtual service chosen by protocol, address and port; port 0 is every port that no other service has."""

    protocol: Protocol
    address: Address
    port: int

    @property
    def family(self) -> Family:
        """The family of the address."""
        return Family.of(self.address)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """The order of `ipvsadm -S`: address services first, by family, protocol, address and port."""
        return (0, self.family.value, self.protocol.number, int(self.address), self.port)


Selector = MarkSelector | AddressSelector


class Scheduler(Enum):
    """An IPVS scheduler, by the name that ipvsadm and keepalived use."""

    RR = "rr"
    WRR = "wrr"
    LC = "lc"
    WLC = "wlc"
    LBLC = "lblc"
    LBLCR = "lblcr"
    DH = "dh"
    SH = "sh"
    SED = "sed"
    NQ = "nq"
    FO = "fo"
    OVF = "ovf"
    MH = "mh"
    TWOS = "twos"


class SchedulerFlag(Enum):
    """A flag of the sh or mh scheduler, by the name that ipvsadm and keepalived use."""

    SH_FALLBACK = "sh-fallback"
    SH_PORT = "sh-port"
    MH_FALLBACK = "mh-fallback"
    MH_PORT = "mh-port"


class Forwarding(Enum):
    """How a packet reaches its real server."""

    NAT = "nat"
    DIRECT = "direct"
    TUNNEL = "tunnel"


class TunnelType(Enum):
    """The encapsulation of the tunnel forwarding method."""

    IPIP = "ipip"
    GUE = "gue"
    GRE = "gre"


class TunnelChecksum(Enum):
    """What the encapsulation's checksum covers (ipvsadm(8): --tun-nocsum, --tun-csum, --tun-remcsum)."""

    NONE = "none"
    FULL = "full"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """How a tunnelled packet is wrapped. `port` is the UDP port of gue and None otherwise."""

    type: TunnelType = TunnelType.IPIP
    port: int | None = None
    checksum: TunnelChecksum = TunnelChecksum.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """For how long, and for how large a neighbourhood of clients, one real server is kept."""

    timeout: int
    """Seconds."""
    prefix_length: int
    """Clients whose addresses agree in so many leading bits go together."""
    engine: str | None = None
    """What else ties requests together, such as `sip`; None is the client's address alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualService(Node):
    """What IPVS balances."""

    selector: Selector
    service: str = field(compare=False)
    scheduler: Scheduler
    flags: tuple[SchedulerFlag, ...] = ()
    """In the order of the enumeration."""
    persistence: Persistence | None = None
    """None where each connection is scheduled by itself."""
    one_packet: bool = False

    @property
    def sort_key(self) -> tuple[object, ...]:
        return self.selector.sort_key


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer(Node):
    """A real server of a virtual service. `host` is the director that balances to it."""

    selector: Selector
    name: str = field(compare=False)
    address: Address
    port: int
    """As IPVS stores it: 0 keeps the packet's own port, and only a service by mark or on every port has such servers."""
    forwarding: Forwarding
    tunnel: Tunnel | None = None
    """Said if and only if `forwarding` is the tunnel method."""
    """None unless `forwarding` is tunnel."""
    weight: int = 1
    upper_threshold: int = 0
    """No new connection above this many; 0 is no limit."""
    lower_threshold: int = 0

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (*self.selector.sort_key, self.address.version, int(self.address), self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class SorryServer(Node):
    """Where clients of a virtual service go while it has no quorum."""

    selector: Selector
    address: Address
    port: int
    forwarding: Forwarding
    tunnel: Tunnel | None = None
    """None unless `forwarding` is tunnel."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (*self.selector.sort_key, int(self.address), self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum(Node):
    """The total weight of live real servers that keeps a virtual service up, where it is not 1 or somebody is told."""

    selector: Selector
    weight: int = 1
    hysteresis: int = 0
    up: str | None = None
    """A command run when the quorum is gained."""
    down: str | None = None
    """A command run when the quorum is lost."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        return self.selector.sort_key
