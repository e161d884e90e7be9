from collections.abc import Iterable
from ipaddress import ip_network
from itertools import product

import pytest

from lvsc.graph.nodes import Accept, Node
from lvsc.graph.traffic import Family, Hook, PortRange, Protocol, TrafficClass, host_network
from lvsc.kinds.plain import PlainKind
from lvsc.lowering.lowered import LoweredService
from lvsc.report.explain_text import overview
from lvsc.report.explanation import explain_all
from lvsc.report.passages import Passage, passages
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
VRRP6: Layer = merged(
    PAIR, DUAL, {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}}}
)
UNKNOWN = "service web: errors on the way of connections that are not tracked"
UNTRACKED = "service web: clients; where this state is not known, in any, before a rule that drops INVALID"


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


CLIENTS = "tcp to 192.0.2.10 port 80 in state NEW,ESTABLISHED | service web: clients"
CHECKS = (
    "tcp from 192.0.2.21, 192.0.2.22 port 80 in state ESTABLISHED | service web: answers to health checks"
)
ANSWERS = (
    "tcp from 192.0.2.21, 192.0.2.22 port 80 in state ESTABLISHED"
    " | service web: answers of real servers that are reached by nat"
)
OPENED = "connections that the real servers open"
FTP_CLIENTS = "tcp to 192.0.2.10 port 21, 3000-3999 in state NEW,ESTABLISHED | service files: clients"
FTP_CHECKS = CHECKS.replace("web", "files").replace("80", "21")
FTP_ANSWERS = ANSWERS.replace("web", "files").replace("80", "21, 3000-3999")
ERRORS = "icmp in state RELATED | errors on the way of known connections"
ERRORS6 = ERRORS.replace("icmp", "ipv6-icmp")
VRRP = "vrrp (protocol 112) from 192.0.2.2, 192.0.2.3 to 224.0.0.18 in network lan | the directors' adverts to each other"
SYNC = "udp from 192.0.2.2, 192.0.2.3 to 224.0.0.81 port 8848 in network lan | connection synchronisation"
UNICAST = [
    VRRP.replace("from 192.0.2.2, 192.0.2.3 to 224.0.0.18", f"from 192.0.2.{sender} to 192.0.2.{other}")
    for sender, other in ((3, 2), (2, 3))
]
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
                CLIENTS,
                CHECKS,
                ERRORS,
                "FORWARD",
                ANSWERS,
                ERRORS,
                OUTPUT,
                SENT_WEB,
            ],
            id="nat",
        ),
        pytest.param(
            (DIRECT,),
            [
                "INPUT",
                f"tcp to 192.0.2.10 port 80 in state UNTRACKED | {UNTRACKED}",
                f"icmp to 192.0.2.10 in state INVALID | {UNKNOWN}",
                CHECKS,
                ERRORS,
                OUTPUT,
                SENT_DIRECT,
            ],
            id="direct",
        ),
        pytest.param(
            (TUNNEL, DUAL),
            [
                "INPUT",
                f"tcp to 192.0.2.10, 2001:db8::10 port 80 in state UNTRACKED | {UNTRACKED}",
                f"icmp to 192.0.2.10 in state INVALID | {UNKNOWN}",
                f"ipv6-icmp to 2001:db8::10 in state INVALID | {UNKNOWN}",
                CHECKS.replace("2.22", "2.22, 2001:db8::21, 2001:db8::22"),
                ERRORS,
                ERRORS6,
                OUTPUT,
                f"everything to 192.0.2.21, 2001:db8::21, 192.0.2.22, 2001:db8::22 | service web: {SENT}",
                "icmp fragmentation-needed | clients learn from the director that a tunnel carries less",
                "ipv6-icmp packet-too-big | clients learn from the director that a tunnel carries less",
            ],
            id="tunnel",
        ),
        pytest.param(
            (FTP_TLS,),
            [
                "INPUT",
                FTP_CLIENTS,
                FTP_CHECKS,
                CLIENTS,
                CHECKS,
                ERRORS,
                "FORWARD",
                FTP_ANSWERS,
                f"tcp from 192.0.2.21, 192.0.2.22 port 20 in state NEW,ESTABLISHED | service files: {OPENED}",
                (
                    "tcp to 192.0.2.21, 192.0.2.22 port 20 in state ESTABLISHED"
                    f" | service files: answers to {OPENED}"
                ),
                ANSWERS,
                ERRORS,
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
                FTP_CLIENTS,
                FTP_CHECKS,
                (
                    "tcp to 192.0.2.10 port 20 in state ESTABLISHED"
                    " | service files: clients' answers on active data connections"
                ),
                CLIENTS,
                CHECKS,
                ERRORS,
                "FORWARD",
                FTP_ANSWERS,
                (
                    "tcp from 192.0.2.21, 192.0.2.22 port 20 in state RELATED,ESTABLISHED"
                    " | service files: active data connections"
                ),
                ANSWERS,
                ERRORS,
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
                CLIENTS,
                CHECKS,
                ERRORS,
                VRRP,
                SYNC,
                "FORWARD",
                ANSWERS,
                ERRORS,
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
                CLIENTS,
                CHECKS,
                ERRORS,
                *UNICAST,
                SYNC.replace("8848", "9000"),
                "FORWARD",
                ANSWERS,
                ERRORS,
                OUTPUT,
                SENT_WEB,
                *UNICAST,
                SYNC.replace("8848", "9000"),
            ],
            id="unicast",
        ),
        pytest.param(
            (ACCEPT,),
            [
                "INPUT",
                *(f"{line}; lvsc emits a rule for them" for line in (CLIENTS, CHECKS, ERRORS)),
                "FORWARD",
                *(f"{line}; lvsc emits a rule for them" for line in (ANSWERS, ERRORS)),
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
                CLIENTS,
                CHECKS,
                ERRORS,
                "FORWARD",
                ANSWERS,
                ERRORS,
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
    advert = (
        "vrrp (protocol 112) from fe80::/10 to ff02::12 in network lan | the directors' adverts to each other"
    )
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
    sync: Layer = {"connection_sync": {"network": "lan", "id": 1}}
    compiled = compile_text(spec(ACCEPT, FTP_TLS, PAIR, sync))
    explained = {
        (passage.chain, protocol.partition(" ")[0], *ends)
        for passage in explain_all(compiled, plugins().kinds).passages
        if passage.emitted and (protocol := passage.protocol)
        for ends in product(*(each or (None,) for each in _ends(passage)))
    }
    emitted = {
        (t.hook, t.protocol.value, t.source, t.source_ports, t.destination, t.destination_ports)
        for t in (node.traffic for node in compiled.lowered.graph.of(Accept))
    }
    assert explained == emitted


def _ends(passage: Passage) -> tuple[Iterable[object], ...]:
    return passage.sources, passage.source_ports, passage.destinations, passage.destination_ports


def test_what_is_explained_is_emitted_but_for_what_leaves_and_what_commands_ask() -> None:
    script = {"type": "script", "command": "/usr/local/bin/alive"}
    mail = {"from": "a@example.net", "to": ["b@example.net"], "server": "192.0.2.25"}
    compiled = compile_text(spec(ACCEPT, PAIR, {"pools": {"web": {"check": script}}, "email": mail}))
    left = [p for p in explain_all(compiled, plugins().kinds).passages if not p.emitted]
    assert [p.why for p in left if p.chain is not Hook.OUTPUT] == [
        "answers to commands that check or track, from whatever else they ask"
    ]
    assert "alerts by mail" in {p.why for p in left if p.chain is Hook.OUTPUT}


def test_what_several_services_need_is_explained_for_each() -> None:
    other = service("more", address="www", pool="web", ports=["tcp/443"], check={"type": "tcp", "port": 80})
    found = passages(compile_text(spec(ACCEPT, other)), plugins().kinds)
    checks = [p.service for p in found if p.why == "answers to health checks"]
    assert sorted(filter(None, checks)) == ["more", "web"]


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
    opened = [(p.sources, p.destination_ports) for p in found if p.why == OPENED]
    assert opened == [
        ((ip_network("192.0.2.21"),), (PortRange(7, 8),)),
        ((ip_network("192.0.2.22"),), ()),
    ]
