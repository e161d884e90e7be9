"""Rehearsals of clusters that keep their promises, and of clusters whose files were broken on purpose."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lvsc.compile import Options, compile_spec
from lvsc.laboratory.kernels import Kernel, why_not
from lvsc.output.write import write
from lvsc.rehearsal.found import Found
from lvsc.rehearsal.rehearse import rehearse
from lvsc.rehearsal.secrets import stand_ins
from support.examples import FILES
from support.pages import page
from support.specs import plugins

pytestmark = pytest.mark.kernel

Edit = Callable[[str], str]


@pytest.fixture(autouse=True)
def _uml() -> None:
    if why := why_not(Kernel.UML):
        pytest.skip(why)


def rehearsed(
    example: str, directory: Path, *, limit: float, spec: Edit = str, edit: tuple[str, Edit] | None = None
) -> tuple[Found, list[str]]:
    """What a rehearsal of an example with iptables comes to, and what it told on the way; `spec` changes the example, `edit` its files."""
    options = Options(target="debian12", backends=("iptables",))
    path = FILES[example]
    compiled = compile_spec(spec(path.read_text(encoding="utf-8")), str(path), plugins(), options)
    write(compiled, directory, stand_ins()[0])
    tree = directory / compiled.cluster.name
    if edit is not None:
        for file in tree.rglob(edit[0]):
            before = file.read_text(encoding="utf-8")
            after = edit[1](before)
            assert after != before
            file.write_text(after, encoding="utf-8")
    told: list[str] = []
    return rehearse(compiled, tree, Kernel.UML, limit, told.append), told


def test_red_hats_cluster_keeps_all_its_promises(tmp_path: Path) -> None:
    found, told = rehearsed("red-hat", tmp_path, limit=600)
    assert found.diagnostics == []
    # The page shows this very run.
    shown = page("docs/rehearse.md").partition("$ lvsc rehearse ")[2].partition("```")[0].splitlines()[1:]
    said = [*map(str, found.proved), *(f"not tried: {each}" for each in found.left_out)]
    assert [without_times(line) for line in said] == [without_times(line) for line in shown]
    assert told[0] == "booting a uml kernel"


def without_times(line: str) -> str:
    return re.sub(r"[\d.]+ s\b", "N s", line)


@pytest.mark.parametrize(
    ("file", "edit", "codes"),
    [
        pytest.param(
            "iptables.v4",
            lambda text: re.sub(r"^-A.*-j MARK.*\n", "", text, flags=re.MULTILINE),
            {"LVS802"},
            id="marks",
        ),
        pytest.param(
            "ipvsadm.rules",
            lambda text: text.replace(" -p 600 -M 255.255.255.0", ""),
            {"LVS804"},
            id="persistence",
        ),
        pytest.param(
            "ipvsadm.rules",
            lambda text: text.replace("10.0.0.22:0 -m -w 2", "10.0.0.22:0 -m -w 0"),
            {"LVS803"},
            id="weights",
        ),
    ],
)
def test_what_a_broken_file_breaks_is_found_at_the_services_line(
    file: str, edit: Edit, codes: set[str], tmp_path: Path
) -> None:
    found, _ = rehearsed("ipvsadm", tmp_path, limit=600, edit=(file, edit))
    assert {diagnostic.code.id for diagnostic in found.diagnostics} == codes
    places = {diagnostic.place.origin.path for diagnostic in found.diagnostics if diagnostic.place}
    assert places == {("services", "web")}


def test_a_director_that_serves_itself_may_see_its_clients(tmp_path: Path) -> None:
    web2 = '{ name = "web2", ip = ["192.0.2.22", "2001:db8:0:2::22"], port = 8080 }'
    lvs1 = '{ name = "lvs1", ip = ["192.0.2.2", "2001:db8:0:2::2"], port = 8080 }'
    found, _ = rehearsed("one-armed", tmp_path, limit=600, spec=lambda text: text.replace(web2, lvs1))
    assert found.diagnostics == []
    assert any("reached at tcp 192.0.2.10:80" in str(each) for each in found.proved)


def test_what_time_leaves_out_is_listed(tmp_path: Path) -> None:
    found, _ = rehearsed("minimal", tmp_path, limit=0)
    assert found.proved == []
    left_out = [each.what for each in found.left_out]
    assert "every address and port" in left_out
    assert "a director's death" in left_out


def test_directors_that_take_no_addresses_are_told_of_once(tmp_path: Path) -> None:
    tracked = '[failover]\ntrack_scripts = [{ name = "failing", command = "/bin/false" }]'
    found, _ = rehearsed(
        "direct-routing", tmp_path, limit=20, spec=lambda text: text.replace("[failover]", tracked)
    )
    assert [(each.code.id, each.place and each.place.origin.path) for each in found.diagnostics] == [
        ("LVS810", ("failover",))
    ]
    assert found.proved == []
