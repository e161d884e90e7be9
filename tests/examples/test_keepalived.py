"""Each keepalived.conf is judged by the target's release: by a table of its keywords, and by the program where it is here."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvsc.targets import Program, Version
from support import keepalived
from support.examples import EXAMPLES
from support.keepalived_keywords import unknown_keywords
from support.tell import Tell
from support.trees import HostTree, trees


def files(example: str) -> Iterator[tuple[HostTree, str, Version]]:
    """Each director that has one: its keepalived.conf and the release that reads it."""
    for tree in trees(example):
        text = tree.text(tree.target.paths.keepalived_conf)
        version = tree.target.version(Program.KEEPALIVED)
        if text is not None and version is not None:
            yield tree, text, version


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_targets_release_knows_every_keyword(example: str, tell: Tell) -> None:
    found = Counter((text, version) for _, text, version in files(example))
    for text, version in found:
        assert unknown_keywords(text, version) == [], version
    assert found
    releases = ", ".join(map(str, sorted({version for _, version in found})))
    tell(
        f"{example}: keepalived.conf of {sum(found.values())} hosts ({len(found)} different):"
        f" by the keywords of keepalived {releases}"
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_installed_keepalived_has_no_complaint(example: str, tmp_path: Path, tell: Tell) -> None:
    if reason := keepalived.why_not():
        pytest.skip(reason)
    installed = keepalived.installed()
    releases: dict[str, set[Version]] = {}
    for _, text, version in files(example):
        releases.setdefault(text, set()).add(version)
    asked = 0
    for text, read_by in releases.items():
        to = ", ".join(map(str, sorted(read_by)))
        unknown = unknown_keywords(text, installed)
        if unknown:
            tell(f"{example}: keepalived.conf for {to}: not by keepalived {installed}: {unknown[0]}")
            continue
        complaints = keepalived.complaints(text, tmp_path)
        if max(read_by) < installed:
            # What an old release needs, a later one may know by another name as well.
            complaints = [said for said in complaints if " is deprecated - " not in said]
        assert complaints == []
        asked += 1
    tell(f"{example}: keepalived.conf, {asked} of {len(releases)} different: by keepalived {installed} -t")
