"""That no command shows a secret, wherever it was read, and what is said of it all the same."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lvsc.compare.sides import Side, of_texts
from lvsc.plugins.manager import Plugins
from lvsc.plugins.reading import Source
from lvsc.secrets import HIDDEN
from support.cli import Outcome, Project

ROOT = Path(__file__).parents[2]
PASSWORD, OTHER = "Zq9secrx", "Qt8other"
FILE = "build/secret/lvs1/etc/keepalived/keepalived.conf"
LITERALS = (
    'authentication = { password = "Zq9secrx" }',
    'authentication = { password = { value = "Zq9secrx" } }',
    'authentication = { password = { env = "Zq9secrx!" } }',
    'authentication = { auth_pass = "Zq9secrx" }',
    'authentication = "Zq9secrx"',
    'auth_pass = "Zq9secrx"',
)
FORMS = ("text", "json", "markdown", "github", "sarif")
SAME = "no packet is treated differently; 0 rules rewritten\n"
NOT_COMPARED = "the VRRP passwords are not compared: not both of their values are there"


@pytest.fixture
def built(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The example with a password, and what a build made of it; the password is in no environment any more."""
    project.write("secret.toml", (ROOT / "examples" / "secret.toml").read_text(encoding="utf-8"))
    monkeypatch.setenv("VRRP_PASSWORD", PASSWORD)
    assert project.lvsc("build", "secret.toml").code == 0
    assert PASSWORD in project.read(FILE)
    monkeypatch.delenv("VRRP_PASSWORD")
    return project


def silent(outcome: Outcome) -> Outcome:
    """The outcome, in which neither password is."""
    for password in (PASSWORD, OTHER):
        assert password not in outcome.out + outcome.err
    return outcome


def spoilt(project: Project, old: str, new: str) -> None:
    project.write(FILE, project.read(FILE).replace(old, new))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("turned", [False, True], ids=["old", "new"])
@pytest.mark.parametrize("side", ["build/secret", FILE], ids=["tree", "file"])
def test_a_comparison_of_what_was_built_shows_no_password(
    side: str, turned: bool, form: str, built: Project
) -> None:
    sides = ("secret.toml", side) if turned else (side, "secret.toml")
    outcome = silent(built.lvsc("diff", *sides, "--text", "--host", "lvs1", "--format", form))
    assert outcome.code == 0


def test_a_tree_has_the_password_of_its_spec_for_all_that_is_known(built: Project) -> None:
    outcome = silent(built.lvsc("diff", "build/secret", "secret.toml", "--text", "--exit-code"))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"{SAME}\nnot compared:\n  {NOT_COMPARED}\n"


def test_another_password_in_another_tree_is_said_without_either(built: Project) -> None:
    shutil.copytree(built.root / "build", built.root / "earlier")
    assert built.lvsc("diff", "earlier/secret", "build/secret", "--text").out == SAME
    spoilt(built, PASSWORD, OTHER)
    outcome = silent(built.lvsc("diff", "earlier/secret", "build/secret", "--text", "--exit-code"))
    assert outcome.code == 1
    assert "authentication.password a secret -> another secret on lvs1 (" in outcome.out
    assert "auth_pass" not in outcome.out


def test_another_reference_is_a_change_of_text(built: Project) -> None:
    built.write("other.toml", built.read("secret.toml").replace('"VRRP_PASSWORD"', '"OTHER"'))
    out = built.lvsc("diff", "secret.toml", "other.toml", "--text").out
    assert '-        auth_pass "<lvsc-secret:env:VRRP_PASSWORD>"\n' in out
    assert '+        auth_pass "<lvsc-secret:env:OTHER>"\n' in out


def test_a_file_of_a_revision_shows_no_password(built: Project) -> None:
    if shutil.which("git") is None:
        pytest.skip("no git: apt-get install git")
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.net"]
    for words in (["init", "-q"], ["add", "-f", FILE], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=built.root, check=True, env={**os.environ, "HOME": "/"})
    spoilt(built, f'"{PASSWORD}"', f'"{OTHER}" # {PASSWORD}')
    outcome = silent(built.lvsc("diff", f"HEAD:{FILE}", FILE, "--text", "--host", "lvs1"))
    assert "another secret" in outcome.out


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(f'auth_pass "{PASSWORD}"', f'auth_pass "{PASSWORD}', id="a quote that is not closed"),
        pytest.param("auth_pass", "AUTH_PASS", id="a keyword in capitals"),
        pytest.param("auth_pass", "auth_pas", id="a misspelt keyword"),
        pytest.param("auth_type PASS\n", "auth_type PASS", id="both in one line"),
        pytest.param(
            "    authentication {\n        auth_type PASS\n", "", id="a keyword outside of its block"
        ),
        pytest.param(f'auth_pass "{PASSWORD}"', f"auth_pass x}}{PASSWORD}", id="a brace in it"),
        pytest.param(f'auth_pass "{PASSWORD}"', f"auth_pass\n{PASSWORD}", id="in another line"),
        pytest.param("virtual_server ", "virtual_serwer ", id="a mistake elsewhere"),
    ],
)
def test_no_complaint_of_a_file_shows_its_password(old: str, new: str, form: str, built: Project) -> None:
    spoilt(built, old, new)
    for side in ("build/secret", FILE):
        words = ("--text", "--host", "lvs1", "--format", form)
        assert silent(built.lvsc("diff", side, "secret.toml", *words)).code == 0
    if form in ("text", "json"):
        packet = "tcp 198.51.100.7 -> 192.0.2.10:443"
        for side in ("build/secret", FILE):
            silent(built.lvsc("trace", side, packet, "--host", "lvs1", "--format", form))


