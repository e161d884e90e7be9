"""The machines and wires of a cluster, as a laboratory makes them: what the operator has before lvsc's files come.

Every network of the spec is a segment, where each director has an address of every prefix: one that the spec does not know
of where it says none. Beside the cluster's hosts there is one more, `outside`: the router that the hosts' networks lead to,
with all clients behind it. Real servers that are in none of the directors' networks are each on a segment of their own,
one router away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network

from lvsc.graph.nodes import Forwarding
from lvsc.graph.traffic import Address, Family, Network
from lvsc.spec.model import (
    Cluster,
    ClusterNetwork,
    Director,
    ExternalFailover,
    NamedAddress,
    PoolServer,
    Service,
)

#: The host that is everybody's router and has the clients' addresses. No spec can give this name to another, nor the next.
OUTSIDE = "outside.world"
SORRY = "sorry.{pool}"
#: Where clients live: networks for tests of devices (RFC 2544, RFC 5180), or others where the spec uses those.
_CLIENTS = {
    Family.IPV4: ("198.18.0.0/15", "100.64.0.0/15", "172.30.0.0/15"),
    Family.IPV6: ("2001:2::/55", "2001:db8:fff0::/55", "fdff:ffff:fff0::/55"),
}
#: Clients of a network and family, and the prefixes that they are spread over (persistence may be by a whole prefix).
CLIENTS, PREFIXES = 768, 16
#: A prefix of so many addresses is a link between two hosts, without an address for all (RFC 3021).
_LINK = 2
#: The length of those prefixes; of what each network has of them; and of a distant server's link.
_PREFIX = {Family.IPV4: 24, Family.IPV6: 64}
_NETWORK = {Family.IPV4: 20, Family.IPV6: 60}


class Unbuildable(Exception):  # noqa: N818 - the name says the failure
    """The spec leaves no room for what a laboratory needs; says what and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A host's interface on a segment."""

    interface: str
    segment: int
    addresses: tuple[str, ...]
    """With their prefixes' lengths, in the words of `ip addr add`."""
    mac: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine."""

    name: str
    wires: tuple[Wire, ...]
    routes: tuple[str, ...]
    """In the words of `ip route add`."""
    forward: bool = False
    """Whether it is a router before lvsc's files come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """All machines of a cluster, the directors first."""

    segments: int
    hosts: tuple[Host, ...]
    clients: Mapping[tuple[str, Family], tuple[str, ...]]
    """The clients' addresses that a network's router leads to."""
    names: Mapping[str, str]
    """The host that has a server's address."""


@dataclass(slots=True)
class _Machine:
    """A host while its wires are being laid."""

    name: str
    wires: dict[int, tuple[str, str | None, list[str]]] = field(default_factory=dict)
    routes: list[str] = field(default_factory=list)
    forward: bool = False

    def attach(self, segment: int, interface: str, addresses: Iterable[str], mac: str | None = None) -> None:
        """Add addresses on a segment, by an interface of its own unless there is one already."""
        if segment not in self.wires:
            taken = {wire[0] for wire in self.wires.values()}
            free = (f"eth{number}" for number in range(len(taken) + 1) if f"eth{number}" not in taken)
            self.wires[segment] = (interface if interface not in taken else next(free), mac, [])
        self.wires[segment][2].extend(a for a in addresses if a not in self.wires[segment][2])

    def leads_out(self, family: Family) -> bool:
        """Whether there is a default route of a family."""
        return any(r.startswith("default") and _family_of_route(r) is family for r in self.routes)

    def default(self, family: Family, via: str) -> None:
        """Add a default route, unless there is one of the family."""
        if not self.leads_out(family):
            self.routes.append(f"default via {via}")

    def host(self) -> Host:
        """The finished host."""
        return Host(
            name=self.name,
            wires=tuple(
                Wire(interface=interface, segment=segment, addresses=tuple(addresses), mac=mac)
                for segment, (interface, mac, addresses) in self.wires.items()
            ),
            routes=tuple(dict.fromkeys(self.routes)),
            forward=self.forward,
        )


