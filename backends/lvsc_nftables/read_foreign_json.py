"""Other people's rules in nft's JSON: what each does by itself."""

from collections.abc import Iterator, Sequence
from typing import Any

from lvsc.plugin import Origin
from lvsc_nftables.read_foreign import Fragment
from lvsc_nftables.read_model import Match
from lvsc_nftables.read_scope import Bound, narrowed, of_family, of_protocol
from lvsc_nftables.read_touches import EVERYTHING, SETS, STATEMENTS, TARGETS

Json = Any  # what `json.loads` returns; each use says what it expects of it


def expression_fragment(
    expression: Json, text: str, origin: Origin, conditions: Sequence[Match], family: str
) -> Fragment:
    """A rule's statements in JSON, of which the first are these conditions."""
    found = Fragment(text, origin, bound=of_family(family))
    statements = expression if isinstance(expression, list) else [None]
    read = 0
    for match in conditions:
        more = narrowed(found.bound, match)
        if more is None:
            break
        found.bound = more
        read += 1
    rest = [only_entry(statement) for statement in statements[read:]]
    if rest[:1]:
        found.bound = _looked_into(found.bound, *rest[0])
    kinds = [kind for kind, _ in rest if kind != "counter"]
    found.accepts = found.bound.exact and kinds == ["accept"]
    found.leaves = not {"goto", "return", "vmap"}.isdisjoint(kinds)
    found.calls_all = [kind for kind, _ in map(only_entry, statements)] == ["jump"]
    for statement in statements:
        _statement(statement, found)
    found.leaves = found.leaves or found.touches >= EVERYTHING
    return found


def _looked_into(bound: Bound, kind: str, body: Json) -> Bound:
    match kind, body:
        case "match", {"left": {"payload": {"protocol": str(protocol)}}}:
            return of_protocol(bound, protocol)
    return bound


def elements_fragment(elements: Json, text: str, origin: Origin) -> Fragment:
    """A declared set or map in JSON, which does what the verdicts in it do."""
    found = Fragment(text, origin, filled=bool(elements))
    _verdicts(elements, found)
    return found


def _statement(statement: Json, found: Fragment) -> None:
    kind, body = only_entry(statement)
    match kind, body:
        case "jump" | "goto", {"target": str(target)}:
            found.jumps.add(target)
        case "mangle", {"key": {"meta": {"key": "mark"}}, "value": int() | str() as value}:
            found.set_mark(str(value))
        case "mangle", {"key": key}:
            found.touch(SETS.get(_changed(key), EVERYTHING))
        case "dnat", {"addr": str(address), **rest}:
            port = rest.get("port", "")
            found.send_to(address if isinstance(port, int | str) else "", str(port))
        case "vmap", {"data": data}:
            _verdicts(data, found)
        case "xt", {"type": "target", "name": str(target)}:
            found.touch(TARGETS.get(target, EVERYTHING))
        case "xt", {"type": "match"}:
            pass
        case _:
            found.touch(STATEMENTS.get(kind, EVERYTHING))
    found.containers.update(_references(body))


def only_entry(value: Json) -> tuple[str, Json]:
    """The key and value of an object that has one; an empty key for anything else."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, body),) = value.items()
        return key, body
    return "", None


def _changed(key: Json) -> tuple[str, str]:
    """What a `mangle` statement changes, in the words of nft's language."""
    match only_entry(key):
        case "meta" | "ct" as kind, {"key": str(name)}:
            return kind, name
        case "payload", {"protocol": str(protocol), "field": str(name)}:
            return protocol, name
        case "tcp option", {"name": str(option), "field": str(name)}:
            return option, name
    return "", ""


def _verdicts(data: Json, found: Fragment) -> None:
    if isinstance(data, dict):
        data = data.get("set")
    for element in data if isinstance(data, list) else ():
        match element:
            case [_, dict() as verdict]:
                _statement(verdict, found)


def _references(value: Json) -> Iterator[str]:
    """The sets and maps that are named anywhere within."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str) and current.startswith("@"):
            yield current[1:]
        elif isinstance(current, dict | list):
            waiting += current.values() if isinstance(current, dict) else current
