"""Pools, their real servers and health checks: from tables to the model."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from lvsc.diagnostics import Origin, Place
from lvsc.graph.nodes import (
    DnsProbe,
    FailureAction,
    Forwarding,
    HttpProbe,
    PingProbe,
    Probe,
    ScriptProbe,
    SmtpProbe,
    TcpProbe,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    UdpProbe,
)
from lvsc.graph.traffic import Address
from lvsc.spec import model_codes as codes
from lvsc.spec.model import Check, NoCheck, Notify, Pool, PoolServer, SorryHost
from lvsc.spec.table import Table

DEFAULT_STATUS = ((200, 299),)
#: What a real server takes from its pool.
_FROM_POOL = ("forwarding", "tunnel", "target", "interface", "managed")


def load_pools(tables: Mapping[str, Table], forwarding: Forwarding) -> dict[str, Pool]:
    """The pools by name; `forwarding` is the cluster's."""
    return {name: _pool(name, table, forwarding) for name, table in tables.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Defaults:
    """What a real server takes from its pool."""

    forwarding: Forwarding
    tunnel: Tunnel | None
    said_at: tuple[tuple[str, Origin], ...]
    """Where its pool says it."""
    target: str | None
    interface: str | None
    managed: bool


def _pool(name: str, table: Table, cluster_forwarding: Forwarding) -> Pool:
    forwarding = load_forwarding(table) or cluster_forwarding
    tunnel_table = table.table("tunnel")
    defaults = _Defaults(
        forwarding=forwarding,
        tunnel=_tunnel(tunnel_table) if tunnel_table else None,
        said_at=tuple((key, table.origin(key)) for key in _FROM_POOL if key in table),
        target=table.text("target"),
        interface=table.text("interface"),
        managed=table.boolean("managed") is not False,
    )
    servers = tuple(_real_server(entry, defaults) for entry in table.tables("real_servers"))
    _report_twice(servers, table)
    sorry_table = table.table("sorry_server")
    sorry = _sorry_server(sorry_table, defaults) if sorry_table else None
    methods = {server.forwarding for server in servers} | ({sorry.forwarding} if sorry else set())
    if tunnel_table and Forwarding.TUNNEL not in methods:
        table.problems.append(
            codes.KEYS.at(
                Place(table.origin("tunnel")),
                "`tunnel` does nothing here: no real server is reached by `tunnel`",
                help='set `forwarding = "tunnel"`, or remove the key',
            )
        )
    notify = table.table("notify")
    if table.integer("hysteresis") and table.integer("quorum") is None:
        table.problems.append(
            codes.KEYS.at(
                table.origin("hysteresis"), "`hysteresis` needs a `quorum`", help="say the `quorum` too"
            )
        )
    return Pool(
        name=name,
        real_servers=servers,
        check=load_check(table),
        on_failure=FailureAction(table.text("on_failure") or "remove"),
        quorum=table.integer("quorum"),
        hysteresis=table.integer("hysteresis") or 0,
        sorry_server=sorry,
        notify=Notify(
            up=notify.text("up"),
            down=notify.text("down"),
            quorum_up=notify.text("quorum_up"),
            quorum_down=notify.text("quorum_down"),
        )
        if notify
        else Notify(),
        origin=table.origin(),
        said_at=tuple((key, table.origin(key)) for key in ("on_failure", "notify")),
    )


def load_forwarding(table: Table) -> Forwarding | None:
    """The forwarding method that a table says."""
    word = table.text("forwarding")
    return Forwarding(word) if word else None


def _real_server(table: Table, pool: _Defaults) -> PoolServer:
    forwarding = load_forwarding(table) or pool.forwarding
    upper = table.integer("upper_threshold") or 0
    lower = table.integer("lower_threshold") or 0
    if lower and lower >= (upper or 1):
        table.problems.append(
            codes.KEYS.at(
                table.origin("lower_threshold"),
                "`lower_threshold` is not below `upper_threshold`"
                if upper
                else "`lower_threshold` needs an `upper_threshold`",
                help="new connections stop above the upper threshold and come again below the lower one",
            )
        )
    drained = table.boolean("drained") is True
    weight = table.integer("weight")
    managed = table.boolean("managed")
    return PoolServer(
        name=table.text("name") or "",
        ips=_one_a_family(table),
        port=table.integer("port"),
        weight=0 if drained else 1 if weight is None else weight,
        upper_threshold=upper,
        lower_threshold=lower,
        forwarding=forwarding,
        tunnel=_own_tunnel(table, pool, forwarding),
        disabled=table.boolean("disabled") is True,
        target=table.text("target") or pool.target,
        interface=table.text("interface") or pool.interface,
        managed=pool.managed if managed is None else managed,
        origin=table.origin(),
        said_at=tuple((key, origin) for key, origin in pool.said_at if key not in table),
    )


def _own_tunnel(table: Table, pool: _Defaults, forwarding: Forwarding) -> Tunnel | None:
    own = table.table("tunnel")
    if forwarding is Forwarding.TUNNEL:
        return _tunnel(own) if own else pool.tunnel or Tunnel()
    if own:
        table.problems.append(
            codes.KEYS.at(
                table.origin("tunnel"),
                f"`tunnel` does nothing here: the real server is reached by `{forwarding.value}`",
                help='set `forwarding = "tunnel"`, or remove the key',
            )
        )
    return None


def _tunnel(table: Table) -> Tunnel:
    kind = TunnelType(table.text("type") or "ipip")
    checksum = TunnelChecksum(table.text("checksum") or "none")
    port = table.integer("port")
    if kind is TunnelType.GUE and port is None:
        table.problems.append(
            codes.KEYS.at(
                table.origin(),
                "a gue tunnel needs a `port`",
                help="the real server unwraps at a UDP port: say which",
            )
        )
    if kind is not TunnelType.GUE and port is not None:
        table.problems.append(
            codes.KEYS.at(
                table.origin("port"),
                f"`{kind.value}` has no port",
                help='remove `port`, or set `type = "gue"`',
            )
        )
    fitting = {
        TunnelType.IPIP: (TunnelChecksum.NONE,),
        TunnelType.GRE: (TunnelChecksum.NONE, TunnelChecksum.FULL),
        TunnelType.GUE: tuple(TunnelChecksum),
    }[kind]
    if checksum not in fitting:
        table.problems.append(
            codes.KEYS.at(
                table.origin("checksum"),
                f"`{kind.value}` has no checksum of type `{checksum.value}`",
                help=f"it can have: {', '.join(c.value for c in fitting)}",
            )
        )
    return Tunnel(type=kind, port=port, checksum=checksum)


def _sorry_server(table: Table, pool: _Defaults) -> SorryHost:
    forwarding = load_forwarding(table) or pool.forwarding
    return SorryHost(
        ips=_one_a_family(table),
        port=table.integer("port"),
        forwarding=forwarding,
        tunnel=(pool.tunnel or Tunnel()) if forwarding is Forwarding.TUNNEL else None,
        origin=table.origin(),
        said_at=tuple((key, origin) for key, origin in pool.said_at if key not in table),
    )


def _one_a_family(table: Table) -> tuple[Address, ...]:
    ips = table.addresses("ip")
    if len({ip.version for ip in ips}) < len(ips):
        table.problems.append(
            codes.TWICE.at(
                table.origin("ip"),
                "two addresses of one family",
                help="a real server has one IPv4 and one IPv6 address at most: give each further address a name of its own",
            )
        )
    return ips


def _report_twice(servers: tuple[PoolServer, ...], table: Table) -> None:
    names: dict[str, PoolServer] = {}
    addresses: dict[Address, PoolServer] = {}
    for server in servers:
        earlier = names.setdefault(server.name, server)
        if earlier is not server and earlier.port == server.port:
            table.problems.append(
                codes.TWICE.at(
                    Place(table.origin(*server.origin.path[2:], "name")),
                    f"real server `{server.name}` is in this pool twice",
                    others=[Place(earlier.origin, label="first here")],
                    help="remove one of the two, or give it its own name",
                )
            )
            continue
        for ip in server.ips:
            other = addresses.setdefault(ip, server)
            if other.name != server.name:
                table.problems.append(
                    codes.TWICE.at(
                        server.origin / "ip",
                        f"real servers `{other.name}` and `{server.name}` have the same address `{ip}`",
                        others=[Place(other.origin / "ip", label="first here")],
                        help="correct one of the two; one host has one name, also where it serves on two ports",
                    )
                )


def load_check(table: Table) -> Check | NoCheck | None:
    """The check that a pool or a service says: None where it says nothing."""
    if table.text("check") is not None:
        return NoCheck(table.origin("check"))
    check = table.table("check")
    if check is None:
        return None
    return Check(
        probe=_probe(check),
        port=check.integer("port"),
        interval=_seconds(check, "interval", 5, low=0.1),
        timeout=_seconds(check, "timeout", 3, low=0.1),
        retries=_or(check.integer("retries"), 1),
        delay_before_retry=_seconds(check, "delay_before_retry", 1),
        origin=check.origin(),
    )


def _seconds(table: Table, key: str, default: float, low: float = 0) -> float:
    value = table.seconds(key, low=low, high=86400)
    return default if value is None else value


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _probe(table: Table) -> Probe:
    kind = table.text("type")
    if kind in ("http", "https"):
        return _http_probe(table, tls=kind == "https")
    if kind == "smtp":
        return SmtpProbe(helo=table.text("helo"))
    if kind == "dns":
        return DnsProbe(record=table.text("record") or "SOA", name=table.text("name") or ".")
    if kind == "udp":
        return _udp_probe(table)
    if kind == "ping":
        return PingProbe()
    if kind == "script":
        return ScriptProbe(command=table.text("command") or "")
    return TcpProbe()


def _http_probe(table: Table, *, tls: bool) -> HttpProbe:
    host = table.text("virtual_host")
    sni = table.boolean("sni") is True
    if sni and host is None:
        table.problems.append(
            codes.KEYS.at(
                table.origin("sni"), "`sni` needs a `virtual_host`", help="say whose name to ask for"
            )
        )
    if table.text("digest") and table.text("regex"):
        table.problems.append(
            codes.KEYS.at(
                table.origin("regex"),
                "`digest` and `regex` both judge the body",
                help="remove one of the two",
            )
        )
    _report_unbalanced(table)
    return HttpProbe(
        tls=tls,
        path=table.text("path") or "/",
        status=_status(table),
        digest=table.text("digest"),
        regex=table.text("regex"),
        virtual_host=host,
        sni=sni,
        http_version=table.text("http_version") or "1.0",
    )


def _report_unbalanced(table: Table) -> None:
    """Report a parenthesis too many or too few, where Python reads the expression as PCRE2 does."""
    regex = table.text("regex") or ""
    if "[:" in regex:  # a class of PCRE2's, which Python takes for letters
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(regex)
    except re.error as error:
        # Whatever else Python does not know may well be PCRE2's.
        if error.msg in ("missing ), unterminated subpattern", "unbalanced parenthesis"):
            table.problems.append(
                codes.REGEX.at(
                    table.origin("regex"),
                    f"the regular expression `{regex}` has an unbalanced parenthesis",
                    help="write `\\(` or `\\)` where a parenthesis itself is meant",
                )
            )
    except (OverflowError, RecursionError):
        return


def _status(table: Table) -> tuple[tuple[int, int], ...]:
    ranges: list[tuple[int, int]] = []
    for index, item in enumerate(table.items("status")):
        first, _, last = str(item).partition("-")
        low, high = int(first), int(last or first)
        if low > high:
            table.problems.append(
                codes.KEYS.at(
                    table.origin("status", index),
                    f"`{item}` is not a range",
                    help=f'put the lower one first: "{high}-{low}"',
                )
            )
        else:
            ranges.append((low, high))
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged) or DEFAULT_STATUS


def _udp_probe(table: Table) -> UdpProbe:
    required = table.boolean("require_reply") is True
    reply = table.text("reply")
    if reply is not None and not required:
        table.problems.append(
            codes.KEYS.at(
                table.origin("reply"),
                "`reply` needs `require_reply = true`",
                help="say `require_reply`, or remove `reply`",
            )
        )
    return UdpProbe(payload=table.text("payload"), require_reply=required, reply=reply)
