"""Proofs in which something dies: a real server, a whole pool, the first director."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from lvsc.diagnostics import Code
from lvsc.graph.nodes import Forwarding, PingProbe, ScriptProbe
from lvsc.graph.traffic import Address, Protocol
from lvsc.laboratory.services import check_of, speaks_ftp
from lvsc.laboratory.site import Answer, Site
from lvsc.lowering.lowered import LoweredService
from lvsc.rehearsal import codes
from lvsc.rehearsal.asking import (
    LATER,
    Endpoint,
    bracketed,
    counted,
    endpoints,
    failure,
    first_of_each_family,
)
from lvsc.rehearsal.expect import Spread, promise
from lvsc.rehearsal.found import Found, LeftOut, Proved
from lvsc.spec.model import Check, ExternalFailover, Pool

#: What programs may take on a busy machine beyond what the spec says, in seconds; and which part of the time that is left
#: something may take in all, if that is more: who gives a rehearsal much time may have a slow machine.
_GRACE, _PART = 10, 0.25
_BETWEEN = 0.3
#: How long a client waits who asks again when nobody answers, in seconds: long enough to send a lost packet again.
_ASKING = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """A service whose dying servers are to be taken out."""

    lowered: LoweredService
    endpoint: Endpoint
    victim: str
    within: float
    """Seconds that its health check takes to notice."""
    spread: Spread = Spread.ANY
    connections: int = 12
    """So many would not all miss a server that is in service."""

    @property
    def subject(self) -> str:
        """What dies."""
        return self.victim or f"pool `{self.lowered.service.pool.name}`"


class Dying:
    """The proofs of one site, in this order: each leaves less alive."""

    def __init__(
        self, site: Site, services: Sequence[LoweredService], found: Found, left: Callable[[], float]
    ) -> None:
        self._site = site
        self._services = [s for s in services if not speaks_ftp(s)]
        self._found = found
        self._left = left
        self._clients = 0

    def health(self) -> None:
        """In each pool a server falls silent: clients meet the others, and it again when it is back."""
        watched = list(self._victims())
        if not watched:
            return
        if (most := max(w.within for w in watched) + _GRACE) > self._left():
            self._leave_out("health checks", f"they take up to {most:.0f} s")
            return
        for host in {w.victim for w in watched}:
            self._site.silence(host)
        self._wait(
            watched,
            lambda w, weights: not weights.get(w.victim),
            lambda w, answers: all(a.server not in (None, w.victim) for a in answers),
            "out of service after its death",
            "goes on getting clients after its death",
        )
        self._site.serve()
        if self._left() < most:
            self._leave_out("return of a dead server", "it takes longer")
            return
        self._wait(
            watched,
            lambda w, weights: bool(weights.get(w.victim)),
            lambda w, answers: w.spread is Spread.ANY or any(a.server == w.victim for a in answers),
            "back in service after its return",
            "gets no clients after its return",
        )

    def sorry(self) -> None:
        """A whole pool falls silent: the sorry server answers."""
        watched = [
            _Watched(lowered=s, endpoint=next(endpoints(s)), victim="", within=_noticed(check))
            for s in self._services
            if self._has_sorry_server(s) and (check := _check(s)) is not None
        ]
        if not watched:
            return
        if (most := max(w.within for w in watched) + _GRACE) > self._left():
            self._leave_out("sorry servers", f"they take up to {most:.0f} s")
            return
        names = self._site.topology.names
        pools = {w.lowered.service.pool.name: w.lowered.service.pool for w in watched}
        stand_ins = {name: _stand_in(pool, names) for name, pool in pools.items()}
        for host in {names[str(s.ips[0])] for pool in pools.values() for s in pool.enabled}:
            if host not in stand_ins.values():
                self._site.silence(host)
        self._wait(
            watched,
            lambda w, weights: {name for name in weights if weights[name]} == {stand_ins[_pool(w)]},
            lambda w, answers: all(a.server == stand_ins[_pool(w)] for a in answers),
            "replaced by its sorry server",
            "is not replaced by its sorry server",
        )
        self._site.serve()
        if self._left() < most:
            self._leave_out("return of dead pools", "it takes longer")
            return
        self._wait(
            watched,
            lambda w, weights: not weights.get(stand_ins[_pool(w)]),
            lambda w, answers: all(self._fits(w.endpoint, answer) for answer in answers),
            "back in its sorry server's place",
            "does not come back in its sorry server's place",
        )

    def _has_sorry_server(self, lowered: LoweredService) -> bool:
        """Whether there is one that can answer: by NAT it needs nothing, otherwise somebody must have set it up."""
        pool = lowered.service.pool
        if pool.sorry_server is None:
            return False
        host = self._site.topology.names[str(pool.sorry_server.ips[0])]
        if pool.sorry_server.forwarding is Forwarding.NAT or host in self._site.managed:
            return True
        why = f"by `{pool.sorry_server.forwarding.value}` somebody else sets it up"
        self._found.left_out.append(LeftOut(f"{lowered.service.name}: its sorry server", why))
        return False

    def failover(self) -> None:
        """The first director dies: the other has all services, and with synchronisation the open connections."""
        directors, cluster = self._site.directors, self._site.cluster
        if len(directors) == 1 or not self._services:
            return
        if isinstance(cluster.failover, ExternalFailover) or cluster.failover is None:
            self._found.left_out.append(LeftOut("failover", "it is not lvsc's (`external`)"))
            return
        within = 4 * cluster.failover.advertisement_interval
        if (most := within + _GRACE) > self._left():
            self._leave_out("failover", f"it takes up to {most:.0f} s")
            return
        first = [endpoint for s in self._services for endpoint in first_of_each_family(s)]
        active = active_director(self._site, [e.address for e in first])
        if active is None:
            self._found.left_out.append(
                LeftOut("failover", "no director has the virtual addresses to itself")
            )
            return
        held = self._hold(first, active) if cluster.connection_sync is not None else []
        began = time.monotonic()
        end = self._end(within)
        self._site.kill(active)
        missing = list(first)
        while missing and time.monotonic() < end:
            answers = self._site.ask(e.question(self._site, self._next(), limit=_ASKING) for e in missing)
            missing = [e for e, a in zip(missing, answers, strict=True) if not self._fits(e, a)]
        took = time.monotonic() - began
        for endpoint in missing:
            self._blame(
                codes.NOT_FAILED_OVER,
                endpoint.lowered,
                f"`{endpoint.lowered.service.name}` does not answer at {endpoint} {took:.0f} s after {active} died",
            )
        if not missing:
            self._found.proved.append(
                Proved(
                    "failover",
                    f"{active} died, and {took:.1f} s later every service answered ({len(self._services)})",
                )
            )
            self._judge_held(held, active)

    def _hold(self, first: Iterable[Endpoint], active: str) -> list[tuple[str, Endpoint, Answer]]:
        """Connections that are open long enough for the active director's peers to know of them."""
        held, sources = [], set[str]()
        for number, endpoint in enumerate(first):
            service = endpoint.lowered.service
            if endpoint.protocol is Protocol.UDP:
                continue
            if service.source_nat:
                if endpoint.family is not service.families[0]:
                    continue  # it has been said
                why = "each director gives them its own address, so they end with it"
                self._found.left_out.append(LeftOut(f"{service.name}: open connections", why))
                continue
            name = f"held{number}"
            question = endpoint.question(self._site, self._next())
            answer = self._site.open(name, question)
            if answer.server is not None:
                held.append((name, endpoint, answer))
                sources.add(f"{bracketed(ip_address(question.source))}:")
        tuning = self._site.cluster.tuning
        threshold = tuning.sync_threshold[0] if tuning is not None and tuning.sync_threshold else 3
        for name, _, _ in held * (threshold + 1):
            self._site.say(name)
        end = self._end(0)
        for peer in (director for director in self._site.directors if director != active):
            while not self._knows(peer, sources) and time.monotonic() < end:
                time.sleep(_BETWEEN)
        return held

    def _knows(self, director: str, sources: Iterable[str]) -> bool:
        """Whether a director knows of an open connection of each client."""
        entries = self._site.run(director, "ipvsadm", "-Lnc").splitlines()
        known = [entry for entry in entries if " ESTABLISHED " in entry]
        return all(any(f" {source}" in entry for entry in known) for source in sources)

    def _judge_held(self, held: Sequence[tuple[str, Endpoint, Answer]], dead: str) -> None:
        lived = []
        for name, endpoint, before in held:
            after = self._site.say(name)
            if after.server == before.server:
                lived.append(endpoint.lowered.service.name)
            else:
                self._blame(
                    codes.NOT_FAILED_OVER,
                    endpoint.lowered,
                    f"an open connection to {endpoint} did not survive the death of {dead}: {after}",
                )
        if lived:
            said = f"open connections of {', '.join(dict.fromkeys(lived))} went on when {dead} had died"
            self._found.proved.append(Proved("connection synchronisation", said))

    def _fits(self, endpoint: Endpoint, answer: Answer) -> bool:
        return answer.server in promise(endpoint.lowered, endpoint.family, self._site.topology.names).shares

    def _victims(self) -> Iterable[_Watched]:
        """A service of each pool that notices a death, and the server that is to die in it: never a pool's last."""
        dying: set[str] = set()
        seen: set[str] = set()
        for lowered in self._services:
            pool, check = lowered.service.pool, _check(lowered)
            if pool.name in seen:
                continue
            endpoint = next(endpoints(lowered))
            owed = promise(lowered, endpoint.family, self._site.topology.names)
            if check is None or not owed.several:
                continue
            seen.add(pool.name)
            candidates = [name for name in owed.shares if name not in self._site.directors]
            if not candidates:
                continue
            victim = next((name for name in candidates if name in dying), candidates[-1])
            dying.add(victim)
            yield _Watched(
                lowered=lowered,
                endpoint=endpoint,
                victim=victim,
                within=_noticed(check),
                spread=owed.spread,
                connections=owed.connections if owed.spread in (Spread.EXACT, Spread.NEAR) else 48,
            )

    def _wait(
        self,
        watched: Sequence[_Watched],
        changed: Callable[[_Watched, Mapping[str, int]], bool],
        fits: Callable[[_Watched, Sequence[Answer]], bool],
        proved: str,
        failed: str,
    ) -> None:
        """Wait until the director's table has changed, at most as long as the slowest check takes, and ask new clients."""
        began = time.monotonic()
        end = self._end(max(w.within for w in watched))
        missing = list(watched)
        said: dict[str, Counter[str]] = {}
        while missing and time.monotonic() < end:
            table = self._site.run(self._site.directors[0], "ipvsadm", "-Sn")
            for each in [w for w in missing if changed(w, self._weights(w, table))]:
                own = self._site.ask(
                    each.endpoint.question(self._site, self._next(), _ASKING) for _ in range(each.connections)
                )
                said[each.lowered.service.name] = Counter(map(str, own))
                if fits(each, own):
                    missing.remove(each)
                    took = f"{time.monotonic() - began:.1f} s"
                    self._found.proved.append(
                        Proved(each.lowered.service.name, f"{each.subject} {proved} ({took})")
                    )
            time.sleep(_BETWEEN if missing else 0)
        for each in missing:
            counts = said.get(each.lowered.service.name)
            seen = f"clients met {counted(counts)}" if counts else "the director's table did not change"
            self._blame(codes.NOT_TAKEN_OUT, each.lowered, f"{each.subject} {failed}: {seen}")

    def _weights(self, watched: _Watched, table: str) -> dict[str, int]:
        """The weights of a service's servers in a director's table, as `ipvsadm -Sn` prints it."""
        lowered, endpoint = watched.lowered, watched.endpoint
        own = str(lowered.mark) if lowered.mark is not None else f"{bracketed(endpoint.address)}:"
        weights: dict[str, int] = {}
        for line in table.splitlines():
            words = line.split()
            if words[0] == "-a" and (words[2] == own or (own.endswith(":") and words[2].startswith(own))):
                host = words[words.index("-r") + 1].rpartition(":")[0].strip("[]")
                weights[self._site.topology.names.get(host, host)] = int(words[words.index("-w") + 1])
        return weights

    def _next(self) -> int:
        """A client that has not asked for a while."""
        self._clients += 1
        return LATER[self._clients % len(LATER)]

    def _end(self, within: float) -> float:
        """When to give up on something that begins now and takes so many seconds by the spec, as `time.monotonic` counts."""
        return time.monotonic() + max(within + _GRACE, _PART * self._left())

    def _leave_out(self, what: str, why: str) -> None:
        self._found.left_out.append(
            LeftOut(what, f"{why}, and `--limit` leaves {max(0, self._left()):.0f} s")
        )

    def _blame(self, code: Code, lowered: LoweredService, message: str) -> None:
        self._found.diagnostics.append(failure(code, lowered, message))


def active_director(site: Site, addresses: Iterable[Address]) -> str | None:
    """The director that has all of these virtual addresses; None where there is none.

    On `lo` they are a real server's, which directors may be, too.
    """
    wanted = [f" {ip}/" for ip in addresses]
    for director in site.directors:
        lines = site.run(director, "ip", "-o", "addr", "show", "scope", "global").splitlines()
        here = "".join(line for line in lines if line.split()[1] != "lo")
        if all(ip in here for ip in wanted):
            return director
    return None


def _pool(watched: _Watched) -> str:
    return watched.lowered.service.pool.name


def _check(lowered: LoweredService) -> Check | None:
    """A service's health check, if a laboratory's server can fail it by falling silent."""
    chosen = check_of(lowered)
    if chosen is None or isinstance(chosen.check.probe, PingProbe | ScriptProbe):
        return None
    return chosen.check


def _noticed(check: Check) -> float:
    return check.interval * 2 + (check.timeout + check.delay_before_retry) * (check.retries + 1)


def _stand_in(pool: Pool, names: Mapping[str, str]) -> str:
    if pool.sorry_server is None:
        raise ValueError(f"pool {pool.name} has no sorry server")
    return names[str(pool.sorry_server.ips[0])]
