import pytest

from lvsc.graph.nodes import Scheduler, SchedulerFlag
from lvsc.graph.traffic import Family
from lvsc.spec.load import load
from lvsc.spec.model import Service
from support.specs import DUAL, FILE, Layer, document, found, plugins, service, spec


def loaded(*layers: Layer) -> Service:
    """The service of a document that has nothing wrong with it."""
    cluster, problems = load(document(*layers), FILE, plugins().kinds)
    assert problems == ()
    return cluster.services[0]


WRONG = {
    "no-such-pool": ("LVS201", "services.web.pool", service(pool="wbe"), service(pool="web")),
    "no-such-address": ("LVS201", "services.web.address", service(address="wwww"), service(address="www")),
    "no-such-address-in-a-list": (
        "LVS201",
        "services.web.address.1",
        service(address=["www", "ww"]),
        service(address=["www"]),
    ),
    "no-such-network-for-source-nat": (
        "LVS201",
        "services.web.source_nat",
        service(source_nat="lam"),
        service(source_nat="lan"),
    ),
    "persistence-too-long": (
        "LVS204",
        "services.web.persistence",
        service(persistence="32d"),
        service(persistence="31d"),
    ),
    "persistence-of-parts": (
        "LVS204",
        "services.web.persistence",
        service(persistence="1500ms"),
        service(persistence="2000ms"),
    ),
    "no-persistence": (
        "LVS204",
        "services.web.persistence",
        service(persistence="0s"),
        service(persistence="1s"),
    ),
    "port-zero": (
        "LVS205",
        "services.web.ports.1",
        service(ports=["tcp/80", "tcp/0"]),
        service(ports=["tcp/80", "udp/80"]),
    ),
    "port-too-high": (
        "LVS205",
        "services.web.ports.0",
        service(ports=["tcp/65536"]),
        service(ports=["tcp/65535"]),
    ),
    "port-with-leading-zero": (
        "LVS105",
        "services.web.ports.0",
        service(ports=["tcp/080"]),
        service(ports=["tcp/80"]),
    ),
    "range-with-leading-zero": (
        "LVS105",
        "services.web.ports.0",
        service(ports=["tcp/80-090"], persistence="5m", check="none"),
        service(ports=["tcp/80-90"], persistence="5m", check="none"),
    ),
    "ports-backwards": (
        "LVS205",
        "services.web.ports.0",
        service(ports=["tcp/90-80"]),
        service(ports=["tcp/80-90"], persistence="5m", check="none"),
    ),
    "granularity-alone": (
        "LVS208",
        "services.web.persistence_granularity",
        service(persistence_granularity={"ipv4": 24}),
        service(persistence_granularity={"ipv4": 24}, persistence="5m"),
    ),
    "engine-alone": (
        "LVS208",
        "services.web.persistence_engine",
        service(ports=["udp/5060"], check="none", persistence_engine="sip"),
        service(ports=["udp/5060"], check="none", persistence_engine="sip", persistence="5m"),
    ),
    "granularity-alone-of-another-kind": (
        "LVS208",
        "services.web.persistence_granularity",
        service(ports=None, kind="ftp", persistence_granularity={"ipv4": 24}),
        service(ports=None, kind="ftp", persistence_granularity={"ipv4": 24}, persistence="5m"),
    ),
}


@pytest.mark.parametrize(("code", "path", "wrong", "right"), WRONG.values(), ids=WRONG)
def test_what_the_schema_cannot_say_of_a_service(code: str, path: str, wrong: Layer, right: Layer) -> None:
    assert found(spec(wrong)) == [(code, path)]
    assert found(spec(right)) == []


def test_a_service_that_says_little() -> None:
    web = loaded()
    assert (web.kind, web.scheduler, web.scheduler_flags) == ("plain", Scheduler.WLC, ())
    assert (web.mark, web.persistence, web.one_packet, web.source_nat, web.check) == (
        None,
        None,
        False,
        False,
        None,
    )
    assert web.granularity == {Family.IPV4: 32, Family.IPV6: 128}


def test_flags_come_in_one_order() -> None:
    web = loaded(service(scheduler="mh", scheduler_flags=["mh-port", "mh-fallback"]))
    assert web.scheduler_flags == (SchedulerFlag.MH_FALLBACK, SchedulerFlag.MH_PORT)


def test_addresses_of_a_family_are_sorted() -> None:
    more: Layer = {"addresses": {"old": {"network": "lan", "ip": ["192.0.2.9", "2001:db8::9"]}}}
    web = loaded(DUAL, more, service(address=["www", "old"]))
    assert list(map(str, web.ips(Family.IPV4))) == ["192.0.2.9", "192.0.2.10"]
    assert list(map(str, web.ips(Family.IPV6))) == ["2001:db8::9", "2001:db8::10"]
    assert web.families == (Family.IPV4, Family.IPV6)
    assert loaded().families == (Family.IPV4,)


@pytest.mark.parametrize(("said", "expected"), [(True, True), (False, False), ("lan", "lan")])
def test_source_nat_is_a_word_or_a_truth(said: object, expected: object) -> None:
    assert loaded(service(source_nat=said)).source_nat == expected
