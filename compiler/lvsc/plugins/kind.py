"""What a service kind is: it knows a protocol that needs more than ports."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import ClassVar

from lvsc.blame import blamed
from lvsc.diagnostics import Anchor, Place
from lvsc.graph.nodes import Node
from lvsc.lowering.lowered import LoweredService
from lvsc.lowering.plan import Plan
from lvsc.spec.model import Cluster, Service
from lvsc.spec.schema.fragment import Fragment
from lvsc.spec.table import Table


class ServiceKind(ABC):
    """Knows one value of a service's `kind`. Pure, like everything before the files are written."""

    name: ClassVar[str]
    title: ClassVar[str]
    backends: ClassVar[tuple[str, ...]] = ()
    """Further backends, by name, that render this kind's own nodes."""

    @abstractmethod
    def fragment(self) -> Fragment:
        """The kind's own keys in the schema."""

    @abstractmethod
    def options(self, table: Table) -> object:
        """The kind's own keys of a service, typed. The table fits the schema."""

    @abstractmethod
    def plan(self, service: Service, cluster: Cluster) -> Plan:
        """How the service is to be balanced, or why it cannot be (as diagnostics with errors)."""

    def nodes(self, lowered: LoweredService, cluster: Cluster) -> Iterable[Node]:  # noqa: ARG002 - for kinds with nodes
        """What the service needs beyond marks, virtual services and real servers; called when the plan has no error."""
        return ()


def blamed_kind(service: Service) -> AbstractContextManager[None]:
    """Whatever the service's kind raises within becomes a DiagnosticError that names it, at the service."""
    return blamed(
        f"service kind `{service.kind}`", f"service `{service.name}`", Place(service.origin, Anchor.TABLE)
    )
