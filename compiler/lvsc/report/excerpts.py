"""Which lines of the emitted files come from a service."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lvsc.compile import Compiled, EmittedFile
from lvsc.diagnostics import Origin
from lvsc.lowering.lowered import LoweredService
from lvsc.plugins.artifact import Line
from lvsc.plugins.backend import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Lines of a file that is the same, in these lines, on each of the hosts."""

    hosts: tuple[str, ...]
    path: str
    lines: tuple[tuple[int, str], ...]
    """Each with its number, from 1."""


def excerpts(compiled: Compiled, lowered: LoweredService) -> tuple[Excerpt, ...]:
    """What the service has in every host's files, by first host and path; equal excerpts are one.

    A line that several services need stands under the first of them.
    """
    roles = {backend.name: backend.role for backend in compiled.parts}
    return tuple(
        Excerpt(hosts=tuple(hosts), path=path, lines=lines)
        for (path, lines), hosts in _by_content(compiled.files, lowered, roles).items()
    )


def _by_content(
    files: Iterable[EmittedFile], lowered: LoweredService, roles: Mapping[str, Role]
) -> dict[tuple[str, tuple[tuple[int, str], ...]], list[str]]:
    found: dict[tuple[str, tuple[tuple[int, str], ...]], list[str]] = {}
    for file in files:
        nested = roles[file.backend] is Role.DIRECTOR
        lines = tuple(_lines(file.artifact.lines, lowered, nested=nested))
        if lines:
            found.setdefault((file.artifact.path, lines), []).append(file.host)
    return found


def _lines(lines: Iterable[Line], lowered: LoweredService, *, nested: bool) -> Iterator[tuple[int, str]]:
    """The numbered lines of a file that come from the service or its pool.

    `nested`: a director backend repeats a pool within each service that uses it, so that only what follows the service's
    own lines is the service's.
    """
    service, pool = ("services", lowered.service.name), ("pools", lowered.service.pool.name)
    within = not nested
    opened: list[bool] = []
    for number, line in enumerate(lines, start=1):
        kind = _head(line.origin)
        if nested and line.origin is not None and kind != pool:
            within = kind == service
        text = line.text.strip()
        # A brace that closes a block comes from no place of its own.
        ours = opened.pop() if text == "}" and opened else kind == service or (kind == pool and within)
        if text.endswith("{"):
            opened.append(ours)
        if ours:
            yield number, line.text


def _head(origin: Origin | None) -> tuple[str | int, ...]:
    """The table that an origin is in: `("services", "web")`."""
    return origin.path[:2] if origin is not None else ()
