import pytest

from lvsc.graph.nodes import Authentication, AuthenticationType
from lvsc.secrets import SecretRef, SecretSource
from lvsc.spec.load import load
from lvsc.spec.model import Cluster, ExternalFailover, Vrrp
from support.specs import FILE, PAIR, Layer, document, found, merged, plugins, spec


def cluster(*layers: Layer) -> Cluster:
    """The cluster of a document that has nothing wrong with it."""
    loaded, problems = load(document(PAIR, *layers), FILE, plugins().kinds)
    assert problems == ()
    return loaded


def vrrp(**keys: object) -> Layer:
    return {"failover": keys}


def script(**keys: object) -> dict[str, object]:
    return {"name": "uplink", "command": "/bin/true", **keys}


def sync(**keys: object) -> Layer:
    return {"connection_sync": {"network": "lan", "id": 1, **keys}}


PASSWORD: Layer = vrrp(version=2, authentication={"password": {"env": "VRRP_PASSWORD"}})
WRONG = {
    "track-no-network": (
        "LVS201",
        "failover.track_interfaces.0",
        vrrp(track_interfaces=["dmz"]),
        vrrp(track_interfaces=["lan"]),
    ),
    "sync-over-no-network": ("LVS201", "connection_sync.network", sync(network="dmz"), sync()),
    "interval-too-short": (
        "LVS204",
        "failover.advertisement_interval",
        vrrp(advertisement_interval="9ms"),
        vrrp(advertisement_interval="10ms"),
    ),
    "interval-too-long": (
        "LVS204",
        "failover.advertisement_interval",
        vrrp(advertisement_interval="41s"),
        vrrp(advertisement_interval="40950ms"),
    ),
    "parts-of-a-second-in-version-2": (
        "LVS204",
        "failover.advertisement_interval",
        vrrp(version=2, advertisement_interval="1500ms"),
        vrrp(version=2, advertisement_interval="255s"),
    ),
    "delay-too-long": (
        "LVS204",
        "failover.preempt_delay",
        vrrp(preempt_delay="1001s"),
        vrrp(preempt_delay="1000s"),
    ),
    "script-interval-of-parts": (
        "LVS204",
        "failover.track_scripts.0.interval",
        vrrp(track_scripts=[script(interval="500ms")]),
        vrrp(track_scripts=[script(interval="5s")]),
    ),
    "timeout-too-long": (
        "LVS204",
        "timeouts.tcp",
        {"timeouts": {"tcp": "32d"}},
        {"timeouts": {"tcp": "31d"}},
    ),
    "mail-server-by-a-wrong-address": (
        "LVS202",
        "email.server",
        {"email": {"from": "a@b", "to": ["c@d"], "server": "1.2.3"}},
        {"email": {"from": "a@b", "to": ["c@d"], "server": "192.0.2.25"}},
    ),
    "two-scripts-of-one-name": (
        "LVS206",
        "failover.track_scripts.1.name",
        vrrp(track_scripts=[script(), script(command="/bin/false")]),
        vrrp(track_scripts=[script(), script(name="disk")]),
    ),
    "delay-without-preemption": (
        "LVS208",
        "failover.preempt_delay",
        vrrp(preempt=False, preempt_delay="5s"),
        vrrp(preempt=False, preempt_delay="0s"),
    ),
    "authentication-in-version-3": (
        "LVS208",
        "failover.authentication",
        merged(PASSWORD, vrrp(version=3)),
        PASSWORD,
    ),
    "unicast-to-nobody": (
        "LVS208",
        "failover.unicast",
        merged(vrrp(unicast=True), {"directors": {"lvs2": None}}),
        vrrp(unicast=True),
    ),
    "sync-group-of-one-host": (
        "LVS208",
        "connection_sync.group",
        sync(group="192.0.2.81"),
        sync(group="239.1.2.3"),
    ),
    "threshold-at-its-period": (
        "LVS208",
        "tuning.sync_threshold.packets",
        {"tuning": {"sync_threshold": {"packets": 50}}},
        {"tuning": {"sync_threshold": {"packets": 49}}},
    ),
}


@pytest.mark.parametrize(("code", "path", "wrong", "right"), WRONG.values(), ids=WRONG)
def test_what_the_schema_cannot_say_of_failover(code: str, path: str, wrong: Layer, right: Layer) -> None:
    assert found(spec(PAIR, wrong)) == [(code, path)]
    assert found(spec(PAIR, right)) == []


def test_vrrp_that_says_little() -> None:
    failover = cluster().failover
    assert isinstance(failover, Vrrp)
    assert (failover.version, failover.virtual_router_id, failover.advertisement_interval) == (3, 51, 1)
    assert (failover.preempt, failover.preempt_delay, failover.unicast) == (True, 0, False)
    assert (failover.authentication, failover.track_scripts, dict(failover.notify)) == (None, (), {})


@pytest.mark.parametrize(
    ("password", "secret"),
    [
        ({"env": "VRRP_PASSWORD"}, SecretRef(SecretSource.ENVIRONMENT, "VRRP_PASSWORD", 8)),
        ({"file": "secrets/vrrp"}, SecretRef(SecretSource.FILE, "secrets/vrrp", 8)),
    ],
    ids=["env", "file"],
)
def test_a_password_is_a_reference(password: dict[str, str], secret: SecretRef) -> None:
    failover = cluster(vrrp(version=2, authentication={"type": "ah", "password": password})).failover
    assert isinstance(failover, Vrrp)
    assert failover.authentication == Authentication(type=AuthenticationType.AH, password=secret)


def test_a_placeholder_says_where_the_secret_is() -> None:
    assert SecretRef(SecretSource.FILE, "secrets/vrrp", 8).placeholder == "<lvsc-secret:file:secrets/vrrp>"


def test_something_else_moves_the_addresses() -> None:
    external = document(PAIR, {"failover": {"virtual_router_id": None, "method": "external"}})
    loaded, problems = load(external, FILE, plugins().kinds)
    assert (problems, type(loaded.failover)) == ((), ExternalFailover)


def test_commands_that_are_said() -> None:
    failover = cluster(
        vrrp(notify={"master": "/bin/up", "stop": "/bin/down"}, track_scripts=[script(fall=3, timeout="4s")])
    ).failover
    assert isinstance(failover, Vrrp)
    assert dict(failover.notify) == {"master": "/bin/up", "stop": "/bin/down"}
    (tracked,) = failover.track_scripts
    assert (tracked.interval, tracked.timeout, tracked.rise, tracked.fall) == (2, 4, 2, 3)


def test_tuning_that_is_said() -> None:
    tuning = cluster(
        {"tuning": {"sync_threshold": {"packets": 0}, "sloppy_tcp": True, "conn_reuse_mode": 0}}
    ).tuning
    assert tuning is not None
    assert (tuning.sync_threshold, tuning.sloppy_tcp, tuning.conn_reuse_mode, tuning.expire_nodest_conn) == (
        (0, 50),
        True,
        0,
        None,
    )


def test_mail_and_timeouts_that_are_said() -> None:
    loaded = cluster(
        {
            "email": {"from": "lvs@example.net", "to": ["a@example.net"], "server": "192.0.2.25"},
            "timeouts": {"udp": "90s"},
        }
    )
    assert loaded.email is not None
    assert loaded.timeouts is not None
    assert (loaded.email.port, loaded.email.recipients) == (25, ("a@example.net",))
    assert (loaded.timeouts.tcp, loaded.timeouts.tcp_fin, loaded.timeouts.udp) == (0, 0, 90)
