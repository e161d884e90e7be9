"""A cluster as its spec describes it: typed, addresses parsed, names resolved. Times are seconds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from lvsc.diagnostics import Origin
from lvsc.graph.nodes import (
    Authentication,
    FailureAction,
    Forwarding,
    Probe,
    Scheduler,
    SchedulerFlag,
    Tunnel,
)
from lvsc.graph.traffic import Address, Family, Network


class Firewall(Enum):
    """What filters packets on the directors."""

    NONE = "none"
    STATEFUL = "stateful"
    FIREWALLD = "firewalld"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRange:
    """Where derived marks lie, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNetwork:
    """A network that the directors are on."""

    name: str
    interface: str
    prefixes: tuple[Network, ...]
    gateway: str | None
    """The name of the virtual address that is the real servers' default route."""
    origin: Origin

    def prefix_of(self, address: Address) -> Network | None:
        """The network's longest prefix that an address is in."""
        found = [p for p in self.prefixes if p.version == address.version and address in p]
        return max(found, key=lambda prefix: prefix.prefixlen) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Director:
    """A host that runs IPVS. The mappings' keys are networks' names."""

    name: str
    priority: int
    addresses: Mapping[str, tuple[Address, ...]]
    interfaces: Mapping[str, str]
    macs: Mapping[str, str]
    origin: Origin

    def interface(self, network: ClusterNetwork) -> str:
        """The director's interface in a network."""
        return self.interfaces.get(network.name, network.interface)

    def address_in(self, network: str, family: Family) -> Address | None:
        """The director's first own address of a family in a network."""
        return next((a for a in self.addresses.get(network, ()) if Family.of(a) is family), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackCommand:
    """A command whose failure makes a director give up its addresses."""

    name: str
    command: str
    interval: int
    timeout: int
    rise: int
    fall: int
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Vrrp:
    """Failover by VRRP."""

    version: int
    virtual_router_id: int
    advertisement_interval: float
    preempt: bool
    preempt_delay: float
    unicast: bool
    authentication: Authentication | None
    track_interfaces: tuple[str, ...]
    """Networks' names."""
    track_scripts: tuple[TrackCommand, ...]
    notify: Mapping[str, str]
    """Commands by state: master, backup, fault, stop."""
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalFailover:
    """Something else moves the addresses."""

    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """Connection synchronisation."""

    network: str
    id: int
    max_length: int | None
    port: int | None
    ttl: int | None
    group: Address | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutSettings:
    """IPVS's timeouts; 0 leaves the kernel's."""

    tcp: int
    tcp_fin: int
    udp: int
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Kernel settings; None leaves the kernel's."""

    expire_nodest_conn: bool | None = None
    expire_quiescent_template: bool | None = None
    conn_reuse_mode: int | None = None
    sloppy_tcp: bool | None = None
    sync_threshold: tuple[int, int] | None = None
    connection_table_bits: int | None = None
    conntrack_max: int | None = None
    conntrack_buckets: int | None = None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSettings:
    """Who is told by mail."""

    sender: str
    recipients: tuple[str, ...]
    server: Address
    port: int
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAddress:
    """A virtual address of the spec: one or more IP addresses that move together."""

    name: str
    network: str
    ips: tuple[Address, ...]
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How a real server is probed; `port` None asks for the one that fits."""

    probe: Probe
    port: int | None
    interval: float
    timeout: float
    retries: int
    delay_before_retry: float
    origin: Origin


@dataclass(frozen=True, slots=True)
class NoCheck:
    """The spec says that real servers are not probed."""

    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Commands that run when a real server or the quorum changes state."""

    up: str | None = None
    down: str | None = None
    quorum_up: str | None = None
    quorum_down: str | None = None

    def __bool__(self) -> bool:
        return any((self.up, self.down, self.quorum_up, self.quorum_down))


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolServer:
    """A real server in a pool, with its pool's and the cluster's defaults filled in."""

    name: str
    ips: tuple[Address, ...]
    port: int | None
    """None where it is the service's."""
    weight: int
    """What IPVS is told: 0 while it is drained."""
    upper_threshold: int
    lower_threshold: int
    forwarding: Forwarding
    tunnel: Tunnel | None
    """None unless `forwarding` is tunnel."""
    disabled: bool
    target: str | None
    """None where it is the directors'."""
    interface: str | None
    """None where the spec does not say it."""
    managed: bool
    origin: Origin
    said_at: tuple[tuple[str, Origin], ...] = field(default=(), compare=False)
    """What it takes from its pool, and where the pool says it."""

    def at(self, key: str) -> Origin:
        """Where the spec says one of its keys, or could."""
        return dict(self.said_at).get(key) or self.origin / key

    def ip(self, family: Family) -> Address | None:
        """Its address of a family."""
        return next((ip for ip in self.ips if Family.of(ip) is family), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SorryHost:
    """Where clients go while there is no quorum."""

    ips: tuple[Address, ...]
    port: int | None
    forwarding: Forwarding
    tunnel: Tunnel | None
    origin: Origin
    said_at: tuple[tuple[str, Origin], ...] = field(default=(), compare=False)
    """What it takes from its pool, and where the pool says it."""

    def ip(self, family: Family) -> Address | None:
        """Its address of a family."""
        return next((ip for ip in self.ips if Family.of(ip) is family), None)


def reached_at(server: PoolServer | SorryHost, family: Family) -> Address | None:
    """Where packets of a family are sent to reach a server; a tunnel carries either family over either."""
    own = server.ip(family)
    if own is None and server.forwarding is Forwarding.TUNNEL and server.ips:
        return server.ips[0]
    return own


def served(server: PoolServer | SorryHost, families: Iterable[Family]) -> tuple[Family, ...]:
    """Those of the families in which packets can be sent to a server."""
    return tuple(family for family in families if reached_at(server, family) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Real servers that serve the same."""

    name: str
    real_servers: tuple[PoolServer, ...]
    check: Check | NoCheck | None
    on_failure: FailureAction
    quorum: int | None
    hysteresis: int
    sorry_server: SorryHost | None
    notify: Notify
    origin: Origin
    said_at: tuple[tuple[str, Origin], ...] = field(default=(), compare=False)
    """What the health checks of its real servers take from it, and where it says it."""

    @property
    def enabled(self) -> tuple[PoolServer, ...]:
        """The real servers that are not disabled."""
        return tuple(server for server in self.real_servers if not server.disabled)

    @property
    def everybody(self) -> tuple[PoolServer | SorryHost, ...]:
        """Whoever may be sent a client: the real servers that are not disabled, and the sorry server."""
        return self.enabled if self.sorry_server is None else (*self.enabled, self.sorry_server)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Traffic to virtual addresses, and the pool that serves it."""

    name: str
    kind: str
    addresses: tuple[NamedAddress, ...]
    pool: Pool
    mark: int | None
    """None where the spec says none: there may be a derived one."""
    scheduler: Scheduler
    scheduler_flags: tuple[SchedulerFlag, ...]
    persistence: int | None
    """Seconds; None where the spec says none, though the kind may need it."""
    granularity: Mapping[Family, int]
    persistence_engine: str | None
    """None is the client's address alone."""
    one_packet: bool
    source_nat: bool | str
    """Whether, or with the director's address in which network."""
    check: Check | NoCheck | None
    """None where it is the pool's."""
    options: object
    """What the service kind made of its own keys."""
    origin: Origin

    def ips(self, family: Family) -> tuple[Address, ...]:
        """The service's addresses of a family, in order."""
        return tuple(
            sorted(
                {ip for address in self.addresses for ip in address.ips if Family.of(ip) is family}, key=int
            )
        )

    @property
    def families(self) -> tuple[Family, ...]:
        """The families that the service has addresses of."""
        return tuple(family for family in Family if self.ips(family))

    @property
    def forwardings(self) -> frozenset[Forwarding]:
        """The forwarding methods of its real servers."""
        return frozenset(server.forwarding for server in self.pool.enabled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One cluster."""

    name: str
    file: str
    target: str
    backends: tuple[str, ...]
    forwarding: Forwarding
    firewall: Firewall | None
    """None where the spec does not say it: any of them."""
    accept: bool
    marks: MarkRange
    script_user: str
    networks: Mapping[str, ClusterNetwork]
    directors: tuple[Director, ...]
    failover: Vrrp | ExternalFailover | None
    """None where the spec has none, as only a single director may."""
    connection_sync: SyncSettings | None
    """None where there is none."""
    timeouts: TimeoutSettings | None
    """None leaves the kernel's."""
    tuning: Tuning | None
    """None leaves the kernel's."""
    email: EmailSettings | None
    """None tells nobody."""
    addresses: Mapping[str, NamedAddress]
    pools: Mapping[str, Pool]
    services: tuple[Service, ...]
    origin: Origin

    def network_of(self, address: Address) -> ClusterNetwork | None:
        """The directors' network that an address is in: the one of the longest prefix, as routing has it."""
        found = [(prefix.prefixlen, n) for n in self.networks.values() if (prefix := n.prefix_of(address))]
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def managing_all(self) -> "Cluster":
        """The same cluster, of which lvsc manages every real server."""
        pools = {
            name: replace(pool, real_servers=tuple(replace(one, managed=True) for one in pool.real_servers))
            for name, pool in self.pools.items()
        }
        services = tuple(replace(each, pool=pools[each.pool.name]) for each in self.services)
        return replace(self, pools=pools, services=services)

    def at(self, *path: str | int) -> Origin:
        """The origin of a key of the spec."""
        return Origin(self.file, path)
