"""What Red Hat's load balancer manual has an administrator type is in what red-hat.toml emits, or something stronger.

The manual is that of RHEL 5 to 7, "Multi-port Services and LVS" and "Configuring FTP". Its rules are looked for in the
emitted text by patterns of this test's own.
"""

import re
from ipaddress import ip_address, ip_network

import pytest

from support.examples import compiled

VIP, GATEWAY = "192.0.2.10", "10.11.12.10"
DIRECTORS = ("lvs1", "lvs2")
FTP_SERVERS = {"ftp1": "10.11.12.31", "ftp2": "10.11.12.32"}
FILTERS = ("iptables", "nftables")


def file(path: str, host: str = "lvs1", packet_filter: str = "nftables") -> str:
    """The text of one of a host's files."""
    files = compiled("red-hat", None, (packet_filter, "keepalived")).files
    return next(f.artifact.text for f in files if (f.host, f.artifact.path) == (host, path))


def rules(packet_filter: str, host: str = "lvs1") -> str:
    path = {"iptables": "/etc/lvsc/iptables.v4", "nftables": "/etc/lvsc/nftables.nft"}[packet_filter]
    return file(path, host, packet_filter)


def marks(packet_filter: str, host: str) -> dict[str, int]:
    """The mark of each port or range of the virtual address, from rules of the mangle table or an nftables map."""
    text = rules(packet_filter, host)
    found: dict[str, int] = {}
    if packet_filter == "iptables":
        (mangle,) = re.findall(r"^\*mangle$(.*?)^COMMIT$", text, re.MULTILINE | re.DOTALL)
        rule = rf"^-A \S+ -d {VIP}/32 -p tcp -m (?:multiport|tcp) --dports? (\S+) .* --set-x?mark 0x([0-9a-f]+)/0xffffffff$"
        for ports, mark in re.findall(rule, mangle, re.MULTILINE):
            found |= dict.fromkeys(ports.replace(":", "-").split(","), int(mark, 16))
    else:
        element = rf"^\s*{VIP} \. tcp \. ([0-9-]+)\b.*: 0x([0-9a-f]+),$"
        found = {port: int(mark, 16) for port, mark in re.findall(element, text, re.MULTILINE)}
    return found


@pytest.mark.parametrize("host", DIRECTORS)
@pytest.mark.parametrize("packet_filter", FILTERS)
def test_http_and_https_are_bundled_under_mark_80_and_ftp_under_mark_21(
    packet_filter: str, host: str
) -> None:
    assert marks(packet_filter, host) == {"80": 80, "443": 80, "21": 21, "10000-20000": 21}


@pytest.mark.parametrize("packet_filter", FILTERS)
def test_marks_are_set_before_routing(packet_filter: str) -> None:
    if packet_filter == "iptables":
        assert "mangle -A PREROUTING LVSC-MARK\n" in file(
            "/etc/lvsc/iptables.sh", packet_filter=packet_filter
        )
    else:
        chain = (
            r"hook prerouting priority mangle; .*?\n\s*meta mark set ip daddr \. meta l4proto \. th dport map"
        )
        assert re.search(chain, rules(packet_filter), re.DOTALL)


@pytest.mark.parametrize("packet_filter", FILTERS)
def test_active_ftp_leaves_with_the_virtual_address(packet_filter: str) -> None:
    """The manual masquerades source port 20 of the private network, which takes the interface's first address."""
    text = rules(packet_filter)
    if packet_filter == "iptables":
        (nat,) = re.findall(r"^\*nat$(.*?)^COMMIT$", text, re.MULTILINE | re.DOTALL)
        rule = r"^-A \S+ -s (\S+)/32 -p tcp -m tcp --sport 20 .*-j SNAT --to-source (\S+)$"
        found = dict(re.findall(rule, nat, re.MULTILINE))
        assert "nat -I POSTROUTING LVSC-SNAT\n" in file("/etc/lvsc/iptables.sh", packet_filter=packet_filter)
    else:
        found = dict(re.findall(r"^\s*(\S+) \. tcp \. 20\b.*: (\S+),$", text, re.MULTILINE))
        assert re.search(
            r"hook postrouting priority srcnat.*?\n\s*snat ip to ip saddr \. meta l4proto \. th sport map",
            text,
            re.DOTALL,
        )
    assert found == dict.fromkeys(FTP_SERVERS.values(), VIP)
    assert all(ip_address(server) in ip_network("10.11.12.0/24") for server in found)


