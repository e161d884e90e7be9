"""The service kind that knows nothing but ports."""

from dataclasses import dataclass

from lvsc.graph.traffic import ALL_PORTS, PortRange, Protocol
from lvsc.lowering.plan import Plan, ServicePort
from lvsc.plugins.hooks import hookimpl
from lvsc.plugins.kind import ServiceKind
from lvsc.spec.model import Cluster, Service
from lvsc.spec.schema import words
from lvsc.spec.schema.fragment import PLAIN, Fragment
from lvsc.spec.table import Table


@dataclass(frozen=True, slots=True)
class PlainOptions:
    """The ports of a plain service, as the spec lists them."""

    ports: tuple[ServicePort, ...]


class PlainKind(ServiceKind):
    """Balances the ports that the spec lists."""

    name = PLAIN
    title = "the ports that the spec lists"

    def fragment(self) -> Fragment:
        """`ports`, and nothing more."""
        return Fragment(
            title="A plain service",
            description="Balances the ports that it lists.",
            properties={
                "ports": words.array(
                    "Ports",
                    "What is balanced: a protocol and a port, a range or `all`. Several make one service under one mark.",
                    {"type": "string", "pattern": words.PORTS, "x-pattern-says": words.PORTS_SAYS},
                    example=["tcp/80", "tcp/443"],
                )
            },
            required=("ports",),
        )

    def options(self, table: Table) -> PlainOptions:
        """The ports; a range that is none is reported at its place."""
        ports: list[ServicePort] = []
        for index, text in enumerate(table.texts("ports")):
            protocol, _, numbers = text.partition("/")
            found: PortRange | None = ALL_PORTS
            if numbers != "all":
                found = table.parse_ports(numbers, table.origin("ports", index))
            if found is not None:
                ports.append(ServicePort(Protocol(protocol), found))
        return PlainOptions(tuple(ports))

    def plan(self, service: Service, cluster: Cluster) -> Plan:  # noqa: ARG002 - the cluster changes nothing here
        """The ports as they are."""
        options = service.options
        if not isinstance(options, PlainOptions):
            raise TypeError(f"options of another kind: {options!r}")
        return Plan(ports=options.ports, persistence=service.persistence)


@hookimpl
def lvsc_service_kind() -> ServiceKind:
    """The plain kind."""
    return PlainKind()
