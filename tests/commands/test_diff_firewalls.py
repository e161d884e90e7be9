"""A director with a firewall of its own, as the programs themselves print it, compared with its spec."""

import os
import shutil
import subprocess

import pytest

from support.cli import Project
from support.specs import DIRECT, PAIR, Layer, spec

BUNDLE: Layer = {
    "pools": {"web": {"check": "none"}},
    "services": {"web": {"ports": ["tcp/80", "tcp/443"], "mark": 80, "persistence": "5m"}},
}
ACCEPT: Layer = {"cluster": {"firewall": "stateful", "accept": True}}
FILTER, SERVICE, SOURCE_NAT = (
    "which packets get through",
    "which virtual service packets find",
    "whose source address is replaced",
)

HOST = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 10/sec -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 10.0.0.0/8 -p udp -m udp --dport 161 -j ACCEPT
-A INPUT -p tcp -m multiport --dports 135,139,445 -j DROP
-A INPUT -m limit --limit 3/min -j LOG --log-prefix "dropped: "
COMMIT
"""
INVALID = "-A INPUT -m conntrack --ctstate INVALID -j DROP"
HOST_WITH_ERRORS = HOST.replace(INVALID, f"-A INPUT -p icmp -j ACCEPT\n{INVALID}")
OPENED = HOST_WITH_ERRORS.replace(
    INVALID, f"-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT\n{INVALID}"
)
DOCKER = """\
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
"""
#: Red Hat's, before firewalld.
REJECTING = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
"""
UFW = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-before-input - [0:0]
:ufw-not-local - [0:0]
:ufw-skip-to-policy-input - [0:0]
:ufw-after-input - [0:0]
:ufw-user-input - [0:0]
-A INPUT -j ufw-before-input
-A INPUT -j ufw-after-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -j ufw-user-input
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN
-A ufw-not-local -j DROP
-A ufw-after-input -p udp -m udp --dport 137 -j ufw-skip-to-policy-input
-A ufw-skip-to-policy-input -j DROP
-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
FIREWALLD = """\
table inet firewalld {
    chain mangle_PREROUTING {
        type filter hook prerouting priority -140; policy accept;
        jump mangle_PREROUTING_ZONES
    }
    chain mangle_PREROUTING_ZONES {
        goto mangle_PRE_public
    }
    chain mangle_PRE_public {
    }
    chain filter_INPUT {
        type filter hook input priority 10; policy accept;
        ct state { established, related } accept
        ct status dnat accept
        iifname "lo" accept
        jump filter_INPUT_ZONES
        ct state invalid drop
        reject with icmpx type admin-prohibited
    }
    chain filter_INPUT_ZONES {
        goto filter_IN_public
    }
    chain filter_IN_public {
        jump filter_IN_public_allow
        meta l4proto { icmp, ipv6-icmp } accept
    }
    chain filter_IN_public_allow {
        tcp dport 22 accept
        ip6 daddr fe80::/64 udp dport 546 accept
    }
    chain filter_FORWARD {
        type filter hook forward priority 10; policy accept;
        ct state { established, related } accept
        ct state invalid drop
        reject with icmpx type admin-prohibited
    }
}
"""
RULES = "iptables.v4"


