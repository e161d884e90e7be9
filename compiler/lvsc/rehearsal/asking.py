"""Proofs that need nothing but questions: reached, balanced, together, FTP, and nothing beside."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from lvsc.diagnostics import Anchor, Code, Diagnostic, Place
from lvsc.graph.nodes import SmtpProbe
from lvsc.graph.traffic import Address, Family, PortRange, Protocol
from lvsc.laboratory.services import check_of, corners, speaks_ftp
from lvsc.laboratory.site import Answer, Question, Site
from lvsc.laboratory.topology import CLIENTS
from lvsc.lowering.lowered import LoweredService
from lvsc.rehearsal import codes
from lvsc.rehearsal.expect import Promise, Spread, promise
from lvsc.rehearsal.found import Found, Proved

#: Modes of `agent/ftp.py` and what they are called here. The active client is one that takes data from the server's address and port alone.
MODES = {
    Family.IPV4: {"passive": "passive", "strict": "strict", "epsv": "epsv", "checking": "active"},
    Family.IPV6: {"epsv": "epsv", "checking": "active"},
}
#: Clients of each kind of proof are others, so that none finds the traces of an earlier one.
REACHING, STAYING, BESIDE, SPREADING = range(4), range(4, 20), range(20, 21), range(32, 160)
LATER = range(160, CLIENTS)
#: How long clients wait for an answer, in seconds: one who loses a packet sends it again after 1, 3 and 7.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Endpoint:
    """A virtual address and port of a service that is asked."""

    lowered: LoweredService
    family: Family
    address: Address
    name: str
    """The spec's name of the address."""
    protocol: Protocol
    port: int
    greeted: bool

    def question(self, site: Site, client: int, limit: float = PATIENCE) -> Question:
        """A client's question here, which waits so many seconds for an answer."""
        clients = site.clients(self.name, self.family)
        return Question(
            protocol=self.protocol,
            host=str(self.address),
            port=self.port,
            source=clients[client % len(clients)],
            greeted=self.greeted,
            call=f"call-{client}" if self.lowered.service.persistence_engine == "sip" else "",
            limit=limit,
        )

    def network(self, site: Site) -> str:
        """The name of the network whose router leads clients here."""
        return site.cluster.addresses[self.name].network

    def __str__(self) -> str:
        return f"{self.protocol.value} {bracketed(self.address)}:{self.port}"


def bracketed(address: Address) -> str:
    """An address as it stands before a port."""
    return f"[{address}]" if Family.of(address) is Family.IPV6 else str(address)


def endpoints(lowered: LoweredService) -> Iterator[Endpoint]:
    """What is asked of a service: every address, and of each range its corners. Not FTP, which has its own clients."""
    if speaks_ftp(lowered):
        return
    check = check_of(lowered)
    greets = check.port if check is not None and isinstance(check.check.probe, SmtpProbe) else None
    for address in lowered.service.addresses:
        for ip in address.ips:
            for port in lowered.ports:
                for number in corners(port.ports):
                    yield Endpoint(
                        lowered=lowered,
                        family=Family.of(ip),
                        address=ip,
                        name=address.name,
                        protocol=port.protocol,
                        port=number,
                        greeted=number == greets,
                    )


