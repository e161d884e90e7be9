"""The service kind `ftp`."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lvsc.plugin import (
    Accept,
    Anchor,
    Cluster,
    Diagnostic,
    Family,
    Feature,
    Forwarding,
    Fragment,
    HelperAssignment,
    Hook,
    KernelModule,
    LoweredService,
    ModuleOption,
    Node,
    Place,
    Plan,
    PortRange,
    Protocol,
    Service,
    ServiceKind,
    ServicePort,
    SourceNat,
    State,
    Table,
    TrafficClass,
    host_network,
    words,
)
from lvsc_ftp import codes
from lvsc_ftp.settings import PassiveSettings
from lvsc_ftp.strategy import REASONS, FtpOptions, Way, choose, options_of

CONTROL_PORT = 21
#: Where a persistent way needs a time and the spec says none: as long as keepalived's and Red Hat's manuals suggest.
PERSISTENCE = 300
MODULE = "ip_vs_ftp"
#: The ports that servers take for passive data where nothing says which: no server needs root's for that.
_UNPRIVILEGED = PortRange(1024, 65535)


_BY_MODULE = "no pasv_address: ip_vs_ftp on the directors writes the virtual address, and would mistake one already there"
_PASSIVE_REASONS = {
    Way.ADDRESS: _BY_MODULE,
    Way.MARK: _BY_MODULE,
    Way.OPAQUE: "the control connection is encrypted, so no director can correct the address in the reply",
    Way.PASSING: "no pasv_address: the server answers with the virtual address, which the client connected to",
}


class FtpKind(ServiceKind):
    """Balances FTP: the control port, passive and active data connections."""

    name = "ftp"
    title = "FTP: control port, passive range, active data, helper and source NAT"
    backends = ("vsftpd",)

    def fragment(self) -> Fragment:
        """The control port, the passive range, whether it is encrypted, and who serves it."""
        return Fragment(
            title="An FTP service",
            description="Balances FTP, with everything that its data connections need.",
            properties={
                "control_port": words.integer(
                    "Control port",
                    "The port that clients connect to.",
                    2,
                    65535,
                    examples=[2121],
                    default=CONTROL_PORT,
                ),
                "passive_ports": words.string(
                    "Passive ports",
                    "The ports that the real servers offer for passive transfers. Said, they are joined to the control"
                    " port under one persistent mark.",
                    pattern=words.PORT_RANGE,
                    says=words.PORT_RANGE_SAYS,
                    examples=["10000-20000"],
                ),
                "tls": words.boolean(
                    "TLS",
                    "Clients may encrypt the control connection, so that the directors cannot read it.",
                    default=False,
                ),
                "server": words.choice(
                    "Server",
                    "What serves FTP: lvsc writes vsftpd's settings, and leaves any `other` program's to you.",
                    ["vsftpd", "other"],
                    examples=["other"],
                    default="vsftpd",
                ),
            },
            without=("one_packet", "persistence_engine", "source_nat"),
        )

    def options(self, table: Table) -> FtpOptions:
        """The kind's own keys."""
        control = table.integer("control_port") or CONTROL_PORT
        passive = table.port_range("passive_ports")
        if passive is not None and control in passive:
            table.problems.append(
                codes.RANGE_HOLDS_CONTROL.at(
                    table.origin("passive_ports"),
                    f"the passive range {passive} holds the control port {control}",
                    help="choose a range without it",
                )
            )
        return FtpOptions(
            control_port=control,
            passive_ports=passive,
            tls=table.boolean("tls") is True,
            vsftpd=table.text("server") != "other",
        )

    def plan(self, service: Service, cluster: Cluster) -> Plan:  # noqa: ARG002 - the cluster changes nothing here
        """The way that fits the forwarding method and what the spec says, or why none does."""
        options = options_of(service)
        way = choose(service)
        ports = [ServicePort(Protocol.TCP, PortRange.one(options.control_port))]
        if way is Way.PASSING:
            # Active data goes out past the director, but the client's packets of it come in by way of it.
            ports.append(ServicePort(Protocol.TCP, PortRange.one(options.control_port - 1)))
        if options.passive_ports is not None:
            ports.append(ServicePort(Protocol.TCP, options.passive_ports))
        persistent = way is not Way.ADDRESS
        return Plan(
            ports=tuple(ports),
            mark_reasons=("a client's data connections must follow its control connection",)
            if persistent
            else (),
            persistence=(service.persistence or PERSISTENCE) if persistent else None,
            probe_port=options.control_port,
            features=(Feature.KERNEL_FTP_EPSV,)
            if way in (Way.ADDRESS, Way.MARK) and options.passive_ports is None
            else (),
            reasons=REASONS[way],
            diagnostics=tuple(_problems(service, way)),
        )

    def nodes(self, lowered: LoweredService, cluster: Cluster) -> Iterable[Node]:
        """Helper, modules, source NAT, accepts, and the real servers' settings."""
        way = choose(lowered.service)
        for director in cluster.directors:
            if way in (Way.ADDRESS, Way.MARK):
                yield from _reading(lowered, director.name)
            if way in (Way.MARK, Way.OPAQUE):
                yield from _source_nats(lowered, director.name)
            if cluster.accept:
                yield from _accepts(lowered, cluster, director.name, way)
        yield from _settings(lowered, way)


