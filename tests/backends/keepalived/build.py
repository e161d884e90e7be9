"""Short ways to write what keepalived knows beyond IPVS. Tests change what they need with `dataclasses.replace`."""

from ipaddress import ip_address, ip_interface

from lvsc.plugin import (
    AddressRole,
    EmailAlerts,
    Family,
    Forwarding,
    HealthCheck,
    Node,
    PingProbe,
    Probe,
    Quorum,
    RealServer,
    ScriptProbe,
    ScriptUser,
    SorryServer,
    SyncGroup,
    Target,
    TcpProbe,
    TrackScript,
    Tunnel,
    VirtualAddress,
    VrrpInstance,
)
from lvsc_keepalived.backend import Keepalived
from support.ipvs import HOST, ORIGIN, part, selector, server

WEB = "tcp 192.0.2.10:80"
WEB6 = "tcp [2001:db8::10]:80"
MARK = "mark 80"
MARK6 = "mark 80 -6"
WEB1 = server(WEB, "10.11.12.21", 80)
WEB2 = server(WEB, "10.11.12.22", 80)
TCP = TcpProbe()


def text_of(*nodes: Node, target: Target | None = None) -> str:
    """The emitted file; what is refused fails the test."""
    given = part(*nodes, target=target)
    assert [diagnostic.message for diagnostic in Keepalived().check(given)] == []
    (artifact,) = Keepalived().emit(given).artifacts
    return artifact.text


def check(of: RealServer = WEB1, probe: Probe = TCP) -> HealthCheck:
    return HealthCheck(
        host=HOST,
        origin=ORIGIN,
        selector=of.selector,
        address=of.address,
        port=of.port,
        probe=probe,
        probe_port=None if isinstance(probe, PingProbe | ScriptProbe) else 80,
        interval=6,
        timeout=3,
        retries=2,
        delay_before_retry=1,
    )


def sorry(
    of: str, address: str, port: int | None = None, forwarding: Forwarding = Forwarding.NAT
) -> SorryServer:
    return SorryServer(
        host=HOST,
        origin=ORIGIN,
        selector=selector(of),
        address=ip_address(address),
        port=getattr(selector(of), "port", 0) if port is None else port,
        forwarding=forwarding,
        tunnel=Tunnel() if forwarding is Forwarding.TUNNEL else None,
    )


def quorum(weight: int = 1, hysteresis: int = 0, of: str = WEB) -> Quorum:
    return Quorum(host=HOST, origin=ORIGIN, selector=selector(of), weight=weight, hysteresis=hysteresis)


def instance(name: str = "public", interface: str = "eth0", family: Family = Family.IPV4) -> VrrpInstance:
    return VrrpInstance(
        host=HOST,
        origin=ORIGIN,
        name=name,
        interface=interface,
        family=family,
        version=3,
        router_id=51,
        priority=150,
    )


def virtual_address(
    address: str = "192.0.2.10/24", of: str | None = "public", interface: str = "eth0"
) -> VirtualAddress:
    return VirtualAddress(
        host=HOST,
        origin=ORIGIN,
        interface=interface,
        address=ip_interface(address),
        role=AddressRole.SERVED,
        instance=of,
    )


def group(*instances: str) -> SyncGroup:
    return SyncGroup(host=HOST, origin=ORIGIN, name="lvs", instances=instances)


def track_script(name: str = "up", command: str = "/bin/true") -> TrackScript:
    return TrackScript(
        host=HOST, origin=ORIGIN, name=name, command=command, interval=2, timeout=1, rise=1, fall=2
    )


def script_user(user: str = "root") -> ScriptUser:
    return ScriptUser(host=HOST, origin=ORIGIN, user=user)


def alerts(*recipients: str) -> EmailAlerts:
    return EmailAlerts(
        host=HOST,
        origin=ORIGIN,
        sender="lvs1@example.org",
        recipients=recipients or ("root@example.org",),
        server=ip_address("192.0.2.25"),
    )
