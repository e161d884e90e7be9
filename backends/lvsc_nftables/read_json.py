"""What `nft -j list ruleset` prints (libnftables-json(5)) read: lvsc's own tables into the model, other people's rules as they are."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from lvsc.plugin import Diagnostic, Foreign, Origin, Source, Touch, shown
from lvsc_nftables import read_codes
from lvsc_nftables.read_foreign import ForeignTable, Fragment
from lvsc_nftables.read_foreign_json import elements_fragment, expression_fragment, only_entry
from lvsc_nftables.read_model import (
    Base,
    Chain,
    Container,
    Document,
    Element,
    HelperObject,
    Jump,
    Key,
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
    is_own,
)
from lvsc_nftables.read_others import foreign_of
from lvsc_nftables.read_scope import hook_of
from lvsc_nftables.read_touches import EVERYTHING
from lvsc_nftables.read_words import Lines, MisreadError

Json = Any  # what `json.loads` returns; each use says what it expects of it

BEGINS = re.compile(r'\s*\{\s*"nftables"\s*:\s*\[\s*')
_DECODER = json.JSONDecoder()
_CONTAINERS = frozenset({"set", "map"})
_COMMA = re.compile(r"\s*,\s*")
_ENDS = re.compile(r"\s*\]\s*\}\s*")
_ELEMENTS = re.compile(r'"elem"\s*:\s*\[\s*')
_BLANKS = re.compile(r"\s+")
#: A number that changes with each load.
_HANDLE = re.compile(r'(?<=[{,]) *"handle": *[0-9]+,? *')
_COUNTER = re.compile(r'"counter": *\{"packets": *[0-9]+, *"bytes": *[0-9]+\}')
_NOWHERE = Origin("")
#: What says where an object is.
_PLACE = ("family", "table", "handle", "index")


def read_json(source: Source) -> Document:
    """All that a text of nft's JSON says. A place in it is that of the whole object of the list."""
    reader = _JsonReader(source)
    reader.read()
    for table in reader.foreign_tables.values():
        reader.foreign += foreign_of(source.host, table)
    return Document(tuple(reader.tables.values()), tuple(reader.foreign), tuple(reader.problems))


class _JsonReader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = Lines.of(source)
        self.tables: dict[str, Table] = {}
        self.foreign_tables: dict[tuple[str, str], ForeignTable] = {}
        self.foreign: list[Foreign] = []
        self.problems: list[Diagnostic] = []

    def read(self) -> None:
        for entry, text, at, end in self._entries():
            origin = self._lines.origin(at)
            kind, body = only_entry(entry)
            match kind, body:
                case "metainfo", _:
                    continue
                case "table", {"family": str(family), "name": str(name)}:
                    table = (family, name)
                case _, {"family": str(family), "table": str(name)}:
                    table = (family, name)
                case _:
                    table = ("", "")
            if is_own(*table):
                try:
                    elements = tuple(self._elements(at, end)) if kind in _CONTAINERS else ()
                    _own(
                        self.tables.setdefault(table[0], Table(table[0], origin)),
                        kind,
                        body,
                        origin,
                        elements,
                    )
                except MisreadError as error:
                    self.problems.append(error.diagnostic)
            else:
                foreign = self.foreign_tables.setdefault(table, ForeignTable(family=table[0], name=table[1]))
                _other(foreign, kind, body, Fragment(text, origin))

    def _elements(self, start: int, end: int) -> Iterator[Origin]:
        """The places of the elements of a set or map that is written from `start` to `end`."""
        text = self._source.text
        begins = _ELEMENTS.search(text, start, end)
        at = begins.end() if begins else end
        while at < end and text[at] != "]":
            yield self._lines.origin(at)
            _, at = _DECODER.raw_decode(text, at)
            comma = _COMMA.match(text, at)
            at = comma.end() if comma else end

    def _entries(self) -> Iterator[tuple[Json, str, int, int]]:
        """The objects of the list, as they are and as they are written but for handles and what is counted, and where."""
        text = self._source.text
        begins = BEGINS.match(text)
        at = begins.end() if begins else 0
        while begins is not None:
            try:
                entry, end = _DECODER.raw_decode(text, at)
            except (ValueError, RecursionError):
                break
            written = _COUNTER.sub('"counter": null', _HANDLE.sub("", text[at:end]))
            yield entry, _BLANKS.sub(" ", written), at, end
            if _ENDS.fullmatch(text, end):
                return
            comma = _COMMA.match(text, end)
            if comma is None:
                at = end
                break
            at = comma.end()
        self.problems.append(
            read_codes.SYNTAX.at(
                self._lines.origin(at),
                "this is no JSON of nft's",
                help="give what `nft -j list ruleset` prints",
            )
        )


