"""Prints a spec of many services: `python benchmarks/large_spec.py SERVICES REAL_SERVERS > large.toml`.

Each service has two ports, an address and a pool of its own with so many real servers, reached by NAT from two directors.
"""

import sys
from collections.abc import Iterator
from ipaddress import IPv4Address

_HEAD = """\
[cluster]
name = "large"
target = "debian12"

[networks.public]
interface = "eth0"
prefixes = ["10.0.0.0/8"]

[networks.private]
interface = "eth1"
prefixes = ["172.16.0.0/12"]
gateway = "inside"

[directors.lvs1]
priority = 150
addresses = { public = ["10.255.0.2"], private = ["172.31.0.2"] }

[directors.lvs2]
addresses = { public = ["10.255.0.3"], private = ["172.31.0.3"] }

[failover]
virtual_router_id = 5

[addresses.inside]
network = "private"
ip = ["172.31.255.1"]
"""
_FIRST_PUBLIC = IPv4Address("10.0.0.10")
_FIRST_PRIVATE = IPv4Address("172.16.0.10")
_MOST_SERVERS = 900_000


def spec(services: int, servers: int) -> Iterator[str]:
    """The spec's lines. The same numbers give the same lines."""
    yield _HEAD
    for number in range(services):
        yield f"[addresses.a{number}]"
        yield 'network = "public"'
        yield f'ip = ["{_FIRST_PUBLIC + number}"]'
        yield f"[pools.p{number}]"
        yield "real_servers = ["
        for index in range(servers):
            ip = _FIRST_PRIVATE + number * servers + index
            yield f'  {{ name = "s{number}-{index}", ip = ["{ip}"], weight = {index + 1} }},'
        yield "]"
        yield f"[services.s{number}]"
        yield f'address = "a{number}"'
        yield 'ports = ["tcp/80", "tcp/443"]'
        yield 'persistence = "5m"'
        yield 'check = { type = "http", path = "/", port = 80 }'
        yield f'pool = "p{number}"'


def main() -> int:
    """Print the spec that the command line asks for."""
    try:
        services, servers = map(int, sys.argv[1:])
    except ValueError:
        sys.exit(f"usage: {sys.argv[0]} SERVICES REAL_SERVERS")
    if not (services > 0 < servers and services * servers <= _MOST_SERVERS):
        sys.exit(f"the private network has room for {_MOST_SERVERS:,} real servers, and a service needs one")
    for line in spec(services, servers):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
