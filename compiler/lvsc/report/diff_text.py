"""A comparison as text for people: what changes for packets first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lvsc.compare.changes import (
    ChangeKind,
    ConnectionChange,
    Difference,
    PacketChange,
    SettingChange,
    Unknown,
)
from lvsc.report.lines import Lines
from lvsc.report.source_line import harmless
from lvsc.report.verdict import KINDS, fragment, origins, traffic, verdict

#: What the columns are called; the first says what becomes of the packets.
HEAD = ("", "traffic class", "before", "after", "spec line", "witness")
_ALARMING = {ChangeKind.EXPOSURE: "\x1b[1;31m", ChangeKind.LOSS: "\x1b[1;33m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


def render(difference: Difference, sources: Mapping[str, str], *, colour: bool) -> str:
    """The whole comparison; no control character of what is compared reaches the output."""
    lines = Lines(sources)

    def paint(code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if colour else text

    blocks = [[paint(_BOLD, verdict(difference))]]
    if difference.packets:
        rows = [packet_row(change, lines) for change in difference.packets]
        table = list(aligned((HEAD, *rows)))
        codes = ["", *(_ALARMING.get(change.kind, "") for change in difference.packets)]
        blocks.append([paint(code, row) if code else row for code, row in zip(codes, table, strict=True)])
    blocks += [
        _titled("unknown", (unknown_line(each, lines) for each in difference.unknown)),
        _titled("connections, when it is applied", map(connection_line, difference.connections)),
        *_settings(difference.settings, lines),
        _titled("not compared", difference.notes),
    ]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks if block)


def packet_row(change: PacketChange, lines: Lines) -> tuple[str, ...]:
    """What is said of one class of packets, in the order of the table's head."""
    where = f" on {', '.join(change.hosts)}"
    cells = (
        KINDS[change.kind],
        traffic(change) + where,
        change.before,
        change.after,
        lines.places(origins(change)),
        str(change.witness),
    )
    return tuple(map(harmless, cells))


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows of a table, its columns as wide as their widest cells."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def unknown_line(unknown: Unknown, lines: Lines) -> str:
    """What is not known, and why."""
    place = f" at {lines.place(unknown.origin)}" if unknown.origin else ""
    return harmless(f"{unknown.aspect.value} on {unknown.host}: {fragment(unknown)}{place} of {unknown.side}")


def connection_line(change: ConnectionChange) -> str:
    """What becomes of a service's connections."""
    return harmless(f"{change.fate.value}: `{change.service}` on {', '.join(change.hosts)}: {change.what}")


def setting_line(change: SettingChange, lines: Lines) -> str:
    """What is set otherwise, where, and where it is said."""
    if change.before is None:
        what = f"+ {change.subject}" + _detail(change.after)
    elif change.after is None:
        what = f"- {change.subject}" + _detail(change.before)
    else:
        what = f"~ {change.subject}: {change.field.replace('_', ' ')} {change.before} -> {change.after}"
    place = f" ({lines.place(change.origin)})" if change.origin else ""
    return harmless(f"{what} on {', '.join(change.hosts)}{place}")


def _detail(said: str | None) -> str:
    return "" if said in (None, "there") else f": {said}"


def _settings(changes: Iterable[SettingChange], lines: Lines) -> Iterator[list[str]]:
    sections: dict[str, list[str]] = {}
    for change in changes:
        sections.setdefault(change.section.value, []).append(setting_line(change, lines))
    for title, found in sections.items():
        yield _titled(title, found)


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    """A block with its title; nothing without lines."""
    found = [f"  {line}" for line in lines]
    return [f"{title}:", *found] if found else []