def _problems(service: Service, way: Way) -> Iterator[Diagnostic]:
    options = options_of(service)
    table = Place(service.origin, Anchor.TABLE)
    if Forwarding.NAT in service.forwardings and len(service.forwardings) > 1:
        methods = ", ".join(sorted(method.value for method in service.forwardings))
        yield codes.MIXED.at(
            table,
            f"the real servers of FTP service `{service.name}` are reached in several ways: {methods}",
            others=[Place(service.pool.origin, Anchor.TABLE, "the pool")],
            help="make a pool and a service for each forwarding method",
        )
        return
    if way in (Way.OPAQUE, Way.PASSING) and options.passive_ports is None:
        why = (
            "is encrypted"
            if way is Way.OPAQUE
            else "cannot be corrected by a director that does not see the answers"
        )
        yield codes.NO_RANGE.at(
            table,
            f"FTP service `{service.name}` needs `passive_ports`: its control connection {why}",
            help='add `passive_ports = "10000-20000"`, or another range that nothing else uses',
        )
    for family in service.families if way is Way.OPAQUE else ():
        if len(service.ips(family)) > 1:
            yield codes.TWO_ADDRESSES.at(
                service.origin / "address",
                f"encrypted FTP service `{service.name}` has {len(service.ips(family))} IPv{family.value} addresses",
                help="make a service and a pool for each address",
            )
    if way is Way.OPAQUE and options.vsftpd and len(service.families) > 1:
        yield codes.BOTH_FAMILIES.at(
            service.origin / "address",
            f"the real servers of FTP service `{service.name}` cannot give its IPv4 address and listen for IPv6",
            help='make a service and a pool of its own for each family, or say `server = "other"`',
        )


def _reading(lowered: LoweredService, host: str) -> Iterator[Node]:
    """What reads the control connection: both the IPVS application and the conntrack helper, always together."""
    service, port = lowered.service, options_of(lowered.service).control_port
    for name in (MODULE, "nf_conntrack_ftp"):
        yield KernelModule(host=host, origin=service.origin, name=name)
    yield ModuleOption(host=host, origin=service.origin, module=MODULE, option="ports", value=str(port))
    for family in service.families:
        for address in service.ips(family):
            traffic = TrafficClass(
                hook=Hook.PREROUTING,
                family=family,
                protocol=Protocol.TCP,
                destination=host_network(address),
                destination_ports=PortRange.one(port),
            )
            yield HelperAssignment(
                host=host,
                origin=service.origin,
                traffic=traffic,
                service=service.name,
                helper="ftp",
                reason="a stateful firewall lets data connections pass only where this helper expects them",
            )


