"""The packet that is asked about: `tcp 198.51.100.7 -> 192.0.2.10:443 on lvs1`."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from lvsc.compare.names import end
from lvsc.diagnostics import Diagnostic, DiagnosticError, Origin, Place, nearest
from lvsc.graph.traffic import MAX_PORT, Address, Family, Protocol
from lvsc.trace.codes import IMPOSSIBLE_PACKET, UNREADABLE_PACKET

#: What diagnostics call the text.
FILE = "PACKET"
#: The source port of a packet that says none: one that clients use.
USUAL_PORT = 40000

_FORM = "`tcp 198.51.100.7 -> 192.0.2.10:443` is one; `lvsc explain LVS721` says more"
_MAX_MARK = 0xFFFFFFFF
_WORD = re.compile(r"->|(?:(?!->)\S)+")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::(.*))?")
_NUMBER = re.compile(r"[0-9]+")
_MARK = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_INTERFACE = re.compile(r"[!-.0-~]{1,15}")
_OPTIONS = ("on", "in", "from", "mark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The first packet of a connection, and where it arrives."""

    protocol: Protocol
    source: Address
    source_port: int
    destination: Address
    destination_port: int
    director: str | None = None
    """None is every director."""
    interface: str | None = None
    """None is one that no rule names."""
    source_mac: str | None = None
    """Lowercase; None is one that no rule names."""
    mark: int = 0

    @property
    def family(self) -> Family:
        """The family of both addresses."""
        return Family.of(self.destination)

    def __str__(self) -> str:
        words = [
            self.protocol.value,
            end(self.source, self.source_port),
            "->",
            end(self.destination, self.destination_port),
        ]
        for option, value in zip(_OPTIONS, (self.director, self.interface, self.source_mac), strict=False):
            words += [option, value] if value is not None else []
        words += ["mark", str(self.mark)] if self.mark else []
        return " ".join(words)


