"""The file that nft loads: lvsc's own tables, replaced in one transaction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lvsc.plugin import (
    Family,
    Feature,
    HelperAssignment,
    Hook,
    HostGraph,
    Marking,
    PacketRule,
    SourceNat,
    Target,
    Text,
)

from lvsc_nftables.lookup import RENDERED, Element, Lookup, Shape, helper_object, lookups

RULESET_PATH = "/etc/lvsc/nftables.nft"

_TABLE = "lvsc"
_FAMILY = {Family.IPV4: "ip", Family.IPV6: "ip6"}
#: nft(8) refuses a longer comment (NFTNL_UDATA_COMMENT_MAXLEN).
_MAX_COMMENT = 128

#: Priority mangle (-150) is after connection tracking (-200), where a helper can be set: at raw (-300) the same rule
#: loads and does nothing. The type `route` looks up the way again after a mark was set. A connection's address is
#: replaced once, by the first nat chain that wants to: just before srcnat (100), lvsc's is the first, and a
#: distribution's masquerade leaves the connection alone (nf_nat_core.c, nf_nat_inet_fn).
_BASE_CHAIN = {
    Hook.PREROUTING: "type filter hook prerouting priority mangle; policy accept;",
    Hook.OUTPUT: "type route hook output priority mangle; policy accept;",
    Hook.POSTROUTING: "type nat hook postrouting priority srcnat - 10; policy accept;",
}


def packet_rules(graph: HostGraph) -> Iterator[PacketRule]:
    """The nodes of a host that become rules."""
    for kind in RENDERED:
        yield from graph.of(kind)


def ranges_in_keys(target: Target) -> bool:
    """Whether the target can hold networks and port ranges in a concatenated key."""
    return target.has(Feature.KERNEL_NFT_CONCAT_RANGES) and target.has(Feature.NFT_CONCAT_RANGES)


def table_families(target: Target) -> tuple[str, ...]:
    """The families of the tables that lvsc owns on the target; without source NAT in `inet`, three."""
    return ("inet",) if target.has(Feature.KERNEL_NFT_INET_NAT) else ("inet", "ip", "ip6")


def removal(target: Target) -> tuple[str, ...]:
    """The nft commands, in one transaction, after which none of lvsc's tables is left, whether there was one or not."""
    return tuple(
        f"{verb} {family} {_TABLE}" for family in table_families(target) for verb in ("table", "delete table")
    )


def ruleset(header: str, graph: HostGraph, target: Target) -> Text:
    """The file for one host. Loading it again changes nothing."""
    found, _ = lookups(packet_rules(graph), ranges=ranges_in_keys(target))
    text = Text()
    text.add(header)
    text.add()
    text.extend(removal(target))
    families = table_families(target)
    for family in families:
        in_table = [one for one in found if _table_family(one.shape, families) == family]
        if in_table:
            text.add()
            _table(text, family, in_table, graph.of(HelperAssignment))
    return text


def _table_family(shape: Shape, families: tuple[str, ...]) -> str:
    own = _FAMILY[shape.family]
    return own if shape.kind is SourceNat and own in families else "inet"


def _table(text: Text, family: str, found: list[Lookup], helpers: Iterable[HelperAssignment]) -> None:
    named = _named(found)
    text.add(f"table {family} {_TABLE} {{")
    if family == "inet":
        _helper_objects(text, helpers)
    for one in named:
        if one.name:
            _container(text, one)
    chains: dict[Hook, dict[tuple[str, ...], list[_Named]]] = {}
    for one in named:
        shape = one.lookup.shape
        chains.setdefault(shape.hook, {}).setdefault(shape.not_source_macs, []).append(one)
    for hook, groups in chains.items():
        jumps = []
        for macs, members in groups.items():
            if macs:
                jumps.append(f"{hook.value}_not_from_{len(jumps) + 1}")
                _not_from_chain(text, jumps[-1], macs, members, family)
        text.add(f"\tchain {hook.value} {{")
        text.add(f"\t\t{_BASE_CHAIN[hook]}")
        for one in groups.get((), []):
            _rule(text, one, family)
        text.extend(f"\t\tjump {name}" for name in jumps)
        text.add("\t}")
    text.add("}")


@dataclass(frozen=True, slots=True)
class _Named:
    """A lookup and the name of its map or set, empty where its only element is a rule of its own."""

    lookup: Lookup
    name: str


