"""From a document that fits the schema to a typed cluster."""

from collections.abc import Mapping
from typing import Any

from lvsc.diagnostics import Anchor, Diagnostic, Place
from lvsc.graph.nodes import Forwarding
from lvsc.graph.traffic import Address
from lvsc.spec import model_codes as codes
from lvsc.spec.load_failover import (
    load_email,
    load_failover,
    load_sync,
    load_timeouts,
    load_tuning,
    require_name,
)
from lvsc.spec.load_pools import load_forwarding, load_pools
from lvsc.spec.load_services import OptionsLoader, load_services
from lvsc.spec.model import (
    Cluster,
    ClusterNetwork,
    Director,
    ExternalFailover,
    Firewall,
    MarkRange,
    NamedAddress,
    Pool,
    PoolServer,
    Vrrp,
)
from lvsc.spec.schema.tables import FIRST_MARK, LAST_MARK
from lvsc.spec.table import Table


def load(
    values: Mapping[str, Any], file: str, kinds: Mapping[str, OptionsLoader]
) -> tuple[Cluster, tuple[Diagnostic, ...]]:
    """The cluster and everything that is wrong with it; it is fit to be lowered where no problem is an error."""
    problems: list[Diagnostic] = []
    root = Table(values, file, (), problems)
    head = root.table("cluster") or root
    networks = {name: _network(name, table) for name, table in root.named("networks").items()}
    addresses = {name: _address(name, table, networks) for name, table in root.named("addresses").items()}
    _report_shared_addresses(addresses, root)
    for name, table in root.named("networks").items():
        if networks[name].gateway is not None:
            require_name(table, networks[name].gateway or "", addresses, "address", "gateway")
    directors = tuple(_director(name, table, networks) for name, table in root.named("directors").items())
    forwarding = load_forwarding(head) or Forwarding.NAT
    pools = load_pools(root.named("pools"), forwarding)
    services = load_services(root.named("services"), kinds, addresses, pools, networks)
    failover = _failover(root, directors, networks)
    sync, timeouts, tuning, email = (root.table(key) for key in ("connection_sync", "timeouts", "tuning", "email"))
    cluster = Cluster(
        name=head.text("name") or "",
        file=file,
        target=head.text("target") or "",
        backends=head.texts("backends"),
        forwarding=forwarding,
        firewall=Firewall(word) if (word := head.text("firewall")) else None,
        accept=head.boolean("accept") is True,
        marks=_mark_range(head),
        script_user=head.text("script_user") or "root",
        networks=networks,
        directors=directors,
        failover=failover,
        connection_sync=load_sync(sync, networks) if sync else None,
        timeouts=load_timeouts(timeouts) if timeouts else None,
        tuning=load_tuning(tuning) if tuning else None,
        email=load_email(email) if email else None,
        addresses=addresses,
        pools=pools,
        services=services,
        origin=root.origin("cluster"),
    )
    _report_hosts(directors, pools, root)
    return cluster, tuple(problems)


def _network(name: str, table: Table) -> ClusterNetwork:
    return ClusterNetwork(
        name=name,
        interface=table.text("interface") or "",
        prefixes=table.prefixes("prefixes"),
        gateway=table.text("gateway"),
        origin=table.origin(),
    )


def _address(name: str, table: Table, networks: Mapping[str, ClusterNetwork]) -> NamedAddress:
    network = table.text("network") or ""
    ips = table.addresses("ip")
    if require_name(table, network, networks, "network", "network"):
        for ip in ips:
            _require_inside(table, networks[network], ip, "ip")
    return NamedAddress(name=name, network=network, ips=ips, origin=table.origin())


def _require_inside(table: Table, network: ClusterNetwork, ip: Address, *steps: str | int) -> None:
    if network.prefixes and network.prefix_of(ip) is None:
        prefixes = ", ".join(f"`{prefix}`" for prefix in network.prefixes)
        table.problems.append(
            codes.OUTSIDE.at(
                table.origin(*steps),
                f"`{ip}` is outside network `{network.name}`",
                others=[Place(network.origin, Anchor.TABLE, f"has {prefixes}")],
                help="correct the address, or add its prefix to the network",
            )
        )


def _report_shared_addresses(addresses: Mapping[str, NamedAddress], root: Table) -> None:
    owners: dict[Address, NamedAddress] = {}
    for address in addresses.values():
        for ip in address.ips:
            owner = owners.setdefault(ip, address)
            if owner is not address:
                root.problems.append(
                    codes.TWICE.at(
                        Place(address.origin, Anchor.TABLE),
                        f"`{ip}` belongs to `{owner.name}` and to `{address.name}`",
                        others=[Place(owner.origin, Anchor.TABLE, "first here")],
                        help="remove it from one of the two: a service can name several addresses",
                    )
                )


