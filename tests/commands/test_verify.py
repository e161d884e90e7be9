"""`lvsc verify`: what is right passes, and a broken backend is caught at the file and at the spec's line."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from lvsc.checkers import namespace
from lvsc.checkers.ask import CHECKERS
from lvsc.plugin import Backend, Emission, HostPart, Line
from lvsc_host.backend import Host
from lvsc_iptables.backend import Iptables
from lvsc_keepalived.backend import Keepalived
from lvsc_nftables.backend import Nftables
from support.cli import Outcome, Project
from support.pages import ROOT
from support.specs import spec

EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("*.toml"))}
RED_HAT = (ROOT / "examples" / "red-hat.toml").read_text(encoding="utf-8")
LINES = RED_HAT.splitlines()
WRONG = spec({"services": {"web": {"scheduler": "wlcc"}}})

Break = Callable[[type[Backend], Callable[[list[Line]], list[Line]]], None]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Breaks a backend: what it emits is handed out changed."""

    def install(backend: type[Backend], change: Callable[[list[Line]], list[Line]]) -> None:
        sound = backend.emit

        def emit(self: Backend, part: HostPart) -> Emission:
            emission = sound(self, part)
            artifacts = tuple(replace(a, lines=tuple(change(list(a.lines)))) for a in emission.artifacts)
            return replace(emission, artifacts=artifacts)

        monkeypatch.setattr(backend, "emit", emit)

    return install


def substitute(pattern: str, text: str) -> Callable[[list[Line]], list[Line]]:
    return lambda lines: [Line(re.sub(pattern, text, line.text), line.origin) for line in lines]


def without(pattern: str) -> Callable[[list[Line]], list[Line]]:
    return lambda lines: [line for line in lines if not re.search(pattern, line.text)]


def verify(project: Project, *words: str, text: str = RED_HAT) -> Outcome:
    return project.lvsc("verify", project.write("a.toml", text), *words)


def lines_of(table: str) -> range:
    """The numbers of the example's lines from a table's head to the next."""
    heads = [n for n, line in enumerate(LINES, start=1) if line.startswith("[")] + [len(LINES) + 1]
    (head,) = (n for n, line in enumerate(LINES, start=1) if line.startswith(table))
    return range(head, heads[heads.index(head) + 1])


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_proved_for_its_own_target(example: str, project: Project) -> None:
    outcome = project.lvsc("verify", str(EXAMPLES[example]), "--no-programs")
    assert (outcome.code, "error" in outcome.err.replace("no errors", "")) == (0, False), outcome.err
    assert re.search(
        r"^[\w-]+/\w+/etc/lvsc/(nftables\.nft|iptables\.v[46]): read back", outcome.out, re.MULTILINE
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_installed_program_complains_of_an_example(example: str, project: Project) -> None:
    if reason := namespace.why_not():
        pytest.skip(reason)
    outcome = project.lvsc("verify", str(EXAMPLES[example]))
    assert outcome.code == 0, outcome.err


def test_each_file_has_a_line_that_says_who_judged_it(project: Project) -> None:
    outcome = verify(project, "--no-programs")
    lines = dict(line.split(": ") for line in outcome.out.splitlines())
    assert lines["red-hat/lvs1/etc/lvsc/nftables.nft"] == "read back, equal to iptables"
    assert lines["red-hat/lvs1/etc/sysctl.d/90-lvsc.conf"] == "not judged"
    assert "not judged: the programs' own checkers: `--no-programs` is given\n" in outcome.err
    assert "not judged: reading back what `host` writes: backend `host` has no reader\n" in outcome.err


def test_every_installed_program_is_asked(project: Project) -> None:
    installed = [checker for checker in CHECKERS if checker.why_not() is None]
    if not installed:
        pytest.skip("none of the programs is installed")
    said = verify(project).out + verify(project, "--backend", "iptables").out
    for checker in installed:
        assert checker.name in said


def test_a_program_that_is_missing_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace, "find", lambda _: None)
    outcome = verify(project)
    assert outcome.code == 0
    assert "not judged: `nft -c`: no `nft` is installed (nftables)\n" in outcome.err
    assert "not judged: `keepalived -t`: no `keepalived` is installed (keepalived)\n" in outcome.err


@dataclass(frozen=True)
class Broken:
    """A backend that makes one mistake, and what is to be said of it."""

    backend: type[Backend]
    change: Callable[[list[Line]], list[Line]]
    file: str
    table: str
    said: str


