"""The codes of what balanced cannot do."""

from lvsc.plugin import Code

MARK = Code(
    "BAL001", "a firewall mark", "balanced balances addresses and ports; it never looks at a packet's mark."
)
SCHEDULER = Code("BAL002", "a scheduler that balanced lacks", "balanced knows rr and wlc.")
FORWARDING = Code("BAL003", "a forwarding method that balanced lacks", "balanced forwards by nat alone.")

ALL = (MARK, SCHEDULER, FORWARDING)
