"""The rule graph's nodes: what a cluster's programs must be told, in no program's language.

A node's identity is what it means; `origin` and the labels for readers (`service`, `name`) are left out of equality.
Every node lives on one host. A plugin may define node types of its own by deriving from `Node`.
"""

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Interface, IPv6Interface
from typing import ClassVar

from lvsc.diagnostics import Origin
from lvsc.graph.traffic import Address, Family, Protocol, TrafficClass
from lvsc.secrets import SecretRef

Interface = IPv4Interface | IPv6Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Something that one host must be told."""

    said: ClassVar[str] = ""
    """What messages call a node of a plugin's own type; unsaid, its type's name."""

    host: str
    origin: Origin = field(compare=False, repr=False)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """A key that orders the nodes of one type on one host by what they mean."""
        return ()


# --- packet filter -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRule(Node):
    """A node that a packet filter renders: what happens to a class of packets. No two conflict, so order is free."""

    traffic: TrafficClass
    service: str = field(compare=False)
    """The service that asks for the rule; every emitted rule names it in a comment."""
    reason: str = field(default="", compare=False)
    """Why it is there, or not as an operator may expect it: one line, emitted as a comment."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        return self.traffic.sort_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking(PacketRule):
    """Packets that get a firewall mark, so that IPVS treats them as one service."""

    mark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperAssignment(PacketRule):
    """Connections that a conntrack helper reads."""

    helper: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTrack(PacketRule):
    """Packets that connection tracking passes over, because it sees only one half of their connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNat(PacketRule):
    """Connections whose source address is replaced on the way out."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(PacketRule):
    """Packets that the director's own firewall must let through, emitted where the spec asks for it."""


# --- director ----------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualService(Node):
    """What IPVS balances."""

    selector: Selector
    service: str = field(compare=False)
    scheduler: Scheduler
    flags: tuple[SchedulerFlag, ...] = ()
    """In the order of the enumeration."""
    persistence: Persistence | None = None
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
    """0 keeps the packet's own port."""
    forwarding: Forwarding
    tunnel: Tunnel | None = None
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

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (*self.selector.sort_key, int(self.address), self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum(Node):
    """The total weight of live real servers that keeps a virtual service up."""

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


class FailureAction(Enum):
    """What becomes of a real server that fails its health check."""

    REMOVE = "remove"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpProbe:
    """Alive if it accepts a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """Alive if it answers as said over HTTP, or HTTPS where `tls`."""

    tls: bool
    path: str
    status: tuple[tuple[int, int], ...]
    """Sorted, disjoint ranges of accepted status codes."""
    digest: str | None = None
    """The MD5 of the body, in hexadecimal."""
    regex: str | None = None
    virtual_host: str | None = None
    sni: bool = False
    http_version: str = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpProbe:
    """Alive if it greets over SMTP."""

    helo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsProbe:
    """Alive if it answers a DNS query."""

    record: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpProbe:
    """Alive if it does not refuse a datagram, or if it answers where `reply` is said."""

    payload: str | None = None
    """Hexadecimal."""
    require_reply: bool = False
    reply: str | None = None
    """Hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PingProbe:
    """Alive if it answers an ICMP echo request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptProbe:
    """Alive if a command says so."""

    command: str
    """An absolute path and its arguments."""


Probe = TcpProbe | HttpProbe | SmtpProbe | DnsProbe | UdpProbe | PingProbe | ScriptProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck(Node):
    """How a director learns that a real server of a virtual service lives. Times are seconds."""

    selector: Selector
    address: Address
    port: int
    """With `selector` and `address`, the real server that is probed."""
    probe: Probe
    probe_port: int | None
    """The port to connect to; None for a ping or a script."""
    interval: float
    timeout: float
    retries: int
    delay_before_retry: float
    on_failure: FailureAction = FailureAction.REMOVE
    up: str | None = None
    """A command run when the real server comes back."""
    down: str | None = None
    """A command run when the real server fails."""

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (*self.selector.sort_key, self.address.version, int(self.address), self.port)


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
    port: int | None = None
    ttl: int | None = None
    group: Address | None = None


# --- failover ----------------------------------------------------------------------------------------------------


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
    role: AddressRole
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
    unicast_peers: tuple[Address, ...] = ()
    authentication: Authentication | None = None

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncGroup(Node):
    """VRRP instances that fail over together, and what is told when they do."""

    name: str
    instances: tuple[str, ...]
    track_interfaces: tuple[str, ...] = ()
    track_scripts: tuple[str, ...] = ()
    master: str | None = None
    backup: str | None = None
    fault: str | None = None
    stop: str | None = None

    @property
    def sort_key(self) -> tuple[object, ...]:
        return (self.name,)


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


# --- hosts -------------------------------------------------------------------------------------------------------


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
