"""Who renders what: every node of the graph goes to exactly one backend."""

from collections.abc import Iterable, Mapping
from itertools import compress

from lvsc.analysis import codes
from lvsc.diagnostics import Diagnostic, Origin
from lvsc.graph.graph import RuleGraph
from lvsc.graph.nodes import Node, Quorum, ScriptUser
from lvsc.plugins.backend import Backend, HostPart, blamed_backend
from lvsc.plugins.manager import Plugins
from lvsc.targets import Target

#: Nodes that are there only because others are, which say better what is missing.
_COMPANIONS = {"SyncGroup", "ScriptUser"}
_SAID = {
    "ConnectionSync": "connection synchronisation",
    "Timeouts": "IPVS's time-outs",
    "HealthCheck": 'how real servers are probed (say `check = "none"` to do without)',
    "SorryServer": "a sorry server",
    "Quorum": "a quorum",
    "VrrpInstance": 'failover by VRRP (say `method = "external"` where something else does it)',
    "SyncGroup": "a failover group",
    "TrackScript": "a track script",
    "ScriptUser": "commands that run on changes of state",
    "EmailAlerts": "alerts by mail",
    "VirtualAddress": "a virtual address that fails over",
}


def partition(
    graph: RuleGraph,
    backends: tuple[Backend, ...],
    targets: Mapping[str, Target],
    cluster: str,
    plugins: Plugins,
) -> tuple[dict[Backend, tuple[HostPart, ...]], list[Diagnostic]]:
    """Each backend's parts of the graph, and a diagnostic for what none of them renders or two of them would.

    `targets` is by host, of the hosts that lvsc manages.
    """
    parts: dict[Backend, list[HostPart]] = {backend: [] for backend in backends}
    orphans: dict[tuple[str, Origin], Node] = {}
    doubles: dict[tuple[str, Origin], tuple[Node, list[Backend]]] = {}
    problems: list[Diagnostic] = []
    for host, host_graph in graph.hosts.items():
        if host not in targets:
            problems.append(_foreign(next(iter(host_graph))))
            continue
        own: dict[Backend, list[Node]] = {backend: [] for backend in backends}
        answers = zip(*(_answers(backend, host, host_graph) for backend in backends), strict=True)
        for node, renders in zip(host_graph, answers, strict=True):
            takers = list(compress(backends, renders))
            if len(takers) == 1:
                own[takers[0]].append(node)
            elif not takers:
                orphans.setdefault((type(node).__name__, node.origin), node)
            else:
                doubles.setdefault((type(node).__name__, node.origin), (node, takers))
        for backend, nodes in own.items():
            if nodes:
                parts[backend].append(
                    HostPart(cluster=cluster, graph=host_graph.part(nodes), target=targets[host])
                )
    alone = {name for name, _ in orphans} <= _COMPANIONS
    problems += [
        _orphan(node, backends, plugins)
        for (name, _), node in orphans.items()
        if alone or name not in _COMPANIONS
    ]
    problems += [_double(node, takers) for node, takers in doubles.values()]
    return {backend: tuple(own_parts) for backend, own_parts in parts.items()}, problems


def _answers(backend: Backend, host: str, nodes: Iterable[Node]) -> list[bool]:
    """Whether the backend renders each of a host's nodes."""
    with blamed_backend(backend, host):
        return [backend.renders(node) for node in nodes]


def _place(node: Node) -> Origin:
    if isinstance(node, Quorum):
        return node.at("notify" if _only_tells(node) else "quorum")
    return node.origin


def _only_tells(quorum: Quorum) -> bool:
    return (quorum.weight, quorum.hysteresis) == (1, 0)


def _said(node: Node) -> str:
    name = type(node).__name__
    if isinstance(node, Quorum) and _only_tells(node):
        name = ScriptUser.__name__
    return node.said or _SAID.get(name, f"`{name}`")


def _foreign(node: Node) -> Diagnostic:
    return codes.FOREIGN_HOST.at(
        node.origin,
        f"{_said(node)} is asked for on `{node.host}`, which is no host that lvsc manages",
        help="report this defect of the service kind's plugin",
        trouble=True,
    )


def _orphan(node: Node, backends: Iterable[Backend], plugins: Plugins) -> Diagnostic:
    chosen = ", ".join(f"`{backend.name}`" for backend in backends)
    able = [
        name for name in plugins.backend_names if any(_answers(plugins.backend(name), node.host, (node,)))
    ]
    return codes.NOT_RENDERED.at(
        _place(node),
        f"none of the chosen backends can say {_said(node)}",
        notes=[f"chosen are {chosen}"],
        help="use " + " or ".join(f"`{name}`" for name in able)
        if able
        else "no installed backend can: leave it out",
    )


def _double(node: Node, takers: Iterable[Backend]) -> Diagnostic:
    names = " and ".join(f"`{backend.name}`" for backend in takers)
    return codes.TWICE_RENDERED.at(
        node.origin,
        f"backends {names} would both say {_said(node)}",
        help="use only one of them",
        trouble=True,
    )
