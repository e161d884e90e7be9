"""What a service's scheduler, weights and persistence promise, so far as counting answers can tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from math import ceil, gcd

from lvsc.graph.nodes import Scheduler, SchedulerFlag
from lvsc.graph.traffic import Family
from lvsc.lowering.lowered import LoweredService
from lvsc.spec.model import PoolServer, reached_at

#: Connections of a client that count for nothing beside the others: fewer tell too little.
_ENOUGH = 24
#: Schedulers that look at connections know of those that are open just now, so short ones spread unevenly: this part is owed.
_LEAST = 4
#: A laboratory's clients are of several such prefixes, and all of one that is wider.
_APART = {Family.IPV4: 24, Family.IPV6: 64}
#: What happens more seldom is not expected.
_UNLIKELY = 0.01


class Spread(Enum):
    """How connections spread over real servers."""

    EXACT = "as weighted, to the connection"
    NEAR = "about as weighted"
    BY_CLIENT = "each client on one server"
    HEAVIEST = "all on the heaviest server"
    ANY = "somehow"


#: From the kernel's net/netfilter/ipvs/ip_vs_*.c. Least-connection schedulers count a closed connection a 256th of an open one.
_SPREADS = {
    Scheduler.RR: Spread.EXACT,
    Scheduler.WRR: Spread.EXACT,
    Scheduler.LC: Spread.NEAR,
    Scheduler.WLC: Spread.NEAR,
    Scheduler.SED: Spread.NEAR,
    Scheduler.SH: Spread.BY_CLIENT,
    Scheduler.MH: Spread.BY_CLIENT,
    Scheduler.FO: Spread.HEAVIEST,
}
#: Those that do not look at weights, as long as they are not 0.
_UNWEIGHTED = {Scheduler.RR, Scheduler.LC}


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a service owes its clients of one family."""

    spread: Spread
    shares: Mapping[str, int]
    """Each server that may answer new clients, and its share, in lowest terms."""
    together: bool
    """Whether a client stays on one server whatever port it asks."""
    scatters: bool
    """Whether clients go to different servers: some schedulers lead all clients of an address, or of a quiet service, to one."""

    @property
    def connections(self) -> int:
        """How many connections show the spread: whole rounds of it."""
        whole = sum(self.shares.values())
        return whole * ceil(_ENOUGH / whole)

    @property
    def several(self) -> bool:
        """Whether there is more than one server to spread over."""
        return len(self.shares) > 1

    def spreads(self, clients: int) -> bool:
        """Whether so many clients will hardly all meet one server, if each goes by the weights alone."""
        whole = sum(self.shares.values())
        return self.scatters and self.several and (max(self.shares.values()) / whole) ** clients < _UNLIKELY

    def keeps(self, counts: Mapping[str, int]) -> bool:
        """Whether so many answers of each server are as promised."""
        total, whole = sum(counts.values()), sum(self.shares.values())
        wanted = {server: total * share / whole for server, share in self.shares.items()}
        match self.spread:
            case Spread.EXACT:
                return all(counts.get(server, 0) == count for server, count in wanted.items())
            case Spread.NEAR:
                return all(counts.get(server, 0) >= count // _LEAST for server, count in wanted.items())
            case Spread.HEAVIEST:
                most = max(self.shares.values())
                return all(self.shares.get(server) == most for server in counts)
        return True


def promise(lowered: LoweredService, family: Family, names: Mapping[str, str]) -> Promise:
    """What a service owes clients of a family; `names` has the host of each server's address."""
    service = lowered.service
    servers = [s for s in service.pool.enabled if s.weight and reached_at(s, family) is not None]
    weights: dict[str, int] = {}
    for server in servers:
        name = names[str(server.ips[0])]
        weights[name] = weights.get(name, 0) + (1 if service.scheduler in _UNWEIGHTED else server.weight)
    divisor = reduce(gcd, weights.values(), 0) or 1
    shares = {name: weight // divisor for name, weight in weights.items()}
    spread = _SPREADS.get(service.scheduler, Spread.ANY)
    if {SchedulerFlag.SH_PORT, SchedulerFlag.MH_PORT} & set(service.scheduler_flags):
        spread = Spread.ANY
    persistent = lowered.plan.persistence is not None
    as_one = persistent and service.granularity.get(family, _APART[family]) < _APART[family]
    wide = any(length < 32 << (32 * (f is Family.IPV6)) for f, length in service.granularity.items())
    if sum(shares.values()) > 4 * _ENOUGH or _limited(servers) or (persistent and wide):
        spread = Spread.ANY
    return Promise(
        spread=spread,
        shares=shares,
        together=persistent or spread is Spread.BY_CLIENT,
        scatters=_SPREADS.get(service.scheduler, Spread.HEAVIEST) is not Spread.HEAVIEST and not as_one,
    )


def _limited(servers: list[PoolServer]) -> bool:
    """Whether a server takes so few connections that the rehearsal's own could fill it."""
    return any(0 < server.upper_threshold <= 4 * _ENOUGH for server in servers)
