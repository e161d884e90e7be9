"""docs/review.md shows what the commands really print."""

import re
from pathlib import Path

from support.cli import Project

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/review.md").read_text()
OLD = (ROOT / "examples/red-hat.toml").read_text()


def shown(command: str) -> str:
    found = re.search(rf"^\$ {re.escape(command)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found, command
    return found[1]


def test_the_difference_of_two_specs(project: Project) -> None:
    project.write("old.toml", OLD)
    new = OLD.replace("weight = 2", "weight = 5").replace('"tcp/443"', '"tcp/443", "tcp/8080"')
    project.write("new.toml", new)
    assert project.lvsc("diff", "old.toml", "new.toml").out == shown("lvsc diff old.toml new.toml")


def test_the_move_from_iptables_to_nftables(project: Project) -> None:
    project.write("shop.toml", OLD)
    said = project.lvsc("diff", "--backends", "iptables,nftables", "shop.toml").out
    assert said == shown("lvsc diff --backends iptables,nftables shop.toml")
