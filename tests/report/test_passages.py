from collections.abc import Iterable
from ipaddress import ip_network

import pytest

from lvsc.graph.nodes import Accept, Node
from lvsc.graph.traffic import Family, Hook, PortRange, Protocol, TrafficClass, host_network
from lvsc.kinds.plain import PlainKind
from lvsc.lowering.lowered import LoweredService
from lvsc.report.explain_text import overview
from lvsc.report.explanation import explain_all
from lvsc.report.passages import passages
from lvsc.spec.model import Cluster
from support.specs import (
    DIRECT,
    DUAL,
    PAIR,
    TUNNEL,
    Layer,
    compile_text,
    merged,
    plugins,
    service,
    spec,
)

ACCEPT: Layer = {"cluster": {"backends": ["iptables"], "accept": True}}
FTP_TLS = service("files", kind="ftp", address="www", pool="web", passive_ports="3000-3999", tls=True)
FTP = service("files", kind="ftp", address="www", pool="web", passive_ports="3000-3999")
OPENED = "service files: connections that the real servers open"
VRRP6: Layer = merged(
    PAIR, DUAL, {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}}}
)
UNKNOWN = "service web: clients; where this state is not known, in any, before a rule that drops INVALID"


def firewall(*layers: Layer) -> list[str]:
    """The firewall's part of an overview: a line for each chain and for each passage, with its reason."""
    compiled = compile_text(spec(*layers))
    text = overview(explain_all(compiled, plugins().kinds))
    lines: list[str] = []
    for line in text.partition("must let through\n")[2].splitlines():
        if line.startswith("        "):
            lines[-1] += f" | {line.strip()}" if " | " not in lines[-1] else f" {line.strip()}"
        else:
            lines.append(line.strip())
    return lines


KNOWN = "everything in state ESTABLISHED,RELATED | connections that were let in, and answers to health checks"
ANSWERS = "everything in state ESTABLISHED,RELATED | answers of real servers that are reached by nat"
VRRP = "vrrp (protocol 112) from 192.0.2.2, 192.0.2.3 to 224.0.0.18 in network lan | the directors' adverts to each other"
SYNC = "udp to 224.0.0.81 port 8848 in network lan | connection synchronisation"
OUTPUT = "OUTPUT, if it drops anything"
SENT = "what IPVS sends on, and health checks"
SENT_WEB = f"everything to 192.0.2.21, 192.0.2.22 | service web: {SENT}"
SENT_DIRECT = f"everything to 192.0.2.10, 192.0.2.21, 192.0.2.22 | service web: {SENT}"


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param(
            (),
            [
                "INPUT",
                "tcp to 192.0.2.10 port 80 in state NEW | service web: clients",
                KNOWN,
                "FORWARD",
                ANSWERS,
                OUTPUT,
                SENT_WEB,
            ],
            id="nat",
        ),
        pytest.param(
            (DIRECT,),
            [
                "INPUT",
                f"tcp to 192.0.2.10 port 80 in state UNTRACKED | {UNKNOWN}",
                KNOWN,
                OUTPUT,
                SENT_DIRECT,
            ],
            id="direct",
        ),
        pytest.param(
            (TUNNEL, DUAL),
            [
                "INPUT",
                f"tcp to 192.0.2.10, 2001:db8::10 port 80 in state UNTRACKED | {UNKNOWN}",
                KNOWN,
                OUTPUT,
                f"everything to 192.0.2.21, 2001:db8::21, 192.0.2.22, 2001:db8::22 | service web: {SENT}",
                "icmp fragmentation-needed | clients learn from the director that a tunnel carries less",
                "icmpv6 packet-too-big | clients learn from the director that a tunnel carries less",
            ],
            id="tunnel",
        ),
        pytest.param(
            (FTP_TLS,),
            [
                "INPUT",
                "tcp to 192.0.2.10 port 21, 3000-3999 in state NEW | service files: clients",
                "tcp to 192.0.2.10 port 80 in state NEW | service web: clients",
                KNOWN,
                "FORWARD",
                f"tcp from 192.0.2.21, 192.0.2.22 port 20 in state NEW | {OPENED}",
                ANSWERS,
                OUTPUT,
                SENT_WEB.replace("web", "files"),
                SENT_WEB,
            ],
            id="ftp-with-tls",
        ),
        pytest.param(
            (FTP,),
            [
                "INPUT",
                "tcp to 192.0.2.10 port 21, 3000-3999 in state NEW | service files: clients",
                "tcp to 192.0.2.10 port 80 in state NEW | service web: clients",
                KNOWN,
                "FORWARD",
                ANSWERS,
                OUTPUT,
                SENT_WEB.replace("web", "files"),
                SENT_WEB,
            ],
            id="ftp-with-a-helper",
        ),
        pytest.param(
            (PAIR, {"connection_sync": {"network": "lan", "id": 1}}),
            [
                "INPUT",
                "tcp to 192.0.2.10 port 80 in state NEW | service web: clients",
                KNOWN,
                VRRP,
                SYNC,
                "FORWARD",
                ANSWERS,
                OUTPUT,
                SENT_WEB,
                VRRP,
                SYNC,
            ],
            id="two-directors",
        ),
        pytest.param(
            (
                PAIR,
                {"failover": {"unicast": True}, "connection_sync": {"network": "lan", "id": 1, "port": 9000}},
            ),
            [
                "INPUT",
                "tcp to 192.0.2.10 port 80 in state NEW | service web: clients",
                KNOWN,
                VRRP.replace("224.0.0.18", "192.0.2.2, 192.0.2.3"),
                SYNC.replace("8848", "9000"),
                "FORWARD",
                ANSWERS,
                OUTPUT,
                SENT_WEB,
                VRRP.replace("224.0.0.18", "192.0.2.2, 192.0.2.3"),
                SYNC.replace("8848", "9000"),
            ],
            id="unicast",
        ),
        pytest.param(
            (ACCEPT,),
            [
                "INPUT",
                "tcp to 192.0.2.10 port 80 in state NEW | service web: clients; lvsc emits a rule for them",
                KNOWN,
                "FORWARD",
                ANSWERS,
                OUTPUT,
                SENT_WEB,
            ],
            id="accept",
        ),
        pytest.param(
            ({"cluster": {"firewall": "firewalld"}},),
            [
                "firewalld lets known connections through; what it opens a port for may be new or untracked",
                "INPUT",
                "tcp to 192.0.2.10 port 80 in state NEW | service web: clients",
                KNOWN,
                "FORWARD",
                ANSWERS,
                OUTPUT,
                SENT_WEB,
            ],
            id="firewalld",
        ),
    ],
)
def test_what_a_firewall_must_let_through(layers: tuple[Layer, ...], expected: list[str]) -> None:
    assert firewall(*layers) == expected


