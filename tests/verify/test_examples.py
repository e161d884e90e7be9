"""Whatever an example can be built for, what is built is proved, and what could not be compared says why."""

import pytest

from lvsc import targets
from lvsc.compile import Options
from lvsc.diagnostics import DiagnosticError
from lvsc.verify.verify import verify
from support.pages import ROOT
from support.specs import compile_text, plugins

EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("*.toml"))}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_proved_for_every_target_that_it_builds_for(example: str) -> None:
    proved = 0
    for target in targets.names():
        try:
            compiled = compile_text(EXAMPLES[example].read_text(encoding="utf-8"), Options(target=target))
        except DiagnosticError:
            continue  # `docs/support.md` lists what an example cannot be built for
        found = verify(compiled, plugins())
        assert found.diagnostics == (), target
        equal = any(judgement.by.startswith("equal to ") for judgement in found.judgements)
        assert equal or any("comparing the packet filters" in each.what for each in found.left_out), target
        proved += 1
    assert proved


def test_a_packet_filter_that_the_target_cannot_have_is_left_out_with_the_reason() -> None:
    text = EXAMPLES["red-hat"].read_text(encoding="utf-8")
    found = verify(compile_text(text, Options(target="rhel7")), plugins())
    (why,) = {each.why for each in found.left_out if "comparing the packet filters" in each.what}
    assert why.startswith("target `rhel7` cannot do ")
