"""What a target's versions cannot do is an error at the place that asks for it."""

import pytest

from support.ftp import ftp
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, errors, merged, reported, servers, service, spec

# The kernel's part of what is missing: (target that lacks it, one that has it, what asks for it, where).
CASES: dict[str, tuple[str, str, Layer, str]] = {
    "mh": ("rhel7", "rhel8", service(scheduler="mh"), "services.web.scheduler"),
    "fo": ("rhel7", "rhel8", service(scheduler="fo"), "services.web.scheduler"),
    "ovf": ("rhel7", "rhel8", service(scheduler="ovf"), "services.web.scheduler"),
    "twos": ("debian12", "debian13", service(scheduler="twos"), "services.web.scheduler"),
    "gue": (
        "rhel7",
        "debian12",
        merged(TUNNEL, {"pools": {"web": {"tunnel": {"type": "gue", "port": 6080}}}}),
        "pools.web.tunnel.type",
    ),
    "gre": (
        "rhel7",
        "debian12",
        merged(TUNNEL, {"pools": {"web": {"tunnel": {"type": "gre"}}}}),
        "pools.web.tunnel.type",
    ),
    "mixed-families": (
        "rhel7",
        "debian12",
        merged(DUAL, TUNNEL, servers({}, {})),
        "pools.web.real_servers.0.ip",
    ),
    "sync-parameters": (
        "rhel7",
        "debian12",
        merged(PAIR, {"connection_sync": {"network": "lan", "id": 1, "ttl": 3}}),
        "connection_sync.ttl",
    ),
    "large-table": (
        "debian12",
        "debian13",
        {"tuning": {"connection_table_bits": 21}},
        "tuning.connection_table_bits",
    ),
    "ftp-epsv": ("rhel7", "rhel8", ftp(), "services.files"),
}


@pytest.mark.parametrize(("lacks", "has", "layers", "path"), CASES.values(), ids=CASES)
def test_what_a_kernel_lacks(lacks: str, has: str, layers: Layer, path: str) -> None:
    def missing(target: str) -> list[tuple[str, str]]:
        return [
            (d.message, ".".join(map(str, d.place.origin.path)))
            for d in reported(spec(layers, cluster={"target": target}))
            if d.code.id == "LVS501"
            and d.place
            and any(note.startswith(("it needs Linux", "Linux ")) for note in d.notes)
        ]

    assert path in {where for _, where in missing(lacks)}
    assert all(message.startswith(f"target `{lacks}` cannot do ") for message, _ in missing(lacks))
    assert missing(has) == []


def test_a_missing_feature_is_said_once_a_place_and_names_who_has_it() -> None:
    found = [
        d
        for d in reported(spec(PAIR, DUAL, DIRECT, service(scheduler="mh"), cluster={"target": "rhel7"}))
        if "mh" in d.message
    ]
    (one,) = found
    assert one.notes == (
        "it needs Linux 4.18 or newer, and `rhel7` has 3.10",
        "it needs keepalived 2.0.7 or newer, and `rhel7` has 1.3.5",
    )
    assert one.help is not None
    assert "`rhel8`" in one.help
    assert "`rhel7`" not in one.help


@pytest.mark.parametrize(
    ("bits", "target"), [(20, "debian12"), (21, "debian13"), (8, "rhel7")], ids=["common", "large", "small"]
)
def test_a_table_of_a_size_that_the_kernel_allows(bits: int, target: str) -> None:
    found = reported(spec(cluster={"target": target}, tuning={"connection_table_bits": bits}))
    assert [d for d in found if d.place and d.place.origin.path[0] == "tuning"] == []


def test_a_feature_may_know_what_to_say_instead() -> None:
    check = {"cluster": {"target": "rhel7"}, "pools": {"web": {"check": {"type": "http"}}}}
    (said,) = (d for d in reported(spec(check)) if "status codes" in d.message)
    assert said.help is not None
    assert said.help.startswith(
        "name the one of a good answer, as in `status = [200]`, or use a target that can: `alpine324`"
    )


def of_check(**keys: object) -> Layer:
    return {"pools": {"web": {"check": keys}}}


OLD: Layer = {"cluster": {"target": "rhel7", "forwarding": "direct"}}
QUOTED = "/bin/page 'two words'"

#: What keepalived 1.3.5 cannot do, and the key that must be changed.
KEYS: dict[str, tuple[Layer, str]] = {
    "regex": (of_check(type="http", status=[200], regex="ok"), "pools.web.check.regex"),
    "http-version": (of_check(type="http", status=[200], http_version="1.1"), "pools.web.check.http_version"),
    "status": (of_check(type="http", status=[200, 204]), "pools.web.check.status"),
    "fractions": (of_check(type="tcp", timeout="1500ms"), "pools.web.check.timeout"),
    "udp": (of_check(type="udp", port=53), "pools.web.check.type"),
    "udp-contents": (of_check(type="udp", port=53, payload="0a"), "pools.web.check.type"),
    "ping": (of_check(type="ping"), "pools.web.check.type"),
    "dns": (of_check(type="dns", port=53, name="a"), "pools.web.check.retries"),
    "script": (of_check(type="script", command=QUOTED, retries=0), "pools.web.check.command"),
    "notify": ({"pools": {"web": {"notify": {"down": QUOTED}}}}, "pools.web.notify.down"),
    "quorum-notify": ({"pools": {"web": {"notify": {"quorum_up": QUOTED}}}}, "pools.web.notify.quorum_up"),
    "failover-notify": (merged(PAIR, {"failover": {"notify": {"fault": QUOTED}}}), "failover.notify.fault"),
    "preempt-delay": (merged(PAIR, {"failover": {"preempt_delay": "1500ms"}}), "failover.preempt_delay"),
    "flags-of-a-scheduler": (service(scheduler="mh", scheduler_flags=["mh-port"]), "services.web.scheduler"),
    "granularity": (
        service(persistence="5m", persistence_granularity={"ipv4": 24}),
        "services.web.persistence_granularity",
    ),
    "tunnel-of-a-server": (
        servers({"forwarding": "tunnel", "tunnel": {"type": "gre"}}, {}),
        "pools.web.real_servers.0.tunnel.type",
    ),
    "tunnel-of-a-pool": (
        merged(TUNNEL, {"pools": {"web": {"tunnel": {"type": "gue", "port": 6080, "checksum": "full"}}}}),
        "pools.web.tunnel.type",
    ),
}


@pytest.mark.parametrize(("layers", "path"), KEYS.values(), ids=KEYS)
def test_the_key_that_must_be_changed_is_told_once(layers: Layer, path: str) -> None:
    assert errors(spec(OLD, layers)) == [("LVS501", path)]


def test_what_a_backend_cannot_do_without_is_told_once() -> None:
    two = service("mail", address="www", pool="web", ports=["tcp/25", "tcp/26"], persistence="5m")
    layers = merged(OLD, two, {"cluster": {"backends": ["nftables"]}})
    assert len([code for code, _ in errors(spec(layers))]) == 1


def test_the_way_out_is_said() -> None:
    (dns,) = reported(spec(OLD, of_check(type="dns", port=53, name="a")))
    assert dns.help is not None
    assert dns.help.startswith("set `retries = 0`, or use a target that can: ")
