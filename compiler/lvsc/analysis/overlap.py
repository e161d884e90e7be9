"""Packets that two services claim, with a witness. Sorting and one sweep: no step is quadratic on disjoint services."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lvsc.analysis import codes
from lvsc.diagnostics import Anchor, Diagnostic, Place
from lvsc.graph.traffic import Address, PortRange, Protocol
from lvsc.lowering.lowered import LoweredService

#: What IPVS knows a service of all the ports that are left by.
_REST = PortRange.one(0)


@dataclass(frozen=True, slots=True)
class Claim:
    """A service's claim to the packets of one protocol to one address and range of ports."""

    owner: LoweredService
    address: Address
    protocol: Protocol
    ports: PortRange


@dataclass(frozen=True, slots=True)
class Witness:
    """A packet that proves an overlap; port 0 stands for any that no other service has."""

    protocol: Protocol
    address: Address
    port: int

    def __str__(self) -> str:
        if not self.port:
            return f"{self.protocol.value} to a port of {self.address} that no other service has"
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)  # noqa: PLR2004 - IPv6
        return f"{self.protocol.value} to {host}:{self.port}"


def report_overlaps(services: Iterable[LoweredService]) -> list[Diagnostic]:
    """One diagnostic for each pair of services that claim a packet in common."""
    found: dict[frozenset[str], Diagnostic] = {}
    for first, second, port in overlaps(claims(services)):
        pair = frozenset((first.owner.service.name, second.owner.service.name))
        if pair not in found:
            found[pair] = _diagnostic(first, second, Witness(first.protocol, first.address, port))
    return list(found.values())


def claims(services: Iterable[LoweredService]) -> Iterator[Claim]:
    """The claims of services.

    A service of all ports that is known by its address claims port 0 alone, which no packet has: IPVS gives it what no
    other service has.
    """
    for lowered in services:
        rest = lowered.mark is None
        for _, address, port in lowered.endpoints():
            yield Claim(lowered, address, port.protocol, _REST if rest and port.ports.all else port.ports)


def overlaps(all_claims: Iterable[Claim]) -> Iterator[tuple[Claim, Claim, int]]:
    """Pairs of claims of different services that share a port, and the lowest port that they share.

    Of claims that a wider one covers, each is paired with the one that reaches furthest, so no overlap goes unsaid though
    not every pair is named.
    """
    groups: dict[tuple[int, int, Protocol], list[Claim]] = {}
    for claim in all_claims:
        groups.setdefault((claim.address.version, int(claim.address), claim.protocol), []).append(claim)
    for group in groups.values():
        group.sort(key=_by_ports)
        widest: Claim | None = None
        for claim in group:
            if (
                widest is not None
                and claim.ports.first <= widest.ports.last
                and widest.owner is not claim.owner
            ):
                yield widest, claim, claim.ports.first
            if widest is None or claim.ports.last > widest.ports.last:
                widest = claim


def _by_ports(claim: Claim) -> tuple[int, int, str]:
    return (claim.ports.first, -claim.ports.last, claim.owner.service.name)


def _diagnostic(first: Claim, second: Claim, witness: Witness) -> Diagnostic:
    one, other = first.owner, second.owner
    place = Place(other.service.origin, Anchor.TABLE)
    others = [Place(one.service.origin, Anchor.TABLE, "the other service")]
    names = f"`{one.service.name}` and `{other.service.name}`"
    notes = [f"for example {witness}"]
    if one.mark is None and other.mark is None:
        return codes.SAME_ADDRESS.at(
            place,
            f"services {names} have the same address and port",
            others=others,
            notes=notes,
            help="make one service of the two, or move one to another port or address",
        )
    if one.mark is not None and other.mark is not None:
        return codes.TWO_MARKS.at(
            place,
            f"services {names} mark the same packets, with {one.mark} and {other.mark}",
            others=others,
            notes=notes,
            help="take the shared ports out of one of the two",
        )
    marked, hidden = (one, other) if one.mark is not None else (other, one)
    return codes.MARK_SHADOWS.at(
        place,
        f"the mark of `{marked.service.name}` hides service `{hidden.service.name}`",
        others=others,
        notes=[*notes, "IPVS looks for a packet's mark before its address"],
        help="take the shared port out of one of the two",
    )
