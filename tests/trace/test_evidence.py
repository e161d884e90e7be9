"""Lines for nodes of a backend that reads nothing: found among those that were emitted for the same place in the spec."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from lvsc.compare.sides import ALL_ROLES, HostSide, OrderedNodes, Side
from lvsc.diagnostics import Origin
from lvsc.graph.nodes import (
    AddressSelector,
    Forwarding,
    Marking,
    MarkSelector,
    RealServer,
    Scheduler,
    Selector,
    VirtualService,
)
from lvsc.graph.traffic import Family, Protocol
from lvsc.plugins.artifact import Line
from lvsc.trace.evidence import Lines
from support.nodes import HOST, traffic

SERVICE = Origin("cluster.toml", ("services", "web"))
SERVER = Origin("cluster.toml", ("pools", "web", "real_servers", 0))
IPV4 = AddressSelector(Protocol.TCP, IPv4Address("192.0.2.10"), 80)
IPV6 = AddressSelector(Protocol.TCP, IPv6Address("2001:db8::10"), 80)
MARK = MarkSelector(80, Family.IPV4)
FILES = {
    # Another program's file names the service too, and has none of its real servers.
    "lvs1/etc/modules": (Line("a module for 192.0.2.10", SERVICE),),
    "lvs1/etc/balancer": (
        Line("# service web on 192.0.2.100", SERVICE),
        Line("service [2001:db8::10]:80", SERVICE),
        Line("  to [2001:db8::21]:80", SERVER),
        Line("service 192.0.2.10:80", SERVICE),
        Line("  to 192.0.2.21:80", SERVER),
        Line("# service web, mark 80", SERVICE),
        Line("service mark 80", SERVICE),
        Line("  to 192.0.2.21", SERVER),
    ),
    "lvs2/etc/balancer": (Line("service 192.0.2.10:80", SERVICE), Line("  to 192.0.2.21:80", SERVER)),
}


@pytest.mark.parametrize(
    ("selector", "address", "expected"),
    [(IPV4, "192.0.2.21", [4, 5]), (IPV6, "2001:db8::21", [2, 3]), (MARK, "192.0.2.21", [7, 8])],
)
def test_the_lines_that_begin_a_service_and_its_real_server_are_found(
    selector: Selector, address: str, expected: list[int]
) -> None:
    service = VirtualService(
        host=HOST, origin=SERVICE, service="web", selector=selector, scheduler=Scheduler.RR
    )
    server = RealServer(
        host=HOST,
        origin=SERVER,
        selector=selector,
        name="web1",
        address=IPv6Address(address) if ":" in address else IPv4Address(address),
        port=80,
        forwarding=Forwarding.NAT,
    )
    host = HostSide(host=HOST, nodes=OrderedNodes([service, server]), roles=ALL_ROLES, whole=True)
    lines = Lines(Side(name="spec", hosts={HOST: host}, lines=FILES), host)
    head = lines.of_service(service, [server])
    found = [*head, *lines.of_server(server, head)]
    assert [(each.file, each.line) for each in found] == [("/etc/balancer", line) for line in expected]
    assert [each.key_path for each in found] == [SERVICE.path, SERVER.path]


def test_of_a_line_of_json_the_value_is_shown_that_says_it() -> None:
    text = '{"nftables": [{"rule": {"expr": []}}, {"rule": {"comment": "the one"}}]}'
    origin = Origin("live.json", line=1, column=text.rindex('{"rule"') + 1)
    rule = Marking(host=HOST, origin=origin, service="web", traffic=traffic(), mark=80)
    host = HostSide(host=HOST, nodes=OrderedNodes([rule]), roles=ALL_ROLES, whole=False)
    side = Side(name="live", hosts={HOST: host}, lines={"live.json": (Line(text),)})
    (found,) = Lines(side, host).of(rule)
    assert found.text == '{"rule": {"comment": "the one"}}'
