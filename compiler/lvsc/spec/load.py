"""From a document that fits the schema to a typed cluster."""

from collections.abc import Mapping
from typing import Any

from lvsc.diagnostics import Anchor, Diagnostic, Origin, Place
from lvsc.graph.nodes import Forwarding
from lvsc.graph.traffic import Address, Network
from lvsc.spec import model_codes as codes
from lvsc.spec.load_failover import (
    load_email,
    load_failover,
    load_sync,
    load_timeouts,
    load_tuning,
    require_name,
)
from lvsc.spec.load_hosts import report_hosts, report_taken_addresses
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
    _report_shared_prefixes(networks, root)
    for name, table in root.named("networks").items():
        if networks[name].gateway is not None:
            _check_gateway(table, networks[name], addresses)
    directors = tuple(_director(name, table, networks) for name, table in root.named("directors").items())
    _report_shared_macs(directors, root)
    forwarding = load_forwarding(head) or Forwarding.NAT
    pools = load_pools(root.named("pools"), forwarding)
    services = load_services(root.named("services"), kinds, addresses, pools, networks)
    failover = _failover(root, directors, networks)
    sync, timeouts, tuning, email = (
        root.table(key) for key in ("connection_sync", "timeouts", "tuning", "email")
    )
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
    _report_idle_accept(cluster, problems)
    report_hosts(cluster, problems)
    report_taken_addresses(cluster, problems)
    return cluster, tuple(problems)


def _report_idle_accept(cluster: Cluster, problems: list[Diagnostic]) -> None:
    """Without a firewall connections by NAT are not tracked, and accepts go by their states."""
    if cluster.accept and cluster.firewall is Firewall.NONE:
        problems.append(
            codes.KEYS.at(
                cluster.origin / "accept",
                '`accept` has nothing to let in: `firewall = "none"` says that nothing is kept out',
                others=[Place(cluster.origin / "firewall", label="says so")],
                help='remove `accept`, or say `firewall = "stateful"`',
            )
        )


def _network(name: str, table: Table) -> ClusterNetwork:
    return ClusterNetwork(
        name=name,
        interface=table.text("interface") or "",
        prefixes=table.prefixes("prefixes"),
        gateway=table.text("gateway"),
        origin=table.origin(),
    )


def _report_shared_prefixes(networks: Mapping[str, ClusterNetwork], root: Table) -> None:
    owners: dict[Network, ClusterNetwork] = {}
    for network in networks.values():
        for index, prefix in enumerate(network.prefixes):
            owner = owners.setdefault(prefix, network)
            if owner is not network:
                root.problems.append(
                    codes.TWICE.at(
                        network.origin / "prefixes" / index,
                        f"networks `{owner.name}` and `{network.name}` have the same prefix `{prefix}`",
                        others=[Place(owner.origin, Anchor.TABLE, "first here")],
                        help="make one network of the two: a director reaches a prefix by one interface",
                    )
                )


def _check_gateway(table: Table, network: ClusterNetwork, addresses: Mapping[str, NamedAddress]) -> None:
    gateway = network.gateway or ""
    if not require_name(table, gateway, addresses, "address", "gateway"):
        return
    address = addresses[gateway]
    if address.network and address.network != network.name:
        table.problems.append(
            codes.OUTSIDE.at(
                table.origin("gateway"),
                f"address `{gateway}` is on network `{address.network}`, so it is no gateway of `{network.name}`",
                others=[Place(address.origin, Anchor.TABLE, "the address")],
                help=f'add a virtual address with `network = "{network.name}"` and name it here',
            )
        )


def _address(name: str, table: Table, networks: Mapping[str, ClusterNetwork]) -> NamedAddress:
    network = table.text("network") or ""
    ips = table.placed_addresses("ip")
    if require_name(table, network, networks, "network", "network"):
        for ip, place in ips.items():
            _require_inside(table, networks[network], ip, place)
    return NamedAddress(name=name, network=network, ips=tuple(ips), origin=table.origin())


def _require_inside(table: Table, network: ClusterNetwork, ip: Address, place: Origin) -> None:
    prefix = network.prefix_of(ip)
    # A prefix of two addresses or one has none to spare (RFC 3021, RFC 6164).
    if prefix is not None and prefix.num_addresses > 2:  # noqa: PLR2004
        broadcast = ip.version == 4 and ip == prefix.broadcast_address  # noqa: PLR2004 - IPv6 has no broadcast
        if broadcast or ip == prefix.network_address:
            table.problems.append(
                codes.ADDRESS.at(
                    place,
                    f"`{ip}` is the {'broadcast' if broadcast else 'network'} address of `{prefix}`",
                    help="write an address that one host can have",
                )
            )
    if network.prefixes and prefix is None:
        prefixes = ", ".join(f"`{prefix}`" for prefix in network.prefixes)
        table.problems.append(
            codes.OUTSIDE.at(
                place,
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
                        address.origin / "ip",
                        f"`{ip}` belongs to `{owner.name}` and to `{address.name}`",
                        others=[Place(owner.origin / "ip", label="first here")],
                        help="remove it from one of the two: a service can name several addresses",
                    )
                )


def _director(name: str, table: Table, networks: Mapping[str, ClusterNetwork]) -> Director:
    addresses: dict[str, tuple[Address, ...]] = {}
    if own := table.table("addresses"):
        for network in own:
            placed = own.placed_addresses(network)
            addresses[network] = tuple(placed)
            if require_name(table, network, networks, "network", "addresses", network, anchor=Anchor.KEY):
                for ip, place in placed.items():
                    _require_inside(table, networks[network], ip, place)
    texts: dict[str, dict[str, str]] = {}
    for key in ("interfaces", "macs"):
        by_network = table.table(key)
        texts[key] = {network: by_network.text(network) or "" for network in by_network} if by_network else {}
        for network in texts[key]:
            require_name(table, network, networks, "network", key, network, anchor=Anchor.KEY)
    return Director(
        name=name,
        priority=table.integer("priority") or 100,
        addresses=addresses,
        interfaces=texts["interfaces"],
        macs={network: mac.lower() for network, mac in texts["macs"].items()},
        origin=table.origin(),
    )


def _report_shared_macs(directors: tuple[Director, ...], root: Table) -> None:
    first: dict[tuple[str, str], Director] = {}
    for director in directors:
        for network, mac in director.macs.items():
            other = first.setdefault((network, mac), director)
            if other is not director:
                root.problems.append(
                    codes.TWICE.at(
                        director.origin / "macs" / network,
                        f"directors `{other.name}` and `{director.name}` have the same MAC address `{mac}`",
                        others=[Place(other.origin / "macs" / network, label="first here")],
                        help="correct one of the two: by it a director knows what comes from the other",
                    )
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
                    director.origin / "priority",
                    f"directors `{other.name}` and `{director.name}` have the same priority {director.priority}",
                    others=[Place(other.origin / "priority", label="the other one")],
                    help="give each a `priority` of its own",
                )
            )


def _mark_range(head: Table) -> MarkRange:
    marks = head.table("marks")
    first = (marks and marks.integer("first")) or FIRST_MARK
    last = (marks and marks.integer("last")) or LAST_MARK
    if marks is not None and first > last:
        head.problems.append(
            codes.KEYS.at(
                marks.origin(),
                f"the range of marks is empty: {first} to {last}",
                help="put the lower one first",
            )
        )
    return MarkRange(first=first, last=last)
