"""What is refused, and what is asked of a target."""

from dataclasses import replace

import pytest

from lvsc.plugin import (
    Code,
    EmailAlerts,
    Feature,
    Forwarding,
    HealthCheck,
    Node,
    Quorum,
    RealServer,
    ScriptUser,
    SorryServer,
    SyncGroup,
    TrackScript,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    VirtualAddress,
    VirtualService,
    VrrpInstance,
)
from lvsc_ipvsadm import codes
from lvsc_ipvsadm.backend import Ipvsadm
from support.features import features_of
from support.ipvs import connection_sync, part, persistent, server, service, timeouts

WEB = "tcp 192.0.2.10:80"
MARK = "mark 80"


def tunnel(
    type_: TunnelType, port: int | None = None, checksum: TunnelChecksum = TunnelChecksum.NONE
) -> RealServer:
    return server(WEB, "10.0.0.21", 80, "tunnel", tunnel=Tunnel(type=type_, port=port, checksum=checksum))


REFUSED: dict[str, tuple[list[Node], Code, str]] = {
    "mark that is saved as a negative number": (
        [service("mark 2147483648")],
        codes.SELECTOR,
        "the IPv4 service of mark 2147483648: the mark is out of range",
    ),
    "mark 0": (
        [service("mark 0 -6")],
        codes.SELECTOR,
        "the IPv6 service of mark 0: the mark is out of range",
    ),
    "port": ([service("tcp 192.0.2.10:65536")], codes.SELECTOR, "the port is out of range"),
    "every port, not persistent": (
        [service("tcp 192.0.2.10:0")],
        codes.SELECTOR,
        "the service tcp 192.0.2.10 port 0: it is for every port but not persistent",
    ),
    "service said twice": ([service(WEB), service(WEB, "rr")], codes.SELECTOR, "it is said twice"),
    "server said twice": (
        [service(WEB), server(WEB, "10.0.0.21", 80), server(WEB, "10.0.0.21", 80, weight=2)],
        codes.SELECTOR,
        "has the real server 10.0.0.21 port 80 twice",
    ),
    "direct, port left open": (
        [service(WEB), server(WEB, "10.0.0.21", 0, "direct")],
        codes.PORT,
        "`direct` cannot send it to port 0",
    ),
    "nat, port left open": (
        [service(WEB), server(WEB, "10.0.0.21", 0)],
        codes.PORT,
        "it has no port of its own",
    ),
    "tunnel of no type": (
        [service(WEB), replace(server(WEB, "10.0.0.21"), forwarding=Forwarding.TUNNEL)],
        codes.TUNNEL,
        "nothing says how its packets are wrapped",
    ),
    "server of no service": (
        [server(MARK, "10.0.0.21")],
        codes.SELECTOR,
        "real server `web1`: the IPv4 service of mark 80 does not exist",
    ),
    "ipv4 in ipv6's notation": (
        [service("tcp [::ffff:192.0.2.10]:80")],
        codes.ADDRESS,
        "is an IPv4 address in IPv6's notation",
    ),
    "address with a zone": (
        [service("tcp [fe80::1%eth0]:80")],
        codes.ADDRESS,
        "`fe80::1%eth0` names an interface",
    ),
    "one packet, tcp": (
        [service(WEB, one_packet=True)],
        codes.SCHEDULING,
        "one-packet scheduling is for UDP",
    ),
    "flag of another scheduler": (
        [service(WEB, "mh", flags=("sh-port",))],
        codes.SCHEDULING,
        "`sh-port` is no flag of the scheduler `mh`",
    ),
    "persistent for no time": (
        [service(WEB, persistence=persistent(0))],
        codes.PERSISTENCE,
        "it is persistent for 0 seconds",
    ),
    "persistent for more than 31 days": (
        [service(WEB, persistence=persistent(2678401))],
        codes.PERSISTENCE,
        "it is persistent for 2678401 seconds",
    ),
    "prefix of the other family": (
        [service(WEB, persistence=persistent(60, 64))],
        codes.PERSISTENCE,
        "clients are grouped by a prefix of 64 bits",
    ),
    "no prefix in ipv6": (
        [service("mark 80 -6", persistence=persistent(60, 0))],
        codes.PERSISTENCE,
        "clients are grouped by a prefix of 0 bits",
    ),
    "hostile engine": (
        [service(WEB, persistence=persistent(60, 32, "sip\n-C"))],
        codes.PERSISTENCE,
        "there is no persistence engine `sip\\n-C`",
    ),
    "weight": (
        [service(WEB), server(WEB, "10.0.0.21", 80, weight=65536)],
        codes.SERVER,
        "real server `web1`: its weight is 65536",
    ),
    "lower threshold alone": (
        [service(WEB), server(WEB, "10.0.0.21", 80, lower=5)],
        codes.SERVER,
        "its thresholds are 5 below and 0 above",
    ),
    "threshold": (
        [service(WEB), server(WEB, "10.0.0.21", 80, upper=2**31)],
        codes.SERVER,
        "its thresholds are 0 below and 2147483648 above",
    ),
    "direct to another port": (
        [service(WEB), server(WEB, "10.0.0.21", 8080, "direct")],
        codes.PORT,
        "real server `web1`: `direct` cannot send it to port 8080",
    ),
    "direct to a port of a mark": (
        [service(MARK), server(MARK, "10.0.0.21", 80, "tunnel")],
        codes.PORT,
        "real server `web1`: `tunnel` cannot send it to port 80",
    ),
    "other family by nat": (
        [service(WEB), server(WEB, "fd00::21", 80)],
        codes.FAMILY,
        "it is of another address family than the service tcp 192.0.2.10 port 80",
    ),
    "other family, synchronised": (
        [service(WEB), server(WEB, "fd00::21", 80, "tunnel"), connection_sync()],
        codes.FAMILY,
        "which excludes connection synchronisation",
    ),
    "tunnel without tunnelling": (
        [service(WEB), replace(server(WEB, "10.0.0.21", 80, "direct"), tunnel=Tunnel())],
        codes.TUNNEL,
        "the forwarding method `direct` has no tunnel",
    ),
    "gue without port": ([service(WEB), tunnel(TunnelType.GUE)], codes.TUNNEL, "needs its UDP port"),
    "gre with port": (
        [service(WEB), tunnel(TunnelType.GRE, 6080)],
        codes.TUNNEL,
        "a tunnel of type `gre` has no port",
    ),
    "gre with remote checksum": (
        [service(WEB), tunnel(TunnelType.GRE, None, TunnelChecksum.REMOTE)],
        codes.TUNNEL,
        "a tunnel of type `gre` has no checksum `remote`",
    ),
    "ipip with checksum": (
        [service(WEB), tunnel(TunnelType.IPIP, None, TunnelChecksum.FULL)],
        codes.TUNNEL,
        "a tunnel of type `ipip` has no checksum `full`",
    ),
    "sync that follows vrrp": (
        [connection_sync(instance="public-ipv4")],
        codes.SYNC,
        "ipvsadm cannot let connection synchronisation follow a VRRP instance",
    ),
    "hostile interface": (
        [connection_sync("eth0'; reboot; '")],
        codes.SYNC,
        "is no name of an interface",
    ),
    "sync identifier": (
        [connection_sync(sync_id=256)],
        codes.SYNC,
        "the identifier of connection synchronisation is 256",
    ),
    "sync length over ipv6": (
        [connection_sync(max_length=65488, group="ff02::81")],
        codes.SYNC,
        "the packet length of connection synchronisation is 65488",
    ),
    "sync group": ([connection_sync(group="192.0.2.1")], codes.SYNC, "192.0.2.1 is no multicast address"),
    "sync group with a zone": (
        [connection_sync(group="ff02::81%eth0")],
        codes.SYNC,
        "names an interface twice",
    ),
    "sync ttl": ([connection_sync(ttl=0)], codes.SYNC, "the TTL of connection synchronisation is 0"),
    "timeout": ([timeouts(udp=2678401)], codes.TIMEOUTS, "the time-out `udp` is 2678401 seconds"),
}


