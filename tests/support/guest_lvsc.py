"""lvsc itself in a guest, which sees neither this environment nor any other in /tmp or a home directory."""

import re
import shutil
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

import pytest

#: Where the guest finds what `packages` has copied.
DIRECTORY = "packages"
#: The directories where the system's own Python is: one that a guest's user may run, too.
_PYTHONS = "/usr/local/bin:/usr/bin:/bin"
_AFTER_NAME = re.compile(r"[^\w.-]")


def command() -> str:
    """The words of a shell that run lvsc in a guest.

    Skips the test, with the reason, where no Python that a guest can run takes this environment's packages.
    """
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = shutil.which(name, path=_PYTHONS)
    if python is None:
        pytest.skip(f"no {name} that a guest can run: none in {_PYTHONS}")
    return f"env PYTHONPATH=/mnt/{DIRECTORY} {python} -m lvsc"


def packages(into: Path) -> Path:
    """Copy lvsc and what it needs to run, as installed here, to a new directory; returns that."""
    names, seen = ["lvsc"], set[str]()
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # what only another Python needs
        names += (_AFTER_NAME.split(line)[0] for line in found.requires or () if "extra ==" not in line)
        _copy(found, into)
    for entry in {entry.module.partition(".")[0] for entry in distribution("lvsc").entry_points}:
        _copy_package(entry, into)
    _copy_package("lvsc_schemas", into)
    return into


def _copy(found: Distribution, into: Path) -> None:
    for file in found.files or ():
        if ".." not in file.parts and not file.name.endswith(".pth"):
            (into / file).parent.mkdir(parents=True, exist_ok=True)
            # With its time, by which Python knows what it has compiled.
            shutil.copy2(Path(file.locate()), into / file)


def _copy_package(name: str, into: Path) -> None:
    """What is installed as editable stands in no list of files."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    for directory in spec.submodule_search_locations:
        shutil.copytree(directory, into / name, dirs_exist_ok=True)