# --- other people's tables -------------------------------------------------------------------------------------------


def _other(table: ForeignTable, kind: str, body: Json, fragment: Fragment) -> None:
    match kind, body:
        case "table", dict() if "flags" not in body and "comment" not in body:
            return
        case "table", dict():
            pass
        case "chain", {"name": str(name), **rest}:
            table.chains.setdefault(name, [])
            if rest.get("policy", "accept") != "accept":
                fragment.touches = frozenset({Touch.FILTER})
            if "hook" in rest:
                table.bases[name] = hook_of(table.family, str(rest["hook"]))
            table.heads[name] = fragment
            return
        case "rule", {"chain": str(chain), "expr": expression}:
            conditions = list(_conditions(expression))
            found = expression_fragment(expression, fragment.text, fragment.origin, conditions, table.family)
            table.chains.setdefault(chain, []).append(found)
            return
        case "set" | "map", {"name": str(name), **rest}:
            table.containers[name] = elements_fragment(rest.get("elem"), fragment.text, fragment.origin)
            return
        case (
            "ct helper" | "ct timeout" | "ct expectation" | "counter" | "quota" | "limit" | "secmark",
            dict(),
        ):
            pass
        case _:
            fragment.touches = EVERYTHING
    table.rest.append(fragment)


def _conditions(expression: Json) -> Iterator[Match]:
    """The conditions with which a rule begins, as far as they are of the kinds that lvsc's own rules have."""
    for statement in _list(expression):
        try:
            match statement:
                case {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": list(states)}}:
                    yield Match(("ct state",), tuple((str(state),) for state in states))
                case {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": str(state)}}:
                    yield Match(("ct state",), ((state,),))
                case {"match": {"op": "==" | "in", "left": left, "right": {"set": list(values)}}}:
                    yield Match(_fields(left, _NOWHERE), tuple(_key(value, _NOWHERE) for value in values))
                case {"match": {"op": "==", "left": left, "right": right}}:
                    yield Match(_fields(left, _NOWHERE), (_key(right, _NOWHERE),))
                case _:
                    return
        except MisreadError:
            return


# --- lvsc's tables ---------------------------------------------------------------------------------------------------


def _own(table: Table, kind: str, body: Json, origin: Origin, places: Sequence[Origin]) -> None:
    """Take an object into a table; `places` are those of the elements of a set or map."""
    match kind, body:
        case "table", _:
            _only(body, origin, "handle", "family", "name")
        case "ct helper", {"name": str(name), "type": str(helper), "protocol": str(protocol), **rest}:
            _only(rest, origin, "l3proto", *_PLACE)
            family = _word(rest.get("l3proto", table.family), origin)
            table.helpers[name] = HelperObject(name, helper, protocol, family, origin)
        case "set" | "map", {"name": str(name), "type": types, **rest}:
            _only(rest, origin, "map", "flags", "elem", "size", *_PLACE)
            container = Container(name, origin, kind == "map")
            container.types = tuple(_word(one, origin) for one in _list(types))
            container.answers = _word(rest.get("map", ""), origin)
            if (flags := _list(rest.get("flags", []))) not in ([], ["interval"]):
                _fail(origin, f"lvsc's sets and maps have no flags {shown(str(flags))}")
            container.interval = bool(flags)
            elements = _list(rest.get("elem", []))
            if len(places) != len(elements):
                places = [origin] * len(elements)
            for element, place in zip(elements, places, strict=True):
                container.elements.append(_element(element, container.is_map, place))
            table.containers[name] = container
        case "chain", {"name": str(name), **rest}:
            table.chains[name] = Chain(name, origin, _base(rest, origin))
        case "rule", {"chain": str(name), "expr": list(expression), **rest} if name in table.chains:
            _only(rest, origin, "comment", *_PLACE)
            statements = tuple(
                _statement(one, origin) for one in expression if only_entry(one)[0] != "counter"
            )
            table.chains[name].rules.append(Rule(statements, _word(rest.get("comment", ""), origin), origin))
        case _:
            _fail(origin, "lvsc has nothing of this kind in its table")


def _base(rest: Json, origin: Origin) -> Base | None:
    match rest:
        case {"type": str(kind), "hook": str(hook), "prio": int(priority), **more}:
            _only(more, origin, "policy", *_PLACE)
            return Base(kind, hook, priority, _word(more.get("policy", "accept"), origin))
        case _:
            _only(rest, origin, *_PLACE)
            return None


def _element(element: Json, is_map: bool, origin: Origin) -> Element:  # noqa: FBT001 - of a map, or of a set
    answer = ""
    if is_map:
        match element:
            case [key, data]:
                element, answer = key, _word(data, origin)
            case _:
                _fail(origin, "an element of a map has no answer")
    comment = ""
    match element:
        case {"elem": {"val": value, **rest}}:
            _only(rest, origin, "comment")
            element, comment = value, _word(rest.get("comment", ""), origin)
        case _:
            pass
    return Element(_key(element, origin), answer, comment, origin)


def _statement(statement: Json, origin: Origin) -> Statement:
    match statement:
        case {"match": {"op": "==" | "in", "left": left, "right": str(name)}} if name.startswith("@"):
            return Lookup(_fields(left, origin), name[1:])
        case {"match": {"op": "==" | "in", "left": left, "right": {"set": list(values)}}}:
            return Match(_fields(left, origin), tuple(_key(value, origin) for value in values))
        case {"match": {"op": "==" | "in", "left": left, "right": right}}:
            return Match(_fields(left, origin), (_key(right, origin),))
        case {"mangle": {"key": {"meta": {"key": "mark"}}, "value": value}}:
            return SetMark(_answer(value, origin))
        case {"ct helper": str(name)}:
            return SetHelper(name)
        case {"snat": {"addr": value, **rest}}:
            _only(rest, origin, "family")
            return Snat(_word(rest["family"], origin) if "family" in rest else None, _answer(value, origin))
        case {"jump": {"target": str(target)}}:
            return Jump(target)
        case {"notrack": None}:
            return Untrack()
        case {"return": None}:
            return Return()
    return _fail(origin, "lvsc has no rule with a statement like this")


def _answer(value: Json, origin: Origin) -> str | Lookup:
    match value:
        case {"map": {"key": key, "data": str(name)}} if name.startswith("@"):
            return Lookup(_fields(key, origin), name[1:])
    return _word(value, origin)


def _fields(left: Json, origin: Origin) -> Key:
    match left:
        case {"concat": list(parts)}:
            return tuple(_field(part, origin) for part in parts)
    return (_field(left, origin),)


def _field(field: Json, origin: Origin) -> str:
    match field:
        case {"payload": {"protocol": str(protocol), "field": str(name)}}:
            return f"{protocol} {name}"
        case {"meta": {"key": str(name)}}:
            return f"meta {name}"
        case {"ct": {"key": str(name), **rest}}:
            return f"ct original {name}" if rest.get("dir") == "original" else f"ct {name}"
    return _fail(origin, "lvsc looks at nothing like this")


def _key(value: Json, origin: Origin) -> Key:
    match value:
        case {"concat": list(parts)}:
            return tuple(_word(part, origin) for part in parts)
    return (_word(value, origin),)


def _word(value: Json, origin: Origin) -> str:
    """A value in the words of nft's language."""
    match value:
        case bool():
            pass
        case str() | int():
            return str(value)
        case {"range": [str() | int() as first, str() | int() as last]}:
            return f"{first}-{last}"
        case {"prefix": {"addr": str(address), "len": int(length)}}:
            return f"{address}/{length}"
    return _fail(origin, "lvsc has no value like this")


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _only(body: Json, origin: Origin, *names: str) -> None:
    for name in body if isinstance(body, dict) else ("",):
        if name not in names:
            _fail(origin, f"lvsc writes no `{shown(str(name))}` here")


def _fail(origin: Origin, message: str) -> NoReturn:
    raise MisreadError(read_codes.OWN, origin, message)
