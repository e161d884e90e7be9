"""What each example comes to on each target with each pair of backends, held against the committed table."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lvsc import targets
from lvsc.diagnostics import Severity
from support.examples import DEFAULT, EXAMPLES, PAIRS, ROOT, TARGETS, Outcome, outcome

TABLE = ROOT / "tests" / "examples" / "table.txt"
PAGE = ROOT / "docs" / "support.md"
STALE = "run `pytest tests/examples/test_table.py --update`, read the difference, and commit the result"

HEAD = """\
# What compiling each example for each target comes to: `builds`, or the codes of the refusal.
# `default` is with the backends that the example or the target chooses; the others are --backend twice.
# Written by `pytest tests/examples/test_table.py --update`.
"""
COLUMNS = (DEFAULT, *PAIRS)
TITLES = ("default", *("+".join(pair) for pair in PAIRS))

PAGE_HEAD = """\
# What builds where

Each spec in `examples/`, compiled for each target with each pair of a packet filter and a director backend. A code is that of
a refusal: `lvsc explain CODE` says what it means, and `lvsc check SPEC --target TARGET --backend NAME` what exactly is
missing and which target has it. Whatever builds is also loaded by the tests: [tests/examples](../tests/examples).

"""


def table() -> str:
    rows = [
        (example, target, *(str(outcome(example, target, pair)) for pair in COLUMNS))
        for example in EXAMPLES
        for target in TARGETS
    ]
    rows.insert(0, ("example", "target", *TITLES))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return HEAD + "".join(f"{line}\n" for line in lines)


def page() -> str:
    lines = []
    codes: dict[str, str] = {}
    for example in EXAMPLES:
        lines += [
            "",
            f"## {example}",
            "",
            f"| target | {' | '.join(TITLES)} |",
            "|---" * (len(TITLES) + 1) + "|",
        ]
        for target in TARGETS:
            row = [outcome(example, target, pair) for pair in COLUMNS]
            codes |= {d.code.id: d.code.title for found in row for d in found.diagnostics}
            cells = [str(found).replace(",", ", ") for found in row]
            lines.append(f"| {targets.load(target).title} | {' | '.join(cells)} |")
    meanings = [f"- {code}: {title}" for code, title in sorted(codes.items())]
    return PAGE_HEAD + "\n".join([*meanings, *lines]) + "\n"


def outcomes() -> Iterator[Outcome]:
    return (outcome(e, t, pair) for e in EXAMPLES for t in TARGETS for pair in COLUMNS)


@pytest.mark.parametrize(("path", "wanted"), [(TABLE, table), (PAGE, page)], ids=["table", "page"])
def test_the_committed_table_is_the_truth(path: Path, wanted: Callable[[], str], update: bool) -> None:
    text = wanted()
    if update:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, STALE


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_builds_on_its_own_target_without_a_word(example: str) -> None:
    assert str(outcome(example)) == "builds"
    assert outcome(example).diagnostics == ()


def test_no_example_builds_with_a_warning() -> None:
    assert not [found.title for found in outcomes() if found.compiled is not None and found.diagnostics]


def test_a_refusal_says_what_to_do() -> None:
    silent = {
        f"{diagnostic.code.id} {diagnostic.message}"
        for found in outcomes()
        for diagnostic in found.diagnostics
        if diagnostic.severity is Severity.ERROR and not diagnostic.help
    }
    assert not silent
