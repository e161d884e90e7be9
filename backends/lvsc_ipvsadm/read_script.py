"""The script that loads a table, read for what it sets beside the table: time-outs and connection synchronisation.

All else in it is the same on every director and compared with the text as lvsc writes it.
"""

import re
import shlex
from dataclasses import dataclass, field
from ipaddress import ip_address

from lvsc.plugin import Address, ConnectionSync, Diagnostic, Node, Origin, Place, Reading, Source, Timeouts
from lvsc_ipvsadm import read_codes, script

_BEGINNING = "#!/bin/sh\n# Written by lvsc for host "
_HEADER = re.compile(r"# Written by lvsc for host \S+ of cluster \S+\. Do not edit: .*")
_PROGRAM = re.compile(r"^ipvsadm=(\S*/ipvsadm)$", re.MULTILINE)
_NUMBER = r"(0|[1-9][0-9]{0,9})"
_SET = re.compile(rf'"\$ipvsadm" --set {_NUMBER} {_NUMBER} {_NUMBER}')
_UNSAID = re.compile(r'unsaid="([^"$`\\]*)"')
_CALL = re.compile(r"(stop_other|start_daemon) (master|backup) ([^;&|<>`#]*)")
_LONGEST = 31 * 24 * 60 * 60
#: A packet of IPv4 or IPv6 in a frame of 1500 bytes, and the least that the kernel receives (ip_vs_sync.c).
_FRAME = {4: "1472", 6: "1452"}
_LEAST = 1024
_ADVICE = "build and write the files again"


def recognises(text: str) -> bool:
    """Whether the text is a script of lvsc's for ipvsadm."""
    return text.startswith(_BEGINNING) and "\nipvsadm=" in text


def read(source: Source) -> Reading:
    """The time-outs and the synchronisation that the script sets; at the first line that is another one, a problem alone."""
    try:
        return Reading(nodes=tuple(_nodes(source)))
    except _OtherError as error:
        return Reading(problems=(error.diagnostic(source),), partial=False)


class _OtherError(ValueError):
    def __init__(self, line: int, expected: str) -> None:
        super().__init__(expected)
        self.line = line
        self.expected = expected

    def diagnostic(self, source: Source) -> Diagnostic:
        lines = source.text.splitlines()
        length = len(lines[self.line]) if self.line < len(lines) else 1
        place = Place(Origin(source.file, line=self.line + 1, column=1), length=max(length, 1))
        return read_codes.SCRIPT.at(place, f"here lvsc writes {self.expected}", help=_ADVICE)


def _nodes(source: Source) -> list[Node]:
    lines = source.text.splitlines()
    program = _PROGRAM.search(source.text)
    path = program[1] if program is not None else "/sbin/ipvsadm"
    head = ["#!/bin/sh", "", *script.prelude(path).splitlines(), "", "start() {"]
    tail = ["}", *script.CALL.splitlines()]
    for index, expected in enumerate(head):
        fits = _HEADER.fullmatch(lines[index]) if index == 1 else lines[index : index + 1] == [expected]
        if not fits:
            raise _OtherError(index, f"`{expected.strip()}`" if expected.strip() else "another line")
    end = max(len(lines) - len(tail), len(head))
    for index, expected in enumerate(tail, start=end):
        if lines[index : index + 1] != [expected]:
            raise _OtherError(index, f"`{expected.strip()}`" if expected.strip() else "an empty line")
    return _Body(source, lines[:end], len(head)).nodes()


