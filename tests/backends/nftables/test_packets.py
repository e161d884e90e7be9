"""Real packets, on the kernel of the machine that runs the tests: marks set, helpers assigned, sources replaced."""

import json
import shutil

import pytest

from lvsc.plugin import Hook, Protocol
from support.nodes import helper, marking, no_track, source_nat, traffic

from .cases import TARGETS, VIP, VIP6
from .conftest import Emit, InNamespace

#: A director `here` and a client beyond a veth pair; the client is 192.0.2.1 with the MAC address 02:00:00:00:00:01.
NETWORK = """
ip link set lo up
unshare -n sleep 60 &
client=$!
trap 'kill $client' EXIT
until [ "$(readlink /proc/$client/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
there() { nsenter -t $client -n "$@"; }
ip link add here type veth peer name there address 02:00:00:00:00:01 netns /proc/$client/ns/net
there ip link set lo up
there ip link set there up
ip link set here up
there ip address add 192.0.2.1/24 dev there
there ip address add 2001:db8::1/64 dev there nodad
ip address add 192.0.2.10/24 dev here
ip address add 192.0.2.12/24 dev here
ip address add 192.0.2.99/24 dev here
ip address add 2001:db8::10/64 dev here nodad
# Until the kernel has taken note that both ends are up, what is sent is lost.
for where in "ip link show here" "there ip link show there"; do
    until $where | grep -q 'state UP'; do sleep 0.02; done
done
arrived() { until nft list counter inet probe datagrams | grep -q "packets $1 "; do sleep 0.02; done; }
"""
SEND = """
import socket, sys
for word in sys.argv[1:]:
    kind, address, port = word.split(",")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if kind == "udp":
        socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (address, int(port)))
    else:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(30)
        connection.connect_ex((address, int(port)))
"""
LISTEN = """
import select, socket, sys
address, *ports = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
dual = family == socket.AF_INET6
listeners = [
    socket.create_server((address, int(port)), family=family, dualstack_ipv6=dual) for port in ports
]
print("listening", flush=True)
kept = []
while True:
    for listener in select.select(listeners, [], [])[0]:
        connection, client = listener.accept()
        kept.append(connection)
        print(client[0], flush=True)
"""


def probe(*matches: str) -> str:
    """A ruleset that counts the packets of each match at input, and before that all datagrams."""
    rules = "".join(f'\t\t{match} counter comment "{number}"\n' for number, match in enumerate(matches))
    head = "type filter hook input priority 0; policy accept;\n\t\tmeta l4proto udp counter name datagrams"
    return (
        f"table inet probe {{\n\tcounter datagrams {{\n\t}}\n\tchain input {{\n\t\t{head}\n{rules}\t}}\n}}\n"
    )


def counts(listed: str) -> list[int]:
    """The packets that each match of the probe saw, in order."""
    found = {}
    for entry in json.loads(listed)["nftables"]:
        if "rule" in entry:
            (counter,) = (part["counter"] for part in entry["rule"]["expr"] if "counter" in part)
            if "comment" in entry["rule"]:  # the other one names a counter
                found[int(entry["rule"]["comment"])] = counter["packets"]
    return [found[number] for number in sorted(found)]


@pytest.mark.parametrize("target", TARGETS)
def test_marks_are_set(target: str, ruleset: Emit, in_namespace: InNamespace) -> None:
    nodes = [
        marking(traffic(dst=VIP, dport="80", protocol=Protocol.UDP)),
        marking(traffic(dst=VIP, dport="443", protocol=Protocol.UDP)),
        marking(traffic(dst=VIP, dport="10000-20000", protocol=Protocol.UDP), 21, "files"),
        marking(traffic(dst=VIP6, dport="80", protocol=Protocol.UDP)),
    ]
    sent = [*((VIP, port) for port in (79, 80, 81, 443, 9999, 10000, 20000, 20001)), (VIP6, 80), (VIP6, 443)]
    script = f"""{NETWORK}
        nft -f probe.nft
        nft -f lvsc.nft
        there python3 send.py {" ".join(f"udp,{address},{port}" for address, port in sent)}
        arrived {len(sent)}
        nft -j list table inet probe"""
    listed = in_namespace(
        script,
        **{
            "lvsc.nft": ruleset(nodes, target),
            "probe.nft": probe(
                "meta l4proto udp ip daddr 192.0.2.10 meta mark 80",
                "meta l4proto udp meta mark 21",
                "meta l4proto udp ip6 daddr 2001:db8::10 meta mark 80",
                "meta l4proto udp meta mark 0",
            ),
            "send.py": SEND,
        },
    )
    assert counts(listed) == [2, 2, 1, 5]


def test_a_mark_spares_the_peer_but_not_a_packet_without_an_ethernet_header(
    ruleset: Emit, in_namespace: InNamespace
) -> None:
    peer, other = "02:00:00:00:00:01", "02:00:00:00:00:02"
    udp = Protocol.UDP
    nodes = [
        marking(traffic(dst=VIP, dport="80", protocol=udp, not_macs=(peer,))),
        marking(traffic(dst="192.0.2.12", dport="80", protocol=udp, not_macs=(other,)), 81, "other"),
    ]
    script = f"""{NETWORK}
        nft -f probe.nft
        nft -f lvsc.nft
        there python3 send.py udp,{VIP},80 udp,192.0.2.12,80
        python3 send.py udp,{VIP},80
        arrived 3
        nft -j list table inet probe"""
    listed = in_namespace(
        script,
        **{
            "lvsc.nft": ruleset(nodes),
            "probe.nft": probe(
                'iifname "here" udp dport 80 ip daddr 192.0.2.10 meta mark 80',
                'iifname "here" udp dport 80 ip daddr 192.0.2.10 meta mark 0',
                "udp dport 80 meta mark 81",
                'iifname "lo" udp dport 80 meta mark 80',
            ),
            "send.py": SEND,
        },
    )
    assert counts(listed) == [0, 1, 1, 1]


