"""Generated directors: virtual services with all that belongs to them, failover and settings, as lowering writes them.

What a backend or target cannot say is left out of a part by `accepted`, a service at a time.
"""

from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv6Interface, ip_address

from hypothesis import assume
from hypothesis import strategies as st

from lvsc.plugin import (
    Address,
    AddressRole,
    AddressSelector,
    Authentication,
    AuthenticationType,
    Backend,
    ConnectionSync,
    DnsProbe,
    EmailAlerts,
    FailureAction,
    Family,
    Forwarding,
    HealthCheck,
    HostGraph,
    HostPart,
    HttpProbe,
    MarkSelector,
    Node,
    Persistence,
    PingProbe,
    Probe,
    Protocol,
    Quorum,
    RealServer,
    Scheduler,
    SchedulerFlag,
    ScriptProbe,
    ScriptUser,
    SecretRef,
    SecretSource,
    Selector,
    SmtpProbe,
    SorryServer,
    SyncGroup,
    Target,
    TcpProbe,
    Timeouts,
    TrackScript,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    UdpProbe,
    VirtualAddress,
    VirtualService,
    VrrpInstance,
)
from support.features import features_of
from support.ipvs import HOST, ORIGIN

Nodes = tuple[Node, ...]

ports = st.integers(1, 65535)
names = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)
interfaces = st.sampled_from(("eth0", "eth1", "bond0.12", "inst", "port"))
flags = st.booleans()
texts = st.one_of(
    st.sampled_from(
        ("www.example.org", "a b", "#x", "!", "a$b", "x{y}", "it's", "~SEQ", "@a", "user@host", "$")
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12),
)
commands = st.one_of(
    st.sampled_from(
        (
            "/bin/true",
            "/bin/sh -c 'echo $1 > /dev/null'",
            '/bin/sh -c "exit 1 # {now}"',
            "/bin/echo 'it is \"so\"' !",
            '/bin/echo "it\'s"',
            "/bin/echo  two  blanks",
        )
    ),
    st.lists(texts, max_size=3).map(lambda words: " ".join(("/bin/true", *words))),
)
maybe_commands = st.none() | commands
#: Whole seconds mostly, else down to a microsecond.
seconds: st.SearchStrategy[float] = st.integers(1, 4294) | st.integers(1, 10**9).map(lambda n: n / 10**6)
hexadecimal = st.binary(min_size=1, max_size=6).map(lambda found: found.hex())


def addresses(family: Family) -> st.SearchStrategy[Address]:
    """Addresses that hosts can have, many of them near each other."""
    if family is Family.IPV4:
        return st.one_of(
            st.ip_addresses(v=4, network="192.0.2.0/28"), st.ip_addresses(v=4, network="10.0.0.0/8")
        )
    return st.one_of(st.ip_addresses(network="2001:db8::/124"), st.ip_addresses(network="2000::/3"))


@st.composite
def selectors(draw: st.DrawFn) -> Selector:
    """A mark, or an address with a port or with every port."""
    family = draw(st.sampled_from(Family))
    if draw(flags):
        return MarkSelector(draw(st.integers(1, 9) | st.integers(1, 2**31 - 1)), family)
    port = draw(st.sampled_from((0, 80, 443)) | ports)
    return AddressSelector(draw(st.sampled_from(Protocol)), draw(addresses(family)), port)


@st.composite
def virtual_services(draw: st.DrawFn) -> VirtualService:
    """Every scheduler with its flags, with and without persistence."""
    selector = draw(selectors())
    scheduler = draw(st.sampled_from(Scheduler))
    own = [flag for flag in SchedulerFlag if flag.value.startswith(f"{scheduler.value}-")]
    persistence = st.builds(
        Persistence,
        timeout=st.integers(1, 31 * 86400),
        prefix_length=st.just(selector.family.bits) | st.integers(1, selector.family.bits),
        engine=st.sampled_from((None, None, "sip")),
    )
    every_port = isinstance(selector, AddressSelector) and not selector.port
    return VirtualService(
        host=HOST,
        origin=ORIGIN,
        selector=selector,
        service=draw(names),
        scheduler=scheduler,
        flags=tuple(flag for flag in own if draw(flags)),
        persistence=draw(persistence if every_port else st.none() | persistence),
        one_packet=draw(flags) and getattr(selector, "protocol", Protocol.UDP) is Protocol.UDP,
    )