@dataclass(slots=True)
class _Body:
    """The body of the function `start`, read line by line."""

    source: Source
    lines: list[str]
    index: int
    unsaid: dict[str, str] = field(default_factory=dict)

    def nodes(self) -> list[Node]:
        stopped = [self._shown("stop_other", state)[0] for state in ("master", "backup")]
        found: list[Node] = []
        timeouts = _SET.fullmatch(self._line())
        if timeouts is not None:
            tcp, tcp_fin, udp = map(int, timeouts.groups())
            if max(tcp, tcp_fin, udp) > _LONGEST:
                raise _OtherError(self.index, f"time-outs up to {_LONGEST} seconds")
            found.append(
                Timeouts(host=self.source.host, origin=self._origin(), tcp=tcp, tcp_fin=tcp_fin, udp=udp)
            )
            self.index += 1
        if self._line() != "load":
            raise _OtherError(self.index, "`load`")
        self.index += 1
        daemons = [] if self.index == len(self.lines) else self._daemons()
        if stopped != [shown for shown, _ in daemons] and (daemons or stopped != ["no daemon", "no daemon"]):
            raise _OtherError(self.index - 1, "the daemons that it has not stopped before")
        if self.index != len(self.lines):
            raise _OtherError(self.index, "the end of `start`")
        return [*found, *(node for _, node in daemons[:1])]

    def _line(self) -> str:
        return self.lines[self.index].strip() if self.index < len(self.lines) else ""

    def _origin(self) -> Origin:
        return Origin(self.source.file, line=self.index + 1, column=2)

    def _shown(self, function: str, state: str) -> tuple[str, list[str]]:
        """A call's description of a daemon, and the words after it."""
        call = _CALL.fullmatch(self._line())
        try:
            words = shlex.split(call[3]) if call else []
        except ValueError:
            words = []
        if call is None or (call[1], call[2]) != (function, state) or not words:
            raise _OtherError(self.index, f"`{function} {state}`")
        if function == "stop_other" and words[1:]:
            raise _OtherError(self.index, "one description")
        self.index += 1
        return words[0], words[1:]

    def _daemons(self) -> list[tuple[str, ConnectionSync]]:
        found = [self._daemon(state) for state in ("master", "backup")]
        (_, sender), (_, receiver) = found
        if sender.max_length is not None and receiver.max_length != max(sender.max_length, _LEAST):
            raise _OtherError(self.index - 1, "the length that goes with the sender's")
        if (sender.max_length is None) is not (receiver.max_length is None) or any(
            getattr(sender, name) != getattr(receiver, name)
            for name in ("interface", "sync_id", "port", "ttl", "group")
        ):
            raise _OtherError(self.index - 1, "what it writes for the sender")
        return found

    def _daemon(self, state: str) -> tuple[str, ConnectionSync]:
        unsaid: dict[str, str] = {}
        if given := _UNSAID.fullmatch(self._line()):
            unsaid = self._pairs(given[1].split())
            self.index += 1
        origin = self._origin()
        at = self.index
        shown, words = self._shown("start_daemon", state)
        if (words[-1:] == ["$unsaid"]) is not bool(unsaid):
            raise _OtherError(at, "`$unsaid` behind what is said, if something is not")
        said = self._pairs(words[:-1] if unsaid else words)
        values = {**unsaid, **said}
        if len(values) != len(unsaid) + len(said) or set(values) not in (_BARE, _FULL):
            raise _OtherError(at, "each option of a sync daemon once")
        description = f"{state} sync daemon (mcast={values[_INTERFACE]}, syncid={values[_ID]}"
        if set(values) == _FULL:
            description += f", maxlen={values[_LENGTH]}, group={values[_GROUP]}"
            description += f", port={values[_PORT]}, ttl={values[_TTL]}"
        if shown != f"{description})":
            raise _OtherError(at, f"`{description})`")
        self._check_unsaid(unsaid, values, at)
        return shown, ConnectionSync(
            host=self.source.host,
            origin=origin,
            interface=said[_INTERFACE],
            instance=None,
            sync_id=_number(said, _ID, 0, 255, at) or 0,
            max_length=_number(said, _LENGTH, 1, 65507, at),
            port=_number(said, _PORT, 1, 65535, at),
            ttl=_number(said, _TTL, 1, 255, at),
            group=_group(said, at),
        )

    def _pairs(self, words: list[str]) -> dict[str, str]:
        pairs = dict(zip(words[::2], words[1::2], strict=False))
        if len(words) != 2 * len(pairs):
            raise _OtherError(self.index, "options with a value each")
        return pairs

    def _check_unsaid(self, unsaid: dict[str, str], values: dict[str, str], at: int) -> None:
        """What is left to the kernel is what the kernel would take."""
        if _INTERFACE in unsaid or _ID in unsaid:
            raise _OtherError(at - 1, "only what the kernel has a value for")
        if not unsaid:
            return
        group = _group(values, at)
        version = group.version if group is not None else 4
        kernels = {_LENGTH: _FRAME[version], _GROUP: "224.0.0.81", _PORT: "8848", _TTL: "1"}
        if any(kernels[option] != value for option, value in unsaid.items()):
            raise _OtherError(at - 1, "the kernel's own values")


_INTERFACE, _ID = "--mcast-interface", "--syncid"
_LENGTH, _GROUP, _PORT, _TTL = "--sync-maxlen", "--mcast-group", "--mcast-port", "--mcast-ttl"
_BARE = {_INTERFACE, _ID}
_FULL = _BARE | {_LENGTH, _GROUP, _PORT, _TTL}


def _number(values: dict[str, str], option: str, low: int, high: int, at: int) -> int | None:
    value = values.get(option)
    if value is None:
        return None
    if not re.fullmatch(_NUMBER, value) or not low <= int(value) <= high:
        raise _OtherError(at, f"a number from {low} to {high} after `{option}`")
    return int(value)


def _group(values: dict[str, str], at: int) -> Address | None:
    value = values.get(_GROUP)
    if value is None:
        return None
    try:
        group = ip_address(value)
    except ValueError:
        raise _OtherError(at, f"an address after `{_GROUP}`") from None
    if not group.is_multicast:
        raise _OtherError(at, f"a multicast address after `{_GROUP}`")
    return group
