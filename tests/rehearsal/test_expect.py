"""What counting answers can tell of a service's promise."""

import pytest

from lvsc.graph.traffic import Family
from lvsc.rehearsal.expect import Promise, Spread, promise
from support.specs import Layer, lowered_service, servers, service, spec


def owed(*layers: Layer) -> Promise:
    found = lowered_service(spec(*layers))
    names = {str(ip): s.name for s in found.service.pool.real_servers for ip in s.ips}
    return promise(found, Family.IPV4, names)


@pytest.mark.parametrize(
    ("scheduler", "spread"),
    [
        ("rr", Spread.EXACT),
        ("wrr", Spread.EXACT),
        ("wlc", Spread.NEAR),
        ("sh", Spread.BY_CLIENT),
        ("fo", Spread.HEAVIEST),
        ("dh", Spread.ANY),
    ],
)
def test_each_scheduler_promises_its_spread(scheduler: str, spread: Spread) -> None:
    assert owed(service(scheduler=scheduler)).spread is spread


def test_weights_are_owed_in_lowest_terms_and_whole_rounds() -> None:
    found = owed(servers({"weight": 100}, {"weight": 50}, {"drained": True}), service(scheduler="wrr"))
    assert found.shares == {"web1": 2, "web2": 1}
    assert found.connections == 24
    assert found.keeps({"web1": 16, "web2": 8})
    assert not found.keeps({"web1": 15, "web2": 9})
    assert not found.keeps({"web1": 24})


def test_round_robin_does_not_look_at_weights() -> None:
    assert owed(servers({"weight": 5}, {"weight": 1}), service(scheduler="rr")).shares == {
        "web1": 1,
        "web2": 1,
    }


def test_a_least_connection_scheduler_owes_each_server_a_part_of_its_share() -> None:
    found = owed(service(scheduler="wlc"))
    assert found.keeps({"web1": 17, "web2": 7})
    assert not found.keeps({"web1": 23, "web2": 1})


def test_the_heaviest_server_gets_all() -> None:
    found = owed(servers({"weight": 5}, {"weight": 1}), service(scheduler="fo"))
    assert found.keeps({"web1": 24})
    assert not found.keeps({"web1": 23, "web2": 1})


@pytest.mark.parametrize(
    "layer",
    [
        service(scheduler="sh", scheduler_flags=["sh-port"]),
        service(scheduler="wrr", persistence="5m", persistence_granularity={"ipv4": 24}),
    ],
    ids=["by port, too", "clients by their prefix"],
)
def test_nothing_is_counted_where_clients_are_not_one_by_one(layer: Layer) -> None:
    assert owed(layer).spread is Spread.ANY


@pytest.mark.parametrize(
    ("layers", "spreads"),
    [
        ([service(scheduler="wrr")], True),
        ([service(scheduler="wrr"), servers({"weight": 2}, {})], True),
        ([service(scheduler="wrr"), servers({"weight": 5000}, {})], False),
        ([service(scheduler="rr"), servers({"weight": 5000}, {})], True),
        ([service(scheduler="dh")], False),
        ([service(scheduler="fo"), servers({"weight": 2}, {"weight": 2})], False),
        ([service(scheduler="sh"), servers({}, {"drained": True})], False),
        ([service(scheduler="wrr", persistence="5m", persistence_granularity={"ipv4": 24})], True),
        ([service(scheduler="wrr", persistence="5m", persistence_granularity={"ipv4": 16})], False),
    ],
)
def test_clients_are_expected_at_several_servers_where_chance_would_hardly_have_it_otherwise(
    layers: list[Layer], spreads: bool
) -> None:
    assert owed(*layers).spreads(16) == spreads


def test_few_free_places_are_not_filled_for_a_proof() -> None:
    limited = servers({"upper_threshold": 10}, {"upper_threshold": 10})
    assert owed(limited, service(scheduler="wrr")).spread is Spread.ANY


def test_a_persistent_service_keeps_its_clients_together() -> None:
    assert owed(service(persistence="5m")).together
    assert not owed(service(scheduler="wlc")).together