def test_packets_pass_connection_tracking_by(ruleset: Emit, in_namespace: InNamespace) -> None:
    udp = Protocol.UDP
    nodes = [
        no_track(traffic(dst=VIP, dport="80", protocol=udp)),
        no_track(traffic(dst=VIP6, dport="80-90", protocol=udp)),
    ]
    script = f"""{NETWORK}
        nft -f probe.nft
        nft -f lvsc.nft
        there python3 send.py udp,{VIP},80 udp,{VIP},81 udp,{VIP6},85
        arrived 3
        nft -j list table inet probe"""
    listed = in_namespace(
        script,
        **{
            "lvsc.nft": ruleset(nodes),
            "probe.nft": probe(
                "ip daddr 192.0.2.10 meta l4proto udp ct state untracked",
                "ip daddr 192.0.2.10 meta l4proto udp ct state new",
                "ip6 daddr 2001:db8::10 meta l4proto udp ct state untracked",
            ),
            "send.py": SEND,
        },
    )
    assert counts(listed) == [1, 1, 1]


@pytest.mark.parametrize(
    ("priority", "assigned"),
    [pytest.param("mangle", True, id="mangle"), pytest.param("raw", False, id="raw, where it would be lost")],
)
def test_helpers_are_assigned_at_the_chain_s_priority(
    priority: str, assigned: bool, ruleset: Emit, in_namespace: InNamespace
) -> None:
    if shutil.which("conntrack") is None:
        pytest.skip("`conntrack` is not installed")
    text = ruleset([helper(traffic(dst=VIP, dport="21")), helper(traffic(dst=VIP6, dport="21"))])
    assert "priority mangle;" in text
    # The probe starts connection tracking. Its own `ct helper` would not do: it matches a helper's expected connections.
    script = f"""{NETWORK}
        : > heard
        python3 listen.py :: 21 22 >> heard &
        listener=$!
        trap 'kill $client $listener' EXIT
        until grep -q listening heard; do sleep 0.02; done
        nft -f probe.nft
        nft -f lvsc.nft
        there python3 send.py tcp,{VIP},21 tcp,{VIP},22 tcp,{VIP6},21
        conntrack -f ipv4 -L 2> seen
        conntrack -f ipv6 -L 2> seen"""
    listed = in_namespace(
        script,
        **{
            "lvsc.nft": text.replace("priority mangle;", f"priority {priority};"),
            "probe.nft": probe("ct state new"),
            "send.py": SEND,
            "listen.py": LISTEN,
        },
    )
    helped = {
        (VIP if f"dst={VIP} " in line else VIP6, "dport=21 " in line): "helper=ftp" in line
        for line in listed.splitlines()
    }
    assert helped == {(VIP, True): assigned, (VIP, False): False, (VIP6, True): assigned}


MASQUERADE = """
table inet distribution {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		masquerade
	}
}
"""
#: What IPVS does to a packet's destination, done by netfilter: the original destination is the virtual address.
BALANCE = """
table ip balance {
	chain output {
		type nat hook output priority -100; policy accept;
		ip daddr 198.51.100.80 tcp dport 8000-8999 dnat to 192.0.2.1:80
	}
}
"""


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("order", [("lvsc", "masquerade"), ("masquerade", "lvsc")], ids="-".join)
def test_sources_are_replaced_whatever_the_distribution_masquerades(
    target: str, order: tuple[str, str], ruleset: Emit, in_namespace: InNamespace
) -> None:
    out = Hook.POSTROUTING
    nodes = [
        source_nat(
            traffic(out, original_dst="198.51.100.80", original_dport="8080", dst="192.0.2.1"), "192.0.2.99"
        ),
        source_nat(traffic(out, original_dst="198.51.100.80", original_dport="8500-8600"), "192.0.2.12"),
        source_nat(traffic(out, src="192.0.2.0/24", sport="20"), "192.0.2.12", "active"),
    ]
    script = f"""{NETWORK}
        ip route add 198.51.100.80 via 192.0.2.1
        : > heard
        nsenter -t $client -n python3 listen.py 192.0.2.1 80 >> heard &
        listener=$!
        trap 'kill $client $listener' EXIT
        until grep -q listening heard; do sleep 0.02; done
        nft -f balance.nft
        nft -f {order[0]}.nft
        nft -f {order[1]}.nft
        python3 send.py tcp,198.51.100.80,8080 tcp,198.51.100.80,8550 tcp,198.51.100.80,8700
        python3 active.py
        until [ $(wc -l < heard) -ge 5 ]; do sleep 0.02; done
        cat heard"""
    heard = in_namespace(
        script,
        **{
            "lvsc.nft": ruleset(nodes, target),
            "masquerade.nft": MASQUERADE,
            "balance.nft": BALANCE,
            "send.py": SEND,
            "active.py": (
                "import socket\n"
                "socket.create_connection(('192.0.2.1', 80), source_address=('192.0.2.10', 20), timeout=30)\n"
            ),
            "listen.py": LISTEN,
        },
    )
    # The third has no rule of lvsc's: the masquerade takes the interface's first address.
    assert heard.split() == ["listening", "192.0.2.99", "192.0.2.12", "192.0.2.10", "192.0.2.12"]
