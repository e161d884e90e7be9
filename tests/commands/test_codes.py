import importlib
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from lvsc.commands.codes import all_codes
from lvsc.diagnostics import Code
from lvsc.plugins.manager import Plugins
from support.cli import Project

PACKAGES = (
    "lvsc",
    "lvsc_ftp",
    "lvsc_host",
    "lvsc_iptables",
    "lvsc_ipvsadm",
    "lvsc_keepalived",
    "lvsc_nftables",
)
CODES = all_codes(Plugins.installed())


def modules(name: str) -> Iterator[ModuleType]:
    package = importlib.import_module(name)
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{name}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def defined() -> dict[int, Code]:
    """Every code that a module defines, each once."""
    return {
        id(value): value
        for name in PACKAGES
        for module in modules(name)
        for value in vars(module).values()
        if isinstance(value, Code)
    }


def test_every_code_that_is_defined_can_be_explained() -> None:
    assert {code.id for code in defined().values()} == CODES.keys()


def test_no_two_codes_have_one_identifier() -> None:
    identifiers = [code.id for code in defined().values()]
    assert sorted(identifiers) == sorted(set(identifiers))


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_an_explanation_says_more_than_its_title(code: Code) -> None:
    assert re.fullmatch(r"[A-Z]{3}[0-9]{3}", code.id)
    assert not code.title.endswith(".")
    assert len(code.explanation.split()) >= max(12, 2 * len(code.title.split()))


@pytest.mark.parametrize("code", CODES)
def test_each_code_is_explained_in_lines_that_fit_a_terminal(code: str, project: Project) -> None:
    result = project.lvsc("explain", code)
    head, blank, *rest = result.out.splitlines()
    assert (result.code, result.err, blank) == (0, "", "")
    assert head == f"{CODES[code].severity.value}[{code}]: {CODES[code].title}"
    assert " ".join("".join(f"{line}\n" for line in rest).split()) == " ".join(
        CODES[code].explanation.split()
    )
    assert max(len(line) for line in rest) <= 110


def test_a_code_in_lowercase_is_known_too(project: Project) -> None:
    assert project.lvsc("explain", "lvs010").out == project.lvsc("explain", "LVS010").out


def test_indented_lines_of_an_explanation_stay_as_they_are(project: Project) -> None:
    assert '\n    passive_ports = "10000-20000"\n' in project.lvsc("explain", "FTP002").out


def test_a_code_as_json(project: Project) -> None:
    document = project.lvsc("explain", "LVS407", "--format", "json").fits("explain")
    code = CODES["LVS407"]
    assert document == {
        "format_version": 1,
        "code": "LVS407",
        "severity": "warning",
        "title": code.title,
        "explanation": code.explanation,
    }


@pytest.mark.parametrize(
    ("word", "near"), [("LVS0100", "LVS010"), ("LVX010", "LVS010"), ("FTP0022", "FTP002")]
)
def test_an_unknown_code_is_2_and_names_the_nearest(word: str, near: str, project: Project) -> None:
    result = project.lvsc("explain", word)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error[LVS014]: there is no code `{word}`\n")
    assert f"did you mean `{near}`?" in result.err


def test_a_file_with_the_name_of_a_code_is_a_spec(project: Project) -> None:
    assert "error[LVS001]: " in project.lvsc("explain", project.write("LVS010", "nonsense")).err


def test_lvscs_own_codes_are_explained_while_a_plugin_is_broken(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lvsc.plugins.manager import PluginError  # noqa: PLC0415 - one test's

    def broken(_: object) -> Plugins:
        raise PluginError("plugin `x` cannot be used")

    monkeypatch.setattr(Plugins, "installed", classmethod(broken))
    assert project.lvsc("explain", "LVS011").code == 0
    other = project.lvsc("explain", "IPT001")
    assert (other.code, other.out) == (2, "")
    assert other.err.startswith("error[LVS011]: plugin `x` cannot be used\n")
