"""Where key paths stand: held against tomllib, and in words for each way to write a table."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import Anchor, KeyPath
from lvsc.spec.locate import Locator
from lvsc.spec.span import Span
from support.toml_documents import documents


def at(text: str, span: Span) -> str:
    """The text of a span."""
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def walk(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    yield path, value
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        yield from walk(item, (*path, step))


@given(documents())
def test_leaves_are_those_of_tomllib(text: str) -> None:
    expected = {
        path: value for path, value in walk(tomllib.loads(text)) if not isinstance(value, dict | list)
    }
    found = {path: tomllib.loads(f"x = {at(text, span)}")["x"] for path, span in Locator(text).leaves()}
    assert {path: repr(value) for path, value in found.items()} == {
        path: repr(value) for path, value in expected.items()
    }


@given(documents())
def test_each_path_of_tomllib_is_found_at_its_own_key_and_value(text: str) -> None:
    locator = Locator(text)
    for path, value in walk(tomllib.loads(text)):
        if not path:
            continue
        key = at(text, locator.span(path, Anchor.KEY))
        if isinstance(path[-1], str):
            assert list(tomllib.loads(f"{key} = 0")) == [path[-1]]
        where = at(text, locator.span(path, Anchor.VALUE))
        if where.startswith("[") and isinstance(value, dict):
            assert tomllib.loads(where), "the value of a table that has a header is the header"
        elif not isinstance(value, dict | list) or where.startswith(("[", "{")):
            assert repr(tomllib.loads(f"x = {where}")["x"]) == repr(value)


@given(st.text(), st.lists(st.one_of(st.text(), st.integers()), max_size=3), st.sampled_from(Anchor))
def test_any_text_and_path_have_a_span_within_the_text(
    text: str, path: list[str | int], anchor: Anchor
) -> None:
    span = Locator(text).span(tuple(path), anchor)
    assert 1 <= span.line <= span.end_line <= text.count("\n") + 2
    assert span.column >= 1
    assert span.end_column >= 1


SPEC = """\
title = "t"
dotted.inner.key = 1

[cluster] # comment
name = "ä"
"quoted key".'b.c' = 'x'
table = { ip = ["1", "2"], deep.er = true }

[ pools . web ]
real_servers = [
    { name = "one" }, # first
    { name = "two", ip = [
        "3",
    ] },
]

[[list]]
a = 1
[list.sub]
b = 2
[[list]]
a = 3
[[list.sub]]
b = 4
"""


@pytest.mark.parametrize(
    ("path", "anchor", "line", "text"),
    [
        pytest.param(("title",), Anchor.KEY, 1, "title", id="key"),
        pytest.param(("title",), Anchor.VALUE, 1, '"t"', id="value"),
        pytest.param(("dotted",), Anchor.KEY, 2, "dotted", id="first part of a dotted key"),
        pytest.param(("dotted", "inner"), Anchor.KEY, 2, "inner", id="middle part of a dotted key"),
        pytest.param(
            ("dotted", "inner"), Anchor.VALUE, 2, "inner", id="a dotted key's table stands at its part"
        ),
        pytest.param(("dotted", "inner", "key"), Anchor.VALUE, 2, "1", id="value of a dotted key"),
        pytest.param(("cluster",), Anchor.KEY, 4, "cluster", id="name in a header"),
        pytest.param(("cluster",), Anchor.TABLE, 4, "[cluster]", id="header"),
        pytest.param(("cluster",), Anchor.VALUE, 4, "[cluster]", id="a header stands for its table's value"),
        pytest.param(("cluster", "name"), Anchor.VALUE, 5, '"ä"', id="text"),
        pytest.param(("cluster", "quoted key", "b.c"), Anchor.KEY, 6, "'b.c'", id="quoted key"),
        pytest.param(("cluster", "quoted key", "b.c"), Anchor.VALUE, 6, "'x'", id="value of a quoted key"),
        pytest.param(
            ("cluster", "table"), Anchor.TABLE, 7, '{ ip = ["1", "2"], deep.er = true }', id="inline table"
        ),
        pytest.param(("cluster", "table", "ip", 1), Anchor.VALUE, 7, '"2"', id="item of a list"),
        pytest.param(("cluster", "table", "ip", 1), Anchor.KEY, 7, '"2"', id="an item stands for its key"),
        pytest.param(
            ("cluster", "table", "deep", "er"), Anchor.KEY, 7, "er", id="dotted key in an inline table"
        ),
        pytest.param(("pools",), Anchor.TABLE, 9, "pools", id="table that only longer headers name"),
        pytest.param(("pools", "web"), Anchor.TABLE, 9, "[ pools . web ]", id="header with spaces"),
        pytest.param(
            ("pools", "web", "real_servers", 1, "name"), Anchor.KEY, 12, "name", id="key in a listed table"
        ),
        pytest.param(
            ("pools", "web", "real_servers", 0), Anchor.TABLE, 11, '{ name = "one" }', id="listed table"
        ),
        pytest.param(("pools", "web", "real_servers", 1, "ip", 0), Anchor.VALUE, 13, '"3"', id="list within"),
        pytest.param(("list", 0), Anchor.TABLE, 17, "[[list]]", id="first table of a list"),
        pytest.param(("list", 1), Anchor.TABLE, 21, "[[list]]", id="second table of a list"),
        pytest.param(("list", 1, "a"), Anchor.VALUE, 22, "3", id="value in the second"),
        pytest.param(("list", 0, "sub"), Anchor.TABLE, 19, "[list.sub]", id="table within the first"),
        pytest.param(("list", 1, "sub", 0, "b"), Anchor.VALUE, 24, "4", id="list within the second"),
        pytest.param((), Anchor.TABLE, 1, "", id="the whole file"),
        pytest.param(("nothing",), Anchor.KEY, 1, "", id="missing at the top"),
        pytest.param(("cluster", "no"), Anchor.KEY, 4, "[cluster]", id="missing in a table"),
        pytest.param(
            ("cluster", "table", "no"), Anchor.VALUE, 7, '{ ip = ["1", "2"], deep.er = true }', id="inline"
        ),
        pytest.param(("cluster", "name", "no"), Anchor.VALUE, 5, '"ä"', id="missing below a value"),
        pytest.param(("list", 7, "a"), Anchor.VALUE, 17, "list", id="missing item"),
    ],
)
def test_a_path_is_found(path: KeyPath, anchor: Anchor, line: int, text: str) -> None:
    span = Locator(SPEC).span(path, anchor)
    assert span.line == line
    assert at(SPEC, span).rstrip("\n") == text or (text == "" and span == Span(1, 1, 1, 1))


def test_columns_count_characters() -> None:
    text = 'a = ["\U0001f600é", "b"]'
    assert Locator(text).span(("a", 1), Anchor.VALUE) == Span(1, 12, 1, 15)


def test_value_of_several_lines_ends_on_its_last() -> None:
    assert Locator(SPEC).span(("pools", "web", "real_servers"), Anchor.VALUE) == Span(10, 16, 15, 2)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("oops =\n", id="pair without a value"),
        pytest.param("= 1\n", id="pair without a key"),
        pytest.param("[oops\n", id="open header"),
        pytest.param("[]\n", id="header without a name"),
        pytest.param("a b c\n", id="words"),
        pytest.param('"\\q" = 1\n', id="impossible escape"),
    ],
)
def test_what_stands_before_a_syntax_error_is_found(broken: str) -> None:
    text = f"[first]\na = 1\n{broken}"
    assert at(text, Locator(text).span(("first", "a"), Anchor.VALUE)) == "1"
