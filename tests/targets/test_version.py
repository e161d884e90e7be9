"""Versions are ordered as their programs' releases are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.targets import Version

numbers = st.lists(st.integers(min_value=0, max_value=999_999_999), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        pytest.param("2.2.7", "2.2.8", id="patch"),
        pytest.param("1.9", "1.10", id="by number, not by letter"),
        pytest.param("1.8.11", "2.0", id="major"),
        pytest.param("2.0", "2.0.1", id="a patch is newer than none"),
        pytest.param("4.18", "5.2", id="kernel"),
        pytest.param("0.8", "0.9.3", id="leading zero number"),
        pytest.param("219", "252", id="one number"),
    ],
)
def test_newer_release_is_greater(older: str, newer: str) -> None:
    assert Version.parse(older) < Version.parse(newer)
    assert not Version.parse(newer) <= Version.parse(older)


def test_release_without_patch_number_is_patch_zero() -> None:
    assert Version.parse("6.1") == Version.parse("6.1.0")
    assert hash(Version.parse("6.1")) == hash(Version.parse("6.1.0"))
    assert Version.parse("0") == Version.parse("0.0")


def test_version_prints_as_it_was_written() -> None:
    assert str(Version.parse("6.1.0")) == "6.1.0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".1",
        "1..2",
        "v1",
        "1.2-3",
        "1.2.7\n",
        " 1",
        "1,2",
        "-1",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "1.2.3.4.5.6",
        "9" * 10,
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a version: write numbers with dots between them"):
        Version.parse(text)


@given(numbers, numbers)
def test_order_is_that_of_the_numbers(left: list[int], right: list[int]) -> None:
    width = max(len(left), len(right))
    padded = [number + [0] * (width - len(number)) for number in (left, right)]
    versions = [Version.parse(".".join(map(str, number))) for number in (left, right)]
    assert (versions[0] < versions[1]) == (padded[0] < padded[1])
    assert (versions[0] == versions[1]) == (padded[0] == padded[1])
