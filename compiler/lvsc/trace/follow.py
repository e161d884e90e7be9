"""Follows a packet through each director, hook by hook.

The order is netfilter's: raw (-300), conntrack (-200), mangle (-150), routing; INPUT with the filter (0) and then IPVS (99),
which sends on by way of OUTPUT; or FORWARD with the filter (0) and IPVS (100) for answers; POSTROUTING (ip_vs_core.c,
ip_vs_ops; docs/kernel-facts.md). A packet of a connection that IPVS knows already keeps its real server, so it is the first
packet of a connection that is followed.
"""

from collections.abc import Iterator
from dataclasses import replace

from lvsc.compare.sides import HostSide, Side
from lvsc.compare.unknown import unknowns
from lvsc.diagnostics import DiagnosticError, nearest
from lvsc.graph.nodes import (
    Accept,
    Forwarding,
    HelperAssignment,
    KernelModule,
    Marking,
    NoTrack,
    RealServer,
    SourceNat,
    VirtualAddress,
    VirtualService,
)
from lvsc.graph.traffic import Address, Hook
from lvsc.plugins.backend import Role
from lvsc.trace.asked import Asked
from lvsc.trace.codes import UNKNOWN_DIRECTOR
from lvsc.trace.evidence import Lines
from lvsc.trace.known import Known
from lvsc.trace.lookup import Hit, answered, look_up, open_question
from lvsc.trace.packet import Moving
from lvsc.trace.result import (
    Course,
    Evidence,
    Fate,
    FoundService,
    Handler,
    Lookup,
    OpenQuestion,
    Step,
    Trace,
    Traced,
)
from lvsc.trace.service import Services, way_back

NOTHING = Known()
_BY = {
    Lookup.MARK: "by its mark",
    Lookup.EXACT: "by its address and port",
    Lookup.FTP: "through the service on port 21, for a data port",
    Lookup.ANY_PORT: "through the service on every port",
}


def trace(side: Side, asked: Asked, known: Known = NOTHING) -> Trace:
    """The packet's way through the director that is asked about, or through each; those on which it is the same are together.

    Raises:
        DiagnosticError: There is no such director.
    """
    found: list[tuple[Course, list[str]]] = []
    for name in _directors(side, asked):
        course = _Walk(side, side.hosts[name], asked, known).course()
        for other, names in found:
            if other == course:
                names.append(name)
                break
        else:
            found.append((course, [name]))
    return Trace(
        asked=asked,
        ways=tuple(Traced(directors=tuple(names), course=course) for course, names in found),
    )


def _directors(side: Side, asked: Asked) -> tuple[str, ...]:
    """The hosts with virtual services; where nothing says any, those with rules for packets, else all that texts are of."""
    kinds = (VirtualService, Marking, NoTrack, HelperAssignment, SourceNat)
    serving = [name for name, host in side.hosts.items() if host.nodes.of(VirtualService)]
    ruling = [name for name, host in side.hosts.items() if any(map(host.nodes.of, kinds))]
    names = serving or ruling or [name for name, host in side.hosts.items() if not host.whole]
    if asked.director is None:
        if names:
            return tuple(names)
        raise DiagnosticError(
            [
                UNKNOWN_DIRECTOR.at(
                    None, f"`{side.name}` has no director", help="name something that has virtual services"
                )
            ]
        )
    if asked.director in names:
        return (asked.director,)
    near = nearest(asked.director, names)
    listed = ", ".join(names) or "there are none"
    raise DiagnosticError(
        [
            UNKNOWN_DIRECTOR.at(
                None,
                f"`{asked.director}` is no director of `{side.name}`",
                help=f"did you mean `{near}`?" if near else f"the directors: {listed}",
            )
        ]
    )


