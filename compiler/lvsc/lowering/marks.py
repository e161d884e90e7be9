"""Which mark a service has."""

import hashlib
from collections.abc import Iterable

from lvsc.diagnostics import Anchor, Diagnostic, Origin, Place
from lvsc.graph.traffic import Family
from lvsc.lowering import codes
from lvsc.lowering.lowered import LoweredService
from lvsc.spec.model import MarkRange

#: kube-proxy's masquerade and drop marks, which it sets and tests as bits of any mark (--iptables-masquerade-bit).
KUBERNETES_BITS = 0x4000 | 0x8000


def derived_mark(name: str, marks: MarkRange) -> int:
    """The mark of a service that says none: a function of its name and the range alone.

    The range's numbers with a bit of Kubernetes' are passed over; where it has no others they are taken.
    """
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    count = marks.last - marks.first + 1
    free = _count_free(marks.last + 1) - _count_free(marks.first)
    if free == 0:
        return marks.first + digest % count
    return _nth_free(_count_free(marks.first) + digest % free)


def _count_free(limit: int) -> int:
    """How many numbers below the limit have neither of Kubernetes' bits: a quarter of each 65536."""
    blocks, rest = divmod(limit, 0x10000)
    return blocks * 0x4000 + min(rest, 0x4000)


def _nth_free(index: int) -> int:
    blocks, rest = divmod(index, 0x4000)
    return blocks * 0x10000 + rest


def report_shared_marks(services: Iterable[LoweredService]) -> list[Diagnostic]:
    """A diagnostic for each mark that two services of one family have."""
    owners: dict[tuple[int, Family], LoweredService] = {}
    problems: dict[str, Diagnostic] = {}
    for lowered in services:
        if lowered.mark is None:
            continue
        for family in lowered.service.families:
            owner = owners.setdefault((lowered.mark, family), lowered)
            if owner is not lowered:
                problems.setdefault(lowered.service.name, _shared(owner, lowered))
    return list(problems.values())


def _shared(first: LoweredService, second: LoweredService) -> Diagnostic:
    names = f"services `{first.service.name}` and `{second.service.name}`"
    if first.derived or second.derived:
        return codes.MARK_COLLISION.at(
            Place(second.service.origin, Anchor.TABLE),
            f"{names} get the same mark {second.mark}",
            others=[Place(first.service.origin, Anchor.TABLE, "the other one")],
            notes=["a mark is derived from the service's name where the spec says none"],
            help=f"say a `mark` for `{(second if second.derived else first).service.name}`",
        )
    return codes.MARK_TWICE.at(
        Place(_mark_origin(second)),
        f"{names} have the same mark {second.mark}",
        others=[Place(_mark_origin(first), label="first here")],
        help="give each its own `mark`, or make one service of the two",
    )


def _mark_origin(lowered: LoweredService) -> Origin:
    return lowered.service.origin / "mark"
