"""Which keepalived a node needs beyond the oldest target's, 1.3.5."""

from collections.abc import Iterator

from lvsc.plugin import (
    AddressSelector,
    ConnectionSync,
    DnsProbe,
    Family,
    Feature,
    HealthCheck,
    HttpProbe,
    MarkSelector,
    Need,
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
    TunnelType,
    UdpProbe,
    VirtualService,
    VrrpInstance,
)
from lvsc_keepalived.quote import is_plain_command

_SCHEDULERS = {
    Scheduler.FO: Feature.KEEPALIVED_SCHED_FO,
    Scheduler.OVF: Feature.KEEPALIVED_SCHED_OVF,
    Scheduler.MH: Feature.KEEPALIVED_SCHED_MH,
    Scheduler.TWOS: Feature.KEEPALIVED_SCHED_TWOS,
}
_FLAGS = {
    SchedulerFlag.SH_FALLBACK: Feature.KEEPALIVED_SH_FLAGS,
    SchedulerFlag.SH_PORT: Feature.KEEPALIVED_SH_FLAGS,
    SchedulerFlag.MH_FALLBACK: Feature.KEEPALIVED_MH_FLAGS,
    SchedulerFlag.MH_PORT: Feature.KEEPALIVED_MH_FLAGS,
}
#: The widest weight of releases before KEEPALIVED_LARGE_WEIGHT (check_parser.c, rs_weight_handler).
_SMALL_WEIGHT = 65535
#: DNS record types that came later than the others (check_dns.c, DNS_TYPE).
SIGNATURES = frozenset({"RRSIG", "DNSKEY"})


def needs(node: Node) -> Iterator[Need]:
    """The features without which the target's keepalived does not do what the node says, and where the spec says it."""
    match node:
        case VirtualService():
            yield from _service(node)
        case RealServer():
            yield from _forwarding(node)
            if node.weight > _SMALL_WEIGHT:
                yield Need(Feature.KEEPALIVED_LARGE_WEIGHT, node.at("weight"))
        case SorryServer():
            yield from _forwarding(node)
        case HealthCheck():
            yield from _check(node)
        case Quorum():
            yield from _command(node, node.up, "notify", "quorum_up")
            yield from _command(node, node.down, "notify", "quorum_down")
        case TrackScript():
            yield from _command(node, node.command, "command")
        case SyncGroup():
            for state in ("master", "backup", "fault", "stop"):
                yield from _command(node, getattr(node, state), "notify", state)
            if node.stop is not None and len(node.instances) > 1:
                yield Need(Feature.KEEPALIVED_GROUP_STOP, node.at("notify", "stop"))
        case ConnectionSync():
            if node.instance is None:
                yield Need(Feature.KEEPALIVED_SYNC_BOTH, node.origin)
        case VrrpInstance():
            yield from _time(node, node.preempt_delay, "preempt_delay")
        case _:
            pass


def _service(node: VirtualService) -> Iterator[Need]:
    if node.scheduler in _SCHEDULERS:
        yield Need(_SCHEDULERS[node.scheduler], node.at("scheduler"))
    for flag in node.flags:
        yield Need(_FLAGS[flag], node.at("scheduler_flags"))
    by_mark = isinstance(node.selector, MarkSelector)
    if isinstance(node.selector, AddressSelector) and node.selector.protocol is Protocol.SCTP:
        yield Need(Feature.KEEPALIVED_SCTP, node.at("ports"))
    if node.one_packet:
        feature = Feature.KEEPALIVED_OPS_MARK if by_mark else Feature.KEEPALIVED_OPS
        yield Need(feature, node.at("one_packet"))
    if node.persistence is not None:
        if node.persistence.engine is not None:
            yield Need(Feature.KEEPALIVED_PERSISTENCE_ENGINE, node.at("persistence_engine"))
        narrowed = node.persistence.prefix_length != node.selector.family.bits
        if narrowed and (by_mark or node.selector.family is Family.IPV4):
            yield Need(Feature.KEEPALIVED_PERSISTENCE_PREFIX, node.at("persistence_granularity"))


def _forwarding(node: RealServer | SorryServer) -> Iterator[Need]:
    if Family.of(node.address) is not node.selector.family:
        yield Need(Feature.KEEPALIVED_MIXED_FAMILIES, node.at("ip"))
    if node.tunnel is not None and node.tunnel.type is not TunnelType.IPIP:
        yield Need(Feature.KEEPALIVED_TUNNEL_TYPES, node.at("tunnel", "type"))


def _check(node: HealthCheck) -> Iterator[Need]:
    for key in ("interval", "timeout", "delay_before_retry"):
        yield from _time(node, getattr(node, key), key)
    yield from _command(node, node.up, "notify", "up")
    yield from _command(node, node.down, "notify", "down")
    match node.probe:
        case HttpProbe() as http:
            if len(http.status) > 1 or any(low != high for low, high in http.status):
                yield Need(Feature.KEEPALIVED_STATUS_RANGES, node.at("status"))
            if http.regex is not None:
                yield Need(Feature.KEEPALIVED_HTTP_REGEX, node.at("regex"))
            if http.sni:
                yield Need(Feature.KEEPALIVED_HTTP_SNI, node.at("sni"))
            if http.http_version != "1.0":
                yield Need(Feature.KEEPALIVED_HTTP_PROTOCOL, node.at("http_version"))
        case DnsProbe(record=record):
            if node.retries:
                yield Need(Feature.KEEPALIVED_DNS_RETRY_DELAY, node.at("retries"))
            if record in SIGNATURES:
                yield Need(Feature.KEEPALIVED_DNS_SIGNATURES, node.at("record"))
        case UdpProbe(payload=payload, reply=reply):
            yield Need(Feature.KEEPALIVED_UDP_CHECK, node.at("type"))
            for key, text in (("payload", payload), ("reply", reply)):
                if text is not None:
                    yield Need(Feature.KEEPALIVED_UDP_PAYLOAD, node.at(key))
        case PingProbe():
            yield Need(Feature.KEEPALIVED_PING_CHECK, node.at("type"))
        case ScriptProbe(command=command):
            yield from _command(node, command, "command")
            if node.retries:
                yield Need(Feature.KEEPALIVED_SCRIPT_RETRY, node.at("retries"))
        case _:
            pass


def _time(node: Node, value: float, key: str) -> Iterator[Need]:
    if value % 1:
        yield Need(Feature.KEEPALIVED_DECIMAL_TIMERS, node.at(key))


def _command(node: Node, command: str | None, *keys: str) -> Iterator[Need]:
    if command is not None and not is_plain_command(command):
        yield Need(Feature.KEEPALIVED_QUOTED_COMMANDS, node.at(*keys))
