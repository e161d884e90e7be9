"""The checkers of a real server (keepalived.conf(5), "health checkers")."""

from collections.abc import Sequence
from dataclasses import dataclass

from lvsc.plugin import (
    DnsProbe,
    Feature,
    HealthCheck,
    HttpProbe,
    PingProbe,
    Probe,
    ScriptProbe,
    SmtpProbe,
    Target,
    TcpProbe,
    UdpProbe,
)
from lvsc_keepalived.page import Page

_MICROSECONDS = 6


def seconds(value: float) -> str:
    """A time in seconds, in as many digits as keepalived reads (TIMER_HZ_DIGITS, lib/timer.h)."""
    return f"{value:.{_MICROSECONDS}f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


@dataclass(frozen=True, slots=True)
class Style:
    """What the checkers of a virtual service say, and in which words."""

    interval: bool
    """Whether each says its interval, which the service does otherwise."""
    virtual_host: bool
    """Likewise its virtual host."""
    http_retry: str
    """The keyword for the retries of an HTTP check."""


def checkers(page: Page, checks: Sequence[HealthCheck], style: Style) -> None:
    """Append a block for each health check, in an order that depends on what the checks are alone."""
    for check in sorted(checks, key=repr) if len(checks) > 1 else checks:
        _checker(page, check, style)


def http_retry(target: Target) -> str:
    """The keyword for the retries of an HTTP check; newer releases complain of the old one."""
    return "retry" if target.has(Feature.KEEPALIVED_HTTP_RETRY) else "nb_get_retry"


def checker_name(probe: Probe) -> str:
    """The keyword of the probe's checker."""
    match probe:
        case TcpProbe():
            return "TCP_CHECK"
        case HttpProbe(tls=tls):
            return "SSL_GET" if tls else "HTTP_GET"
        case SmtpProbe():
            return "SMTP_CHECK"
        case DnsProbe():
            return "DNS_CHECK"
        case UdpProbe():
            return "UDP_CHECK"
        case PingProbe():
            return "PING_CHECK"
        case ScriptProbe():
            return "MISC_CHECK"


def _checker(page: Page, check: HealthCheck, style: Style) -> None:
    probe = check.probe
    origin = check.origin
    page.open(checker_name(probe), origin)
    if isinstance(probe, ScriptProbe):
        page.say("misc_path", page.command, probe.command, check, "command")
        page.line(f"misc_timeout {seconds(check.timeout)}", origin)
    else:
        if check.probe_port is not None:
            page.line(f"connect_port {check.probe_port}", origin)
        page.line(f"connect_timeout {seconds(check.timeout)}", origin)
    if style.interval:
        page.line(f"delay_loop {seconds(check.interval)}", origin)
    _retries(page, check, style)
    match probe:
        case HttpProbe():
            _http(page, check, probe, style)
        case SmtpProbe(helo=str(helo)):
            page.say("helo_name", page.word, helo, check, "helo")
        case DnsProbe(record=record, name=name):
            page.line(f"type {record}", origin)
            page.say("name", page.word, name, check, "name")
        case UdpProbe():
            if probe.payload is not None:
                page.line(f"payload {probe.payload}", origin)
            if probe.require_reply:
                page.line(" ".join(["require_reply", *([probe.reply] if probe.reply else [])]), origin)
        case _:
            pass
    page.close()


def _retries(page: Page, check: HealthCheck, style: Style) -> None:
    """A script is not retried by default; every other checker is, so its retries are always said."""
    if isinstance(check.probe, ScriptProbe) and not check.retries:
        return
    keyword = style.http_retry if isinstance(check.probe, HttpProbe) else "retry"
    page.line(f"{keyword} {check.retries}", check.origin)
    if check.retries:
        page.line(f"delay_before_retry {seconds(check.delay_before_retry)}", check.origin)


def _http(page: Page, check: HealthCheck, probe: HttpProbe, style: Style) -> None:
    origin = check.origin
    if probe.http_version != "1.0":
        page.line(f"http_protocol {probe.http_version}", origin)
    if style.virtual_host and probe.virtual_host is not None:
        page.say("virtualhost", page.word, probe.virtual_host, check, "virtual_host")
    if probe.sni:
        page.line("enable_sni", origin)
    page.open("url", origin)
    page.say("path", page.word, probe.path, check, "path")
    if probe.status:
        codes = (str(low) if low == high else f"{low}-{high}" for low, high in probe.status)
        page.line(f"status_code {' '.join(codes)}", origin)
    if probe.digest is not None:
        page.line(f"digest {probe.digest}", origin)
    if probe.regex is not None:
        page.say("regex", page.regex, probe.regex, check, "regex")
    page.close()
