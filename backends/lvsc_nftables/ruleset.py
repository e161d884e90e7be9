"""The file that nft loads: lvsc's own tables, replaced in one transaction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from lvsc.plugin import (
    Feature,
    HelperAssignment,
    HostGraph,
    HostPart,
    Marking,
    NoTrack,
    Origin,
    PacketRule,
    SourceNat,
    Target,
    Text,
)
from lvsc_nftables.lookup import (
    IP,
    RENDERED,
    Conflict,
    Element,
    Lookup,
    Shape,
    helper_object,
    lookups,
)

RULESET_PATH = "/etc/lvsc/nftables.nft"

_TABLE = "lvsc"
#: nft(8) refuses a longer comment (NFTNL_UDATA_COMMENT_MAXLEN).
_MAX_COMMENT = 128

#: Priority mangle (-150) is after connection tracking (-200), where a helper can be set: at raw (-300) the same rule
#: loads and does nothing. The type `route` looks up the way again after a mark was set. A connection's address is
#: replaced once, by the first nat chain that wants to (nf_nat_core.c, nf_nat_inet_fn), and of chains at one priority the
#: last one loaded is the first: just before srcnat (100), lvsc's precedes a distribution's masquerade in any order.
#: What is not to be tracked is exempted at priority raw (-300), before connection tracking.
_BASE_CHAIN = {
    "notrack_prerouting": "type filter hook prerouting priority raw; policy accept;",
    "notrack_output": "type filter hook output priority raw; policy accept;",
    "prerouting": "type filter hook prerouting priority mangle; policy accept;",
    "output": "type route hook output priority mangle; policy accept;",
    "postrouting": "type nat hook postrouting priority srcnat - 10; policy accept;",
}
_CONTAINERS: dict[type[PacketRule], str] = {Marking: "marks", SourceNat: "snat", NoTrack: "untracked"}


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


@lru_cache(maxsize=16)  # `check` and `emit` of each director of a cluster both ask
def part_lookups(part: HostPart) -> tuple[tuple[Lookup, ...], tuple[Conflict, ...]]:
    """The lookups that carry out a part's rules, and the rules that cannot go together."""
    return lookups(packet_rules(part.graph), ranges=ranges_in_keys(part.target))


def ruleset(header: str, part: HostPart) -> Text:
    """The file for one host. Loading it again changes nothing."""
    found, _ = part_lookups(part)
    target = part.target
    text = Text()
    text.add(header)
    text.add()
    text.extend(removal(target))
    families = table_families(target)
    for family in families:
        in_table = [one for one in found if _table_family(one.shape, families) == family]
        if in_table:
            text.add()
            _Table(text, family).write(in_table, part.graph.of(HelperAssignment))
    return text


def _table_family(shape: Shape, families: tuple[str, ...]) -> str:
    own = IP[shape.family]
    return own if shape.kind is SourceNat and own in families else "inet"


@dataclass(frozen=True, slots=True)
class _Named:
    """A lookup and the name of its map or set, empty where its only element is a rule of its own."""

    lookup: Lookup
    name: str

    @property
    def shape(self) -> Shape:
        return self.lookup.shape


def _chain(shape: Shape) -> str:
    """The name of the base chain that a shape's rules are in."""
    return f"notrack_{shape.hook.value}" if shape.kind is NoTrack else shape.hook.value


def _named(found: Iterable[Lookup]) -> Iterator[_Named]:
    used: dict[str, int] = {}
    for one in found:
        shape = one.shape
        if not shape.columns:
            yield _Named(one, "")
            continue
        if shape.kind is HelperAssignment:
            base = f"helper_{shape.helper}"  # A helper's own name could be a word of nft's.
        else:
            base = f"{_CONTAINERS[shape.kind]}_{IP[shape.family]}"
        used[base] = used.get(base, 0) + 1
        yield _Named(one, base if used[base] == 1 else f"{base}_{used[base]}")


