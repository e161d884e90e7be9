"""Whether a foreign fragment may touch any of the packets that a comparison is about.

A fragment is left out only where it is sure to touch none of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from lvsc.compare.involved import Involved
from lvsc.compare.sides import HostSide
from lvsc.graph.nodes import Accept, NoTrack, PacketRule, Sysctl
from lvsc.graph.traffic import Family, Hook, State
from lvsc.packets.diagram import Space
from lvsc.packets.dimensions import (
    Box,
    Dimension,
    complement,
    joined,
    network_intervals,
    one,
    port_intervals,
    state_number,
    traffic_box,
)
from lvsc.packets.rules import first_match
from lvsc.packets.sets import PacketSet
from lvsc.plugins.backend import Role
from lvsc.plugins.reading import Foreign, Scope, Touch

_EVERYWHERE = frozenset(Hook)
_ARRIVING = frozenset({Hook.PREROUTING, Hook.INPUT})
_FORWARDED = frozenset({Hook.FORWARD})
_INPUT = frozenset({Hook.INPUT})
_LEAVING = frozenset({Hook.OUTPUT, Hook.POSTROUTING})
_PASSING = frozenset({Hook.PREROUTING, *_FORWARDED, *_LEAVING})
#: IPVS looks at the mark at INPUT, and at OUTPUT for what the director itself sends (Linux: ip_vs_core.c, ip_vs_ops).
_MARKED = frozenset({Hook.PREROUTING, Hook.INPUT, Hook.OUTPUT})
#: The states of packets of connections that connection tracking knows, and of those related to them.
_KNOWN = joined(one(state_number(state)) for state in (State.ESTABLISHED, State.RELATED))


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Packets of one kind at some hooks; the hook is not in the boxes."""

    hooks: frozenset[Hook]
    packets: PacketSet


