"""What the directors need besides the services: failover, addresses, synchronisation, kernel settings, modules."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_interface

from lvsc.diagnostics import Anchor, Diagnostic, Origin, Place
from lvsc.graph.nodes import (
    AddressRole,
    ConnectionSync,
    EmailAlerts,
    Forwarding,
    Interface,
    KernelModule,
    ModuleOption,
    Node,
    ScriptProbe,
    ScriptUser,
    SyncGroup,
    Sysctl,
    Timeouts,
    TrackScript,
    VirtualAddress,
    VrrpInstance,
)
from lvsc.graph.traffic import Address, Family
from lvsc.lowering import codes
from lvsc.lowering.loops import LoopGuard
from lvsc.lowering.lowered import LoweredService
from lvsc.spec import model_codes
from lvsc.spec.model import (
    Check,
    Cluster,
    ClusterNetwork,
    Director,
    ExternalFailover,
    Firewall,
    NamedAddress,
    Vrrp,
)

_MODULE = "ip_vs"


@dataclass(frozen=True, slots=True)
class Placement:
    """Addresses of one family in one network: what one VRRP instance moves."""

    network: ClusterNetwork
    family: Family
    addresses: tuple[tuple[Address, AddressRole, Origin], ...]

    @property
    def instance(self) -> str:
        """The name of the VRRP instance."""
        return f"{self.network.name}-ipv{self.family.value}"


def placements(cluster: Cluster, services: Iterable[LoweredService]) -> tuple[Placement, ...]:
    """Where the virtual addresses are that a service or a gateway uses: one placement a network and family."""
    roles: dict[str, AddressRole] = {}
    for lowered in services:
        roles.update((address.name, AddressRole.SERVED) for address in lowered.service.addresses)
    for network in cluster.networks.values():
        if network.gateway is not None:
            roles.setdefault(network.gateway, AddressRole.GATEWAY)
    found: dict[tuple[str, Family], list[tuple[Address, AddressRole, Origin]]] = {}
    for name, role in roles.items():
        named: NamedAddress = cluster.addresses[name]
        for ip in named.ips:
            found.setdefault((named.network, Family.of(ip)), []).append((ip, role, named.origin))
    return tuple(
        Placement(network, family, tuple(found[network.name, family]))
        for network in cluster.networks.values()
        for family in Family
        if (network.name, family) in found
    )


def check_failover(cluster: Cluster, places: Iterable[Placement]) -> Iterator[Diagnostic]:
    """What keeps VRRP from moving the addresses."""
    vrrp = cluster.failover
    if not isinstance(vrrp, Vrrp):
        return
    places = tuple(places)
    yield from _report_shared_interfaces(cluster, vrrp, places)
    six = [place.addresses[0] for place in places if place.family is Family.IPV6]
    if six and vrrp.version == 2:  # noqa: PLR2004 - VRRP's version 2
        yield codes.SYNC_FAMILY.at(
            vrrp.origin / "version",
            f"VRRP version 2 cannot move `{six[0][0]}`",
            others=[Place(origin, Anchor.TABLE, "a virtual IPv6 address") for _, _, origin in six],
            help="set `version = 3`",
        )
    if vrrp.unicast and len(cluster.directors) == 1:
        yield model_codes.KEYS.at(
            vrrp.origin / "unicast",
            f"`unicast` has nobody to send to: `{cluster.directors[0].name}` is the only director",
            help="remove it, or add another director",
        )
    for director, place in _without_own_address(cluster, vrrp, places):
        yield model_codes.NO_OWN_ADDRESS.at(
            director.origin / "addresses",
            f"director `{director.name}` has no IPv{place.family.value} address of its own in network `{place.network.name}`",
            others=[Place(vrrp.origin, Anchor.TABLE, "VRRP sends its adverts from it")],
            help=f'add `{place.network.name} = ["…"]` to its `addresses`',
        )


def _without_own_address(
    cluster: Cluster, vrrp: Vrrp, places: Iterable[Placement]
) -> Iterator[tuple[Director, Placement]]:
    for place in places:
        if place.family is Family.IPV6 and not vrrp.unicast:
            continue  # adverts go out from the interface's link-local address
        for director in cluster.directors:
            if director.address_in(place.network.name, place.family) is None:
                yield director, place


def silent_directors(cluster: Cluster, places: Iterable[Placement]) -> frozenset[tuple[str, str, Family]]:
    """The directors, networks and families that `check_failover` finds no own address for."""
    vrrp = cluster.failover
    if not isinstance(vrrp, Vrrp):
        return frozenset()
    return frozenset(
        (director.name, place.network.name, place.family)
        for director, place in _without_own_address(cluster, vrrp, places)
    )


def _report_shared_interfaces(
    cluster: Cluster, vrrp: Vrrp, places: Iterable[Placement]
) -> Iterator[Diagnostic]:
    """Two virtual routers of one id and family on one interface are one to everybody who listens there."""
    first: dict[tuple[str, str, Family], ClusterNetwork] = {}
    told: set[str] = set()
    for place in places:
        for director in cluster.directors:
            interface = director.interface(place.network)
            other = first.setdefault((director.name, interface, place.family), place.network)
            if other is not place.network and place.network.name not in told:
                told.add(place.network.name)
                yield codes.SHARED_INTERFACE.at(
                    Place(place.network.origin, Anchor.TABLE),
                    f"networks `{other.name}` and `{place.network.name}` would be two virtual routers"
                    f" {vrrp.virtual_router_id} on `{interface}` of director `{director.name}`",
                    others=[Place(other.origin, Anchor.TABLE, "the other network")],
                    help=f"put the prefixes and addresses of both into network `{other.name}`",
                )


def director_nodes(
    cluster: Cluster,
    services: tuple[LoweredService, ...],
    places: tuple[Placement, ...],
    guards: Iterable[LoopGuard],
) -> Iterator[Node]:
    """The nodes of every director that belong to no one service."""
    backup_only = {name for guard in guards for name in guard.backup_only}
    for director in cluster.directors:
        yield from _addresses(cluster, director, places)
        if isinstance(cluster.failover, Vrrp):
            yield from _vrrp(cluster, cluster.failover, director, places)
        yield from _daemon(cluster, director, places)
        yield from _sysctls(cluster, director, services, backup_only=director.name in backup_only)
        yield from _modules(cluster, director, services)


def _addresses(cluster: Cluster, director: Director, places: tuple[Placement, ...]) -> Iterator[Node]:
    if isinstance(cluster.failover, ExternalFailover):
        return
    for place in places:
        for ip, role, origin in place.addresses:
            yield VirtualAddress(
                host=director.name,
                origin=origin,
                interface=director.interface(place.network),
                address=_with_length(place.network, director, ip),
                role=role,
                instance=place.instance if cluster.failover else None,
            )


def _with_length(network: ClusterNetwork, director: Director, ip: Address) -> Interface:
    """The address as the interface gets it: alone where the director's own brings the route to its prefix."""
    prefix = network.prefix_of(ip)
    own = any(
        prefix and a in prefix for a in director.addresses.get(network.name, ()) if a.version == ip.version
    )
    length = ip.max_prefixlen if own or prefix is None else prefix.prefixlen
    return ip_interface(f"{ip}/{length}")


