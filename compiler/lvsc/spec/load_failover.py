"""Failover, connection synchronisation, timeouts, tuning and mail: from tables to the model."""

from collections.abc import Collection
from ipaddress import ip_address
from typing import TypeVar

from lvsc.diagnostics import Anchor, Place
from lvsc.graph.nodes import Authentication, AuthenticationType
from lvsc.graph.traffic import Address
from lvsc.secrets import SecretRef, SecretSource
from lvsc.spec import model_codes as codes
from lvsc.spec.model import (
    EmailSettings,
    ExternalFailover,
    SyncSettings,
    TimeoutSettings,
    TrackCommand,
    Tuning,
    Vrrp,
)
from lvsc.spec.schema.failover import SYNC_GROUP, SYNC_PORT, SYNC_TTL
from lvsc.spec.table import Table

T = TypeVar("T")

#: keepalived.conf(5): only the first eight characters of auth_pass are used.
VRRP_PASSWORD_LENGTH = 8
#: RFC 5798, 5.2.7: the interval is 12 bits of hundredths of a second.
MAX_INTERVAL = {2: 255.0, 3: 40.95}
_STATES = ("master", "backup", "fault", "stop")


def load_failover(table: Table, networks: Collection[str]) -> Vrrp | ExternalFailover:
    """How the virtual addresses move."""
    if table.text("method") == "external":
        return ExternalFailover(origin=table.origin())
    version = table.integer("version") or 3
    interval = table.seconds("advertisement_interval", low=0.01, high=MAX_INTERVAL[version])
    if version == 2 and interval is not None and interval != int(interval):  # noqa: PLR2004 - VRRP's version 2
        table.problems.append(
            codes.DURATION.at(
                table.origin("advertisement_interval"),
                "VRRP version 2 counts whole seconds",
                help="round the interval to seconds, or use version 3",
            )
        )
    preempt = table.boolean("preempt") is not False
    preempt_delay = table.seconds("preempt_delay", high=1000) or 0
    if preempt_delay and not preempt:
        table.problems.append(
            codes.KEYS.at(
                table.origin("preempt_delay"),
                "`preempt_delay` needs `preempt`",
                help="remove it, or set `preempt = true`",
            )
        )
    for index, name in enumerate(table.texts("track_interfaces")):
        require_name(table, name, networks, "network", "track_interfaces", index)
    notify = table.table("notify")
    return Vrrp(
        version=version,
        virtual_router_id=table.integer("virtual_router_id") or 0,
        advertisement_interval=1 if interval is None else interval,
        preempt=preempt,
        preempt_delay=preempt_delay,
        unicast=table.boolean("unicast") is True,
        authentication=_authentication(table, version),
        track_interfaces=table.texts("track_interfaces"),
        track_scripts=_track_scripts(table),
        notify={state: command for state in _STATES if notify and (command := notify.text(state))},
        origin=table.origin(),
    )


def require_name(
    table: Table,
    name: str,
    known: Collection[str],
    what: str,
    *steps: str | int,
    anchor: Anchor = Anchor.VALUE,
) -> bool:
    """Whether a name is known; where it is not, that is reported with the nearest one that is.

    The anchor says whether the name is the value or the key at the end of the steps.
    """
    if name in known:
        return True
    from lvsc.diagnostics import nearest  # noqa: PLC0415 - only mistakes pay for it

    near = nearest(name, known)
    there = ", ".join(f"`{n}`" for n in sorted(known)[:8]) or "none at all"
    table.problems.append(
        codes.NAME.at(
            Place(table.origin(*steps), anchor),
            f"there is no {what} `{name}`",
            help=f"did you mean `{near}`?" if near else f"there are: {there}",
            replacement=(near if anchor is Anchor.KEY else f'"{near}"') if near else None,
        )
    )
    return False


def _authentication(table: Table, version: int) -> Authentication | None:
    auth = table.table("authentication")
    if auth is None:
        return None
    if version != 2:  # noqa: PLR2004 - VRRP's version 2
        table.problems.append(
            codes.KEYS.at(
                Place(table.origin("authentication"), Anchor.KEY),
                f"VRRP version {version} has no authentication",
                help="set `version = 2` (IPv4 only), or remove `authentication` (RFC 5798, section 9)",
            )
        )
    password = auth.table("password")
    if password is None or len(list(password)) != 1:
        return None
    variable, file = password.text("env"), password.text("file")
    source = SecretSource.ENVIRONMENT if variable else SecretSource.FILE
    return Authentication(
        type=AuthenticationType(auth.text("type") or "pass"),
        password=SecretRef(source, variable or file or "", VRRP_PASSWORD_LENGTH, auth.origin("password")),
    )