BROKEN = {
    "port-dropped": Broken(
        Nftables,
        without(r"192\.0\.2\.10 \. tcp \. 443 "),
        "nftables.nft",
        "[services.web]",
        "no mark, where it asks for: mark 80",
    ),
    "mark-changed": Broken(
        Nftables,
        substitute("0x00000050", "0x00000051"),
        "nftables.nft",
        "[services.web]",
        "mark 81, where it asks for: mark 80",
    ),
    "helper-forgotten": Broken(
        Nftables,
        without("ct helper set"),
        "nftables.nft",
        "[services.files]",
        "no helper, where it asks for: helper ftp",
    ),
    "ports-dropped": Broken(
        Iptables,
        substitute("--dports 80,443", "--dports 80"),
        "iptables.v4",
        "[services.web]",
        "no mark, where it asks for: mark 80",
    ),
    "marks-confused": Broken(
        Iptables,
        substitute("-j MARK --set-xmark 0x15/", "-j MARK --set-xmark 0x50/"),
        "iptables.v4",
        "[services.files]",
        "mark 80, where it asks for: mark 21",
    ),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_packet_filter_is_caught_in_the_file_and_at_the_line_of_the_spec(
    case: Broken, broken: Break, project: Project
) -> None:
    broken(case.backend, case.change)
    outcome = verify(project, "--no-programs", "--backend", case.backend.name)
    assert outcome.code == 1
    assert "error[LVS701]" in outcome.err
    assert case.said in outcome.err
    assert f"::: red-hat/lvs1/etc/lvsc/{case.file}:" in outcome.err
    numbers = {int(found) for found in re.findall(r"--> a\.toml:(\d+):", outcome.err)}
    assert numbers
    assert numbers <= set(lines_of(case.table)), outcome.err


def test_a_weight_that_keepalived_gets_wrong_is_caught(broken: Break, project: Project) -> None:
    if Keepalived.read is Backend.read:
        pytest.skip("keepalived's files are not read back yet")
    broken(Keepalived, substitute("weight 2", "weight 1"))
    outcome = verify(project, "--no-programs")
    assert outcome.code == 1
    assert "says otherwise of a real server than the spec: weight is 1, not 2" in outcome.err
    (line,) = (n for n, text in enumerate(LINES, start=1) if "weight = 2" in text)
    assert f"--> a.toml:{line}:" in outcome.err


def test_packet_filters_that_differ_are_named_both(broken: Break, project: Project) -> None:
    broken(Iptables, substitute("--set-xmark 0x50/", "--set-xmark 0x51/"))
    outcome = verify(project, "--no-programs")
    assert outcome.code == 1
    assert "error[LVS703]" in outcome.err
    assert "`nftables` and `iptables` treat packets differently: mark 80, and mark 81" in outcome.err
    assert "such a packet is tcp 198.51.100.7:40000 -> 192.0.2.10:80, at prerouting" in outcome.err


def test_a_file_that_its_backend_does_not_recognise_is_no_proof(broken: Break, project: Project) -> None:
    broken(Nftables, lambda _: [])
    outcome = verify(project, "--no-programs")
    assert outcome.code == 1
    assert "error[LVS702]: backend `nftables` recognises none of the files" in outcome.err


def test_a_reader_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    def read(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(Nftables, "read", read)
    outcome = verify(project, "--no-programs")
    assert outcome.code == 1
    assert "backend `nftables` fails to read what it wrote: KeyError: 'x'" in outcome.err


@dataclass(frozen=True)
class Refused:
    """A mistake that a program finds."""

    backend: type[Backend]
    checker: str
    change: Callable[[list[Line]], list[Line]]
    table: str | None = None
    """Where in the example the line comes from; None where no place asks for it."""


_ELEMENT = substitute(r"(192\.0\.2\.10 \. tcp \. 443)", r"\1 . 7")
_PORTS = substitute("--dports 80,443", "--dports 80,x")
REFUSED = (
    Refused(Nftables, "nft -c", _ELEMENT, "[services.web]"),
    Refused(Nftables, "nft -f", _ELEMENT, "[services.web]"),
    Refused(Iptables, "iptables-legacy-restore", _PORTS, "[services.web]"),
    Refused(Iptables, "iptables-nft-restore", _PORTS, "[services.web]"),
    Refused(Keepalived, "keepalived -t", substitute("persistence_timeout 300", "persistence_timeout x")),
    Refused(Host, "sh -n", substitute("^set -eu$", "set -eu; if")),
    Refused(Host, "systemd-analyze verify", substitute("^Type=.*", "Type=never")),
)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.checker)
def test_a_programs_complaint_is_shown_where_the_line_comes_from(
    case: Refused, broken: Break, project: Project
) -> None:
    asked = next(each for each in CHECKERS if each.name == case.checker)
    if reason := asked.why_not():
        pytest.skip(reason)
    broken(case.backend, case.change)
    if case.backend is Host:
        outcome = verify(project, text=spec())
    else:
        outcome = verify(project, "--backend", case.backend.name)
    assert outcome.code == 1
    said = f"error[LVS704]: `{case.checker}` does not take"
    errors = [text for text in outcome.err.split("\n\n") if said in text]
    assert errors, outcome.err
    if case.table is not None:
        numbers = {int(found) for error in errors for found in re.findall(r"--> a\.toml:(\d+):", error)}
        assert numbers <= set(lines_of(case.table))
        assert all("written for it" in error for error in errors)


def test_errors_of_a_spec_stop_only_that_spec(project: Project) -> None:
    names = project.write("bad.toml", WRONG), project.write("a.toml", RED_HAT)
    outcome = project.lvsc("verify", "--no-programs", *names)
    assert outcome.code == 1
    assert "--> bad.toml:" in outcome.err
    assert "red-hat/lvs1/etc/lvsc/nftables.nft: read back" in outcome.out


def test_strict_lets_no_warning_pass(project: Project) -> None:
    warned = spec({"services": {"web": {"ports": ["tcp/80", "tcp/443"], "check": "none"}}})
    assert verify(project, "--no-programs", text=warned).code == 0
    assert verify(project, "--no-programs", "--strict", text=warned).code == 1


def test_the_json_document_fits_its_schema(broken: Break, project: Project) -> None:
    document = verify(project, "--no-programs", "--format", "json").fits("verify")
    (one,) = document["specs"]
    judged = {(file["host"], file["path"]): file["judged_by"] for file in one["files"]}
    assert judged["lvs2", "/etc/lvsc/nftables.nft"] == ["read back", "equal to iptables"]
    broken(Nftables, substitute("0x00000050", "0x00000051"))
    document = verify(project, "--no-programs", "--format", "json").fits("verify")
    assert {"LVS701", "LVS703"} == {found["code"] for found in document["diagnostics"]}


def test_a_comment_for_a_pull_request_begins_with_the_verdict_and_is_the_same_every_time(
    project: Project,
) -> None:
    first = verify(project, "--no-programs", "--format", "markdown")
    assert first.out.startswith("<!-- lvsc:verify -->\n### `lvsc verify`: ")
    assert "no errors" in first.out.splitlines()[1]
    assert first.err == ""
    assert verify(project, "--no-programs", "--format", "markdown") == first


@pytest.mark.parametrize("form", ["markdown", "github", "sarif"])
def test_errors_have_the_exit_code_1_in_every_form(form: str, broken: Break, project: Project) -> None:
    broken(Nftables, substitute("0x00000050", "0x00000051"))
    outcome = verify(project, "--no-programs", "--format", form)
    assert outcome.code == 1
    assert "LVS701" in outcome.out
    assert outcome.err == ""


def test_nothing_is_written(project: Project) -> None:
    verify(project)
    assert [path.name for path in project.root.iterdir()] == ["a.toml"]


def test_a_fault_of_every_host_is_told_once_with_the_hosts(broken: Break, project: Project) -> None:
    broken(Nftables, substitute("0x00000050", "0x00000051"))
    faults = verify(project, "--no-programs", "--format", "json").fits("verify")["diagnostics"]
    readings = [fault for fault in faults if fault["code"] == "LVS701"]
    assert len(readings) == len({fault["message"] for fault in readings})
    assert all("the same is wrong on `lvs2`" in fault["notes"] for fault in readings)
    assert not any("red-hat/lvs2" in fault["message"] for fault in readings)


def test_a_fault_of_one_host_is_told_of_that_host(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    sound = Nftables.emit

    def emit(self: Nftables, part: HostPart) -> Emission:
        emission = sound(self, part)
        if part.host == "lvs1":
            return emission
        change = substitute("0x00000050", "0x00000051")
        artifacts = tuple(replace(a, lines=tuple(change(list(a.lines)))) for a in emission.artifacts)
        return replace(emission, artifacts=artifacts)

    monkeypatch.setattr(Nftables, "emit", emit)
    faults = verify(project, "--no-programs", "--format", "json").fits("verify")["diagnostics"]
    assert faults
    assert not any("the same is wrong" in note for fault in faults for note in fault["notes"])
    assert not any("lvs1" in fault["message"] for fault in faults)


def test_two_specs_of_one_name_are_kept_apart(broken: Break, project: Project) -> None:
    broken(Nftables, lambda lines: [*lines, Line("nonsense")])
    two = [project.write(f"{name}.toml", RED_HAT.replace("weight = 2", f"weight = {name}")) for name in "34"]
    outcome = project.lvsc("verify", *two, "--no-programs")
    listed = [line.partition(": ")[0] for line in outcome.out.splitlines()]
    assert len(listed) == len(set(listed))
    for name in two:
        assert f"{name}:red-hat/lvs1/etc/lvsc/nftables.nft: read back" in outcome.out
        assert f"{name}:red-hat/lvs1/etc/lvsc/nftables.nft" in outcome.err
    alone = project.lvsc("verify", two[0], "--no-programs")
    assert alone.out.startswith("red-hat/")
