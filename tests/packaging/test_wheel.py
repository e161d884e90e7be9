"""What is installed: lvsc's own packages with their data, and nothing with a generic name."""

import configparser
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Import root of each package that is shipped.
ROOTS = {"compiler": ["lvsc"], "schemas": ["lvsc_schemas"]} | {
    "backends": sorted(path.name for path in (ROOT / "backends").iterdir() if path.is_dir())
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the source distribution."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed")
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    assert path.name == f"lvsc-{PROJECT['version']}-py3-none-any.whl"
    return zipfile.ZipFile(path)


def shipped() -> set[str]:
    """Every file of the packages, as it is imported."""
    return {
        str(path.relative_to(ROOT / root))
        for root, packages in ROOTS.items()
        for package in packages
        for path in (ROOT / root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    info = f"lvsc-{PROJECT['version']}.dist-info/"
    assert {name for name in wheel.namelist() if not name.startswith(info)} == shipped()


def test_every_package_is_typed_and_has_a_name_of_lvscs_own(wheel: zipfile.ZipFile) -> None:
    packages = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info" not in name}
    assert packages == {package for names in ROOTS.values() for package in names}
    for package in packages:
        assert package == "lvsc" or package.startswith("lvsc_")
        assert f"{package}/py.typed" in wheel.namelist()


def test_data_files_are_among_them(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    for target in (ROOT / "compiler/lvsc/targets/data").glob("*.toml"):
        assert f"lvsc/targets/data/{target.name}" in names
    assert "lvsc_schemas/cluster.schema.json" in names


def test_the_entry_points_are_the_projects(wheel: zipfile.ZipFile) -> None:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read_string(wheel.read(f"lvsc-{PROJECT['version']}.dist-info/entry_points.txt").decode())
    assert {group: dict(parser[group]) for group in parser.sections()} == {
        "console_scripts": PROJECT["scripts"],
        **PROJECT["entry-points"],
    }
    for module in (module for names in PROJECT["entry-points"].values() for module in names.values()):
        assert f"{module.replace('.', '/')}.py" in wheel.namelist()


def test_the_licence_is_in_it(wheel: zipfile.ZipFile) -> None:
    assert f"lvsc-{PROJECT['version']}.dist-info/licenses/LICENSE" in wheel.namelist()


def test_the_source_distribution_has_what_the_tests_need(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "tox.ini", "README.md", "LICENSE", "examples/red-hat.toml"} <= names
    assert "tests/packaging/test_wheel.py" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith(("build/", ".venv/"))]