@st.composite
def tunnels(draw: st.DrawFn) -> Tunnel:
    """Every type with every checksum that it has."""
    kind = draw(st.sampled_from(TunnelType))
    known = {
        TunnelType.IPIP: (TunnelChecksum.NONE,),
        TunnelType.GUE: tuple(TunnelChecksum),
        TunnelType.GRE: (TunnelChecksum.NONE, TunnelChecksum.FULL),
    }
    port = draw(ports) if kind is TunnelType.GUE else None
    return Tunnel(type=kind, port=port, checksum=draw(st.sampled_from(known[kind])))


@st.composite
def destinations(draw: st.DrawFn, selector: Selector) -> tuple[Address, int, Forwarding, Tunnel | None]:
    """Where packets of a service can go, and how."""
    forwarding = draw(st.sampled_from(Forwarding))
    tunnel = draw(tunnels()) if forwarding is Forwarding.TUNNEL else None
    family = draw(st.sampled_from(Family)) if tunnel is not None else selector.family
    kept = getattr(selector, "port", 0)
    port = draw(st.just(kept) | ports) if forwarding is Forwarding.NAT else kept
    return draw(addresses(family)), port, forwarding, tunnel


@st.composite
def real_servers(draw: st.DrawFn, selector: Selector) -> RealServer:
    """A real server of a service."""
    address, port, forwarding, tunnel = draw(destinations(selector))
    upper = draw(st.just(0) | st.integers(0, 2**31 - 1))
    return RealServer(
        host=HOST,
        origin=ORIGIN,
        selector=selector,
        name=draw(names),
        address=address,
        port=port,
        forwarding=forwarding,
        tunnel=tunnel,
        weight=draw(st.just(1) | st.integers(0, 65535)),
        upper_threshold=upper,
        lower_threshold=draw(st.integers(0, upper)),
    )


statuses = st.sets(st.integers(100, 599), min_size=1, max_size=4).map(
    lambda codes: tuple((code, code) for code in sorted(codes) if code - 1 not in codes)
) | st.just(((200, 299), (301, 404)))


@st.composite
def http_probes(draw: st.DrawFn) -> HttpProbe:
    """Pages over HTTP and HTTPS."""
    tls = draw(flags)
    host = draw(st.none() | texts)
    return HttpProbe(
        tls=tls,
        path=draw(st.just("/") | texts),
        status=draw(statuses),
        digest=draw(st.none() | st.binary(min_size=16, max_size=16).map(lambda found: found.hex())),
        regex=draw(st.none() | texts | st.just(r'^a\.b "c" \x41{2}$')),
        virtual_host=host,
        sni=tls and host is not None and draw(flags),
        http_version=draw(st.sampled_from(("1.0", "1.1"))),
    )


@st.composite
def udp_probes(draw: st.DrawFn) -> UdpProbe:
    """Datagrams with and without contents."""
    required = draw(flags)
    return UdpProbe(
        payload=draw(st.none() | hexadecimal),
        require_reply=required,
        reply=draw(st.none() | hexadecimal) if required else None,
    )


probes: st.SearchStrategy[Probe] = st.one_of(
    st.just(TcpProbe()),
    http_probes(),
    st.builds(SmtpProbe, helo=st.none() | texts),
    st.builds(DnsProbe, record=st.sampled_from(("A", "AAAA", "SOA", "RRSIG")), name=texts),
    udp_probes(),
    st.just(PingProbe()),
    st.builds(ScriptProbe, command=commands),
)


@st.composite
def health_checks(draw: st.DrawFn, server: RealServer) -> tuple[HealthCheck, ...]:
    """Up to two checks of a real server, which agree on what happens when it fails."""
    found = draw(st.lists(probes, max_size=2))
    action, up, down = draw(st.sampled_from(FailureAction)), draw(maybe_commands), draw(maybe_commands)
    interval = draw(st.just(6) | seconds)
    checks = []
    for probe in found:
        retries = draw(st.integers(0, 3))
        checks.append(
            HealthCheck(
                host=HOST,
                origin=ORIGIN,
                selector=server.selector,
                address=server.address,
                port=server.port,
                probe=probe,
                probe_port=None if isinstance(probe, PingProbe | ScriptProbe) else draw(ports),
                interval=interval,
                timeout=draw(st.integers(1, 4294) if isinstance(probe, ScriptProbe) else seconds),
                retries=retries,
                delay_before_retry=draw(st.just(0) | seconds) if retries else 0,
                on_failure=action,
                up=up,
                down=down,
            )
        )
    return tuple(dict.fromkeys(checks))


def _place(server: RealServer) -> tuple[Address, int]:
    return server.address, server.port


