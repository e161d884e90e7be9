"""A packet's way as text for people."""

import textwrap
from collections.abc import Iterable, Iterator

from lvsc.packets.words import listed
from lvsc.report.source_line import harmless
from lvsc.spec.table import describe_seconds
from lvsc.trace.result import Candidate, Evidence, FoundService, OpenQuestion, Step, Trace

_WIDTH = 96
_HOOK = 12
_HANDLER = 10


def render(trace: Trace) -> str:
    """The packet, and for each group of directors every step with the line of the file that decides it."""
    lines = [str(trace.asked)]
    for way in trace.ways:
        course = way.course
        lines += ["", *_wrapped(f"on {_and(way.directors)}: ", course.why, 2)]
        lines += _steps(course.steps)
        if course.service is not None:
            lines += ["", *_service(course.service)]
        if course.back:
            lines += ["", "  the way back", *_steps(course.back)]
        lines += _open(course.open_questions)
    # Lines of files are other people's text.
    return "".join(f"{harmless(line).rstrip()}\n" for line in lines)


def _steps(steps: Iterable[Step]) -> Iterator[str]:
    shown = None
    for step in steps:
        hook = "" if step.hook is None else step.hook.value.upper()
        first = "" if hook == shown else hook
        shown = hook
        head = f"  {first:<{_HOOK}} {step.handler.value:<{_HANDLER}}"
        yield from _wrapped(head, step.what, len(head))
        for evidence in step.evidence:
            yield from _line(evidence, " " * len(head))


def _line(evidence: Evidence, indent: str) -> Iterator[str]:
    """A line of a file as it is, never broken, so that it can be searched for."""
    yield f"{indent}{evidence.file}:{evidence.line}"
    yield f"{indent}  {evidence.text.expandtabs(4).strip()}"


def _service(service: FoundService) -> Iterator[str]:
    flags = "".join(f" {flag.value}" for flag in service.flags)
    yield from _wrapped(f"  service {service.name}: ", f"scheduler {service.scheduler.value}{flags}", 4)
    for candidate in service.candidates:
        yield from _candidate("may go to", candidate)
    for candidate in service.sorry:
        yield from _candidate("without quorum", candidate)
    tie = service.tie
    if tie is None:
        each = "each datagram" if service.one_packet else "each connection"
        yield f"    {each} is scheduled by itself"
        return
    length = describe_seconds(tie.persistence.timeout)
    by = f", told apart by {tie.persistence.engine}" if tie.persistence.engine else ""
    single = tie.clients.prefixlen == tie.clients.max_prefixlen
    who = f"client {tie.clients.network_address}" if single else f"all clients of {tie.clients}"
    what = f"{who}{by}: on one real server for {length} after the last connection, for {_and(tie.packets)}"
    yield from _wrapped("    persistence: ", what, 6)


def _candidate(word: str, candidate: Candidate) -> Iterator[str]:
    name = f"{candidate.name} " if candidate.name else ""
    end = f"[{candidate.address}]" if candidate.address.version == 6 else f"{candidate.address}"  # noqa: PLR2004 - IPv6
    method = candidate.forwarding.value
    if candidate.tunnel is not None:
        method = f"tunnel by {candidate.tunnel.value}"
    words = [f"{name}{end}:{candidate.port}", method, f"weight {candidate.weight}"]
    if candidate.drained:
        word = "drained"
        words.append("keeps the clients that it has, and gets no new one")
    if candidate.upper_threshold:
        words.append(f"at most {candidate.upper_threshold} connections")
    if candidate.source is not None:
        words.append(f"sees {candidate.source} as the client")
    yield from _wrapped(f"    {word}: ", ", ".join(words), 6)
    for evidence in candidate.evidence:
        yield f"      {evidence.file}:{evidence.line}  {evidence.text.expandtabs(4).strip()}"


def _open(questions: tuple[OpenQuestion, ...]) -> Iterator[str]:
    if questions:
        yield ""
        yield from _wrapped(
            "  unknown: ",
            "rules that are not lvsc's, or that it does not understand, may do otherwise with the packet",
            4,
        )
    for question in questions:
        where = f"{question.file}:{question.line}: " if question.line is not None else ""
        yield f"    {question.aspect.value}: {where}{question.text}"


def _and(words: Iterable[str]) -> str:
    *most, last = words
    return f"{listed(most)} and {last}" if most else last


def _wrapped(first: str, text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
