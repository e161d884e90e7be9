import pytest

from support.cli import Project
from support.specs import spec

WARNED = spec({"services": {"web": {"ports": ["tcp/80", "tcp/443"], "check": "none"}}})
WRONG = spec({"services": {"web": {"scheduler": "wlcc"}}})


def test_a_good_spec_is_0_and_says_so_beside_the_result(project: Project) -> None:
    outcome = project.lvsc("check", project.write("a.toml", spec()))
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "1 spec checked: no errors\n")


def test_standard_input_is_a_spec_too(project: Project) -> None:
    assert project.lvsc("check", "-", stdin=spec()).code == 0
    outcome = project.lvsc("check", "-", stdin=WRONG)
    assert outcome.code == 1
    assert "--> -:" in outcome.err


def test_every_spec_is_checked_whatever_is_wrong_with_the_first(project: Project) -> None:
    names = [
        project.write("a.toml", WRONG),
        "missing.toml",
        project.write("b.toml", WRONG),
        "also-missing.toml",
    ]
    outcome = project.lvsc("check", *names)
    assert outcome.code == 2
    for said in (
        "--> a.toml:",
        "--> b.toml:",
        "`missing.toml` cannot",
        "`also-missing.toml` cannot",
        "4 errors",
    ):
        assert said in outcome.err


def test_nesting_deeper_than_a_copy_can_follow_is_an_error_of_the_spec(project: Project) -> None:
    outcome = project.lvsc("check", project.write("a.toml", f"{spec()}\n[{'.'.join('a' * 20_000)}]\n"))
    assert outcome.code == 1
    assert "error[LVS004]" in outcome.err
    assert "1 error\n" in outcome.err


def test_several_good_specs_are_counted(project: Project) -> None:
    outcome = project.lvsc("check", project.write("a.toml", spec()), project.write("b.toml", spec()))
    assert (outcome.code, outcome.err) == (0, "2 specs checked: no errors\n")


def test_a_warning_is_no_error(project: Project) -> None:
    outcome = project.lvsc("check", project.write("a.toml", WARNED))
    assert outcome.code == 0
    assert "warning[LVS407]" in outcome.err
    assert "1 warning\n" in outcome.err


def test_strict_lets_no_warning_pass(project: Project) -> None:
    outcome = project.lvsc("check", "--strict", project.write("a.toml", WARNED))
    assert outcome.code == 1
    assert "error[LVS012]: 1 warning, and `--strict` allows none" in outcome.err


def test_strict_changes_nothing_where_there_is_no_warning(project: Project) -> None:
    assert project.lvsc("check", "--strict", project.write("a.toml", spec())).code == 0


def test_nothing_is_written(project: Project) -> None:
    project.lvsc("check", project.write("a.toml", spec()))
    assert [path.name for path in project.root.iterdir()] == ["a.toml"]


def test_a_good_spec_as_json(project: Project) -> None:
    outcome = project.lvsc("check", project.write("a.toml", spec()), "--format", "json")
    assert outcome.code == 0
    assert outcome.fits("diagnostics") == {
        "format_version": 1,
        "diagnostics": [],
        "summary": {"errors": 0, "warnings": 0, "notes": 0},
    }


@pytest.mark.parametrize("options", [(), ("--format", "json")], ids=["text", "json"])
def test_a_secret_need_not_be_there(options: tuple[str, ...], project: Project) -> None:
    authentication = {"type": "pass", "password": {"env": "NO_SUCH_VARIABLE"}}
    failover = {"virtual_router_id": 51, "version": 2, "authentication": authentication}
    directors = {"lvs2": {"priority": 50, "addresses": {"lan": ["192.0.2.3"]}}}
    source = spec({"failover": failover, "directors": directors, "networks": {"lan": {"gateway": "www"}}})
    assert project.lvsc("check", project.write("a.toml", source), *options).code == 0


def test_control_characters_of_a_spec_do_not_reach_the_terminal(project: Project) -> None:
    outcome = project.lvsc("check", project.write("a.toml", spec() + '"\\u001b[31m" = 1 # \u202e\n'))
    assert outcome.code == 1
    assert "\x1b" not in outcome.err
    assert "\u202e" not in outcome.err
