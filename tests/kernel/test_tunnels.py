"""Real servers at a distance, by every tunnel that the spec allows: each way to wrap, each family inside each."""

from collections.abc import Collection
from itertools import product

import pytest

from lvsc.graph.traffic import Family
from lvsc.laboratory.site import PATIENCE
from support.specs import Layer

from .conftest import DOOMED, Edit, Start, Trial, replaced, without
from .held import differences

pytestmark = pytest.mark.kernel

_FOUR, _SIX = Family.IPV4, Family.IPV6
TUNNELS: dict[str, Layer] = {
    "ipip": {"type": "ipip"},
    "gre": {"type": "gre"},
    "gre-full": {"type": "gre", "checksum": "full"},
    "gue": {"type": "gue", "port": 6080},
    "gue-full": {"type": "gue", "port": 6080, "checksum": "full"},
    "gue-remote": {"type": "gue", "port": 6081, "checksum": "remote"},
}
#: The real servers by the family that reaches them. One gre device takes checksums always or never, hence two.
HOSTS = {_FOUR: ("four", "203.0.113.21"), _SIX: ("six", "2001:db8:3::21")}
CHECKED = {_FOUR: ("four-checked", "203.0.113.22"), _SIX: ("six-checked", "2001:db8:3::22")}
NAMES = tuple(name for name, _ in (*HOSTS.values(), *CHECKED.values()))
#: A tunnel, the family outside and the one inside.
Row = tuple[str, Family, Family]
ROWS: tuple[Row, ...] = tuple(product(TUNNELS, Family, Family))
PORTS = {(tunnel, outer): 8000 + n for n, (tunnel, outer) in enumerate(product(TUNNELS, Family))}


def server(tunnel: str, outer: Family) -> tuple[str, str]:
    """The name and address of the real server that unwraps a tunnel."""
    return (CHECKED if tunnel == "gre-full" else HOSTS)[outer]


def _cluster() -> Layer:
    pools, services = {}, {}
    for (tunnel, outer), port in PORTS.items():
        name, ip = server(tunnel, outer)
        pools[f"{tunnel}-{outer.value}"] = {
            "check": "none",
            "tunnel": TUNNELS[tunnel],
            "real_servers": [{"name": name, "ip": [ip]}],
        }
        services[f"{tunnel}-{outer.value}"] = {
            "address": "www",
            "pool": f"{tunnel}-{outer.value}",
            "ports": [f"tcp/{port}"],
        }
    return {
        "cluster": {"name": "trial", "target": "debian12", "forwarding": "tunnel"},
        "networks": {"lan": {"interface": "eth0", "prefixes": ["192.0.2.0/24", "2001:db8:2::/64"]}},
        "directors": {"lvs1": {"addresses": {"lan": ["192.0.2.2", "2001:db8:2::2"]}}},
        "addresses": {"www": {"network": "lan", "ip": ["192.0.2.10", "2001:db8:2::10"]}},
        "pools": pools,
        "services": services,
    }


CLUSTER = _cluster()


def filtering_by_source(site: Trial) -> None:
    """Have the real servers begin with the reverse-path filter as distributions ship it: strict, and loose."""
    for name, value in zip(NAMES, (1, 2, 1, 2), strict=True):
        for interface in ("all", "default"):
            site.write(name, f"/proc/sys/net/ipv4/conf/{interface}/rp_filter", f"{value}\n")


def silent(site: Trial, size: int = 0, doomed: Collection[Row] = ()) -> set[Row]:
    """The tunnels whose real server does not answer; those that are doomed are not waited for as long."""
    found: set[Row] = set()
    for family in Family:
        for lost, limit in ((False, PATIENCE), (True, DOOMED)):
            rows = [row for row in ROWS if row[2] is family and (row in doomed) is lost]
            ports = (PORTS[tunnel, outer] for tunnel, outer, _ in rows)
            answers = site.get(*ports, family=family, size=size, limit=limit)
            for row, answer in zip(rows, answers, strict=True):
                assert answer.server in (None, server(row[0], row[1])[0]), row
                if answer.server is None:
                    found.add(row)
    return found


@pytest.mark.parametrize("size", [0, 9000], ids=["small", "larger than the tunnel carries at once"])
def test_every_tunnel_reaches_its_real_server(trial: Start, size: int) -> None:
    site = trial(CLUSTER, before=filtering_by_source, shared=True)
    assert silent(site, size) == set()


@pytest.mark.parametrize("inner", Family, ids=str)
def test_a_server_at_a_distance_sees_the_client_itself(trial: Start, inner: Family) -> None:
    site = trial(CLUSTER, before=filtering_by_source, shared=True)
    answers = site.get(*PORTS.values(), family=inner)
    assert {answer.client for answer in answers} == {site.clients("www", inner)[0]}


def test_the_kernel_holds_what_the_spec_says_of_tunnels(trial: Start) -> None:
    assert differences(trial(CLUSTER, before=filtering_by_source, shared=True)) == ""


@pytest.mark.full
def test_keepalived_sends_by_every_tunnel_too(trial: Start) -> None:
    site = trial(CLUSTER, backends=("iptables", "keepalived"), before=filtering_by_source)
    site.until(lambda: silent(site) == set(), "all tunnels reach their real servers")
    assert differences(site) == ""


#: What is taken out of a real server's files, and the tunnels that it unwraps no more.
BROKEN: dict[Edit, set[Row]] = {
    ("four/etc/lvsc/addresses.sh", without("gue 608")): {
        row for row in ROWS if row[0].startswith("gue") and row[1] is _FOUR
    },
    ("four/etc/lvsc/addresses.sh", without("device tunl0")): {("ipip", _FOUR, _FOUR)},
    ("four/etc/lvsc/addresses.sh", without("device sit0")): {("ipip", _FOUR, _SIX)},
    ("four/etc/lvsc/addresses.sh", without("device gre0")): {("gre", _FOUR, _FOUR), ("gre", _FOUR, _SIX)},
    ("four-checked/etc/lvsc/addresses.sh", replaced(" icsum", "")): {
        ("gre-full", _FOUR, _FOUR),
        ("gre-full", _FOUR, _SIX),
    },
    ("six/etc/lvsc/addresses.sh", without("ip6tnl0 any")): {
        (tunnel, _SIX, _FOUR) for tunnel in TUNNELS if not tunnel.startswith("gre")
    },
    ("six/etc/lvsc/addresses.sh", without("device ip6gre0")): {("gre", _SIX, _FOUR), ("gre", _SIX, _SIX)},
    ("six-checked/etc/sysctl.d/90-lvsc.conf", without("rp_filter")): {("gre-full", _SIX, _FOUR)},
}


def test_each_line_of_the_files_is_needed(trial: Start) -> None:
    site = trial(CLUSTER, before=filtering_by_source, edits=tuple(BROKEN))
    lost = set[Row]().union(*BROKEN.values())
    assert silent(site, doomed=lost) == lost


@pytest.mark.full
def test_without_the_settings_the_reverse_path_filter_drops_what_tunnels_bring(trial: Start) -> None:
    edits = [(f"{name}/etc/sysctl.d/90-lvsc.conf", without("rp_filter")) for name in NAMES]
    edits.append(("-checked/etc/lvsc/addresses.sh", without("rp_filter lvsc")))
    site = trial(CLUSTER, before=filtering_by_source, edits=edits)
    lost = {row for row in ROWS if row[2] is _FOUR}
    assert silent(site, doomed=lost) == lost
