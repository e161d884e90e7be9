import shutil
from pathlib import Path

import pytest

from support import fake_ipvsadm
from support.director import Director

AWKS = {"mawk": "mawk", "gawk": "gawk", "busybox": "busybox awk"}


@pytest.fixture
def director(tmp_path: Path) -> Director:
    """A director with an empty table and this machine's awk."""
    fake_ipvsadm.install(tmp_path)
    (tmp_path / "bin").mkdir()
    return Director(tmp_path)


@pytest.fixture(params=AWKS)
def each_awk(request: pytest.FixtureRequest, director: Director) -> Director:
    """A director with each awk that the distributions have."""
    program, *applet = AWKS[str(request.param)].split()
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"no {program}: apt-get install {program}")
    awk = director.root / "bin" / "awk"
    awk.write_text(f'#!/bin/sh\nexec {" ".join((path, *applet))} "$@"\n', encoding="utf-8")
    awk.chmod(0o755)
    return director
