"""A comparison as JSON, as `lvsc_schemas` describes in `diff.schema.json`."""

from collections.abc import Iterable, Mapping
from typing import Any

from lvsc.compare.changes import Difference, PacketChange
from lvsc.diagnostics import Origin
from lvsc.packets.dimensions import Packet
from lvsc.packets.words import classes
from lvsc.report.lines import Lines
from lvsc.report.verdict import verdict


def difference_result(difference: Difference, sources: Mapping[str, str]) -> dict[str, Any]:
    """What a comparison adds to a document of diagnostics."""
    lines = Lines(sources)
    return {
        "old": difference.old,
        "new": difference.new,
        "differs": difference.differs,
        "verdict": verdict(difference),
        "rewritten": difference.rewritten,
        "packets": [_packets(change, lines) for change in difference.packets],
        "unknown": [
            {
                "aspect": unknown.aspect.value,
                "host": unknown.host,
                "side": unknown.side,
                "fragment": unknown.fragment,
                "place": _place(unknown.origin, lines),
            }
            for unknown in difference.unknown
        ],
        "connections": [
            {
                "fate": change.fate.value,
                "hosts": list(change.hosts),
                "service": change.service,
                "what": change.what,
                "place": _place(change.origin, lines),
            }
            for change in difference.connections
        ],
        "settings": [
            {
                "section": change.section.value,
                "hosts": list(change.hosts),
                "subject": change.subject,
                "field": change.field or None,
                "before": change.before,
                "after": change.after,
                "place": _place(change.origin, lines),
            }
            for change in difference.settings
        ],
        "notes": list(difference.notes),
    }


def _packets(change: PacketChange, lines: Lines) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "hosts": list(change.hosts),
        "traffic": list(classes(change.boxes)),
        "before": change.before,
        "after": change.after,
        "before_places": _places(change.before_origins, lines),
        "after_places": _places(change.after_origins, lines),
        "witness": _witness(change.witness),
    }


def _witness(packet: Packet) -> dict[str, Any]:
    return {
        "text": str(packet),
        "hook": packet.hook.value,
        "protocol": packet.protocol,
        "source": str(packet.source),
        "source_port": packet.source_port,
        "destination": str(packet.destination),
        "destination_port": packet.destination_port,
        "interface": packet.interface,
        "source_mac": packet.source_mac,
        "mark": packet.mark,
    }


def _places(origins: Iterable[Origin], lines: Lines) -> list[dict[str, Any]]:
    return [place for origin in origins if (place := _place(origin, lines)) is not None]


def _place(origin: Origin | None, lines: Lines) -> dict[str, Any] | None:
    if origin is None:
        return None
    return {"file": origin.file, "line": lines.line(origin), "key_path": list(origin.path)}