def _director(name: str, table: Table, networks: Mapping[str, ClusterNetwork]) -> Director:
    own = table.table("addresses") or table
    addresses: dict[str, tuple[Address, ...]] = {}
    for network in own:
        addresses[network] = own.addresses(network)
        if require_name(table, network, networks, "network", "addresses", network):
            for index, ip in enumerate(addresses[network]):
                _require_inside(table, networks[network], ip, "addresses", network, index)
    texts: dict[str, dict[str, str]] = {}
    for key in ("interfaces", "macs"):
        by_network = table.table(key)
        texts[key] = {network: by_network.text(network) or "" for network in by_network} if by_network else {}
        for network in texts[key]:
            require_name(table, network, networks, "network", key, network)
    return Director(
        name=name,
        priority=table.integer("priority") or 100,
        addresses=addresses,
        interfaces=texts["interfaces"],
        macs={network: mac.lower() for network, mac in texts["macs"].items()},
        origin=table.origin(),
    )


def _failover(
    root: Table, directors: tuple[Director, ...], networks: Mapping[str, ClusterNetwork]
) -> Vrrp | ExternalFailover | None:
    table = root.table("failover")
    if table is None:
        if len(directors) > 1:
            root.problems.append(
                codes.NO_FAILOVER.at(
                    Place(directors[1].origin, Anchor.TABLE, "a further director"),
                    f"there are {len(directors)} directors and no `[failover]`",
                    help='add `[failover]` with a `virtual_router_id`, or with `method = "external"`',
                )
            )
        return None
    failover = load_failover(table, networks)
    if isinstance(failover, Vrrp):
        _report_equal_priorities(directors, root)
    return failover


def _report_equal_priorities(directors: tuple[Director, ...], root: Table) -> None:
    first: dict[int, Director] = {}
    for director in directors:
        other = first.setdefault(director.priority, director)
        if other is not director:
            root.problems.append(
                codes.EQUAL_PRIORITY.at(
                    Place(director.origin, Anchor.TABLE),
                    f"directors `{other.name}` and `{director.name}` have the same priority {director.priority}",
                    others=[Place(other.origin, Anchor.TABLE, "the other one")],
                    help="give each a `priority` of its own",
                )
            )


def _mark_range(head: Table) -> MarkRange:
    marks = head.table("marks")
    first = (marks and marks.integer("first")) or FIRST_MARK
    last = (marks and marks.integer("last")) or LAST_MARK
    if marks is not None and first > last:
        head.problems.append(
            codes.KEYS.at(marks.origin(), f"the range of marks is empty: {first} to {last}", help="put the lower one first")
        )
    return MarkRange(first=first, last=last)


def _report_hosts(directors: tuple[Director, ...], pools: Mapping[str, Pool], root: Table) -> None:
    """Report names that are two hosts, and hosts that have two names or two descriptions."""
    named: dict[str, PoolServer] = {}
    by_address: dict[Address, str] = {ip: d.name for d in directors for ips in d.addresses.values() for ip in ips}
    own = {d.name: {ip for ips in d.addresses.values() for ip in ips} for d in directors}
    for pool in pools.values():
        for server in pool.real_servers:
            earlier = named.setdefault(server.name, server)
            problem = _difference(earlier, server) if earlier is not server else None
            if server.name in own and not set(server.ips) <= own[server.name]:
                problem = "its address is not the director's of that name"
            for ip in server.ips:
                owner = by_address.setdefault(ip, server.name)
                if owner != server.name:
                    problem = f"`{ip}` is `{owner}`'s"
            if problem:
                root.problems.append(
                    codes.HOST.at(
                        server.origin,
                        f"host `{server.name}` is described in two ways: {problem}",
                        others=[Place(earlier.origin, label="the other one")] if earlier is not server else [],
                        help="one name is one host: make the two agree, or rename one",
                    )
                )


def _difference(one: PoolServer, other: PoolServer) -> str | None:
    """How two descriptions of one host differ."""
    for ip in one.ips:
        same_family = [o for o in other.ips if o.version == ip.version]
        if same_family and same_family[0] != ip:
            return f"`{ip}` and `{same_family[0]}`"
    for what, first, second in (
        ("target", one.target, other.target),
        ("interface", one.interface, other.interface),
        ("managed", one.managed, other.managed),
    ):
        if first != second:
            return f"`{what}` is `{first}` and `{second}`"
    return None
