from itertools import product

import pytest

from lvsc.plugin import Feature
from lvsc_host.backend import Host
from lvsc_host.tunnels import parts
from support import guest

from .conftest import Emit, Make

KINDS = list(product(("ipip", "gre", "gue"), (4, 6), (4, 6)))
#: What lowering has to add for the devices to be there.
MODULES = ("ipip", "sit", "ip_gre", "ip6_gre", "ip6_tunnel", "fou")


@pytest.mark.parametrize(
    ("kind", "inner", "outer", "expected"),
    [
        ("ipip", 4, 4, ["device tunl0"]),
        ("ipip", 6, 4, ["device sit0"]),
        ("ipip", 4, 6, ["ip6tnl0 any", "device ip6tnl0"]),
        ("ipip", 6, 6, ["device ip6tnl0"]),
        ("gre", 4, 4, ["device gre0"]),
        ("gre", 6, 4, ["device gre0"]),
        ("gre", 4, 6, ["device ip6gre0"]),
        ("gre", 6, 6, ["device ip6gre0"]),
        ("gue", 4, 4, ["gue 5555", "device tunl0"]),
        ("gue", 6, 4, ["gue 5555", "device sit0"]),
        ("gue", 4, 6, ["gue6 5555", "ip6tnl0 any", "device ip6tnl0"]),
        ("gue", 6, 6, ["gue6 5555", "device ip6tnl0"]),
    ],
)
def test_each_tunnel_has_its_device(
    kind: str, inner: int, outer: int, expected: list[str], make: Make
) -> None:
    assert list(parts(make.tunnel(kind, inner, outer, 5555 if kind == "gue" else None))) == expected


def test_only_gue_needs_fou(make: Make) -> None:
    assert list(Host().needs(make.tunnel("gue", port=5555))) == [Feature.KERNEL_FOU]
    assert list(Host().needs(make.tunnel("ipip"))) == []
    assert list(Host().needs(make.module("fou"))) == []


#: Answers datagrams to the virtual addresses.
SERVER = """
import socket
for family, address in ((socket.AF_INET, "10.9.9.9"), (socket.AF_INET6, "fd09::9")):
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((address, 7))
    if not __import__("os").fork():
        while True:
            data, client = server.recvfrom(100)
            server.sendto(data, client)
"""
CLIENT = """
import socket, sys
inner = int(sys.argv[1])
client = socket.socket(socket.AF_INET if inner == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
client.settimeout(2)
client.sendto(b"hello", ("10.9.9.9" if inner == 4 else "fd09::9", 7))
try:
    print(client.recv(100).decode())
except TimeoutError:
    print("no answer")
"""
GUEST = """
set -e
for module in veth ip_vs ip_vs_rr $MODULES; do $MODPROBE $module; done
ip netns add director; ip netns add server
ip link add eth0 netns director type veth peer name eth0 netns server
ip -n director addr add 10.0.0.1/24 dev eth0; ip -n director addr add fd00::1/64 dev eth0 nodad
ip -n server addr add 10.0.0.2/24 dev eth0; ip -n server addr add fd00::2/64 dev eth0 nodad
for host in director server; do ip -n $host link set lo up; ip -n $host link set eth0 up; done
on_server() { ip netns exec server sh -c "$1"; }
on_server 'for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$file; done'
on_server 'sh addresses.sh start; sh addresses.sh start'
on_server 'python3 server.py'
ip -n director route add 10.9.9.9 dev eth0 src 10.0.0.1
ip -n director -6 route add fd09::9 dev eth0 src fd00::1
while read -r name inner service real; do
    printf '%s\n' "-A -u $service -s rr" "-a -u $service -r $real" | ip netns exec director ipvsadm -R
    echo "$name: $(ip netns exec director python3 client.py $inner </dev/null)"
    ip netns exec director ipvsadm -C
done <cases
on_server 'sh addresses.sh stop'
echo "left: $(ip -n server fou show; ip -n server -o link show up | grep -v -e ' lo:' -e ' eth0@' || true)"
"""


def balanced(kind: str, inner: int, outer: int) -> str:
    """A virtual service and its real server, in ipvsadm's words."""
    service = "10.9.9.9:7" if inner == 4 else "[fd09::9]:7"
    real = "10.0.0.2:7" if outer == 4 else "[fd00::2]:7"
    return f"{service} {real} -i --tun-type {kind}" + (" --tun-port 5555" if kind == "gue" else "")


@pytest.mark.kernel
def test_a_real_kernel_unwraps_every_tunnel(emit: Emit, make: Make) -> None:
    nodes = [make.tunnel(kind, inner, outer, 5555 if kind == "gue" else None) for kind, inner, outer in KINDS]
    script = emit(*nodes, make.address("10.9.9.9/32"), make.address("fd09::9/128")).artifacts[0]
    cases = [
        (f"{kind}-{inner}in{outer}", f"{kind}-{inner}in{outer} {inner} {balanced(kind, inner, outer)}")
        for kind, inner, outer in KINDS
    ]
    files = {
        "addresses.sh": script.text,
        "server.py": SERVER,
        "client.py": CLIENT,
        "cases": "".join(f"{case}\n" for _, case in cases),
    }
    modules = " ".join(MODULES)
    ran = guest.run(["sh", "-c", GUEST.replace("$MODULES", modules)], files=files, timeout=120)
    assert ran.stdout.splitlines() == [*(f"{name}: hello" for name, _ in cases), "left: "], ran.stderr
    assert (ran.returncode, ran.stderr) == (0, "")
