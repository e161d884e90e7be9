from typing import Any

import pytest

from lvsc.plugin import Sysctl, TunnelDevice
from support.specs import DUAL, TUNNEL, Layer, lowered, spec

GRE: Layer = {"pools": {"web": {"tunnel": {"type": "gre"}}}}
CHECKSUMS: Layer = {"pools": {"web": {"tunnel": {"type": "gre", "checksum": "full"}}}}
#: Clients of both families, real servers of one.
MIXED: tuple[Layer, ...] = (
    DUAL,
    {"pools": {"web": {"real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}]}}},
)


@pytest.mark.parametrize(
    ("layers", "devices", "filtered"),
    [
        pytest.param([GRE], [("gre0", None)], {"all", "gre0"}, id="plain"),
        pytest.param([CHECKSUMS], [("lvsc-gre", "192.0.2.21")], {"all"}, id="checksums"),
        pytest.param(
            [DUAL, CHECKSUMS],
            [("lvsc-gre", "192.0.2.21"), ("lvsc-gre6", "2001:db8::21")],
            {"all"},
            id="both families",
        ),
        pytest.param(
            [*MIXED, CHECKSUMS], [("lvsc-gre", "192.0.2.21")] * 2, {"all"}, id="IPv6 inside IPv4 as well"
        ),
    ],
)
def test_a_gre_device_is_made_where_checksums_ask_for_one(
    layers: list[Layer], devices: list[tuple[Any, ...]], filtered: set[str]
) -> None:
    nodes = [node for node in lowered(spec(TUNNEL, *layers)).graph if node.host == "web1"]
    tunnels = [node for node in nodes if isinstance(node, TunnelDevice)]
    assert [(node.device, node.local and str(node.local)) for node in tunnels] == devices
    keys = [node.key for node in nodes if isinstance(node, Sysctl) and node.key.endswith(".rp_filter")]
    assert set(keys) == {f"net.ipv4.conf.{name}.rp_filter" for name in filtered}
