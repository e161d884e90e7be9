"""A comparison as diagnostics, for the programs that show them beside the lines of a spec."""

from collections.abc import Container, Iterator

from lvsc.compare.changes import ChangeKind, Difference, PacketChange, Unknown
from lvsc.diagnostics import Anchor, Code, Diagnostic, Origin, Place, Severity
from lvsc.report.verdict import KINDS, fragment, origins, traffic

EXPOSED = Code(
    "LVS030",
    "packets that find a virtual service now",
    """A comparison finds packets that no virtual service took before and that one takes now: an address, port or protocol
became reachable, or a service without a real server for new clients has one. If that is what the change is for, nothing is to be done; otherwise the line that it points at opens more than
was meant.""",
    Severity.WARNING,
)
LOST = Code(
    "LVS031",
    "packets that find no virtual service any more",
    """A comparison finds packets that a virtual service took before and that none takes now, or one without a real server for
new clients: each has the weight 0, or there is none. Clients who send them are refused, or answered by the director itself; or
no director has the address any more.""",
    Severity.WARNING,
)
CHANGED = Code(
    "LVS032",
    "packets that are treated differently",
    """A comparison finds packets that go to other real servers, in another way, by another choice, or of which persistence
keeps other ones together; or that the packet filter marks, tracks or translates differently.""",
    Severity.NOTE,
)
UNKNOWN = Code(
    "LVS033",
    "packets of which it is not known",
    """A comparison cannot say that packets are treated alike: a rule that lvsc did not write, or a fragment that its reader
does not understand, decides on the same thing. It is named; remove it, or judge by hand what it does.""",
    Severity.WARNING,
)

ALL = (EXPOSED, LOST, CHANGED, UNKNOWN)

_CODES = {ChangeKind.EXPOSURE: EXPOSED, ChangeKind.LOSS: LOST}


def findings(difference: Difference, current: Container[str]) -> Iterator[Diagnostic]:
    """Each change for packets and each open question. Only `current` files have lines to show something beside."""
    for change in difference.packets:
        yield _change(change, current)
    for unknown in dict.fromkeys(difference.unknown):
        yield _unknown(unknown)


def _change(change: PacketChange, current: Container[str]) -> Diagnostic:
    said = origins(change)
    place = next((origin for origin in said if origin.file in current), None)
    notes = [
        f"before: {change.before}",
        f"after: {change.after}",
        f"for example {change.witness}",
        f"on {', '.join(change.hosts)}",
    ]
    return _CODES.get(change.kind, CHANGED).at(
        None if place is None else Place(place, Anchor.TABLE),
        f"{KINDS[change.kind]}: {traffic(change)}",
        notes=notes,
    )


def _unknown(unknown: Unknown) -> Diagnostic:
    return UNKNOWN.at(
        None,
        f"unknown {unknown.aspect.value}: {fragment(unknown)}",
        notes=[f"on {unknown.host}, in {_where(unknown.origin, unknown.side)}"],
    )


def _where(origin: Origin | None, side: str) -> str:
    if origin is None:
        return side
    return origin.file if origin.line is None else f"{origin.file}:{origin.line}"
