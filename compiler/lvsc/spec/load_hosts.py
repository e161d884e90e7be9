"""Hosts: one name is one host, and a host's own address is nobody else's and no virtual one."""

from collections.abc import Collection

from lvsc.diagnostics import Anchor, Diagnostic, Origin, Place
from lvsc.graph.traffic import Address
from lvsc.spec import model_codes as codes
from lvsc.spec.literal import literal
from lvsc.spec.model import Cluster, Director, ExternalFailover, PoolServer


def report_hosts(cluster: Cluster, problems: list[Diagnostic]) -> None:
    """Report names that are two hosts, and hosts that have two names or two descriptions."""
    named: dict[str, PoolServer] = {}
    owners: dict[Address, str] = {}
    own = {director.name: _own_addresses(director) for director in cluster.directors}
    for director in cluster.directors:
        for ip, origin in own[director.name].items():
            owner = owners.setdefault(ip, director.name)
            if owner != director.name:
                problems.append(
                    codes.TWICE.at(
                        origin,
                        f"`{ip}` belongs to director `{owner}` and to `{director.name}`",
                        others=[Place(own[owner][ip], label="first here")],
                        help="correct one of the two: an address that moves between directors is a virtual address",
                    )
                )
    for pool in cluster.pools.values():
        for server in pool.real_servers:
            if not server.name:  # said where the pool is checked
                continue
            earlier = named.setdefault(server.name, server)
            # A pool that has a name twice is told so where it is loaded.
            if earlier is not server and _twice_in_a_pool(earlier, server):
                continue
            problem = _difference(earlier, server, cluster) if earlier is not server else None
            if server.name in own:
                problem = problem or _other_than_director(server, own[server.name], cluster)
            for ip in server.ips:
                owner = owners.setdefault(ip, server.name)
                # One pool that has an address twice is told so where the pool is loaded.
                if owner != server.name and not (
                    owner in named and named[owner].origin.path[:2] == pool.origin.path
                ):
                    problem = "ip", f"`{ip}` is `{owner}`'s"
            if problem:
                key, how = problem
                problems.append(
                    codes.HOST.at(
                        server.at(key),
                        f"host `{server.name}` is described in two ways: {how}",
                        others=[Place(earlier.at(key), label="the other one")]
                        if earlier is not server
                        else [],
                        help="one name is one host: make the two agree, or rename one",
                    )
                )


def _twice_in_a_pool(one: PoolServer, other: PoolServer) -> bool:
    return one.origin.path[:2] == other.origin.path[:2] and one.port == other.port


def _own_addresses(director: Director) -> dict[Address, Origin]:
    return {
        ip: director.origin / "addresses" / network / index
        for network, ips in director.addresses.items()
        for index, ip in enumerate(ips)
    }


#: A key of a host, and how two descriptions of it differ there.
_Difference = tuple[str, str]


def _other_than_director(
    server: PoolServer, own: Collection[Address], cluster: Cluster
) -> _Difference | None:
    """How a real server differs from the director of its name."""
    if not set(server.ips) <= set(own):
        return "ip", "its address is not the director's of that name"
    if server.target is not None and server.target != cluster.target:
        return "target", f"`target` is `{server.target}`, and the directors' is `{cluster.target}`"
    return None


def report_taken_addresses(cluster: Cluster, problems: list[Diagnostic]) -> None:
    """Report virtual addresses that a host has as its own: they would move away from it, or packets would come back."""
    virtual = {ip: address for address in cluster.addresses.values() for ip in address.ips}

    def taken(ip: Address, origin: Origin, whose: str, advice: str) -> Diagnostic:
        return codes.TWICE.at(
            origin,
            f"`{ip}` is {whose} and the virtual address `{virtual[ip].name}`",
            others=[Place(virtual[ip].origin, Anchor.TABLE, "the virtual address")],
            help=advice,
        )

    # Alone and with nothing that moves addresses, a director may serve on the address that it has anyway.
    if len(cluster.directors) > 1 or not isinstance(cluster.failover, ExternalFailover):
        advice = "choose another virtual address, or where one director serves on its own, say `[failover]`"
        advice += ' `method = "external"`'
        for director in cluster.directors:
            for ip, origin in _own_addresses(director).items():
                if ip in virtual:
                    problems.append(taken(ip, origin, f"director `{director.name}`'s own address", advice))
    for pool in cluster.pools.values():
        for server in pool.real_servers:
            problems.extend(
                taken(
                    ip,
                    server.origin / "ip",
                    f"real server `{server.name}`'s address",
                    "correct one of the two",
                )
                for ip in server.ips
                if ip in virtual
            )
        sorry = pool.sorry_server
        if sorry is not None:
            problems.extend(
                taken(ip, sorry.origin / "ip", "the sorry server's address", "correct one of the two")
                for ip in sorry.ips
                if ip in virtual
            )


def _difference(one: PoolServer, other: PoolServer, cluster: Cluster) -> _Difference | None:
    """How two descriptions of one host differ."""
    for ip in one.ips:
        same_family = [o for o in other.ips if o.version == ip.version]
        if same_family and same_family[0] != ip:
            return "ip", f"`{ip}` and `{same_family[0]}`"
    for key, first, second in (
        ("target", one.target or cluster.target, other.target or cluster.target),
        ("interface", one.interface, other.interface),
        ("managed", one.managed, other.managed),
    ):
        if first != second:
            return key, f"`{key}` is {_value(first)} and {_value(second)}"
    return None


def _value(value: str | bool | None) -> str:  # noqa: FBT001 - it is a value of a spec
    return "unsaid" if value is None else f"`{literal(value)}`" if isinstance(value, bool) else f"`{value}`"
