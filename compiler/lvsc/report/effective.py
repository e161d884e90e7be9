"""A spec as lvsc understands it: every default filled in, and every value that is inherited or derived."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from lvsc import targets
from lvsc.compile import Compiled
from lvsc.diagnostics import Diagnostic
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.probes import choose_check
from lvsc.plugins.backend import Role
from lvsc.plugins.kind import ServiceKind
from lvsc.plugins.manager import Plugins
from lvsc.spec.fill import fill
from lvsc.spec.model import Cluster, Director, Pool
from lvsc.spec.schema import generate
from lvsc.spec.schema.services import common_keys
from lvsc.spec.table import describe_seconds

#: A table of a spec as plain values.
Values = dict[str, Any]


def effective(values: Mapping[str, Any], compiled: Compiled, plugins: Plugins) -> Values:
    """The spec that `values` are, with nothing left unsaid that lvsc fills in; it compiles to the same files.

    What the command line overrides is in it too. Secrets stay references. Unsaid stay the settings that lvsc leaves to the
    kernel or to a program.
    """
    spec = deepcopy(dict(values))
    cluster = compiled.cluster
    _cluster(spec["cluster"], compiled)
    for director in cluster.directors:
        _director(spec["directors"][director.name], director, cluster)
    for name, pool in cluster.pools.items():
        _pool(spec["pools"][name], pool, cluster)
    for lowered in compiled.lowered.services:
        _service(spec, lowered, plugins.kinds[lowered.service.kind])
    filled = fill(spec, generate(plugins.fragments))
    _drop_useless(filled)
    return filled


def _cluster(table: Values, compiled: Compiled) -> None:
    cluster = compiled.cluster
    table["target"] = _target(cluster.target)
    # A service kind's own backend comes with the kind; named here too, two kinds' would be two of one role.
    table["backends"] = [
        backend.name
        for backend in compiled.parts
        if backend.role is not Role.SETTINGS or backend.name not in compiled.lowered.backends
    ]
    table["marks"] = {"first": cluster.marks.first, "last": cluster.marks.last}


def _target(name: str) -> str:
    """The target's own name, where the spec may use an alias."""
    return targets.load(name).name


def _director(table: Values, director: Director, cluster: Cluster) -> None:
    table["interfaces"] = {name: director.interface(network) for name, network in cluster.networks.items()}


def _pool(table: Values, pool: Pool, cluster: Cluster) -> None:
    table.setdefault("forwarding", cluster.forwarding.value)
    _name_target(table)
    for entry, server in zip(table["real_servers"], pool.real_servers, strict=True):
        entry["forwarding"] = server.forwarding.value
        entry["managed"] = server.managed
        if server.interface is not None:
            entry["interface"] = server.interface
        if server.target is not None or server.managed:
            entry["target"] = _target(server.target or cluster.target)
        if server.tunnel is not None:
            entry.setdefault("tunnel", dict(table.get("tunnel", {})))
    sorry = pool.sorry_server
    if sorry is not None:
        table["sorry_server"]["forwarding"] = sorry.forwarding.value


def _name_target(table: Values) -> None:
    if "target" in table:
        table["target"] = _target(table["target"])


def _service(spec: Values, lowered: LoweredService, kind: ServiceKind) -> None:
    table, service, plan = spec["services"][lowered.service.name], lowered.service, lowered.plan
    derived: Values = {"check": _check(spec, lowered)}
    if lowered.mark is not None:
        derived["mark"] = lowered.mark
    if plan.persistence is not None:
        derived["persistence"] = describe_seconds(plan.persistence)
        derived["persistence_granularity"] = {
            f"ipv{family.value}": length for family, length in service.granularity.items()
        }
    # A kind may do without a key that all others have, and its table is closed.
    known = common_keys().keys() - set(kind.fragment().without)
    for key, value in derived.items():
        if key in known:
            table[key] = table[key] if key == "persistence" and key in table else value


def _check(spec: Values, lowered: LoweredService) -> Values | str:
    """What the service's real servers are asked, with the port where it is the same for all of them."""
    service = lowered.service
    pool: Values = spec["pools"][service.pool.name]
    said: Values | str = spec["services"][service.name].get("check", pool.get("check", {"type": "tcp"}))
    chosen = choose_check(service, lowered.plan, lowered.ports)
    if isinstance(said, str) or chosen is None or isinstance(chosen, Diagnostic):
        return said
    asked = {chosen.port_of(server) for server in service.pool.enabled}
    port = asked.pop() if len(asked) == 1 else None
    return dict(said) if port is None else {**said, "port": port}


def _drop_useless(spec: Values) -> None:
    """Remove the defaults that a spec may not say where they mean nothing."""
    failover = spec.get("failover", {})
    if failover.get("preempt") is False:
        failover.pop("preempt_delay")
    for pool in spec["pools"].values():
        if "quorum" not in pool:
            pool.pop("hysteresis")
