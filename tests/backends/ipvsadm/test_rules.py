"""The table's text, and that an independent reader finds in it what the nodes said."""

import random
from dataclasses import replace
from ipaddress import IPv4Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.plugin import (
    AddressSelector,
    Family,
    Feature,
    Forwarding,
    MarkSelector,
    Node,
    Persistence,
    Protocol,
    RealServer,
    Scheduler,
    SchedulerFlag,
    Target,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    VirtualService,
)
from lvsc_ipvsadm.backend import Ipvsadm
from lvsc_ipvsadm.rules import PATH
from support import ipvs, ipvsadm_table
from support.ipvs import part, persistent, server, service, without

WEB = "tcp 192.0.2.10:80"


def text(*nodes: Node, target: Target | None = None) -> str:
    """What the backend emits as the table of these nodes."""
    artifacts = Ipvsadm().emit(part(*nodes, target=target)).artifacts
    return next(artifact.text for artifact in artifacts if artifact.path == PATH)


SERVICES = {
    "tcp": (service(WEB), "-A -t 192.0.2.10:80 -s wlc"),
    "udp": (service("udp 192.0.2.10:53", "rr"), "-A -u 192.0.2.10:53 -s rr"),
    "sctp": (service("sctp 192.0.2.10:36412"), "-A --sctp-service 192.0.2.10:36412 -s wlc"),
    "ipv6": (service("tcp [2001:db8::10]:80"), "-A -t [2001:db8::10]:80 -s wlc"),
    "mark": (service("mark 80"), "-A -f 80 -s wlc"),
    "mark for ipv6": (service("mark 80 -6"), "-A -f 80 -6 -s wlc"),
    "persistent": (service(WEB, persistence=persistent(300)), "-A -t 192.0.2.10:80 -s wlc -p 300"),
    "persistent by network": (
        service(WEB, persistence=persistent(300, 24)),
        "-A -t 192.0.2.10:80 -s wlc -p 300 -M 255.255.255.0",
    ),
    "persistent for all clients": (
        service(WEB, persistence=persistent(300, 0)),
        "-A -t 192.0.2.10:80 -s wlc -p 300 -M 0.0.0.0",
    ),
    "persistent for ipv6": (
        service("mark 80 -6", persistence=persistent(60, 128)),
        "-A -f 80 -6 -s wlc -p 60",
    ),
    "persistent by ipv6 network": (
        service("mark 80 -6", persistence=persistent(60, 64)),
        "-A -f 80 -6 -s wlc -p 60 -M 64",
    ),
    "every port": (
        service("tcp 192.0.2.10:0", persistence=persistent()),
        "-A -t 192.0.2.10:0 -s wlc -p 300",
    ),
    "all options": (
        service(
            "udp 192.0.2.10:5060",
            "sh",
            flags=("sh-fallback", "sh-port"),
            persistence=persistent(30, 24, "sip"),
            one_packet=True,
        ),
        "-A -u 192.0.2.10:5060 -s sh -p 30 -M 255.255.255.0 --pe sip -o -b sh-fallback,sh-port",
    ),
    "flags of mh": (
        service(WEB, "mh", flags=("mh-fallback", "mh-port")),
        "-A -t 192.0.2.10:80 -s mh -b mh-fallback,mh-port",
    ),
}


@pytest.mark.parametrize(("node", "line"), SERVICES.values(), ids=SERVICES)
def test_a_service_is_written_as_ipvsadm_saves_it(node: VirtualService, line: str) -> None:
    assert text(node) == f"{line}\n"


def test_flags_of_mh_are_written_as_bits_for_an_ipvsadm_without_words_for_them() -> None:
    node = service(WEB, "mh", flags=("mh-fallback", "mh-port"))
    assert (
        text(node, target=without(Feature.IPVSADM_MH_FLAGS)) == "-A -t 192.0.2.10:80 -s mh -b flag-1,flag-2\n"
    )


