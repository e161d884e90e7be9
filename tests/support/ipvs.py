"""Short ways to write a director's nodes in tests."""

from dataclasses import replace
from ipaddress import ip_address

from lvsc.plugin import (
    AddressSelector,
    ConnectionSync,
    Family,
    Feature,
    Forwarding,
    HostGraph,
    HostPart,
    MarkSelector,
    Node,
    Origin,
    Persistence,
    Protocol,
    RealServer,
    Scheduler,
    SchedulerFlag,
    Selector,
    Target,
    Timeouts,
    Tunnel,
    VirtualService,
)
from lvsc.targets import load

HOST = "lvs1"
ORIGIN = Origin("cluster.toml", ("services", "web"))


def selector(text: str) -> Selector:
    """The service that `tcp 10.0.0.80:80`, `udp [fd00::80]:53`, `mark 80` or `mark 80 -6` selects."""
    kind, name, *six = text.split()
    if kind == "mark":
        return MarkSelector(int(name), Family.IPV6 if six else Family.IPV4)
    host, _, port = name.rpartition(":")
    return AddressSelector(Protocol(kind), ip_address(host.strip("[]")), int(port))


def service(
    name: str,
    scheduler: str = "wlc",
    *,
    flags: tuple[str, ...] = (),
    persistence: Persistence | None = None,
    one_packet: bool = False,
) -> VirtualService:
    return VirtualService(
        host=HOST,
        origin=ORIGIN,
        selector=selector(name),
        service="web",
        scheduler=Scheduler(scheduler),
        flags=tuple(map(SchedulerFlag, flags)),
        persistence=persistence,
        one_packet=one_packet,
    )


def persistent(timeout: int = 300, prefix_length: int = 32, engine: str | None = None) -> Persistence:
    return Persistence(timeout=timeout, prefix_length=prefix_length, engine=engine)


def server(
    of: str,
    address: str,
    port: int | None = None,
    forwarding: str = "nat",
    *,
    weight: int = 1,
    upper: int = 0,
    lower: int = 0,
    tunnel: Tunnel | None = None,
) -> RealServer:
    """A real server on its service's port unless another one is said; a tunnel is plain unless said otherwise."""
    if tunnel is None and forwarding == "tunnel":
        tunnel = Tunnel()
    return RealServer(
        host=HOST,
        origin=ORIGIN,
        selector=selector(of),
        name="web1",
        address=ip_address(address),
        port=getattr(selector(of), "port", 0) if port is None else port,
        forwarding=Forwarding(forwarding),
        tunnel=tunnel,
        weight=weight,
        upper_threshold=upper,
        lower_threshold=lower,
    )


def timeouts(tcp: int = 900, tcp_fin: int = 120, udp: int = 300) -> Timeouts:
    return Timeouts(host=HOST, origin=ORIGIN, tcp=tcp, tcp_fin=tcp_fin, udp=udp)


def connection_sync(
    interface: str = "eth1",
    sync_id: int = 51,
    *,
    instance: str | None = None,
    max_length: int | None = None,
    port: int | None = None,
    ttl: int | None = None,
    group: str | None = None,
) -> ConnectionSync:
    return ConnectionSync(
        host=HOST,
        origin=ORIGIN,
        interface=interface,
        instance=instance,
        sync_id=sync_id,
        max_length=max_length,
        port=port,
        ttl=ttl,
        group=None if group is None else ip_address(group),
    )


def without(*features: Feature) -> Target:
    """Debian 12 with programs that lack these features."""
    target = load("debian12")
    return replace(target, stated=(*target.stated, *((feature, False) for feature in features)))


def part(*nodes: Node, target: Target | None = None) -> HostPart:
    """The director's part of a cluster called `demo`, on Debian 12 unless said otherwise."""
    return HostPart(cluster="demo", graph=HostGraph(HOST, nodes), target=target or load("debian12"))
