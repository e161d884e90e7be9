"""Which backends a cluster uses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lvsc.analysis import codes
from lvsc.diagnostics import Diagnostic, DiagnosticError, Place, nearest
from lvsc.lowering.lowered import Lowered
from lvsc.plugins.backend import Backend, Role
from lvsc.plugins.manager import Plugins
from lvsc.targets import Target

#: The backend of every host's kernel modules, settings and addresses.
HOST = "host"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A backend that somebody asks for by name."""

    name: str
    place: Place | None
    """Where in the spec; None for the command line."""


def choose_backends(
    lowered: Lowered, target: Target, plugins: Plugins, override: Sequence[str] = ()
) -> tuple[Backend, ...]:
    """The cluster's backends: what is asked for (the command line wins), then the target's, one of each role, sorted.

    Of settings backends there may be several, each for a program of its own.

    Raises:
        DiagnosticError: A name is unknown, or two of one role are asked for.
    """
    cluster = lowered.cluster
    asked = [Wanted(name, Place(cluster.origin / "backends" / i)) for i, name in enumerate(cluster.backends)]
    command_line = [Wanted(name, None) for name in override]
    chosen: dict[Role | str, Backend] = {}
    problems: list[Diagnostic] = []
    for wanted in (command_line, asked):
        round_seats: dict[Role | str, Backend] = {}
        for want in wanted:
            backend = _find(want, plugins, problems)
            if backend is None:
                continue
            other = round_seats.setdefault(_seat(backend), backend)
            if other is not backend:
                problems.append(_two(want, other, backend))
            chosen.setdefault(_seat(backend), backend)
    if problems:
        raise DiagnosticError(problems)
    for name in (target.packet_filter, target.director, HOST):
        backend = plugins.backend(name)
        chosen.setdefault(_seat(backend), backend)
    settings = [plugins.backend(name) for name in lowered.backends]
    return tuple(sorted({b.name: b for b in (*chosen.values(), *settings)}.values(), key=lambda b: b.name))


def _seat(backend: Backend) -> Role | str:
    """What one backend of a cluster can have: its role or, of a settings backend, its name."""
    return backend.name if backend.role is Role.SETTINGS else backend.role


def _find(want: Wanted, plugins: Plugins, problems: list[Diagnostic]) -> Backend | None:
    if want.name in plugins.backend_names:
        return plugins.backend(want.name)
    near = nearest(want.name, plugins.backend_names)
    problems.append(
        codes.UNKNOWN_BACKEND.at(
            want.place,
            f"there is no backend `{want.name}`",
            help=f"did you mean `{near}`?" if near else f"there are: {_listed(plugins.backend_names)}",
            replacement=f'"{near}"' if near else None,
            trouble=want.place is None,
        )
    )
    return None


def _two(want: Wanted, first: Backend, second: Backend) -> Diagnostic:
    return codes.TWO_BACKENDS.at(
        want.place,
        f"`{first.name}` and `{second.name}` are both the {second.role.value} backend",
        help="name one of the two",
        trouble=want.place is None,
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
