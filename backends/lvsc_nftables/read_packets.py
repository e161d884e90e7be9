"""Which packets a rule or element is for: conditions in nft's words, put together into a traffic class."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, NetmaskValueError

from lvsc.plugin import Address, Code, Family, Hook, Network, PortRange, Protocol, TrafficClass, shown
from lvsc_nftables import read_codes
from lvsc_nftables.read_model import Base

_V4, _V6 = Family.IPV4, Family.IPV6
FAMILIES = {"ip": frozenset({_V4}), "ip6": frozenset({_V6}), "inet": frozenset({_V4, _V6})}
_EVERYWHERE: dict[Family, Network] = {_V4: IPv4Network("0.0.0.0/0"), _V6: IPv6Network("::/0")}
#: When connection tracking sees a packet, at prerouting and output (linux/netfilter_ipv4.h, NF_IP_PRI_CONNTRACK).
TRACKED = -200
_PROTOCOLS = {
    "tcp": Protocol.TCP,
    "6": Protocol.TCP,
    "udp": Protocol.UDP,
    "17": Protocol.UDP,
    "sctp": Protocol.SCTP,
    "132": Protocol.SCTP,
}
_NETWORK = re.compile(r"([0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?:/(0|[1-9][0-9]{0,2}))?")
#: A number with a zero before it is octal to nft (scanner.l).
_PORTS = re.compile(r"(0|[1-9][0-9]{0,4})(?:-(0|[1-9][0-9]{0,4}))?")
_NAME = re.compile(r"[^\s*/\"'\\]{1,15}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")


class WrongError(Exception):
    """A condition or value that is not understood, or that is never met."""

    def __init__(self, message: str, code: Code = read_codes.OWN) -> None:
        self.message = message
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Position:
    """The base chain that packets come through."""

    hook: Hook
    base: Base

    @property
    def tracked(self) -> bool:
        """Whether connection tracking has seen the packets."""
        return self.hook not in (Hook.PREROUTING, Hook.OUTPUT) or self.base.priority > TRACKED


@dataclass(slots=True)
class Draft:
    """The packets that a rule is for, as far as its conditions are read."""

    position: Position
    families: frozenset[Family]
    macs: tuple[str, ...] = ()
    protocol: Protocol | None = None
    source: Network | None = None
    destination: Network | None = None
    source_ports: PortRange | None = None
    destination_ports: PortRange | None = None
    interface: str | None = None
    original: Network | None = None
    original_ports: PortRange | None = None
    direction: bool = False

    def classes(self) -> list[TrafficClass]:
        """The traffic classes, one for each family.

        Raises:
            WrongError: No class says it, or no packet meets it.
        """
        if not self.families:
            raise WrongError("no packet meets all of these conditions", read_codes.NO_EFFECT)
        if self.protocol is None:
            raise WrongError("the rule is for every protocol")
        original = self.original is not None or self.original_ports is not None
        if original and not self.direction:
            raise WrongError("the rule is for both directions of a connection")
        return [
            TrafficClass(
                hook=self.position.hook,
                family=family,
                protocol=self.protocol,
                source=self.source,
                destination=self.destination,
                source_ports=self.source_ports,
                destination_ports=self.destination_ports,
                not_source_macs=self.macs,
                interface=self.interface,
                original_destination=_EVERYWHERE[family]
                if self.direction and not original
                else self.original,
                original_destination_ports=self.original_ports,
            )
            for family in sorted(self.families)
        ]


Condition = Callable[[Draft, str], None]


def condition(field: str) -> tuple[str, Condition]:
    """The nftables type of a field's values, and what adds the condition that it has one of them to a draft.

    Raises:
        WrongError: lvsc looks at no such field.
    """
    found = _CONDITIONS.get(field)
    if found is None:
        raise WrongError(f"lvsc does not look at `{shown(field)}`")
    return found


def mac(value: str) -> str:
    """A MAC address in lower case.

    Raises:
        WrongError: It is none.
    """
    if not _MAC.fullmatch(value):
        raise WrongError(f"`{shown(value)}` is no MAC address")
    return value.lower()


def address(value: str, family: Family) -> Address:
    """An address of a family.

    Raises:
        WrongError: It is none.
    """
    try:
        if "/" not in value and "%" not in value:
            return IPv4Address(value) if family is _V4 else IPv6Address(value)
    except AddressValueError:
        pass
    raise WrongError(f"`{shown(value)}` is no IPv{family.value} address")


def network(value: str, family: Family) -> Network:
    """A network of a family, or the one that holds an address alone.

    Raises:
        WrongError: It is none.
    """
    found = _NETWORK.fullmatch(value)
    try:
        if found is not None:
            # nft looks at no more of an address than the prefix length says.
            if family is _V4:
                return IPv4Network((found[1], int(found[2] or 32)), strict=False)
            return IPv6Network((found[1], int(found[2] or 128)), strict=False)
    except (AddressValueError, NetmaskValueError):
        pass
    raise WrongError(f"`{shown(value)}` is no IPv{family.value} address or network")


def ports(value: str) -> PortRange:
    """A port, or a range of them.

    Raises:
        WrongError: It is none.
    """
    found = _PORTS.fullmatch(value)
    try:
        if found is not None:
            return PortRange(int(found[1]), int(found[2] or found[1]))
    except ValueError:
        pass
    raise WrongError(f"`{shown(value)}` is no port or range of ports")


def _once(there: object) -> None:
    if there is not None and there is not False:
        raise WrongError("the rule has two conditions on one field")


def _need_tracking(draft: Draft) -> None:
    if not draft.position.tracked:
        raise WrongError("connection tracking has not seen the packet here", read_codes.NO_EFFECT)


def _source(family: Family) -> Condition:
    only = frozenset({family})

    def add(draft: Draft, value: str) -> None:
        _once(draft.source)
        draft.source = network(value, family)
        draft.families &= only

    return add


def _destination(family: Family) -> Condition:
    only = frozenset({family})

    def add(draft: Draft, value: str) -> None:
        _once(draft.destination)
        draft.destination = network(value, family)
        draft.families &= only

    return add


def _original(family: Family) -> Condition:
    only = frozenset({family})

    def add(draft: Draft, value: str) -> None:
        _once(draft.original)
        _need_tracking(draft)
        draft.original = network(value, family)
        draft.families &= only  # The kernel compares the family too (nft_ct.c, NFT_CT_DST_IP).

    return add


def _original_ports(draft: Draft, value: str) -> None:
    _once(draft.original_ports)
    _need_tracking(draft)
    draft.original_ports = ports(value)


def _direction(draft: Draft, value: str) -> None:
    _once(draft.direction)
    _need_tracking(draft)
    if value not in ("original", "0"):
        raise WrongError("lvsc looks at the original direction only")
    draft.direction = True


def _protocol(draft: Draft, value: str) -> None:
    wanted = _PROTOCOLS.get(value)
    if wanted is None:
        raise WrongError(f"lvsc has no rules for the protocol `{shown(value)}`")
    if draft.protocol not in (None, wanted):
        raise WrongError("the rule is for two protocols at once", read_codes.NO_EFFECT)
    draft.protocol = wanted


def _source_port(protocol: str | None) -> Condition:
    def add(draft: Draft, value: str) -> None:
        _once(draft.source_ports)
        draft.source_ports = ports(value)
        if protocol is not None:
            _protocol(draft, protocol)

    return add


def _destination_port(protocol: str | None) -> Condition:
    def add(draft: Draft, value: str) -> None:
        _once(draft.destination_ports)
        draft.destination_ports = ports(value)
        if protocol is not None:
            _protocol(draft, protocol)

    return add


def _family(draft: Draft, value: str) -> None:
    found = {"ipv4": _V4, "2": _V4, "ipv6": _V6, "10": _V6}.get(value)
    if found is None:
        raise WrongError(f"`{shown(value)}` is no family of lvsc's")
    draft.families &= frozenset({found})


def _interface(outward: bool) -> Condition:  # noqa: FBT001 - which of two
    def add(draft: Draft, value: str) -> None:
        _once(draft.interface)
        hook = draft.position.hook
        if outward != (hook in (Hook.OUTPUT, Hook.POSTROUTING)):
            raise WrongError(
                f"lvsc does not match by {'outgoing' if outward else 'incoming'} interface at `{hook.value}`"
            )
        if not _NAME.fullmatch(value):
            raise WrongError(f"`{shown(value)}` is not the name of one interface")
        draft.interface = value

    return add


_CONDITIONS: dict[str, tuple[str, Condition]] = {
    "meta nfproto": ("nf_proto", _family),
    "meta l4proto": ("inet_proto", _protocol),
    "meta iifname": ("ifname", _interface(outward=False)),
    "meta oifname": ("ifname", _interface(outward=True)),
    "ip saddr": ("ipv4_addr", _source(_V4)),
    "ip daddr": ("ipv4_addr", _destination(_V4)),
    "ip6 saddr": ("ipv6_addr", _source(_V6)),
    "ip6 daddr": ("ipv6_addr", _destination(_V6)),
    "th sport": ("inet_service", _source_port(None)),
    "th dport": ("inet_service", _destination_port(None)),
    "tcp sport": ("inet_service", _source_port("tcp")),
    "tcp dport": ("inet_service", _destination_port("tcp")),
    "udp sport": ("inet_service", _source_port("udp")),
    "udp dport": ("inet_service", _destination_port("udp")),
    "sctp sport": ("inet_service", _source_port("sctp")),
    "sctp dport": ("inet_service", _destination_port("sctp")),
    "ct direction": ("ct_dir", _direction),
    "ct original ip daddr": ("ipv4_addr", _original(_V4)),
    "ct original ip6 daddr": ("ipv6_addr", _original(_V6)),
    "ct original proto-dst": ("inet_service", _original_ports),
}
