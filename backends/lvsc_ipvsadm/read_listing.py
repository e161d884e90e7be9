"""What `ipvsadm -Sn` does not save: the thresholds, which `ipvsadm -Ln --thresholds` lists, and the order in which real
servers were added, which is the reverse of that in `ipvsadm -Ln --nosort`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from lvsc.plugin import (
    Address,
    AddressSelector,
    Diagnostic,
    Family,
    MarkSelector,
    Origin,
    Protocol,
    RealServer,
    Selector,
    VirtualService,
    shown,
)
from lvsc_ipvsadm import read_codes
from lvsc_ipvsadm.read_words import MisreadError, number, place

#: How a listing begins.
BANNER = "IP Virtual Server version "

_HEADERS = (("Prot", "LocalAddress:Port", "Uthreshold", "Lthreshold"), ("->", "RemoteAddress:Port"))
#: What tells the listing of the order from that of the thresholds.
_ORDER = ("Prot", "LocalAddress:Port", "Scheduler", "Flags")
_PROTOCOLS = {"TCP": Protocol.TCP, "UDP": Protocol.UDP, "SCTP": Protocol.SCTP}
_ADVICE = "print `ipvsadm -Sn` and `ipvsadm -Ln --thresholds` at once"
_LARGEST = 2**32 - 1

Key = tuple[Selector, Address, int]


class Listing:
    """What a listing says."""

    def __init__(self, file: str, lines: Iterable[tuple[int, str]]) -> None:
        """``lines``: each with its number, the banner first."""
        self.problems: list[Diagnostic] = []
        self._limits: dict[Key, tuple[int, int]] = {}
        self._order: dict[Key, int] = {}
        self._services: dict[Selector, Origin] = {}
        selector: Selector | None = None
        order = False
        for line_number, line in lines:
            words = line.split()
            if tuple(words) == _ORDER:
                order = True
                continue
            if line.startswith(BANNER) or any(tuple(words[: len(head)]) == head for head in _HEADERS):
                continue
            try:
                if order:
                    selector = self._ordered(words, selector)
                elif words[:1] != ["->"]:
                    selector = _selector(words)
                    self._services[selector] = Origin(file, line=line_number, column=1)
                else:
                    key, limits = _server(words, selector)
                    self._limits[key] = limits
            except MisreadError as error:
                self.problems.append(error.at(file, line_number, line))

    def completed(
        self, services: Mapping[Selector, VirtualService], servers: Iterable[RealServer]
    ) -> Iterator[RealServer]:
        """The real servers with their thresholds. What only one of table and listing has is a problem."""
        for selector, origin in self._services.items():
            if selector not in services:
                self.problems.append(self._differs(origin, "the table has no such service"))
        for selector, service in services.items():
            if selector not in self._services:
                self.problems.append(self._differs(service.origin, "the listing has no such service"))
        left = dict(self._limits)
        for server in self._in_order(servers):
            limits = left.pop((server.selector, server.address, server.port), None)
            if limits is None:
                self.problems.append(self._differs(server.origin, "the listing has no such real server"))
                continue
            upper, lower = limits
            yield replace(server, upper_threshold=upper, lower_threshold=lower)
        for selector, address, port in left:
            if selector in services:
                message = f"the table has no real server {address} port {port} of this service"
                self.problems.append(self._differs(self._services[selector], message))

    def _ordered(self, words: list[str], selector: Selector | None) -> Selector:
        """The service that a line of the listing of the order is about."""
        if words[:1] != ["->"]:
            return _selector(words)
        if selector is None:
            raise MisreadError(read_codes.LISTING, 0, "a real server of no service", _ADVICE)
        # The kernel lists first what was added last (ip_vs_ctl.c, __ip_vs_update_dest).
        self._order[selector, *place(words, 1)] = -len(self._order)
        return selector

    def _in_order(self, servers: Iterable[RealServer]) -> Iterator[RealServer]:
        """The real servers, those of each service in the order in which they were added where that is listed."""
        for _, group in groupby(servers, key=lambda server: server.selector):
            yield from sorted(group, key=lambda s: self._order.get((s.selector, s.address, s.port), 0))

    def _differs(self, origin: Origin, message: str) -> Diagnostic:
        return read_codes.LISTING.at(origin, message, help=_ADVICE)


def _server(words: list[str], selector: Selector | None) -> tuple[Key, tuple[int, int]]:
    if selector is None:
        raise MisreadError(read_codes.LISTING, 0, "a real server of no service", _ADVICE)
    upper, lower = (number(words, index, "a threshold", 0, _LARGEST) for index in (2, 3))
    return (selector, *place(words, 1)), (upper, lower)


def _selector(words: list[str]) -> Selector:
    kind = words[0] if words else ""
    if kind in _PROTOCOLS:
        return AddressSelector(_PROTOCOLS[kind], *place(words, 1))
    if kind == "FWM":
        six = words[2:3] == ["IPv6"]
        return MarkSelector(number(words, 1, "a mark", 1, _LARGEST), Family.IPV6 if six else Family.IPV4)
    raise MisreadError(read_codes.LISTING, 0, f"`{shown(kind)}` begins no line of a listing", _ADVICE)
