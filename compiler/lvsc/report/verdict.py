"""What a comparison comes to, in one line."""

from collections import Counter

from lvsc.compare.changes import ChangeKind, Difference, PacketChange, Unknown
from lvsc.diagnostics import Origin
from lvsc.packets.words import classes, listed

#: What is said of packets of each kind of change.
KINDS = {
    ChangeKind.EXPOSURE: "exposed",
    ChangeKind.LOSS: "lost",
    ChangeKind.TREATMENT: "treated differently",
    ChangeKind.TYING: "tied differently",
    ChangeKind.MARK: "marked differently",
    ChangeKind.HELPER: "with another helper",
    ChangeKind.TRACKING: "tracked differently",
    ChangeKind.SOURCE_NAT: "with another source address",
    ChangeKind.FILTER: "let in differently",
    ChangeKind.WEIGHTS: "with other weights",
}


def verdict(difference: Difference) -> str:
    """What changes for packets; that nothing does is said in exactly one way."""
    parts: list[str] = []
    if difference.packets:
        counts = Counter(change.kind for change in difference.packets)
        said = ", ".join(f"{counts[kind]} {KINDS[kind]}" for kind in ChangeKind if counts[kind])
        parts.append(f"{plural(len(difference.packets), 'class', 'classes')} of packets: {said}")
    if difference.unknown:
        fragments = {
            (unknown.host, unknown.side, unknown.origin, unknown.fragment) for unknown in difference.unknown
        }
        whose = (
            "is not lvsc's or not understood" if len(fragments) == 1 else "are not lvsc's or not understood"
        )
        other = "other " if difference.packets else ""
        parts.append(
            f"unknown whether {other}packets are treated differently:"
            f" {plural(len(fragments), 'rule', 'rules')} {whose}"
        )
    if not parts:
        reaching = sum(change.reaches_packets for change in difference.settings)
        if reaching:
            parts.append("no rule of a packet filter or a director treats a packet differently")
            parts.append(
                f"{plural(reaching, 'setting of a host differs', 'settings of hosts differ')},"
                " and what that does to packets is not known"
            )
        else:
            parts.append("no packet is treated differently")
        parts.append(f"{plural(difference.rewritten, 'rule', 'rules')} rewritten")
    return "; ".join(parts)


def plural(count: int, one: str, several: str) -> str:
    """A count and its noun."""
    return f"{count} {one if count == 1 else several}"


def traffic(change: PacketChange) -> str:
    """The class of packets in words."""
    return listed(classes(change.boxes), "; ")


def fragment(unknown: Unknown) -> str:
    """What keeps a question from being answered, as it stands in a sentence: a rule as code."""
    return f"`{unknown.fragment}`" if unknown.is_rule else unknown.fragment


def origins(change: PacketChange) -> tuple[Origin, ...]:
    """Where the change was made: where the new side says it, or the old one where the new one says nothing."""
    return change.after_origins or change.before_origins
