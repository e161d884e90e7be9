"""Each way of carrying FTP, from the spec to the directors' nodes, and what is refused."""

import pytest

from lvsc.graph.nodes import (
    Accept,
    AddressSelector,
    HelperAssignment,
    KernelModule,
    Marking,
    ModuleOption,
    NoTrack,
    SourceNat,
    Sysctl,
    VirtualService,
)
from lvsc.graph.traffic import Hook
from lvsc_ftp.settings import PassiveSettings
from lvsc_ftp.strategy import REASONS, Way, options_of
from support.ftp import RANGE, ftp
from support.specs import (
    DIRECT,
    DUAL,
    TUNNEL,
    Layer,
    found,
    lowered,
    lowered_service,
    merged,
    servers,
    service,
    spec,
)

MARK: Layer = {"services": {"files": {"mark": 21}}}
TWO_ADDRESSES: Layer = {"addresses": {"www": {"ip": ["192.0.2.10", "192.0.2.12"]}}}
TWO_ADDRESSES_OF_IPV6: Layer = {"addresses": {"www": {"ip": ["192.0.2.10", "2001:db8::10", "2001:db8::12"]}}}
OTHER: Layer = {"addresses": {"other": {"network": "lan", "ip": ["192.0.2.12"]}}}
#: A service that the directors read, at an address and with a real server of its own, beside one over TLS.
PLAIN_FTP: Layer = {
    **OTHER,
    "pools": {"more": {"real_servers": [{"name": "ftp1", "ip": ["192.0.2.31"]}]}},
    "services": {"web": None, "more": {"kind": "ftp", "address": "other", "pool": "more"}},
}
FILES_OVER_TLS: Layer = ftp(tls=True, passive_ports=RANGE)
ACCEPT: Layer = {"cluster": {"accept": True, "backends": ["iptables"], "firewall": "stateful"}}

WAYS: dict[str, tuple[Layer, Way, list[str], int | None]] = {
    "plain": (ftp(), Way.ADDRESS, ["tcp/21"], None),
    "other-control-port": (ftp(control_port=2121), Way.ADDRESS, ["tcp/2121"], None),
    "mark": (ftp(mark=21), Way.MARK, ["tcp/21"], 300),
    "range": (ftp(passive_ports=RANGE), Way.MARK, ["tcp/21", "tcp/10000-20000"], 300),
    "persistence": (ftp(persistence="1m"), Way.MARK, ["tcp/21"], 60),
    "several-addresses": (merged(ftp(), TWO_ADDRESSES), Way.MARK, ["tcp/21"], 300),
    "tls": (ftp(tls=True, passive_ports=RANGE), Way.OPAQUE, ["tcp/21", "tcp/10000-20000"], 300),
    "direct": (merged(DIRECT, ftp(passive_ports=RANGE)), Way.PASSING, ["tcp/20-21", "tcp/10000-20000"], 300),
    "tunnel": (merged(TUNNEL, ftp(passive_ports=RANGE)), Way.PASSING, ["tcp/20-21", "tcp/10000-20000"], 300),
    "tls-by-direct": (
        merged(DIRECT, ftp(tls=True, passive_ports=RANGE)),
        Way.PASSING,
        ["tcp/20-21", "tcp/10000-20000"],
        300,
    ),
    "direct-and-tunnel": (
        merged(DIRECT, ftp(passive_ports=RANGE), servers({"forwarding": "tunnel"}, {})),
        Way.PASSING,
        ["tcp/20-21", "tcp/10000-20000"],
        300,
    ),
    "direct-with-another-control-port": (
        merged(DIRECT, ftp(passive_ports=RANGE, control_port=2121)),
        Way.PASSING,
        ["tcp/2120-2121", "tcp/10000-20000"],
        300,
    ),
    "range-beside-the-control-port": (ftp(passive_ports="22-2000"), Way.MARK, ["tcp/21-2000"], 300),
}


@pytest.mark.parametrize(("layers", "way", "ports", "persistence"), WAYS.values(), ids=WAYS)
def test_how_ftp_is_balanced(layers: Layer, way: Way, ports: list[str], persistence: int | None) -> None:
    files = lowered_service(spec(layers), "files")
    assert files.plan.reasons == REASONS[way]
    assert [str(port) for port in files.ports] == ports
    assert (files.mark is None) == (way is Way.ADDRESS)
    (selected,) = {
        s.persistence.timeout if s.persistence else None
        for s in lowered(spec(layers)).graph.of(VirtualService)
    }
    assert selected == persistence


