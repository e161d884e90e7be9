"""Every data file says all there is to say, and a wrong one is refused by file and key."""

import dataclasses
import subprocess
import sys
import tomllib
from importlib.resources import files

import pytest

from lvsc.targets import (
    Feature,
    Init,
    Program,
    Target,
    TargetDataError,
    UnknownProgram,
    UnknownTarget,
    load,
    names,
)
from lvsc.targets.load import PROGRAM_NAMES, parse

SERVICE_MANAGERS = {Init.SYSTEMD: {"systemctl"}, Init.OPENRC: {"rc-service", "rc-update"}}
OWN_PROGRAMS = {Init.SYSTEMD: Program.SYSTEMD, Init.OPENRC: Program.OPENRC}

WHOLE = """
title = "Some Linux"
packet_filter = "nftables"
director = "ipvsadm"
init = "systemd"
sources = ["a manual"]
[versions]
kernel = "6.1"
nftables = "1.0.6"
[programs]
nft = "/usr/sbin/nft"
[paths]
keepalived_conf = "/etc/keepalived/keepalived.conf"
vsftpd_conf = "/etc/vsftpd.conf"
sysctl_d = "/etc/sysctl.d"
modules_load_d = "/etc/modules-load.d"
modprobe_d = "/etc/modprobe.d"
unit_dir = "/etc/systemd/system"
[units]
iptables = []
nftables = ["nftables.service"]
network_pre = "network-pre.target"
network_online = "network-online.target"
[features]
kernel_sched_twos = { has = false, source = "its configuration" }
"""


def _raw(name: str) -> dict[str, object]:
    return tomllib.loads(files("lvsc.targets").joinpath(f"data/{name}.toml").read_text(encoding="utf-8"))


def _keys(table: object, path: str = "") -> set[str]:
    if not isinstance(table, dict):
        return {path}
    return {key for name, value in table.items() for key in _keys(value, f"{path}.{name}")} or {path}


def test_the_targets_are_those_that_are_promised() -> None:
    assert names() == (
        "alpine324",
        "arch",
        "debian11",
        "debian12",
        "debian13",
        "leap156",
        "rhel10",
        "rhel7",
        "rhel8",
        "rhel9",
        "ubuntu2004",
        "ubuntu2204",
        "ubuntu2404",
    )


@pytest.mark.parametrize("name", names())
def test_data_file_loads(name: str) -> None:
    target = load(name)
    assert target.name == name
    assert target.title
    assert target.sources
    assert target.version(OWN_PROGRAMS[target.init]) is not None
    assert all(target.program(manager) for manager in SERVICE_MANAGERS[target.init])
    assert target.units.network_pre
    assert target.units.network_online


@pytest.mark.parametrize("name", names())
def test_data_files_have_the_same_keys(name: str) -> None:
    own = {f".versions.{program.value}" for program in OWN_PROGRAMS.values()}
    managers = {f".programs.{manager}" for each in SERVICE_MANAGERS.values() for manager in each}

    def common(target: str) -> set[str]:
        return {key for key in _keys(_raw(target)) if not key.startswith(".features")} - own - managers

    assert common(name) == common("debian12")


@pytest.mark.parametrize("name", names())
def test_every_program_that_is_run_has_a_path(name: str) -> None:
    target = load(name)
    expected = PROGRAM_NAMES - set().union(*SERVICE_MANAGERS.values()) | SERVICE_MANAGERS[target.init]
    assert {program for program, _ in target.programs} == expected


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("bookworm", "debian12"),
        ("noble", "ubuntu2404"),
        ("centos7", "rhel7"),
        ("rocky8", "rhel8"),
        ("alma9", "rhel9"),
        ("centos-stream10", "rhel10"),
        ("alpine", "alpine324"),
        ("opensuse-leap", "leap156"),
    ],
)
def test_alias_is_its_target(alias: str, name: str) -> None:
    assert load(alias) is load(name)
    assert alias in load(name).aliases


def test_no_alias_is_a_name() -> None:
    aliases = [alias for name in names() for alias in load(name).aliases]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & set(names())


@pytest.mark.parametrize(
    ("name", "suggestion", "message"),
    [
        ("debain12", "debian12", "there is no target `debain12`; did you mean `debian12`?"),
        ("rhel-9", "rhel9", "there is no target `rhel-9`; did you mean `rhel9`?"),
        ("bokworm", "bookworm", "there is no target `bokworm`; did you mean `bookworm`?"),
        ("beos", None, "there is no target `beos`; `lvsc targets` lists them"),
        ("aliases", "alpine", "there is no target `aliases`; did you mean `alpine`?"),
        ("../debian12", "debian12", "there is no target `../debian12`; did you mean `debian12`?"),
    ],
)
def test_unknown_target_names_the_nearest(name: str, suggestion: str | None, message: str) -> None:
    with pytest.raises(UnknownTarget) as caught:
        load(name)
    assert caught.value.name == name
    assert caught.value.suggestion == suggestion
    assert str(caught.value) == message


def test_nothing_near_an_unknown_target_is_no_suggestion() -> None:
    with pytest.raises(UnknownTarget) as caught:
        load("")
    assert caught.value.suggestion is None