def _named(found: Iterable[Lookup]) -> list[_Named]:
    used: dict[str, int] = {}
    named = []
    for one in found:
        shape = one.shape
        if not shape.columns:
            named.append(_Named(one, ""))
            continue
        base = _base_name(shape)
        used[base] = used.get(base, 0) + 1
        named.append(_Named(one, base if used[base] == 1 else f"{base}_{used[base]}"))
    return named


def _base_name(shape: Shape) -> str:
    if shape.kind is HelperAssignment:
        # A helper's own name could be a word of nft's.
        return f"helper_{shape.helper}"
    return f"{'marks' if shape.kind is Marking else 'snat'}_{_FAMILY[shape.family]}"


def _helper_objects(text: Text, helpers: Iterable[HelperAssignment]) -> None:
    objects: dict[str, HelperAssignment] = {}
    for helper in helpers:
        objects.setdefault(helper_object(helper), helper)
    for name, helper in sorted(objects.items()):
        origin = helper.origin
        text.add(f"\tct helper {name} {{", origin)
        text.add(f'\t\ttype "{helper.helper}" protocol {helper.traffic.protocol.value}', origin)
        text.add(f"\t\tl3proto {_FAMILY[helper.traffic.family]}", origin)
        text.add("\t}", origin)
        text.add()


def _container(text: Text, one: _Named) -> None:
    shape = one.lookup.shape
    key = " . ".join(column.datatype for column in shape.columns)
    answers = {Marking: " : mark", SourceNat: f" : ipv{shape.family.value}_addr"}.get(shape.kind, "")
    text.add(f"\t{'map' if answers else 'set'} {one.name} {{")
    text.add(f"\t\ttype {key}{answers}")
    if one.lookup.interval:
        text.add("\t\tflags interval")
    text.add("\t\telements = {")
    for element in one.lookup.elements:
        answer = f" : {element.answer}" if answers else ""
        text.add(f"\t\t\t{element.key} {_comment(element)}{answer},", element.origin)
    text.add("\t\t}")
    text.add("\t}")
    text.add()


def _not_from_chain(text: Text, name: str, macs: tuple[str, ...], members: list[_Named], family: str) -> None:
    """A chain left by packets from the addresses; one without a link-layer address goes on: it is from none of them."""
    text.add(f"\tchain {name} {{")
    text.add(f"\t\tether saddr {macs[0] if len(macs) == 1 else '{ ' + ', '.join(macs) + ' }'} return")
    for one in members:
        _rule(text, one, family)
    text.add("\t}")
    text.add()


def _rule(text: Text, one: _Named, family: str) -> None:
    shape = one.lookup.shape
    conditions = list(shape.conditions)
    addresses = (f"{_FAMILY[shape.family]} saddr", f"{_FAMILY[shape.family]} daddr")
    matched = (*(condition for condition in conditions), *(column.expression for column in shape.columns))
    if family == "inet" and not any(part.startswith(addresses) for part in matched):
        # Only a packet's own address says which family is meant.
        conditions.insert(0, f"meta nfproto ipv{shape.family.value}")
    if one.name:
        key = " . ".join(column.expression for column in shape.columns)
        text.add("\t\t" + " ".join([*conditions, _statement(shape, family, key, one.name)]))
        return
    for element in one.lookup.elements:
        rule = [*conditions, _verdict(shape, family, element.answer), _comment(element)]
        text.add("\t\t" + " ".join(rule), element.origin)


def _statement(shape: Shape, family: str, key: str, name: str) -> str:
    if shape.kind is HelperAssignment:
        return f"{key} @{name} {_verdict(shape, family, '')}"
    return _verdict(shape, family, f"{key} map @{name}")


def _verdict(shape: Shape, family: str, answer: str) -> str:
    if shape.kind is Marking:
        return f"meta mark set {answer}"
    if shape.kind is SourceNat:
        return f"snat to {answer}" if family != "inet" else f"snat {_FAMILY[shape.family]} to {answer}"
    return f'ct helper set "{shape.helper}"'


def _comment(element: Element) -> str:
    services = element.services
    text = f"service {services[0]}" if len(services) == 1 else f"services {', '.join(services)}"
    if len(text) > _MAX_COMMENT:
        text = f"services {services[0]} and {len(services) - 1} more"
    return f'comment "{text}"'
