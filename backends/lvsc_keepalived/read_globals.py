"""The block global_defs read (keepalived.conf(5), "GLOBAL CONFIGURATION"; global_parser.c)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lvsc.plugin import Address, ConnectionSync, EmailAlerts, Node, ScriptUser, Timeouts, VrrpInstance
from lvsc_keepalived import read_codes
from lvsc_keepalived.read_fields import Fields, Keywords, Report
from lvsc_keepalived.read_lines import Statement

_KNOWN = Keywords(
    "global_defs",
    (
        "router_id",
        "script_user",
        "enable_script_security",
        "lvs_timeouts",
        "lvs_sync_daemon",
        "notification_email",
        "notification_email_from",
        "smtp_server",
        "smtp_alert",
        "vrrp_version",
    ),
)
_MAX_TIMEOUT = 31 * 86400
_SYNC_WORDS = frozenset({"inst", "id", "maxlen", "port", "ttl", "group"})


@dataclass(slots=True)
class Sync:
    """What is said of connection synchronisation. Unsaid, its number is that of its VRRP instance."""

    statement: Statement
    interface: str
    instance: str | None = None
    sync_id: int | None = None
    max_length: int | None = None
    port: int | None = None
    ttl: int | None = None
    group: Address | None = None

    def node(self, report: Report, instances: Mapping[str, VrrpInstance]) -> ConnectionSync | None:
        """The node, or a problem where the instance is not in the file."""
        instance = None if self.instance is None else instances.get(self.instance)
        if self.instance is not None and instance is None:
            message = "connection synchronisation follows a VRRP instance that the file does not have"
            report.at(read_codes.STRUCTURE, self.statement, message, advice="name one of the file's")
            return None
        sync_id = self.sync_id
        if sync_id is None:
            sync_id = instance.router_id if instance is not None else 0
        return ConnectionSync(
            host=report.host,
            origin=report.origin(self.statement),
            interface=self.interface,
            instance=self.instance,
            sync_id=sync_id,
            max_length=self.max_length,
            port=self.port,
            ttl=self.ttl,
            group=self.group,
        )


@dataclass(slots=True)
class Globals:
    """What the block says of other blocks, as it is without one."""

    version: int = 2
    """The VRRP version of instances that say none."""
    alerts: bool | None = None
    """Whether changes of every kind are told by mail, None where each block says it for itself."""
    email: EmailAlerts | None = None
    email_at: Statement | None = None
    sync: Sync | None = None


def read_globals(report: Report, statement: Statement, found: Globals) -> Iterator[Node]:
    """The nodes of the block; what it says of other blocks goes to ``found``."""
    report.words(Statement(statement.words, statement.line, statement.text, statement.column), 1, 1)
    fields = Fields(report, statement, _KNOWN)
    fields.text("router_id")
    found.version = fields.number("vrrp_version", 2, 3, 2)
    yield from _script_user(fields)
    timeouts = fields.said.get("lvs_timeouts")
    if timeouts is not None:
        yield from _timeouts(report, timeouts)
    sync = fields.said.get("lvs_sync_daemon")
    if sync is not None:
        found.sync = _sync(report, sync)
    if "smtp_alert" in fields:
        found.alerts = fields.flag("smtp_alert")
    _email(fields, found)


def _script_user(fields: Fields) -> Iterator[Node]:
    user = fields.text("script_user")
    secure = fields.bare("enable_script_security")
    statement = fields.said.get("script_user") or fields.said.get("enable_script_security")
    if statement is None:
        return
    if user is not None and secure:
        yield ScriptUser(host=fields.report.host, origin=fields.report.origin(statement), user=user)
    elif ("script_user" in fields) is not ("enable_script_security" in fields):
        fields.report.at(
            read_codes.STRUCTURE,
            statement,
            "of `script_user` and `enable_script_security`, one is said without the other",
            advice="say both: a user alone does not keep root's scripts from being changed by others",
        )


def _timeouts(report: Report, statement: Statement) -> Iterator[Node]:
    values: dict[str, int] = {}
    if not report.words(statement, 3, 7):
        return
    for index in range(1, len(statement.words), 2):
        name = statement.words[index]
        if name not in ("tcp", "tcpfin", "udp") or name in values:
            report.value(statement, index, "one of tcp, tcpfin, udp, each once")
            return
        value = report.number(statement, index + 1, "a time-out", 0, _MAX_TIMEOUT)
        if value is None:
            return
        values[name] = value
    yield Timeouts(
        host=report.host,
        origin=report.origin(statement),
        tcp=values.get("tcp", 0),
        tcp_fin=values.get("tcpfin", 0),
        udp=values.get("udp", 0),
    )


def _sync(report: Report, statement: Statement) -> Sync | None:
    words = statement.words
    if not report.words(statement, 2, 14):
        return None
    sync = Sync(statement, words[1])
    index = 2
    # Before the word `inst`, the instance was the second value, and what it is called may be a keyword.
    if len(words) % 2 or (len(words) > index and words[index] not in _SYNC_WORDS):
        sync.instance = words[index]
        index += 1
        if len(words) % 2 == 0:
            if not _sync_value(report, sync, "id", index):
                return None
            index += 1
    seen: set[str] = {"inst"} if sync.instance is not None else set()
    if sync.sync_id is not None:
        seen.add("id")
    while index < len(words):
        word = words[index]
        if word in seen or word not in _SYNC_WORDS:
            report.value(statement, index, "a word of `lvs_sync_daemon`, or not for the first time")
            return None
        seen.add(word)
        if not _sync_value(report, sync, word, index + 1):
            return None
        index += 2
    return sync


def _sync_value(report: Report, sync: Sync, word: str, index: int) -> bool:
    """Take one value; whether it was one."""
    statement = sync.statement
    match word:
        case "inst":
            sync.instance = statement.words[index]
            return True
        case "group":
            sync.group = report.address(statement, index)
            if sync.group is not None and not sync.group.is_multicast:
                report.value(statement, index, "a multicast address")
            return sync.group is not None
        case "id":
            sync.sync_id = report.number(statement, index, "a synchronisation number", 0, 255)
            return sync.sync_id is not None
        case "maxlen":
            sync.max_length = report.number(statement, index, "a length", 1, 65507)
            return sync.max_length is not None
        case "port":
            sync.port = report.number(statement, index, "a port", 1, 65535)
            return sync.port is not None
        case _:
            sync.ttl = report.number(statement, index, "a TTL", 1, 255)
            return sync.ttl is not None


def _email(fields: Fields, found: Globals) -> None:
    report = fields.report
    statement = next(
        (
            fields.said[name]
            for name in ("notification_email", "notification_email_from", "smtp_server")
            if name in fields
        ),
        None,
    )
    if statement is None:
        if found.alerts:
            message = "alerts are wanted, and no recipient is said"
            report.at(
                read_codes.STRUCTURE, fields.said["smtp_alert"], message, advice="say `notification_email`"
            )
        return
    recipients = tuple(fields.names("notification_email"))
    sender = fields.text("notification_email_from")
    server = fields.said.get("smtp_server")
    address = None
    port: int | None = 25
    if server is not None and report.words(server, 2, 3):
        address = report.address(server, 1)
        if len(server.words) > 2:  # noqa: PLR2004 - keyword, address, port
            port = report.number(server, 2, "a port", 1, 65535)
    if not recipients or sender is None or address is None or port is None:
        message = "alerts by mail need recipients, a sender and a server's address"
        report.at(read_codes.STRUCTURE, statement, message, advice="say all three")
        return
    found.email_at = statement
    found.email = EmailAlerts(
        host=report.host,
        origin=report.origin(statement),
        sender=sender,
        recipients=recipients,
        server=address,
        port=port,
    )
