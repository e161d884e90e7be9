"""What holds for every command: exit codes, streams, colour, JSON, and what stops a command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tomli_w

from lvsc import __version__, cli
from lvsc.commands import schema as schema_command
from support.cli import Project
from support.specs import MINIMAL, merged, spec

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "red-hat.toml")
#: A service without persistence over two ports: it compiles with a warning.
SUSPICIOUS = spec({"services": {"web": {"ports": ["tcp/80", "tcp/443"], "check": "none"}}})
WRONG = spec({"services": {"web": {"pool": "wep"}}})
RESET = "\x1b[0m"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lvsc", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def test_version(project: Project) -> None:
    outcome = project.lvsc("--version")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"lvsc {__version__}\n", "")


def test_help_names_every_command_and_the_exit_codes(project: Project) -> None:
    outcome = project.lvsc("--help")
    assert outcome.code == 0
    for name, line in cli.COMMANDS.items():
        assert f"{name:<9} {line}" in outcome.out
    assert "Exit codes: 0 fine, 1 the specs have errors, 2 wrong usage or trouble." in outcome.out


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_each_command_has_help(command: str, project: Project) -> None:
    outcome = project.lvsc(command, "--help")
    assert outcome.code == 0
    assert outcome.out.startswith(f"usage: lvsc {command} ")
    assert cli.COMMANDS[command][1:] in " ".join(outcome.out.split())
    assert "--format" in outcome.out


def test_without_a_command_the_help_goes_to_stderr(project: Project) -> None:
    outcome = project.lvsc()
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: lvsc")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("chek", "a.toml"), "there is no command `chek`: did you mean `check`?"),
        (("frobnicate",), "there is no command `frobnicate`: `lvsc --help` lists them"),
        (("check",), "the following arguments are required: SPEC"),
        (("check", "--no-such"), "SPEC"),
        (("check", "a.toml", "--targ", "debian12"), "unrecognized arguments: --targ"),
        (("check", "a.toml", "--format", "yaml"), "invalid choice: 'yaml'"),
        (("check", "a.toml", "--target"), "expected one argument"),
        (("show", "a.toml", "b.toml"), "unrecognized arguments: b.toml"),
        (("build", "a.toml", "--check", "--stdout"), "not allowed with argument"),
        (("explain",), "SPEC|CODE"),
        (("init", "a.toml", "b.toml"), "unrecognized arguments: b.toml"),
        (("--no-such",), "unrecognized arguments: --no-such"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_says_what_is_wrong(words: tuple[str, ...], said: str, project: Project) -> None:
    outcome = project.lvsc(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: lvsc")
    assert said in outcome.err


def test_options_may_stand_between_other_arguments(project: Project) -> None:
    first, second = project.write("a.toml", spec()), project.write("b.toml", spec())
    outcome = project.lvsc("diff", first, "--host", "lvs1", second)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("no packet is treated differently")


@pytest.mark.parametrize(
    ("words", "environment", "coloured"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ((), {"FORCE_COLOR": ""}, False),
        (("--color", "always"), {}, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        (("--color", "auto"), {"FORCE_COLOR": "1"}, True),
        (("--color", "always", "--format", "json"), {}, False),
    ],
    ids=lambda value: " ".join(value) or "unsaid" if isinstance(value, tuple) else None,
)
def test_colour(
    words: tuple[str, ...],
    environment: dict[str, str],
    coloured: bool,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    outcome = project.lvsc("check", project.write("a.toml", WRONG), *words)
    assert outcome.code == 1
    assert (RESET in outcome.out + outcome.err) is coloured


@pytest.mark.parametrize("command", ["check", "show", "build", "explain"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.toml", "No such file or directory"), (".", "Is a directory")],
    ids=["missing", "directory"],
)
def test_a_spec_that_cannot_be_read(command: str, name: str, reason: str, project: Project) -> None:
    outcome = project.lvsc(command, name)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error[LVS010]: `{name}` cannot be read: {reason}\n")


@pytest.mark.parametrize("command", ["check", "show", "build", "explain"])
def test_a_spec_that_is_not_text(command: str, project: Project) -> None:
    (project.root / "a.toml").write_bytes(b"[cluster]\nname = '\xff'\n")
    outcome = project.lvsc(command, "a.toml")
    assert (outcome.code, outcome.out) == (1, "")
    assert "--> a.toml:2:9" in outcome.err


@pytest.mark.parametrize("command", ["check", "show", "build", "explain"])
def test_errors_go_to_stderr_with_their_place(command: str, project: Project) -> None:
    outcome = project.lvsc(command, project.write("a.toml", WRONG))
    line = next(n for n, text in enumerate(WRONG.splitlines(), start=1) if '"wep"' in text)
    assert (outcome.code, outcome.out) == (1, "")
    assert f"--> a.toml:{line}:8" in outcome.err
    assert "did you mean `web`?" in outcome.err


@pytest.mark.parametrize("command", ["check", "show", "build", "explain"])
def test_errors_as_json_go_to_stdout(command: str, project: Project) -> None:
    outcome = project.lvsc(command, project.write("a.toml", WRONG), "--format", "json")
    document = outcome.fits("diagnostics")
    assert outcome.code == 1
    assert [found["code"] for found in document["diagnostics"]] == ["LVS201"]
    assert document["summary"] == {"errors": 1, "warnings": 0, "notes": 0}


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (("check", EXAMPLE), "diagnostics"),
        (("build", EXAMPLE), "build"),
        (("build", EXAMPLE, "--check"), "build"),
        (("build", EXAMPLE, "--stdout"), "build"),
        (("show", EXAMPLE), "show"),
        (("explain", EXAMPLE), "explain"),
        (("explain", EXAMPLE, "web"), "explain"),
        (("explain", EXAMPLE, "wep"), "explain"),
        (("explain", "LVS010"), "explain"),
        (("init",), "init"),
        (("init", "new.toml"), "init"),
        (("init", "--target", "debain12"), "diagnostics"),
        (("targets",), "targets"),
        (("targets", "rhel9"), "targets"),
        (("targets", "rhle9"), "diagnostics"),
        (("backends",), "backends"),
    ],
    ids=lambda value: " ".join(Path(word).name for word in value) if isinstance(value, tuple) else None,
)
def test_json_is_one_document_that_fits_its_schema(
    words: tuple[str, ...], schema: str, project: Project
) -> None:
    document = project.lvsc(*words, "--format", "json").fits(schema)
    assert document["format_version"] == 1


@pytest.mark.parametrize("command", ["show", "explain", "check", "build"])
def test_warnings_are_in_the_json_document(command: str, project: Project) -> None:
    outcome = project.lvsc(command, project.write("a.toml", SUSPICIOUS), "--format", "json")
    assert outcome.code == 0
    assert [found["code"] for found in outcome.json["diagnostics"]] == ["LVS407"]


@pytest.mark.parametrize("command", ["show", "explain", "check", "build"])
def test_warnings_go_to_stderr_and_the_result_to_stdout(command: str, project: Project) -> None:
    outcome = project.lvsc(command, project.write("a.toml", SUSPICIOUS))
    assert outcome.code == 0
    assert outcome.err.startswith("warning[LVS407]")
    assert "LVS407" not in outcome.out


def test_target_and_backend_override_the_spec(project: Project) -> None:
    name = project.write("a.toml", spec())
    outcome = project.lvsc("explain", name, "--target", "rhel9", "--backend", "iptables", "--format", "json")
    document = outcome.fits("explain")
    assert document["target"] == "rhel9"
    assert "iptables" in document["backends"]
    assert "nftables" not in document["backends"]


@pytest.mark.parametrize("command", ["check", "show", "build", "explain"])
def test_an_unknown_target_of_the_command_line(command: str, project: Project) -> None:
    outcome = project.lvsc(command, project.write("a.toml", spec()), "--target", "debian21")
    assert (outcome.code, outcome.out) == (2, "")
    assert "there is no target `debian21`" in outcome.err
    assert "did you mean `debian1" in outcome.err


def test_ctrl_c_is_130(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(schema_command, "run", interrupt)
    outcome = project.lvsc("schema")
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "lvsc: interrupted\n")


#: Runs the program as its script does, and presses Ctrl-C when it imports a module.
INTERRUPTED = """
import sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
from lvsc.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("module", ["lvsc.cli", "argparse", "lvsc.commands.schema", "lvsc.spec.schema"])
def test_ctrl_c_while_something_is_imported_is_130(module: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(module=module), "schema"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "lvsc: interrupted\n")