def topology(cluster: Cluster, services: Iterable[Service]) -> Topology:
    """The machines and wires of a cluster, with the real servers of some services.

    Raises:
        Unbuildable: A network has no free address for its router.
    """
    return _Builder(cluster, tuple(services)).build()


class _Builder:
    def __init__(self, cluster: Cluster, services: Sequence[Service]) -> None:
        self._cluster = cluster
        self._services = services
        self._segments = {name: number for number, name in enumerate(cluster.networks)}
        self._outside = _Machine(OUTSIDE, forward=True)
        self._machines = {director.name: _Machine(director.name) for director in cluster.directors}
        self._names = {
            str(ip): director.name
            for director in cluster.directors
            for ips in director.addresses.values()
            for ip in ips
        }
        self._used = {ip for address in cluster.addresses.values() for ip in address.ips}
        self._used |= {
            ip for director in cluster.directors for ips in director.addresses.values() for ip in ips
        }
        for pool in cluster.pools.values():
            self._used |= {ip for server in pool.real_servers for ip in server.ips}
            self._used |= set(pool.sorry_server.ips) if pool.sorry_server else set()
        self._bases = {family: self._base(family) for family in Family}
        self._routers: dict[Network, Address] = {}
        self._clients: dict[tuple[str, Family], tuple[str, ...]] = {}
        self._own: dict[tuple[str, str], tuple[Address, ...]] = {}
        """The addresses of directors in networks, beside the virtual ones."""
        self._distant: set[Address] = set()
        self._far = 0

    def build(self) -> Topology:
        for network in self._cluster.networks.values():
            if self._has_router(network):
                self._route(network)
        for director in self._cluster.directors:
            self._direct(director)
        for name, ips, interface, gateway in self._servers():
            self._serve(name, ips, interface, gateway=gateway)
        hosts = [*self._machines.values(), self._outside]
        return Topology(
            segments=len(self._segments) + self._far,
            hosts=tuple(machine.host() for machine in hosts),
            clients=self._clients,
            names=self._names,
        )

    def _base(self, family: Family) -> Network:
        taken = [prefix for network in self._cluster.networks.values() for prefix in network.prefixes]
        for text in _CLIENTS[family]:
            base = ip_network(text)
            if not any(
                base.version == prefix.version and base.overlaps(prefix) for prefix in taken
            ) and not any(ip.version == base.version and ip in base for ip in self._used):
                return base
        raise Unbuildable(f"the spec uses all of {', '.join(_CLIENTS[family])}, so clients find no addresses")

    def _behind(self, number: int, family: Family) -> Network:
        """The clients of a network: within the first half of the base; links are in the second."""
        return _part(self._bases[family], _NETWORK[family], number)

    def _has_router(self, network: ClusterNetwork) -> bool:
        """Whether clients reach services, or servers reach clients, by this network's router."""
        if any(a.network == network.name for s in self._services for a in s.addresses):
            return True
        if any(service.source_nat == network.name for service in self._services):
            return True
        return any(
            (server.forwarding is not Forwarding.NAT or service.source_nat)
            and any(self._cluster.network_of(ip) is network for ip in server.ips)
            for service in self._services
            for server in service.pool.enabled
        )

    def _route(self, network: ClusterNetwork) -> None:
        """Connect the router, with the clients behind it, to a network."""
        number = self._segments[network.name]
        addresses = []
        for prefix in network.prefixes:
            family = Family.of(prefix.network_address)
            router = _free(prefix, self._used)
            if router is None:
                raise Unbuildable(
                    f"`networks.{network.name}`: all addresses of {prefix} are taken, so its router has none"
                )
            self._used.add(router)
            self._routers[prefix] = router
            addresses.append(f"{router}/{prefix.prefixlen}")
            if (network.name, family) not in self._clients:
                clients = self._behind(number, family)
                length = clients.max_prefixlen
                step = 1 << (length - _PREFIX[family])
                own = [str(clients[n % PREFIXES * step + n // PREFIXES + 1]) for n in range(CLIENTS)]
                self._clients[network.name, family] = tuple(own)
                # All of them at once, which adding each as an address is not.
                self._outside.routes.append(f"local {clients} dev lo")
        self._outside.attach(number, f"net{number}", addresses)

    def _direct(self, director: Director) -> None:
        machine = self._machines[director.name]
        defaults: set[Family] = set()
        external = isinstance(self._cluster.failover, ExternalFailover) and director is _first(self._cluster)
        for name, network in self._cluster.networks.items():
            own = (*director.addresses.get(name, ()), *self._unsaid(network, director))
            self._own[director.name, name] = own
            addresses = [f"{ip}/{_length(network, ip)}" for ip in own]
            if external:
                addresses += _moved(network, self._cluster.addresses.values())
            machine.attach(
                self._segments[name], director.interface(network), addresses, director.macs.get(name)
            )
            for family in Family:
                router = self._router(network, family)
                if router is not None and any(Family.of(ip) is family for ip in own):
                    machine.routes.append(f"{self._behind(self._segments[name], family)} via {router}")
                    if family not in defaults:
                        defaults.add(family)
                        machine.routes.append(f"default via {router}")

    def _unsaid(self, network: ClusterNetwork, director: Director) -> Iterator[Address]:
        """An address of each prefix of which the spec says none of the director's."""
        for prefix in network.prefixes:
            if not any(ip in prefix for ip in director.addresses.get(network.name, ())):
                free = _free(prefix, self._used)
                if free is not None:
                    self._used.add(free)
                    yield free

    def _router(self, network: ClusterNetwork, family: Family) -> Address | None:
        """The router that directors have for a family, if the network has one."""
        found = (self._routers.get(p) for p in network.prefixes if Family.of(p.network_address) is family)
        return next((router for router in found if router is not None), None)

    def _servers(self) -> Iterator[tuple[str, tuple[Address, ...], str, bool]]:
        """Every real and sorry server that a packet can reach: its name, addresses, interface, and whether its default
        route is the director.
        """
        behind = {
            server.name
            for service in self._services
            for server in service.pool.enabled
            if server.forwarding is Forwarding.NAT and not service.source_nat
        }
        for pool in {service.pool.name: service.pool for service in self._services}.values():
            for server in pool.enabled:
                yield server.name, server.ips, _interface(server), server.name in behind
            if pool.sorry_server is not None:
                sorry = pool.sorry_server
                nat = sorry.forwarding is Forwarding.NAT and not any(
                    service.source_nat for service in self._services if service.pool is pool
                )
                yield SORRY.format(pool=pool.name), sorry.ips, "eth0", nat

    def _serve(self, name: str, ips: tuple[Address, ...], interface: str, *, gateway: bool) -> None:
        name = next((self._names[str(ip)] for ip in ips if str(ip) in self._names), name)
        self._names |= {str(ip): name for ip in ips}
        director = any(director.name == name for director in self._cluster.directors)
        machine = self._machines.setdefault(name, _Machine(name))
        for ip in ips:
            network = self._cluster.network_of(ip)
            if network is None:
                if ip not in self._distant:  # it may be in several pools
                    self._distant.add(ip)
                    self._place_far(machine, ip, interface, alone=len({Family.of(i) for i in ips}) == 1)
                continue
            machine.attach(self._segments[network.name], interface, [f"{ip}/{_length(network, ip)}"])
            if not director:
                prefix = network.prefix_of(ip)
                via = self._gateway(network, ip) if gateway else None
                via = via or (self._routers.get(prefix) if prefix is not None else None)
                beside = "" if via is None or prefix is None or via in prefix else f" dev {interface} onlink"
                if via is not None:
                    machine.default(Family.of(ip), f"{via}{beside}")
                for family in set(Family) - {Family.of(other) for other in ips}:
                    self._answer_in(family, machine, network)

    def _answer_in(self, family: Family, machine: _Machine, network: ClusterNetwork) -> None:
        """Give a server a default route in the family that it has no address of, if its network has one.

        A tunnel may bring packets of either family, and the answers are not wrapped.
        """
        for prefix in () if machine.leads_out(family) else network.prefixes:
            router = self._routers.get(prefix)
            own = _free(prefix, self._used)
            if router is not None and own is not None and Family.of(router) is family:
                self._used.add(own)
                machine.attach(self._segments[network.name], "eth0", [f"{own}/{prefix.prefixlen}"])
                machine.default(family, str(router))
                return

    def _gateway(self, network: ClusterNetwork, server: Address) -> Address | None:
        """The directors' address that is the default route of a network's server: the gateway's, one of its prefix first."""
        family, prefix = Family.of(server), network.prefix_of(server)
        gateway = self._cluster.addresses[network.gateway].ips if network.gateway is not None else ()
        own = self._own[_first(self._cluster).name, network.name]
        fitting = [[ip for ip in ips if Family.of(ip) is family] for ips in (gateway, own)]
        return min(fitting[0] or fitting[1], key=lambda ip: prefix is None or ip not in prefix, default=None)

    def _place_far(self, machine: _Machine, ip: Address, interface: str, *, alone: bool) -> None:
        """Give a host outside the directors' networks a segment of its own, one router away.

        `alone` says that it has no address of the other family, in which it has a default route all the same (`_answer_in`).
        """
        family = Family.of(ip)
        segment = len(self._segments) + self._far
        self._far += 1
        link = _part(self._bases[family], _PREFIX[family], 256 + self._far)
        length = ip.max_prefixlen
        own = interface if not machine.wires else f"eth{len(machine.wires)}"
        machine.attach(segment, own, [f"{ip}/{length}", f"{link[2]}/{link.prefixlen}"])
        machine.routes.append(f"default via {link[1]} src {ip}")
        self._outside.attach(segment, f"net{segment}", [f"{link[1]}/{link.prefixlen}"])
        self._outside.routes.append(f"{ip}/{length} via {link[2]}")
        for other in Family if alone else ():
            if other is not family:
                link = _part(self._bases[other], _PREFIX[other], 256 + self._far)
                machine.attach(segment, own, [f"{link[2]}/{link.prefixlen}"])
                machine.routes.append(f"default via {link[1]}")
                self._outside.attach(segment, f"net{segment}", [f"{link[1]}/{link.prefixlen}"])
        # A director reaches it by the network whose address it takes for the purpose.
        for service in self._services:
            network = self._cluster.networks.get(str(service.source_nat))
            router = self._router(network, family) if network is not None else None
            if router is not None and any(ip in server.ips for server in service.pool.enabled):
                for director in self._cluster.directors:
                    self._machines[director.name].routes.append(f"{ip}/{length} via {router}")


def _first(cluster: Cluster) -> Director:
    """The director that has the virtual addresses when all is well."""
    if isinstance(cluster.failover, ExternalFailover):
        return cluster.directors[0]
    return max(cluster.directors, key=lambda director: director.priority)


def _moved(network: ClusterNetwork, addresses: Iterable[NamedAddress]) -> Iterator[str]:
    """The virtual addresses of a network as whatever moves them should add them: none is to be a packet's source by itself."""
    for ip in (ip for address in addresses if address.network == network.name for ip in address.ips):
        lifetime = " preferred_lft 0" if Family.of(ip) is Family.IPV6 else ""
        yield f"{ip}/{_length(network, ip)}{lifetime}"


def _interface(server: PoolServer) -> str:
    return server.interface or "eth0"


def _length(network: ClusterNetwork, ip: Address) -> int:
    prefix = network.prefix_of(ip)
    return prefix.prefixlen if prefix is not None else ip.max_prefixlen


def _free(prefix: Network, used: set[Address]) -> Address | None:
    """The last free address of a prefix that a host may have."""
    broadcasts = Family.of(prefix.network_address) is Family.IPV4 and prefix.num_addresses > _LINK
    last = prefix.num_addresses - (2 if broadcasts else 1)
    for index in range(last, max(0, last - len(used) - 1), -1):
        if prefix[index] not in used:
            return prefix[index]
    return None


def _part(base: Network, length: int, number: int) -> Network:
    """A numbered piece of a network."""
    if number >= 1 << (length - base.prefixlen):
        raise Unbuildable("the spec has more networks or distant servers than a laboratory has segments")
    return ip_network((int(base.network_address) + (number << (base.max_prefixlen - length)), length))


def _family_of_route(route: str) -> Family:
    return Family.IPV6 if ":" in route else Family.IPV4
