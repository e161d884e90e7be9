"""Tells a fault once that several hosts have alike."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace

from lvsc.diagnostics import Diagnostic, Place
from lvsc.packets.words import listed

_QUOTED = re.compile(r"`([^`]+)`")


def told_once(
    diagnostics: Iterable[Diagnostic], files: Mapping[str, tuple[str, str]]
) -> tuple[Diagnostic, ...]:
    """The diagnostics in their order; of those that differ in the host alone the first, with a note of the others.

    `files` has the host and the path of each emitted file, by the name that messages call it.
    """
    told: dict[Hashable, tuple[Diagnostic, list[str]]] = {}
    seen: Counter[Hashable] = Counter()
    for diagnostic in diagnostics:
        host = _host(diagnostic, files)
        what = _without_host(diagnostic, files)
        # What a host has twice is two faults, each of which another host may have too.
        key = (what, seen[host, what])
        seen[host, what] += 1
        told.setdefault(key, (diagnostic, []))[1].append(host)
    return tuple(_with_hosts(first, hosts[1:]) for first, hosts in told.values())


def _with_hosts(diagnostic: Diagnostic, others: list[str]) -> Diagnostic:
    if not others:
        return diagnostic
    note = f"the same is wrong on {listed([f'`{host}`' for host in others])}"
    return replace(diagnostic, notes=(*diagnostic.notes, note))


def _host(diagnostic: Diagnostic, files: Mapping[str, tuple[str, str]]) -> str:
    """The host that a diagnostic is about; empty where it names none."""
    places = (place.origin.file for place in (diagnostic.place, *diagnostic.others) if place is not None)
    words = [*places, *_QUOTED.findall(diagnostic.message)]
    hosts = {host for host, _ in files.values()}
    return next(
        (files[word][0] if word in files else word for word in words if word in files or word in hosts), ""
    )


def _without_host(diagnostic: Diagnostic, files: Mapping[str, tuple[str, str]]) -> Hashable:
    """What a diagnostic says, but of which host. Lines of emitted files are left out: a host may have more before them."""
    hosts = {host for host, _ in files.values()}

    def unnamed(text: str) -> str:
        return _QUOTED.sub(
            lambda found: files[found[1]][1] if found[1] in files else "" if found[1] in hosts else found[0],
            text,
        )

    def place(place: Place | None) -> Hashable:
        if place is None or place.origin.file not in files:
            return place
        return files[place.origin.file][1], unnamed(place.label)

    return (
        diagnostic.code,
        unnamed(diagnostic.message),
        place(diagnostic.place),
        tuple(map(place, diagnostic.others)),
        tuple(map(unnamed, diagnostic.notes)),
        diagnostic.help,
    )
