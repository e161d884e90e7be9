"""The tour is true: what it builds is built, installed, run and tested here."""

import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvsc.plugin import Backend, Source
from lvsc.plugins.manager import Plugins
from support.cli import Outcome, Project
from support.pages import Block, blocks, page
from support.site import Site

BLOCKS = list(blocks(page("docs/writing-a-backend.md")))


def written(root: Path) -> None:
    """Write every file of the page."""
    for block in BLOCKS:
        if block.path is not None:
            file = root / block.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{file.read_text()}\n{block.text}" if block.added else block.text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The page's packages, installed by what its pyproject.toml says."""
    root = tmp_path / "site"
    written(root)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    site = Site(root)
    site.install(
        project["name"],
        *(
            (group, name, module)
            for group, names in project["entry-points"].items()
            for name, module in names.items()
        ),
    )
    site.install("acme-dns", ("lvsc.plugins", "dns", "acme_dns.plugin"))
    monkeypatch.syspath_prepend(root / "tests")
    monkeypatch.syspath_prepend(root)
    before = set(sys.modules)
    yield site
    for name in set(sys.modules) - before:
        if str(root) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def project(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(site.root, capsys, monkeypatch)


def test_every_block_is_run() -> None:
    assert [block for block in BLOCKS if block.path is None and block.language not in ("console", "")] == []
    assert [block.path for block in BLOCKS if block.language == "python"] == [
        "acme_forwardd/plugin.py",
        "acme_forwardd/codes.py",
        "acme_forwardd/backend.py",
        "tests/test_forwardd.py",
        "acme_dns/plugin.py",
        "acme_forwardd/reader.py",
        "tests/test_reader.py",
        "acme_forwardd/backend.py",
    ]


def run(command: str, project: Project) -> Outcome:
    words = shlex.split(command)
    if words[0] == "cat":
        return Outcome(0, project.read(words[1]), "")
    assert words[0] == "lvsc"
    return project.lvsc(*words[1:])


def test_the_commands_print_what_the_page_says(project: Project) -> None:
    (console,) = (block.text for block in BLOCKS if block.language == "console")
    for session in console.removeprefix("$ ").split("\n$ "):
        command, _, expected = session.partition("\n")
        outcome = run(command, project)
        assert expected
        assert expected.strip("\n") in outcome.out + outcome.err, command


def test_the_shape_at_the_top_is_what_is_emitted(project: Project) -> None:
    shape = next(block.text for block in BLOCKS if not block.language)
    assert project.lvsc("build", "cluster.toml").code == 0
    assert shape in project.read("build/shop/lvs1/etc/lvsc/forwardd.conf")


def test_without_checks_said_to_be_absent_it_is_refused_as_the_page_says(project: Project) -> None:
    text = project.read("cluster.toml")
    assert 'check = "none"\n' in text
    project.write("cluster.toml", text.replace('check = "none"\n', ""))
    outcome = project.lvsc("check", "cluster.toml")
    assert "error[LVS504]" in outcome.err
    assert "use `keepalived`" in outcome.err


@pytest.mark.parametrize("name", ["test_forwardd", "test_reader"])
def test_the_pages_own_tests_pass(name: str, site: Site) -> None:
    module = __import__(name)
    assert Path(str(module.__file__)).is_relative_to(site.root)
    tests = [value for key, value in vars(module).items() if key.startswith("test_")]
    assert tests
    for test in tests:
        test()


@pytest.mark.usefixtures("site")
def test_the_backend_reads_with_the_methods_added_last() -> None:
    backend = Plugins.installed().backend("forwardd")
    assert isinstance(backend, Backend)
    source = Source(host="lvs1", file="f", text="serve tcp 192.0.2.10 80\n")
    assert backend.recognises(source)
    assert len(backend.read(source).nodes) == 1


def test_the_service_kind_balances_both_protocols_and_refuses_persistence(project: Project) -> None:
    text = project.read("cluster.toml").replace('backends = ["forwardd"]\n', "")
    text = text.replace('ports = ["tcp/80"]', 'kind = "dns"')
    project.write("dns.toml", text)
    assert project.lvsc("build", "dns.toml").code == 0
    rules = project.read("build/shop/lvs1/etc/lvsc/nftables.nft")
    assert "192.0.2.10 . udp . 53" in rules
    assert "192.0.2.10 . tcp . 53" in rules
    settings = project.read("build/shop/lvs1/etc/sysctl.d/90-lvsc.conf")
    assert "net.netfilter.nf_conntrack_udp_timeout = 10\n" in settings
    project.write("dns.toml", text + 'persistence = "5m"\n')
    outcome = project.lvsc("check", "dns.toml")
    assert "error[DNS001]: service `web` is persistent" in outcome.err
    project.write("dns.toml", text + "prot = 5353\n")
    assert "did you mean `port`?" in project.lvsc("check", "dns.toml").err


def test_blocks_are_found_with_their_files() -> None:
    text = "See\n\n`a/b.py`:\n\n```python\nx = 1\n```\n\nAdd to `a/b.py`:\n\n```python\ny = 2\n```\n"
    assert list(blocks(text)) == [
        Block("python", "x = 1\n", "a/b.py", added=False),
        Block("python", "y = 2\n", "a/b.py", added=True),
    ]