def parse(text: str) -> Asked:
    """The packet that a text describes.

    Raises:
        DiagnosticError: It describes none; every mistake is named, each at its column.
    """
    reader = _Reader(text)
    asked = reader.read()
    if asked is None or reader.problems:
        raise DiagnosticError(reader.problems)
    return asked


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    column: int

    @property
    def place(self) -> Place:
        return Place(Origin(FILE, line=1, column=self.column), length=len(self.text))


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._words = [_Word(found.group(), found.start() + 1) for found in _WORD.finditer(text)]
        self.problems: list[Diagnostic] = []

    def read(self) -> Asked | None:
        if self._text != " ".join(self._text.splitlines()) or not self._text.isprintable():
            self._wrong(None, "a packet is one line of printable characters", _FORM)
            return None
        if len(self._words) < 4 or self._words[2].text != "->":  # noqa: PLR2004 - protocol, source, arrow, destination
            near = self._words[2] if len(self._words) > 2 else None  # noqa: PLR2004 - likewise
            self._wrong(near, "expected a protocol, a source, `->` and a destination", _FORM)
            return None
        protocol = self._protocol(self._words[0])
        source, source_port = self._end(self._words[1])
        known = len(self.problems)
        destination, port = self._end(self._words[3])
        if port is None and len(self.problems) == known:
            self._wrong(
                self._words[3],
                "the destination has no port",
                "add one, such as 443; an IPv6 address with a port stands in brackets",
            )
        options = self._options(self._words[4:])
        mac, mark = options.get("from"), options.get("mark")
        if protocol is None or source is None or destination is None or port is None:
            return None
        if source.version != destination.version:
            self._impossible(self._words[3], "the source and the destination are of two families")
        return Asked(
            protocol=protocol,
            source=source,
            source_port=USUAL_PORT if source_port is None else source_port,
            destination=destination,
            destination_port=port,
            director=options.get("on"),
            interface=options.get("in"),
            source_mac=None if mac is None else mac.lower(),
            mark=0 if mark is None else int(mark, 16 if mark[:2].lower() == "0x" else 10),
        )

    def _protocol(self, word: _Word) -> Protocol | None:
        names = {protocol.value: protocol for protocol in Protocol}
        found = names.get(word.text.lower())
        if found is None:
            near = nearest(word.text.lower(), names)
            help_text = f"did you mean `{near}`?" if near else f"IPVS balances {', '.join(names)}"
            self._wrong(word, f"there is no protocol `{word.text}`", help_text)
        return found

    def _end(self, word: _Word) -> tuple[Address | None, int | None]:
        bracketed = _BRACKETED.fullmatch(word.text)
        if bracketed is not None:
            host, port = bracketed.groups()
        elif word.text.count(":") > 1:
            host, port = word.text, None
        else:
            host, colon, after = word.text.partition(":")
            port = after if colon else None
        return self._address(word, host, in_brackets=bracketed is not None), self._port(word, port)

    def _address(self, word: _Word, text: str, *, in_brackets: bool) -> Address | None:
        try:
            address = ip_address(text)
        except ValueError:
            self._wrong(
                word,
                f"`{text}` is no IP address",
                "write an address and not a name; an IPv6 one with a port in brackets",
            )
            return None
        if in_brackets and isinstance(address, IPv4Address):
            self._wrong(word, "an IPv4 address stands without brackets", f"write `{address}`")
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            self._wrong(
                word, f"`{text}` names a zone", "leave out what is behind `%`, and say `in INTERFACE`"
            )
        if address.is_multicast or address.is_unspecified or address == IPv4Address("255.255.255.255"):
            self._impossible(word, f"`{address}` is no address of a single host")
        return address

    def _port(self, word: _Word, text: str | None) -> int | None:
        if text is None:
            return None
        if _NUMBER.fullmatch(text) and 1 <= int(text[:6]) <= MAX_PORT:
            return int(text)
        self._wrong(word, f"`{text}` is no port", f"a port is a number from 1 to {MAX_PORT}")
        return None

    def _options(self, words: list[_Word]) -> dict[str, str]:
        found: dict[str, str] = {}
        rest = iter(words)
        for word in rest:
            if word.text not in _OPTIONS:
                near = nearest(word.text, _OPTIONS)
                help_text = f"did you mean `{near}`?" if near else f"what may follow: {', '.join(_OPTIONS)}"
                self._wrong(word, f"`{word.text}` says nothing of a packet", help_text)
                next(rest, None)
                continue
            value = next(rest, None)
            if value is None:
                self._wrong(word, f"nothing follows `{word.text}`", f"say it, or leave out `{word.text}`")
            elif word.text in found:
                self._wrong(word, f"`{word.text}` is said twice", "say it once")
            elif self._fits(word.text, value):
                found[word.text] = value.text
        return found

    def _fits(self, option: str, value: _Word) -> bool:
        text = value.text
        match option:
            case "from" if not _MAC.fullmatch(text):
                self._wrong(value, f"`{text}` is no MAC address", "write six bytes: `52:54:00:12:34:56`")
            case "mark" if (
                not _MARK.fullmatch(text) or int(text, 16 if text[:2].lower() == "0x" else 10) > _MAX_MARK
            ):
                self._wrong(value, f"`{text}` is no mark", f"a mark is a number from 0 to {_MAX_MARK}")
            case "in" if not _INTERFACE.fullmatch(text):
                self._wrong(value, f"`{text}` is no interface", "an interface's name has up to 15 characters")
            case _:
                return True
        return False

    def _wrong(self, word: _Word | None, message: str, help_text: str) -> None:
        self.problems.append(UNREADABLE_PACKET.at(self._place(word), message, help=help_text))

    def _impossible(self, word: _Word, message: str) -> None:
        self.problems.append(
            IMPOSSIBLE_PACKET.at(word.place, message, help="ask about a packet that a client can send")
        )

    def _place(self, word: _Word | None) -> Place:
        return (
            Place(Origin(FILE, line=1, column=1), length=max(1, len(self._text)))
            if word is None
            else word.place
        )