def test_what_follows_a_password_in_its_line_is_not_passed_over(built: Project) -> None:
    spoilt(built, f'auth_pass "{PASSWORD}"\n    }}\n', f'auth_pass "{PASSWORD}" }} nopreempt\n')
    out = built.lvsc("diff", FILE, "secret.toml", "--host", "lvs1").out
    assert "\nunknown:\n" in out


def side_of(*sources: Source) -> Side:
    return of_texts("a", sources, Plugins.installed())[0]


def test_nothing_is_shown_of_a_secret_file_that_nobody_knows_to_read() -> None:
    text = "community Zq9secrx\n"
    shown = side_of(Source(host="lvs1", file="lvs1/etc/other.conf", text=text, holds_secret=True))
    assert shown.texts == {"lvs1/etc/other.conf": f"{HIDDEN}\n"}
    assert side_of(Source(host="lvs1", file="x", text=text)).texts == {"x": text}


def test_a_file_is_hidden_by_the_backend_that_knows_it_even_where_it_is_none_of_its_own(
    built: Project,
) -> None:
    built.write(FILE, f'authentication {{\n auth_pass "{PASSWORD}"\n}}\n')
    out = silent(built.lvsc("diff", "build/secret", "secret.toml", "--text")).out
    assert f'- auth_pass "{HIDDEN}"' in out


def test_the_manifest_says_which_files_hold_secrets(built: Project) -> None:
    manifest = json.loads(built.read("build/secret/manifest.json"))
    held = [file["path"] for host in manifest["hosts"].values() for file in host["files"] if file["secret"]]
    assert held == ["/etc/keepalived/keepalived.conf"] * 2


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        pytest.param(PASSWORD, 0, "everything is as the specs say\n", id="the same"),
        pytest.param(OTHER, 1, "has another secret than the spec refers to", id="another"),
        pytest.param(
            None,
            0,
            "a secret was not compared: environment variable `VRRP_PASSWORD` is not set\neverything else is as the specs say\n",
            id="none",
        ),
    ],
)
def test_a_tree_is_checked_for_its_secret_where_that_is_there(
    value: str | None, code: int, said: str, built: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is not None:
        monkeypatch.setenv("VRRP_PASSWORD", value)
    outcome = silent(built.lvsc("build", "--check", "secret.toml"))
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    document = silent(built.lvsc("build", "--check", "secret.toml", "--format", "json")).fits("build")
    assert len(document["differences"]) == (2 if code else 0)
    assert len(document["not_compared"]) == (1 if value is None else 0)


def test_a_tree_with_a_changed_password_is_not_as_the_spec_says(
    built: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VRRP_PASSWORD", PASSWORD)
    spoilt(built, PASSWORD, OTHER)
    outcome = silent(built.lvsc("build", "--check", "secret.toml"))
    assert outcome.code == 1
    assert outcome.err.startswith(f"{FILE} has another secret than the spec refers to\n1 differs: ")


def literal(built: Project, line: str) -> str:
    """A spec with a password in place of where it is kept."""
    text = built.read("secret.toml")
    reference = 'authentication = { type = "pass", password = { env = "VRRP_PASSWORD" } }'
    assert text.count(reference) == 1
    return built.write("literal.toml", text.replace(reference, line))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("line", LITERALS)
def test_a_password_in_a_spec_is_not_shown_and_its_place_is_named(
    line: str, form: str, built: Project
) -> None:
    outcome = silent(built.lvsc("check", literal(built, line), "--format", form))
    assert outcome.code == 1
    said = (outcome.out + outcome.err).replace('\\"', '"')
    assert 'env = "VRRP_PASSWORD"' in said or "write an environment variable's name" in said
    if form == "text":
        assert said.count("error[") == 1
        assert "***" in said


@pytest.mark.parametrize("line", [*LITERALS, "authentication = { password = Zq9secrx }"])
@pytest.mark.parametrize(
    "words",
    [
        ("build", "literal.toml"),
        ("show", "literal.toml"),
        ("diff", "secret.toml", "literal.toml"),
        ("git-diff", "secret.toml", "secret.toml", "0", "100644", "literal.toml", "1", "100644"),
    ],
    ids=lambda words: words[0],
)
def test_no_command_shows_a_password_that_stands_in_a_spec(
    words: tuple[str, ...], line: str, built: Project
) -> None:
    literal(built, line)
    outcome = silent(built.lvsc(*words))
    assert "***" in outcome.out + outcome.err
