"""The machines and wires that a spec implies."""

from lvsc.laboratory.topology import Host, Topology, topology
from support.specs import DUAL, PAIR, TUNNEL, Layer, compile_text, servers, spec

#: Two prefixes of a family on one network, of which the director has an address in one.
TWO_PREFIXES: Layer = {"networks": {"lan": {"prefixes": ["198.51.100.0/24", "192.0.2.0/24"]}}}
NAT: Layer = {"cluster": {"forwarding": "nat"}}


def made(*layers: Layer) -> Topology:
    cluster = compile_text(spec(*layers)).cluster
    return topology(cluster, cluster.services)


def host(found: Topology, name: str) -> Host:
    return next(each for each in found.hosts if each.name == name)


def addresses(found: Topology, name: str) -> tuple[str, ...]:
    return tuple(address for wire in host(found, name).wires for address in wire.addresses)


def test_a_director_has_an_address_of_every_prefix_of_its_networks() -> None:
    assert addresses(made(), "lvs1") == ("192.0.2.2/24",)
    assert addresses(made(TWO_PREFIXES), "lvs1") == ("192.0.2.2/24", "198.51.100.253/24")
    unsaid: Layer = {"directors": {"lvs1": {"addresses": {"lan": None}}}}
    assert addresses(made(unsaid), "lvs1") == ("192.0.2.253/24",)


def test_what_the_spec_does_not_say_is_nobody_elses() -> None:
    found = made(TWO_PREFIXES, servers({"ip": ["198.51.100.253"]}, {"ip": ["192.0.2.254"]}))
    all_of_them = [ip for each in found.hosts for wire in each.wires for ip in wire.addresses]
    assert len(set(all_of_them)) == len(all_of_them)


def test_virtual_addresses_that_something_else_moves_come_after_the_hosts_own() -> None:
    """A tunnelled packet's source is the first address of its network, which must not be the real server's too."""
    failover: Layer = {
        "failover": {"method": "external"},
        "directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3"]}}},
    }
    assert addresses(made(failover), "lvs1") == ("192.0.2.2/24", "192.0.2.10/24")
    assert addresses(made(failover), "lvs2") == ("192.0.2.3/24",)
    six: Layer = {"directors": {"lvs2": {"addresses": {"lan": ["192.0.2.3", "2001:db8::3"]}}}}
    assert "2001:db8::10/64 preferred_lft 0" in addresses(made(DUAL, failover, six), "lvs1")


def test_a_servers_default_route_is_in_its_own_prefix() -> None:
    direct: Layer = {"cluster": {"forwarding": "direct"}}
    found = made(TWO_PREFIXES, direct, servers({}, {"ip": ["198.51.100.22"]}))
    assert host(found, "web1").routes == ("default via 192.0.2.254",)
    assert host(found, "web2").routes == ("default via 198.51.100.254",)


def test_by_nat_it_is_the_director() -> None:
    found = made(TWO_PREFIXES, NAT, servers({}, {"ip": ["198.51.100.22"]}))
    assert host(found, "web1").routes == ("default via 192.0.2.2",)
    assert host(found, "web2").routes == ("default via 198.51.100.253",)


def test_a_gateway_of_another_prefix_is_on_the_link_all_the_same() -> None:
    gateway: Layer = {
        "networks": {"lan": {"gateway": "inside"}},
        "addresses": {"inside": {"network": "lan", "ip": ["192.0.2.11"]}},
    }
    found = made(TWO_PREFIXES, NAT, gateway, servers({}, {"ip": ["198.51.100.22"]}))
    assert host(found, "web1").routes == ("default via 192.0.2.11",)
    assert host(found, "web2").routes == ("default via 192.0.2.11 dev eth0 onlink",)


def test_a_server_of_one_family_answers_in_both_where_its_network_has_both() -> None:
    found = made(DUAL, TUNNEL, servers({"ip": ["192.0.2.21"]}, {"ip": ["2001:db8::22"]}))
    assert len(addresses(found, "web1")) == len(addresses(found, "web2")) == 2
    routes = {"default via 192.0.2.254", "default via 2001:db8::ffff:ffff:ffff:ffff"}
    assert set(host(found, "web1").routes) == set(host(found, "web2").routes) == routes


def test_without_a_gateway_servers_by_nat_go_to_the_director_of_the_highest_priority() -> None:
    found = made(PAIR, NAT, {"networks": {"lan": {"gateway": None}}, "directors": {"lvs1": {"priority": 50}}})
    assert host(found, "web1").routes == ("default via 192.0.2.3",)
