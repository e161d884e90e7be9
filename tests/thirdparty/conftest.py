"""Plugins installed for one test, found as pip would have them found: by a distribution's metadata on the path."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from support.cli import Project
from support.site import Site

ROOT = Path(__file__).parent / "packages"
#: Each third-party package's entry points: group, name, module.
PACKAGES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "acme_balance": (("lvsc.backends", "balance", "acme_balance.plugin"),),
    "acme_tftp": (
        ("lvsc.plugins", "tftp", "acme_tftp.plugin"),
        ("lvsc.backends", "tftpd", "acme_tftp.backend_plugin"),
    ),
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty site directory on the path; what is imported from it is forgotten afterwards."""
    root = tmp_path / "site"
    root.mkdir()
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.syspath_prepend(root)
    before = set(sys.modules)
    yield Site(root)
    for name in set(sys.modules) - before:
        if any(str(place) in str(getattr(sys.modules[name], "__file__", "")) for place in (root, ROOT)):
            del sys.modules[name]


@pytest.fixture
def acme(site: Site) -> Site:
    """The site with both third parties' packages."""
    for name in PACKAGES:
        site.install(name, *PACKAGES[name])
    return site


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty directory to run the command line in."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, capsys, monkeypatch)
