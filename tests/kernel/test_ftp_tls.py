"""FTP over TLS by NAT: nothing reads the control connection, so rules, range and vsftpd's settings carry it alone.

What lvsc refuses of it is made of what it accepts, and the transfers fail.
"""

from contextlib import ExitStack

import pytest

from lvsc.graph.traffic import Family
from support.ftp import RANGE
from support.specs import Layer, merged

from .conftest import Edit, Start, Trial, without
from .firewall import by_iptables, by_nftables
from .ftp import (
    ACTIVE,
    ALL,
    BASE,
    CHECKING,
    PASSIVE,
    Clients,
    by_iptables_rules,
    edited,
    ftp,
    in_rules,
    speak_tls,
    v4,
    v6,
)

pytestmark = pytest.mark.kernel

#: A service for each family: lvsc refuses both at one vsftpd.
CLUSTER: Layer = merged(
    BASE,
    {"cluster": {"firewall": "stateful"}},
    ftp("tls", 1, families=[Family.IPV4], tls=True, passive_ports=RANGE),
    ftp("tls6", 2, families=[Family.IPV6], tls=True, passive_ports=RANGE),
)
#: With lvsc's own accepts, which no table of nftables can have (NFT001).
ACCEPTING: Layer = {"cluster": {"accept": True}}
#: What to change on the director, and who then gets no file.
NEEDED: dict[str, tuple[tuple[Edit, ...], str]] = {
    "marks": (by_iptables_rules(without("-j MARK")), ALL),
    "source NAT": (by_iptables_rules(without("-j SNAT")), ACTIVE),
    "source NAT to the virtual address": (
        by_iptables_rules(in_rules("-j SNAT", r"SNAT --to-source \S+", "MASQUERADE")),
        CHECKING,
    ),
    "accept of active data": (by_iptables_rules(without("-A LVSC-FORWARD", "--sport 20 ")), ACTIVE),
    "accept of answers to active data": (
        by_iptables_rules(without("-A LVSC-FORWARD", "--dport 20 ")),
        ACTIVE,
    ),
    "accept of passive data": (by_iptables_rules(in_rules("-A LVSC-INPUT", ",10000:20000", "")), PASSIVE),
    "accept of answers to passive data": (
        by_iptables_rules(in_rules("-A LVSC-FORWARD", ",10000:20000", "")),
        PASSIVE,
    ),
    # What lvsc refuses as FTP002: a service without a range.
    "passive range": (by_iptables_rules(in_rules("-j MARK", ",10000:20000", "")), PASSIVE),
}

#: The same in nftables, but for the accepts, which are the operator's.
NEEDED_IN_NFTABLES: dict[str, tuple[Edit, str]] = {
    "marks": (("nftables.nft", without("meta mark set")), ALL),
    "source NAT": (("nftables.nft", without("snat ip")), ACTIVE),
    "source NAT to the virtual address": (
        ("nftables.nft", in_rules("\tsnat ip", r"snat ip.*", "meta l4proto tcp th sport 20 masquerade")),
        CHECKING,
    ),
    "passive range": (("nftables.nft", without("tcp . 10000-20000")), PASSIVE),
}


def swapped(text: str) -> str:
    """An edit that has vsftpd listen for both families."""
    return text.replace("listen=YES\nlisten_ipv6=NO", "listen=NO\nlisten_ipv6=YES")


#: What to change in vsftpd's settings, and who then gets no file.
SETTINGS = {
    "the virtual address in the 227 reply": (without("pasv_address"), "strict"),
    # FTP005 and FTP007: vsftpd has the range of another service, or of its operator.
    "the range": (in_rules("pasv_m", "=[0-9]+", "=30000"), PASSIVE),
    # FTP008: both families at one vsftpd.
    "one family": (swapped, "strict"),
}
#: A second address of the IPv4 service.
SECOND = "192.0.2.120"


def doubled(text: str) -> str:
    """An edit that lets in and marks for the second address what it does for the first."""
    return "".join(
        line + line.replace("192.0.2.101", SECOND) if "-d 192.0.2.101" in line else line
        for line in text.splitlines(keepends=True)
    )


