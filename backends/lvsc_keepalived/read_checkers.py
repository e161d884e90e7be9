"""The checkers of a real server read, with the defaults of keepalived 2 (check_api.c and check_*.c)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lvsc.plugin import (
    DnsProbe,
    HttpProbe,
    PingProbe,
    Probe,
    ScriptProbe,
    SmtpProbe,
    TcpProbe,
    UdpProbe,
)
from lvsc_keepalived import read_codes, read_commands
from lvsc_keepalived.read_fields import Fields, Keywords, Report
from lvsc_keepalived.read_lines import Statement

_COMMON = ("retry", "delay_before_retry", "delay_loop")
_CONNECTING = (*_COMMON, "connect_port", "connect_timeout")
_HTTP = (*_CONNECTING, "http_protocol", "virtualhost", "enable_sni", "url")
_KNOWN = {
    "TCP_CHECK": Keywords("TCP_CHECK", _CONNECTING),
    "HTTP_GET": Keywords("HTTP_GET", _HTTP, nb_get_retry="retry"),
    "SSL_GET": Keywords("SSL_GET", _HTTP, nb_get_retry="retry"),
    "SMTP_CHECK": Keywords("SMTP_CHECK", (*_CONNECTING, "helo_name")),
    "DNS_CHECK": Keywords("DNS_CHECK", (*_CONNECTING, "type", "name")),
    "UDP_CHECK": Keywords("UDP_CHECK", (*_CONNECTING, "payload", "require_reply")),
    "PING_CHECK": Keywords("PING_CHECK", (*_COMMON, "connect_timeout")),
    "MISC_CHECK": Keywords("MISC_CHECK", (*_COMMON, "misc_path", "misc_timeout")),
}
_URL = Keywords("url", ("path", "digest", "status_code", "virtualhost", "regex"))
NAMES = tuple(_KNOWN)

_MAX_INT = 2**31 - 1
_RECORDS = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY")
_MD5 = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
_BYTES = re.compile(r"([0-9A-Fa-f]{2})+", re.ASCII)
_STATUS = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", re.ASCII)


@dataclass(slots=True)
class Defaults:
    """What checkers take from their virtual server or real server where they do not say it themselves."""

    interval: float = 60
    timeout: float = 5
    retries: int | None = None
    delay_before_retry: float | None = None
    virtual_host: str | None = None
    port: int = 0
    script_timeout: float = 60
    """The interval of the virtual server, whatever that of the real server."""

    def within(self, fields: Fields) -> "Defaults":
        """What they take once a block inside has its say."""
        return Defaults(
            interval=fields.seconds("delay_loop", self.interval, least=1e-6),
            timeout=fields.seconds("connect_timeout", self.timeout, least=1e-6),
            retries=fields.number("retry", 1, _MAX_INT, 0) or self.retries,
            delay_before_retry=_delay(fields, self.delay_before_retry),
            virtual_host=fields.text("virtualhost") or self.virtual_host,
            port=self.port,
            script_timeout=self.script_timeout,
        )


@dataclass(slots=True)
class Checker:
    """What one checker says."""

    statement: Statement
    probe: Probe
    probe_port: int | None
    interval: float
    timeout: float
    retries: int
    delay_before_retry: float


def checker(report: Report, statement: Statement, defaults: Defaults) -> Checker | None:
    """The checker of a block, None where something in it is a problem."""
    before = len(report.problems)
    name = statement.words[0]
    fields = Fields(report, statement, _KNOWN[name])
    if len(statement.words) > 1:
        report.at(read_codes.VALUE, statement, f"`{name}` has no value", index=1)
    probe = _probe(fields, name, defaults)
    interval = fields.seconds("delay_loop", defaults.interval, least=1e-6)
    retries, delay = _retries(fields, name, defaults, interval)
    port: int | None = None
    if name not in ("PING_CHECK", "MISC_CHECK"):
        port = fields.number("connect_port", 1, 65535, defaults.port)
        if not port and "connect_port" not in fields:
            report.at(
                read_codes.STRUCTURE,
                statement,
                f"`{name}` has no port to connect to",
                advice="say `connect_port`",
            )
    if name == "MISC_CHECK":
        timeout = float(fields.number("misc_timeout", 0, 4294, 0)) or defaults.script_timeout
    else:
        timeout = fields.seconds("connect_timeout", defaults.timeout, least=1e-6)
    if probe is None or len(report.problems) > before:
        return None
    return Checker(statement, probe, port, interval, timeout, retries, delay)


def _retries(fields: Fields, name: str, defaults: Defaults, interval: float) -> tuple[int, float]:
    """How often and after how long; without a retry, after nothing."""
    own = {"DNS_CHECK": 3, "MISC_CHECK": 0}.get(name, 1)
    default = own if defaults.retries is None else defaults.retries
    retries = fields.number("retry", 0, _MAX_INT, default)
    usual = {"HTTP_GET": 3.0, "SSL_GET": 3.0, "DNS_CHECK": interval}.get(name, 1.0)
    delay = _delay(fields, defaults.delay_before_retry)
    return retries, 0 if not retries else usual if delay is None else delay


def _delay(fields: Fields, default: float | None) -> float | None:
    if "delay_before_retry" not in fields:
        return default
    return fields.seconds("delay_before_retry", default or 0)


def _probe(fields: Fields, name: str, defaults: Defaults) -> Probe | None:
    match name:
        case "TCP_CHECK":
            return TcpProbe()
        case "HTTP_GET" | "SSL_GET":
            return _http(fields, defaults, tls=name == "SSL_GET")
        case "SMTP_CHECK":
            return SmtpProbe(helo=fields.text("helo_name"))
        case "DNS_CHECK":
            record = fields.one_of("type", dict(zip(_RECORDS, _RECORDS, strict=True)))
            return DnsProbe(record=record or "SOA", name=fields.text("name") or ".")
        case "UDP_CHECK":
            reply = fields.said.get("require_reply")
            return UdpProbe(
                payload=_bytes(fields, "payload") if "payload" in fields else None,
                require_reply=reply is not None,
                reply=_bytes(fields, "require_reply") if reply is not None and len(reply.words) > 1 else None,
            )
        case "PING_CHECK":
            return PingProbe()
        case _:
            command = fields.command("misc_path")
            if "misc_path" not in fields:
                message = "`MISC_CHECK` has no command"
                fields.report.at(read_codes.STRUCTURE, fields.statement, message, advice="say `misc_path`")
            return None if command is None else ScriptProbe(command=command)


def _bytes(fields: Fields, name: str) -> str | None:
    """The bytes of a keyword's words."""
    found = fields.said[name]
    text = "".join(found.words[1:])
    if not fields.report.words(found, 2, len(found.words)) or _BYTES.fullmatch(text):
        return text
    fields.report.value(found, 1, "bytes, two hexadecimal digits each")
    return None


