from itertools import product

import pytest

from lvsc.plugin import Feature
from lvsc_host.backend import Host
from lvsc_host.tunnels import parts
from support import guest

from .conftest import Emit, Make

#: The real server's addresses.
LOCAL = {4: "10.0.0.2", 6: "fd00::2"}
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


@pytest.mark.parametrize(
    ("inner", "outer", "local", "expected"),
    [
        (4, 4, "10.0.0.2", ["gre lvsc-gre 10.0.0.2", "rp_filter lvsc-gre", "device lvsc-gre"]),
        (6, 4, "10.0.0.2", ["gre lvsc-gre 10.0.0.2", "device lvsc-gre"]),
        (4, 6, "fd00::2", ["ip6gre lvsc-gre6 fd00::2", "rp_filter lvsc-gre6", "device lvsc-gre6"]),
        (6, 6, "fd00::2", ["ip6gre lvsc-gre6 fd00::2", "device lvsc-gre6"]),
    ],
)
def test_gre_with_checksums_has_a_device_of_its_own(
    inner: int, outer: int, local: str, expected: list[str], make: Make
) -> None:
    assert list(parts(make.tunnel("gre", inner, outer, local=local))) == expected


def test_only_gue_needs_fou(make: Make) -> None:
    assert [need.feature for need in Host().needs(make.tunnel("gue", port=5555))] == [Feature.KERNEL_FOU]
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
import socket, sys, time
inner = int(sys.argv[1])
client = socket.socket(socket.AF_INET if inner == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
client.settimeout(2)
said = "no answer"
for _ in range(15):  # a new link carries nothing until the kernel has looked at it
    try:
        client.sendto(b"hello", ("10.9.9.9" if inner == 4 else "fd09::9", 7))
        said = client.recv(100).decode()
        break
    except (TimeoutError, PermissionError):
        time.sleep(0.5)
print(said)
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
# What a distribution may give to new devices.
on_server 'for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$file; done; echo 1 >/proc/sys/net/ipv4/conf/default/rp_filter'
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
echo left: $(ip -n server fou show; ip -n server -o link show up | grep -v -e ' lo:' -e ' eth0@') \
    $(ip -n server -o link show | grep lvsc)
"""


def balanced(kind: str, inner: int, outer: int, checksum: str) -> str:
    """A virtual service and its real server, in ipvsadm's words."""
    service = "10.9.9.9:7" if inner == 4 else "[fd09::9]:7"
    real = f"{LOCAL[outer]}:7" if outer == 4 else f"[{LOCAL[outer]}]:7"
    more = {"ipip": "", "gre": f" --tun-{checksum}", "gue": f" --tun-port 5555 --tun-{checksum}"}
    return f"{service} {real} -i --tun-type {kind}{more[kind]}"


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("checksum", "types"), [("nocsum", ("ipip", "gre", "gue")), ("csum", ("gre", "gue"))]
)
def test_a_real_kernel_unwraps_every_tunnel(
    checksum: str, types: tuple[str, ...], emit: Emit, make: Make
) -> None:
    kinds = list(product(types, (4, 6), (4, 6)))
    tunnels = [
        make.tunnel(
            kind,
            inner,
            outer,
            5555 if kind == "gue" else None,
            local=LOCAL[outer] if (kind, checksum) == ("gre", "csum") else None,
        )
        for kind, inner, outer in kinds
    ]
    script = emit(*tunnels, make.address("10.9.9.9/32"), make.address("fd09::9/128")).artifacts[0]
    names = [f"{kind}-{inner}in{outer}" for kind, inner, outer in kinds]
    cases = [
        f"{name} {inner} {balanced(kind, inner, outer, checksum)}\n"
        for name, (kind, inner, outer) in zip(names, kinds, strict=True)
    ]
    files = {"addresses.sh": script.text, "server.py": SERVER, "client.py": CLIENT, "cases": "".join(cases)}
    ran = guest.run(["sh", "-c", GUEST.replace("$MODULES", " ".join(MODULES))], files=files, timeout=600)
    assert ran.stdout.splitlines() == [*(f"{name}: hello" for name in names), "left:"], ran.stderr
    assert (ran.returncode, ran.stderr) == (0, "")


MOVED = """
set -e
$MODPROBE ip_gre
ip addr add 10.0.0.2/24 dev lo
show() { echo $1: $(ip -o -d link show lvsc-gre up 2>/dev/null | grep -o 'gre remote .* local [^ ]*\\|icsum') $(cat /proc/sys/net/ipv4/conf/lvsc-gre/rp_filter); }
echo 2 >/proc/sys/net/ipv4/conf/default/rp_filter
sh first.sh start; show made
echo 2 >/proc/sys/net/ipv4/conf/lvsc-gre/rp_filter
ip link set lvsc-gre down
sh first.sh start; show mended
sh second.sh start; show moved
sh third.sh start; show gone 2>/dev/null
sh third.sh stop
ip link add lvsc-gre type gre local 10.0.0.9
sh first.sh start; sh first.sh stop
ip link show lvsc-gre >/dev/null
"""


@pytest.mark.kernel
def test_a_device_of_its_own_goes_with_its_address(emit: Emit, make: Make) -> None:
    scripts = {
        "first.sh": make.tunnel("gre", local="10.0.0.2"),
        "second.sh": make.tunnel("gre", local="10.0.0.3"),
        "third.sh": make.tunnel("gre"),
    }
    files = {name: emit(tunnel).artifacts[0].text for name, tunnel in scripts.items()}
    ran = guest.run(["sh", "-c", MOVED], files=files)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "made: gre remote any local 10.0.0.2 icsum 0",
        "mended: gre remote any local 10.0.0.2 icsum 0",
        "moved: gre remote any local 10.0.0.3 icsum 0",
        "gone:",
    ]
