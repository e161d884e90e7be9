"""Mistakes in specs in the forms of a review."""

import json

import pytest

from support.cli import Project
from support.specs import spec

WRONG = spec({"services": {"web": {"scheduler": "wlcc"}}})


@pytest.mark.parametrize("form", ["markdown", "github", "sarif"])
def test_the_exit_code_is_the_same_in_every_form_and_nothing_goes_to_stderr(
    form: str, project: Project
) -> None:
    wrong = project.lvsc("check", project.write("a.toml", WRONG), "--format", form)
    right = project.lvsc("check", project.write("b.toml", spec()), "--format", form)
    assert (wrong.code, wrong.err, right.code, right.err) == (1, "", 0, "")
    assert "LVS" in wrong.out
    assert "LVS" not in right.out


@pytest.mark.parametrize("form", ["json", "markdown", "github", "sarif"])
def test_a_comparison_with_a_wrong_spec_says_the_mistake_in_the_same_form(
    form: str, project: Project
) -> None:
    wrong = project.write("a.toml", WRONG)
    outcome = project.lvsc("diff", wrong, project.write("b.toml", spec()), "--format", form)
    said = project.lvsc("check", wrong, "--format", form)
    assert (outcome.code, outcome.err) == (2, "")
    assert outcome.out == said.out.replace("lvsc:check", "lvsc:diff").replace("`lvsc check`", "`lvsc diff`")


def test_an_annotation_is_at_the_line_of_the_mistake(project: Project) -> None:
    line = WRONG.splitlines().index('scheduler = "wlcc"') + 1
    outcome = project.lvsc("check", project.write("a.toml", WRONG), "--format", "github")
    assert outcome.out.startswith(f"::error file=a.toml,line={line},endLine={line},col=13,")


def test_a_log_for_code_scanning_names_the_file_and_the_line(project: Project) -> None:
    line = WRONG.splitlines().index('scheduler = "wlcc"') + 1
    outcome = project.lvsc("check", project.write("a.toml", WRONG), "--format", "sarif")
    (result,) = json.loads(outcome.out)["runs"][0]["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]["startLine"]) == ("a.toml", line)


def test_a_command_that_reviews_nothing_has_the_common_forms_alone(project: Project) -> None:
    outcome = project.lvsc("show", project.write("a.toml", spec()), "--format", "sarif")
    assert outcome.code == 2
    assert "invalid choice: 'sarif'" in outcome.err
