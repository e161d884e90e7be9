"""What lvsc's own tables mean: the nodes that their chains carry out, and what is in them without effect."""

import re
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass

from lvsc.plugin import (
    Code,
    Diagnostic,
    Family,
    HelperAssignment,
    Hook,
    Marking,
    NoTrack,
    Origin,
    PacketRule,
    Place,
    SourceNat,
    TrafficClass,
    shown,
)
from lvsc_nftables import read_codes
from lvsc_nftables.read_model import (
    Base,
    Chain,
    Container,
    Element,
    HelperObject,
    Jump,
    Lookup,
    Match,
    Return,
    Rule,
    SetHelper,
    SetMark,
    Snat,
    Statement,
    Table,
    Untrack,
)
from lvsc_nftables.read_packets import (
    FAMILIES,
    TRACKED,
    Condition,
    Draft,
    Position,
    WrongError,
    address,
    condition,
    mac,
)
from lvsc_nftables.read_words import RELOAD

_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,8}|0|[1-9][0-9]{0,9}")
_SERVICE = re.compile(r"services? (.+)")
_MAX_MARK = 0xFFFFFFFF
#: When IPVS sees a packet at output (ip_vs_core.c: NF_IP_PRI_NAT_DST + 1).
_BALANCED = -99
_HOOKS = {hook.value: hook for hook in Hook}
_NAT_HOOKS = (Hook.POSTROUTING, Hook.INPUT)
#: The hooks at which a packet has the link-layer header that it came with.
_WITH_SENDER = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)

Action = SetMark | SetHelper | Snat | Untrack


def nodes_of(host: str, tables: Iterable[Table]) -> tuple[tuple[PacketRule, ...], tuple[Diagnostic, ...]]:
    """The nodes, in the order in which the first that matches a packet decides, and the problems."""
    nodes: list[PacketRule] = []
    problems: list[Diagnostic] = []
    for table in tables:
        walk = _Walk(host, table)
        walk.run()
        nodes += walk.nodes
        problems += walk.problems
    # Each `meta mark set` overwrites what was set before; everything else is settled by the first rule.
    marks = [node for node in nodes if isinstance(node, Marking)]
    ordered = (*reversed(marks), *(node for node in nodes if not isinstance(node, Marking)))
    return ordered, (*dict.fromkeys(problems), *_two_answers(ordered))


@dataclass(frozen=True, slots=True)
class _Case:
    """One kind of packets that a rule acts on: what the rule answers, for whom, and where it says so."""

    draft: Draft
    answer: str
    comment: str
    origin: Origin


