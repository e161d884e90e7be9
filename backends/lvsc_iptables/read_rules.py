"""A rule of lvsc's own chains as the nodes that it says, one for each box of packets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, NetmaskValueError
from itertools import product

from lvsc.plugin import (
    Accept,
    Address,
    Code,
    Family,
    HelperAssignment,
    Hook,
    Marking,
    Network,
    NoTrack,
    Origin,
    PacketRule,
    Portless,
    PortRange,
    Protocol,
    SourceNat,
    State,
    TrafficClass,
    shown,
)
from lvsc_iptables import read_codes
from lvsc_iptables.read_lines import Rule

_NETWORK = re.compile(r"([0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?:/(0|[1-9][0-9]{0,2}))?")
#: A number with a zero before it is octal to iptables (xtables.c, xtables_strtoul).
_PORTS = re.compile(r"(0|[1-9][0-9]{0,4})(?::(0|[1-9][0-9]{0,4}))?")
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,8}|0|[1-9][0-9]{0,9}")
_NAME = re.compile(r"[^\s+/!\"'\\]{1,15}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")
_SERVICE = re.compile(r"service (\S+)")

_WHOLE_MARK = 0xFFFFFFFF
_PROTOCOLS: dict[str, Protocol | Portless] = {
    word: protocol
    for kind in (Protocol, Portless)
    for protocol in kind
    for word in (protocol.value, str(protocol.number))
} | {"icmpv6": Portless.ICMPV6}
#: In which table a target does what lvsc wants of it.
_TARGETS = {"CT": "raw", "MARK": "mangle", "SNAT": "nat", "ACCEPT": "filter"}
_AS_WRITTEN = "load lvsc's own file again, or remove the rule"


class MisreadError(Exception):
    """A rule that is not understood, at one of its words."""

    def __init__(
        self, index: int, message: str, advice: str = _AS_WRITTEN, code: Code = read_codes.RULE
    ) -> None:
        self.index = index
        self.message = message
        self.advice = advice
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a rule is met."""

    host: str
    file: str
    table: str
    family: Family
    hook: Hook


@dataclass(slots=True)
class _Said:
    """The conditions of a rule as far as they are read."""

    source: Network | None = None
    destination: Network | None = None
    protocol: Protocol | Portless | None = None
    interface: str | None = None
    source_ports: tuple[PortRange, ...] = ()
    destination_ports: tuple[PortRange, ...] = ()
    not_macs: set[str] = field(default_factory=set)
    original: Network | None = None
    original_ports: tuple[PortRange, ...] = ()
    direction: bool = False
    states: tuple[State, ...] = ()
    service: str = ""
    modules: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)


def nodes_of(rule: Rule, setting: Setting) -> Iterator[PacketRule]:
    """The nodes that the rule says at a hook.

    Raises:
        MisreadError: The rule has a condition or target that is not understood, or that is never met there.
    """
    said = _Said()
    words = rule.words
    at = 0
    while at < len(words):
        option = words[at]
        if option == "-j":
            yield from _nodes(rule, setting, said, at)
            return
        if option == "!":
            at += 1
            if words[at : at + 1] != ("--mac-source",):
                raise MisreadError(at - 1, "lvsc negates nothing but source MAC addresses")
        elif option == "--mac-source":
            raise MisreadError(at, "lvsc matches source MAC addresses to leave out, not to take in")
        if at + 1 >= len(words):
            raise MisreadError(at, f"`{shown(option)}` has no value")
        _condition(said, words[at], words[at + 1], at, setting)
        at += 2
    raise MisreadError(at, "the rule has no target")


