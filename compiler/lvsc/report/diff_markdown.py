"""A comparison as a comment on a pull request: what changes for packets as a table, the rest folded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lvsc.compare.changes import Difference
from lvsc.report.diff_text import HEAD, connection_line, packet_row, setting_line, unknown_line
from lvsc.report.lines import Lines
from lvsc.report.markdown import code, fenced, folded, page, prose, table
from lvsc.report.verdict import plural, verdict

#: A reviewer reads no more, and more of them would leave no room for what is folded.
_ROWS = 40
_CELL = 300


def diff_page(
    difference: Difference,
    sources: Mapping[str, str],
    files: Iterable[tuple[str, Sequence[str]]] = (),
) -> str:
    """The comment; the same text whenever nothing is different. `files` are the text differences, where they are wanted."""
    lines = Lines(sources)
    return page("diff", prose(verdict(difference)), _blocks(difference, lines, files))


def _blocks(
    difference: Difference, lines: Lines, files: Iterable[tuple[str, Sequence[str]]]
) -> Iterator[str]:
    if difference.packets:
        rows = [packet_row(change, lines) for change in difference.packets[:_ROWS]]
        yield table(HEAD, (_cells(row) for row in rows))
        if len(difference.packets) > _ROWS:
            yield f"{plural(len(difference.packets) - _ROWS, 'class', 'classes')} more.\n"
    yield _list("Unknown", [unknown_line(each, lines) for each in difference.unknown])
    yield _list("When it is applied", [connection_line(each) for each in difference.connections])
    if difference.settings:
        said = [setting_line(change, lines) for change in difference.settings]
        yield folded(plural(len(said), "setting", "settings"), fenced("\n".join(said)))
    yield _list("Not compared", list(difference.notes))
    for name, diff in files:
        yield folded(name, fenced("\n".join(diff)))


def _cells(row: Sequence[str]) -> tuple[str, ...]:
    kind, traffic, before, after, place, witness = row
    return (
        kind,
        prose(_short(traffic)),
        prose(_short(before)),
        prose(_short(after)),
        code(place),
        code(witness),
    )


def _short(text: str) -> str:
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def _list(title: str, items: Sequence[str]) -> str:
    """A titled list; of a long one, the first items and how many more there are."""
    if not items:
        return ""
    shown = [f"- {prose(_short(item))}\n" for item in items[:_ROWS]]
    if len(items) > _ROWS:
        shown.append(f"- {len(items) - _ROWS} more\n")
    return f"**{title}**\n\n{''.join(shown)}"
