import pytest

from lvsc.spec.fill import fill
from lvsc.spec.schema import words
from lvsc.spec.schema.words import Schema

SIZE = words.integer("Size", "How large.", 1, 9, examples=[3], default=2)
NAMES = words.array("Names", "Who.", {"type": "string"}, example=["a"], default=["x"])
COLOUR = words.choice("Colour", "Which.", ["red", "blue"])
BOX = words.table("Box", "A box.", {"size": SIZE, "colour": COLOUR})
ROUND = words.table(
    "Round",
    "It has no corners.",
    {"shape": words.choice("Shape", ".", ["round"], default="round"), "size": SIZE},
)
SQUARE = words.table("Square", "It has.", {"shape": words.choice("Shape", ".", ["square"]), "names": NAMES})
SHAPE = words.variants("Shape", "What it is.", "shape", {"round": ROUND, "square": SQUARE}, default="round")
WORD_OR_BOX: Schema = {
    "type": ["string", "object"],
    "if": {"type": "string"},
    "then": {"enum": ["none"]},
    "else": words.ref("box"),
}


def schema(value: Schema) -> Schema:
    return {**words.table("Document", "All.", {"it": value}), "$defs": {"box": BOX}}


@pytest.mark.parametrize(
    ("value", "said", "filled"),
    [
        pytest.param(SIZE, {}, {"it": 2}, id="absent"),
        pytest.param(SIZE, {"it": 5}, {"it": 5}, id="said"),
        pytest.param(COLOUR, {}, {}, id="without-default"),
        pytest.param(BOX, {}, {}, id="absent-table"),
        pytest.param(BOX, {"it": {}}, {"it": {"size": 2}}, id="table"),
        pytest.param(
            BOX, {"it": {"colour": "red"}}, {"it": {"size": 2, "colour": "red"}}, id="schemas-order"
        ),
        pytest.param(words.ref("box"), {"it": {}}, {"it": {"size": 2}}, id="reference"),
        pytest.param(WORD_OR_BOX, {"it": "none"}, {"it": "none"}, id="word"),
        pytest.param(WORD_OR_BOX, {"it": {}}, {"it": {"size": 2}}, id="no-word"),
        pytest.param(SHAPE, {"it": {}}, {"it": {"shape": "round", "size": 2}}, id="default-variant"),
        pytest.param(
            SHAPE,
            {"it": {"shape": "square"}},
            {"it": {"shape": "square", "names": ["x"]}},
            id="other-variant",
        ),
        pytest.param(
            words.named("Boxes", "By name.", BOX),
            {"it": {"b": {}, "a": {"size": 1}}},
            {"it": {"b": {"size": 2}, "a": {"size": 1}}},
            id="named",
        ),
        pytest.param(
            words.array("List", "Boxes.", BOX, example=[{}]),
            {"it": [{}, {"size": 1}]},
            {"it": [{"size": 2}, {"size": 1}]},
            id="list",
        ),
        pytest.param(NAMES, {"it": ["b", "a"]}, {"it": ["b", "a"]}, id="list-of-words"),
    ],
)
def test_fill(value: Schema, said: dict[str, object], filled: dict[str, object]) -> None:
    result = fill(said, schema(value))
    assert result == filled
    assert repr(result) == repr(filled)  # the order of keys too
    assert fill(result, schema(value)) == result


def test_neither_the_document_nor_the_schema_is_changed_or_shared() -> None:
    said: dict[str, object] = {}
    result = fill(said, schema(NAMES))
    result["it"].append("y")
    assert said == {}
    assert NAMES["default"] == ["x"]