class Asking:
    """The proofs of one site."""

    def __init__(self, site: Site, services: Sequence[LoweredService], found: Found) -> None:
        self._site = site
        self._services = services
        self._found = found
        self._lost: set[str] = set()
        """Services with an endpoint that does not answer, of which no more is asked."""

    def reach(self) -> None:
        """Every address, port and protocol of every service answers, from a server that should, to its own client."""
        asked = [
            (endpoint, client)
            for each in self._services
            for endpoint in endpoints(each)
            for client in REACHING
        ]
        answers = self._site.ask(endpoint.question(self._site, client) for endpoint, client in asked)
        for lowered in self._services:
            if speaks_ftp(lowered):
                continue
            own = [(e, a) for (e, _), a in zip(asked, answers, strict=True) if e.lowered is lowered]
            self._judge_reach(lowered, own)

    def _judge_reach(self, lowered: LoweredService, own: Sequence[tuple[Endpoint, Answer]]) -> None:
        name = lowered.service.name
        for endpoint in dict.fromkeys(e for e, _ in own):
            said = [a for e, a in own if e == endpoint]
            allowed = self._promise(lowered, endpoint.family).shares
            wrong = [answer for answer in said if answer.server not in allowed]
            if wrong:
                self._lost.add(name)
                counts = Counter(map(str, wrong))
                self._blame(
                    codes.NOT_REACHED,
                    lowered,
                    f"`{name}` does not answer at {endpoint}: {counted(counts)} of {len(said)} clients",
                )
        if name not in self._lost:
            where = ", ".join(dict.fromkeys(str(e) for e, _ in own))
            self._found.proved.append(Proved(name, f"reached at {where}"))
            self._judge_clients(lowered, own)

    def _judge_clients(self, lowered: LoweredService, own: Sequence[tuple[Endpoint, Answer]]) -> None:
        """Whose address the servers see."""
        service = lowered.service
        if service.source_nat:
            # What a director serves itself does not leave it, so no source NAT is done.
            seen = {answer.client for _, answer in own if answer.server not in self._site.directors}
            directors = {
                str(ip) for d in self._site.cluster.directors for ips in d.addresses.values() for ip in ips
            }
            virtual = {str(ip) for a in self._site.cluster.addresses.values() for ip in a.ips}
            if wrong := seen - directors - virtual:
                said = f"the servers of `{service.name}` see {min(wrong)}, which is no address of a director"
                self._blame(codes.OTHER_CLIENT, lowered, said)
            return
        for endpoint in dict.fromkeys(e for e, _ in own):
            clients = set(self._site.clients(endpoint.name, endpoint.family))
            for other, answer in own:
                if other == endpoint and answer.client not in clients:
                    self._blame(
                        codes.OTHER_CLIENT,
                        lowered,
                        f"{answer.server} sees {answer.client} as the client of {endpoint}, which it is not",
                    )
                    return

    def balance(self) -> None:
        """New connections spread as the scheduler promises."""
        for lowered in self._answering():
            for family in lowered.service.families:
                self._balance(lowered, family)

    def _balance(self, lowered: LoweredService, family: Family) -> None:
        owed, name = self._promise(lowered, family), lowered.service.name
        endpoint = next(e for e in endpoints(lowered) if e.family is family)
        if not owed.several or owed.spread in (Spread.ANY, Spread.BY_CLIENT):
            return
        answers = (
            self._packets(endpoint, owed) if lowered.service.one_packet else self._spread(endpoint, owed)
        )
        counts = Counter(str(answer) for answer in answers)
        what = "datagrams of one client" if lowered.service.one_packet else "connections"
        seen = f"{counted(counts)} of {len(answers)} {what} to {endpoint}"
        if owed.keeps(counts):
            self._found.proved.append(Proved(name, f"balanced {owed.spread.value}: {seen}"))
        else:
            shares = ", ".join(f"{server} {share}" for server, share in owed.shares.items())
            self._blame(codes.NOT_BALANCED, lowered, f"`{name}` is balanced {seen}; its weights say {shares}")

    def _spread(self, endpoint: Endpoint, owed: Promise) -> list[Answer]:
        """The answers to whole rounds of connections."""
        clients = [SPREADING[n % len(SPREADING)] for n in range(owed.connections)]
        return self._site.ask(endpoint.question(self._site, client) for client in clients)

    def _packets(self, endpoint: Endpoint, owed: Promise) -> list[Answer]:
        """The answers to datagrams from one port of one client, each of which is scheduled by itself."""
        name = f"datagrams to {endpoint}"
        answers = [self._site.open(name, endpoint.question(self._site, SPREADING[0]))]
        while answers[-1].server is not None and len(answers) < owed.connections:
            answers.append(self._site.say(name))
        return answers

    def stay(self) -> None:
        """Clients stay on one server over all ports, and not all on the same."""
        for lowered in self._answering():
            for family in lowered.service.families:
                owed = self._promise(lowered, family)
                if owed.together:
                    self._stay(lowered, family, owed)

    def _stay(self, lowered: LoweredService, family: Family, owed: Promise) -> None:
        name = lowered.service.name
        own = [e for e in endpoints(lowered) if e.family is family]
        if owed.spread is Spread.BY_CLIENT and lowered.plan.persistence is None:
            own = own[:1]
        # Each client's first connection before its others: of two that begin at once on two processors, each may find that the
        # kernel has no entry of the client yet (Linux: ip_vs_core.c, ip_vs_sched_persist).
        first = {endpoint.network(self._site): endpoint for endpoint in reversed(own)}.values()
        rounds = ([*first], [*own, *own])
        asked = [[(client, endpoint) for client in STAYING for endpoint in each] for each in rounds]
        answers = [
            answer
            for each in asked
            for answer in self._site.ask(endpoint.question(self._site, client) for client, endpoint in each)
        ]
        by_client: dict[tuple[int, str], set[str]] = {}
        for (client, endpoint), answer in zip(chain(*asked), answers, strict=True):
            # Behind each network's router are other clients.
            by_client.setdefault((client, endpoint.network(self._site)), set()).add(str(answer))
        torn = [servers for servers in by_client.values() if len(servers) > 1]
        used = sorted({server for servers in by_client.values() for server in servers})
        if torn:
            self._blame(
                codes.NOT_TOGETHER,
                lowered,
                f"{len(torn)} of {len(by_client)} clients of `{name}` met several servers: {', '.join(sorted(torn[0]))}",
            )
        elif len(used) == 1 and owed.spreads(len(by_client)):
            self._blame(
                codes.NOT_BALANCED, lowered, f"all {len(by_client)} clients of `{name}` met {used[0]}"
            )
        else:
            ports = f"over {len(own)} addresses and ports" if len(own) > 1 else "twice"
            self._found.proved.append(
                Proved(
                    name,
                    f"bundled: each of {len(by_client)} IPv{family.value} clients stayed on its server {ports};"
                    f" {', '.join(used)} served",
                )
            )

    def beside(self) -> None:
        """A port next to a service's, which no service has, leads nowhere."""
        asked: list[tuple[LoweredService, Question]] = []
        for lowered in self._answering():
            first = next(endpoints(lowered))
            port = self._unused(first.address, first.protocol, first.port)
            if port is not None:
                self._site.serve_also(first.protocol, port)
                question = first.question(self._site, BESIDE[0], limit=1)
                asked.append((lowered, replace(question, port=port, greeted=False)))
        answers = self._site.ask(question for _, question in asked)
        for (lowered, question), answer in zip(asked, answers, strict=True):
            where = f"{question.protocol.value} {question.host} port {question.port}"
            if answer.server is not None and answer.server not in self._site.directors:
                self._blame(
                    codes.OPEN, lowered, f"{where}, which no service has, is answered by {answer.server}"
                )
            else:
                self._found.proved.append(
                    Proved(lowered.service.name, f"nothing beside it: {where} leads nowhere")
                )

    def ftp(self) -> None:
        """Files come over in every mode."""
        for lowered in self._services:
            if not speaks_ftp(lowered):
                continue
            name = lowered.service.name
            for address in lowered.service.addresses:
                for ip in address.ips:
                    self._ftp(lowered, name, address.name, ip)

    def _ftp(self, lowered: LoweredService, name: str, address: str, ip: Address) -> None:
        family = Family.of(ip)
        source = self._site.clients(address, family)[REACHING[0]]
        transfers = self._site.fetch(str(ip), *MODES[family], source=source, limit=20)
        allowed = self._promise(lowered, family).shares
        failed = [t for t in transfers if t.server not in allowed]
        for transfer in failed:
            self._lost.add(name)
            self._blame(
                codes.NOT_REACHED,
                lowered,
                f"`{name}` at {ip} does not serve {MODES[family][transfer.mode]} clients: {transfer}",
            )
        done = ", ".join(MODES[family][t.mode] for t in transfers if t not in failed)
        if done:
            self._found.proved.append(Proved(name, f"FTP at {ip}: {done}"))

    def _promise(self, lowered: LoweredService, family: Family) -> Promise:
        return promise(lowered, family, self._site.topology.names)

    def _answering(self) -> Iterable[LoweredService]:
        return (s for s in self._services if not speaks_ftp(s) and s.service.name not in self._lost)

    def _unused(self, address: Address, protocol: Protocol, near: int) -> int | None:
        """The port nearest above one that no service has at an address."""
        taken: list[PortRange] = [
            port.ports
            for each in self._site.lowered.services
            for _, ip, port in each.endpoints()
            if ip == address and port.protocol is protocol
        ]
        for port in range(near + 1, 65536):
            if not any(port in ports for ports in taken):
                return port
        return None

    def _blame(self, code: Code, lowered: LoweredService, message: str) -> None:
        self._found.diagnostics.append(failure(code, lowered, message))


#: What to look at, by what failed.
_HELP = {
    codes.NOT_TAKEN_OUT: "look at the service's `check`: its type, port, interval and retries",
    codes.NOT_FAILED_OVER: "look at `[failover]` and `[connection_sync]`, and at what keepalived of this release knows of them",
}


def failure(code: Code, lowered: LoweredService, message: str) -> Diagnostic:
    """What is said of a promise that was not kept, at the service's line."""
    service = lowered.service
    explain = f"`lvsc explain {service.origin.file} {service.name}` says which rules it needs; `lvsc trace` follows a packet"
    return code.at(Place(service.origin, Anchor.TABLE), message, help=_HELP.get(code, explain))


def first_of_each_family(lowered: LoweredService) -> tuple[Endpoint, ...]:
    """An endpoint of each family that the service has."""
    return tuple(
        next(e for e in endpoints(lowered) if e.family is family) for family in lowered.service.families
    )


def counted(counts: Counter[str]) -> str:
    """Answers and how often each came."""
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
