"""Real servers and sorry servers: where they are, and how packets reach them (check_parser.c, svr_forwarding_handler)."""

from dataclasses import dataclass

from lvsc.plugin import Address, Forwarding, Tunnel, TunnelChecksum, TunnelType
from lvsc_keepalived import read_codes
from lvsc_keepalived.read_fields import Fields, Report
from lvsc_keepalived.read_lines import Statement

_METHODS = {"NAT": Forwarding.NAT, "DR": Forwarding.DIRECT, "TUN": Forwarding.TUNNEL}
_TYPES = {"ipip": TunnelType.IPIP, "gue": TunnelType.GUE, "gre": TunnelType.GRE}
_CHECKSUMS = {
    "nocsum": TunnelChecksum.NONE,
    "csum": TunnelChecksum.FULL,
    "remcsum": TunnelChecksum.REMOTE,
}

Method = tuple[Forwarding, Tunnel | None]
#: The method where none is said.
NAT: Method = (Forwarding.NAT, None)


@dataclass(slots=True)
class Destination:
    """A real server or sorry server before the family of its service is known."""

    statement: Statement
    address: Address
    port: int | None
    """None where it is unsaid."""
    method: Method
    fields: Fields | None = None


def where(report: Report, statement: Statement) -> tuple[Address, int | None] | None:
    """The address and port of a real server or sorry server, None for the port where it is unsaid."""
    if len(statement.words) not in (2, 3):
        report.at(read_codes.VALUE, statement, "a server is an address and a port", index=3)
        return None
    address = report.address(statement, 1)
    port: int | None = None
    if len(statement.words) > 2:  # noqa: PLR2004 - the port
        port = report.number(statement, 2, "a port", 0, 65535)
        if port is None:
            return None
    return None if address is None else (address, port)


def method_of(fields: Fields, name: str) -> Method | None:
    """The forwarding method that a keyword says; None where it is unsaid or a problem."""
    found = fields.said.get(name)
    if found is None or not fields.report.words(found, 2, 7):
        return None
    words = found.words
    forwarding = _METHODS.get(words[1])
    if forwarding is None:
        fields.report.value(found, 1, "a forwarding method: NAT, DR or TUN")
        return None
    if forwarding is not Forwarding.TUNNEL:
        if fields.report.words(found, 2, 2):
            return forwarding, None
        return None
    kind: TunnelType | None = None
    port: int | None = None
    checksum: TunnelChecksum | None = None
    index = 2
    while index < len(words):
        word = words[index]
        following = words[index + 1] if index + 1 < len(words) else ""
        if word == "type" and kind is None and following in _TYPES:
            kind = _TYPES[following]
        elif word == "port" and port is None:
            port = fields.report.number(found, index + 1, "a port", 1, 65535)
            if port is None:
                return None
        elif word in _CHECKSUMS and checksum is None:
            checksum = _CHECKSUMS[word]
            index -= 1
        else:
            fields.report.value(found, index, "a word of a tunnel, or not for the first time")
            return None
        index += 2
    tunnel = Tunnel(type=kind or TunnelType.IPIP, port=port, checksum=checksum or TunnelChecksum.NONE)
    allowed = {
        TunnelType.IPIP: (TunnelChecksum.NONE,),
        TunnelType.GUE: tuple(TunnelChecksum),
        TunnelType.GRE: (TunnelChecksum.NONE, TunnelChecksum.FULL),
    }
    if (tunnel.type is TunnelType.GUE) is not (port is not None) or tunnel.checksum not in allowed[
        tunnel.type
    ]:
        fields.report.value(
            found, 2, "the beginning of words that go together: gue has a port, gre no remcsum"
        )
        return None
    return forwarding, tunnel
