"""Short ways to follow packets in tests."""

from lvsc.compare.sides import Side, of_compiled
from lvsc.compile import Compiled
from lvsc.trace.asked import parse
from lvsc.trace.follow import trace
from lvsc.trace.known import Known
from lvsc.trace.result import Course, Step, Trace
from support.specs import FILE, compile_text


def side(text: str) -> tuple[Side, Compiled]:
    """The side of a spec's text."""
    compiled = compile_text(text)
    return of_compiled(FILE, compiled), compiled


def traced(text: str, packet: str) -> Trace:
    """The packet's ways through the directors of a spec."""
    found, compiled = side(text)
    return trace(found, parse(packet), Known.of_cluster(compiled.cluster))


def course(text: str, packet: str) -> Course:
    """The packet's way, which must be the same on each director."""
    (way,) = traced(text, packet).ways
    return way.course


def said(step: Step) -> str:
    """A step in one line: `INPUT ipvs: ... | the last line of evidence`."""
    hook = "-" if step.hook is None else step.hook.value.upper()
    line = f" | {step.evidence[-1].text}" if step.evidence else ""
    return f"{hook} {step.handler.value}: {step.what}{line}"