@pytest.mark.parametrize(("layers", "way"), [(case[0], case[1]) for case in WAYS.values()], ids=WAYS)
def test_what_each_way_needs(layers: Layer, way: Way) -> None:
    graph = lowered(spec(layers)).graph
    reads = way in (Way.ADDRESS, Way.MARK)
    modules = {node.name for node in graph.of(KernelModule) if node.host == "lvs1"}
    assert (
        modules >= {"ip_vs_ftp", "nf_conntrack_ftp"}
        if reads
        else not modules & {"ip_vs_ftp", "nf_conntrack_ftp"}
    )
    assert bool(list(graph.of(HelperAssignment))) == reads
    one_address = len({node.traffic.destination for node in graph.of(Marking)}) < 2
    assert bool(list(graph.of(SourceNat))) == (way in (Way.MARK, Way.OPAQUE) and one_address)
    assert {node.passive_address is None for node in graph.of(PassiveSettings)} == {way is not Way.OPAQUE}


@pytest.mark.parametrize(("control", "active"), [(21, 20), (2121, 2120)])
def test_everything_follows_the_control_port(control: int, active: int) -> None:
    graph = lowered(spec(ftp(mark=21, control_port=control))).graph
    assert [option.value for option in graph.of(ModuleOption)] == [str(control)]
    assert [str(helper.traffic.destination_ports) for helper in graph.of(HelperAssignment)] == [str(control)]
    assert {str(nat.traffic.source_ports) for nat in graph.of(SourceNat)} == {str(active)}
    assert {(s.listen_port, s.active_port) for s in graph.of(PassiveSettings)} == {(control, active)}


def test_a_real_servers_own_control_port_is_where_its_data_comes_from() -> None:
    graph = lowered(spec(ftp(mark=21), servers({"port": 2121}, {}))).graph
    assert [str(nat.traffic.source_ports) for nat in graph.of(SourceNat)] == ["2120", "20"]
    assert {(s.host, s.listen_port) for s in graph.of(PassiveSettings)} == {("web1", 2121), ("web2", 21)}


def test_active_data_leaves_with_the_virtual_address() -> None:
    nats = list(lowered(spec(ftp(mark=21))).graph.of(SourceNat))
    assert [(str(nat.traffic.source), str(nat.address)) for nat in nats] == [
        ("192.0.2.21/32", "192.0.2.10"),
        ("192.0.2.22/32", "192.0.2.10"),
    ]
    assert {nat.traffic.hook for nat in nats} == {Hook.POSTROUTING}
    assert {nat.traffic.destination_ports for nat in nats} == {None}


def test_both_families_are_read() -> None:
    graph = lowered(spec(DUAL, ftp())).graph
    assert [str(node.traffic.destination) for node in graph.of(HelperAssignment)] == [
        "192.0.2.10/32",
        "2001:db8::10/128",
    ]
    assert [type(service.selector) for service in graph.of(VirtualService)] == [
        AddressSelector,
        AddressSelector,
    ]


#: What the filter must let through of data connections, by the way that the service takes: chain, ports and state.
DATA = {
    "address": (
        ftp(),
        {
            "FORWARD 20 RELATED",
            "FORWARD 20 ESTABLISHED",
            "FORWARD 1024-65535 ESTABLISHED",
            "INPUT to 20 ESTABLISHED",
            "INPUT to 1024-65535 RELATED",
            "INPUT to 1024-65535 ESTABLISHED",
        },
    ),
    "mark": (
        ftp(passive_ports=RANGE),
        {"FORWARD 20 RELATED", "FORWARD 20 ESTABLISHED", "INPUT to 20 ESTABLISHED"},
    ),
    "opaque": (ftp(tls=True, passive_ports=RANGE), {"FORWARD 20 any", "FORWARD to 20 ESTABLISHED"}),
    "passing": (merged(ftp(passive_ports=RANGE), DIRECT), set()),
}


@pytest.mark.parametrize(("layers", "expected"), DATA.values(), ids=DATA)
def test_accepts_of_data_connections(layers: Layer, expected: set[str]) -> None:
    found = lowered(spec(layers, ACCEPT)).graph.of(Accept)
    of_every_service = {
        "clients",
        "answers to health checks",
        "answers of real servers that are reached by nat",
        "errors on the way of connections that are not tracked",
    }
    said = set()
    for node in found:
        traffic = node.traffic
        if node.service == "files" and node.reason not in of_every_service:
            to = f"to {traffic.destination_ports}" if traffic.destination_ports else f"{traffic.source_ports}"
            said.add(f"{traffic.hook.name} {to} {traffic.state.value if traffic.state else 'any'}")
    assert said == expected


def test_no_connection_is_tracked_of_which_the_director_sees_one_half() -> None:
    graph = lowered(spec(DIRECT, ftp(passive_ports=RANGE))).graph
    assert [str(node.traffic.destination_ports) for node in graph.of(NoTrack)] == ["20-21", "10000-20000"]
    assert [s.value for s in graph.of(Sysctl) if s.key == "net.ipv4.vs.conntrack"] == ["0"]


@pytest.mark.parametrize(
    ("keys", "hosts"),
    [
        ({}, ["web1", "web2"]),
        ({"server": "other"}, []),
    ],
    ids=["vsftpd", "other"],
)
def test_whose_vsftpd_is_told(keys: dict[str, str], hosts: list[str]) -> None:
    assert [node.host for node in lowered(spec(ftp(**keys))).graph.of(PassiveSettings)] == hosts