def _http(fields: Fields, defaults: Defaults, *, tls: bool) -> HttpProbe | None:
    report = fields.report
    url = fields.said.get("url")
    if url is None:
        report.at(read_codes.STRUCTURE, fields.statement, "the check has no `url`", advice="add one")
        return None
    if len(url.words) > 1:
        report.at(read_codes.VALUE, url, "`url` has no value", index=1)
    inner = Fields(report, url, _URL)
    path = inner.text("path")
    if path is None and "path" not in inner:
        report.at(read_codes.STRUCTURE, url, "the `url` has no `path`", advice="say which page to ask for")
    sni = fields.flag("enable_sni")
    host = inner.text("virtualhost") or fields.text("virtualhost") or defaults.virtual_host
    if sni and (not tls or host is None):
        message = "`enable_sni` needs `SSL_GET` and a `virtualhost`"
        report.at(read_codes.STRUCTURE, fields.said["enable_sni"], message)
    return HttpProbe(
        tls=tls,
        path=path or "",
        status=tuple(_status(inner)),
        digest=_digest(inner),
        regex=_regex(inner),
        virtual_host=host,
        sni=sni,
        http_version=fields.one_of("http_protocol", {"1.0": "1.0", "1.1": "1.1"}) or "1.0",
    )


def _status(fields: Fields) -> Iterator[tuple[int, int]]:
    """The accepted status codes as sorted ranges of which no two touch; without any, those of success."""
    found = fields.said.get("status_code")
    if found is None:
        yield (200, 299)
        return
    if not fields.report.words(found, 2, 500):
        return
    ranges: list[tuple[int, int]] = []
    for index, word in enumerate(found.words[1:], start=1):
        match = _STATUS.fullmatch(word)
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if low > high:
            fields.report.value(found, index, "a status code or a range of them")
        else:
            ranges.append((low, high))
    last: tuple[int, int] | None = None
    for low, high in sorted(ranges):
        if last is not None and low <= last[1] + 1:
            last = (last[0], max(high, last[1]))
            continue
        if last is not None:
            yield last
        last = (low, high)
    if last is not None:
        yield last


def _digest(fields: Fields) -> str | None:
    digest = fields.text("digest")
    if digest is None or _MD5.fullmatch(digest):
        return digest
    fields.report.value(fields.said["digest"], 1, "an MD5 in 32 hexadecimal digits")
    return None


def _regex(fields: Fields) -> str | None:
    found = fields.said.get("regex")
    if found is None:
        return None
    regex = read_commands.regex(found.text) if found.block is None else None
    if not regex or not regex.isprintable() or not regex.isascii():
        fields.report.value(found, 1, "a regular expression in quotes")
        return None
    return regex
