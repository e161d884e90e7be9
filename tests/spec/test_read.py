"""Reading a spec: the values are tomllib's, and so are the errors."""

import datetime as dt
import math
import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lvsc.diagnostics import Diagnostic, DiagnosticError
from lvsc.spec.codes import ALL
from lvsc.spec.read import decode, read
from support.toml_documents import documents


def comparable(value: object) -> object:
    """Something that is equal where the values are the same to the type, the sign of zero and the order of keys."""
    if isinstance(value, dict):
        return [(key, comparable(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None), value.utcoffset()
    return type(value), str(value)


def outcome(text: str) -> object:
    try:
        return comparable(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return None


def problem(text: str) -> Diagnostic:
    with pytest.raises(DiagnosticError) as caught:
        read(text, "cluster.toml")
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def read_outcome(text: str) -> object:
    try:
        return comparable(read(text, "cluster.toml").values)
    except DiagnosticError:
        return None


@given(documents())
def test_values_are_those_of_tomllib(text: str) -> None:
    assert read_outcome(text) == outcome(text) is not None


_SPLINTERS = st.sampled_from(
    [
        *"\n\"'[]{},=.#\\+-_0e:T\t\r\x00\x7f",
        "\\e",
        "\\x41",
        '"""',
        "'''",
        "\r\n",
        "inf",
        "07:32",
        ",}",
        "}\n",
        "{\n",
    ]
)


@given(
    documents(),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), _SPLINTERS), min_size=1, max_size=3),
)
def test_damaged_text_is_refused_exactly_where_tomllib_refuses_it(
    text: str, damage: list[tuple[int, int, str]]
) -> None:
    for place, length, splinter in damage:
        at = place % (len(text) + 1)
        text = text[:at] + splinter + text[at + length :]
    assert read_outcome(text) == outcome(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('a = "\\e"', id="escape e"),
        pytest.param('a = "\\x41"', id="escape x"),
        pytest.param("a = 07:32", id="time without seconds"),
        pytest.param("a = 1979-05-27T07:32", id="date and time without seconds"),
        pytest.param('a = { b = "}",\n c = 1 }', id="inline table on two lines"),
        pytest.param("a = { b = 1 # }\n }", id="comment in an inline table"),
        pytest.param('a = { b = "x", }', id="comma at an inline table's end"),
        pytest.param("a = 1\r\r\n", id="carriage return alone"),
    ],
)
def test_what_another_reader_takes_is_read_as_tomllib_reads_it(text: str) -> None:
    assert read_outcome(text) == outcome(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a = '\\e'", id="backslash in single quotes"),
        pytest.param("a = { b = [\n1\n] }", id="list on several lines in an inline table"),
        pytest.param('a = """\r\nx\r\n"""', id="carriage returns in a string"),
        pytest.param(f"a = {2**64}", id="integer of 65 bits"),
        pytest.param("a = 07:32:00", id="time"),
    ],
)
def test_what_the_quick_reader_leaves_is_read(text: str) -> None:
    assert read_outcome(text) == outcome(text) is not None


def test_document_keeps_file_and_text() -> None:
    document = read("[cluster]\r\n", "some/where.toml")
    assert (document.file, document.text, document.values) == (
        "some/where.toml",
        "[cluster]\r\n",
        {"cluster": {}},
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "advice"),
    [
        pytest.param(
            "a = 1\nname = red-hat\n",
            2,
            8,
            "invalid value",
            'quote text and addresses: `"..."`; `true` and `false` are lowercase',
            id="unquoted text",
        ),
        pytest.param(
            "ip = 192.0.2.1\n",
            1,
            11,
            "expected newline or end of document after a statement",
            "one line says one thing: quote text and addresses, and start the next key on a new line",
            id="unquoted address",
        ),
        pytest.param(
            "a = 1\r\nb = [1,\r\n",
            2,
            8,
            "invalid value",
            "the file ends too early: write the value, and close what `[` or `{` has opened",
            id="end of the file",
        ),
        pytest.param(
            'a = "x\n"',
            1,
            7,
            "illegal character `\\n`",
            "close the string with a quote on the line where it begins",
            id="open string",
        ),
        pytest.param(
            'a = "\x00"',
            1,
            6,
            "illegal character `\\x00`",
            "remove the character, or write it as `\\u` and four digits in double quotes",
            id="NUL",
        ),
        pytest.param(
            "[[a]\nb = 1",
            1,
            4,
            "expected `]]` at the end of an array declaration",
            "close the header with as many brackets as it begins with",
            id="open header",
        ),
        pytest.param(
            "a = 'x",
            1,
            7,
            "expected `'`",
            "close the string with a quote",
            id="open string in single quotes",
        ),
        pytest.param(
            "a.b",
            1,
            4,
            "expected `=` after a key in a key/value pair",
            "write `key = value`; a key of other characters than letters, digits, `-`, `_` needs quotes",
            id="key alone",
        ),
    ],
)
def test_syntax_error_says_where_and_what_to_do(
    text: str, line: int, column: int, message: str, advice: str
) -> None:
    diagnostic = problem(text)
    assert diagnostic.code.id == "LVS001"
    assert diagnostic.place is not None
    assert (diagnostic.place.origin.line, diagnostic.place.origin.column) == (line, column)
    assert diagnostic.message == message
    assert diagnostic.help == advice


