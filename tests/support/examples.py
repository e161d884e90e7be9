"""The examples, compiled once for each target and pair of backends however many tests ask."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lvsc import targets
from lvsc.compile import Compiled, Options, compile_spec
from lvsc.diagnostics import Diagnostic, DiagnosticError, Severity
from support.specs import plugins

ROOT = Path(__file__).parents[2]
FILES = {path.stem: path for path in sorted((ROOT / "examples").glob("*.toml"))}
EXAMPLES = tuple(FILES)
TARGETS = targets.names()
#: Packet filter and director; none stands for those that the example or its target says.
DEFAULT: tuple[str, ...] = ()
PAIRS = (
    ("iptables", "keepalived"),
    ("nftables", "keepalived"),
    ("iptables", "ipvsadm"),
    ("nftables", "ipvsadm"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What compiling an example for a target with some backends came to."""

    example: str
    target: str | None
    backends: tuple[str, ...]
    compiled: Compiled | None
    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        """`builds`, or the codes of the refusal."""
        if self.compiled is not None:
            return "builds"
        return ",".join(sorted({d.code.id for d in self.diagnostics if d.severity is Severity.ERROR}))

    @property
    def title(self) -> str:
        """The words that name it in a test's id or a report."""
        return (
            f"{self.example} on {self.target or 'its own target'} by {'+'.join(self.backends) or 'default'}"
        )


@cache
def text(example: str) -> str:
    """The example's text."""
    return FILES[example].read_text(encoding="utf-8")


@cache
def outcome(example: str, target: str | None = None, backends: tuple[str, ...] = DEFAULT) -> Outcome:
    """The outcome for a target, or for the example's own."""
    compiled: Compiled | None = None
    try:
        compiled = compile_spec(
            text(example), FILES[example].name, plugins(), Options(target=target, backends=backends)
        )
        diagnostics = compiled.diagnostics
    except DiagnosticError as error:
        diagnostics = error.diagnostics
    return Outcome(
        example=example, target=target, backends=backends, compiled=compiled, diagnostics=diagnostics
    )


def compiled(example: str, target: str | None = None, backends: tuple[str, ...] = DEFAULT) -> Compiled:
    """An example that builds there; an AssertionError says why it does not."""
    found = outcome(example, target, backends)
    assert found.compiled is not None, f"{found.title}: {found}"
    return found.compiled


def built(example: str, options: Options) -> Compiled:
    """An example that builds with what the command line would override."""
    return compiled(example, options.target, options.backends)
