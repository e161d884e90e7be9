"""What a spec says of hosts that no program's text repeats."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lvsc.graph.traffic import Address
from lvsc.spec.model import Cluster, ExternalFailover


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known beside the texts; without a spec, nothing."""

    addresses: Mapping[str, frozenset[Address]] = field(default_factory=dict)
    """By director, the addresses that lvsc does not give it: its own, and all virtual ones where something else moves them."""
    servers: Mapping[Address, str] = field(default_factory=dict)
    """The real servers' names."""

    @classmethod
    def of_cluster(cls, cluster: Cluster) -> "Known":
        """What the spec of a cluster says."""
        moved: set[Address] = set()
        if isinstance(cluster.failover, ExternalFailover):
            moved = {ip for address in cluster.addresses.values() for ip in address.ips}
        return cls(
            addresses={
                director.name: frozenset(ip for ips in director.addresses.values() for ip in ips) | moved
                for director in cluster.directors
            },
            servers={
                ip: server.name
                for pool in cluster.pools.values()
                for server in pool.real_servers
                for ip in server.ips
            },
        )