@pytest.mark.parametrize(
    ("text", "path", "first", "again"),
    [
        pytest.param("a = 1\nb = 2\na = 3", ("a",), (1, 1), (3, 1), id="key"),
        pytest.param("[t]\nx.y = 1\nx.y = 2", ("t", "x", "y"), (2, 3), (3, 3), id="dotted key"),
        pytest.param("[s.web]\n[s.x]\n[s.web]", ("s", "web"), (1, 4), (3, 4), id="table"),
        pytest.param("a = 1\n[a.b]", ("a",), (1, 1), (2, 2), id="value and table"),
        pytest.param("[a.b]\n[a]\nb = 1", ("a", "b"), (1, 4), (3, 1), id="table and value"),
        pytest.param("a.b = 1\n[a]", ("a",), (1, 1), (2, 2), id="dotted key and table"),
        pytest.param("[[a]]\n[a]", ("a",), (1, 3), (2, 2), id="list and table"),
        pytest.param("[a]\n[[a]]", ("a",), (1, 2), (2, 3), id="table and list"),
        pytest.param("a = [1]\n[[a]]", ("a",), (1, 1), (2, 3), id="value and list"),
        pytest.param(
            "[[a]]\nx = 1\n[[a]]\nx = 1\nx = 2", ("a", 1, "x"), (4, 1), (5, 1), id="key in a list's table"
        ),
        pytest.param("a = { b = 1, b = 2 }", ("a", "b"), (1, 7), (1, 14), id="inline table"),
        pytest.param(
            "a = [{}, { b = 1, b = 2 }]", ("a", 1, "b"), (1, 12), (1, 19), id="inline table in a list"
        ),
        pytest.param("a = { b = 1 }\n[a.c]", ("a",), (1, 1), (2, 2), id="table within an inline one"),
        pytest.param('"a" = 1\na = 2', ("a",), (1, 1), (2, 1), id="quoted"),
    ],
)
def test_what_is_given_twice_is_shown_at_both_places(
    text: str, path: tuple[str | int, ...], first: tuple[int, int], again: tuple[int, int]
) -> None:
    diagnostic = problem(text)
    assert diagnostic.code.id == "LVS003"
    places = [diagnostic.place, *diagnostic.others]
    origins = [place.origin for place in places if place]
    assert [(origin.line, origin.column) for origin in origins] == [again, first]
    assert {origin.path for origin in origins} == {path}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x = " + "[" * 100_000, id="open lists"),
        pytest.param("x = " + "{a=" * 100_000, id="open tables"),
        pytest.param("x = " + "9" * 5000, id="digits"),
    ],
)
def test_what_is_too_big_to_read_is_an_error(text: str) -> None:
    assert problem(text).code.id == "LVS004"


def test_byte_order_mark_is_refused() -> None:
    diagnostic = problem("\ufeffa = 1")
    assert (diagnostic.code.id, diagnostic.help) == ("LVS002", "save it as UTF-8 without one")


def test_bytes_that_are_not_utf_8_are_refused_at_their_place() -> None:
    with pytest.raises(DiagnosticError) as caught:
        decode("ä = 1\nö = 'x".encode() + b"\xff'", "cluster.toml")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.place is not None
    assert (diagnostic.code.id, diagnostic.message) == ("LVS002", "byte 0xff is not UTF-8")
    assert (diagnostic.place.origin.line, diagnostic.place.origin.column) == (2, 7)


@given(st.text())
@example("a = '\r\n'")
def test_bytes_become_the_text_that_they_are(text: str) -> None:
    assert decode(text.encode(), "cluster.toml") == text


def test_codes_are_documented_and_unique() -> None:
    assert len({code.id for code in ALL}) == len(ALL)
    for code in ALL:
        assert code.id.startswith("LVS")
        assert not code.title.endswith(".")
        assert len(code.explanation) > 100
