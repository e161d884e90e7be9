"""What a backend is: it renders one configuration language from the rule graph."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from lvsc.blame import blamed
from lvsc.diagnostics import Diagnostic, Origin
from lvsc.graph.graph import HostGraph
from lvsc.graph.nodes import Node
from lvsc.plugins.artifact import Emission
from lvsc.plugins.reading import Reading, Source
from lvsc.targets import Feature, Target


@dataclass(frozen=True, slots=True)
class Need:
    """A feature that a node needs, and where the spec says what needs it: `Need(feature, node.at("scheduler"))`."""

    feature: Feature
    at: Origin


class Role(Enum):
    """What a backend is for. A cluster uses one packet filter and one director backend."""

    PACKET_FILTER = "packet filter"
    DIRECTOR = "director"
    HOST = "host"
    """Kernel modules, settings and addresses of any host."""
    SETTINGS = "settings"
    """The settings of a program on real servers, asked for by a service kind."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HostPart:
    """What a backend is given: its own nodes of one host, never another backend's.

    `check` and `emit` get the same one, and a part equals itself alone: what a function of a part finds may be kept for both.
    """

    cluster: str
    graph: HostGraph
    target: Target

    @property
    def host(self) -> str:
        """The host's name."""
        return self.graph.host


class Backend(ABC):
    """Renders nodes of the rule graph, or refuses. Pure: no file, environment, clock or printing."""

    name: ClassVar[str]
    """The word for it in a spec, and the name of its entry point."""
    title: ClassVar[str]
    """One line for `lvsc backends`."""
    role: ClassVar[Role]

    @abstractmethod
    def renders(self, node: Node) -> bool:
        """Whether the node is this backend's to render. Depends on the node alone."""

    def needs(self, node: Node) -> Iterable[Feature | Need]:  # noqa: ARG002 - for the backends that need something
        """The features a target must have for this backend to render the node. The compiler refuses without them.

        A `Need` says which key of the spec asks for it. A feature alone is what the backend has to have for any such node:
        where it is missing, that is said once.
        """
        return ()

    def check(self, part: HostPart) -> Iterable[Diagnostic]:  # noqa: ARG002 - likewise
        """What this backend cannot say of its part, in diagnostics of the plugin's own codes.

        An error stops the build. There is no warning for something left out.
        """
        return ()

    def recognises(self, source: Source) -> bool:  # noqa: ARG002 - for the backends that read
        """Whether the text is in a language of this backend's, by what it says and not by its name."""
        return False

    def hide(self, source: Source) -> Source:
        """The source with placeholders for whatever in its text may be a secret, line for line; of any text, also a wrong one.

        Nobody reads or shows the text of a file before. A backend that writes secrets overrides it; otherwise nothing of
        a file that holds one is shown.
        """
        return source

    def read(self, source: Source) -> Reading:
        """The nodes that a text of this backend's language says; the reverse of `emit`, and strict.

        A fragment that is neither lvsc's nor understood is a problem at its line, never passed over. Reading what `emit`
        wrote gives equal nodes. The reader shares no table of words with the emitter, so that it is a witness of its own.
        """
        raise NotImplementedError(f"the backend {self.name} reads nothing")

    @abstractmethod
    def emit(self, part: HostPart) -> Emission:
        """The files of one host; called only when `check` had no error. Equal parts give equal bytes."""


def blamed_backend(backend: Backend, host: str) -> AbstractContextManager[None]:
    """Whatever the backend raises within, over a host's nodes or texts, becomes a DiagnosticError that names it."""
    return blamed(f"backend `{backend.name}`", f"host `{host}`")