def test_program_without_a_path_says_which_target_lacks_it() -> None:
    target = parse("some", WHOLE)
    assert target.program("nft") == "/usr/sbin/nft"
    with pytest.raises(UnknownProgram, match="target `some` has no path for the program `keepalived`"):
        target.program("keepalived")


def test_program_that_is_not_shipped_has_none_of_its_features() -> None:
    target = parse("some", WHOLE)
    assert target.version(Program.KEEPALIVED) is None
    assert target.units.keepalived is None
    assert not any(target.has(feature) for feature in Feature if feature.program is Program.KEEPALIVED)
    stated = dataclasses.replace(target, stated=((Feature.KEEPALIVED_SCHED_MH, True),))
    assert not stated.has(Feature.KEEPALIVED_SCHED_MH)


def test_statement_wins_over_the_version() -> None:
    target = parse("some", WHOLE)
    assert not target.has(Feature.KERNEL_SCHED_TWOS)
    assert dataclasses.replace(target, stated=()).has(Feature.KERNEL_SCHED_TWOS)
    assert target.has(Feature.KERNEL_SCHED_MH)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        pytest.param('title = "Some Linux"', "", "`title` is missing: it must be a string", id="missing"),
        pytest.param(
            'title = "Some Linux"', 'titel = "x"\ntitle = "x"', "`titel` is an unknown key", id="unknown"
        ),
        pytest.param('title = "Some Linux"', "title = 12", "`title` must be a string", id="not a string"),
        pytest.param('title = "Some Linux"', 'title = ""', "`title` is empty", id="empty"),
        pytest.param(
            '"nftables"\n', '"ipfw"\n', "`packet_filter` is `ipfw`, which is none of", id="no backend"
        ),
        pytest.param('"ipvsadm"', '"haproxy"', "`director` is `haproxy`, which is none of", id="no director"),
        pytest.param('"systemd"\n', '"runit"\n', "`init` is `runit`, which is none of", id="no init"),
        pytest.param('["a manual"]', '["a", 1]', "`sources` must be a list of strings", id="list of others"),
        pytest.param('["a manual"]', '"a manual"', "`sources` must be a list of strings", id="no list"),
        pytest.param(
            'kernel = "6.1"',
            'kernel = "6.1-rc1"',
            "`versions.kernel` `6.1-rc1` is not a version",
            id="version",
        ),
        pytest.param(
            'kernel = "6.1"', 'linux = "6.1"', "`versions.linux` is an unknown key", id="unknown version"
        ),
        pytest.param("nft = ", "pf = ", "`programs.pf` is an unknown key", id="unknown program"),
        pytest.param(
            '"/usr/sbin/nft"', '"nft"', "`programs.nft` is `nft`: write an absolute path", id="relative"
        ),
        pytest.param(
            '"/usr/sbin/nft"', '"/a b"', "`programs.nft` is `/a b`: write an absolute path", id="space"
        ),
        pytest.param('"/usr/sbin/nft"', '"/a$(b)"', "write an absolute path", id="shell"),
        pytest.param('"/usr/sbin/nft"', '"/a\\nb"', "write an absolute path", id="newline"),
        pytest.param(
            '"/etc/sysctl.d"', '"/etc/sysctl.d/"', "`paths.sysctl_d` is `/etc/sysctl.d/`", id="slash"
        ),
        pytest.param("sysctl_d =", "sysctl =", "`paths.sysctl_d` is missing", id="missing path"),
        pytest.param("iptables = []", "", "`units.iptables` is missing", id="missing unit"),
        pytest.param('["nftables.service"]', '["a b"]', "`units.nftables` names `a b`", id="unit list"),
        pytest.param('"network-pre.target"', '"a;b"', "`units.network_pre` names `a;b`", id="unit"),
        pytest.param(
            "kernel_sched_twos", "kernel_sched_two", "`features.kernel_sched_two` is no feature", id="feature"
        ),
        pytest.param(
            "has = false", "has = 0", "`features.kernel_sched_twos.has` must be true or false", id="flag"
        ),
        pytest.param(
            ', source = "its configuration"',
            "",
            "`features.kernel_sched_twos.source` is missing",
            id="feature without source",
        ),
        pytest.param(
            "has = false,",
            "has = false, why = 1,",
            "`features.kernel_sched_twos.why` is an unknown",
            id="statement",
        ),
        pytest.param(
            "[features]", "[feature]", "`features` is missing: it must be a table", id="missing table"
        ),
    ],
)
def test_wrong_data_file_is_refused_by_file_and_key(right: str, wrong: str, message: str) -> None:
    assert isinstance(parse("some", WHOLE), Target)
    assert WHOLE.count(right) == 1
    with pytest.raises(TargetDataError) as caught:
        parse("some", WHOLE.replace(right, wrong))
    assert str(caught.value).startswith("some.toml: `")
    assert message in str(caught.value)
    assert caught.value.file == "some.toml"


def test_importing_targets_imports_nothing_that_only_loading_needs() -> None:
    code = "import sys, lvsc.targets; sys.exit(not {'tomllib', 'importlib.resources', 'difflib'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
