"""TOML texts of every shape and formatting, for hypothesis."""

import json
import re
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy


def basic(text: str) -> str:
    """The text as a basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


_PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
_NAMES = st.one_of(st.sampled_from(["a", "b", "web", "lvs-1", "A_1", "0", "real_servers"]), _PLAIN_TEXT)

_SCALARS: SearchStrategy[str] = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(["+0", "1_000", "0xDEAD_beef", "0o755", "0b1101"]),
    st.floats().map(repr),
    st.sampled_from(["6.626e-34", "1e06", "+inf", "-nan", "9_0.0_1"]),
    st.sampled_from(["true", "false"]),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.isoformat(" ")),
    st.sampled_from(["1979-05-27T07:32:00Z", "1979-05-27T00:32:00.999999-07:00"]),
    st.times().map(str),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(basic),
    _PLAIN_TEXT.filter(lambda text: "'" not in text).map(lambda text: f"'{text}'"),
    _PLAIN_TEXT.filter(lambda text: "'" not in text).map(lambda text: f"'''\n{text}\n# {text}'''"),
    _PLAIN_TEXT.map(lambda text: f'"""{basic(text)[1:-1]}\n[x] \\\n  {{ "y" }}"""'),
)


@st.composite
def documents(draw: DrawFn) -> str:
    """A text that is TOML 1.0."""
    lines: list[str] = []
    _body(draw, lines, "", _tables(draw, 2), top=True)
    text = "\n".join(lines) + draw(st.sampled_from(["\n", "", "\n\n# end"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def _tables(draw: DrawFn, depth: int) -> dict[str, Any]:
    kinds = ["scalar", "array", "inline"] + (["dotted", "table", "list"] if depth else [])
    names = draw(st.lists(_NAMES, max_size=4, unique=True))
    return {name: (draw(st.sampled_from(kinds)), depth) for name in names}


def _body(draw: DrawFn, lines: list[str], prefix: str, names: dict[str, Any], *, top: bool) -> None:
    """The pairs of a table, and then the tables in it."""
    later = []
    for name, (kind, depth) in names.items():
        if kind in ("table", "list"):
            later.append((name, kind, depth))
        elif kind == "dotted":
            inner = draw(st.lists(_NAMES, min_size=1, max_size=3, unique=True))
            for other in inner:
                pair = (
                    f"{_key(draw, name)}{_dot(draw)}{_key(draw, other)}{_equals(draw)}{_value(draw, depth)}"
                )
                _line(draw, lines, pair)
        else:
            _line(draw, lines, f"{_key(draw, name)}{_equals(draw)}{_value(draw, depth, kind)}")
    for name, kind, depth in later:
        path = f"{prefix}{_dot(draw)}{_key(draw, name)}" if not top else _key(draw, name)
        opening, closing, times = ("[", "]", 1) if kind == "table" else ("[[", "]]", draw(st.integers(1, 3)))
        for _ in range(times):
            space = draw(st.sampled_from(["", " "]))
            _line(draw, lines, f"{opening}{space}{path}{space}{closing}")
            _body(draw, lines, path, _tables(draw, depth - 1), top=False)


def _line(draw: DrawFn, lines: list[str], text: str) -> None:
    lines += draw(st.sampled_from([[], [], [""], ["# [not.a] = table"], ["\t# {"]]))
    indent = draw(st.sampled_from(["", "", "  ", "\t"]))
    lines.append(indent + text + draw(st.sampled_from(["", "", " ", ' # "comment'])))


def _value(draw: DrawFn, depth: int, kind: str = "scalar") -> str:
    if kind == "scalar" or depth < 0:
        return draw(_SCALARS)
    inner = st.sampled_from(["scalar", "scalar", "array", "inline"])
    if kind == "array":
        items = [_value(draw, depth - 1, draw(inner)) for _ in range(draw(st.integers(0, 3)))]
        gap = draw(st.sampled_from([" ", "\n    ", " # one\n"]))
        comma = draw(st.sampled_from(["", ","])) if items else ""
        return "[" + gap + f",{gap}".join(items) + comma + gap + "]"
    names = draw(st.lists(_NAMES, max_size=3, unique=True))
    pairs = [f"{_key(draw, name)}{_equals(draw)}{_value(draw, depth - 1, draw(inner))}" for name in names]
    return "{ " + ", ".join(pairs) + draw(st.sampled_from([" }", "}"]))


def _key(draw: DrawFn, name: str) -> str:
    ways = [basic(name)]
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        ways.append(name)
    if "'" not in name:
        ways.append(f"'{name}'")
    return draw(st.sampled_from(ways))


def _equals(draw: DrawFn) -> str:
    return draw(st.sampled_from([" = ", "=", "\t= "]))


def _dot(draw: DrawFn) -> str:
    return draw(st.sampled_from([".", " . "]))
