"""Every node goes to exactly one backend."""

from collections.abc import Iterable

import pytest

from lvsc.analysis.partition import partition
from lvsc.graph.nodes import KernelModule, Node, Sysctl
from lvsc.plugins.artifact import Emission
from lvsc.plugins.backend import Backend, HostPart, Role
from lvsc.targets import load
from support.specs import PAIR, Layer, compile_text, found, lowered, merged, plugins, service, spec

NO_CHECK: Layer = service(check="none")
IPVSADM: Layer = merged(NO_CHECK, {"cluster": {"backends": ["ipvsadm"]}})


@pytest.mark.parametrize(
    ("layers", "path"),
    [
        ((service(check=None),), "services.web"),
        (
            ({"pools": {"web": {"sorry_server": {"ip": ["192.0.2.99"]}}}}, service(check={"type": "tcp"})),
            "pools.web.sorry_server",
        ),
        (({"email": {"from": "a@b", "to": ["c@d"], "server": "192.0.2.25"}},), "email"),
        ((PAIR,), "failover"),
        (({"pools": {"web": {"quorum": 2}}},), "pools.web.quorum"),
        (({"pools": {"web": {"notify": {"quorum_down": "/bin/page"}}}},), "pools.web.notify"),
        (({"pools": {"web": {"notify": {"down": "/bin/page"}}}},), "pools.web.notify"),
    ],
    ids=["check", "sorry-server", "mail", "vrrp", "quorum", "quorums-command", "command"],
)
def test_what_no_chosen_backend_renders_is_an_error(layers: tuple[Layer, ...], path: str) -> None:
    assert ("LVS504", path) in found(spec(IPVSADM, *layers))
    assert all(code == "LVS504" for code, _ in found(spec(IPVSADM, *layers)))


def test_what_is_not_wanted_need_not_be_rendered() -> None:
    assert found(spec(IPVSADM)) == []


def test_every_node_is_in_one_part() -> None:
    compiled = compile_text(spec(PAIR, service(mark=7)))
    parts = [node for own in compiled.parts.values() for part in own for node in part.graph]
    assert sorted(map(repr, parts)) == sorted(map(repr, compiled.lowered.graph))
    for backend, own in compiled.parts.items():
        assert all(backend.renders(node) for part in own for node in part.graph)
        assert [part.host for part in own] == sorted({part.host for part in own})


class Greedy(Backend):
    """Takes what another backend takes as well."""

    name = "greedy"
    title = "takes modules"
    role = Role.SETTINGS

    def __init__(self, kinds: Iterable[type[Node]]) -> None:
        self.kinds = tuple(kinds)

    def renders(self, node: Node) -> bool:
        return isinstance(node, self.kinds)

    def emit(self, part: HostPart) -> Emission:
        raise NotImplementedError(part)


@pytest.mark.parametrize(("kinds", "twice"), [((KernelModule,), 1), ((KernelModule, Sysctl), 2), ((), 0)])
def test_what_two_backends_would_render_is_an_error(kinds: tuple[type[Node], ...], twice: int) -> None:
    cluster = lowered(spec())
    backends = (plugins().backend("host"), plugins().backend("keepalived"), Greedy(kinds))
    targets = {host: load(name) for host, name in cluster.targets.items()}
    _, problems = partition(cluster.graph, backends, targets, "shop", plugins())
    assert [problem.code.id for problem in problems] == ["LVS505"] * twice
    assert all("`greedy`" in problem.message for problem in problems)
