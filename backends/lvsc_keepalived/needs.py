"""Which keepalived or kernel a node needs beyond the oldest target's: keepalived 1.3.5, Linux 3.10."""

from collections.abc import Iterator

from lvsc.plugin import (
    AddressSelector,
    ConnectionSync,
    DnsProbe,
    Family,
    Feature,
    Forwarding,
    HealthCheck,
    HttpProbe,
    MarkSelector,
    Node,
    PingProbe,
    Protocol,
    Quorum,
    RealServer,
    Scheduler,
    SchedulerFlag,
    ScriptProbe,
    SorryServer,
    SyncGroup,
    TrackScript,
    TunnelChecksum,
    TunnelType,
    UdpProbe,
    VirtualService,
    VrrpInstance,
)
from lvsc_keepalived.quote import is_plain_command

_SCHEDULERS = {
    Scheduler.FO: (Feature.KEEPALIVED_SCHED_FO, Feature.KERNEL_SCHED_FO),
    Scheduler.OVF: (Feature.KEEPALIVED_SCHED_OVF, Feature.KERNEL_SCHED_OVF),
    Scheduler.MH: (Feature.KEEPALIVED_SCHED_MH, Feature.KERNEL_SCHED_MH),
    Scheduler.TWOS: (Feature.KEEPALIVED_SCHED_TWOS, Feature.KERNEL_SCHED_TWOS),
}
_FLAGS = {
    SchedulerFlag.SH_FALLBACK: (Feature.KEEPALIVED_SH_FLAGS, Feature.KERNEL_SH_FLAGS),
    SchedulerFlag.SH_PORT: (Feature.KEEPALIVED_SH_FLAGS, Feature.KERNEL_SH_FLAGS),
    SchedulerFlag.MH_FALLBACK: (Feature.KEEPALIVED_MH_FLAGS,),
    SchedulerFlag.MH_PORT: (Feature.KEEPALIVED_MH_FLAGS,),
}
_TUNNELS = {TunnelType.GUE: Feature.KERNEL_TUNNEL_GUE, TunnelType.GRE: Feature.KERNEL_TUNNEL_GRE}
#: The widest weight of releases before KEEPALIVED_LARGE_WEIGHT (check_parser.c, rs_weight_handler).
_SMALL_WEIGHT = 65535
#: DNS record types that came later than the others (check_dns.c, DNS_TYPE).
SIGNATURES = frozenset({"RRSIG", "DNSKEY"})


def needs(node: Node) -> Iterator[Feature]:
    """The features without which the target's keepalived or kernel does not do what the node says."""
    match node:
        case VirtualService():
            yield from _service(node)
        case RealServer():
            yield from _forwarding(node)
            if node.weight > _SMALL_WEIGHT:
                yield Feature.KEEPALIVED_LARGE_WEIGHT
        case SorryServer():
            yield from _forwarding(node)
        case HealthCheck():
            yield from _check(node)
        case Quorum():
            yield from _commands(node.up, node.down)
        case TrackScript():
            yield from _commands(node.command)
        case SyncGroup():
            yield from _commands(node.master, node.backup, node.fault, node.stop)
            if node.stop is not None and len(node.instances) > 1:
                yield Feature.KEEPALIVED_GROUP_STOP
        case ConnectionSync():
            if node.instance is None:
                yield Feature.KEEPALIVED_SYNC_BOTH
            if any(value is not None for value in (node.max_length, node.port, node.ttl, node.group)):
                yield Feature.KERNEL_SYNC_PARAMETERS
        case VrrpInstance():
            yield from _times(node.preempt_delay)
        case _:
            pass


def _service(node: VirtualService) -> Iterator[Feature]:
    yield from _SCHEDULERS.get(node.scheduler, ())
    for flag in node.flags:
        yield from _FLAGS[flag]
    by_mark = isinstance(node.selector, MarkSelector)
    if isinstance(node.selector, AddressSelector) and node.selector.protocol is Protocol.SCTP:
        yield Feature.KEEPALIVED_SCTP
    if node.one_packet:
        yield Feature.KEEPALIVED_OPS_MARK if by_mark else Feature.KEEPALIVED_OPS
    if node.persistence is not None:
        if node.persistence.engine is not None:
            yield Feature.KEEPALIVED_PERSISTENCE_ENGINE
        narrowed = node.persistence.prefix_length != node.selector.family.bits
        if narrowed and (by_mark or node.selector.family is Family.IPV4):
            yield Feature.KEEPALIVED_PERSISTENCE_PREFIX


def _forwarding(node: RealServer | SorryServer) -> Iterator[Feature]:
    if Family.of(node.address) is not node.selector.family:
        yield Feature.KEEPALIVED_MIXED_FAMILIES
        yield Feature.KERNEL_MIXED_FAMILIES
    tunnel = node.tunnel
    if node.forwarding is Forwarding.TUNNEL and tunnel is not None and tunnel.type in _TUNNELS:
        yield Feature.KEEPALIVED_TUNNEL_TYPES
        yield _TUNNELS[tunnel.type]
        if tunnel.type is TunnelType.GUE and tunnel.checksum is not TunnelChecksum.NONE:
            yield Feature.KERNEL_TUNNEL_GUE_CHECKSUM


def _check(node: HealthCheck) -> Iterator[Feature]:
    yield from _times(node.interval, node.timeout, node.delay_before_retry)
    yield from _commands(node.up, node.down)
    match node.probe:
        case HttpProbe() as http:
            if len(http.status) > 1 or any(low != high for low, high in http.status):
                yield Feature.KEEPALIVED_STATUS_RANGES
            if http.regex is not None:
                yield Feature.KEEPALIVED_HTTP_REGEX
            if http.sni:
                yield Feature.KEEPALIVED_HTTP_SNI
            if http.http_version != "1.0":
                yield Feature.KEEPALIVED_HTTP_PROTOCOL
        case DnsProbe(record=record):
            if node.retries:
                yield Feature.KEEPALIVED_DNS_RETRY_DELAY
            if record in SIGNATURES:
                yield Feature.KEEPALIVED_DNS_SIGNATURES
        case UdpProbe(payload=payload, reply=reply):
            yield Feature.KEEPALIVED_UDP_CHECK
            if payload is not None or reply is not None:
                yield Feature.KEEPALIVED_UDP_PAYLOAD
        case PingProbe():
            yield Feature.KEEPALIVED_PING_CHECK
        case ScriptProbe(command=command):
            yield from _commands(command)
            if node.retries:
                yield Feature.KEEPALIVED_SCRIPT_RETRY
        case _:
            pass


def _times(*values: float) -> Iterator[Feature]:
    if any(value % 1 for value in values):
        yield Feature.KEEPALIVED_DECIMAL_TIMERS


def _commands(*commands: str | None) -> Iterator[Feature]:
    if any(command is not None and not is_plain_command(command) for command in commands):
        yield Feature.KEEPALIVED_QUOTED_COMMANDS