def test_a_real_server_that_is_not_managed_or_disabled_is_told_nothing() -> None:
    graph = lowered(spec(ftp(), servers({"managed": False}, {"disabled": True}, {}))).graph
    assert [node.host for node in graph.of(PassiveSettings)] == ["web3"]


def test_options_of_another_kind_are_no_ftp() -> None:
    with pytest.raises(TypeError, match="options of another kind"):
        options_of(lowered_service(spec()).service)


def control_ports(count: int) -> Layer:
    return {
        "services": {
            "web": None,
            **{
                f"f{n}": {
                    "kind": "ftp",
                    "address": "www",
                    "pool": "web",
                    "control_port": 2000 + n,
                    "server": "other",
                }
                for n in range(count)
            },
        }
    }


REFUSED: dict[str, tuple[str, str, Layer, Layer]] = {
    "mixed": (
        "FTP001",
        "services.files",
        merged(ftp(passive_ports=RANGE), servers({"forwarding": "direct"}, {})),
        merged(ftp(passive_ports=RANGE), servers({"forwarding": "direct"}, {"forwarding": "tunnel"})),
    ),
    "direct-without-range": (
        "FTP002",
        "services.files",
        merged(DIRECT, ftp()),
        merged(DIRECT, ftp(passive_ports=RANGE)),
    ),
    "tunnel-without-range": ("FTP002", "services.files", merged(TUNNEL, ftp()), ftp()),
    "tls-without-range": ("FTP002", "services.files", ftp(tls=True), ftp(tls=False)),
    "tls-at-two-addresses": (
        "FTP003",
        "services.files.address",
        merged(ftp(tls=True, passive_ports=RANGE), TWO_ADDRESSES),
        merged(ftp(passive_ports=RANGE), TWO_ADDRESSES),
    ),
    "tls-at-two-addresses-of-ipv6": (
        "FTP003",
        "services.files.address",
        merged(DUAL, TWO_ADDRESSES_OF_IPV6, ftp(tls=True, passive_ports=RANGE, server="other")),
        merged(DUAL, TWO_ADDRESSES_OF_IPV6, ftp(passive_ports=RANGE)),
    ),
    "tls-beside-a-service-that-is-read": (
        "FTP009",
        "services.files.tls",
        merged(PLAIN_FTP, FILES_OVER_TLS),
        merged(PLAIN_FTP, FILES_OVER_TLS, service("files", control_port=2121)),
    ),
    "nine-control-ports": ("FTP004", "services.f8.control_port", control_ports(9), control_ports(8)),
    "two-ranges-for-one-vsftpd": (
        "FTP005",
        "services.more",
        merged(ftp(passive_ports=RANGE), ftp("more", passive_ports="30000-40000", control_port=2121)),
        merged(
            ftp(passive_ports=RANGE),
            ftp("more", passive_ports="30000-40000", control_port=2121, server="other"),
        ),
    ),
    "range-over-the-control-port": (
        "FTP006",
        "services.files.passive_ports",
        ftp(passive_ports="21-1000"),
        ftp(passive_ports="22-2000"),
    ),
    "range-over-another-control-port": (
        "FTP006",
        "services.files.passive_ports",
        ftp(passive_ports=RANGE, control_port=10000),
        ftp(passive_ports=RANGE, control_port=9999),
    ),
    "tls-of-both-families": (
        "FTP008",
        "services.files.address",
        merged(DUAL, ftp(tls=True, passive_ports=RANGE)),
        merged(DUAL, ftp(tls=True, passive_ports=RANGE, server="other")),
    ),
    "two-addresses-for-one-servers-active-data": (
        "LVS413",
        "services.more",
        merged(ftp(mark=21), ftp("more", mark=22, address="other"), OTHER),
        merged(ftp(mark=21, address=["www", "other"]), OTHER),
    ),
    "all-disabled": ("LVS306", "services.files", merged(ftp(), servers({}, disabled=True)), ftp()),
    "unencrypted-on-a-kernel-without-epsv": (
        "LVS501",
        "services.files",
        merged(ftp(), {"cluster": {"target": "rhel7"}}),
        merged(ftp(mark=21, passive_ports=RANGE), {"cluster": {"target": "rhel7"}}),
    ),
}


@pytest.mark.parametrize(("code", "path", "wrong", "right"), REFUSED.values(), ids=REFUSED)
def test_ftp_that_cannot_work_is_refused(code: str, path: str, wrong: Layer, right: Layer) -> None:
    assert set(found(spec(wrong))) == {(code, path)}
    assert found(spec(right)) == []


def test_a_range_over_another_services_port_is_refused() -> None:
    assert (
        found(spec(ftp(passive_ports=RANGE), service("web", address="www", pool="web", ports=["tcp/15000"])))
        != []
    )
