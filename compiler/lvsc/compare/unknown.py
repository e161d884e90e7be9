"""What keeps a comparison from an answer: other people's rules, and fragments that are not understood."""

from collections.abc import Iterator, Mapping

from lvsc.compare.changes import Aspect, Unknown
from lvsc.compare.question import Question
from lvsc.compare.sides import HostSide, Side
from lvsc.plugins.backend import Role
from lvsc.plugins.reading import Touch

#: What a foreign rule must touch to leave the answer to a question open.
TOUCHES: Mapping[Aspect, frozenset[Touch]] = {
    # A helper or an untracked packet changes nothing in which service is found; another destination does.
    Aspect.SERVICE: frozenset({Touch.MARK, Touch.DESTINATION_NAT, Touch.BALANCE}),
    # An untracked connection has no helper and is not translated.
    Aspect.HELPER: frozenset({Touch.HELPER, Touch.TRACKING}),
    Aspect.TRACKING: frozenset({Touch.TRACKING}),
    Aspect.SOURCE_NAT: frozenset({Touch.SOURCE_NAT, Touch.TRACKING}),
    Aspect.FILTER: frozenset({Touch.FILTER}),
}
#: The questions that the programs of a role decide.
_ASPECTS: Mapping[Role, frozenset[Aspect]] = {
    Role.PACKET_FILTER: frozenset(Aspect),
    Role.DIRECTOR: frozenset({Aspect.SERVICE}),
}


def unknowns(
    side: Side, host: HostSide, roles: frozenset[Role], question: Question | None = None
) -> Iterator[Unknown]:
    """The questions that a side leaves open on a host, of those that the roles which are compared decide.

    Without a question every packet counts.
    """
    compared = frozenset(aspect for role in roles for aspect in _ASPECTS.get(role, ()))
    for aspect in Aspect:
        if aspect not in compared:
            continue
        for foreign in host.foreign:
            touches = foreign.touches & TOUCHES[aspect]
            if touches and (question is None or question.concerns(host, foreign, touches)):
                yield Unknown(
                    aspect=aspect,
                    host=host.host,
                    side=side.name,
                    fragment=foreign.text,
                    origin=foreign.origin,
                )
        for unread in host.unread:
            if unread.role in roles and aspect in _ASPECTS.get(unread.role, ()):
                place = unread.problem.place
                yield Unknown(
                    aspect=aspect,
                    host=host.host,
                    side=side.name,
                    fragment=unread.problem.message,
                    is_rule=False,
                    origin=None if place is None else place.origin,
                )
