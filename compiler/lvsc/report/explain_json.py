"""Explanations as JSON for programs, as `lvsc_schemas` describes in `explain.schema.json`."""

from collections.abc import Mapping
from typing import Any

from lvsc.diagnostics import Code
from lvsc.lowering.lowered import LoweredService
from lvsc.report import FORMAT_VERSION
from lvsc.report.explanation import Detail, Explanation, Probing
from lvsc.report.passages import Passage
from lvsc.spec.model import PoolServer, Service, served


def code_document(code: Code) -> dict[str, Any]:
    """A code."""
    return {
        "format_version": FORMAT_VERSION,
        "code": code.id,
        "severity": code.severity.value,
        "title": code.title,
        "explanation": code.explanation,
    }


def explanation_result(explanation: Explanation) -> dict[str, Any]:
    """What an explanation's document has beside the diagnostics."""
    cluster = explanation.cluster
    return {
        "cluster": cluster.name,
        "target": cluster.target,
        "backends": list(explanation.backends),
        "services": [_service(lowered) for lowered in explanation.services],
        "detail": None if explanation.detail is None else _detail(explanation.detail),
        "firewall": None if cluster.firewall is None else cluster.firewall.value,
        "passages": [_passage(passage) for passage in explanation.passages],
    }


def _service(lowered: LoweredService) -> dict[str, Any]:
    service, timeout = lowered.service, lowered.plan.persistence
    persistence = None
    if timeout is not None:
        persistence = {
            "timeout": timeout,
            "prefix_lengths": {
                f"ipv{family.value}": length for family, length in service.granularity.items()
            },
            "engine": service.persistence_engine,
        }
    return {
        "name": service.name,
        "kind": service.kind,
        "addresses": [str(ip) for family in service.families for ip in service.ips(family)],
        "ports": [str(port) for port in lowered.ports],
        "mark": lowered.mark,
        "mark_derived": lowered.derived,
        "reasons": list(lowered.reasons),
        "kind_reasons": list(lowered.plan.reasons),
        "scheduler": service.scheduler.value,
        "scheduler_flags": [flag.value for flag in service.scheduler_flags],
        "persistence": persistence,
        "one_packet": service.one_packet,
        "pool": service.pool.name,
        "on_failure": service.pool.on_failure.value,
        "real_servers": [_server(server, service) for server in service.pool.real_servers],
    }


def _server(server: PoolServer, service: Service) -> dict[str, Any]:
    return {
        "name": server.name,
        "addresses": [str(ip) for ip in server.ips],
        "families": []
        if server.disabled
        else [f"ipv{family.value}" for family in served(server, service.families)],
        "port": server.port,
        "forwarding": server.forwarding.value,
        "tunnel": None if server.tunnel is None else server.tunnel.type.value,
        "weight": server.weight,
        "disabled": server.disabled,
        "managed": server.managed,
    }


def _detail(detail: Detail) -> dict[str, Any]:
    return {
        "check": None if detail.probing is None else _probing(detail.probing),
        "ways": [
            {
                "directors": list(way.directors),
                "stops": [{"hook": stop.hook.value, "what": stop.what} for stop in way.stops],
            }
            for way in detail.ways
        ],
        "preparations": [
            {"hosts": list(each.hosts), "managed": each.managed, "needs": list(each.needs)}
            for each in detail.preparations
        ],
        "files": [
            {
                "hosts": list(excerpt.hosts),
                "path": excerpt.path,
                "lines": [{"number": number, "text": text} for number, text in excerpt.lines],
            }
            for excerpt in detail.excerpts
        ],
    }


def _probing(probing: Probing) -> Mapping[str, Any]:
    return {
        "type": probing.type,
        "asks": probing.asks,
        "ports": list(probing.ports),
        "interval": probing.interval,
        "timeout": probing.timeout,
        "retries": probing.retries,
        "delay_before_retry": probing.delay_before_retry,
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "chain": passage.chain.value,
        "protocol": passage.protocol,
        "sources": [str(network) for network in passage.sources],
        "source_ports": [str(ports) for ports in passage.source_ports],
        "destinations": [str(network) for network in passage.destinations],
        "destination_ports": [str(ports) for ports in passage.destination_ports],
        "network": passage.network,
        "states": list(passage.states),
        "service": passage.service,
        "why": passage.why,
        "emitted": passage.emitted,
    }