def prepared(site: Trial) -> None:
    """The operator's part: vsftpd's TLS, and a firewall that accepts nothing new itself."""
    speak_tls(site, "tls1", "tls2", "tls61", "tls62")
    by_iptables(site)


def prepared_in_nftables(site: Trial) -> None:
    """The same, where the operator's firewall has all the accepts."""
    speak_tls(site, "tls1", "tls2", "tls61", "tls62")
    by_nftables(site)


def failing(kinds: str) -> dict[str, str]:
    return {name: own for name, own in (("tls", v4(kinds)), ("tls6", v6(kinds))) if own}


def test_every_client_is_served_until_a_rule_is_missing(trial: Start) -> None:
    site = trial(CLUSTER, ACCEPTING, before=prepared, shared=True)
    clients = Clients(site)
    assert clients.failures("tls", "tls6", tls=True) == {}, clients.said
    for what, (edits, kinds) in NEEDED.items():
        with edited(site, "lvs1", *edits):
            assert clients.failures(doomed=failing(kinds), tls=True) == failing(kinds), (what, clients.said)
    with edited(site, "lvs1", ("ipvsadm.rules", in_rules("-A ", " -p 300", ""))):
        # Alone, so that the turn of the other server comes with the data connection.
        alone = {Family.IPV4: ["passive"]}
        assert clients.failures(doomed={"tls": "passive"}, modes=alone, tls=True) == {"tls": "passive"}


@pytest.mark.full
def test_every_client_is_served_until_a_rule_is_missing_in_nftables(trial: Start) -> None:
    site = trial(CLUSTER, backends=("nftables", "ipvsadm"), before=prepared_in_nftables)
    clients = Clients(site)
    assert clients.failures("tls", "tls6", tls=True) == {}, clients.said
    for what, (edit, kinds) in NEEDED_IN_NFTABLES.items():
        with edited(site, "lvs1", edit):
            assert clients.failures(doomed=failing(kinds), tls=True) == failing(kinds), (what, clients.said)


@pytest.mark.full
def test_every_client_is_served_until_a_setting_of_vsftpd_is_missing(trial: Start) -> None:
    site = trial(CLUSTER, ACCEPTING, before=prepared, shared=True)
    clients = Clients(site, after=10)
    for what, (change, kinds) in SETTINGS.items():
        with ExitStack() as stack:
            for host in ("tls1", "tls2"):
                stack.enter_context(edited(site, host, ("lvsc/vsftpd.conf", change)))
            lost = {"tls": v4(kinds)}
            assert clients.failures(doomed=lost, tls=True) == lost, (what, clients.said)


@pytest.mark.full
def test_active_data_cannot_come_from_two_addresses(trial: Start) -> None:
    """FTP003, one service at two addresses, and LVS413, two services with the same servers."""
    site = trial(CLUSTER, ACCEPTING, before=prepared, shared=True)
    clients = Clients(site, after=20)
    site.run("lvs1", "ip", "addr", "add", f"{SECOND}/32", "dev", "eth0")
    with edited(site, "lvs1", ("iptables.v4", doubled)):
        assert clients.failures("tls", tls=True) == {}, clients.said
        lost = {"tls": v4(CHECKING)}
        assert clients.failures(doomed=lost, at=SECOND, tls=True) == lost, clients.said
    with edited(site, "lvs1", ("iptables.v4", lambda text: doubled(without("-j SNAT")(text)))):
        lost = {"tls": v4(ACTIVE)}
        for ip in ("", SECOND):
            assert clients.failures(doomed=lost, at=ip, tls=True) == lost, clients.said


@pytest.mark.full
def test_a_director_that_reads_ftp_misleads_clients_that_do_not_encrypt(trial: Start) -> None:
    """FTP009: ip_vs_ftp is there for another service at the same control port."""
    site = trial(CLUSTER, ACCEPTING, before=prepared, shared=True)
    clients = Clients(site, after=24)
    site.run("lvs1", "modprobe", "ip_vs_ftp")
    # What the module carries of active ones, too, meets INPUT and not FORWARD, where lvsc lets only known data in.
    lost = {"tls": "active checking eprt passive strict"}
    assert clients.failures(doomed=lost) == lost, clients.said
    assert clients.failures("tls", "tls6", tls=True) == {}, clients.said
