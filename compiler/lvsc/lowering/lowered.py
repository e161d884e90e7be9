"""What lowering makes of a cluster: the rule graph, and how each service came to be in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lvsc.diagnostics import Diagnostic
from lvsc.graph.graph import RuleGraph
from lvsc.graph.nodes import Accept, AddressSelector, MarkSelector, Selector
from lvsc.graph.traffic import Address, Family, PortRange
from lvsc.lowering.plan import Plan, ServicePort
from lvsc.spec.model import Cluster, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredService:
    """A service, how it is selected, and why."""

    service: Service
    plan: Plan
    ports: tuple[ServicePort, ...]
    """What it balances: sorted, disjoint, no two of a protocol touching."""
    mark: int | None
    """None where IPVS knows the service by its address."""
    reasons: tuple[str, ...]
    """Why it is selected so."""

    @property
    def derived(self) -> bool:
        """Whether the mark comes from the service's name."""
        return self.mark is not None and self.service.mark is None

    def selectors(self) -> Iterator[Selector]:
        """The virtual services that it is in IPVS: one a family by mark, one an address otherwise."""
        for family in self.service.families:
            if self.mark is not None:
                yield MarkSelector(self.mark, family)
            else:
                port = self.ports[0]
                for address in self.service.ips(family):
                    yield AddressSelector(port.protocol, address, 0 if port.ports.all else port.ports.first)

    def endpoints(self) -> Iterator[tuple[Family, Address, ServicePort]]:
        """Each address with each of the ports."""
        for family in self.service.families:
            for address in self.service.ips(family):
                for port in self.ports:
                    yield family, address, port

    @property
    def single_port(self) -> PortRange | None:
        """The one port that the service has, or None where it has several."""
        only = self.ports[0].ports
        return only if len(self.ports) == 1 and only.single else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A cluster and its rule graph."""

    cluster: Cluster
    services: tuple[LoweredService, ...]
    graph: RuleGraph
    accepts: tuple[Accept, ...]
    """The accepts of the graph as each service asks for them: what several need is here several times."""
    targets: Mapping[str, str]
    """The name of each host's target."""
    backends: tuple[str, ...]
    """Backends that the service kinds ask for, by name, sorted."""
    diagnostics: tuple[Diagnostic, ...]