@st.composite
def bare_services(draw: st.DrawFn) -> Nodes:
    """A virtual service with its real servers, and none of what probes them."""
    service = draw(virtual_services())
    servers = draw(st.lists(real_servers(service.selector), max_size=3, unique_by=_place))
    return (service, *servers)


@st.composite
def probed_services(draw: st.DrawFn) -> Nodes:
    """A virtual service with its real servers, their checks, a sorry server and a quorum."""
    service = draw(virtual_services())
    selector = service.selector
    servers = draw(st.lists(real_servers(selector), min_size=1, max_size=3, unique_by=_place))
    nodes: list[Node] = [service, *servers]
    for server in servers:
        nodes += draw(health_checks(server))
    if draw(flags):
        address, port, forwarding, tunnel = draw(destinations(selector))
        nodes.append(
            SorryServer(
                host=HOST,
                origin=ORIGIN,
                selector=selector,
                address=address,
                port=port,
                forwarding=forwarding,
                tunnel=tunnel,
            )
        )
    weight = draw(st.integers(1, max(sum(server.weight for server in servers), 1)))
    quorum = Quorum(
        host=HOST,
        origin=ORIGIN,
        selector=selector,
        weight=weight,
        hysteresis=draw(st.integers(0, weight - 1)),
        up=draw(maybe_commands),
        down=draw(maybe_commands),
    )
    if (weight, quorum.hysteresis, quorum.up, quorum.down) != (1, 0, None, None):
        nodes.append(quorum)
    return tuple(nodes)


@st.composite
def virtual_addresses(draw: st.DrawFn, instance: VrrpInstance) -> VirtualAddress:
    """An address that an instance moves."""
    address = draw(addresses(instance.family))
    length = draw(st.just(instance.family.bits) | st.integers(8, instance.family.bits))
    interface = IPv4Interface if instance.family is Family.IPV4 else IPv6Interface
    return VirtualAddress(
        host=HOST,
        origin=ORIGIN,
        interface=draw(st.just(instance.interface) | interfaces),
        address=interface((address, length)),
        role=draw(st.sampled_from((AddressRole.SERVED, AddressRole.GATEWAY))),
        instance=instance.name,
    )


@st.composite
def vrrp_instances(draw: st.DrawFn, number: int) -> VrrpInstance:
    """One virtual router; each number has a name and a router id of its own."""
    family = draw(st.sampled_from(Family))
    version = draw(st.sampled_from((2, 3))) if family is Family.IPV4 else 3
    preempt = draw(flags)
    peers = tuple(draw(st.lists(addresses(family), max_size=2, unique=True)))
    password = st.builds(
        SecretRef, st.sampled_from((SecretSource.ENVIRONMENT, SecretSource.FILE)), names, st.just(8)
    )
    kinds = st.sampled_from(AuthenticationType)
    return VrrpInstance(
        host=HOST,
        origin=ORIGIN,
        name=f"{draw(st.sampled_from(('net', 'id', 'inst')))}{number or ''}",
        interface=draw(interfaces),
        family=family,
        version=version,
        router_id=number + 1,
        priority=draw(st.integers(1, 254)),
        preempt=preempt,
        preempt_delay=draw(st.just(0) | st.integers(1, 10**9).map(lambda n: n / 10**6)) if preempt else 0,
        advertisement_interval=draw(
            st.integers(1, 255) if version == 2 else st.integers(1, 4095).map(lambda n: n / 100)
        ),
        unicast_source=draw(st.none() | addresses(family)) if peers else None,
        unicast_peers=peers,
        authentication=draw(st.none() | st.builds(Authentication, type=kinds, password=password))
        if version == 2
        else None,
    )


@st.composite
def track_scripts(draw: st.DrawFn, number: int) -> TrackScript:
    """A command that a group tracks."""
    times = st.integers(1, 4294)
    counts = st.integers(1, 2**31 - 1)
    return TrackScript(
        host=HOST,
        origin=ORIGIN,
        name=f"script{number}",
        command=draw(commands),
        interval=draw(times),
        timeout=draw(times),
        rise=draw(counts),
        fall=draw(counts),
    )