GUE = Tunnel(type=TunnelType.GUE, port=6080)
SERVERS = {
    "nat": (server(WEB, "10.0.0.21", 8080), "-a -t 192.0.2.10:80 -r 10.0.0.21:8080 -m -w 1"),
    "direct": (
        server(WEB, "10.0.0.21", 80, "direct", weight=0),
        "-a -t 192.0.2.10:80 -r 10.0.0.21:80 -g -w 0",
    ),
    "thresholds": (
        server(WEB, "10.0.0.21", 80, upper=2000, lower=1500),
        "-a -t 192.0.2.10:80 -r 10.0.0.21:80 -m -w 1 -x 2000 -y 1500",
    ),
    "ipip": (
        server(WEB, "10.0.0.21", 80, "tunnel"),
        "-a -t 192.0.2.10:80 -r 10.0.0.21:80 -i -w 1 --tun-type ipip",
    ),
    "gue": (
        server(WEB, "10.0.0.21", 80, "tunnel", tunnel=GUE),
        "-a -t 192.0.2.10:80 -r 10.0.0.21:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
    ),
    "gue with remote checksum": (
        server(WEB, "10.0.0.21", 80, "tunnel", tunnel=replace(GUE, checksum=TunnelChecksum.REMOTE), upper=9),
        "-a -t 192.0.2.10:80 -r 10.0.0.21:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum -x 9",
    ),
    "gre with checksum": (
        server(
            WEB, "10.0.0.21", 80, "tunnel", tunnel=Tunnel(type=TunnelType.GRE, checksum=TunnelChecksum.FULL)
        ),
        "-a -t 192.0.2.10:80 -r 10.0.0.21:80 -i -w 1 --tun-type gre --tun-csum",
    ),
    "of a mark": (server("mark 80", "10.0.0.21"), "-a -f 80 -r 10.0.0.21:0 -m -w 1"),
    "of a mark for ipv6": (
        server("mark 80 -6", "fd00::21", 0, "direct"),
        "-a -f 80 -6 -r [fd00::21]:0 -g -w 1",
    ),
    "of the other family": (
        server(WEB, "fd00::21", 80, "tunnel"),
        "-a -t 192.0.2.10:80 -r [fd00::21]:80 -i -w 1 --tun-type ipip",
    ),
}


@pytest.mark.parametrize(("node", "line"), SERVERS.values(), ids=SERVERS)
def test_a_server_is_written_as_ipvsadm_saves_it_and_with_its_thresholds(node: RealServer, line: str) -> None:
    owner = VirtualService(
        host=ipvs.HOST, origin=ipvs.ORIGIN, selector=node.selector, service="web", scheduler=Scheduler.RR
    )
    assert text(owner, node).splitlines()[1:] == [line]


def test_the_type_of_an_ipip_tunnel_is_not_said_to_an_ipvsadm_that_knows_no_types() -> None:
    nodes = service(WEB), server(WEB, "10.0.0.21", 80, "tunnel", upper=5)
    lines = text(*nodes, target=without(Feature.IPVSADM_TUNNEL_TYPES)).splitlines()
    assert lines[1] == "-a -t 192.0.2.10:80 -r 10.0.0.21:80 -i -w 1 -x 5"


def test_services_stand_in_ipvsadms_order_each_followed_by_its_servers() -> None:
    nodes = [
        service("mark 81"),
        service("mark 80 -6"),
        service("mark 80"),
        service("tcp [2001:db8::10]:80"),
        service("udp 192.0.2.9:53"),
        service(WEB),
        server("mark 80", "10.0.0.22"),
        server("mark 80", "10.0.0.21"),
        server(WEB, "10.0.0.9", 81),
        server(WEB, "10.0.0.9", 80),
    ]
    expected = """\
-A -t 192.0.2.10:80 -s wlc
-a -t 192.0.2.10:80 -r 10.0.0.9:80 -m -w 1
-a -t 192.0.2.10:80 -r 10.0.0.9:81 -m -w 1
-A -u 192.0.2.9:53 -s wlc
-A -t [2001:db8::10]:80 -s wlc
-A -f 80 -s wlc
-a -f 80 -r 10.0.0.21:0 -m -w 1
-a -f 80 -r 10.0.0.22:0 -m -w 1
-A -f 80 -6 -s wlc
-A -f 81 -s wlc
"""
    assert text(*nodes) == expected
    random.Random(1).shuffle(nodes)  # noqa: S311 - no secret
    assert text(*nodes) == expected


def test_each_line_knows_what_in_the_spec_it_comes_from() -> None:
    nodes = service(WEB), server(WEB, "10.0.0.21", 80)
    rules = next(a for a in Ipvsadm().emit(part(*nodes)).artifacts if a.path == PATH)
    assert [line.origin for line in rules.lines] == [ipvs.ORIGIN, ipvs.ORIGIN]


# --- the independent reader --------------------------------------------------------------------------------------

addresses4 = st.ip_addresses(v=4)
addresses6 = st.ip_addresses(network="2000::/3")
ports = st.integers(1, 65535)
selectors = st.one_of(
    st.builds(AddressSelector, st.sampled_from(Protocol), addresses4 | addresses6, ports),
    st.builds(MarkSelector, st.integers(1, 2**31 - 1), st.sampled_from(Family)),
)


