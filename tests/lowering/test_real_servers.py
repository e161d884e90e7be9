"""What a real server gets so that it accepts packets for a virtual address and never answers ARP for it."""

import pytest

from lvsc.graph.nodes import AddressRole, KernelModule, Sysctl, TunnelDevice, VirtualAddress
from support.specs import DIRECT, DUAL, TUNNEL, Layer, lowered, merged, servers, service, spec

ARP = {"net.ipv4.conf.all.arp_ignore": "1", "net.ipv4.conf.all.arp_announce": "2"}
IPV6: Layer = merged(
    DUAL,
    {"addresses": {"www": {"ip": ["2001:db8::10"]}}},
    servers({"ip": ["2001:db8::21"]}, {"ip": ["2001:db8::22"]}),
)
GUE: Layer = merged(TUNNEL, {"pools": {"web": {"tunnel": {"type": "gue", "port": 6080}}}})
GRE: Layer = merged(TUNNEL, {"pools": {"web": {"tunnel": {"type": "gre"}}}})
GRE_SUM: Layer = merged(TUNNEL, {"pools": {"web": {"tunnel": {"type": "gre", "checksum": "full"}}}})


def unfiltered(*devices: str) -> dict[str, str]:
    return {f"net.ipv4.conf.{device}.rp_filter": "0" for device in ("all", *devices)}


def of_host(host: str, *layers: Layer) -> tuple[dict[str, str], set[str], list[str], list[str]]:
    """A host's settings, modules, addresses on loopback, and tunnels as inner in outer family."""
    part = lowered(spec(*layers)).graph.hosts.get(host)
    if part is None:
        return {}, set(), [], []
    return (
        {node.key: node.value for node in part.of(Sysctl)},
        {node.name for node in part.of(KernelModule)},
        [str(node.address) for node in part.of(VirtualAddress) if node.role is AddressRole.LOOPBACK],
        [f"{n.type.value} {n.family.value} in {n.outer_family.value}" for n in part.of(TunnelDevice)],
    )


V4, V6 = "192.0.2.10/32", "2001:db8::10/128"

CASES: dict[str, tuple[tuple[Layer, ...], tuple[dict[str, str], set[str], list[str], list[str]]]] = {
    "nat": ((), ({}, set(), [], [])),
    "direct": ((DIRECT,), (ARP, set(), [V4], [])),
    "direct-of-two-families": ((DUAL, DIRECT), (ARP, set(), [V4, V6], [])),
    "direct-of-ipv6": ((IPV6, DIRECT), ({}, set(), [V6], [])),
    "direct-by-an-interface": (
        (DIRECT, {"pools": {"web": {"interface": "eth0.100"}}}),
        (
            {**ARP, "net.ipv4.conf.eth0/100.arp_ignore": "1", "net.ipv4.conf.eth0/100.arp_announce": "2"},
            set(),
            [V4],
            [],
        ),
    ),
    "direct-unmanaged": ((DIRECT, {"pools": {"web": {"managed": False}}}), ({}, set(), [], [])),
    "ipip": ((TUNNEL,), ({**ARP, **unfiltered("tunl0")}, {"ipip"}, [V4], ["ipip 4 in 4"])),
    "ipip-of-two-families": (
        (DUAL, TUNNEL),
        ({**ARP, **unfiltered("tunl0")}, {"ipip", "ip6_tunnel"}, [V4, V6], ["ipip 4 in 4", "ipip 6 in 6"]),
    ),
    "ipip-of-ipv6-in-ipv4": (
        (DUAL, TUNNEL, servers({}, {})),
        ({**ARP, **unfiltered("tunl0")}, {"ipip", "sit"}, [V4, V6], ["ipip 4 in 4", "ipip 6 in 4"]),
    ),
    "ipip-of-ipv4-in-ipv6": (
        (TUNNEL, servers({"ip": ["2001:db8::21"]}, {})),
        ({**ARP, **unfiltered("ip6tnl0")}, {"ip6_tunnel"}, [V4], ["ipip 4 in 6"]),
    ),
    "gue": ((GUE,), ({**ARP, **unfiltered("tunl0")}, {"ipip", "fou"}, [V4], ["gue 4 in 4"])),
    "gue-of-ipv6": ((IPV6, GUE), ({}, {"ip6_tunnel", "fou"}, [V6], ["gue 6 in 6"])),
    "gre": ((GRE,), ({**ARP, **unfiltered("gre0")}, {"ip_gre"}, [V4], ["gre 4 in 4"])),
    "gre-of-two-families": (
        (DUAL, GRE),
        ({**ARP, **unfiltered("gre0")}, {"ip_gre", "ip6_gre"}, [V4, V6], ["gre 4 in 4", "gre 6 in 6"]),
    ),
    "gre-with-checksum": ((GRE_SUM,), ({**ARP, **unfiltered()}, {"ip_gre"}, [V4], ["gre 4 in 4"])),
}


@pytest.mark.parametrize(("layers", "expected"), CASES.values(), ids=CASES)
def test_what_a_real_server_gets(
    layers: tuple[Layer, ...], expected: tuple[dict[str, str], set[str], list[str], list[str]]
) -> None:
    assert of_host("web1", *layers) == expected


def test_a_disabled_real_server_gets_nothing_and_a_drained_one_everything() -> None:
    layers = (DIRECT, servers({"disabled": True}, {"drained": True}))
    assert of_host("web1", *layers) == ({}, set(), [], [])
    assert of_host("web2", *layers) == of_host("web1", DIRECT)


def test_a_host_in_two_pools_has_the_addresses_of_both() -> None:
    more: Layer = {
        "addresses": {"mail": {"network": "lan", "ip": ["192.0.2.12"]}},
        "pools": {"mail": {"real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}]}},
    }
    both = service("mail", address="mail", pool="mail", ports=["tcp/25"])
    assert of_host("web1", DIRECT, more, both)[2] == ["192.0.2.10/32", "192.0.2.12/32"]
    assert of_host("web2", DIRECT, more, both)[2] == ["192.0.2.10/32"]


def test_a_director_that_is_also_a_real_server_is_one_host() -> None:
    own, modules, loopback, _ = of_host("lvs1", DIRECT, servers({}, {"name": "lvs1", "ip": ["192.0.2.2"]}))
    assert own == {**ARP, "net.ipv4.vs.conntrack": "0"}
    assert (modules, loopback) == ({"ip_vs", "ip_vs_wlc"}, ["192.0.2.10/32"])


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ((), {"lvs1": "debian12", "web1": "debian12", "web2": "debian12"}),
        ((servers({"target": "rhel9"}, {}),), {"lvs1": "debian12", "web1": "rhel9", "web2": "debian12"}),
        ((servers({"managed": False}, {"disabled": True}, {}),), {"lvs1": "debian12", "web3": "debian12"}),
    ],
    ids=["same", "own", "unmanaged"],
)
def test_each_hosts_target(layers: tuple[Layer, ...], expected: dict[str, str]) -> None:
    assert lowered(spec(*layers)).targets == expected