class _Walk:
    """Follows packets through the chains of one table."""

    def __init__(self, host: str, table: Table) -> None:
        self._host = host
        self._table = table
        self._reached: set[str] = set()
        self._used: set[str] = set()
        self.nodes: list[PacketRule] = []
        self.problems: list[Diagnostic] = []

    def run(self) -> None:
        """Follow them from every base chain."""
        bases = [
            (chain.base.priority, chain.base, chain) for chain in self._table.chains.values() if chain.base
        ]
        for _, base, chain in sorted(bases, key=lambda found: found[0]):
            hook = _HOOKS.get(base.hook)
            wrong = _base_problem(base)
            if wrong is not None:
                self._complain(chain.origin, wrong)
            if hook is not None:
                start = Draft(Position(hook, base), FAMILIES[self._table.family])
                self._chain(chain, start, (chain.name,))
        if not self.problems:
            self._leftovers()

    def _leftovers(self) -> None:
        for chain in self._table.chains.values():
            if chain.rules and chain.base is None and chain.name not in self._reached:
                self._complain(
                    chain.origin, f"nothing jumps to the chain `{shown(chain.name)}`", read_codes.NO_EFFECT
                )
        for container in self._table.containers.values():
            if container.elements and container.name not in self._used:
                self._complain(
                    container.origin, f"no rule looks at `{shown(container.name)}`", read_codes.NO_EFFECT
                )

    def _chain(self, chain: Chain, draft: Draft, path: tuple[str, ...]) -> None:
        over = False
        for rule in chain.rules:
            if over:
                self._complain(rule.origin, "no packet comes to this rule", read_codes.NO_EFFECT)
            try:
                match rule.statements:
                    case (Return(),):
                        over = True
                    case (Match(("ether saddr",), values), Return()):
                        draft = copy(draft)
                        draft.macs = _senders(draft, values)
                    case (Jump(target),):
                        self._jump(target, draft, path)
                    case (*conditions, SetMark() | SetHelper() | Snat() | Untrack() as action):
                        _check_place(action, draft.position)
                        for case in self._cases(rule, conditions, action, draft):
                            self._add(action, case)
                    case _:
                        self._complain(rule.origin, "lvsc has no rule of this form")
            except WrongError as error:
                self._complain(rule.origin, error.message, error.code)

    def _jump(self, target: str, draft: Draft, path: tuple[str, ...]) -> None:
        chain = self._table.chains.get(target)
        if chain is None or chain.base is not None or target in path:
            raise WrongError(f"there is no way to the chain `{shown(target)}`")
        self._reached.add(target)
        self._chain(chain, draft, (*path, target))

    # --- conditions ----------------------------------------------------------------------------------------------

    def _cases(
        self, rule: Rule, conditions: Iterable[Statement], action: Action, draft: Draft
    ) -> Iterator[_Case]:
        drafts = [draft]
        lookups: list[Lookup] = []
        for statement in conditions:
            match statement:
                case Match(fields, values):
                    drafts = [_narrowed(one, fields, key) for one in drafts for key in values]
                case Lookup():
                    lookups.append(statement)
                case _:
                    raise WrongError("something stands before the last statement that is no condition")
        answer = action.answer if isinstance(action, SetMark | Snat) else ""
        if isinstance(answer, Lookup):
            lookups.append(answer)
        if not lookups:
            yield from (_Case(one, str(answer), rule.comment, rule.origin) for one in drafts)
        elif len(lookups) > 1:
            raise WrongError("lvsc looks at one set or map in a rule")
        else:
            container, adders = self._container(lookups[0], action)
            for element in container.elements:
                try:
                    for one in drafts:
                        narrow = _with_key(one, adders, element.key)
                        _check_interval(container, element)
                        said = element.answer if isinstance(answer, Lookup) else str(answer)
                        yield _Case(narrow, said, element.comment or rule.comment, element.origin)
                except WrongError as error:
                    self._complain(element.origin, error.message, error.code)

    def _container(self, lookup: Lookup, action: Action) -> tuple[Container, list[Condition]]:
        container = self._table.containers.get(lookup.name)
        if container is None:
            raise WrongError(f"there is no set or map `{shown(lookup.name)}`")
        self._used.add(lookup.name)
        answered = isinstance(action, SetMark | Snat) and action.answer is lookup
        if container.is_map != answered:
            raise WrongError(f"`{shown(lookup.name)}` is {'a map' if container.is_map else 'a set'}")
        found = [condition(field) for field in lookup.fields]
        if container.types != tuple(datatype for datatype, _ in found):
            raise WrongError(f"the keys of `{shown(lookup.name)}` are of other types")
        wanted: tuple[str, ...] = ("",)
        if answered:
            wanted = ("mark",) if isinstance(action, SetMark) else ("ipv4_addr", "ipv6_addr")
        if container.answers not in wanted:
            raise WrongError(f"the answers of `{shown(lookup.name)}` are of another type")
        return container, [adder for _, adder in found]

    # --- actions -------------------------------------------------------------------------------------------------

    def _add(self, action: Action, case: _Case) -> None:
        try:
            self.nodes += self._nodes(action, case)
        except WrongError as error:
            self._complain(case.origin, error.message, error.code)

    def _nodes(self, action: Action, case: _Case) -> Iterator[PacketRule]:
        host, origin, draft = self._host, case.origin, case.draft
        found = _SERVICE.fullmatch(case.comment)
        service = found[1] if found else case.comment
        match action:
            case SetMark():
                mark = _mark(case.answer)
                for traffic in draft.classes():
                    yield Marking(host=host, origin=origin, service=service, traffic=traffic, mark=mark)
            case Untrack():
                for traffic in draft.classes():
                    yield NoTrack(host=host, origin=origin, service=service, traffic=traffic)
            case SetHelper(name):
                helper = self._table.helpers.get(name)
                if helper is None:
                    raise WrongError(f"there is no helper object `{shown(name)}`")
                for traffic in _helped(draft, helper):
                    yield HelperAssignment(
                        host=host, origin=origin, service=service, traffic=traffic, helper=helper.helper
                    )
            case Snat(family):
                # The kernel passes over packets of another family (nft_nat.c, nft_nat_inet_eval).
                narrow = copy(draft)
                narrow.families &= FAMILIES.get(family or "", narrow.families)
                for traffic in narrow.classes():
                    to = address(case.answer, traffic.family)
                    yield SourceNat(host=host, origin=origin, service=service, traffic=traffic, address=to)

    def _complain(self, origin: Origin, message: str, code: Code = read_codes.OWN) -> None:
        self.problems.append(code.at(origin, message, help=RELOAD))