@pytest.mark.parametrize(
    ("packet_filter", "near", "words"),
    [
        pytest.param("iptables", "SNAT --to-source", ("MASQUERADE", "active"), id="iptables, source NAT"),
        pytest.param("iptables", "CT --helper", ("stateful", "helper"), id="iptables, helper"),
        pytest.param("nftables", "map snat_ip", ("masquerade", "active"), id="nftables, source NAT"),
        pytest.param("nftables", "set helper_", ("stateful", "helper"), id="nftables, helper"),
    ],
)
def test_a_comment_says_why_where_the_rules_are_stronger_than_the_manuals(
    packet_filter: str, near: str, words: tuple[str, ...]
) -> None:
    lines = rules(packet_filter).splitlines()
    first = next(number for number, line in enumerate(lines) if near in line)
    comment = lines[first - 1].strip()
    assert comment.startswith("# ")
    assert [word for word in words if word.lower() not in comment.lower()] == []


def test_the_module_that_reads_ftp_comes_with_it() -> None:
    modules = file("/etc/modules-load.d/lvsc.conf").splitlines()
    assert {"ip_vs", "ip_vs_ftp", "nf_conntrack_ftp"} <= set(modules)


@pytest.mark.parametrize("host", FTP_SERVERS)
def test_each_ftp_server_offers_the_ports_that_are_marked(host: str) -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", file("/etc/lvsc/vsftpd.conf", host), re.MULTILINE))
    assert (settings["pasv_min_port"], settings["pasv_max_port"]) == ("10000", "20000")
    assert settings["connect_from_port_20"] == "YES"


@pytest.mark.parametrize("host", FTP_SERVERS)
def test_the_passive_address_is_the_virtual_one_by_the_directors_doing(host: str) -> None:
    """The manual sets `pasv_address` to it; with ip_vs_ftp on the directors that is done there, as a comment says."""
    text = file("/etc/lvsc/vsftpd.conf", host)
    assert not re.search(r"^pasv_address=.", text, re.MULTILINE)
    assert re.search(r"^# .*pasv_address.*ip_vs_ftp", text, re.MULTILINE)


@pytest.mark.parametrize("host", DIRECTORS)
def test_both_directors_forward(host: str) -> None:
    assert re.search(r"^net\.ipv4\.ip_forward = 1$", file("/etc/sysctl.d/90-lvsc.conf", host), re.MULTILINE)


@pytest.mark.parametrize("host", DIRECTORS)
def test_the_real_servers_gateway_moves_with_the_virtual_address(host: str) -> None:
    text = file("/etc/keepalived/keepalived.conf", host)
    addresses = dict(re.findall(r"^\s*([0-9.]+)/32 dev (\S+)$", text, re.MULTILINE))
    assert addresses == {VIP: "eth0", GATEWAY: "eth1"}
    owners = re.findall(r"^vrrp_instance (\S+) \{", text, re.MULTILINE)
    (group,) = re.findall(r"^vrrp_sync_group \S+ \{\s*group \{([^}]*)\}", text, re.MULTILINE)
    assert sorted(group.split()) == sorted(owners)
    assert len(owners) == 2


@pytest.mark.parametrize("host", DIRECTORS)
@pytest.mark.parametrize(
    ("mark", "servers"), [(80, ["10.11.12.21", "10.11.12.22"]), (21, ["10.11.12.31", "10.11.12.32"])]
)
def test_each_mark_is_a_persistent_service_by_masquerading(host: str, mark: int, servers: list[str]) -> None:
    text = file("/etc/keepalived/keepalived.conf", host)
    (service,) = re.findall(rf"^virtual_server fwmark {mark} \{{$(.*?)^\}}", text, re.MULTILINE | re.DOTALL)
    assert re.search(r"^\s+lvs_sched wlc$", service, re.MULTILINE)
    assert re.search(r"^\s+lvs_method NAT$", service, re.MULTILINE)
    assert re.search(r"^\s+persistence_timeout 300$", service, re.MULTILINE)
    assert re.findall(r"^\s+real_server (\S+) 0 \{$", service, re.MULTILINE) == servers


def test_no_secret_is_needed() -> None:
    assert not [f for f in compiled("red-hat").files if f.artifact.secrets]