@pytest.mark.parametrize(("nodes", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_what_ipvsadm_cannot_say_is_refused_at_its_place(nodes: list[Node], code: Code, message: str) -> None:
    (diagnostic,) = Ipvsadm().check(part(*nodes))
    assert diagnostic.code is code
    assert message in diagnostic.message
    assert diagnostic.place is not None
    assert diagnostic.place.origin.path[:2] == nodes[0].origin.path


def test_all_mistakes_are_said_at_once() -> None:
    nodes = service("mark 0"), server("mark 0", "10.0.0.21", weight=-1, lower=1), timeouts(-1, -1, 0)
    assert [d.code.id for d in Ipvsadm().check(part(*nodes))] == [
        "IPV001",
        "IPV005",
        "IPV005",
        "IPV010",
        "IPV010",
    ]


def test_the_largest_values_pass() -> None:
    nodes = (
        service("mark 2147483647", persistence=persistent(2678400, 0)),
        server("mark 2147483647", "10.0.0.21", 65535, weight=65535, upper=2**31 - 1, lower=2**31 - 1),
        connection_sync("a" * 15, 255, max_length=65507, port=65535, ttl=255, group="239.0.0.1"),
        timeouts(2678400, 2678400, 2678400),
    )
    assert not list(Ipvsadm().check(part(*nodes)))


class OwnService(VirtualService):
    """A plugin's own kind of service, which is not this backend's to render."""


def test_only_what_ipvs_itself_knows_is_rendered() -> None:
    backend = Ipvsadm()
    nodes = service(WEB), server(WEB, "10.0.0.21", 80), timeouts(), connection_sync()
    assert all(map(backend.renders, nodes))
    for kind in (
        *(HealthCheck, SorryServer, Quorum, VrrpInstance, SyncGroup),
        *(TrackScript, ScriptUser, EmailAlerts, VirtualAddress, OwnService),
    ):
        node = object.__new__(kind)
        assert not backend.renders(node), kind


NEEDS: dict[str, tuple[Node, set[Feature]]] = {
    "nothing": (service(WEB, "sed"), set()),
    "fo": (service(WEB, "fo"), {Feature.KERNEL_SCHED_FO}),
    "ovf": (service(WEB, "ovf"), {Feature.KERNEL_SCHED_OVF}),
    "twos": (service(WEB, "twos"), {Feature.KERNEL_SCHED_TWOS}),
    "mh with a flag": (
        service(WEB, "mh", flags=("mh-port",)),
        {Feature.KERNEL_SCHED_MH, Feature.IPVSADM_SCHED_FLAGS},
    ),
    "sh with a flag": (
        service(WEB, "sh", flags=("sh-fallback",)),
        {Feature.KERNEL_SH_FLAGS, Feature.IPVSADM_SCHED_FLAGS},
    ),
    "sctp": (service("sctp 192.0.2.10:99"), {Feature.IPVSADM_SCTP}),
    "other family": (
        server(WEB, "fd00::21", 80, "tunnel"),
        {Feature.KERNEL_MIXED_FAMILIES, Feature.IPVSADM_MIXED_FAMILIES},
    ),
    "ipip": (tunnel(TunnelType.IPIP), set()),
    "gue": (tunnel(TunnelType.GUE, 6080), {Feature.KERNEL_TUNNEL_GUE, Feature.IPVSADM_TUNNEL_TYPES}),
    "gue with checksum": (
        tunnel(TunnelType.GUE, 6080, TunnelChecksum.REMOTE),
        {Feature.KERNEL_TUNNEL_GUE, Feature.KERNEL_TUNNEL_GUE_CHECKSUM, Feature.IPVSADM_TUNNEL_TYPES},
    ),
    "gre": (tunnel(TunnelType.GRE), {Feature.KERNEL_TUNNEL_GRE, Feature.IPVSADM_TUNNEL_TYPES}),
    "sync": (connection_sync(), set()),
    "sync with a port": (
        connection_sync(port=9000),
        {Feature.KERNEL_SYNC_PARAMETERS, Feature.IPVSADM_SYNC_PARAMETERS},
    ),
    "timeouts": (timeouts(), set()),
}


@pytest.mark.parametrize(("node", "features"), NEEDS.values(), ids=NEEDS)
def test_what_newer_programs_alone_know_is_asked_of_the_target(node: Node, features: set[Feature]) -> None:
    assert set(features_of(Ipvsadm(), node)) == features


def test_every_code_is_explained_once() -> None:
    assert len({code.id for code in codes.ALL}) == len(codes.ALL)
    assert all(code.id.startswith("IPV") and code.title and code.explanation for code in codes.ALL)
