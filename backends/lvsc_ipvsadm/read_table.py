"""Lines of a table, each as the node that it says. What an option means is taken from ipvsadm(8)."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

from lvsc.plugin import (
    Address,
    AddressSelector,
    Family,
    Forwarding,
    MarkSelector,
    Origin,
    Persistence,
    Protocol,
    RealServer,
    Scheduler,
    SchedulerFlag,
    Selector,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    VirtualService,
    shown,
)
from lvsc_ipvsadm import read_codes
from lvsc_ipvsadm.read_words import MisreadError, Options, number, place, refused

ADD_SERVICE = frozenset({"-A", "--add-service"})
ADD_SERVER = frozenset({"-a", "--add-server"})

_LISTENERS = {
    "-t": Protocol.TCP,
    "--tcp-service": Protocol.TCP,
    "-u": Protocol.UDP,
    "--udp-service": Protocol.UDP,
    "--sctp-service": Protocol.SCTP,
}
_MARKS = frozenset({"-f", "--fwmark-service"})
_SIX = frozenset({"-6", "--ipv6"})
_SERVICE = {
    "-s": "scheduler",
    "--scheduler": "scheduler",
    "-p": "persistent",
    "--persistent": "persistent",
    "-M": "netmask",
    "--netmask": "netmask",
    "--pe": "engine",
    "-o": "one-packet",
    "--ops": "one-packet",
    "-b": "flags",
    "--sched-flags": "flags",
}
_SERVICE_VALUES = frozenset({"scheduler", "persistent", "netmask", "engine", "flags"})
_SERVER = {
    "-r": "server",
    "--real-server": "server",
    "-g": "direct",
    "--gatewaying": "direct",
    "-i": "tunnel",
    "--ipip": "tunnel",
    "-m": "nat",
    "--masquerading": "nat",
    "-w": "weight",
    "--weight": "weight",
    "-x": "upper",
    "--u-threshold": "upper",
    "-y": "lower",
    "--l-threshold": "lower",
    "--tun-type": "type",
    "--tun-port": "port",
    "--tun-nocsum": "no checksum",
    "--tun-csum": "checksum",
    "--tun-remcsum": "remote checksum",
}
_SERVER_VALUES = frozenset({"server", "weight", "upper", "lower", "type", "port"})
_CHECKSUMS = {
    "no checksum": TunnelChecksum.NONE,
    "checksum": TunnelChecksum.FULL,
    "remote checksum": TunnelChecksum.REMOTE,
}
_TYPES = {"ipip": TunnelType.IPIP, "gue": TunnelType.GUE, "gre": TunnelType.GRE}
#: Which checksums each type of tunnel has.
_KNOWN = {
    TunnelType.IPIP: frozenset({TunnelChecksum.NONE}),
    TunnelType.GUE: frozenset(TunnelChecksum),
    TunnelType.GRE: frozenset({TunnelChecksum.NONE, TunnelChecksum.FULL}),
}
_SCHEDULERS = {scheduler.value: scheduler for scheduler in Scheduler}
#: What a scheduler's flags are called, each also by the number of its bit.
_FLAGS = {
    Scheduler.SH: {
        "sh-fallback": SchedulerFlag.SH_FALLBACK,
        "flag-1": SchedulerFlag.SH_FALLBACK,
        "sh-port": SchedulerFlag.SH_PORT,
        "flag-2": SchedulerFlag.SH_PORT,
    },
    Scheduler.MH: {
        "mh-fallback": SchedulerFlag.MH_FALLBACK,
        "flag-1": SchedulerFlag.MH_FALLBACK,
        "mh-port": SchedulerFlag.MH_PORT,
        "flag-2": SchedulerFlag.MH_PORT,
    },
}
_FLAG_ORDER = tuple(SchedulerFlag)
_LONGEST = 31 * 24 * 60 * 60
_LARGEST = 2**31 - 1


def selector_of(words: Sequence[str]) -> tuple[Selector, int]:
    """The service that a line is about, and how many words say it.

    Raises:
        MisreadError: it names none.
    """
    kind = words[1] if len(words) > 1 else ""
    if kind in _MARKS:
        six = len(words) > 3 and words[3] in _SIX  # noqa: PLR2004 - the word behind the mark
        family = Family.IPV6 if six else Family.IPV4
        return MarkSelector(number(words, 2, "a mark", 1, _LARGEST), family), 4 if six else 3
    protocol = _LISTENERS.get(kind)
    if protocol is None:
        message = f"`{shown(kind)}` is no kind of virtual service"
        raise MisreadError(read_codes.OPTION, 1, message, "begin with `-t`, `-u`, `--sctp-service` or `-f`")
    return AddressSelector(protocol, *place(words, 2)), 3


def label(selector: Selector) -> str:
    """What a service is called whose name in the spec is not said: as comparisons call it, which take it for no name."""
    match selector:
        case MarkSelector(mark, family):
            return f"mark {mark}" if family is Family.IPV4 else f"mark {mark} over IPv6"
        case AddressSelector(protocol, address, 0):
            return f"{protocol.value} {address}, any port"
        case AddressSelector(protocol, address, port):
            where = f"[{address}]" if address.version == Family.IPV6.value else str(address)
            return f"{protocol.value} {where}:{port}"


def service_of(
    words: Sequence[str], start: int, selector: Selector, host: str, origin: Origin
) -> VirtualService:
    """The virtual service that a line's words say from `start` on.

    Raises:
        MisreadError: they say none.
    """
    options = Options(words, start, _SERVICE, _SERVICE_VALUES)
    said = options.text("scheduler")
    scheduler = Scheduler.WLC if said is None else _SCHEDULERS.get(said)
    if scheduler is None:
        raise refused(options.at("scheduler") + 1, "a scheduler", said or "", "name one of ipvsadm(8)")
    persistence = _persistence(options, selector.family)
    if isinstance(selector, AddressSelector):
        if not selector.port and persistence is None:
            message = "a service on every port is persistent, and this one is not"
            raise MisreadError(read_codes.VALUE, 2, message, "say `-p`")
        if "one-packet" in options and selector.protocol is not Protocol.UDP:
            message = "one-packet scheduling is for UDP"
            raise MisreadError(read_codes.VALUE, options.at("one-packet"), message, "remove it")
    return VirtualService(
        host=host,
        origin=origin,
        selector=selector,
        service=label(selector),
        scheduler=scheduler,
        flags=_flags(options, scheduler),
        persistence=persistence,
        one_packet="one-packet" in options,
    )


def _persistence(options: Options, family: Family) -> Persistence | None:
    if "persistent" not in options:
        for name in ("netmask", "engine"):
            if name in options:
                message = f"`{options.words[options.at(name)]}` does nothing without `-p`"
                raise MisreadError(read_codes.VALUE, options.at(name), message, "say `-p`, or remove it")
        return None
    # Bare, its manual says 300 seconds and its source 360.
    timeout = options.number("persistent", "a number of seconds", 1, _LONGEST, 0)
    length = family.bits
    mask = options.text("netmask")
    if mask is not None:
        at = options.at("netmask") + 1
        length = _length(mask, at) if family is Family.IPV4 else number(options.words, at, "a length", 1, 128)
    engine = options.text("engine")
    if engine not in (None, "sip"):
        raise refused(options.at("engine") + 1, "a persistence engine", engine or "", "the kernel has `sip`")
    return Persistence(timeout=timeout, prefix_length=length, engine=engine)


def _length(mask: str, at: int) -> int:
    """The length of the prefix that an IPv4 mask leaves."""
    try:
        inverse = ~int(IPv4Address(mask)) & 0xFFFFFFFF
    except ValueError:
        inverse = 1 << 1  # no mask either
    if inverse & (inverse + 1):
        raise refused(at, "a mask of leading bits", mask, "write it as 255.255.255.0")
    return IPv4Network((0, 32)).max_prefixlen - inverse.bit_length()


def _flags(options: Options, scheduler: Scheduler) -> tuple[SchedulerFlag, ...]:
    said = options.text("flags")
    if said is None:
        return ()
    known = _FLAGS.get(scheduler, {})
    found = [known.get(word) for word in said.split(",")]
    flags = tuple(flag for flag in _FLAG_ORDER if flag in found)
    if None in found or len(flags) != len(found):
        what = f"a list of flags of the scheduler {scheduler.value}"
        raise refused(options.at("flags") + 1, what, said, "remove the others, and say each once")
    return flags


def server_of(words: Sequence[str], start: int, selector: Selector, host: str, origin: Origin) -> RealServer:
    """The real server that a line's words say from `start` on.

    Raises:
        MisreadError: they say none, or one that ipvsadm would change.
    """
    options = Options(words, start, _SERVER, _SERVER_VALUES)
    if "server" not in options:
        raise MisreadError(read_codes.LINE, 0, "the line names no real server", "say `-r`")
    at = options.at("server") + 1
    address, port = place(words, at)
    methods = [method for method in Forwarding if method.value in options]
    if len(methods) > 1:
        message = "two forwarding methods are said"
        raise MisreadError(read_codes.OPTION, options.at(methods[1].value), message, "remove one of the two")
    forwarding = methods[0] if methods else Forwarding.DIRECT
    _check_place(at, selector, address, port, forwarding)
    upper = options.number("upper", "a threshold", 0, _LARGEST, 0)
    lower = options.number("lower", "a threshold", 0, _LARGEST, 0)
    if lower > upper:
        message = "the lower threshold is above the upper one, which the kernel refuses"
        raise MisreadError(read_codes.VALUE, options.at("lower") + 1, message, "lower it")
    return RealServer(
        host=host,
        origin=origin,
        selector=selector,
        name=str(address),
        address=address,
        port=port,
        forwarding=forwarding,
        tunnel=_tunnel(options, forwarding),
        weight=options.number("weight", "a weight", 0, 65535, 1),
        upper_threshold=upper,
        lower_threshold=lower,
    )


def _check_place(at: int, selector: Selector, address: Address, port: int, forwarding: Forwarding) -> None:
    kept = selector.port if isinstance(selector, AddressSelector) else 0
    if forwarding is Forwarding.NAT:
        if kept and not port:
            message = "the real server has no port, and its service has one"
            raise MisreadError(read_codes.VALUE, at, message, f"say port {kept}")
    elif port != kept:
        message = f"packets go to port {kept}, whatever is said here"
        raise MisreadError(read_codes.VALUE, at, message, f"say port {kept}")
    if forwarding is not Forwarding.TUNNEL and Family.of(address) is not selector.family:
        message = "the real server is of another address family than its service"
        raise MisreadError(read_codes.VALUE, at, message, "forward by a tunnel")


def _tunnel(options: Options, forwarding: Forwarding) -> Tunnel | None:
    said = [name for name in ("type", "port", *_CHECKSUMS) if name in options]
    if forwarding is not Forwarding.TUNNEL:
        if said:
            message = "only the forwarding method `-i` has a tunnel"
            raise MisreadError(read_codes.OPTION, options.at(said[0]), message, "remove the tunnel's options")
        return None
    word = options.text("type")
    kind = TunnelType.IPIP if word is None else _TYPES.get(word)
    if kind is None:
        raise refused(options.at("type") + 1, "a type of tunnel", word or "", "name one of ipvsadm(8)")
    checksums = [name for name in said if name in _CHECKSUMS]
    if len(checksums) > 1:
        message = "two kinds of checksum are said"
        raise MisreadError(read_codes.OPTION, options.at(checksums[1]), message, "remove one of the two")
    checksum = _CHECKSUMS[checksums[0]] if checksums else TunnelChecksum.NONE
    if checksum not in _KNOWN[kind] or (checksums and kind is TunnelType.IPIP):
        message = f"a tunnel of type {kind.value} has no such checksum"
        raise MisreadError(read_codes.OPTION, options.at(checksums[0]), message, "remove it")
    if (kind is TunnelType.GUE) is not ("port" in options):
        message = "a tunnel of type gue has a port, and no other one has"
        raise MisreadError(
            read_codes.OPTION, options.at("port" if "port" in options else "type"), message, "correct it"
        )
    port = options.number("port", "a port", 1, 65535, 0)
    return Tunnel(type=kind, port=port or None, checksum=checksum)