def live(project: Project, text: str, *layers: Layer, save: str = "") -> dict[str, set[str]]:
    """What a comparison of the spec with the director that has a firewall leaves open; nothing differs."""
    nft = text.startswith("table")
    needed = ["unshare", "nft"] if nft else ["unshare", "iptables-nft", "iptables-nft-restore"]
    missing = [program for program in needed if shutil.which(program) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root, and {', '.join(missing) or 'nothing else'}")
    backend = "nftables" if nft else "iptables"
    project.write("cluster.toml", spec(BUNDLE, *layers))
    assert project.lvsc("build", "cluster.toml", "--backend", backend).code == 0
    project.write("firewall", text)
    etc = project.root / "build/shop/lvs1/etc/lvsc"
    if nft:
        script = f"nft -f firewall; nft -f {etc}/nftables.nft; nft {save} list ruleset"
    else:
        start = (etc / "iptables.sh").read_text(encoding="utf-8")
        start = start.replace("/etc/lvsc/", f"{etc}/").replace("/usr/sbin/iptables", "iptables-nft")
        project.write("start.sh", start)
        script = "iptables-nft-restore <firewall; sh start.sh start; iptables-nft-save"
    done = subprocess.run(
        ["unshare", "-n", "sh", "-euc", script],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XTABLES_LOCKFILE": str(project.root / "lock")},
    )
    assert (done.returncode, done.stderr) == (0, "")
    project.write("dump", done.stdout)
    words = ("diff", "cluster.toml", "dump", "--backend", backend, "--host", "lvs1", "--format", "json")
    document = project.lvsc(*words).fits("diff")
    assert document["packets"] == []
    found: dict[str, set[str]] = {}
    for unknown in document["unknown"]:
        found.setdefault(unknown["aspect"], set()).add(unknown["fragment"])
    return found


def test_a_usual_firewall_behind_lvscs_own_accepts(project: Project) -> None:
    assert live(project, HOST, DIRECT, ACCEPT) == {}


def test_a_usual_firewall_that_lets_the_service_in_by_itself(project: Project) -> None:
    assert live(project, OPENED, DIRECT) == {}


def test_a_usual_firewall_that_nothing_opens(project: Project) -> None:
    assert live(project, HOST, DIRECT) == {FILTER: {":INPUT DROP", INVALID}}


def test_a_usual_firewall_that_forwards_no_answers_of_real_servers(project: Project) -> None:
    assert live(project, OPENED) == {FILTER: {":FORWARD DROP"}}
    answers = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT"
    assert live(project, OPENED.replace("COMMIT", answers)) == {}


def test_a_firewall_that_lets_nothing_in_behind_lvscs_own_accepts(project: Project) -> None:
    closed = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    checked: Layer = {"pools": {"web": {"check": {"type": "tcp", "port": 80}}}}
    sync: Layer = {"connection_sync": {"network": "lan", "id": 1}}
    for layers in ((), (checked,), (PAIR,), (PAIR, sync, checked)):
        assert live(project, closed, ACCEPT, *layers) == {}
        assert FILTER in live(project, closed, *layers)


def test_one_that_rejects_at_its_end(project: Project) -> None:
    assert live(project, REJECTING, DIRECT, ACCEPT) == {}
    assert live(project, REJECTING, DIRECT) == {
        FILTER: {"-A INPUT -j REJECT --reject-with icmp-host-prohibited"}
    }


def test_containers_beside_the_service(project: Project) -> None:
    masquerade = "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"
    assert live(project, DOCKER, DIRECT) == {SOURCE_NAT: {masquerade}}
    # Real servers that are reached by NAT answer through FORWARD.
    by_nat = live(project, DOCKER)
    assert by_nat.keys() == {SOURCE_NAT, FILTER}
    assert ":FORWARD DROP" in by_nat[FILTER]


def test_a_container_on_the_services_port(project: Project) -> None:
    published = DOCKER.replace("--dport 8080", "--dport 443")
    assert live(project, published, DIRECT)[SERVICE] == {
        "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 172.17.0.2:80"
    }


def test_ufw(project: Project) -> None:
    assert live(project, UFW, DIRECT, ACCEPT) == {}
    assert "-A ufw-not-local -j DROP" in live(project, UFW, DIRECT)[FILTER]
    assert ":INPUT DROP" in live(project, UFW, DIRECT)[FILTER]


@pytest.mark.parametrize("save", ["", "-j"])
def test_firewalld(save: str, project: Project) -> None:
    found = live(project, FIREWALLD, DIRECT, save=save)
    assert found.keys() == {FILTER}
    assert any("reject" in fragment for fragment in found[FILTER])
    opened = FIREWALLD.replace("tcp dport 22 accept", "tcp dport { 22, 80, 443 } accept")
    direct = opened.replace("goto filter_IN_public", "jump filter_IN_public")
    assert live(project, direct, DIRECT, save=save) == {}
