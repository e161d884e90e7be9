"""What the units and steps of loading do to a director that runs: what differs and nothing else, and nothing of others'."""

import re
from collections.abc import Sequence

import pytest

from lvsc.laboratory.kernels import Kernel
from support.specs import Layer

from .clusters import BUNDLE, NAT, servers
from .conftest import Start, Trial, without
from .directors import virtual, weights

pytestmark = pytest.mark.kernel

_LAN: Layer = {
    "check": "none",
    "forwarding": "direct",
    "real_servers": [{"name": "lan1", "ip": ["192.0.2.21", "2001:db8:2::21"]}],
}
#: Rules of every kind that lvsc has: marks, source NAT and exemptions from tracking.
CLUSTER: Layer = {
    "pools": {"lan": _LAN},
    "services": {
        "plain": {"address": "www", "pool": "web", "ports": ["tcp/8080"], "scheduler": "wrr"},
        "full": {"address": "www", "pool": "web", "ports": ["tcp/8081"], "source_nat": True},
        "lan": {"address": "www", "pool": "lan", "ports": ["tcp/8082"]},
    },
}
MORE: Layer = {"services": {"more": {"address": "www", "pool": "web", "ports": ["tcp/8083"]}}}
IPTABLES_IPVSADM = ("iptables", "ipvsadm")
NFTABLES_KEEPALIVED = ("nftables", "keepalived")

#: What the operator has, as the programs print it: rules in every table and hook that lvsc has some in, and an address.
IPTABLES = """*raw
:OWN - [0:0]
-A PREROUTING -i eth9 -j OWN
-A PREROUTING -i eth9 -j CT --notrack
COMMIT
*mangle
-A PREROUTING -i eth9 -p tcp -m tcp --dport 22 -j MARK --set-xmark 0x7/0xffffffff
COMMIT
*nat
-A POSTROUTING -o eth9 -j MASQUERADE
COMMIT
*filter
:OWN - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "service of our own" -j ACCEPT
-A INPUT -i eth9 -j OWN
COMMIT
"""
NFTABLES = """table inet own {
	set ours {
		type inet_service
		elements = { 22, 2222 }
	}

	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport @ours accept
	}

	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
		iifname "eth9" meta mark set 0x00000007
	}
}
table ip nat {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "eth9" masquerade
	}
}
"""
ADDRESS = "192.0.2.77"


def with_own_rules(site: Trial) -> None:
    """Have the director begin with rules and an address of its operator's."""
    site.run("lvs1", "ip", "addr", "add", f"{ADDRESS}/24", "dev", "eth0")
    if "nftables" in site.backends:
        site.run("lvs1", "nft", "-f", "-", stdin=NFTABLES)
    else:
        for command in ("iptables-restore", "ip6tables-restore"):
            site.run("lvs1", command, stdin=IPTABLES)


#: Both rows, and the same where the slow one says again what tests of keepalived and of unloading say.
BOTH = pytest.mark.parametrize("backends", [IPTABLES_IPVSADM, NFTABLES_KEEPALIVED], ids="-".join)
QUICK = pytest.mark.parametrize(
    "backends",
    [IPTABLES_IPVSADM, pytest.param(NFTABLES_KEEPALIVED, marks=pytest.mark.full)],
    ids="-".join,
)


@pytest.fixture
def site(trial: Start, backends: tuple[str, str]) -> Trial:
    """A director with rules of its operator's, loaded with what the trial began with."""
    found = trial(NAT, BUNDLE, CLUSTER, backends=backends, before=with_own_rules, shared=True)
    found.until(lambda: balanced(found), "everything answers")
    return found


@QUICK
def test_doing_everything_again_changes_nothing(site: Trial) -> None:
    before = state(site)
    for _ in range(2):
        assert [done for done in site.load("lvs1") if not done.quiet] == []
        site.becomes(lambda: state(site), before)
    for unit in units(site):
        for verb in ("reload", "restart"):
            control(site, verb, unit)
            site.becomes(lambda: state(site), before)
    assert balanced(site)


@QUICK
def test_removing_a_service_removes_only_it_and_bringing_it_back_only_adds_it(site: Trial) -> None:
    before = state(site)
    assert about_web(site)
    held = str(site.hold("plain", 8080))
    site.rebuild({"services": {"web": None}})
    site.until(lambda: "80" not in weights(site), "the service is gone")
    assert site.tally(80, 443) == {"refused": 2}
    assert about_web(site) == []
    assert others(rules(site)) == others(before["rules"])
    assert str(site.say("plain")) == held
    assert answers(site, 8080, 8081, 8082)

    site.rebuild()
    site.becomes(lambda: state(site), before)
    assert str(site.say("plain")) == held
    site.close("plain")