class _Walk:
    """One packet on one director."""

    def __init__(self, side: Side, host: HostSide, asked: Asked, known: Known) -> None:
        self._side = side
        self._host = host
        self._asked = asked
        self._local = known.addresses.get(host.host)
        self._lines = Lines(side, host)
        self._services = Services(side, host, self._lines, known)
        self._steps: list[Step] = []
        self._helper: str | None = None
        sent_here = self._local is not None and asked.source in self._local
        self._packet = Moving.arriving(asked, Hook.OUTPUT if sent_here else Hook.PREROUTING)

    def course(self) -> Course:
        self._entry()
        local, where, evidence = self._routed()
        self._step(None, Handler.ROUTING, where, evidence)
        if local:
            return self._arrived()
        if self._local is None and (why := self._open(self._looked_up())):
            return self._untold(Hook.INPUT, why)
        answer = self._answer()
        return self._answering(answer) if answer else self._sent_on()

    def _step(
        self, hook: Hook | None, handler: Handler, what: str, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        self._steps.append(Step(hook=hook, handler=handler, what=what, evidence=evidence))

    def _entry(self) -> None:
        """The first hook: tracking, helper, mark."""
        nodes, packet = self._host.nodes, self._packet
        untracked = packet.first(nodes, NoTrack)
        if untracked is not None:
            self._step(
                packet.hook, Handler.RAW, "connection tracking passes it over", self._lines.of(untracked)
            )
        tracked = untracked is None
        helper = packet.first(nodes, HelperAssignment) if tracked else None
        if helper is not None:
            self._helper = helper.helper
            what = f"the helper `{helper.helper}` reads its connection"
            self._step(packet.hook, Handler.CONNTRACK, what, self._lines.of(helper))
        elif tracked:
            self._step(
                packet.hook,
                Handler.CONNTRACK,
                "its connection is tracked, if anything here tracks connections",
            )
        self._packet = replace(packet, tracked=tracked)
        self._mark()

    def _mark(self) -> None:
        nodes, packet = self._host.nodes, self._packet
        rule = packet.first(nodes, Marking)
        if rule is not None:
            macs = rule.traffic.not_source_macs
            unless = f", because it does not come from {' or '.join(macs)}" if macs else ""
            self._packet = replace(packet, mark=rule.mark)
            self._step(packet.hook, Handler.MANGLE, f"it gets mark {rule.mark}{unless}", self._lines.of(rule))
            return
        almost = packet.but_for_link(nodes)
        if almost is not None:
            self._step(packet.hook, Handler.MANGLE, _missed(almost, packet.asked), self._lines.of(almost))
        elif not self._host.speaks_of(Marking):
            kept = (
                f"it keeps mark {packet.mark}" if packet.mark else "nothing here says whether it gets a mark"
            )
            self._step(packet.hook, Handler.MANGLE, kept)
        else:
            kept = f"no rule marks it, and it keeps mark {packet.mark}" if packet.mark else "no rule marks it"
            self._step(packet.hook, Handler.MANGLE, kept)

    def _routed(self) -> tuple[bool, str, tuple[Evidence, ...]]:
        """Whether the packet is for the director itself, in words, and by which lines."""
        to = self._asked.destination
        for node in self._host.nodes.of(VirtualAddress):
            if node.address.ip == to:
                when = " while it is the active one" if node.instance is not None else ""
                return (
                    True,
                    f"{to} is an address of the director{when}: it is for the director",
                    self._lines.of(node),
                )
        if self._local is not None:
            if to in self._local:
                return True, f"{to} is the director's own address: it is for the director", ()
            return False, f"{to} is no address of the director: it is sent on", ()
        if self._expected():
            return True, f"nothing here says so, but {to} must be an address of the director", ()
        return (
            False,
            f"nothing here says whose address {to} is: if it is not the director's, it is sent on",
            (),
        )

    def _expected(self) -> bool:
        """Whether rules or services are there for the packet, which are only for packets to the director."""
        marked = self._packet.first(self._host.nodes, Marking) is not None
        return marked or self._looked_up() is not None

    def _looked_up(self) -> Hit | None:
        return look_up(self._host.nodes, self._asked, self._packet.mark)

    def _open(self, hit: Hit | None) -> str:
        """Why it is open which service takes the packet; empty where it is not."""
        found = "" if hit is None else self._services.titled(hit.service)
        return open_question(self._host, self._asked, self._packet.mark, hit, found)

    def _arrived(self) -> Course:
        local_out = self._packet.hook is Hook.OUTPUT
        if not local_out:
            self._let_through(Hook.INPUT)
        hook = Hook.OUTPUT if local_out else Hook.INPUT
        hit = self._looked_up()
        if why := self._open(hit):
            return self._untold(hook, why)
        if hit is None:
            return self._no_service(hook)
        service = self._services.found(hit, self._asked, self._packet)
        titled = self._services.titled(hit.service)
        if not hit.taken:
            return self._refused(hook, hit, titled, service)
        said = f"IPVS finds service {titled} {_BY[hit.by]}"
        if not any(candidate.weight for candidate in service.candidates):
            return self._unserved(hook, said, service)
        each = "each datagram by itself" if service.one_packet else "each new connection"
        self._step(
            hook,
            Handler.IPVS,
            f"{said}; `{service.scheduler.value}` picks a real server for {each}",
            service.evidence,
        )
        self._leaving(service)
        return self._done(
            Fate.BALANCED, f"service {titled} balances it", service, way_back(service, self._asked)
        )

    def _no_service(self, hook: Hook) -> Course:
        if not self._host.speaks_of(VirtualService):
            return self._untold(hook, "nothing here says which services IPVS has")
        mark = self._packet.mark
        asked = f"mark {mark}, nor " if mark else ""
        self._step(hook, Handler.IPVS, f"IPVS has no service for {asked}its address and port")
        return self._done(
            Fate.LOCAL, "no service takes it: it is delivered to the director's own programs, as any packet"
        )

    def _untold(self, hook: Hook, why: str) -> Course:
        self._step(hook, Handler.IPVS, why)
        return self._done(Fate.UNTOLD, why)

    def _refused(self, hook: Hook, hit: Hit, titled: str, service: FoundService) -> Course:
        modules = {module.name for module in self._host.nodes.of(KernelModule)}
        unless = ", unless `ip_vs_ftp` read of it in a control connection" if "ip_vs_ftp" in modules else ""
        self._step(
            hook,
            Handler.IPVS,
            f"IPVS finds service {titled} {_BY[hit.by]}; it is not persistent, and takes its own port alone{unless}",
            service.evidence,
        )
        return self._done(
            Fate.REFUSED,
            f"refused by service {titled}: it is left to the director's own programs, as any packet{unless}",
            service,
        )

    def _unserved(self, hook: Hook, said: str, service: FoundService) -> Course:
        drained = "every real server is drained" if service.candidates else "it has no real server"
        self._step(hook, Handler.IPVS, f"{said}; {drained}", service.evidence)
        if service.sorry:
            return self._done(
                Fate.UNSERVED,
                f"{drained}: a new client goes to the sorry server",
                service,
                way_back(service, self._asked),
            )
        return self._done(
            Fate.UNSERVED, f"{drained}: a new client is told by ICMP that the port is unreachable", service
        )

    def _leaving(self, service: FoundService) -> None:
        """IPVS sends on by way of OUTPUT, whose rules for clients' packets have been met already."""
        methods = {candidate.forwarding for candidate in service.candidates}
        for method in Forwarding:
            if method in methods:
                self._step(Hook.OUTPUT, Handler.IPVS, f"by {method.value}: {_LEAVING[method]}")
        what = "the director's own firewall must let it through, if it drops anything here"
        self._step(Hook.OUTPUT, Handler.FILTER, what)
        rules = self._services.source_rules(service, self._packet)
        for address, matched in rules.items():
            self._step(
                Hook.POSTROUTING, Handler.NAT, f"its source becomes {address}", self._lines.of(*matched)
            )

    def _let_through(self, hook: Hook, *, answers: bool = False) -> None:
        accept = replace(self._packet.at(hook), answers=answers).first(self._host.nodes, Accept)
        if accept is not None:
            self._step(hook, Handler.FILTER, "a rule of lvsc lets it through", self._lines.of(accept))
        else:
            self._step(
                hook, Handler.FILTER, "the director's own firewall, if it has one, must let it through"
            )

    def _answer(self) -> tuple[str, ...]:
        """The virtual ends whose answers the packet can be, sent by a real server that is reached by nat."""
        asked = self._asked
        servers = [
            (server.selector, server.port)
            for server in self._host.nodes.of(RealServer)
            if server.forwarding is Forwarding.NAT and server.address == asked.source
        ]
        return answered(self._host.nodes, asked, servers)

    def _answering(self, ends: tuple[str, ...]) -> Course:
        self._let_through(Hook.FORWARD, answers=True)
        what = f"if it answers a client, IPVS gives it the source {' or '.join(ends)}"
        self._step(Hook.FORWARD, Handler.IPVS, what)
        self._source_nat("if it opens a connection of its own, ")
        return self._done(Fate.ANSWER, f"a real server's answer, which gets the source {' or '.join(ends)}")

    def _sent_on(self) -> Course:
        self._let_through(Hook.FORWARD)
        known = self._local is not None
        unless = "" if known else f"; unless {self._asked.destination} is the director's own"
        changed = self._source_nat("")
        if changed is not None:
            return self._done(Fate.FORWARDED, f"sent on, with the source {changed}{unless}")
        return self._done(
            Fate.FORWARDED,
            f"sent on as it is, past IPVS's services, which are for the director's own addresses{unless}",
        )

    def _source_nat(self, condition: str) -> Address | None:
        rule = self._packet.source_nat(self._host.nodes)
        if rule is None:
            return None
        self._step(
            Hook.POSTROUTING,
            Handler.NAT,
            f"{condition}its source becomes {rule.address}; the answers come back to the director, which restores it",
            self._lines.of(rule),
        )
        return rule.address

    def _done(
        self, fate: Fate, why: str, service: FoundService | None = None, back: tuple[Step, ...] = ()
    ) -> Course:
        return Course(
            fate=fate,
            why=why,
            steps=tuple(self._steps),
            back=back,
            mark=self._packet.mark,
            tracked=self._packet.tracked,
            helper=self._helper,
            service=service,
            open_questions=tuple(self._open_questions()),
        )

    def _open_questions(self) -> Iterator[OpenQuestion]:
        roles = frozenset({Role.PACKET_FILTER, Role.DIRECTOR})
        for each in unknowns(self._side, self._host, roles):
            origin = each.origin
            yield OpenQuestion(
                aspect=each.aspect,
                text=each.fragment,
                file="" if origin is None else origin.file,
                line=None if origin is None else origin.line,
            )


def _missed(rule: Marking, asked: Asked) -> str:
    """Why a rule does not mark a packet that it would mark by its addresses and ports."""
    if asked.source_mac in rule.traffic.not_source_macs:
        return f"no mark: it comes from {asked.source_mac}, a director that has balanced it already"
    here = "" if asked.interface is None else f" and not {asked.interface}"
    return f"no mark: the rule is for packets that come in by {rule.traffic.interface}{here}"


_LEAVING = {
    Forwarding.NAT: "the destination becomes the real server's",
    Forwarding.DIRECT: "it leaves as it came, to the real server's MAC address",
    Forwarding.TUNNEL: "it leaves wrapped, to the real server",
}
