"""What a virtual_server block sets for its service as a whole: persistence and the quorum (check_parser.c)."""

from ipaddress import IPv4Address

from lvsc.plugin import Family, Persistence, Quorum, Selector
from lvsc_keepalived import read_codes
from lvsc_keepalived.read_fields import Fields, Report
from lvsc_keepalived.read_lines import Statement

#: IPVS_SVC_PERSISTENT_TIMEOUT, where `persistence_timeout` has no value.
_PERSISTENT = 360
_MAX_PERSISTENCE = 31 * 86400
_MAX_UNSIGNED = 2**32 - 1


def persistence_of(fields: Fields, family: Family) -> Persistence | None:
    """The persistence, which a granularity alone brings with it too; None without one."""
    report = fields.report
    said = fields.said.get("persistence_timeout")
    granularity = fields.text("persistence_granularity")
    engine = fields.text("persistence_engine")
    if said is None and granularity is None:
        if engine is not None:
            message = "`persistence_engine` does nothing without `persistence_timeout`"
            report.at(read_codes.STRUCTURE, fields.said["persistence_engine"], message)
        return None
    timeout = _PERSISTENT
    if said is not None and (len(said.words) > 1 or said.block is not None):
        timeout = fields.number("persistence_timeout", 1, _MAX_PERSISTENCE, _PERSISTENT)
    length = family.bits
    if granularity is not None:
        at = fields.said["persistence_granularity"]
        if family is Family.IPV6:
            length = report.number(at, 1, "the length of a prefix", 1, 128) or length
        else:
            length = _mask(report, at, granularity)
    return Persistence(timeout=timeout, prefix_length=length, engine=engine)


def _mask(report: Report, at: Statement, text: str) -> int:
    """The length of the prefix that an IPv4 mask leaves."""
    try:
        inverse = ~int(IPv4Address(text)) & 0xFFFFFFFF
    except ValueError:
        inverse = 0xFFFFFFFF
    if inverse & (inverse + 1) or inverse == 0xFFFFFFFF:  # noqa: PLR2004 - no bit of the address
        report.value(at, 1, "a mask of leading bits")
        return 32
    return 32 - inverse.bit_length()


def quorum_of(fields: Fields, selector: Selector) -> Quorum | None:
    """The quorum, where it is not the one that every virtual server has: a weight of 1, and nobody told."""
    report = fields.report
    statement = next(
        (
            fields.said[name]
            for name in ("quorum", "hysteresis", "quorum_up", "quorum_down")
            if name in fields
        ),
        None,
    )
    if statement is None:
        return None
    node = Quorum(
        host=report.host,
        origin=report.origin(statement),
        selector=selector,
        weight=fields.number("quorum", 1, _MAX_UNSIGNED, 1),
        hysteresis=fields.number("hysteresis", 0, _MAX_UNSIGNED, 0),
        up=fields.command("quorum_up"),
        down=fields.command("quorum_down"),
    )
    if node.hysteresis >= node.weight:
        at = fields.said.get("hysteresis", statement)
        report.at(read_codes.STRUCTURE, at, "the hysteresis is not less than the quorum", advice="lower it")
    usual = (node.weight, node.hysteresis, node.up, node.down) == (1, 0, None, None)
    return None if usual else node