class _Table:
    """Writes one table; nothing in it is named before it is declared, because old versions of nft want that."""

    def __init__(self, text: Text, family: str) -> None:
        self._text = text
        self._family = family
        self._begun = False

    def write(self, found: Iterable[Lookup], helpers: Iterable[HelperAssignment]) -> None:
        named = tuple(_named(found))
        self._text.add(f"table {self._family} {_TABLE} {{")
        if self._family == "inet":
            self._helper_objects(helpers)
        chains: dict[str, dict[tuple[str, ...], list[_Named]]] = {}
        for one in named:
            if one.name:
                self._container(one)
            chains.setdefault(_chain(one.shape), {}).setdefault(one.shape.not_source_macs, []).append(one)
        for chain, groups in chains.items():
            self._base_chain(chain, groups)
        self._text.add("}")

    def _open(self, line: str, origin: Origin | None = None, reasons: Iterable[str] = ()) -> None:
        if self._begun:
            self._text.add()
        self._begun = True
        self._text.extend(f"\t# {reason}" for reason in reasons)
        self._text.add(f"\t{line} {{", origin)

    def _close(self, origin: Origin | None = None) -> None:
        self._text.add("\t}", origin)

    def _helper_objects(self, helpers: Iterable[HelperAssignment]) -> None:
        objects: dict[str, HelperAssignment] = {}
        for helper in helpers:
            objects.setdefault(helper_object(helper), helper)
        for name, helper in sorted(objects.items()):
            origin = helper.origin
            self._open(f"ct helper {name}", origin)
            self._text.add(f'\t\ttype "{helper.helper}" protocol {helper.traffic.protocol.value}', origin)
            self._text.add(f"\t\tl3proto {IP[helper.traffic.family]}", origin)
            self._close(origin)

    def _container(self, one: _Named) -> None:
        shape = one.shape
        key = " . ".join(column.datatype for column in shape.columns)
        answers = {Marking: " : mark", SourceNat: f" : ipv{shape.family.value}_addr"}.get(shape.kind, "")
        reasons = sorted({element.reason for element in one.lookup.elements if element.reason})
        self._open(f"{'map' if answers else 'set'} {one.name}", reasons=reasons)
        self._text.add(f"\t\ttype {key}{answers}")
        if one.lookup.interval:
            self._text.add("\t\tflags interval")
        self._text.add("\t\telements = {")
        for element in one.lookup.elements:
            answer = f" : {element.answer}" if answers else ""
            self._text.add(f"\t\t\t{element.key} {_comment(element)}{answer},", element.origin)
        self._text.add("\t\t}")
        self._close()

    def _base_chain(self, chain: str, groups: dict[tuple[str, ...], list[_Named]]) -> None:
        jumps: list[str] = []
        for macs in filter(None, groups):
            jumps.append(f"{chain}_not_from_{len(jumps) + 1}")
            self._open(f"chain {jumps[-1]}")
            senders = macs[0] if len(macs) == 1 else f"{{ {', '.join(macs)} }}"
            # A packet without a link-layer address does not return: it is from none of these.
            self._text.add(f"\t\tether saddr {senders} return")
            self._rules(groups[macs])
            self._close()
        self._open(f"chain {chain}")
        self._text.add(f"\t\t{_BASE_CHAIN[chain]}")
        self._rules(groups.get((), ()))
        self._text.extend(f"\t\tjump {name}" for name in jumps)
        self._close()

    def _rules(self, named: Iterable[_Named]) -> None:
        for one in named:
            shape = one.shape
            words = [*_family_condition(shape, self._family), *shape.conditions]
            if one.name:
                key = " . ".join(column.expression for column in shape.columns)
                if shape.kind in (HelperAssignment, NoTrack):
                    words += [f"{key} @{one.name}", self._statement(shape, "")]
                else:
                    words.append(self._statement(shape, f"{key} map @{one.name}"))
                self._text.add("\t\t" + " ".join(words))
            else:
                for element in one.lookup.elements:
                    self._text.extend([f"\t\t# {element.reason}"] if element.reason else [])
                    rule = [*words, self._statement(shape, element.answer), _comment(element)]
                    self._text.add("\t\t" + " ".join(rule), element.origin)

    def _statement(self, shape: Shape, answer: str) -> str:
        if shape.kind is Marking:
            return f"meta mark set {answer}"
        if shape.kind is NoTrack:
            return "notrack"
        if shape.kind is SourceNat:
            return f"snat {IP[shape.family]} to {answer}" if self._family == "inet" else f"snat to {answer}"
        return f'ct helper set "{shape.helper}"'


def _family_condition(shape: Shape, family: str) -> tuple[str, ...]:
    """What keeps the other family's packets out, where no address of the packet itself does."""
    ip = IP[shape.family]
    matched = (*shape.conditions, *(column.expression for column in shape.columns))
    if family != "inet" or any(part.startswith((f"{ip} saddr", f"{ip} daddr")) for part in matched):
        return ()
    return (f"meta nfproto ipv{shape.family.value}",)


def _comment(element: Element) -> str:
    services = element.services
    text = f"service {services[0]}" if len(services) == 1 else f"services {', '.join(services)}"
    if len(text) > _MAX_COMMENT:
        text = f"services {services[0]} and {len(services) - 1} more"
    return f'comment "{text}"'
