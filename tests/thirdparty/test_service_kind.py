"""A third party's service kind: its keys, its node, its backend, its codes and its lint."""

import json
import sys
from typing import Any

import pytest

from support.cli import Project
from support.specs import DIRECT, TUNNEL, Layer, spec

pytestmark = pytest.mark.usefixtures("acme")


def tftp(name: str = "boot", /, **keys: Any) -> Layer:  # noqa: ANN401 - a spec holds values of any type
    """A service of the kind in place of the plain one."""
    table = {
        "kind": "tftp",
        "address": "www",
        "pool": "web",
        "directory": "/srv/tftp",
        "check": "none",
        **keys,
    }
    return {"services": {"web": None, name: table}}


def test_it_is_among_the_service_kinds(project: Project) -> None:
    kinds = project.lvsc("backends", "--format", "json").fits("backends")["service_kinds"]
    assert {"name": "tftp", "title": "TFTP: port 69 and its helper"} in kinds


def test_its_keys_are_in_the_schema_with_the_common_ones(project: Project) -> None:
    schema = json.loads(project.lvsc("schema").out)
    tables = [branch["then"] for branch in schema["properties"]["services"]["additionalProperties"]["allOf"]]
    (own,) = [table for table in tables if table["title"] == "A TFTP service"]
    assert own["required"] == ["address", "directory", "kind", "pool"]
    assert own["additionalProperties"] is False
    assert {"block_size", "directory", "scheduler"} <= own["properties"].keys()
    assert "one_packet" not in own["properties"]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"directry": "/x", "directory": None}, "did you mean `directory`?"),
        ({"ports": ["udp/69"]}, "unknown key `ports` in `services.boot`"),
        ({"one_packet": True}, "unknown key `one_packet` in `services.boot`"),
        ({"block_size": 4}, "`block_size`"),
        ({"directory": "srv"}, "a path"),
    ],
    ids=["misspelt", "of the plain kind", "left out", "too small", "not a path"],
)
def test_a_key_that_does_not_fit_is_refused(keys: dict[str, Any], says: str, project: Project) -> None:
    project.write("shop.toml", spec(tftp(**keys)))
    outcome = project.lvsc("build", "shop.toml")
    assert (outcome.code, outcome.out) == (1, "")
    assert says in outcome.err
    assert not (project.root / "build").exists()


def test_a_misspelt_kind_suggests_it(project: Project) -> None:
    project.write("shop.toml", spec(tftp(kind="tfpt")))
    assert 'did you mean `"tftp"`?' in project.lvsc("check", "shop.toml").err


def test_its_nodes_reach_the_built_in_backends_and_its_own(project: Project) -> None:
    project.write("shop.toml", spec(tftp(directory='/srv/a "b"')))
    assert project.lvsc("build", "shop.toml").code == 0
    assert 'type "tftp" protocol udp' in project.read("build/shop/lvs1/etc/lvsc/nftables.nft")
    assert "nf_conntrack_tftp\n" in project.read("build/shop/lvs1/etc/modules-load.d/lvsc.conf")
    for host in ("web1", "web2"):
        assert project.read(f"build/shop/{host}/etc/lvsc/tftpd.conf") == (
            f'# Written by lvsc for host {host} of cluster shop.\ndirectory = "/srv/a \\"b\\""\nblock-size = 512\n'
        )


def test_show_says_its_defaults(project: Project) -> None:
    project.write("shop.toml", spec(tftp()))
    outcome = project.lvsc("show", "shop.toml")
    assert outcome.code == 0
    assert "block_size = 512\n" in outcome.out


def test_explain_gives_its_reasons(project: Project) -> None:
    project.write("shop.toml", spec(tftp()))
    outcome = project.lvsc("explain", "shop.toml", "boot")
    assert outcome.code == 0
    assert "each transfer answers from a port of its own" in outcome.out


def test_its_plan_refuses_at_its_own_key(project: Project) -> None:
    project.write("shop.toml", spec(TUNNEL, tftp(block_size=1468)))
    outcome = project.lvsc("check", "shop.toml")
    assert outcome.code == 1
    assert "error[TFT001]: a block of 1468 bytes does not fit into a tunnel" in outcome.err
    assert "block_size = 1468" in outcome.err


def test_its_lint_is_asked(project: Project) -> None:
    other = {"addresses": {"two": {"network": "lan", "ip": ["192.0.2.12"]}}}
    project.write("shop.toml", spec(other, tftp(), tftp("more", address="two", directory="/srv/other")))
    outcome = project.lvsc("check", "shop.toml")
    assert outcome.code == 1
    assert outcome.err.count("error[TFT002]") == 2
    assert "tftpd of `web1` would serve 2 directories" in outcome.err


def test_its_backend_refuses_by_its_own_code(project: Project) -> None:
    project.write("shop.toml", spec(DIRECT, tftp(), {"cluster": {"target": "alpine"}}))
    outcome = project.lvsc("check", "shop.toml")
    assert outcome.code == 1
    assert "error[TFT003]: `web1` has no systemd" in outcome.err


@pytest.mark.parametrize("code", ["TFT001", "TFT002", "TFT003"])
def test_explain_knows_its_codes(code: str, project: Project) -> None:
    outcome = project.lvsc("explain", code)
    assert (outcome.code, outcome.err) == (0, "")
    assert code in outcome.out


def test_the_backend_of_its_nodes_is_imported_only_for_them(project: Project) -> None:
    project.write("shop.toml", spec())
    assert project.lvsc("build", "shop.toml").code == 0
    assert "acme_tftp.kind" in sys.modules
    assert "acme_tftp.backend" not in sys.modules
    project.write("shop.toml", spec(tftp()))
    assert project.lvsc("build", "shop.toml").code == 0
    assert "acme_tftp.backend" in sys.modules
