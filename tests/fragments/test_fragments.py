"""The exact text that each backend makes of small specs, or the exact words of its refusal.

Each `NN-topic.txt` is a case: a spec that is merged over `base.toml`, and what comes of it, a section a backend. A text is
the part of the files that the spec decides: no head, no script, and of two directors only the first.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import tomli_w

from lvsc.compile import Compiled, EmittedFile, Options, compile_spec
from lvsc.diagnostics import DiagnosticError, Severity
from support.specs import FILE, key_path, merged, plugins

HERE = Path(__file__).parent
CASES = {path.stem: path for path in sorted(HERE.glob("*.txt"))}
COUNT = 39
BASE = tomllib.loads((HERE / "base.toml").read_text(encoding="utf-8"))
STALE = "run `pytest tests/fragments --update`, read the difference, and commit the result"

#: The first two have each backend once; the others are asked where one of these is refused, to tell which of the two it is.
PAIRS = (
    ("iptables", "keepalived"),
    ("nftables", "ipvsadm"),
    ("nftables", "keepalived"),
    ("iptables", "ipvsadm"),
)
BACKENDS = ("iptables", "nftables", "ipvsadm", "keepalived", "host", "vsftpd")
UNPAIRED = ("host", "vsftpd")
#: Where only these lines of a file come from the spec.
LINES = {
    "/etc/lvsc/addresses.sh": re.compile(r"^(?:address|device|gre|ip6gre|gue6?|ip6tnl0|rp_filter) [^)]*$"),
    "/etc/lvsc/ipvsadm.sh": re.compile(r'^\t(?:"\$ipvsadm" --set|start_daemon) .*$'),
}
#: What comes before the part of a file that the spec decides.
HEAD = re.compile(r"# Written by lvsc .*\n+(?:table inet lvsc\ndelete table inet lvsc\n+)?")
LEFT_OUT = re.compile(r".*/systemd/.*|.*/iptables\.sh")

Outcome = Compiled | DiagnosticError


@pytest.mark.parametrize("path", CASES.values(), ids=CASES)
def test_what_each_backend_makes_of_a_fragment(path: Path, update: bool) -> None:
    committed = path.read_text(encoding="utf-8")
    head, _, rest = committed.partition("--- spec\n")
    fragment = re.split(r"^--- ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    truth = head + "".join(f"--- {name}\n{text}" for name, text in sections(fragment))
    if update:
        path.write_text(truth, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == truth, STALE


def test_no_fragment_is_lost() -> None:
    assert len(CASES) == COUNT


def sections(fragment: str) -> Iterator[tuple[str, str]]:
    """The case's sections, each with its text."""
    yield "spec", fragment
    spec = tomli_w.dumps(merged(BASE, tomllib.loads(fragment)))
    outcomes = {pair: outcome(spec, pair) for pair in PAIRS[:2]}
    if any(isinstance(found, DiagnosticError) for found in outcomes.values()):
        outcomes |= {pair: outcome(spec, pair) for pair in PAIRS[2:]}
    warnings = {line: None for found in outcomes.values() for line in said(found, Severity.WARNING)}
    if warnings:
        yield "warnings", "".join(warnings)
    everywhere = refusals(outcomes.values())
    if everywhere:
        yield "every backend", "".join(everywhere)
    for backend in BACKENDS:
        own = [found for pair, found in outcomes.items() if backend in pair or backend in UNPAIRED]
        compiled = next((found for found in own if isinstance(found, Compiled)), None)
        if compiled is not None:
            text = "".join(parts(compiled, backend))
        else:
            text = "".join(line for line in refusals(own) if line not in everywhere)
        if text:
            yield backend, text


def outcome(spec: str, pair: tuple[str, str]) -> Outcome:
    """What compiling with a packet filter and a director comes to."""
    try:
        return compile_spec(spec, FILE, plugins(), Options(backends=pair))
    except DiagnosticError as error:
        return error


def refusals(outcomes: Iterable[Outcome]) -> list[str]:
    """What all the outcomes are refused for: so it is due to what they have in common."""
    first, *others = ([*dict.fromkeys(said(found, Severity.ERROR))] for found in outcomes)
    return [f"refused: {line}" for line in first if all(line in other for other in others)]


def said(found: Outcome, severity: Severity) -> Iterator[str]:
    """The code, place, message and help of each diagnostic of a severity."""
    for diagnostic in found.diagnostics:
        if diagnostic.severity is severity:
            advice = f"    help: {diagnostic.help}\n" if diagnostic.help else ""
            yield f"{diagnostic.code.id} at {key_path(diagnostic)}: {diagnostic.message}\n{advice}"


def parts(compiled: Compiled, backend: str) -> Iterator[str]:
    """The parts of a backend's files that the spec decides, each once under its first host and path."""
    shown = set()
    peers = {director.name for director in compiled.cluster.directors[1:]}
    for file in compiled.files:
        if file.backend != backend or file.host in peers or LEFT_OUT.fullmatch(file.artifact.path):
            continue
        text = part(file)
        if text and (file.artifact.path, text) not in shown:
            shown.add((file.artifact.path, text))
            yield f"# {file.host}:{file.artifact.path}\n{text}"


def part(file: EmittedFile) -> str:
    """The part of a file that the spec decides."""
    if pattern := LINES.get(file.artifact.path):
        return "".join(
            f"{found.text.lstrip()}\n" for found in file.artifact.lines if pattern.match(found.text)
        )
    return HEAD.sub("", file.artifact.text, count=1)
