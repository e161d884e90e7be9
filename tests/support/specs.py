"""Short ways to write a cluster's spec in tests, compile it, and see what is wrong with it.

`spec()` is a cluster that compiles without a word. Every argument is a layer that is merged over it: tables are merged
key by key, anything else is replaced, and None removes a key.
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import tomli_w

from lvsc.compile import Compiled, Options, analyse, compile_spec
from lvsc.diagnostics import Diagnostic, DiagnosticError, Severity
from lvsc.lowering.lowered import Lowered, LoweredService
from lvsc.plugins.manager import Plugins

FILE = "cluster.toml"

#: A part of a spec as plain values.
Layer = Mapping[str, Any]

MINIMAL: Layer = {
    "cluster": {"name": "shop", "target": "debian12"},
    "networks": {"lan": {"interface": "eth0", "prefixes": ["192.0.2.0/24"]}},
    "directors": {"lvs1": {"addresses": {"lan": ["192.0.2.2"]}}},
    "addresses": {"www": {"network": "lan", "ip": ["192.0.2.10"]}},
    "pools": {
        "web": {
            "real_servers": [{"name": "web1", "ip": ["192.0.2.21"]}, {"name": "web2", "ip": ["192.0.2.22"]}],
        }
    },
    "services": {"web": {"address": "www", "pool": "web", "ports": ["tcp/80"]}},
}

#: A second director, VRRP, and a gateway address that fails over.
PAIR: Layer = {
    "networks": {"lan": {"gateway": "inside"}},
    "directors": {"lvs1": {"priority": 150}, "lvs2": {"priority": 100, "addresses": {"lan": ["192.0.2.3"]}}},
    "failover": {"virtual_router_id": 51},
    "addresses": {"inside": {"network": "lan", "ip": ["192.0.2.11"]}},
}

#: IPv6 beside IPv4 everywhere.
DUAL: Layer = {
    "networks": {"lan": {"prefixes": ["192.0.2.0/24", "2001:db8::/64"]}},
    "directors": {"lvs1": {"addresses": {"lan": ["192.0.2.2", "2001:db8::2"]}}},
    "addresses": {"www": {"ip": ["192.0.2.10", "2001:db8::10"]}},
    "pools": {
        "web": {
            "real_servers": [
                {"name": "web1", "ip": ["192.0.2.21", "2001:db8::21"]},
                {"name": "web2", "ip": ["192.0.2.22", "2001:db8::22"]},
            ],
        }
    },
}

DIRECT: Layer = {"cluster": {"forwarding": "direct"}}
TUNNEL: Layer = {"cluster": {"forwarding": "tunnel"}}


def servers(*more: Layer, **common: object) -> Layer:
    """The pool of `spec()` with these further keys: `more` one layer a real server, `common` on each."""
    entries = [
        {"name": f"web{number}", "ip": [f"192.0.2.{20 + number}"], **common, **layer}
        for number, layer in enumerate(more or ({}, {}), start=1)
    ]
    return {"pools": {"web": {"real_servers": entries}}}


def service(name: str = "web", /, **keys: object) -> Layer:
    """Keys of one service."""
    return {"services": {name: keys}}


def merged(*layers: Layer) -> dict[str, Any]:
    """One layer of several, later ones over earlier ones."""
    result: dict[str, Any] = {}
    for layer in layers:
        _merge(result, layer)
    return result


def _merge(into: dict[str, Any], layer: Layer) -> None:
    for key, value in layer.items():
        if isinstance(value, Mapping):
            below = into.get(key)
            into[key] = below if isinstance(below, dict) else {}
            _merge(into[key], value)
        else:
            into[key] = deepcopy(value)


def document(*layers: Layer, **tables: object) -> dict[str, Any]:
    """A spec as plain values: the minimal cluster, the layers over it, and then `tables`."""
    return without_none(merged(MINIMAL, *layers, tables))


def without_none(table: Layer) -> dict[str, Any]:
    """A layer without the keys that it removes."""
    return {
        key: without_none(value) if isinstance(value, Mapping) else value
        for key, value in table.items()
        if value is not None
    }


def spec(*layers: Layer, **tables: object) -> str:
    """A spec as TOML, of what `document` takes."""
    return tomli_w.dumps(document(*layers, **tables))


@cache
def plugins() -> Plugins:
    """The installed plugins."""
    return Plugins.installed()


def compile_text(text: str, options: Options | None = None) -> Compiled:
    """The compiled spec; raises DiagnosticError."""
    return compile_spec(text, FILE, plugins(), options)


def lowered(text: str) -> Lowered:
    """The lowered spec without emission; raises DiagnosticError."""
    return analyse(text, FILE, plugins())


def lowered_service(text: str, name: str = "web") -> LoweredService:
    """One service of a lowered spec."""
    return next(found for found in lowered(text).services if found.service.name == name)


def reported(text: str, options: Options | None = None) -> tuple[Diagnostic, ...]:
    """All diagnostics of a spec, whether it compiles or not."""
    try:
        return compile_text(text, options).diagnostics
    except DiagnosticError as error:
        return error.diagnostics


def found(text: str, options: Options | None = None) -> list[tuple[str, str]]:
    """All diagnostics as (code, key path), the path's steps joined by dots."""
    return [(diagnostic.code.id, key_path(diagnostic)) for diagnostic in reported(text, options)]


def errors(text: str, options: Options | None = None) -> list[tuple[str, str]]:
    """The errors alone, as `found` gives them."""
    return [
        (diagnostic.code.id, key_path(diagnostic))
        for diagnostic in reported(text, options)
        if diagnostic.severity is Severity.ERROR
    ]


def key_path(diagnostic: Diagnostic) -> str:
    """Where the diagnostic points, such as `pools.web.real_servers.0.ip`; empty where it points nowhere."""
    return ".".join(map(str, diagnostic.place.origin.path)) if diagnostic.place else ""