def test_a_defect_is_2_and_shows_where(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("something unforeseen")

    monkeypatch.setattr(schema_command, "run", fail)
    outcome = project.lvsc("schema")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("lvsc: internal error: please report it\nTraceback")
    assert outcome.err.endswith("RuntimeError: something unforeseen\n")


def test_a_system_error_is_2_and_names_the_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise PermissionError(13, "Permission denied", "some/file")

    monkeypatch.setattr(schema_command, "run", fail)
    outcome = project.lvsc("schema")
    assert (outcome.code, outcome.err) == (2, "lvsc: error: Permission denied: some/file\n")


def test_a_reader_that_goes_away_is_2_without_a_word(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(schema_command, "run", fail)
    outcome = project.lvsc("schema")
    assert (outcome.code, outcome.out, outcome.err) == (2, "", "")


def test_a_stream_that_takes_nothing_is_led_to_nowhere(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        outcome = project.lvsc("init")
        full.write("what is written on exit is no further error")
    assert (outcome.code, outcome.err) == (2, "lvsc: error: No space left on device\n")


def test_a_reader_that_goes_away_is_no_noise() -> None:
    writer = subprocess.Popen(
        [sys.executable, "-m", "lvsc", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.close()
    with writer.stderr:
        assert writer.stderr.read() == ""
    assert writer.wait(timeout=60) == 2


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_full_device_is_2(stream: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lvsc", *(("schema",) if stream == "stdout" else ("check", EXAMPLE))],
            stdout=full if stream == "stdout" else subprocess.PIPE,
            stderr=full if stream == "stderr" else subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    if stream == "stdout":
        assert done.stderr == "lvsc: error: No space left on device\n"


@pytest.mark.parametrize(
    ("command", "stream", "code", "said"),
    [
        pytest.param("schema", 1, 2, "lvsc: error: Bad file descriptor\n", id="nowhere-for-the-result"),
        pytest.param("check", 0, 0, "1 spec checked: no errors\n", id="nothing-to-read"),
        pytest.param("check", 1, 0, "1 spec checked: no errors\n", id="no-result"),
        pytest.param("schema", 2, 0, "", id="nothing-to-say"),
        pytest.param("check", 2, 0, "", id="nowhere-to-say-it"),
    ],
)
def test_a_closed_stream_is_no_internal_error(command: str, stream: int, code: int, said: str) -> None:
    words = [sys.executable, "-m", "lvsc", command, *([EXAMPLE] if command == "check" else [])]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {stream}>&-', "sh", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, said)


def test_a_spec_of_a_closed_standard_input_cannot_be_read() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "lvsc", "check", "-"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error[LVS010]: `-` cannot be read: Bad file descriptor\n")


#: What a run loads that has no use for it costs every run.
HEAVY = {
    "jsonschema",
    "jsonschema_rs",
    "tree_sitter",
    "tomli_w",
    "hypothesis",
    "importlib.metadata",
    "pluggy",
    "difflib",
}


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (("--version",), set()),
        (("--help",), set()),
        (("init",), set()),
        (("targets",), set()),
        (("check", EXAMPLE), {"jsonschema_rs", "importlib.metadata", "pluggy"}),
        (("explain", EXAMPLE), {"jsonschema_rs", "importlib.metadata", "pluggy"}),
        (("show", EXAMPLE), {"jsonschema_rs", "importlib.metadata", "pluggy", "tomli_w"}),
    ],
    ids=lambda value: " ".join(Path(word).name for word in value) if isinstance(value, tuple) else None,
)
def test_heavy_modules_are_loaded_only_where_they_are_used(words: tuple[str, ...], loaded: set[str]) -> None:
    script = (
        f"import sys; from lvsc.cli import main; main({list(words)!r}); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert HEAVY & set(done.stderr.split()) <= loaded


def test_the_order_of_keys_changes_nothing(project: Project) -> None:
    def backwards(value: object) -> object:
        if isinstance(value, dict):
            return {key: backwards(value[key]) for key in reversed(value)}
        return value

    document = merged(MINIMAL)
    project.write("a.toml", tomli_w.dumps(document))
    turned = backwards(document)
    assert isinstance(turned, dict)
    project.write("b.toml", tomli_w.dumps(turned))
    for words in (("explain",), ("build", "--stdout")):
        command, *options = words
        assert project.lvsc(command, "a.toml", *options).out == project.lvsc(command, "b.toml", *options).out


@pytest.mark.parametrize("terminal", ["out", "err"])
def test_each_stream_is_coloured_only_where_it_is_a_terminal(
    project: Project, monkeypatch: pytest.MonkeyPatch, terminal: str
) -> None:
    old = (Path(__file__).parents[2] / "examples/red-hat.toml").read_text()
    project.write("old.toml", old)
    project.write(
        "new.toml",
        old.replace('"tcp/443"', '"tcp/444"')
        + "\n[addresses.idle]\nnetwork = 'public'\nip = ['192.0.2.11']\n",
    )
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(f"sys.std{terminal}.isatty", lambda: True)
    outcome = project.lvsc("diff", "old.toml", "new.toml")
    assert "LVS405" in outcome.err
    assert [RESET in outcome.out, RESET in outcome.err] == [terminal == "out", terminal == "err"]


def test_a_missing_secret_is_said_at_its_key(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VRRP_PASSWORD", raising=False)
    outcome = project.lvsc("build", str(ROOT / "examples" / "secret.toml"))
    assert outcome.code == 2
    assert 'password = { env = "VRRP_PASSWORD" }' in outcome.err
    assert " ^^^" in outcome.err
