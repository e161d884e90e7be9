"""A slip of one character in an example is never taken for something else: it is refused, where it stands."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from lvsc.diagnostics import Severity
from lvsc.report.located import Located, locate
from lvsc.spec.schema import generate
from support import schema_keys
from support.examples import EXAMPLES, text
from support.mutations import Mutation, mutations
from support.schema_keys import Entry, Where
from support.specs import FILE, plugins, reported

#: Keys that are names of things which have them elsewhere.
REFERRING_KEYS = {
    ("directors", "*", "addresses", "*"),
    ("directors", "*", "interfaces", "*"),
    ("directors", "*", "macs", "*"),
}
#: Keys by which the user names things. Other things of the same spec refer to those of the first; to the others nobody need.
REFERRED_TO = {("networks", "*"), ("addresses", "*"), ("pools", "*")}
FREE = {("directors", "*"), ("services", "*")}

REFERENCES = {
    ("cluster", "target"),
    ("cluster", "backends", "[]"),
    ("networks", "*", "gateway"),
    ("failover", "track_interfaces", "[]"),
    ("connection_sync", "network"),
    ("addresses", "*", "network"),
    ("pools", "*", "target"),
    ("pools", "*", "real_servers", "[]", "target"),
    ("services", "*", "address"),
    ("services", "*", "address", "[]"),
    ("services", "*", "pool"),
    ("services", "*", "source_nat"),
}
#: Strings that look like names and refer to nothing.
OWN_NAMES = {
    ("cluster", "name"),
    ("failover", "track_scripts", "[]", "name"),
    ("pools", "*", "real_servers", "[]", "name"),
}
#: A slip that makes another right word of a right one, and so another right spec.
OTHER_WORDS = {("wlc", "lc")}


@cache
def schema() -> schema_keys.Schema:
    return generate(plugins().fragments)


@cache
def _entries(example: str) -> dict[schema_keys.Path, Entry]:
    return {entry.path: entry for entry in schema_keys.entries(schema(), tomllib.loads(text(example)))}


def changed(example: str) -> Iterator[tuple[Mutation, Entry]]:
    """Each mutation of an example, and the entry that it changes."""
    entries = _entries(example)
    for mutation in mutations(text(example)):
        path = (*mutation.path[:-1], mutation.token.text) if mutation.token.is_key else mutation.path
        yield mutation, entries[path]


def errors(mutation: Mutation) -> list[Located]:
    found = [d for d in reported(mutation.text) if d.severity is Severity.ERROR]
    return locate(found, {FILE: mutation.text})


def stands_at(error: Located, mutation: Mutation) -> bool:
    """Whether the error points at the changed key or string; a string begins with its quote."""
    if error.place is None or error.place.span is None:
        return False
    column = mutation.token.column - (0 if mutation.token.is_key else 1)
    return (error.place.span.line, error.place.span.column) == (mutation.token.line, column)


def said(mutation: Mutation, found: list[Located]) -> str:
    """What to show of a mutation that was not refused as it should be."""
    token = mutation.token
    reasons = (
        "; ".join(f"{error.diagnostic.code.id} {error.diagnostic.message}" for error in found) or "no error"
    )
    return f"line {token.line}: `{token.text}` as `{mutation.changed}`: {reasons}"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_key_of_the_schema_is_refused_where_it_is_misspelt(example: str) -> None:
    wrong = []
    for mutation, entry in changed(example):
        if mutation.token.is_key and entry.where[-1] != "*":
            found = errors(mutation)
            of_nothing = any("``" in error.diagnostic.message for error in found)
            if of_nothing or not any(stands_at(error, mutation) for error in found):
                wrong.append(said(mutation, found))
    assert not wrong


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_reference_and_every_word_of_a_closed_set_is_refused_where_it_is_misspelt(example: str) -> None:
    wrong = []
    for mutation, entry in changed(example):
        refers = entry.where in (REFERRING_KEYS if mutation.token.is_key else REFERENCES)
        closed = not mutation.token.is_key and "enum" in entry.schema
        if (refers or closed) and (mutation.token.text, mutation.changed) not in OTHER_WORDS:
            found = errors(mutation)
            if not any(stands_at(error, mutation) for error in found):
                wrong.append(said(mutation, found))
    assert not wrong


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_name_that_others_refer_to_is_missed_when_it_is_misspelt(example: str) -> None:
    wrong = []
    for mutation, entry in changed(example):
        if mutation.token.is_key and entry.where in REFERRED_TO:
            found = errors(mutation)
            missed = [e for e in found if f"`{mutation.token.text}`" in e.diagnostic.message]
            if not missed:
                wrong.append(said(mutation, found))
    assert not wrong


def test_every_name_in_the_examples_is_of_a_known_sort() -> None:
    """A new key that holds a name must be said to refer to something, or not to."""
    names = Counter[Where]()
    keys = Counter[Where]()
    pattern = schema()["properties"]["cluster"]["properties"]["name"]["pattern"]
    for example in EXAMPLES:
        for entry in _entries(example).values():
            if entry.where[-1] == "*":
                keys[entry.where] += 1
            elif entry.schema.get("pattern") == pattern and isinstance(entry.value, str):
                names[entry.where] += 1
    assert keys.keys() == REFERRING_KEYS | REFERRED_TO | FREE
    assert names.keys() == REFERENCES | OWN_NAMES


def test_the_examples_have_each_key_of_the_schema() -> None:
    used = {entry.where for example in EXAMPLES for entry in _entries(example).values()}
    assert schema_keys.keys(schema()) - used == set()


def test_the_examples_have_each_variant_of_a_table() -> None:
    checks = {
        str(entry.value)
        for example in EXAMPLES
        for entry in _entries(example).values()
        if entry.where == ("probe", "type")
    }
    assert checks == set(schema()["$defs"]["probe"]["properties"]["type"]["enum"])
    kinds = {
        str(entry.value)
        for example in EXAMPLES
        for entry in _entries(example).values()
        if entry.where == ("services", "*", "kind")
    }
    assert kinds == set(plugins().kinds)