def _condition(said: _Said, option: str, value: str, at: int, setting: Setting) -> None:
    if option in said.seen and option not in ("-m", "--mac-source"):
        raise MisreadError(at, f"`{option}` is said twice")
    said.seen.add(option)
    after = at + 1
    match option:
        case "-s":
            said.source = _network(value, after, setting)
        case "-d":
            said.destination = _network(value, after, setting)
        case "-i" | "-o":
            said.interface = _interface(option, value, at, setting)
        case "-p":
            found = _PROTOCOLS.get(value)
            if found is None or (isinstance(found, Portless) and setting.table != "filter"):
                raise MisreadError(after, f"lvsc has no rules for the protocol `{shown(value)}`")
            said.protocol = found
        case "-m":
            _module(said, value, after, setting)
        case "--sport" | "--dport":
            if said.protocol is None or said.protocol.value not in said.modules:
                raise MisreadError(at, f"`{option}` comes before the match of a protocol")
            _set_ports(said, option == "--sport", (_ports(value, after),), at)
        case "--sports" | "--dports" if "multiport" in said.modules:
            ports = tuple(_ports(part, after) for part in value.split(","))
            _set_ports(said, option == "--sports", ports, at)
        case "--mac-source" if "mac" in said.modules:
            if not _MAC.fullmatch(value):
                raise MisreadError(after, f"`{shown(value)}` is no MAC address")
            if setting.hook in (Hook.OUTPUT, Hook.POSTROUTING):
                raise MisreadError(at, f"no packet has a source MAC address at `{setting.hook.value}`")
            said.not_macs.add(value.lower())
        case "--ctorigdst" if "conntrack" in said.modules:
            said.original = _network(value, after, setting)
        case "--ctorigdstport" if "conntrack" in said.modules:
            said.original_ports = (_ports(value, after),)
        case "--ctstate" if "conntrack" in said.modules and setting.table == "filter":
            said.states = tuple(_state(word, after) for word in value.split(","))
        case "--ctdir" if "conntrack" in said.modules:
            if value != "ORIGINAL":
                raise MisreadError(after, "lvsc matches the original direction only")
            said.direction = True
        case "--comment" if "comment" in said.modules:
            service = _SERVICE.fullmatch(value)
            said.service = service[1] if service else value
        case _:
            raise MisreadError(at, f"`{shown(option)}` is no condition that lvsc writes")


def _module(said: _Said, value: str, at: int, setting: Setting) -> None:
    if value in ("tcp", "udp", "sctp"):
        if said.protocol is None or said.protocol.value != value:
            raise MisreadError(at, f"`-m {value}` needs `-p {value}`")
    elif value == "conntrack":
        if setting.table == "raw":
            raise MisreadError(at, "connection tracking knows nothing of a packet yet in the table `raw`")
    elif value not in ("multiport", "mac", "comment"):
        raise MisreadError(at, f"`{shown(value)}` is no match that lvsc uses")
    if value == "multiport" and not isinstance(said.protocol, Protocol):
        raise MisreadError(at, "`-m multiport` needs a protocol with ports")
    said.modules.add(value)


def _set_ports(said: _Said, source: bool, ports: tuple[PortRange, ...], at: int) -> None:  # noqa: FBT001 - which of two
    if said.source_ports if source else said.destination_ports:
        raise MisreadError(at, "the ports are matched twice")
    if source:
        said.source_ports = ports
    else:
        said.destination_ports = ports


def _nodes(rule: Rule, setting: Setting, said: _Said, at: int) -> Iterator[PacketRule]:
    if said.protocol is None:
        raise MisreadError(at, "the rule is for every protocol")
    original = said.original is not None or bool(said.original_ports)
    if original and not said.direction:
        raise MisreadError(at, "the rule is for both directions of a connection")
    if said.direction and not original:
        said.original = IPv4Network("0.0.0.0/0") if setting.family is Family.IPV4 else IPv6Network("::/0")
    verdict = _Verdict(rule, setting, said, at)
    macs = tuple(sorted(said.not_macs))
    each = product(said.source_ports or (None,), said.destination_ports or (None,), said.states or (None,))
    for source_ports, destination_ports, state in each:
        yield verdict.node(
            TrafficClass(
                hook=setting.hook,
                family=setting.family,
                protocol=said.protocol,
                source=said.source,
                destination=said.destination,
                source_ports=source_ports,
                destination_ports=destination_ports,
                not_source_macs=macs,
                interface=said.interface,
                original_destination=said.original,
                original_destination_ports=said.original_ports[0] if said.original_ports else None,
                state=state,
            )
        )


