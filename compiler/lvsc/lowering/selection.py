"""Whether IPVS knows a service by a mark or by its address: decided here and nowhere else."""

from lvsc.graph.traffic import merge_ranges
from lvsc.lowering.loops import LoopGuard
from lvsc.lowering.plan import Plan, ServicePort
from lvsc.spec.model import Service


def normal_ports(plan: Plan) -> tuple[ServicePort, ...]:
    """The plan's ports sorted, disjoint, no two of a protocol touching."""
    return tuple(
        ServicePort(protocol, ports)
        for protocol in sorted({port.protocol for port in plan.ports})
        for ports in merge_ranges(port.ports for port in plan.ports if port.protocol is protocol)
    )


def mark_reasons(
    service: Service, plan: Plan, ports: tuple[ServicePort, ...], guard: LoopGuard
) -> tuple[str, ...]:
    """Why the service needs a mark; empty where its address will do."""
    reasons: list[str] = []
    if service.mark is not None:
        reasons.append(f"the spec says `mark = {service.mark}`")
    protocols = {port.protocol for port in ports}
    if len(protocols) > 1:
        reasons.append(f"it balances {len(protocols)} protocols, and an address service has one")
    elif len(ports) > 1 or not (ports[0].ports.single or ports[0].ports.all):
        reasons.append("it balances several ports, and an address service has one")
    elif ports[0].ports.all and plan.persistence is None:
        reasons.append("it balances all ports without persistence, which an address service cannot")
    if any(len(service.ips(family)) > 1 for family in service.families):
        reasons.append("it has several addresses of a family, and an address service has one")
    reasons.extend(plan.mark_reasons)
    if guard.macs:
        reasons.append(
            "packets that a peer director has balanced already must not be balanced again, and only marks see MACs"
        )
    return tuple(reasons)


def address_reason(ports: tuple[ServicePort, ...]) -> str:
    """Why a service is known by its address."""
    what = "all ports, with persistence," if ports[0].ports.all else "one port"
    return f"it balances {what} of one address a family, and nothing asks for a mark"
