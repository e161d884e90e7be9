"""The virtual_server blocks read (keepalived.conf(5), "VIRTUAL SERVER(S)"; check_parser.c, check_data.c)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lvsc.plugin import (
    AddressSelector,
    Diagnostic,
    Family,
    Forwarding,
    MarkSelector,
    Node,
    Protocol,
    Scheduler,
    SchedulerFlag,
    Selector,
    VirtualService,
)
from lvsc_keepalived import read_codes
from lvsc_keepalived.read_checkers import Defaults
from lvsc_keepalived.read_destinations import NAT, method_of
from lvsc_keepalived.read_fields import Fields, Keywords, Report
from lvsc_keepalived.read_lines import Statement
from lvsc_keepalived.read_servers import (
    VirtualServer,
    destination,
    real_servers,
    sorry_destination,
    sorry_server,
)
from lvsc_keepalived.read_settings import persistence_of, quorum_of

_FLAG_WORDS = ("flag-1", "flag-2", "sh-port", "sh-fallback", "mh-port", "mh-fallback")
_SERVICE = Keywords(
    "virtual_server",
    (
        "ip_family",
        "delay_loop",
        "connect_timeout",
        "retry",
        "delay_before_retry",
        "inhibit_on_failure",
        "lvs_sched",
        *_FLAG_WORDS,
        "ops",
        "lvs_method",
        "persistence_timeout",
        "persistence_granularity",
        "persistence_engine",
        "protocol",
        "virtualhost",
        "weight",
        "quorum",
        "hysteresis",
        "quorum_up",
        "quorum_down",
        "sorry_server",
        "sorry_server_lvs_method",
    ),
    ("real_server",),
    lb_algo="lvs_sched",
    lb_kind="lvs_method",
)

_SCHEDULERS = {scheduler.value: scheduler for scheduler in Scheduler}
_FLAGS = {
    (Scheduler.SH, "sh-fallback"): SchedulerFlag.SH_FALLBACK,
    (Scheduler.SH, "flag-1"): SchedulerFlag.SH_FALLBACK,
    (Scheduler.SH, "sh-port"): SchedulerFlag.SH_PORT,
    (Scheduler.SH, "flag-2"): SchedulerFlag.SH_PORT,
    (Scheduler.MH, "mh-fallback"): SchedulerFlag.MH_FALLBACK,
    (Scheduler.MH, "flag-1"): SchedulerFlag.MH_FALLBACK,
    (Scheduler.MH, "mh-port"): SchedulerFlag.MH_PORT,
    (Scheduler.MH, "flag-2"): SchedulerFlag.MH_PORT,
}
_PROTOCOLS = {protocol.name: protocol for protocol in Protocol}
_FAMILIES = {"inet": Family.IPV4, "inet6": Family.IPV6}

_MAX_INT = 2**31 - 1
_MAX_UNSIGNED = 2**32 - 1


@dataclass(slots=True)
class Services:
    """The virtual servers of a file, and what its problems leave open of them."""

    first: dict[Selector, Statement] = field(default_factory=dict)
    doubtful: set[Selector] = field(default_factory=set)
    """Those of which it is open what they do."""
    partial: bool = False
    """Whether there may be others."""

    def doubt(self, problems: Iterable[Diagnostic]) -> None:
        """Add what problems with the text itself leave open."""
        for problem in problems:
            line = problem.place.origin.line if problem.place is not None else None
            if problem.code == read_codes.SYNTAX:
                # What keepalived makes of the rest of the file depends on it.
                self.doubtful.update(self.first)
                self.partial = True
            elif problem.code == read_codes.EXPANSION:
                within = {
                    selector
                    for selector, statement in self.first.items()
                    if line is not None and statement.line <= line <= statement.end
                }
                self.doubtful |= within
                self.partial = self.partial or not within


def read_service(
    report: Report, statement: Statement, label: str | None, services: Services
) -> Iterator[Node]:
    """The virtual service of a block with all that belongs to it; ``services`` are those before it.

    Where something of the service itself is a problem, its servers are left out.
    """
    before = len(report.problems)
    service = VirtualServer(report, Fields(report, statement, _SERVICE), statement)
    fields = service.fields
    service.method = method_of(fields, "lvs_method") or NAT
    service.servers = [one for found in fields.many if (one := destination(service, found)) is not None]
    service.sorry = sorry_destination(service)
    selector = _selector(service)
    if selector is None:
        services.partial = True
        return
    first = services.first.setdefault(selector, statement)
    if first is not statement:
        report.at(
            read_codes.STRUCTURE,
            statement,
            "this virtual server is here twice",
            advice="remove one of the two",
            other=report.origin(first),
        )
    if not fields.many:
        message = "a virtual server without real servers is ignored"
        report.at(read_codes.STRUCTURE, statement, message, advice="add one, or remove it")
    node = _virtual_service(service, selector, label)
    more = (quorum_of(fields, selector), sorry_server(service, selector))
    defaults = Defaults().within(fields)
    defaults.script_timeout = defaults.interval
    weight = fields.number("weight", 1, _MAX_INT, 1)
    drains = fields.bare("inhibit_on_failure")
    if first is statement:
        yield node
    if len(report.problems) == before:
        yield from (each for each in more if each is not None)
        yield from real_servers(service, selector, defaults, weight, drains=drains)
    if len(report.problems) > before:
        services.doubtful.add(selector)


def _selector(service: VirtualServer) -> Selector | None:
    report, statement = service.report, service.statement
    words = statement.words
    if len(words) not in (2, 3):
        report.at(
            read_codes.VALUE, statement, "a virtual server is an address and a port, or a mark", index=3
        )
        return None
    if words[1] == "group":
        message = "a virtual server by group is not supported"
        report.at(read_codes.KEYWORD, statement, message, index=1, advice="say each address, or a mark")
        return None
    if words[1] == "fwmark":
        mark = report.number(statement, 2, "a mark", 1, _MAX_UNSIGNED)
        if "protocol" in service.fields:
            message = "a virtual server of a mark has no protocol"
            report.at(read_codes.STRUCTURE, service.fields.said["protocol"], message, advice="remove it")
        return None if mark is None else MarkSelector(mark, _family(service))
    address = report.address(statement, 1)
    port = report.number(statement, 2, "a port", 0, 65535) if len(words) > 2 else 0  # noqa: PLR2004 - the port
    # Without a protocol, the kernel makes it UDP.
    protocol = service.fields.text("protocol") or "UDP"
    if protocol.upper() not in _PROTOCOLS:
        report.value(service.fields.said["protocol"], 1, "a protocol that IPVS balances")
        return None
    family = service.fields.one_of("ip_family", {"inet": "inet", "inet6": "inet6"})
    if address is not None and family is not None and _FAMILIES[family] is not Family.of(address):
        report.value(service.fields.said["ip_family"], 1, "the family of the address")
    if address is None or port is None:
        return None
    return AddressSelector(_PROTOCOLS[protocol.upper()], address, port)


def _family(service: VirtualServer) -> Family:
    """The family of a mark: said, or that of what is not reached by tunnel, or that of all (vs_end_handler)."""
    said = service.fields.one_of("ip_family", {"inet": "inet", "inet6": "inet6"})
    if said is not None:
        return _FAMILIES[said]
    granularity = service.fields.said.get("persistence_granularity")
    if granularity is not None and len(granularity.words) > 1:
        return Family.IPV4 if "." in granularity.words[1] else Family.IPV6
    destinations = [*service.servers, *([service.sorry] if service.sorry is not None else [])]
    plain = [one for one in destinations if one.method[0] is not Forwarding.TUNNEL]
    families = {Family.of(one.address) for one in plain or destinations}
    return families.pop() if len(families) == 1 else Family.IPV4


def _virtual_service(service: VirtualServer, selector: Selector, label: str | None) -> VirtualService:
    report, fields = service.report, service.fields
    said = fields.one_of("lvs_sched", {word: word for word in _SCHEDULERS})
    scheduler = _SCHEDULERS[said] if said is not None else Scheduler.WLC
    flags: list[SchedulerFlag] = []
    for word in _FLAG_WORDS:
        if not fields.bare(word):
            continue
        flag = _FLAGS.get((scheduler, word))
        at = fields.said[word]
        if flag is None or flag in flags or fields.said["lvs_sched"].line > at.line:
            message = f"`{word}` is no flag of the scheduler {scheduler.value}, or does not come after it"
            report.at(read_codes.STRUCTURE, at, message, advice="remove it, or say the scheduler first")
        else:
            flags.append(flag)
    persistence = persistence_of(fields, selector.family)
    one_packet = fields.bare("ops")
    if isinstance(selector, AddressSelector):
        if one_packet and selector.protocol is not Protocol.UDP:
            report.at(
                read_codes.STRUCTURE,
                fields.said["ops"],
                "one-packet scheduling is for UDP",
                advice="remove it",
            )
        if not selector.port and persistence is None:
            message = "a virtual server on every port is persistent, and this one is not"
            report.at(read_codes.STRUCTURE, service.statement, message, advice="say `persistence_timeout`")
    return VirtualService(
        host=report.host,
        origin=report.origin(service.statement),
        selector=selector,
        service=label or " ".join(service.statement.words[1:]),
        scheduler=scheduler,
        flags=tuple(flag for flag in SchedulerFlag if flag in flags),
        persistence=persistence,
        one_packet=one_packet,
    )