def _vrrp(cluster: Cluster, vrrp: Vrrp, director: Director, places: tuple[Placement, ...]) -> Iterator[Node]:
    for place in places:
        source = director.address_in(place.network.name, place.family) if vrrp.unicast else None
        peers = (
            peer.address_in(place.network.name, place.family)
            for peer in cluster.directors
            if peer is not director
        )
        yield VrrpInstance(
            host=director.name,
            origin=vrrp.origin,
            said_at=(("priority", director.origin / "priority"),),
            name=place.instance,
            interface=director.interface(place.network),
            family=place.family,
            version=vrrp.version,
            router_id=vrrp.virtual_router_id,
            priority=director.priority,
            preempt=vrrp.preempt,
            preempt_delay=vrrp.preempt_delay,
            advertisement_interval=vrrp.advertisement_interval,
            unicast_source=source,
            unicast_peers=tuple(sorted((p for p in peers if p is not None), key=int)) if vrrp.unicast else (),
            authentication=vrrp.authentication,
        )
    if places:
        yield SyncGroup(
            host=director.name,
            origin=vrrp.origin,
            name=cluster.name,
            instances=tuple(place.instance for place in places),
            track_interfaces=tuple(
                sorted(
                    {director.interface(cluster.networks[name]) for name in vrrp.track_interfaces}
                    - {director.interface(place.network) for place in places}
                )
            ),
            track_scripts=tuple(script.name for script in vrrp.track_scripts),
            master=vrrp.notify.get("master"),
            backup=vrrp.notify.get("backup"),
            fault=vrrp.notify.get("fault"),
            stop=vrrp.notify.get("stop"),
        )
    for script in vrrp.track_scripts:
        yield TrackScript(
            host=director.name,
            origin=script.origin,
            name=script.name,
            command=script.command,
            interval=script.interval,
            timeout=script.timeout,
            rise=script.rise,
            fall=script.fall,
        )


def _daemon(cluster: Cluster, director: Director, places: tuple[Placement, ...]) -> Iterator[Node]:
    if cluster.timeouts is not None:
        times = cluster.timeouts
        yield Timeouts(
            host=director.name, origin=times.origin, tcp=times.tcp, tcp_fin=times.tcp_fin, udp=times.udp
        )
    sync = cluster.connection_sync
    if sync is not None:
        yield ConnectionSync(
            host=director.name,
            origin=sync.origin,
            interface=director.interface(cluster.networks[sync.network]),
            instance=places[0].instance if isinstance(cluster.failover, Vrrp) and places else None,
            sync_id=sync.id,
            max_length=sync.max_length,
            port=sync.port,
            ttl=sync.ttl,
            group=sync.group,
        )
    if cluster.email is not None:
        mail = cluster.email
        yield EmailAlerts(
            host=director.name,
            origin=mail.origin,
            sender=mail.sender,
            recipients=mail.recipients,
            server=mail.server,
            port=mail.port,
        )
    command = next(_commands(cluster), None)
    if command is not None:
        user = cluster.origin / "script_user"
        yield ScriptUser(
            host=director.name, origin=command, said_at=(("script_user", user),), user=cluster.script_user
        )


