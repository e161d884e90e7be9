"""The units of every host, judged by systemd."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lvsc.plugin import Init
from support.examples import EXAMPLES
from support.tell import Tell
from support.trees import HostTree, trees

#: A unit that is not lvsc's, where lvsc adds to it.
STUB = "[Service]\nType=oneshot\nExecStart=/bin/true\n"


def units(tree: HostTree) -> Mapping[str, str]:
    """The host's units by their paths, as far as they matter to systemd: without comments and the places of programs."""
    directory = f"{tree.target.paths.unit_dir}/"
    found = {}
    for _, file in tree.files:
        if file.path.startswith(directory):
            text = re.sub(r"^#.*\n", "", file.text, flags=re.MULTILINE)
            # The target's programs may be elsewhere than this machine's.
            text = re.sub(r"^(Exec\w+=-?)/\S+", r"\1/bin/true", text, flags=re.MULTILINE)
            name = file.path.removeprefix(directory)
            found[name] = text
            if "/" in name:
                found.setdefault(name.partition(".d/")[0], STUB)
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_systemd_finds_no_fault_with_a_unit(example: str, tmp_path: Path, tell: Tell) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze: apt-get install systemd")
    different = {
        tuple(sorted(units(tree).items())): tree
        for tree in trees(example)
        if tree.target.init is Init.SYSTEMD
    }
    different.pop((), None)
    for number, (found, tree) in enumerate(different.items()):
        directory = tmp_path / str(number)
        for name, text in found:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text(text, encoding="utf-8")
        ran = subprocess.run(
            [analyze, "verify", "--man=no", *(str(directory / name) for name, _ in found if "/" not in name)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{directory}:"},
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", ""), tree
    tell(f"{example}: units, {len(different)} different sets: by systemd-analyze verify")