def test_adverts_of_ipv6_come_from_link_local_addresses() -> None:
    advert = "vrrp (protocol 112) to ff02::12 in network lan | the directors' adverts to each other"
    assert firewall(VRRP6).count(advert) == 2


def test_an_authentication_header_is_a_protocol_of_its_own() -> None:
    authentication = {"type": "ah", "password": {"env": "X"}}
    found = firewall(PAIR, {"failover": {"version": 2, "authentication": authentication}})
    assert VRRP.replace("vrrp (protocol 112)", "ah (protocol 51)") in found


def test_one_director_needs_nothing_for_failover() -> None:
    assert not any("vrrp" in line or "synchronisation" in line for line in firewall())


def test_nothing_where_the_spec_says_that_there_is_no_firewall() -> None:
    compiled = compile_text(spec({"cluster": {"firewall": "none"}}))
    explanation = explain_all(compiled, plugins().kinds)
    assert explanation.passages == ()
    assert overview(explanation).endswith(
        "no firewall: the spec says that nothing filters packets on the directors\n"
    )


def test_what_is_emitted_is_what_is_explained() -> None:
    compiled = compile_text(spec(ACCEPT, FTP_TLS))
    passages = explain_all(compiled, plugins().kinds).passages
    explained = {
        (passage.chain, protocol, network, ports)
        for passage in passages
        if passage.emitted and (protocol := passage.protocol)
        for network in passage.destinations or passage.sources
        for ports in passage.destination_ports or passage.source_ports
    }
    emitted = {
        (t.hook, t.protocol.value, t.destination or t.source, t.destination_ports or t.source_ports)
        for t in (node.traffic for node in compiled.lowered.graph.of(Accept))
    }
    assert explained == emitted


class Greedy(PlainKind):
    """Asks for connections from one real server's port 7, and for all from the other."""

    def nodes(self, lowered: LoweredService, cluster: Cluster) -> Iterable[Node]:
        for director in cluster.directors if cluster.accept else ():
            for server, ports in zip(lowered.service.pool.enabled, (PortRange.one(7), None), strict=True):
                for wanted in (ports, PortRange.one(8)):
                    traffic = TrafficClass(
                        hook=Hook.FORWARD,
                        family=Family.IPV4,
                        protocol=Protocol.TCP,
                        source=host_network(server.ips[0]),
                        destination_ports=wanted,
                    )
                    yield Accept(
                        host=director.name, origin=lowered.service.origin, traffic=traffic, service="web"
                    )


def test_what_a_kind_of_services_asks_for_is_neither_narrowed_nor_widened() -> None:
    found = passages(compile_text(spec()), {**plugins().kinds, "plain": Greedy()})
    opened = [(p.sources, p.destination_ports) for p in found if p.chain is Hook.FORWARD and p.service]
    assert opened == [
        ((ip_network("192.0.2.22"),), ()),
        ((ip_network("192.0.2.21"),), (PortRange(7, 8),)),
    ]
