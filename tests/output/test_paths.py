"""The paths that a backend may ask for."""

import pytest

from lvsc.diagnostics import DiagnosticError
from lvsc.output import codes
from lvsc.output.files import output_files, parents, temporary
from support.output import compiled, placed

SPEC = compiled({"a/etc/x": "x\n"})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "etc/x",
        "../x",
        "/..",
        "/../x",
        "/etc/../x",
        "/etc/..",
        "/./x",
        "/etc/.",
        "//etc/x",
        "/etc//x",
        "/etc/",
        "/etc/x y",
        "/etc/x\n",
        "/etc/\0",
        "/etc/ä",
        "/etc/.x.lvsc-tmp",
        "/etc/.x.lvsc-tmp/y",
    ],
)
def test_an_impossible_path_is_the_backends_mistake(path: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        output_files(placed(SPEC, "a", path))
    (problem,) = caught.value.diagnostics
    assert problem.code is codes.BAD_PATH
    assert problem.message.startswith("backend `demo` asks for a file at ")


@pytest.mark.parametrize("host", ["", ".", "..", "a/b", "/", ".hidden", "manifest.json", "a\n", "a b"])
def test_an_impossible_host_is_too(host: str) -> None:
    with pytest.raises(DiagnosticError, match="LVS606"):
        output_files(placed(SPEC, host, "/etc/x"))


@pytest.mark.parametrize(
    "path", ["/x", "/etc/sysctl.d/90-lvsc.conf", "/etc/...", "/etc/.hidden", "/etc/a@b.service"]
)
def test_a_path_that_is_absolute_and_in_its_shortest_form_is_fine(path: str) -> None:
    (file,) = output_files(placed(SPEC, "web-1.example", path))
    assert file.source == f"web-1.example{path}"


def test_no_file_is_the_directory_of_another() -> None:
    with pytest.raises(DiagnosticError) as caught:
        output_files(compiled({"a/etc/x": "x\n", "a/etc/x/y/z": "z\n", "b/etc/x/y": "y\n"}))
    assert str(caught.value) == "LVS606: `a/etc/x` is to be a file and the directory of another file"


def test_every_mistake_is_reported() -> None:
    two = compiled({"a/etc/x": "x\n", "b/etc/../x": "x\n", "c/etc/": "x\n"})
    with pytest.raises(DiagnosticError) as caught:
        output_files(two)
    assert len(caught.value.diagnostics) == 2


@pytest.mark.parametrize(
    ("source", "name", "directories"),
    [
        ("a/etc/x", "a/etc/.x.lvsc-tmp", ("a/etc", "a")),
        ("a/x", "a/.x.lvsc-tmp", ("a",)),
        ("manifest.json", ".manifest.json.lvsc-tmp", ()),
    ],
)
def test_a_file_is_first_written_beside_its_place(
    source: str, name: str, directories: tuple[str, ...]
) -> None:
    assert temporary(source) == name
    assert parents(source) == directories
