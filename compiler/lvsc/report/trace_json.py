"""A packet's way as JSON for programs, as `lvsc_schemas` describes in `trace.schema.json`."""

from collections.abc import Iterable
from typing import Any

from lvsc.graph.nodes import MarkSelector, Selector
from lvsc.trace.asked import Asked
from lvsc.trace.result import Candidate, Course, Evidence, FoundService, OpenQuestion, Step, Tie, Trace


def trace_result(trace: Trace) -> dict[str, Any]:
    """What a trace's document has beside the diagnostics."""
    return {
        "packet": _packet(trace.asked),
        "ways": [{"directors": list(way.directors), **_course(way.course)} for way in trace.ways],
    }


def _packet(asked: Asked) -> dict[str, Any]:
    return {
        "text": str(asked),
        "protocol": asked.protocol.value,
        "source": str(asked.source),
        "source_port": asked.source_port,
        "destination": str(asked.destination),
        "destination_port": asked.destination_port,
        "interface": asked.interface,
        "source_mac": asked.source_mac,
        "mark": asked.mark,
    }


def _course(course: Course) -> dict[str, Any]:
    return {
        "fate": course.fate.value,
        "why": course.why,
        "mark": course.mark,
        "tracked": course.tracked,
        "helper": course.helper,
        "steps": [_step(step) for step in course.steps],
        "service": None if course.service is None else _service(course.service),
        "way_back": [_step(step) for step in course.back],
        "unknown": [_open(question) for question in course.open_questions],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "hook": None if step.hook is None else step.hook.value,
        "handler": step.handler.value,
        "what": step.what,
        "lines": _lines(step.evidence),
    }


def _lines(evidence: Iterable[Evidence]) -> list[dict[str, Any]]:
    return [
        {"file": each.file, "line": each.line, "text": each.text, "key_path": list(each.key_path)}
        for each in evidence
    ]


def _service(service: FoundService) -> dict[str, Any]:
    return {
        "name": service.name,
        "selector": _selector(service.selector),
        "found_by": service.by.value,
        "scheduler": service.scheduler.value,
        "scheduler_flags": [flag.value for flag in service.flags],
        "one_packet": service.one_packet,
        "persistence": None if service.tie is None else _tie(service.tie),
        "real_servers": [_candidate(candidate) for candidate in service.candidates],
        "sorry_servers": [_candidate(candidate) for candidate in service.sorry],
        "lines": _lines(service.evidence),
    }


def _selector(selector: Selector) -> dict[str, Any]:
    if isinstance(selector, MarkSelector):
        return {"mark": selector.mark, "family": f"ipv{selector.family.value}"}
    return {
        "protocol": selector.protocol.value,
        "address": str(selector.address),
        "port": selector.port,
    }


def _tie(tie: Tie) -> dict[str, Any]:
    return {
        "timeout": tie.persistence.timeout,
        "engine": tie.persistence.engine,
        "clients": str(tie.clients),
        "packets": list(tie.packets),
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "name": candidate.name or None,
        "address": str(candidate.address),
        "port": candidate.port,
        "forwarding": candidate.forwarding.value,
        "tunnel": None if candidate.tunnel is None else candidate.tunnel.value,
        "weight": candidate.weight,
        "drained": candidate.drained,
        "upper_threshold": candidate.upper_threshold,
        "source_becomes": None if candidate.source is None else str(candidate.source),
        "lines": _lines(candidate.evidence),
    }


def _open(question: OpenQuestion) -> dict[str, Any]:
    return {
        "question": question.aspect.value,
        "text": question.text,
        "file": question.file or None,
        "line": question.line,
    }