@QUICK
def test_established_connections_live_while_the_table_changes_around_them(site: Trial) -> None:
    before = state(site)
    held = {str(number): str(site.hold(str(number), 8080)) for number in range(6)}
    assert set(held.values()) == {"web1", "web2", "web3"}
    site.rebuild(MORE, servers(NAT, web3={"weight": 7}))
    changed = {"web1": 3, "web2": 2, "web3": 7}
    site.becomes(lambda: [weights(site).get(f"192.0.2.10:{n}", {}) for n in (8080, 8083)], [changed, changed])
    assert {name: str(site.say(name)) for name in held} == held
    assert site.tally(8080, clients=12) == changed
    assert answers(site, 8083)

    site.rebuild()
    site.becomes(lambda: state(site), before)
    assert {name: str(site.say(name)) for name in held} == held


@BOTH
def test_unloading_leaves_nothing_of_lvscs_and_everything_of_others(site: Trial) -> None:
    before = state(site)
    assert [done for done in site.unload("lvs1") if not done.quiet] == []
    assert virtual(site, "lvs1") == set()
    assert site.table() == ""
    own = rules(site)
    assert own == others(own) == others(before["rules"])
    for printed in (NFTABLES,) if "nftables" in site.backends else (IPTABLES, IPTABLES):
        assert set(printed.replace(" [0:0]", "").splitlines()) <= set(own)
    assert ADDRESS in site.run("lvs1", "ip", "addr")

    assert [done for done in site.load("lvs1") if not done.quiet] == []
    site.becomes(lambda: state(site), before)
    site.until(lambda: balanced(site), "everything answers again")


WIPES = [
    pytest.param("nftables", NFTABLES_KEEPALIVED, id="nftables"),
    pytest.param("iptables", IPTABLES_IPVSADM, id="iptables", marks=pytest.mark.full),
]


@pytest.mark.parametrize(("packet_filter", "backends"), WIPES)
def test_marks_come_back_when_the_distribution_flushes_the_ruleset(
    trial: Start, packet_filter: str, backends: tuple[str, str]
) -> None:
    before = with_own_rules if packet_filter == "nftables" else None
    site = trial(NAT, BUNDLE, CLUSTER, backends=backends, kernel=Kernel.QEMU, before=before, shared=True)
    site.until(lambda: balanced(site), "everything answers")
    for verbs in (("start",), ("reload",), ("restart",), ("stop", "start")):
        for verb in verbs:
            control(site, verb, "nftables.service")
        assert about_web(site), verbs
        assert balanced(site), verbs

    # What ties the units together is what brings the marks back.
    site.rewrite(
        "lvs1",
        (f"lvsc-{packet_filter}.service", without("nftables.service")),
        (f"nftables.service.d/lvsc-{packet_filter}.conf", without("ExecStartPost")),
    )
    control(site, "restart", "nftables.service")
    assert site.tally(80, 443) == {"refused": 2}


def state(site: Trial) -> dict[str, list[str]]:
    """What a director's kernel holds."""
    return {
        "rules": rules(site),
        "table": sorted(site.table().splitlines()),
        "addresses": site.run("lvs1", "ip", "-o", "addr").splitlines(),
        "settings": site.run("lvs1", "sysctl", "net.ipv4.vs", "net.ipv4.ip_forward").splitlines(),
    }


def rules(site: Trial) -> list[str]:
    """The packet filter's rules as the programs print them, without counters and the time of day."""
    if "nftables" in site.backends:
        return site.run("lvs1", "nft", "--stateless", "list", "ruleset").splitlines()
    saved = [site.run("lvs1", program) for program in ("iptables-save", "ip6tables-save")]
    return [re.sub(r" \[\d+:\d+\]", "", line) for line in "".join(saved).splitlines() if line[0] != "#"]


def others(printed: Sequence[str]) -> list[str]:
    """The rules that are not in lvsc's table or chains, nor jumps to these."""
    text = re.sub(r"(?ms)^table inet lvsc \{$.*?^\}\n", "", "\n".join([*printed, ""]))
    return [line for line in text.splitlines() if "LVSC-" not in line]


def about_web(site: Trial) -> list[str]:
    """The rules of the bundle."""
    return [line for line in rules(site) if '"service web"' in line]


def balanced(site: Trial) -> bool:
    """Whether every service answers."""
    return answers(site, 80, 443, 8080, 8081, 8082)


def answers(site: Trial, *ports: int) -> bool:
    """Whether somebody answers at each port."""
    return all(answer.server for answer in site.get(*ports))


def units(site: Trial) -> list[str]:
    """The director's units that lvsc makes, or whose configuration it does."""
    steps = site.manifest["hosts"]["lvs1"]["load"]
    return [step["unit"] for step in steps if step["enable"]]


def control(site: Trial, verb: str, unit: str) -> None:
    """Have systemctl do something."""
    (done,) = site.commands("lvs1", [("/bin/systemctl", verb, unit)])
    assert done.quiet, done
