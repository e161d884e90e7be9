"""Short ways to write the rule graph's nodes in tests."""

from ipaddress import ip_address, ip_network

from lvsc.plugin import (
    Accept,
    AddressSelector,
    Family,
    Forwarding,
    HelperAssignment,
    Hook,
    Marking,
    MarkSelector,
    NoTrack,
    Origin,
    Persistence,
    Portless,
    PortRange,
    Protocol,
    RealServer,
    Scheduler,
    SourceNat,
    State,
    TrafficClass,
    VirtualService,
)

HOST = "lvs1"
ORIGIN = Origin("cluster.toml", ("services", "web"))


def ports(text: str) -> PortRange:
    """The range that `80` or `80-90` writes."""
    first, _, last = text.partition("-")
    return PortRange(int(first), int(last or first))


def traffic(
    hook: Hook = Hook.PREROUTING,
    *,
    family: Family | None = None,
    protocol: Protocol | Portless = Protocol.TCP,
    src: str | None = None,
    dst: str | None = None,
    sport: str | None = None,
    dport: str | None = None,
    not_macs: tuple[str, ...] = (),
    interface: str | None = None,
    original_dst: str | None = None,
    original_dport: str | None = None,
    state: State | None = None,
) -> TrafficClass:
    """A traffic class; its family is that of its addresses, else IPv4."""
    addresses = [address for address in (dst, src, original_dst) if address is not None]
    if family is None:
        family = Family.of(ip_network(addresses[0])) if addresses else Family.IPV4
    return TrafficClass(
        hook=hook,
        family=family,
        protocol=protocol,
        source=None if src is None else ip_network(src),
        destination=None if dst is None else ip_network(dst),
        source_ports=None if sport is None else ports(sport),
        destination_ports=None if dport is None else ports(dport),
        not_source_macs=not_macs,
        interface=interface,
        original_destination=None if original_dst is None else ip_network(original_dst),
        original_destination_ports=None if original_dport is None else ports(original_dport),
        state=state,
    )


def marking(packets: TrafficClass, mark: int = 80, service: str = "web") -> Marking:
    return Marking(host=HOST, origin=ORIGIN, service=service, traffic=packets, mark=mark)


def no_track(packets: TrafficClass, service: str = "web") -> NoTrack:
    return NoTrack(host=HOST, origin=ORIGIN, service=service, traffic=packets)


def helper(packets: TrafficClass, name: str = "ftp", service: str = "files") -> HelperAssignment:
    return HelperAssignment(host=HOST, origin=ORIGIN, service=service, traffic=packets, helper=name)


def source_nat(packets: TrafficClass, address: str, service: str = "files") -> SourceNat:
    return SourceNat(host=HOST, origin=ORIGIN, service=service, traffic=packets, address=ip_address(address))


def accept(packets: TrafficClass, service: str = "web") -> Accept:
    return Accept(host=HOST, origin=ORIGIN, service=service, traffic=packets)


def service(
    selector: MarkSelector | AddressSelector,
    *,
    persistence: int | None = None,
    scheduler: Scheduler = Scheduler.WLC,
    name: str = "web",
) -> VirtualService:
    """A virtual service; its persistence is in seconds, for single clients."""
    kept = (
        None if persistence is None else Persistence(timeout=persistence, prefix_length=selector.family.bits)
    )
    return VirtualService(
        host=HOST, origin=ORIGIN, service=name, selector=selector, scheduler=scheduler, persistence=kept
    )


def real_server(
    selector: MarkSelector | AddressSelector,
    address: str,
    port: int = 0,
    *,
    weight: int = 1,
    forwarding: Forwarding = Forwarding.NAT,
) -> RealServer:
    return RealServer(
        host=HOST,
        origin=ORIGIN,
        name=f"rs{address.rpartition('.')[2]}",
        selector=selector,
        address=ip_address(address),
        port=port,
        forwarding=forwarding,
        weight=weight,
    )


def by_mark(mark: int, family: Family = Family.IPV4) -> MarkSelector:
    return MarkSelector(mark, family)


def by_address(address: str, port: int, protocol: Protocol = Protocol.TCP) -> AddressSelector:
    return AddressSelector(protocol, ip_address(address), port)
