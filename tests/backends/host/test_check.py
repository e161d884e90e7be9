from dataclasses import replace
from ipaddress import IPv6Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.plugin import AddressRole, Node, Target
from lvsc.targets import load
from lvsc_host import codes, plugin
from lvsc_host.backend import Host
from lvsc_host.check import below_proc_sys

from .conftest import Make

make = Make()

HOSTILE = [
    "",
    "a b",
    "a\nb",
    "a\n",
    "a;b",
    "a#b",
    "$(id)",
    "`id`",
    "a'b",
    'a"b',
    "a{b",
    "a\\",
    "a\x00",
    "ä",
    "a*",
    "a=b",
]


def refused(*nodes: Node) -> list[str]:
    return [found.code.id for found in Host().check(make.part(*nodes, target=load("debian12")))]


@pytest.mark.parametrize("text", [*HOSTILE, "-r", "a/b", "a.b"])
def test_a_hostile_module_name_is_refused(text: str) -> None:
    assert refused(make.module(text)) == ["HST001"]
    assert refused(make.option(text, "ports", "21")) == ["HST001"]


@pytest.mark.parametrize("text", [*HOSTILE, "-a", "a.b"])
def test_a_hostile_option_name_is_refused(text: str) -> None:
    assert refused(make.option("ip_vs_ftp", text, "21")) == ["HST001"]


@pytest.mark.parametrize("text", [*HOSTILE, "21,2121"])
def test_a_hostile_option_value_is_refused(text: str) -> None:
    assert refused(make.option("ip_vs_ftp", "ports", text)) == ["HST001"]


@pytest.mark.parametrize(
    "key",
    [
        *(f"net.{text}.b" for text in HOSTILE),
        "net",
        "-net.ipv4.ip_forward",
        "net..ipv4",
        "net.ipv4.",
        ".net.ipv4",
        "net/../kernel/core_pattern",
        "net./.ipv4",
        "net//ipv4",
        "/proc/sys/net",
    ],
)
def test_a_hostile_sysctl_key_is_refused(key: str) -> None:
    assert refused(make.sysctl(key)) == ["HST002"]


@pytest.mark.parametrize("value", [*(text for text in HOSTILE if text != "a b"), " 1", "1 ", "1  2", "1\t2"])
def test_a_hostile_sysctl_value_is_refused(value: str) -> None:
    assert refused(make.sysctl("net.ipv4.ip_forward", value)) == ["HST003"]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.ip_forward", "net ipv4 ip_forward"),
        ("net/ipv4/ip_forward", "net ipv4 ip_forward"),
        ("net.ipv4.conf.eth0/5.arp_ignore", "net ipv4 conf eth0.5 arp_ignore"),
        ("net/ipv4/conf/eth0.5/arp_ignore", "net ipv4 conf eth0.5 arp_ignore"),
    ],
)
def test_a_key_names_a_file_below_proc_sys(key: str, path: str) -> None:
    assert below_proc_sys(key) == tuple(path.split())


def test_one_setting_with_two_values_is_refused_however_it_is_written() -> None:
    assert refused(make.sysctl("net.ipv4.ip_forward", "0"), make.sysctl("net/ipv4/ip_forward", "1")) == [
        "HST004"
    ]
    assert refused(make.sysctl("net.ipv4.ip_forward", "0"), make.sysctl("net.ipv4.ip_forward", "1")) == [
        "HST004"
    ]


def test_one_setting_with_one_value_is_fine() -> None:
    assert refused(make.sysctl("net.ipv4.ip_forward"), make.sysctl("net.ipv4.ip_forward")) == []


@pytest.mark.parametrize("name", [*HOSTILE, "-eth0", ".eth0", "eth0/5", "an-interface-too-long"])
def test_a_hostile_interface_is_refused(name: str) -> None:
    assert refused(make.address("192.0.2.10/24", name)) == ["HST005"]


def test_an_address_with_a_zone_is_refused() -> None:
    node = replace(make.address("fd00::1/64", "eth0"), address=IPv6Interface("fe80::1%$(id)/64"))
    assert refused(node) == ["HST006"]


