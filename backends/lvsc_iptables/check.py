"""What iptables cannot say, found before anything is written."""

import re
from collections.abc import Iterator

from lvsc.plugin import (
    Accept,
    Address,
    Diagnostic,
    Family,
    HelperAssignment,
    Hook,
    HostPart,
    Marking,
    Network,
    NoTrack,
    PacketRule,
    Portless,
    SourceNat,
    shown,
)
from lvsc_iptables import codes
from lvsc_iptables.chains import hooks_of
from lvsc_iptables.rules import OUTGOING_HOOKS, packet_rules
from lvsc_iptables.script import missing_programs

_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.ASCII)
_MAX_MARK = 0xFFFFFFFF


def refusals(part: HostPart) -> Iterator[Diagnostic]:
    """An error for each thing in the part that the emitted files could not say."""
    families = set()
    for node in packet_rules(part.graph):
        families.add(node.traffic.family)
        yield from _names(node)
        yield from _hook(node)
        yield from _families(node)
        yield from _values(node)
    for family in sorted(families):
        for program in missing_programs(family, part.target):
            yield codes.PROGRAM.at(
                None,
                f"target `{part.target.name}` has no `{program}`, which host `{part.host}` needs",
                help="choose the nftables backend for this target",
            )


def _names(node: PacketRule) -> Iterator[Diagnostic]:
    if not _SERVICE.fullmatch(node.service) and (node.service or not isinstance(node, Accept)):
        yield _name(node, "service name", node.service, 64)
    if isinstance(node, HelperAssignment) and not _SHORT_NAME.fullmatch(node.helper):
        yield _name(node, "conntrack helper", node.helper, 15)
    interface = node.traffic.interface
    if interface is not None and not _SHORT_NAME.fullmatch(interface):
        yield _name(node, "interface", interface, 15)


def _name(node: PacketRule, what: str, name: str, length: int) -> Diagnostic:
    return codes.NAME.at(
        node.origin,
        f"the {what} `{shown(name)}` cannot stand in an iptables rule",
        help=f"use at most {length} letters, digits, `.`, `_` and `-`, the first a letter or digit",
    )


def _hook(node: PacketRule) -> Iterator[Diagnostic]:
    traffic = node.traffic
    hooks = hooks_of(type(node))
    if traffic.hook not in hooks:
        possible = " or ".join(f"`{hook.value}`" for hook in hooks)
        yield codes.HOOK.at(
            node.origin,
            f"the iptables backend has no {_kind(node)} at the hook `{traffic.hook.value}`, which service `{shown(node.service)}` asks for",
            help=f"use the hook {possible}",
        )
        return
    if traffic.not_source_macs and traffic.hook in OUTGOING_HOOKS:
        yield codes.CONDITION.at(
            node.origin,
            f"the source MAC address is not known at the hook `{traffic.hook.value}`",
            help=f"match it at `{Hook.PREROUTING.value}`, `{Hook.INPUT.value}` or `{Hook.FORWARD.value}`",
        )
    original = traffic.original_destination is not None or traffic.original_destination_ports is not None
    if original and isinstance(node, NoTrack | HelperAssignment):
        yield codes.CONDITION.at(
            node.origin,
            f"the original destination of a connection is not known where the {_kind(node)} stands",
            help="match the packet's own destination",
        )
    if not isinstance(node, Accept) and (traffic.state is not None or isinstance(traffic.protocol, Portless)):
        yield codes.CONDITION.at(
            node.origin,
            f"no {_kind(node)} looks at a connection's state, or is for a protocol without ports",
            help="match packets of `tcp`, `udp` or `sctp` in any state",
        )


def _kind(node: PacketRule) -> str:
    match node:
        case Marking():
            return "marking"
        case NoTrack():
            return "exemption from connection tracking"
        case HelperAssignment():
            return "helper assignment"
        case SourceNat():
            return "source NAT"
        case _:
            return "accept"


def _families(node: PacketRule) -> Iterator[Diagnostic]:
    traffic = node.traffic
    values: list[Network | Address | None] = [
        traffic.source,
        traffic.destination,
        traffic.original_destination,
    ]
    if isinstance(node, SourceNat):
        values.append(node.address)
    for value in values:
        if value is not None and Family.of(value) is not traffic.family:
            yield codes.FAMILY.at(
                node.origin,
                f"`{value}` is no IPv{traffic.family.value} address, but the rule is for IPv{traffic.family.value}",
                help="make one node for each family",
            )


def _values(node: PacketRule) -> Iterator[Diagnostic]:
    if isinstance(node, Marking) and not 1 <= node.mark <= _MAX_MARK:
        yield codes.VALUE.at(
            node.origin, f"`{node.mark}` is no mark", help=f"use a number from 1 to {_MAX_MARK:#x}"
        )
    for mac in node.traffic.not_source_macs:
        if not _MAC.fullmatch(mac):
            yield codes.VALUE.at(
                node.origin,
                f"`{shown(mac)}` is no MAC address",
                help="write it like `02:00:00:00:00:0a`, in lower case",
            )
    if isinstance(node, SourceNat) and (node.address.is_unspecified or node.address.is_multicast):
        yield codes.VALUE.at(
            node.origin, f"`{node.address}` is no source address", help="use an address of the director"
        )
    if isinstance(node, SourceNat) and getattr(node.address, "scope_id", None):
        yield codes.VALUE.at(
            node.origin, f"`{node.address}` names an interface", help="use a global address of the director"
        )