class _Verdict:
    """What a rule does with its packets."""

    def __init__(self, rule: Rule, setting: Setting, said: _Said, at: int) -> None:
        self._host = setting.host
        self._origin = Origin(setting.file, line=rule.line, column=rule.offset + 1)
        self._service = said.service
        self._mark = 0
        self._helper = ""
        self._source: Address | None = None
        words = rule.words[at + 1 :]
        target = words[0] if words else ""
        if _TARGETS.get(target) != setting.table:
            raise MisreadError(
                at + 1, f"`{shown(target)}` is no target that lvsc uses in the table `{setting.table}`"
            )
        self._target = target
        match words:
            case ("MARK", "--set-xmark" | "--set-mark" as option, value):
                self._mark = _mark(option, value, at + 3)
            case ("CT", "--helper", value):
                if not _NAME.fullmatch(value):
                    raise MisreadError(at + 3, f"`{shown(value)}` is no conntrack helper")
                self._helper = value
            case ("CT", "--notrack") | ("ACCEPT",):
                pass
            case ("SNAT", "--to-source", value):
                self._source = _address(value, at + 3, setting)
            case _:
                raise MisreadError(at + 2, f"lvsc does not use `{target}` in this way")

    def node(self, traffic: TrafficClass) -> PacketRule:
        host, origin, service = self._host, self._origin, self._service
        if self._mark:
            return Marking(host=host, origin=origin, service=service, traffic=traffic, mark=self._mark)
        if self._helper:
            return HelperAssignment(
                host=host, origin=origin, service=service, traffic=traffic, helper=self._helper
            )
        if self._source is not None:
            return SourceNat(host=host, origin=origin, service=service, traffic=traffic, address=self._source)
        kind = NoTrack if self._target == "CT" else Accept
        return kind(host=host, origin=origin, service=service, traffic=traffic)


def _state(word: str, at: int) -> State:
    try:
        return State(word)
    except ValueError:
        raise MisreadError(at, f"`{shown(word)}` is no state that lvsc matches") from None


def _mark(option: str, value: str, at: int) -> int:
    number, slash, mask = value.partition("/")
    if not _NUMBER.fullmatch(number) or (slash and not _NUMBER.fullmatch(mask)):
        raise MisreadError(at, f"`{shown(value)}` is no mark")
    if slash and int(mask, 0) != _WHOLE_MARK:
        raise MisreadError(at, f"`{option}` sets a part of the mark, and IPVS looks at the whole")
    mark = int(number, 0)
    if not 0 < mark <= _WHOLE_MARK:
        raise MisreadError(at, f"`{shown(value)}` is no firewall mark")
    return mark


def _interface(option: str, value: str, at: int, setting: Setting) -> str:
    outgoing = setting.hook in (Hook.OUTPUT, Hook.POSTROUTING)
    if option != ("-o" if outgoing else "-i"):
        raise MisreadError(at, f"lvsc does not match by `{option}` at `{setting.hook.value}`")
    if not _NAME.fullmatch(value):
        raise MisreadError(at + 1, f"`{shown(value)}` is not the name of one interface")
    return value


def _ports(value: str, at: int) -> PortRange:
    found = _PORTS.fullmatch(value)
    if found is not None:
        try:
            return PortRange(int(found[1]), int(found[2] or found[1]))
        except ValueError:
            pass
    raise MisreadError(at, f"`{shown(value)}` is no port or range of ports")


def _network(value: str, at: int, setting: Setting) -> Network:
    found = _NETWORK.fullmatch(value)
    if found is None:
        raise MisreadError(at, f"`{shown(value)}` is no address or network")
    try:
        # iptables looks at no more of an address than the prefix length says.
        if setting.family is Family.IPV4:
            return IPv4Network((found[1], int(found[2] or 32)), strict=False)
        return IPv6Network((found[1], int(found[2] or 128)), strict=False)
    except (AddressValueError, NetmaskValueError):
        raise MisreadError(at, *_no_address(value, setting)) from None


def _address(value: str, at: int, setting: Setting) -> Address:
    found = _NETWORK.fullmatch(value)
    try:
        if found is not None and found[2] is None:
            return IPv4Address(value) if setting.family is Family.IPV4 else IPv6Address(value)
    except AddressValueError:
        pass
    raise MisreadError(at, *_no_address(value, setting))


def _no_address(value: str, setting: Setting) -> tuple[str, str, Code]:
    version = setting.family.value
    return (
        f"`{shown(value)}` is no IPv{version} address",
        f"give the text of one family alone; this one is read as IPv{version}'s",
        read_codes.FAMILY,
    )
