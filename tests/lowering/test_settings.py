from collections.abc import Iterable

from lvsc.graph.nodes import Node, Sysctl
from lvsc.kinds.plain import PlainKind
from lvsc.lowering.lower import lower
from lvsc.lowering.lowered import LoweredService
from lvsc.spec.model import Cluster
from support.specs import lowered, spec


class Wilful(PlainKind):
    """A kind that needs a kernel setting of its own."""

    def __init__(self, value: str) -> None:
        self.value = value

    def nodes(self, lowered: LoweredService, cluster: Cluster) -> Iterable[Node]:
        for director in cluster.directors:
            origin = lowered.service.origin
            yield Sysctl(host=director.name, origin=origin, key="net.ipv4.vs.conntrack", value=self.value)


def test_two_values_of_one_setting_are_refused() -> None:
    cluster = lowered(spec()).cluster
    (problem,) = lower(cluster, {"plain": Wilful("0")}).diagnostics
    assert problem.code.id == "LVS313"
    assert problem.message == "host `lvs1` needs `net.ipv4.vs.conntrack` to be 0 and 1"
    assert len(lower(cluster, {"plain": Wilful("0")}).graph) == 0


def test_one_value_asked_for_twice_is_one_setting() -> None:
    found = lower(lowered(spec()).cluster, {"plain": Wilful("1")})
    assert found.diagnostics == ()
    assert [node.value for node in found.graph.of(Sysctl) if node.key == "net.ipv4.vs.conntrack"] == ["1"]
