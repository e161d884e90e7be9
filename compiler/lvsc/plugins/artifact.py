"""What a backend hands back: files for one host, and how that host loads them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from lvsc.diagnostics import Origin
from lvsc.secrets import SecretRef

_PATH = re.compile(r"(?:/[!-.0-~]+)+")
_ENDS_A_LINE = re.compile(r"[\n\r\0]")


class Stage(Enum):
    """When something is loaded on a host, in this order; the reverse on removal."""

    MODULES = "modules"
    SYSCTL = "sysctl"
    PACKET_FILTER = "packet-filter"
    DIRECTOR = "director"
    SETTINGS = "settings"
    """The settings of a real server's own programs."""
    ADDRESSES = "addresses"
    """Last, so that no client arrives before everything else is ready."""

    @property
    def position(self) -> int:
        """The stage's place in the loading order, from 0."""
        return list(Stage).index(self)


def is_host_path(path: str) -> bool:
    """Whether a host's path is absolute, in its shortest form, and of printable ASCII characters without spaces."""
    return _PATH.fullmatch(path) is not None and not {".", ".."} & set(path.split("/"))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an emitted file without its newline, and what in the spec it comes from.

    Raises:
        ValueError: The text is more than one line; nothing from a spec may begin a line of its own.
    """

    text: str
    origin: Origin | None = None
    """None for what no place in the spec asks for, such as the head of a file."""

    def __post_init__(self) -> None:
        # The first question is a quick one, and for nearly every line the last.
        if not self.text.isprintable() and _ENDS_A_LINE.search(self.text):
            raise ValueError(f"a line break inside a line: {self.text!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file for a host. Its text may hold placeholders of secrets, never a secret."""

    path: str
    """Absolute, on the host that it is for."""
    lines: tuple[Line, ...]
    mode: int = 0o644
    secrets: tuple[SecretRef, ...] = ()
    """The secrets whose placeholders are in the text; such a file is written with mode 0600."""
    stage: Stage | None = None
    """The stage of the backend's step that puts the file into effect; needed only where it has several on one host."""

    @property
    def text(self) -> str:
        """The whole text; every line ends in a newline."""
        return "".join(f"{line.text}\n" for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStep:
    """How a host comes to use some of its files, and how it stops. Commands are argument lists with absolute programs."""

    stage: Stage
    unit: str | None
    """The init system's unit that does this at boot, and that is reloaded when the files change."""
    load: tuple[tuple[str, ...], ...]
    """What puts the files into effect now, and changes nothing when it is done twice."""
    unload: tuple[tuple[str, ...], ...] = ()
    enable: tuple[tuple[str, ...], ...] = ()
    """What makes the unit start at boot, and run from now on where it does not: only then does it stop and start with the
    units that it goes with. Done after `load`, once; a second time changes nothing."""
    disable: tuple[tuple[str, ...], ...] = ()
    """What undoes `enable`; done after `unload`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """All that a backend has for one host."""

    artifacts: tuple[Artifact, ...] = ()
    steps: tuple[LoadStep, ...] = ()


class Text:
    """Collects the lines of a file."""

    def __init__(self) -> None:
        self._lines: list[Line] = []

    def add(self, text: str = "", origin: Origin | None = None) -> None:
        """Append a line.

        Raises:
            ValueError: The text is more than one line.
        """
        self._lines.append(Line(text, origin))

    def extend(self, lines: Iterable[str]) -> None:
        """Append lines that come from no place in the spec."""
        for line in lines:
            self.add(line)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    def artifact(
        self,
        path: str,
        mode: int = 0o644,
        secrets: Iterable[SecretRef] = (),
        stage: Stage | None = None,
    ) -> Artifact:
        """The file at a path that holds the lines collected so far."""
        return Artifact(path=path, lines=tuple(self._lines), mode=mode, secrets=tuple(secrets), stage=stage)
