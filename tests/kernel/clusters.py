"""The clusters of the laboratory's tests, as layers of a spec (see support/specs.py)."""

from support.specs import Layer

#: One director between clients and two real servers behind it, by NAT, known by their address.
NAT: Layer = {
    "cluster": {"name": "trial", "target": "debian12", "forwarding": "nat"},
    "networks": {
        "public": {"interface": "eth0", "prefixes": ["192.0.2.0/24", "2001:db8:2::/64"]},
        "private": {"interface": "eth1", "prefixes": ["10.11.12.0/24", "2001:db8:12::/64"]},
    },
    "directors": {
        "lvs1": {
            "addresses": {
                "public": ["192.0.2.2", "2001:db8:2::2"],
                "private": ["10.11.12.2", "2001:db8:12::2"],
            }
        }
    },
    "addresses": {"www": {"network": "public", "ip": ["192.0.2.10", "2001:db8:2::10"]}},
    "pools": {
        "web": {
            "check": "none",
            "real_servers": [
                {"name": "web1", "ip": ["10.11.12.21", "2001:db8:12::21"], "weight": 3},
                {"name": "web2", "ip": ["10.11.12.22", "2001:db8:12::22"], "weight": 2},
                {"name": "web3", "ip": ["10.11.12.23", "2001:db8:12::23"], "weight": 1},
            ],
        }
    },
    "services": {"web": {"address": "www", "pool": "web", "ports": ["tcp/80"], "scheduler": "wrr"}},
}

#: One director before real servers in its own network, who answer the clients themselves.
LAN: Layer = {
    "cluster": {"name": "trial", "target": "debian12", "forwarding": "direct"},
    "networks": {"public": {"interface": "eth0", "prefixes": ["192.0.2.0/24", "2001:db8:2::/64"]}},
    "directors": {"lvs1": {"addresses": {"public": ["192.0.2.2", "2001:db8:2::2"]}}},
    "addresses": {"www": {"network": "public", "ip": ["192.0.2.10", "2001:db8:2::10"]}},
    "pools": {
        "web": {
            "check": "none",
            "real_servers": [
                {"name": "web1", "ip": ["192.0.2.21", "2001:db8:2::21"]},
                {"name": "web2", "ip": ["192.0.2.22", "2001:db8:2::22"]},
                {"name": "web3", "ip": ["192.0.2.23", "2001:db8:2::23"]},
            ],
        }
    },
    "services": {"web": {"address": "www", "pool": "web", "ports": ["tcp/80"], "scheduler": "rr"}},
}

#: HTTP and HTTPS under one mark, each client on one server.
BUNDLE: Layer = {"services": {"web": {"ports": ["tcp/80", "tcp/443"], "mark": 80, "persistence": "5m"}}}

#: A second director, and a gateway that moves with the virtual address.
PAIR: Layer = {
    "networks": {"private": {"gateway": "inside"}},
    "directors": {
        "lvs1": {"priority": 150},
        "lvs2": {
            "priority": 100,
            "addresses": {
                "public": ["192.0.2.3", "2001:db8:2::3"],
                "private": ["10.11.12.3", "2001:db8:12::3"],
            },
        },
    },
    "failover": {"virtual_router_id": 51},
    "addresses": {"inside": {"network": "private", "ip": ["10.11.12.10", "2001:db8:12::10"]}},
}

#: The active director tells the other of its connections.
SYNC: Layer = {"connection_sync": {"network": "private", "id": 51}}

_NEAR: Layer = {"name": "near", "ip": ["10.11.12.21", "2001:db8:12::21"]}
_LAN: Layer = {"name": "lan1", "ip": ["192.0.2.21", "2001:db8:2::21"], "forwarding": "direct"}
_OTHER_LAN: Layer = {"name": "lan2", "ip": ["192.0.2.22", "2001:db8:2::22"], "forwarding": "direct"}
_FAR: Layer = {"name": "far", "ip": ["203.0.113.21", "2001:db8:3::21"], "forwarding": "tunnel"}

#: All methods of forwarding beside each other, and a service that mixes them.
METHODS: Layer = {
    "cluster": {"name": "trial", "target": "debian12", "firewall": "none"},
    "networks": NAT["networks"],
    "directors": NAT["directors"],
    "addresses": {
        "www": {"network": "public", "ip": ["192.0.2.10", "2001:db8:2::10"]},
        "second": {"network": "public", "ip": ["192.0.2.12", "2001:db8:2::12"]},
    },
    "pools": {
        "nat": {"check": "none", "real_servers": [_NEAR]},
        "direct": {"check": "none", "real_servers": [_LAN, _OTHER_LAN]},
        "tunnel": {"check": "none", "real_servers": [_FAR]},
        "second": {"check": "none", "real_servers": [_OTHER_LAN]},
        "mixed": {"check": "none", "real_servers": [_NEAR, _LAN, _FAR]},
    },
    "services": {
        "nat": {"address": "www", "pool": "nat", "ports": ["tcp/80"]},
        "direct": {"address": "www", "pool": "direct", "ports": ["tcp/81"], "scheduler": "rr"},
        "tunnel": {"address": "www", "pool": "tunnel", "ports": ["tcp/82"]},
        "mixed": {"address": "www", "pool": "mixed", "ports": ["tcp/83"], "scheduler": "rr"},
        "second": {"address": "second", "pool": "second", "ports": ["tcp/80"]},
    },
}


def servers(cluster: Layer, **changes: Layer) -> Layer:
    """A layer that changes keys of some real servers of a cluster's pool `web`, by their names."""
    entries = cluster["pools"]["web"]["real_servers"]
    changed = [{**entry, **changes.get(entry["name"], {})} for entry in entries]
    return {"pools": {"web": {"real_servers": changed}}}
