"""IPVS tables read back into nodes: what is emitted for `ipvsadm -R`, and what `ipvsadm -Sn` prints.

`ipvsadm -Sn` saves no thresholds. Its text alone says the table that restoring it would make, which has none; for what a
kernel really has, `ipvsadm -Ln --thresholds` comes after it in one text. It also sorts the real servers; for the order in
which a kernel really has them, `ipvsadm -Ln --nosort` comes last. None says the time-outs and the connection
synchronisation: on a director with lvsc's files, the script beside the table sets them, and it is read too.
"""

import re

from lvsc.plugin import (
    Code,
    Diagnostic,
    Origin,
    Place,
    Reading,
    RealServer,
    Scheduler,
    Selector,
    Source,
    VirtualService,
    shown,
)
from lvsc_ipvsadm import read_codes, read_script
from lvsc_ipvsadm.read_listing import BANNER, Listing
from lvsc_ipvsadm.read_table import ADD_SERVER, ADD_SERVICE, label, selector_of, server_of, service_of
from lvsc_ipvsadm.read_words import MisreadError

_BEGINNING = re.compile(r"(?:ipvsadm[ \t]+)?(?:-[Aa]|--add-serv(?:ice|er))[ \t]")
_ODD = re.compile(r"[^\t -~]")
_ADVICE = "give what `ipvsadm -Sn` prints or `ipvsadm -R` reads"


def recognises(text: str) -> bool:
    """Whether the text is a table, a listing or the script that loads a table."""
    return bool(_BEGINNING.match(text)) or text.startswith(BANNER) or read_script.recognises(text)


def read(source: Source) -> Reading:
    """What the text says; all of a table is lvsc's, which owns the host's whole IPVS table."""
    if read_script.recognises(source.text):
        return read_script.read(source)
    reader = _Reader(source)
    lines = list(enumerate(source.text.removesuffix("\n").split("\n"), start=1)) if source.text else []
    listed = next((index for index, (_, line) in enumerate(lines) if line.startswith(BANNER)), None)
    for number, line in lines[:listed]:
        reader.line(number, line)
    return reader.reading(None if listed is None else Listing(source.file, lines[listed:]))


class _Reader:
    def __init__(self, source: Source) -> None:
        self._host = source.host
        self._file = source.file
        self._selectors: dict[str, tuple[Selector, int]] = {}
        self._services: dict[Selector, VirtualService] = {}
        self._doubtful: set[Selector] = set()
        self._partial = False
        self._open = False
        """Whether a line may do anything to any service."""
        self._servers: dict[tuple[object, ...], RealServer] = {}
        self._problems: list[Diagnostic] = []

    def line(self, number: int, line: str) -> None:
        words = [] if _ODD.search(line) else line.split()
        offset = 1 if words[:1] == ["ipvsadm"] else 0
        origin = Origin(self._file, line=number, column=line.find("-") + 1)
        try:
            self._words(words[offset:], origin)
        except MisreadError as error:
            self._doubt(words[offset:] or [line], origin)
            error.index += offset
            self._problems.append(error.at(self._file, number, line))

    def reading(self, listing: Listing | None) -> Reading:
        servers = tuple(self._servers.values())
        if listing is not None:
            servers = tuple(listing.completed(self._services, servers))
            self._problems += listing.problems
            self._open = self._open or bool(listing.problems)
        return Reading(
            nodes=(*self._services.values(), *servers),
            problems=tuple(self._problems),
            doubtful=frozenset(self._services if self._open else self._doubtful & self._services.keys()),
            partial=self._open or self._partial,
        )

    def _words(self, words: list[str], origin: Origin) -> None:
        command = words[0] if words else ""
        if command not in ADD_SERVICE and command not in ADD_SERVER:
            message = (
                f"`{shown(command)}` adds nothing to a table"
                if command
                else "the line is empty, or not printable ASCII"
            )
            raise MisreadError(read_codes.LINE, 0, message, _ADVICE)
        selector, start = self._selector(words)
        if command in ADD_SERVICE:
            service = service_of(words, start, selector, self._host, origin)
            first = self._services.setdefault(selector, service)
            if first is not service:
                self._doubtful.add(selector)
                self._complain(
                    read_codes.TABLE, origin, f"the service {label(selector)} is there twice", first.origin
                )
            return
        server = server_of(words, start, selector, self._host, origin)
        if selector not in self._services:
            message = f"the service {label(selector)} is not in the text before its real server"
            raise MisreadError(read_codes.TABLE, 0, message, "add the service first")
        key = (selector, server.address, server.port)
        known = self._servers.setdefault(key, server)
        if known is not server:
            self._doubtful.add(selector)
            message = (
                f"the service {label(selector)} has the real server {server.address} port {server.port} twice"
            )
            self._complain(read_codes.TABLE, origin, message, known.origin)

    def _doubt(self, words: list[str], origin: Origin) -> None:
        """Keep what a line leaves open that is not understood."""
        command = words[0]
        if command not in ADD_SERVICE and command not in ADD_SERVER:
            self._partial = True
            self._open = self._open or command.strip()[:1] not in ("", "#")
            return
        try:
            selector, _ = self._selector(words)
        except MisreadError:
            self._partial = True
            self._open = self._open or command in ADD_SERVER
            return
        self._doubtful.add(selector)
        if command in ADD_SERVICE and selector not in self._services:
            self._services[selector] = VirtualService(
                host=self._host,
                origin=origin,
                selector=selector,
                service=label(selector),
                scheduler=Scheduler.WLC,
            )

    def _selector(self, words: list[str]) -> tuple[Selector, int]:
        """The service that a line is about; the lines of a service's real servers all say it alike."""
        said = " ".join(words[1:4])
        if words[3:4] != ["-6"]:
            said = " ".join(words[1:3])
        found = self._selectors.get(said)
        if found is None:
            found = self._selectors[said] = selector_of(words)
        return found

    def _complain(self, code: Code, origin: Origin, message: str, other: Origin) -> None:
        others = [Place(other, label="the first")]
        self._problems.append(code.at(origin, message, others=others, help="remove one of the two"))