def _source_nats(lowered: LoweredService, host: str) -> Iterator[Node]:
    """Active data connections leave with the virtual address, also those that nothing read the announcement of.

    To the virtual address and not by MASQUERADE, which would take the interface's first address: a client that checks
    where data comes from refuses that. With several virtual addresses nothing says which one, and ip_vs_ftp does it.
    """
    service = lowered.service
    for family in service.families:
        addresses = service.ips(family)
        if len(addresses) > 1:
            continue
        for traffic in _active_data(lowered, family, Hook.POSTROUTING):
            yield SourceNat(
                host=host,
                origin=service.origin,
                traffic=traffic,
                service=service.name,
                address=addresses[0],
                reason="to the virtual address, not MASQUERADE: clients refuse active data from any other address",
            )


def _accepts(lowered: LoweredService, cluster: Cluster, host: str, way: Way) -> Iterator[Node]:
    """What the filter sees of data connections, besides what the service's own ports let in and their answers."""
    if way is Way.PASSING:
        return
    for traffic, reason in _opaque_data(lowered) if way is Way.OPAQUE else _expected_data(lowered):
        yield Accept(
            host=host,
            origin=lowered.service.origin,
            said_at=(("accept", cluster.origin / "accept"),),
            traffic=traffic,
            service=lowered.service.name,
            reason=reason,
        )


def _opaque_data(lowered: LoweredService) -> Iterator[tuple[TrafficClass, str]]:
    """Active data that nothing expects; source NAT is undone before the filter sees the clients' answers."""
    for family in lowered.service.families:
        for traffic in _active_data(lowered, family, Hook.FORWARD):
            yield traffic, "connections that the real servers open"
            yield (
                replace(
                    traffic,
                    source=None,
                    source_ports=None,
                    destination=traffic.source,
                    destination_ports=traffic.source_ports,
                    state=State.ESTABLISHED,
                ),
                "answers to connections that the real servers open",
            )


def _expected_data(lowered: LoweredService) -> Iterator[tuple[TrafficClass, str]]:
    """Data connections that the helper expects, and what follows on them.

    Active ones have been given the virtual address by IPVS, which the clients answer; passive ones begin with it.
    """
    service, options = lowered.service, options_of(lowered.service)
    begins, goes_on = State.RELATED, State.ESTABLISHED
    for family in service.families:
        for active in _active_data(lowered, family, Hook.FORWARD):
            for state in (begins, goes_on):
                yield replace(active, state=state), "active data connections"
            if options.passive_ports is None:
                yield (
                    replace(active, source_ports=_UNPRIVILEGED, state=goes_on),
                    "answers on passive data connections",
                )
        for address in service.ips(family):
            client = TrafficClass(
                hook=Hook.INPUT,
                family=family,
                protocol=Protocol.TCP,
                destination=host_network(address),
                destination_ports=PortRange.one(options.control_port - 1),
                state=goes_on,
            )
            yield client, "clients' answers on active data connections"
            for state in (begins, goes_on) if options.passive_ports is None else ():
                yield (
                    replace(client, destination_ports=_UNPRIVILEGED, state=state),
                    "passive data connections",
                )


def _active_data(lowered: LoweredService, family: Family, hook: Hook) -> Iterator[TrafficClass]:
    """The data connections that the real servers open to clients in active mode."""
    control = options_of(lowered.service).control_port
    for server in lowered.service.pool.enabled:
        ip = server.ip(family)
        if ip is not None:
            yield TrafficClass(
                hook=hook,
                family=family,
                protocol=Protocol.TCP,
                source=host_network(ip),
                source_ports=PortRange.one((server.port or control) - 1),
            )


def _settings(lowered: LoweredService, way: Way) -> Iterator[Node]:
    options = options_of(lowered.service)
    addresses = lowered.service.ips(Family.IPV4)
    for server in lowered.service.pool.enabled:
        if options.vsftpd and server.managed:
            yield PassiveSettings(
                host=server.name,
                origin=lowered.service.origin,
                listen_port=server.port or options.control_port,
                passive_ports=options.passive_ports,
                passive_address=addresses[0] if way is Way.OPAQUE and addresses else None,
                reason=_PASSIVE_REASONS[way],
            )
