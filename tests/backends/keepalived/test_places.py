"""What the backend refuses of a spec is told at the key that must be changed."""

import pytest

from lvsc.compile import Options
from support.specs import PAIR, TUNNEL, Layer, errors, merged, servers, service, spec


def of_check(**keys: object) -> Layer:
    return {"pools": {"web": {"check": keys}}}


def of_notify(**commands: str) -> Layer:
    return {"pools": {"web": {"notify": commands}}}


QUOTED = '/bin/page "unclosed'

CASES: dict[str, tuple[str, Layer, str]] = {
    "path": ("KAD001", of_check(type="http", path='/"'), "pools.web.check.path"),
    "path-of-a-service": ("KAD001", service(check={"type": "http", "path": '/"'}), "services.web.check.path"),
    "command": ("KAD001", of_check(type="script", command=QUOTED), "pools.web.check.command"),
    "long-regex": ("KAD002", of_check(type="http", regex='"' * 255), "pools.web.check.regex"),
    "up": ("KAD001", of_notify(up=QUOTED), "pools.web.notify.up"),
    "quorum-down": ("KAD001", of_notify(quorum_down=QUOTED), "pools.web.notify.quorum_down"),
    "up-beside-a-services-check": (
        "KAD001",
        merged(of_notify(down=QUOTED), service(check={"type": "tcp"})),
        "pools.web.notify.down",
    ),
    "track-script": (
        "KAD001",
        merged(PAIR, {"failover": {"track_scripts": [{"name": "uplink", "command": QUOTED}]}}),
        "failover.track_scripts.0.command",
    ),
    "failover": (
        "KAD001",
        merged(PAIR, {"failover": {"notify": {"fault": QUOTED}}}),
        "failover.notify.fault",
    ),
    "advert": (
        "KAD016",
        merged(PAIR, {"failover": {"advertisement_interval": "255ms"}}),
        "failover.advertisement_interval",
    ),
    "no-weight": ("KAD009", servers({"weight": 0}), "pools.web.real_servers.0.weight"),
    "udp-contents": ("KAD013", of_check(type="udp", port=53, payload="00ff"), "pools.web.check.payload"),
}


@pytest.mark.parametrize(("code", "layers", "path"), CASES.values(), ids=CASES)
def test_a_refusal_points_at_the_key(code: str, layers: Layer, path: str) -> None:
    assert set(errors(spec(layers))) == {(code, path)}


@pytest.mark.parametrize(
    ("layers", "path"),
    [
        (servers({"forwarding": "direct"}, {}), "pools.web.real_servers.1.forwarding"),
        (servers({}, {"forwarding": "direct"}), "pools.web.real_servers.1.forwarding"),
        (
            merged(
                TUNNEL, {"pools": {"web": {"forwarding": "direct"}}}, servers({"forwarding": "tunnel"}, {})
            ),
            "pools.web.forwarding",
        ),
    ],
    ids=["first", "second", "pool"],
)
def test_two_methods_that_an_old_keepalived_cannot_say(layers: Layer, path: str) -> None:
    text = spec(layers, cluster={"firewall": "none"})
    assert set(errors(text, Options(target="rhel7"))) == {("KAD017", path)}