class Question:
    """What becomes of packets on one host of two sides."""

    def __init__(self, space: Space, sides: tuple[HostSide, HostSide]) -> None:
        self._space = space
        self._sides = sides
        self._involved = Involved(sides)
        self._told = any(Role.DIRECTOR in side.roles for side in sides)
        self._coming: dict[tuple[object, ...], PacketSet] = {}
        self._met: dict[tuple[object, ...], bool] = {}
        self._beginning: dict[bool, tuple[_Piece, ...]] = {}
        self._through: dict[tuple[bool, bool], tuple[_Piece, ...]] = {}

    def concerns(self, side: HostSide, foreign: Foreign, touches: frozenset[Touch]) -> bool:
        """Whether a fragment of a side may do one of these things to packets in question."""
        if foreign.scopes == () or foreign.hooks == frozenset():
            return False
        return any(self._concerns(side, foreign, touch) for touch in touches)

    def _concerns(self, side: HostSide, foreign: Foreign, touch: Touch) -> bool:
        if self._same and foreign.place and touch is not Touch.MARK:
            # The same packets come to the same fragment on both sides, but for those that are told as changed.
            return False
        match touch:
            case Touch.MARK:
                on_path = foreign.hooks is None or bool(foreign.hooks & _MARKED)
                return on_path and (self._meets(self._clients, side, foreign) or self._marks(foreign))
            case Touch.DESTINATION_NAT:
                # Of TCP too, a packet in the middle of a connection that is not known begins one (nf_conntrack_tcp_loose).
                answers = not self._knows(side) or self._involved.answers_look_new
                return self._meets(self._first(answers=answers), side, foreign) or self._makes(side, foreign)
            case Touch.SOURCE_NAT | Touch.HELPER:
                answers = self._involved.answers_look_new
                return self._meets(self._first(answers=answers), side, foreign)
            case Touch.TRACKING:
                return self._meets(self._all, side, foreign)
            case Touch.FILTER:
                return self._meets(self._let_through(side), side, foreign)
            case Touch.BALANCE:
                return True

    @cached_property
    def _same(self) -> bool:
        """Whether both sides have the very same fragments, in the same places."""
        fragments, others = (tuple((f.place, f.text) for f in side.foreign) for side in self._sides)
        return fragments == others

    def _marks(self, foreign: Foreign) -> bool:
        """Whether the fragment may give packets the mark of a service."""
        return foreign.marks is None or any(
            given.may_be(mark) for given in foreign.marks for mark in self._involved.marks
        )

    def _makes(self, side: HostSide, foreign: Foreign) -> bool:
        """Whether the fragment may send packets to a service that were for something else."""
        if foreign.made is None:
            return True
        return self._meets(self._clients, side, replace(foreign, scopes=foreign.made, spared=()))

    def _meets(self, pieces: tuple[_Piece, ...], side: HostSide, foreign: Foreign) -> bool:
        """Whether a packet of the pieces is among those that the fragment may touch."""
        boxes = [_box(scope) for scope in foreign.scopes]
        for piece in pieces:
            hooks = piece.hooks if foreign.hooks is None else piece.hooks & foreign.hooks
            if hooks:
                left = self._left(piece, hooks, side, foreign)
                if any(self._meet_anywhere(left, box) and left.meets(box) for box in boxes):
                    return True
        return False

    def _meet_anywhere(self, packets: PacketSet, box: Box) -> bool:
        """Whether packets of the set are in the box, wherever they come from: of long lists of senders asked once."""
        rest: Box = box.copy()
        rest.pop(Dimension.SOURCE, None)
        key = (id(packets), tuple(sorted(rest.items())))
        met = self._met.get(key)
        if met is None:
            met = self._met[key] = packets.meets(rest)
        return met

    def _left(self, piece: _Piece, hooks: frozenset[Hook], side: HostSide, foreign: Foreign) -> PacketSet:
        """The packets of a piece but those that the fragment is sure not to see."""
        # The other variant of iptables has chains of its own, whose accepts spare nothing here.
        file = foreign.origin.file if foreign.behind_accepts and len(hooks) == 1 else None
        key = (piece, hooks, id(side), id(foreign.spared), file)
        left = self._coming.get(key)
        if left is None:
            # A scope of what is not known may be more than the packets that are spared.
            boxes = [_box(scope) for scope in foreign.spared if scope.known is not False]
            rules = side.nodes.of(Accept) if file is not None else ()
            boxes += (
                _conditions(rule) for rule in rules if rule.traffic.hook in hooks and rule.origin.file == file
            )
            left = self._coming[key] = piece.packets - self._set(boxes)
        return left

    # --- the packets, by what can be done to them --------------------------------------------------------------------

    @cached_property
    def _clients(self) -> tuple[_Piece, ...]:
        return self._pieces(self._involved.clients)

    def _first(self, *, answers: bool) -> tuple[_Piece, ...]:
        """The first packets of connections, which decide on their translation and their helper; answers may be among them."""
        found = self._involved
        if answers not in self._beginning:
            answering = found.answers if answers else []
            self._beginning[answers] = self._pieces([*found.clients, *found.sent_on, *answering])
        return self._beginning[answers]

    @cached_property
    def _all(self) -> tuple[_Piece, ...]:
        found = self._involved
        return self._pieces(
            [*found.clients, *found.sent_on, *found.answers, *found.check_answers, *found.opened]
        )

    def _knows(self, side: HostSide) -> bool:
        """Whether connection tracking knows the connections that IPVS translates, as far as either side says."""
        for each in (side, *self._sides):
            for setting in each.nodes.of(Sysctl):
                if setting.key == "net.ipv4.vs.conntrack":
                    return setting.value != "0"
        return False

    def _let_through(self, side: HostSide) -> tuple[_Piece, ...]:
        """What must get through for virtual services to work, each where it passes."""
        if not self._told:
            return self._everything
        known = self._knows(side)
        # An error about a packet that is not tracked is invalid (nf_conntrack_proto_icmp.c).
        errors_known = known and not side.nodes.of(NoTrack)
        key = known, errors_known
        if key not in self._through:
            self._through[key] = self._passing(known=known, errors_known=errors_known)
        return self._through[key]

    def _passing(self, *, known: bool, errors_known: bool) -> tuple[_Piece, ...]:
        found = self._involved
        forwarded = [rule for rule in self._accepts if rule.traffic.hook is Hook.FORWARD]
        arriving = [rule for rule in self._accepts if rule.traffic.hook is Hook.INPUT]
        return (
            _Piece(_ARRIVING, self._set(found.clients)),
            *self._parted(_ARRIVING, _INPUT, lambda each: _tracked(each.check_answers)),
            *self._parted(_ARRIVING, _INPUT, lambda each: _tracked(each.errors, known=errors_known)),
            *self._parted(_PASSING, _FORWARDED, lambda each: _tracked(each.answers, known=known)),
            *self._parted(_PASSING, _FORWARDED, lambda each: each.opened),
            _Piece(_PASSING, self._set(map(_conditions, forwarded))),
            _Piece(_LEAVING, self._set([*found.clients, *found.sent_on])),
            # Where nothing is translated, they are the director's own.
            _Piece(_LEAVING, self._set(_tracked(found.from_virtual, known=known or not found.translates))),
            *self._parted(_ARRIVING | _LEAVING, _INPUT, lambda each: each.between_directors),
            _Piece(_INPUT, self._set(map(_conditions, arriving))),
        )

    @cached_property
    def _accepts(self) -> list[Accept]:
        return [rule for side in self._sides for rule in side.nodes.of(Accept)]

    def _parted(
        self, hooks: frozenset[Hook], here: frozenset[Hook], boxes: Callable[[Involved], Iterable[Box]]
    ) -> tuple[_Piece, ...]:
        """Packets at some hooks; at that of lvsc's accepts only of those sides whose accepts do not say exactly which."""
        silent = tuple(side for side in self._sides if not _says(side))
        if len(silent) == len(self._sides):
            return (_Piece(hooks, self._set(boxes(self._involved))),)
        return (
            _Piece(hooks - here, self._set(boxes(self._involved))),
            _Piece(here, self._set(boxes(Involved(silent)))),
        )

    def _pieces(self, boxes: Iterable[Box]) -> tuple[_Piece, ...]:
        return (_Piece(_EVERYWHERE, self._set(boxes)),) if self._told else self._everything

    @cached_property
    def _everything(self) -> tuple[_Piece, ...]:
        """Where nothing says which services there are, every packet is in question."""
        return (_Piece(_EVERYWHERE, PacketSet.everything(self._space)),)

    def _set(self, boxes: Iterable[Box]) -> PacketSet:
        rules = [*((box, True) for box in boxes), ({}, False)]
        return PacketSet(self._space, first_match(self._space, rules))


