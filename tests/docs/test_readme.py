"""Every command and output in the README is true, and so is every link of every page."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from lvsc.cli import COMMANDS
from support.cli import Project
from support.pages import PAGES, ROOT, blocks, page

README = page("README.md")
EXAMPLE = page("examples/red-hat.toml")
BLOCKS = list(blocks(README))
#: Paths of somebody's own machine.
FOREIGN = re.compile(r"(?<![\w/])/(?:home|root)/[\w.]")


@pytest.fixture
def built(project: Project) -> Project:
    outcome = project.lvsc("build", str(ROOT / "examples" / "red-hat.toml"))
    assert outcome.code == 0, outcome.err
    return project


def block(language: str, begins: str = "") -> str:
    """The only block of a language that begins so."""
    (text,) = (each.text for each in BLOCKS if each.language == language and each.text.startswith(begins))
    return text


def test_every_block_is_judged() -> None:
    first_lines = [(each.language, each.text.splitlines()[0].split()[0]) for each in BLOCKS]
    assert first_lines == [
        ("sh", "python3"),
        ("sh", ".venv/bin/pip"),
        ("toml", "[services.web]"),
        ("", "virtual_server"),
        ("", "map"),
        ("", "*mangle"),
        ("", "build/red-hat/"),
        ("", "error[LVS101]:"),
    ]


def test_the_spec_is_part_of_the_example() -> None:
    assert block("toml") in EXAMPLE


def test_what_keepalived_and_nftables_get_is_what_is_built(built: Project) -> None:
    for director in ("lvs1", "lvs2"):
        assert block("", "virtual_server") in built.read(
            f"build/red-hat/{director}/etc/keepalived/keepalived.conf"
        )
        assert block("", "\tmap ") in built.read(f"build/red-hat/{director}/etc/lvsc/nftables.nft")


def test_what_iptables_gets_is_what_is_built(project: Project) -> None:
    outcome = project.lvsc("build", str(ROOT / "examples" / "red-hat.toml"), "--backend", "iptables")
    assert outcome.code == 0, outcome.err
    rules = project.read("build/red-hat/lvs1/etc/lvsc/iptables.v4")
    said = iter(block("", "*mangle").splitlines())
    # The page leaves comments out, and nothing else.
    table = rules[rules.index("*mangle\n") :].partition("COMMIT\n")
    whole = [line for line in (table[0] + table[1]).splitlines() if not line.startswith("#")]
    assert list(said) == whole


def test_the_tree_has_the_hosts_of_the_page(built: Project) -> None:
    tree = block("", "build/red-hat/")
    hosts = re.findall(r"── (\w+)/etc/…", tree)
    made = built.root / "build" / "red-hat"
    assert sorted(hosts) == sorted(path.name for path in made.iterdir() if path.is_dir())
    assert "├── manifest.json" in tree
    assert sorted(hosts) == sorted(json.loads(built.read("build/red-hat/manifest.json"))["hosts"])
    assert all((made / host / "etc").is_dir() for host in hosts)


def test_the_mistake_is_reported_as_the_page_shows(project: Project) -> None:
    shown = block("", "error[LVS101]")
    line = int(re.findall(r"shop\.toml:(\d+):", shown)[0])
    lines = EXAMPLE.splitlines(keepends=True)
    before = lines[line - 1]
    lines[line - 1] = before.replace("scheduler", "scheduller")
    assert lines[line - 1] != before, f"line {line} of the example says no scheduler"
    project.write("shop.toml", "".join(lines))
    outcome = project.lvsc("check", "shop.toml")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(shown)


def test_the_table_names_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| (`lvsc .*?) \|", README, re.MULTILINE)
    named = [word for row in rows for word in re.findall(r"`lvsc ([\w-]+)", row)]
    assert list(dict.fromkeys(named)) == list(COMMANDS)


def test_the_options_that_the_page_names_exist(project: Project) -> None:
    for command, option in re.findall(r"^\| `lvsc (\w+)[^|]*\|[^|]*?`(--[\w-]+)`", README, re.MULTILINE):
        assert option in project.lvsc(command, "--help").out
    assert "--backend" in project.lvsc("build", "--help").out


@pytest.mark.parametrize(
    "words", [each.text for each in BLOCKS if each.language == "sh"], ids=["build", "test"]
)
def test_the_shell_lines_are_one_command_each_and_name_what_there_is(words: str) -> None:
    assert words.count("\n") == 1
    assert subprocess.run(["sh", "-n", "-c", words], capture_output=True, check=False).returncode == 0
    for word in shlex.split(words):
        if word.startswith("examples/"):
            assert (ROOT / word).is_file()
    # An environment of the project's own, which the repository ignores.
    assert ".venv/" in page(".gitignore").splitlines()


def links() -> list[tuple[Path, str]]:
    return [
        (path, link)
        for path in PAGES
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if "://" not in link
    ]


@pytest.mark.parametrize(("source", "link"), links(), ids=lambda value: str(getattr(value, "name", value)))
def test_a_link_leads_somewhere(source: Path, link: str) -> None:
    assert (source.parent / link).exists()


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git repository, so nothing says which files belong to it")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_leads_out_of_the_repository() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if path != Path(__file__)
        for match in FOREIGN.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize("text", ["see /home/me/x", "in /root/.cache"])
def test_what_leads_out_is_recognised(text: str) -> None:
    assert FOREIGN.search(text)