def _base_problem(base: Base) -> str | None:
    if base.hook not in _HOOKS:
        return f"lvsc has no chain at the hook `{shown(base.hook)}`"
    if base.policy != "accept":
        return f"the chain's policy is `{shown(base.policy)}`: it drops what is not lvsc's"
    return None


def _check_place(action: Action, position: Position) -> None:
    """Raise WrongError where the kernel refuses the action in this chain, or passes over it."""
    base, hook = position.base, position.hook
    wanted = ("nat",) if isinstance(action, Snat) else ("filter", "route")
    if base.type not in wanted or (base.type == "route" and hook is not Hook.OUTPUT):
        raise WrongError(
            f"this does nothing in a chain of the type `{shown(base.type)}`", read_codes.NO_EFFECT
        )
    match action:
        case Untrack() if hook not in (Hook.PREROUTING, Hook.OUTPUT) or base.priority >= TRACKED:
            message = "connection tracking has seen the packet already"
        case SetHelper() if not position.tracked:
            message = "connection tracking has not seen the packet yet, so it gets no helper"
        case Snat() if hook not in _NAT_HOOKS or base.priority <= TRACKED:
            message = "source addresses are not replaced here"
        case SetMark() if hook is Hook.OUTPUT and base.type != "route":
            message = "the way of a packet is not looked up again in a chain that is not of the type `route`"
        case SetMark() if hook is Hook.OUTPUT and base.priority >= _BALANCED:
            message = "IPVS has seen the packet already"
        case _:
            return
    raise WrongError(message, read_codes.NO_EFFECT)


def _narrowed(draft: Draft, fields: tuple[str, ...], key: tuple[str, ...]) -> Draft:
    return _with_key(draft, [condition(field)[1] for field in fields], key)


def _with_key(draft: Draft, adders: list[Condition], key: tuple[str, ...]) -> Draft:
    if len(adders) != len(key):
        raise WrongError("there are more or fewer values than fields")
    narrow = copy(draft)
    for add, value in zip(adders, key, strict=True):
        add(narrow, value)
    return narrow


def _senders(draft: Draft, values: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """The source MAC addresses that the rules behind a `return` leave out."""
    if draft.position.hook not in _WITH_SENDER:
        raise WrongError("no packet has a source MAC address here", read_codes.NO_EFFECT)
    return tuple(sorted({*draft.macs, *(mac(value) for key in values for value in key)}))


def _check_interval(container: Container, element: Element) -> None:
    if not container.interval and any("-" in part or "/" in part for part in element.key):
        raise WrongError("an element of more than one value stands in a set or map without `flags interval`")


def _helped(draft: Draft, helper: HelperObject) -> list[TrafficClass]:
    narrow = copy(draft)
    narrow.families &= FAMILIES.get(helper.family, frozenset[Family]())
    if draft.protocol is not None and draft.protocol.value != helper.protocol:
        raise WrongError(
            f"the helper object `{shown(helper.name)}` is for the protocol `{shown(helper.protocol)}`",
            read_codes.NO_EFFECT,
        )
    return narrow.classes()


def _mark(value: str) -> int:
    mark = int(value, 0) if _NUMBER.fullmatch(value) else 0
    if not 0 < mark <= _MAX_MARK:
        raise WrongError(f"`{shown(value)}` is no firewall mark")
    return mark


def _two_answers(nodes: Iterable[PacketRule]) -> Iterator[Diagnostic]:
    """A problem for each node that says otherwise than an earlier one for the same packets."""
    seen: dict[tuple[type[PacketRule], TrafficClass], PacketRule] = {}
    for node in nodes:
        earlier = seen.setdefault((type(node), node.traffic), node)
        if earlier != node:
            yield read_codes.TWO_ANSWERS.at(
                node.origin,
                "something else is said for the same packets",
                others=[Place(earlier.origin, label="which has effect")],
                help=RELOAD,
            )
