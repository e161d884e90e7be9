"""Packets in words: `tcp to 192.0.2.10:80,443 from 198.51.100.0/24`."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, summarize_address_range

from lvsc.graph.traffic import Family, Hook, Portless, Protocol, State
from lvsc.packets.dimensions import Box, Dimension, Intervals, complement, hook_number

_PROTOCOLS = {protocol.number: protocol.value for kind in (Protocol, Portless) for protocol in kind}
_HOOKS = {hook_number(hook): hook for hook in Hook}
_STATES = tuple(State)
#: How many parts of a list are written before the rest is counted.
_MOST = 4


def classes(boxes: Iterable[Box]) -> tuple[str, ...]:
    """Each box in words, in order. The hook is said where it is not the one that clients' packets come in by."""
    return tuple(box_words(box) for box in boxes)


def listed(words: Iterable[str], separator: str = ", ", most: int = _MOST) -> str:
    """The words in a row; of many, the first few and how many more there are."""
    parts = list(words)
    if len(parts) > most:
        parts = [*parts[: most - 1], f"{len(parts) - most + 1} more"]
    return separator.join(parts)


def box_words(box: Box) -> str:
    """A box in words."""
    family = Family.IPV6 if box.get(Dimension.FAMILY) == ((1, 1),) else Family.IPV4
    words = [_protocol(box, family)]
    for word, address, port in (
        ("to", Dimension.DESTINATION, Dimension.DESTINATION_PORT),
        ("from", Dimension.SOURCE, Dimension.SOURCE_PORT),
        ("first sent to", Dimension.ORIGINAL_DESTINATION, Dimension.ORIGINAL_DESTINATION_PORT),
    ):
        end = _end(box, address, port, family)
        if end:
            words += [word, end]
    words += _link(box)
    states = box.get(Dimension.STATE)
    if states is not None:
        names = [_STATES[number].value for first, last in states for number in range(first, last + 1)]
        words += ["in state", listed(names, most=len(names))]
    hooks = box.get(Dimension.HOOK, ())
    if hooks != ((hook_number(Hook.PREROUTING),) * 2,):
        names = [_HOOKS[number].value for first, last in hooks for number in range(first, last + 1)]
        words += ["at", listed(names)] if names else []
    return " ".join(words)


def _protocol(box: Box, family: Family) -> str:
    named = Dimension.DESTINATION in box or Dimension.SOURCE in box or Dimension.ORIGINAL_DESTINATION in box
    suffix = f" over IPv{family.value}" if Dimension.FAMILY in box and not named else ""
    numbers = box.get(Dimension.PROTOCOL)
    if numbers is None:
        return f"anything{suffix}"
    return listed(map(_protocol_word, numbers)) + suffix


def _protocol_word(numbers: tuple[int, int]) -> str:
    first, last = numbers
    return _PROTOCOLS.get(first, f"protocol {first}") if first == last else f"protocols {first}-{last}"


def _end(box: Box, address: Dimension, port: Dimension, family: Family) -> str:
    addresses, ports = box.get(address), box.get(port)
    where = "" if addresses is None else listed(_networks(addresses, family))
    if ports is None:
        return where
    numbers = listed((str(a) if a == b else f"{a}-{b}" for a, b in ports), ",")
    if not where:
        return f"port {numbers}"
    single = ":" not in where and "," not in where and "/" not in where
    return f"{where}:{numbers}" if single else f"{where} port {numbers}"


def _networks(intervals: Intervals, family: Family) -> Iterator[str]:
    top = (1 << family.bits) - 1
    for first, last in intervals:
        low, high = min(first, top), min(last, top)
        if family is Family.IPV6:
            found: Iterable[object] = summarize_address_range(IPv6Address(low), IPv6Address(high))
        else:
            found = summarize_address_range(IPv4Address(low), IPv4Address(high))
        for network in found:
            yield str(network).removesuffix(f"/{family.bits}")


def _link(box: Box) -> Iterator[str]:
    interfaces = box.get(Dimension.INTERFACE)
    if interfaces is not None:
        negated = interfaces[0][0] == 0 and interfaces[-1][1] == Dimension.INTERFACE.top
        shown = complement(Dimension.INTERFACE, interfaces) if negated else interfaces
        yield "not in by" if negated else "in by"
        yield listed(_name(first) for first, _ in shown)
    macs = box.get(Dimension.SOURCE_MAC)
    if macs is not None:
        negated = macs[0][0] == 0 and macs[-1][1] == Dimension.SOURCE_MAC.top
        shown = complement(Dimension.SOURCE_MAC, macs) if negated else macs
        yield "not from MAC" if negated else "from MAC"
        yield listed(bytes.hex(first.to_bytes(6, "big"), ":") for first, _ in shown)
    marks = box.get(Dimension.MARK)
    if marks is not None:
        yield "marked"
        yield listed(str(a) if a == b else f"{a}-{b}" for a, b in marks)


def _name(number: int) -> str:
    return number.to_bytes(15, "big").rstrip(b"\0").decode("ascii", "backslashreplace")
