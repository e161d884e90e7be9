"""Short ways to make the sides of a comparison, and to say what it finds."""

from collections.abc import Iterable

from lvsc.compare.changes import Difference, PacketChange
from lvsc.compare.difference import compare
from lvsc.compare.sides import ALL_ROLES, HostSide, OrderedNodes, Side, of_compiled, of_texts
from lvsc.compile import Options
from lvsc.graph.nodes import Node
from lvsc.packets.words import classes
from lvsc.plugins.backend import Role
from lvsc.plugins.reading import Foreign, Source
from support.nodes import HOST
from support.specs import Layer, compile_text, plugins, spec


def side(*layers: Layer, backend: str | None = None, name: str = "spec", **tables: object) -> Side:
    """The side of a spec, of what `specs.document` takes."""
    options = None if backend is None else Options(backends=(backend,))
    return of_compiled(name, compile_text(spec(*layers, **tables), options))


def of_nodes(
    *nodes: Node,
    name: str = "nodes",
    host: str = HOST,
    roles: frozenset[Role] = ALL_ROLES,
    whole: bool = True,
    foreign: Iterable[Foreign] = (),
) -> Side:
    """The side of one host that has these nodes."""
    found = HostSide(host=host, nodes=OrderedNodes(nodes), roles=roles, whole=whole, foreign=tuple(foreign))
    return Side(name=name, hosts={host: found})


def of_text(text: str, *, name: str = "text", host: str = HOST) -> Side:
    """The side of one host of which a program's text is there."""
    side, unread = of_texts(name, [Source(host=host, file=name, text=text)], plugins())
    assert unread == ()
    return side


def packets(difference: Difference) -> list[tuple[str, str]]:
    """The kind of each change and its classes in words."""
    return [(change.kind.value, "; ".join(classes(change.boxes))) for change in difference.packets]


def between(old: Side, new: Side) -> list[tuple[str, str]]:
    """What changes for packets between two sides."""
    return packets(compare(old, new))


def only(difference: Difference) -> PacketChange:
    """The only change for packets."""
    (change,) = difference.packets
    return change
