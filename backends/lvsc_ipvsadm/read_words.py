"""The words of a line of ipvsadm's: options with their values, addresses and numbers."""

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address, ip_address

from lvsc.plugin import Address, Code, Diagnostic, Origin, Place, shown
from lvsc_ipvsadm import read_codes

_WORD = re.compile(r"[^ \t]+")
_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)
_PLACE = re.compile(r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\]):([0-9]{1,5})", re.ASCII)


class MisreadError(ValueError):
    """A line that says nothing that is understood; `index` is that of the word at fault."""

    def __init__(self, code: Code, index: int, message: str, advice: str) -> None:
        super().__init__(message)
        self.code = code
        self.index = index
        self.message = message
        self.advice = advice

    def at(self, file: str, number: int, line: str) -> Diagnostic:
        """The diagnostic at the word of this line; behind the last one, at the line's end."""
        spans = [found.span() for found in _WORD.finditer(line)]
        start, end = spans[self.index] if self.index < len(spans) else (len(line), len(line) + 1)
        place = Place(Origin(file, line=number, column=start + 1), length=end - start)
        return self.code.at(place, self.message, help=self.advice)


def refused(index: int, what: str, word: str, advice: str) -> MisreadError:
    """A value that is none."""
    message = f"`{shown(word)}` is not {what}" if word else f"{what} is missing"
    return MisreadError(read_codes.VALUE, index, message, advice)


def number(words: Sequence[str], index: int, what: str, low: int, high: int) -> int:
    """The number that a word is.

    Raises:
        MisreadError: it is none, or not within the bounds, both included.
    """
    word = words[index] if index < len(words) else ""
    if not _DIGITS.fullmatch(word) or not low <= int(word) <= high:
        raise refused(index, f"{what} from {low} to {high}", word, "correct it")
    return int(word)


def place(words: Sequence[str], index: int) -> tuple[Address, int]:
    """The address and port that a word is, an IPv6 address in brackets.

    Raises:
        MisreadError: it is none, or an IPv4 address in IPv6's notation.
    """
    word = words[index] if index < len(words) else ""
    found = _PLACE.fullmatch(word)
    try:
        address = ip_address(found[1] or found[2]) if found else None
    except ValueError:
        address = None
    if found is None or address is None or int(found[3]) > 65535:  # noqa: PLR2004 - the last port
        raise refused(index, "an address and port", word, "give numbers, as `ipvsadm -Sn` prints them")
    if (address.version == 6) is (found[2] is None):  # noqa: PLR2004 - IPv6
        raise refused(index, "an address and port", word, "write an IPv6 address alone in brackets")
    if isinstance(address, IPv6Address) and int(address) >> 32 in (0, 0xFFFF):
        raise refused(index, "an IPv6 address that IPVS balances", word, "write the IPv4 address")
    return address, int(found[3])


class Options:
    """The options of a line, each asked for once; those that nobody asked for are left over."""

    def __init__(
        self, words: Sequence[str], start: int, names: dict[str, str], valued: frozenset[str]
    ) -> None:
        """``names``: each spelling of an option and its name; ``valued``: the names of those that have a value.

        Raises:
            MisreadError: an option is unknown or there twice.
        """
        self.words = words
        self._found: dict[str, int] = {}
        index = start
        while index < len(words):
            name = names.get(words[index])
            if name is None:
                message = f"`{shown(words[index])}` is no option that is understood here"
                raise MisreadError(read_codes.OPTION, index, message, "remove it")
            if name in self._found:
                message = f"`{words[index]}` is there twice"
                raise MisreadError(read_codes.OPTION, index, message, "remove one of the two")
            self._found[name] = index
            index += 2 if name in valued else 1

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def at(self, name: str) -> int:
        """The index of the word that the option is; of the first word where it is not there."""
        return self._found.get(name, 0)

    def number(self, name: str, what: str, low: int, high: int, default: int) -> int:
        """The option's number, or the default where it is not there."""
        at = self._found.get(name)
        return default if at is None else number(self.words, at + 1, what, low, high)

    def text(self, name: str) -> str | None:
        """The option's value, empty where the line ends; None where it is not there."""
        at = self._found.get(name)
        if at is None:
            return None
        return self.words[at + 1] if at + 1 < len(self.words) else ""
