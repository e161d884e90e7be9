"""Packets of which it changes whether any real server gets them, though their virtual service stays."""

import pytest

from lvsc.compare.difference import compare
from lvsc.graph.nodes import RealServer
from support.nodes import by_address, real_server, service
from support.sides import of_nodes, of_text, only, packets, side

SELECTOR = by_address("192.0.2.10", 80)
SERVED, DRAINED = (real_server(SELECTOR, "10.0.0.1", 80, weight=weight) for weight in (2, 0))
OTHER = real_server(SELECTOR, "10.0.0.2", 80)
LOST: dict[str, tuple[RealServer, ...]] = {"drained": (DRAINED,), "no real server": ()}


@pytest.mark.parametrize("ignore_weights", [False, True])
@pytest.mark.parametrize("left", LOST.values(), ids=LOST)
def test_a_service_that_takes_no_new_client_is_lost(
    left: tuple[RealServer, ...], ignore_weights: bool
) -> None:
    serving, silent = of_nodes(service(SELECTOR), SERVED), of_nodes(service(SELECTOR), *left)
    lost = compare(serving, silent, ignore_weights=ignore_weights)
    exposed = compare(silent, serving, ignore_weights=ignore_weights)
    assert packets(lost) == [("loss", "tcp to 192.0.2.10:80")]
    assert packets(exposed) == [("exposure", "tcp to 192.0.2.10:80")]
    assert only(lost).before.endswith("wlc over 10.0.0.1:80 by nat weight 2")


def test_a_service_that_takes_no_client_is_no_exposure() -> None:
    assert packets(compare(of_nodes(), of_nodes(service(SELECTOR), DRAINED))) == [
        ("treatment", "tcp to 192.0.2.10:80")
    ]


@pytest.mark.parametrize(("ignore_weights", "kinds"), [(False, ["weights"]), (True, [])])
def test_one_real_server_of_two_that_drains_is_a_matter_of_weights(
    ignore_weights: bool, kinds: list[str]
) -> None:
    old, new = (of_nodes(service(SELECTOR), OTHER, one) for one in (SERVED, DRAINED))
    found = packets(compare(old, new, ignore_weights=ignore_weights))
    assert [kind for kind, _ in found] == kinds


INSTANCE = "vrrp_instance a {{\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {{\n{}\n }}\n}}\n"
SERVICE = "virtual_server fwmark 80 {\n lvs_sched rr\n real_server 10.0.0.1 0 {\n  weight 1\n }\n}\n"


def conf(*addresses: str) -> str:
    return INSTANCE.format("\n".join(f"  {address}/32" for address in addresses)) + SERVICE


def test_packets_to_an_address_that_is_given_up_are_lost() -> None:
    old, new = of_text(conf("192.0.2.10", "192.0.2.11")), of_text(conf("192.0.2.11"))
    difference = compare(old, new)
    assert packets(difference) == [("loss", "anything to 192.0.2.10 marked 80")]
    change = only(difference)
    assert change.after == "192.0.2.10 is no address of the director"
    assert (change.before_origins[0].line, change.after_origins) == (5, ())
    assert packets(compare(new, old)) == [("exposure", "anything to 192.0.2.10 marked 80")]


def test_addresses_that_something_else_moves_are_not_given_up() -> None:
    """Without any address, the file leaves all of them to something else."""
    assert packets(compare(of_text(conf("192.0.2.10")), of_text(SERVICE))) == []


def test_an_address_that_may_be_in_what_is_not_understood_is_not_given_up() -> None:
    new = of_text(conf("192.0.2.11") + INSTANCE.format("  192.0.2.10/32\n  new").replace(" a ", " b "))
    assert packets(compare(of_text(conf("192.0.2.10", "192.0.2.11")), new)) == []


def test_a_service_of_another_address_is_one_change_and_not_two() -> None:
    old, new = (side({"addresses": {"www": {"ip": [ip]}}}) for ip in ("192.0.2.10", "192.0.2.11"))
    assert packets(compare(old, new)) == [
        ("exposure", "tcp to 192.0.2.11:80"),
        ("loss", "tcp to 192.0.2.10:80"),
    ]
