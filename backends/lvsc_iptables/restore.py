"""The files that iptables-restore reads."""

from collections.abc import Mapping

from lvsc.plugin import Family, Line, Text
from lvsc_iptables.chains import Chain


def restore_path(family: Family) -> str:
    """Where a host keeps the rules of a family."""
    return f"/etc/lvsc/iptables.v{family.value}"


def restore_file(header: str, rules: Mapping[Chain, tuple[Line, ...]]) -> Text:
    """The rules of one family by table. With `iptables-restore --noflush` the chains named here are emptied and filled
    again at one stroke for each table (iptables-restore(8)), and no other chain changes.
    """
    text = Text()
    text.add(header)
    for table in dict.fromkeys(chain.table for chain in rules):
        chains = [chain for chain in rules if chain.table == table]
        text.add(f"*{table}")
        text.extend(f":{chain.label} - [0:0]" for chain in chains)
        for chain in chains:
            for line in rules[chain]:
                text.add(line.text, line.origin)
        text.add("COMMIT")
    return text
