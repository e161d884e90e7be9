"""Parts of a cluster to emit from, for one host."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from lvsc.plugin import HostGraph, HostPart, Init, Node
from lvsc.targets import Target, Units, load
from support.nodes import HOST

MakePart = Callable[[Iterable[Node]], HostPart]


PROGRAMS = (
    "iptables",
    "iptables-restore",
    "iptables-save",
    "ip6tables",
    "ip6tables-restore",
    "ip6tables-save",
)


@pytest.fixture
def debian() -> Target:
    """Debian's, with what the expected texts show said here."""
    target = load("debian12")
    units = ("netfilter-persistent.service", "firewalld.service")
    return replace(
        target,
        programs=(
            ("sh", "/bin/sh"),
            ("systemctl", "/usr/bin/systemctl"),
            *((name, f"/usr/sbin/{name}") for name in PROGRAMS),
        ),
        units=replace(target.units, iptables=units, keepalived="keepalived.service"),
    )


@pytest.fixture
def openrc(debian: Target) -> Target:
    """A target of another init system, old programs and no ip6tables."""
    units = Units(
        iptables=("iptables", "ip6tables"),
        nftables=("nftables",),
        keepalived="keepalived",
        vsftpd=None,
        ipvsadm=None,
        network_pre="net",
        network_online="net",
    )
    return replace(
        debian,
        name="old",
        init=Init.OPENRC,
        versions=(),
        programs=(
            *((name, path) for name, path in debian.programs if not name.startswith("ip6")),
            ("rc-service", "/sbin/rc-service"),
            ("rc-update", "/sbin/rc-update"),
        ),
        paths=replace(debian.paths, unit_dir="/etc/init.d"),
        units=units,
    )


@pytest.fixture
def part(debian: Target) -> MakePart:
    def make(nodes: Iterable[Node]) -> HostPart:
        return HostPart(cluster="red-hat", graph=HostGraph(HOST, nodes), target=debian)

    return make
