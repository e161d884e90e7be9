"""A third party's director backend, from its entry point to its files."""

import json
import sys

import pytest

from support.cli import Project
from support.specs import DIRECT, MINIMAL, merged, service, spec

pytestmark = pytest.mark.usefixtures("acme")

CONF = "build/shop/lvs1/etc/lvsc/balance.conf"
BY_SPEC = {"cluster": {"backends": ["balance"]}}
TEXT = """\
-- Written by lvsc for host lvs1 of cluster shop.
serve tcp 192.0.2.10 80 by wlc
    at 192.0.2.21 80 weight 1
    at 192.0.2.22 80 weight 1
    probe 192.0.2.21 80 every 5s
    probe 192.0.2.22 80 every 5s
"""


def test_it_is_among_the_backends(project: Project) -> None:
    found = {
        each["name"]: each
        for each in project.lvsc("backends", "--format", "json").fits("backends")["backends"]
    }
    assert found["balance"] == {
        "name": "balance",
        "title": "Acme's balanced: virtual services by address, checked by TCP",
        "role": "director",
    }
    assert found["tftpd"]["role"] == "settings"


@pytest.mark.parametrize(
    ("layer", "words"), [(BY_SPEC, ()), ({}, ("--backend", "balance"))], ids=["by spec", "by --backend"]
)
def test_it_is_chosen_and_its_file_is_in_the_tree(
    layer: dict[str, object], words: tuple[str, ...], project: Project
) -> None:
    project.write("shop.toml", spec(layer))
    outcome = project.lvsc("build", "shop.toml", *words)
    assert (outcome.code, outcome.out) == (0, "")
    assert project.read(CONF) == TEXT
    assert not (project.root / "build/shop/lvs1/etc/keepalived").exists()
    load = json.loads(project.read("build/shop/manifest.json"))["hosts"]["lvs1"]["load"]
    assert [step["backend"] for step in load if step["stage"] == "director"] == ["balance"]
    assert project.lvsc("build", "--check", "shop.toml", *words).code == 0


def test_its_refusals_are_shown_at_their_place_and_nothing_is_built(project: Project) -> None:
    project.write("shop.toml", spec(BY_SPEC, DIRECT, service(scheduler="mh", mark=80)))
    outcome = project.lvsc("build", "shop.toml")
    assert (outcome.code, outcome.out) == (1, "")
    assert "error[BAL001]: balanced knows no firewall marks, and service `web` needs one" in outcome.err
    assert "error[BAL002]: balanced has no scheduler `mh`\n" in outcome.err
    assert 'scheduler = "mh"' in outcome.err
    assert outcome.err.count("error[BAL003]") == 2
    assert not (project.root / "build").exists()


def test_explain_knows_its_codes(project: Project) -> None:
    outcome = project.lvsc("explain", "BAL001")
    assert (outcome.code, outcome.err) == (0, "")
    assert "a firewall mark" in outcome.out
    assert "it never looks at a packet's mark" in outcome.out


def test_a_misspelt_name_suggests_it(project: Project) -> None:
    project.write("shop.toml", spec())
    outcome = project.lvsc("check", "shop.toml", "--backend", "balence")
    assert outcome.code == 2
    assert "did you mean `balance`?" in outcome.err


def test_what_no_chosen_backend_renders_names_it_as_one_that_can(project: Project) -> None:
    project.write("shop.toml", spec())
    outcome = project.lvsc("check", "shop.toml", "--backend", "ipvsadm")
    assert outcome.code == 1
    assert "error[LVS504]" in outcome.err
    assert "use `balance` or `keepalived`" in outcome.err


def test_what_it_does_not_render_names_the_backend_that_can(project: Project) -> None:
    http = {"pools": {"web": {"check": {"type": "http"}}}}
    project.write("shop.toml", spec(BY_SPEC, http))
    outcome = project.lvsc("check", "shop.toml")
    assert outcome.code == 1
    assert "use `keepalived`" in outcome.err
    assert "chosen are `balance`, `host`, `nftables`" in outcome.err


def test_it_is_imported_only_when_it_is_used(project: Project) -> None:
    project.write("shop.toml", spec())
    assert project.lvsc("build", "shop.toml").code == 0
    assert project.lvsc("schema").code == 0
    assert "acme_balance" not in sys.modules
    assert "acme_tftp.backend" not in sys.modules
    assert project.lvsc("build", "shop.toml", "--backend", "balance").code == 0
    assert "acme_balance.plugin" in sys.modules


def test_a_second_backend_of_its_role_is_refused(project: Project) -> None:
    project.write("shop.toml", spec(merged(MINIMAL, {"cluster": {"backends": ["balance", "keepalived"]}})))
    outcome = project.lvsc("check", "shop.toml")
    assert "error[LVS503]: `balance` and `keepalived` are both the director backend" in outcome.err


def test_settings_backends_of_two_programs_go_together(project: Project) -> None:
    project.write("shop.toml", spec())
    assert project.lvsc("check", "shop.toml", "--backend", "tftpd", "--backend", "vsftpd").code == 0