def _commands(cluster: Cluster) -> Iterator[Origin]:
    """Where the spec says commands to run."""
    vrrp = cluster.failover
    if isinstance(vrrp, Vrrp):
        if vrrp.notify:
            yield vrrp.origin / "notify"
        yield from (script.origin / "command" for script in vrrp.track_scripts)
    for service in cluster.services:
        check = service.check or service.pool.check
        if isinstance(check, Check) and isinstance(check.probe, ScriptProbe):
            yield check.origin / "command"
        if service.pool.notify:
            yield service.pool.origin / "notify"


def uses_conntrack(cluster: Cluster) -> bool:
    """Whether IPVS keeps its packets' conntrack entries.

    NAT behind a stateful firewall needs them, and so does source NAT. By direct routing and tunnel the director sees half of
    each connection, and tracking it would only make the other half's absence a fault.
    """
    nat = [service for service in cluster.services if Forwarding.NAT in service.forwardings]
    return any(service.source_nat for service in nat) or (bool(nat) and cluster.firewall is not Firewall.NONE)


def _sysctls(
    cluster: Cluster, director: Director, services: tuple[LoweredService, ...], *, backup_only: bool
) -> Iterator[Node]:
    def setting(key: str, value: object, origin: Origin = cluster.origin) -> Sysctl:
        return Sysctl(host=director.name, origin=origin, key=key, value=str(value))

    for family, key in ((Family.IPV4, "net.ipv4.ip_forward"), (Family.IPV6, "net.ipv6.conf.all.forwarding")):
        if any(_translates(lowered, family) for lowered in services):
            yield setting(key, 1)
    yield setting("net.ipv4.vs.conntrack", int(uses_conntrack(cluster)))
    for interface in _one_network_nat(cluster, director, services):
        # A real server in the client's network would be told of the shorter way, which does not translate back.
        yield setting("net.ipv4.conf.all.send_redirects", 0)
        yield setting(f"net.ipv4.conf.{interface.replace('.', '/')}.send_redirects", 0)
    if backup_only:
        yield setting("net.ipv4.vs.backup_only", 1)
    tuning = cluster.tuning
    if tuning is None:
        return
    for name in ("expire_nodest_conn", "expire_quiescent_template", "conn_reuse_mode", "sloppy_tcp"):
        value: bool | int | None = getattr(tuning, name)
        if value is not None:
            yield setting(f"net.ipv4.vs.{name}", int(value), tuning.origin / name)
    if tuning.sync_threshold is not None:
        packets, period = tuning.sync_threshold
        yield setting("net.ipv4.vs.sync_threshold", f"{packets} {period}", tuning.origin / "sync_threshold")
    if tuning.conntrack_max is not None:
        yield setting("net.netfilter.nf_conntrack_max", tuning.conntrack_max, tuning.origin / "conntrack_max")


def _translates(lowered: LoweredService, family: Family) -> bool:
    service = lowered.service
    return family in service.families and Forwarding.NAT in service.forwardings


def _one_network_nat(
    cluster: Cluster, director: Director, services: tuple[LoweredService, ...]
) -> tuple[str, ...]:
    """The director's interfaces in networks that hold both a virtual address and a real server reached by NAT."""
    found: set[str] = set()
    for lowered in services:
        for network in {address.network for address in lowered.service.addresses}:
            here = cluster.networks[network]
            if any(
                server.forwarding is Forwarding.NAT
                and any(ip.version == 4 and here.prefix_of(ip) for ip in server.ips)  # noqa: PLR2004 - redirects are IPv4's
                for server in lowered.service.pool.enabled
            ):
                found.add(director.interface(here))
    return tuple(sorted(found))


def _modules(cluster: Cluster, director: Director, services: tuple[LoweredService, ...]) -> Iterator[Node]:
    names = {_MODULE} | {f"ip_vs_{lowered.service.scheduler.value}" for lowered in services}
    names |= {
        f"ip_vs_pe_{lowered.service.persistence_engine}"
        for lowered in services
        if lowered.service.persistence_engine
    }
    tuning = cluster.tuning
    if uses_conntrack(cluster) or (tuning and (tuning.conntrack_max or tuning.conntrack_buckets)):
        names.add("nf_conntrack")
    for name in sorted(names):
        yield KernelModule(host=director.name, origin=cluster.origin, name=name)
    if tuning is None:
        return
    for module, option, key in (
        (_MODULE, "conn_tab_bits", "connection_table_bits"),
        ("nf_conntrack", "hashsize", "conntrack_buckets"),
    ):
        value: int | None = getattr(tuning, key)
        if value is not None:
            yield ModuleOption(
                host=director.name, origin=tuning.origin / key, module=module, option=option, value=str(value)
            )