def _says(side: HostSide) -> bool:
    """Whether lvsc's accepts let everything in that its services need: then some are for answers."""
    return any(rule.traffic.state is not None for rule in side.nodes.of(Accept))


def _tracked(boxes: Iterable[Box], *, known: bool = True) -> Iterable[Box]:
    """The packets as connection tracking sees them; `known` says that it knows their connections, where it tracks at all."""
    return ({**box, Dimension.STATE: _KNOWN} for box in boxes) if known else boxes


def _conditions(rule: PacketRule) -> Box:
    """What a rule looks at besides the hook."""
    box = traffic_box(rule.traffic)
    del box[Dimension.HOOK]
    return box


def _box(scope: Scope) -> Box:
    """The conditions of a scope that a packet shows."""
    box: Box = {}
    if scope.family is not None:
        box[Dimension.FAMILY] = one(int(scope.family is Family.IPV6))
    if scope.protocols:
        box[Dimension.PROTOCOL] = joined(map(one, scope.protocols))
    for dimension, networks in (
        (Dimension.SOURCE, scope.sources),
        (Dimension.DESTINATION, scope.destinations),
    ):
        if networks:
            box[dimension] = joined(map(network_intervals, networks))
    for dimension, ports in (
        (Dimension.SOURCE_PORT, scope.source_ports),
        (Dimension.DESTINATION_PORT, scope.destination_ports),
    ):
        if ports:
            box[dimension] = joined(map(port_intervals, ports))
    if scope.known is not None:
        box[Dimension.STATE] = _KNOWN if scope.known else complement(Dimension.STATE, _KNOWN)
    return box