@st.composite
def failovers(draw: st.DrawFn) -> Nodes:
    """VRRP instances with their addresses, each in one group, alone or together."""
    count = draw(st.integers(0, 3))
    instances = [draw(vrrp_instances(number)) for number in range(count)]
    scripts = [draw(track_scripts(number)) for number in range(draw(st.integers(0, 2)) if count else 0)]
    nodes: list[Node] = [*instances, *scripts]
    for instance in instances:
        nodes += draw(st.lists(virtual_addresses(instance), min_size=1, max_size=3))
    split = draw(st.integers(0, count))
    for number, members in enumerate((instances[:split], instances[split:])):
        if not members:
            continue
        own = {instance.interface for instance in members}
        tracked = draw(st.lists(interfaces, max_size=3, unique=True))
        nodes.append(
            SyncGroup(
                host=HOST,
                origin=ORIGIN,
                name=f"group{number}",
                instances=tuple(instance.name for instance in members),
                track_interfaces=tuple(name for name in tracked if name not in own),
                track_scripts=tuple(script.name for script in scripts if draw(flags)),
                master=draw(maybe_commands),
                backup=draw(maybe_commands),
                fault=draw(maybe_commands),
                stop=draw(maybe_commands),
            )
        )
    return tuple(nodes)


@st.composite
def synchronisations(draw: st.DrawFn, instances: Iterable[str] = ()) -> ConnectionSync:
    """Connection synchronisation, with what the kernel would choose left out, said, or said otherwise."""
    said = draw(flags)
    group = draw(st.sampled_from((None, "224.0.0.81", "239.1.1.1", "ff02::81"))) if said else None
    strategy: dict[str, st.SearchStrategy[int | None]] = {
        "max_length": st.sampled_from((None, 1, 900, 1472, 65487)),
        "port": st.sampled_from((None, 8848)) | ports,
        "ttl": st.sampled_from((None, 1)) | st.integers(1, 255),
    }
    values = {name: draw(found) if said else None for name, found in strategy.items()}
    return ConnectionSync(
        host=HOST,
        origin=ORIGIN,
        interface=draw(interfaces),
        instance=draw(st.sampled_from((None, *instances))),
        sync_id=draw(st.integers(0, 255)),
        group=None if group is None else ip_address(group),
        max_length=values["max_length"],
        port=values["port"],
        ttl=values["ttl"],
    )


timeouts = st.builds(
    Timeouts,
    host=st.just(HOST),
    origin=st.just(ORIGIN),
    tcp=st.sampled_from((0, 900)) | st.integers(0, 31 * 86400),
    tcp_fin=st.sampled_from((0, 120)) | st.integers(0, 31 * 86400),
    udp=st.sampled_from((0, 300)) | st.integers(0, 31 * 86400),
)


@st.composite
def ipvsadm_directors(draw: st.DrawFn) -> list[Nodes]:
    """What a director by ipvsadm has, in pieces of which any can be left out."""
    services = draw(st.lists(bare_services(), max_size=4, unique_by=_selector))
    pieces = [*services, *((node,) for node in draw(st.lists(timeouts, max_size=1)))]
    if draw(flags):
        pieces.append((draw(synchronisations()),))
    return pieces


@st.composite
def keepalived_directors(draw: st.DrawFn) -> list[Nodes]:
    """What a director by keepalived has, in pieces of which any can be left out; the first is who runs commands."""
    user = ScriptUser(host=HOST, origin=ORIGIN, user=draw(names))
    failover = draw(failovers())
    instances = [node.name for node in failover if isinstance(node, VrrpInstance)]
    pieces: list[Nodes] = [(user,), failover]
    if draw(flags):
        sync = draw(synchronisations(instances))
        pieces[1] = (*failover, sync)
    pieces += [(node,) for node in draw(st.lists(timeouts, max_size=1))]
    if draw(flags):
        mail = texts.filter(str.strip)
        alerts = EmailAlerts(
            host=HOST,
            origin=ORIGIN,
            sender=draw(mail),
            recipients=tuple(draw(st.lists(mail, min_size=1, max_size=3))),
            server=draw(addresses(draw(st.sampled_from(Family)))),
            port=draw(st.just(25) | ports),
        )
        pieces.append((alerts,))
    return [*pieces, *draw(st.lists(probed_services(), max_size=3, unique_by=_selector))]


def accepted(backend: Backend, target: Target, pieces: Iterable[Nodes]) -> HostPart:
    """The part of those pieces that the backend can say on a target; an example without any is none."""

    def part(*nodes: Node) -> HostPart:
        return HostPart(cluster="demo", graph=HostGraph(HOST, nodes), target=target)

    kept: list[Node] = []
    for piece in pieces:
        known = all(target.has(feature) for node in piece for feature in features_of(backend, node))
        if known and not list(backend.check(part(*kept, *piece))):
            kept += piece
    assume(kept)
    return part(*kept)


def _selector(nodes: Nodes) -> Selector:
    (service,) = (node for node in nodes if isinstance(node, VirtualService))
    return service.selector
