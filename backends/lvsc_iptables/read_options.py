"""The words of other people's rules taken apart: conditions, where a rule sends its packets, and what it tells the target.

iptables takes options in any order, conditions behind the target too, and long ones by any beginning that is nobody else's
(xshared.c, getopt_long(3)). Here options count as they are saved. What else there is leaves the rule's conditions open, or,
where it may send packets somewhere, the whole rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

#: Conditions that every rule may have, and how many values each has (iptables(8), PARAMETERS).
_CONDITIONS = {"-s": 1, "-d": 1, "-p": 1, "-i": 1, "-o": 1, "-f": 0}
#: As they may be written besides.
_ALIASES = {
    "--source": "-s",
    "--src": "-s",
    "--destination": "-d",
    "--dst": "-d",
    "--protocol": "-p",
    "--in-interface": "-i",
    "--out-interface": "-o",
    "--match": "-m",
    "--jump": "-j",
    "--goto": "-g",
    "--fragment": "-f",
    "--set-counters": "-c",
    "--source-port": "--sport",
    "--destination-port": "--dport",
    "--source-ports": "--sports",
    "--destination-ports": "--dports",
}
_PORTS = {"--sport": 1, "--dport": 1}
#: Options of matches (iptables-extensions(8)). A match that is not here has options that are not known.
_MATCHES: dict[str, dict[str, int]] = {
    "tcp": _PORTS | {"--tcp-flags": 2, "--syn": 0, "--tcp-option": 1},
    "udp": _PORTS,
    "sctp": _PORTS,
    "icmp": {"--icmp-type": 1},
    "icmp6": {"--icmpv6-type": 1},
    "multiport": {"--sports": 1, "--dports": 1, "--ports": 1},
    "comment": {"--comment": 1},
    "conntrack": {"--ctstate": 1, "--ctdir": 1},
    "state": {"--state": 1},
    "addrtype": {"--src-type": 1, "--dst-type": 1},
    "limit": {"--limit": 1, "--limit-burst": 1},
    "mark": {"--mark": 1},
    "mac": {"--mac-source": 1},
}
_OF_MATCHES = {option: (name, values) for name, each in _MATCHES.items() for option, values in each.items()}
#: Matches that take in every packet of their protocol where nothing else is said; others have something else in mind.
_EVERY_PACKET = frozenset({"tcp", "udp", "sctp", "comment"})
_LOG = {"--log-level": 1, "--log-prefix": 1}
_LOG |= dict.fromkeys(("--log-tcp-sequence", "--log-tcp-options", "--log-ip-options", "--log-uid"), 0)
_RANDOM = {"--random": 0, "--random-fully": 0, "--persistent": 0}
#: Options of targets (iptables-extensions(8)). What is said to a target that is not here is not known.
_TARGETS: dict[str, dict[str, int]] = {
    "ACCEPT": {},
    "DROP": {},
    "RETURN": {},
    "NOTRACK": {},
    "TRACE": {},
    "REJECT": {"--reject-with": 1},
    "LOG": _LOG | {"--log-macdecode": 0},
    "NFLOG": dict.fromkeys(("--nflog-group", "--nflog-prefix", "--nflog-size", "--nflog-threshold"), 1),
    "MARK": dict.fromkeys(("--set-xmark", "--set-mark", "--and-mark", "--or-mark", "--xor-mark"), 1),
    "CONNMARK": {"--save-mark": 0, "--restore-mark": 0}
    | dict.fromkeys(("--set-xmark", "--set-mark", "--nfmask", "--ctmask", "--mask"), 1),
    "CT": {"--notrack": 0}
    | dict.fromkeys(("--helper", "--timeout", "--ctevents", "--expevents", "--zone"), 1),
    "SNAT": {"--to-source": 1} | _RANDOM,
    "DNAT": {"--to-destination": 1} | _RANDOM,
    "MASQUERADE": {"--to-ports": 1} | _RANDOM,
    "REDIRECT": {"--to-ports": 1} | _RANDOM,
    "NETMAP": {"--to": 1},
    "TCPMSS": {"--set-mss": 1, "--clamp-mss-to-pmtu": 0},
    "SET": {"--add-set": 2, "--del-set": 2, "--timeout": 1, "--exist": 0},
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, by its option as iptables saves it."""

    option: str
    values: tuple[str, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """What a rule says."""

    target: str
    """A target or chain; empty for a rule that only counts."""
    goes: bool
    """Whether it goes to a chain without coming back (`-g`)."""
    options: tuple[str, ...] | None
    """What is said to the target; None where that is not known."""
    conditions: tuple[Condition, ...]
    complete: bool
    """Whether these are all conditions; there are more otherwise, which are not known."""

    @property
    def always(self) -> bool:
        """Whether it is for every packet."""
        return self.complete and not self.conditions


class _NotUnderstoodError(Exception):
    """Nothing is known of what the rule does."""


def parts_of(words: Sequence[str]) -> Parts | None:
    """What the words behind `-A CHAIN` say; None where they may say anything."""
    reader = _Reader(words)
    try:
        reader.read()
    except _NotUnderstoodError:
        return None
    return Parts(
        target=reader.target,
        goes=reader.goes,
        options=tuple(reader.options) if reader.told else None,
        conditions=tuple(reader.conditions),
        complete=reader.complete and not reader.bare,
    )


@dataclass(slots=True)
class _Reader:
    words: Sequence[str]
    at: int = 0
    target: str = ""
    goes: bool = False
    options: list[str] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    bare: set[str] = field(default_factory=set)
    """Matches of which no option has been met yet."""
    known: bool = True
    """Whether an option begins here."""
    complete: bool = True
    """Whether all conditions up to here are known."""
    told: bool = True
    """Whether all is known that is said to the target up to here."""

    def read(self) -> None:
        while self.at < len(self.words):
            word = self.words[self.at]
            option = _ALIASES.get(word, word)
            if option in ("-j", "-g"):
                self._jump(option)
            elif not self.known:
                self._skip(option)
            elif option in _TARGETS.get(self.target, ()):
                self.options += (option, *self._values(_TARGETS[self.target][option]))
            elif option == "-m":
                self._match(*self._values(1))
            elif option == "-c":
                self._values(2)
            else:
                self._condition(option)

    def _jump(self, option: str) -> None:
        (target,) = self._values(1)
        if self.target or not target or target.startswith("-"):
            raise _NotUnderstoodError
        self.target = target
        self.goes = option == "-g"
        self.known = True

    def _match(self, name: str) -> None:
        if name not in _MATCHES:
            self._lost()
        elif name not in _EVERY_PACKET:
            self.bare.add(name)

    def _condition(self, option: str) -> None:
        negated = option == "!"
        if negated:
            self.at += 1
            option = "".join(self.words[self.at : self.at + 1])
            option = _ALIASES.get(option, option)
        if option in _CONDITIONS:
            values = self._values(_CONDITIONS[option])
            self.conditions.append(Condition(option, values, negated))
        elif option in _OF_MATCHES:
            match, number = _OF_MATCHES[option]
            values = self._values(number)
            self.bare.discard(match)
            if match != "comment":
                self.conditions.append(Condition(option, values, negated))
        elif option.startswith("--"):
            self._lost()
        else:
            raise _NotUnderstoodError

    def _lost(self) -> None:
        """Go on where it is not known which words are options."""
        self.known = self.complete = False
        self.told = self.told and not self.target

    def _skip(self, option: str) -> None:
        """Pass over a word that may be an option or a value, unless it may be where packets are sent."""
        if option.startswith("--"):
            name = option[2:].partition("=")[0]
            if "jump".startswith(name) or "goto".startswith(name):
                raise _NotUnderstoodError
        elif option.startswith("-") and option not in (*_CONDITIONS, "-m", "-c"):
            raise _NotUnderstoodError
        self.at += 1

    def _values(self, number: int) -> tuple[str, ...]:
        found = tuple(self.words[self.at + 1 : self.at + 1 + number])
        # Behind an option `!` was once understood, and is refused now.
        if len(found) < number or "!" in found:
            raise _NotUnderstoodError
        self.at += 1 + number
        return found
