"""`lvsc schema`, `lvsc targets` and `lvsc backends`."""

import json

import pytest

import lvsc_schemas
from lvsc import targets
from lvsc.plugins.manager import PluginError, Plugins
from lvsc.targets import Feature
from support.cli import Project


@pytest.mark.parametrize("options", [(), ("--format", "json")], ids=["text", "json"])
def test_schema_is_the_one_that_lvsc_ships(options: tuple[str, ...], project: Project) -> None:
    outcome = project.lvsc("schema", *options)
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out) == lvsc_schemas.load("cluster")


def test_targets_has_a_line_for_each(project: Project) -> None:
    outcome = project.lvsc("targets")
    assert (outcome.code, outcome.err) == (0, "")
    assert [line.split()[0] for line in outcome.out.splitlines()] == list(targets.names())
    assert "debian12     Debian 12 (bookworm)" in outcome.out
    assert "; also alma9, centos-stream9, rocky9\n" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 110


def test_one_target_says_what_it_lacks(project: Project) -> None:
    outcome = project.lvsc("targets", "rhel7")
    assert outcome.out.startswith("rhel7: ")
    assert "  keepalived   1.3.5\n" in outcome.out
    lacking = [feature for feature in Feature if not targets.load("rhel7").has(feature)]
    for feature in lacking:
        assert (
            f"  {feature.value.title} ({feature.value.program.value} {feature.value.since})\n" in outcome.out
        )


def test_a_target_is_found_by_its_alias(project: Project) -> None:
    outcome = project.lvsc("targets", "alpine")
    assert outcome.out.startswith("alpine324: ")
    assert "also called: alpine\n" in outcome.out


def test_targets_as_json_are_all_of_them(project: Project) -> None:
    document = project.lvsc("targets", "--format", "json").fits("targets")
    assert [target["name"] for target in document["targets"]] == list(targets.names())
    by_name = {target["name"]: target for target in document["targets"]}
    assert "keepalived_mh" not in by_name["rhel7"]["features"]
    assert by_name["rhel7"]["packet_filter"] == "iptables"


def test_an_unknown_target_is_2_and_names_the_nearest(project: Project) -> None:
    outcome = project.lvsc("targets", "rhle9")
    assert (outcome.code, outcome.out) == (2, "")
    assert "there is no target `rhle9`" in outcome.err
    assert "did you mean `rhel9`?" in outcome.err


def test_backends_has_a_line_for_each_backend_and_service_kind(project: Project) -> None:
    outcome = project.lvsc("backends")
    assert (outcome.code, outcome.err) == (0, "")
    words = [line.split()[0] for line in outcome.out.splitlines()]
    assert words == ["host", "iptables", "ipvsadm", "keepalived", "nftables", "vsftpd", "ftp", "plain"]
    assert "iptables     packet filter" in outcome.out
    assert "ftp          service kind" in outcome.out


def test_backends_as_json(project: Project) -> None:
    document = project.lvsc("backends", "--format", "json").fits("backends")
    assert {backend["name"]: backend["role"] for backend in document["backends"]} == {
        "host": "host",
        "iptables": "packet filter",
        "ipvsadm": "director",
        "keepalived": "director",
        "nftables": "packet filter",
        "vsftpd": "settings",
    }
    assert [kind["name"] for kind in document["service_kinds"]] == ["ftp", "plain"]


@pytest.mark.parametrize("command", ["schema", "backends", "check -", "build -", "show -", "explain -"])
def test_a_broken_plugin_stops_a_command(
    command: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> Plugins:
        raise PluginError("plugin `x.y` cannot be used: no module named x")

    monkeypatch.setattr(Plugins, "installed", classmethod(broken))
    outcome = project.lvsc(*command.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error[LVS011]: plugin `x.y` cannot be used: no module named x\n")


def test_a_broken_backend_stops_the_list_of_backends(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object, name: str) -> None:
        raise PluginError(f"plugin `{name}` cannot be used")

    monkeypatch.setattr(Plugins, "backend", broken)
    outcome = project.lvsc("backends", "--format", "json")
    assert outcome.code == 2
    assert [found["code"] for found in outcome.fits("diagnostics")["diagnostics"]] == ["LVS011"]