def _track_scripts(table: Table) -> tuple[TrackCommand, ...]:
    scripts: dict[str, TrackCommand] = {}
    for entry in table.tables("track_scripts"):
        name = entry.text("name") or ""
        script = TrackCommand(
            name=name,
            command=entry.text("command") or "",
            interval=entry.whole_seconds("interval", low=1, high=86400) or 2,
            timeout=entry.whole_seconds("timeout", low=1, high=86400) or 2,
            rise=entry.integer("rise") or 2,
            fall=entry.integer("fall") or 2,
            origin=entry.origin(),
        )
        if name in scripts:
            table.problems.append(
                codes.TWICE.at(
                    entry.origin("name"),
                    f"there are two track scripts `{name}`",
                    others=[Place(scripts[name].origin, label="first here")],
                    help="give each a name of its own",
                )
            )
        scripts[name] = script
    return tuple(scripts.values())


def load_sync(table: Table, networks: Collection[str]) -> SyncSettings | None:
    """Connection synchronisation."""
    network = table.text("network") or ""
    known = require_name(table, network, networks, "network", "network")
    group = table.address("group")
    if group is not None and not group.is_multicast:
        table.problems.append(
            codes.KEYS.at(
                table.origin("group"),
                f"`{group}` is not a multicast address",
                help='use one of 224.0.0.0/4 or ff00::/8, such as "224.0.0.81"',
            )
        )
    if not known:
        return None
    return SyncSettings(
        network=network,
        id=table.integer("id") or 0,
        max_length=table.integer("max_length"),
        port=_unless(SYNC_PORT, table.integer("port")),
        ttl=_unless(SYNC_TTL, table.integer("ttl")),
        group=_unless(ip_address(SYNC_GROUP), group),
        origin=table.origin(),
    )


def _unless(default: T, said: T | None) -> T | None:
    """What is said, or None where it is what holds anyway: older programs cannot be told it, and need not be."""
    return None if said == default else said


def load_timeouts(table: Table) -> TimeoutSettings:
    """IPVS's timeouts."""
    # ipvsadm(8) and ip_vs_ctl.c: a timeout in jiffies must fit in an int, which 31 days do on every kernel.
    longest = 2678400
    return TimeoutSettings(
        tcp=table.whole_seconds("tcp", 1, longest) or 0,
        tcp_fin=table.whole_seconds("tcp_fin", 1, longest) or 0,
        udp=table.whole_seconds("udp", 1, longest) or 0,
        origin=table.origin(),
    )


def load_tuning(table: Table) -> Tuning:
    """The directors' kernel settings."""
    threshold = table.table("sync_threshold")
    pair: tuple[int, int] | None = None
    if threshold is not None:
        packets = threshold.integer("packets")
        pair = (3 if packets is None else packets, threshold.integer("period") or 50)
        if pair[0] >= pair[1]:
            table.problems.append(
                codes.KEYS.at(
                    threshold.origin("packets"),
                    f"`packets` is not below the period of {pair[1]}",
                    help="the kernel refuses a threshold that is not below its period",
                )
            )
    return Tuning(
        expire_nodest_conn=table.boolean("expire_nodest_conn"),
        expire_quiescent_template=table.boolean("expire_quiescent_template"),
        conn_reuse_mode=table.integer("conn_reuse_mode"),
        sloppy_tcp=table.boolean("sloppy_tcp"),
        sync_threshold=pair,
        connection_table_bits=table.integer("connection_table_bits"),
        conntrack_max=table.integer("conntrack_max"),
        conntrack_buckets=table.integer("conntrack_buckets"),
        origin=table.origin(),
    )


def load_email(table: Table) -> EmailSettings | None:
    """Who is told by mail."""
    server: Address | None = table.address("server")
    if server is None:
        return None
    return EmailSettings(
        sender=table.text("from") or "",
        recipients=table.texts("to"),
        server=server,
        port=table.integer("port") or 25,
        origin=table.origin(),
    )
