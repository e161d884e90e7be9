"""What a table of lvsc's own cannot carry out, found before anything is written."""

import re
from collections.abc import Iterator, Sequence

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
    TrafficClass,
    shown,
)
from lvsc_nftables import codes
from lvsc_nftables.ruleset import packet_rules, part_lookups

_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HELPER = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,14}", re.ASCII)
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.ASCII)
_MAX_MARK = 0xFFFFFFFF
_HOOKS = {
    NoTrack: (Hook.PREROUTING, Hook.OUTPUT),
    Marking: (Hook.PREROUTING, Hook.OUTPUT),
    HelperAssignment: (Hook.PREROUTING, Hook.OUTPUT),
    SourceNat: (Hook.POSTROUTING,),
}


def refusals(part: HostPart) -> Iterator[Diagnostic]:
    """An error for each thing in the part that the emitted files could not say."""
    rules = tuple(packet_rules(part.graph))
    for rule in rules:
        yield from _names(rule)
        yield from _hook(rule)
        yield from _values(rule)
    for conflict in part_lookups(part)[1]:
        first, second = conflict.first, conflict.second
        yield codes.CONFLICT.at(
            second.origin,
            f"services `{shown(first.service)}` and `{shown(second.service)}` want different things for the same packets",
            help="let their rules match different packets",
        )
    accepts = part.graph.of(Accept)
    for accept in accepts:
        yield from _names(accept)
    if accepts:
        yield _accepts(accepts)


def _names(rule: PacketRule) -> Iterator[Diagnostic]:
    if not _SERVICE.fullmatch(rule.service) and (rule.service or not isinstance(rule, Accept)):
        yield _name(rule, "service name", rule.service, 64)
    if isinstance(rule, HelperAssignment) and not _HELPER.fullmatch(rule.helper):
        yield _name(rule, "conntrack helper", rule.helper, 15)
    interface = rule.traffic.interface
    if interface is not None and not _INTERFACE.fullmatch(interface):
        yield _name(rule, "interface", interface, 15)


def _name(rule: PacketRule, what: str, name: str, length: int) -> Diagnostic:
    return codes.NAME.at(
        rule.origin,
        f"the {what} `{shown(name)}` cannot stand in an nftables rule",
        help=f"use at most {length} letters, digits, `.`, `_` and `-`, and begin with a letter",
    )


def _hook(rule: PacketRule) -> Iterator[Diagnostic]:
    hook = rule.traffic.hook
    hooks = _HOOKS[type(rule)]
    if hook not in hooks:
        possible = " or ".join(f"`{one.value}`" for one in hooks)
        yield codes.HOOK.at(
            rule.origin,
            f"the nftables backend has no chain at the hook `{hook.value}` for what service `{shown(rule.service)}` asks",
            help=f"use the hook {possible}",
        )
    elif rule.traffic.not_source_macs and hook is not Hook.PREROUTING:
        yield codes.CONDITION.at(
            rule.origin,
            f"the source MAC address is not known at the hook `{hook.value}`",
            help=f"match it at `{Hook.PREROUTING.value}`",
        )
    original = (
        rule.traffic.original_destination is not None or rule.traffic.original_destination_ports is not None
    )
    if rule.traffic.state is not None or isinstance(rule.traffic.protocol, Portless):
        yield codes.CONDITION.at(
            rule.origin,
            "the nftables backend looks at no connection's state, and at no protocol without ports",
            help="match packets of `tcp`, `udp` or `sctp` in any state",
        )
    if original and isinstance(rule, NoTrack):
        yield codes.CONDITION.at(
            rule.origin,
            "the original destination of a connection is not known before connection tracking",
            help="match the packet's own destination",
        )


def _values(rule: PacketRule) -> Iterator[Diagnostic]:
    traffic = rule.traffic
    for value in _addresses(rule):
        if Family.of(value) is not traffic.family:
            yield codes.VALUE.at(
                rule.origin,
                f"`{value}` is no IPv{traffic.family.value} address, but the rule is for IPv{traffic.family.value}",
                help="make one node for each family",
            )
    for mac in traffic.not_source_macs:
        if not _MAC.fullmatch(mac):
            yield codes.VALUE.at(
                rule.origin,
                f"`{shown(mac)}` is no MAC address",
                help="write it like `02:00:00:00:00:0a`, in lower case",
            )
    if not rule.reason.isprintable():
        yield codes.VALUE.at(
            rule.origin,
            f"the reason `{shown(rule.reason)}` is no comment of one line",
            help="use printable characters only",
        )
    if isinstance(rule, Marking) and not 1 <= rule.mark <= _MAX_MARK:
        yield codes.VALUE.at(
            rule.origin, f"`{rule.mark}` is no mark", help=f"use a number from 1 to {_MAX_MARK:#x}"
        )
    if isinstance(rule, SourceNat):
        address = rule.address
        if address.is_unspecified or address.is_multicast or getattr(address, "scope_id", None):
            yield codes.VALUE.at(
                rule.origin,
                f"`{shown(str(address))}` is no source address",
                help="use an address of the director",
            )


def _addresses(rule: PacketRule) -> Iterator[Network | Address]:
    traffic = rule.traffic
    for network in (traffic.source, traffic.destination, traffic.original_destination):
        if network is not None:
            yield network
    if isinstance(rule, SourceNat):
        yield rule.address


def _accepts(asked: Sequence[Accept]) -> Diagnostic:
    """One for all of a host: one key of the spec asks for them."""
    return codes.ACCEPT.at(
        asked[0].at("accept"),
        "an accept would not overrule a drop in another nftables table",
        notes=[
            f"{_needing(accept)} `{_accept_rule(accept.traffic)} accept` at the hook"
            f" `{accept.traffic.hook.value}`"
            for accept in asked
        ],
        help=f"put the rule{'s' if len(asked) > 1 else ''} into the ruleset that drops, or use `--backend iptables`",
    )


def _needing(accept: Accept) -> str:
    return f"service `{shown(accept.service)}` needs" if accept.service else "the directors themselves need"


def _accept_rule(traffic: TrafficClass) -> str:
    """The match of an accept, for a chain of any family."""
    ip = "ip" if traffic.family is Family.IPV4 else "ip6"
    protocol = traffic.protocol.value
    parts = [f'iifname "{shown(traffic.interface)}"'] if traffic.interface is not None else []
    if traffic.not_source_macs:
        parts.append(f"ether saddr != {{ {', '.join(map(shown, traffic.not_source_macs))} }}")
    for name, network in (
        (f"ct original {ip} daddr", traffic.original_destination),
        (f"{ip} saddr", traffic.source),
        (f"{ip} daddr", traffic.destination),
    ):
        if network is not None:
            single = network.prefixlen == network.max_prefixlen
            parts.append(f"{name} {network.network_address if single else network}")
    if traffic.source is None and traffic.destination is None:
        parts.append(f"meta nfproto ipv{traffic.family.value}")
    original_ports = traffic.original_destination_ports
    if traffic.original_destination is not None or original_ports is not None:
        parts.append("ct direction original")
    if original_ports is not None or (traffic.source_ports is None and traffic.destination_ports is None):
        parts.append(f"meta l4proto {protocol}")
    for name, ports in (
        ("ct original proto-dst", original_ports),
        (f"{protocol} sport", traffic.source_ports),
        (f"{protocol} dport", traffic.destination_ports),
    ):
        if ports is not None:
            parts.append(f"{name} {ports}")
    if traffic.state is not None:
        parts.append(f"ct state {traffic.state.value.lower()}")
    return " ".join(parts)