@pytest.mark.parametrize(
    ("text", "interface", "role"),
    [
        ("192.0.2.10/24", "lo", AddressRole.LOOPBACK),
        ("fd00::1/64", "lo", AddressRole.LOOPBACK),
        ("192.0.2.10/24", "lo", AddressRole.SERVED),
        ("192.0.2.10/32", "eth0", AddressRole.LOOPBACK),
    ],
)
def test_a_loopback_address_that_is_not_a_single_one_on_lo_is_refused(
    text: str, interface: str, role: AddressRole
) -> None:
    assert refused(make.address(text, interface, role)) == ["HST006"]


def test_one_address_with_two_prefix_lengths_on_an_interface_is_refused() -> None:
    assert refused(make.address("192.0.2.10/24", "eth0"), make.address("192.0.2.10/32", "eth0")) == ["HST006"]
    assert refused(make.address("192.0.2.10/24", "eth0"), make.address("192.0.2.10/32", "eth1")) == []


@pytest.mark.parametrize(
    ("kind", "port"), [("gue", None), ("gue", 0), ("gue", 65536), ("ipip", 5555), ("gre", 5555)]
)
def test_a_tunnel_with_a_wrong_port_is_refused(kind: str, port: int | None) -> None:
    assert refused(make.tunnel(kind, port=port)) == ["HST007"]


@pytest.mark.parametrize(
    ("outer", "local"),
    [(4, None), (4, "fd00::2"), (6, "10.0.0.2"), (6, "fe80::2%$(id)"), (6, "fe80::2%eth0")],
)
def test_a_gre_tunnel_with_checksums_has_an_address_of_its_outer_family(
    outer: int, local: str | None
) -> None:
    node = make.tunnel("gre", 4, outer, local=local or "10.0.0.2")
    assert refused(node if local else replace(node, local=None)) == ["HST007"]


def test_gre_tunnels_with_checksums_have_one_address_an_outer_family() -> None:
    first = make.tunnel("gre", 4, 4, local="10.0.0.2")
    assert refused(first, make.tunnel("gre", 6, 4, local="10.0.0.3")) == ["HST007"]
    fine = [make.tunnel("gre", 6, 4, local="10.0.0.2"), make.tunnel("gre", 6, 6, local="fd00::2")]
    assert refused(first, *fine, make.tunnel("gre")) == []


def test_every_refusal_says_what_and_what_to_do() -> None:
    part = make.part(
        make.module("a\nb"),
        make.sysctl("x"),
        make.sysctl("a.b", "\x1b[2J"),
        make.address("192.0.2.1/24", "e\n"),
        make.tunnel("gue"),
        make.tunnel("gre", 6, 6, local="fe80::2%\n"),
        make.tunnel("gre", 4, 4, local="10.0.0.2"),
        make.tunnel("gre", 4, 4, local="10.0.0.3"),
        target=load("debian12"),
    )
    found = list(Host().check(part))
    assert len(found) == 7
    for diagnostic in found:
        assert diagnostic.message.isprintable()
        assert diagnostic.help
        assert diagnostic.place is not None


def test_every_code_can_be_explained() -> None:
    assert list(plugin.lvsc_codes()) == list(codes.ALL)
    assert len({code.id for code in codes.ALL}) == len(codes.ALL)
    assert isinstance(plugin.lvsc_backend(), Host)


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_let_through_is_one_line_that_reads_back(first: str, second: str) -> None:
    target: Target = load("debian12")
    nodes = [make.module(first), make.option("m", first, second), make.sysctl(f"net.{first}", second)]
    for node in nodes:
        part = make.part(node, target=target)
        if list(Host().check(part)):
            continue
        line = Host().emit(part).artifacts[0].lines[-1].text
        assert line in {first, f"options m {first}={second}", f"net.{first} = {second}"}
        assert line.isascii()
        assert line.isprintable()
        assert not set(line) & set("#;$`'\"\\{}*()<>|&!?")
