"""The global_defs block (keepalived.conf(5), "GLOBAL CONFIGURATION")."""

from lvsc.plugin import ConnectionSync, EmailAlerts, Feature, HostPart, ScriptUser, Timeouts
from lvsc_keepalived.page import Page


def global_defs(page: Page, part: HostPart) -> None:
    """Append the block. Of each kind of node in it, the first."""
    page.gap()
    page.open("global_defs")
    page.line(f"router_id {part.host}")
    for user in part.graph.of(ScriptUser)[:1]:
        page.say("script_user", page.word, user.user, user, "script_user")
        page.line("enable_script_security", user.origin)
    for timeouts in part.graph.of(Timeouts)[:1]:
        _timeouts(page, timeouts)
    for sync in part.graph.of(ConnectionSync)[:1]:
        _sync(page, sync, named=part.target.has(Feature.KEEPALIVED_SYNC_BOTH))
    for alerts in part.graph.of(EmailAlerts)[:1]:
        _alerts(page, alerts)
        if part.target.has(Feature.KEEPALIVED_SMTP_ALERT):
            page.line("smtp_alert", alerts.origin)
    page.close()


def _timeouts(page: Page, node: Timeouts) -> None:
    page.line(f"lvs_timeouts tcp {node.tcp} tcpfin {node.tcp_fin} udp {node.udp}", node.origin)


def _sync(page: Page, node: ConnectionSync, *, named: bool) -> None:
    """`inst` came with the choice to name no instance; before it, the instance is the second word."""
    words = ["lvs_sync_daemon", page.word(node.interface, node)]
    if node.instance is not None:
        words += ["inst"] if named else []
        words.append(page.word(node.instance, node))
    words += ["id", str(node.sync_id)]
    for name, value in (("maxlen", node.max_length), ("port", node.port), ("ttl", node.ttl)):
        if value is not None:
            words += [name, str(value)]
    if node.group is not None:
        words += ["group", page.address(node.group, node, "group")]
    page.line(" ".join(words), node.origin)


def _alerts(page: Page, node: EmailAlerts) -> None:
    page.open("notification_email", node.origin)
    for recipient in node.recipients:
        page.line(page.word(recipient, node, "to"), node.origin)
    page.close()
    page.say("notification_email_from", page.word, node.sender, node, "from")
    page.line(f"smtp_server {page.address(node.server, node, 'server')} {node.port}", node.origin)
