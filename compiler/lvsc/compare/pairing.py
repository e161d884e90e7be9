"""Which virtual service of one side is which of the other, and which real server: by what IPVS knows them by, else by name."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lvsc.compare.names import Names
from lvsc.compare.sides import HostSide, Side
from lvsc.graph.nodes import RealServer, VirtualService

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePair:
    """A virtual service on both sides, or on one."""

    old: VirtualService | None
    new: VirtualService | None
    servers: tuple[tuple[RealServer | None, RealServer | None], ...]
    """Its real servers, likewise; empty where the service is on one side alone."""


class Paired:
    """The virtual services of one host on both sides."""

    def __init__(self, old: tuple[Side, HostSide], new: tuple[Side, HostSide]) -> None:
        self.old_names = Names(*old)
        self.new_names = Names(*new)
        self.doubtful = old[1].doubtful | new[1].doubtful
        self._partial = (old[1].partial, new[1].partial)
        self._old_servers = _by_selector(old[1].nodes.of(RealServer))
        self._new_servers = _by_selector(new[1].nodes.of(RealServer))
        self.pairs = tuple(self._pairs(old[1].nodes.of(VirtualService), new[1].nodes.of(VirtualService)))

    @property
    def known(self) -> Iterator[ServicePair]:
        """The pairs but those of which the text of a side leaves open what the service does, or that it is there."""
        for pair in self.pairs:
            missed = [
                partial
                for one, partial in zip((pair.old, pair.new), self._partial, strict=True)
                if one is None
            ]
            doubtful = any(one is not None and one.selector in self.doubtful for one in (pair.old, pair.new))
            if not doubtful and not any(missed):
                yield pair

    def _pairs(self, olds: Sequence[VirtualService], news: Sequence[VirtualService]) -> Iterator[ServicePair]:
        def old_name(service: VirtualService) -> Hashable:
            return (self.old_names.service(service.selector), service.selector.family)

        def new_name(service: VirtualService) -> Hashable:
            return (self.new_names.service(service.selector), service.selector.family)

        for one, other in matched(olds, news, (_selector, _selector), (old_name, new_name)):
            if one is None or other is None:
                yield ServicePair(old=one, new=other, servers=())
                continue
            before, after = self._old_servers[one.selector], self._new_servers[other.selector]
            servers = matched(before, after, (_end, _end), (_name, _name))
            yield ServicePair(old=one, new=other, servers=tuple(servers))


def matched(
    olds: Iterable[T], news: Iterable[T], *keys: tuple[Callable[[T], Hashable], Callable[[T], Hashable]]
) -> Iterator[tuple[T | None, T | None]]:
    """The old and new things with equal keys, in turn by each pair of keys; what is left over is alone. In old order first."""
    rest_old, rest_new = list(olds), list(news)
    found: dict[int, T] = {}
    order = {id(thing): place for place, thing in enumerate(rest_old)}
    everything = list(rest_old)
    for old_key, new_key in keys:
        waiting: dict[Hashable, list[T]] = defaultdict(list)
        for thing in reversed(rest_new):
            waiting[new_key(thing)].append(thing)
        left = []
        for thing in rest_old:
            same = waiting.get(old_key(thing))
            if same:
                found[order[id(thing)]] = same.pop()
            else:
                left.append(thing)
        taken = {id(thing) for thing in found.values()}
        rest_old, rest_new = left, [thing for thing in rest_new if id(thing) not in taken]
    for place, thing in enumerate(everything):
        yield thing, found.get(place)
    for thing in rest_new:
        yield None, thing


def _by_selector(servers: Iterable[RealServer]) -> defaultdict[Hashable, list[RealServer]]:
    groups: defaultdict[Hashable, list[RealServer]] = defaultdict(list)
    for server in servers:
        groups[server.selector].append(server)
    return groups


def _selector(service: VirtualService) -> Hashable:
    return service.selector


def _end(server: RealServer) -> Hashable:
    return (server.address, server.port)


def _name(server: RealServer) -> Hashable:
    return server.name or server
