"""The files of hosts that no backend reads: units, scripts and settings, of which only the text can be compared."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from lvsc.compare.changes import Section, SettingChange
from lvsc.compare.sides import Side
from lvsc.diagnostics import Origin


def file_changes(old: Side, new: Side) -> Iterator[SettingChange]:
    """The files of hosts on both sides whose text is another, or that one side has; those are left out that are read on both.

    Their hosts and paths are those of `Side.texts`, which has all files of a host or none.
    """
    hosts = old.hosts.keys() & new.hosts.keys()
    for name in sorted(old.unread | new.unread):
        host, slash, path = name.partition("/")
        before, after = old.texts.get(name), new.texts.get(name)
        if host in hosts and before != after:
            yield _change(host, f"file {slash}{path}", (old, new), name)


def _change(host: str, subject: str, sides: tuple[Side, Side], name: str) -> SettingChange:
    before, after = (side.texts.get(name) for side in sides)
    old, new = ([] if text is None else text.splitlines() for text in (before, after))
    removed: list[str] = []
    added: list[str] = []
    place = 0
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            place = place or min(c + 1, len(new))
            removed += old[a:b]
            added += new[c:d]
    side = sides[0] if after is None else sides[1]
    alone = before is None or after is None
    return SettingChange(
        section=Section.HOST_SETTINGS,
        hosts=(host,),
        subject=subject,
        field="" if alone else "text",
        before=None if before is None else "there" if alone else _lines(removed),
        after=None if after is None else "there" if alone else _lines(added),
        origin=side.origin(Origin(name, line=place or 1, column=1)),
        reaches_packets=True,
    )


def _lines(found: list[str]) -> str:
    """The only line, or how many there are."""
    if not found:
        return "nothing"
    return f"`{found[0].strip()}`" if len(found) == 1 else f"{len(found)} lines"