@st.composite
def services(draw: st.DrawFn) -> VirtualService:
    selector = draw(selectors)
    persistence = st.builds(
        Persistence,
        timeout=st.integers(1, 31 * 86400),
        prefix_length=st.integers(1, selector.family.bits),
        engine=st.sampled_from([None, "sip"]),
    )
    scheduler = draw(st.sampled_from(Scheduler))
    flags = [flag for flag in SchedulerFlag if flag.value.startswith(f"{scheduler.value}-")]
    return VirtualService(
        host=ipvs.HOST,
        origin=ipvs.ORIGIN,
        selector=selector,
        service="web",
        scheduler=scheduler,
        flags=tuple(flag for flag in flags if draw(st.booleans())),
        persistence=draw(st.none() | persistence),
        one_packet=draw(st.booleans()) and getattr(selector, "protocol", Protocol.UDP) is Protocol.UDP,
    )


@st.composite
def servers(draw: st.DrawFn, owner: VirtualService) -> RealServer:
    forwarding = draw(st.sampled_from(Forwarding))
    family = owner.selector.family
    tunnel = None
    if forwarding is Forwarding.TUNNEL:
        family = draw(st.sampled_from(Family))
        tunnel = draw(
            st.sampled_from([Tunnel(), Tunnel(type=TunnelType.GRE)])
            | st.builds(
                Tunnel, type=st.just(TunnelType.GUE), port=ports, checksum=st.sampled_from(TunnelChecksum)
            )
        )
    kept = getattr(owner.selector, "port", 0)
    upper = draw(st.integers(0, 2**31 - 1))
    return RealServer(
        host=ipvs.HOST,
        origin=ipvs.ORIGIN,
        selector=owner.selector,
        name="web1",
        address=draw(addresses4 if family is Family.IPV4 else addresses6),
        port=draw(ports) if forwarding is Forwarding.NAT else kept,
        forwarding=forwarding,
        tunnel=tunnel,
        weight=draw(st.integers(0, 65535)),
        upper_threshold=upper,
        lower_threshold=draw(st.integers(0, upper)),
    )


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[VirtualService], list[RealServer]]:
    own = draw(st.lists(services(), max_size=4, unique_by=lambda node: node.selector))
    real = [
        node
        for owner in own
        for node in draw(
            st.lists(servers(owner), max_size=3, unique_by=lambda node: (node.address, node.port))
        )
    ]
    return own, real


@given(tables())
def test_an_independent_reader_finds_every_service_and_server_as_it_was(
    nodes: tuple[list[VirtualService], list[RealServer]],
) -> None:
    own, real = nodes
    assert not list(Ipvsadm().check(part(*own, *real)))
    table = ipvsadm_table.read(text(*own, *real)) if own else {}
    assert table == {key(node): expected(node, real) for node in own}


def key(node: VirtualService) -> ipvsadm_table.Key:
    match node.selector:
        case MarkSelector(mark, family):
            return ipvsadm_table.Mark(mark, family.value)
        case AddressSelector(protocol, address, port):
            return ipvsadm_table.Listener(protocol.value, address, port)


def expected(node: VirtualService, real: list[RealServer]) -> ipvsadm_table.Service:
    persistence = node.persistence
    mask = ""
    if persistence and persistence.prefix_length < node.selector.family.bits:
        mask = str(persistence.prefix_length)
        if node.selector.family is Family.IPV4:
            mask = str(IPv4Network(f"0.0.0.0/{mask}").netmask)
    mine = (server for server in real if server.selector == node.selector)
    return ipvsadm_table.Service(
        key(node),
        node.scheduler.value,
        persistence.timeout if persistence else None,
        mask,
        persistence.engine if persistence else None,
        node.one_packet,
        tuple(flag.value for flag in node.flags),
        {(server.address, server.port): expected_server(server) for server in mine},
    )


def expected_server(node: RealServer) -> ipvsadm_table.Server:
    tunnel = node.tunnel or Tunnel()
    return ipvsadm_table.Server(
        ip_address(node.address),
        node.port,
        {"nat": "-m", "direct": "-g", "tunnel": "-i"}[node.forwarding.value],
        node.weight,
        node.upper_threshold,
        node.lower_threshold,
        tunnel.type.value,
        tunnel.port,
        {"none": "--tun-nocsum", "full": "--tun-csum", "remote": "--tun-remcsum"}[tunnel.checksum.value],
    )
