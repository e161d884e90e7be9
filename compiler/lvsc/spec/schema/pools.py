"""The schema of pools, their real servers and their health checks."""

from lvsc.graph.nodes import FailureAction, TunnelChecksum, TunnelType
from lvsc.spec.schema import words
from lvsc.spec.schema.words import Schema

MAX_WEIGHT = 65535
#: ipvsadm(8): thresholds are at most 65535.
MAX_THRESHOLD = 65535
DNS_RECORDS = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA")

_TARGET = words.name(
    "Target", "The real servers' distribution release, where it is not the directors'.", example="ubuntu2404"
)
_INTERFACE = words.string(
    "Interface",
    "The real servers' interface towards the directors; unsaid, the ARP settings hold for all.",
    pattern=words.INTERFACE,
    says=words.INTERFACE_SAYS,
    examples=["eth0"],
)


def pools() -> Schema:
    """The schema of `[pools.NAME]`."""
    return words.named(
        "Pools",
        "Groups of real servers that serve the same, each by a name of your choice.",
        words.table(
            "A pool",
            "Real servers, and how they are reached and probed.",
            {
                "real_servers": words.array(
                    "Real servers",
                    "The hosts that serve the requests.",
                    real_server(),
                    example=[{"name": "web1", "ip": ["10.11.12.21"]}],
                ),
                "check": words.ref("check"),
                "forwarding": words.ref("forwarding"),
                "tunnel": words.ref("tunnel"),
                "on_failure": words.choice(
                    "On failure",
                    "What becomes of a real server that fails its check: `remove` takes it out, `drain` sets its weight to 0.",
                    [action.value for action in FailureAction],
                    examples=["drain"],
                    default=FailureAction.REMOVE.value,
                ),
                "quorum": words.integer(
                    "Quorum",
                    "The total weight of living real servers that is enough. With less, clients go to the sorry server if there is one.",
                    1,
                    2147483647,
                    examples=[2],
                ),
                "hysteresis": words.integer(
                    "Hysteresis",
                    "The quorum is lost with less living weight than it minus this, and had again with at least it plus this.",
                    0,
                    2147483647,
                    examples=[1],
                    default=0,
                ),
                "sorry_server": words.table(
                    "Sorry server",
                    "Where clients go while there is no quorum.",
                    {
                        "ip": words.addresses(
                            "IP", "Its address, at most one a family.", example=["10.11.12.99"]
                        ),
                        "port": words.ref("real_port"),
                        "forwarding": words.ref("forwarding"),
                    },
                    required=["ip"],
                ),
                "notify": words.table(
                    "Notify",
                    "Commands that run when a real server or the quorum changes state.",
                    {
                        "up": words.command(
                            "Up", "A real server came back.", example="/usr/local/sbin/server-up"
                        ),
                        "down": words.command(
                            "Down", "A real server failed.", example="/usr/local/sbin/server-down"
                        ),
                        "quorum_up": words.command(
                            "Quorum up", "The quorum was gained.", example="/usr/local/sbin/quorum-up"
                        ),
                        "quorum_down": words.command(
                            "Quorum down", "The quorum was lost.", example="/usr/local/sbin/quorum-down"
                        ),
                    },
                ),
                "target": _TARGET,
                "interface": _INTERFACE,
                "managed": words.boolean(
                    "Managed", "Emit the files that the real servers need.", default=True
                ),
            },
            required=["real_servers"],
        ),
    )


def real_server() -> Schema:
    """The schema of one entry of `real_servers`."""
    return words.table(
        "A real server",
        "A host that serves the requests. A host in two pools has one name.",
        {
            "name": words.name("Name", "The host's name.", example="web1"),
            "ip": words.addresses("IP", "Its address, at most one a family.", example=["10.11.12.21"]),
            "port": words.ref("real_port"),
            "weight": words.integer(
                "Weight", "Its share, compared with the others'.", 0, MAX_WEIGHT, examples=[2], default=1
            ),
            "upper_threshold": words.integer(
                "Upper threshold", "No new connection above this many.", 1, MAX_THRESHOLD, examples=[1000]
            ),
            "lower_threshold": words.integer(
                "Lower threshold",
                "New connections again below this many; unsaid, three quarters of the upper one.",
                1,
                MAX_THRESHOLD,
                examples=[800],
            ),
            "forwarding": words.ref("forwarding"),
            "tunnel": words.ref("tunnel"),
            "drained": words.boolean(
                "Drained",
                "It keeps its connections and gets no new ones: its weight is 0. keepalived needs one with a weight.",
                default=False,
            ),
            "disabled": words.boolean(
                "Disabled", "It is left out, as if it were not written.", default=False
            ),
            "target": _TARGET,
            "interface": _INTERFACE,
            "managed": words.boolean(
                "Managed", "Emit the files that it needs. Unsaid, as its pool.", default=None
            ),
        },
        required=["ip", "name"],
    )


def real_port() -> Schema:
    """The schema of the port of a real server."""
    return words.integer(
        "Port",
        "The port that it listens on, where that is not the service's. Only `nat` can change a port, and only for a"
        " service of one port.",
        1,
        65535,
        examples=[8080],
    )


def tunnel() -> Schema:
    """The schema of a tunnel's options."""
    return words.table(
        "Tunnel",
        "How packets are wrapped by the `tunnel` forwarding method.",
        {
            "type": words.choice(
                "Type",
                "The encapsulation.",
                [kind.value for kind in TunnelType],
                examples=["gue"],
                default=TunnelType.IPIP.value,
            ),
            "port": words.integer(
                "Port", "The UDP port of gue; no other type has one.", 1, 65535, examples=[6080]
            ),
            "checksum": words.choice(
                "Checksum",
                "What the outer checksum covers: `none`; `full`, for gue and gre; `remote`, remote checksum offload,"
                " for gue.",
                [kind.value for kind in TunnelChecksum],
                examples=["full"],
                default=TunnelChecksum.NONE.value,
            ),
        },
    )


def check() -> Schema:
    """The schema of `check`: the word `none`, or a table chosen by its type."""
    return {
        "title": "Check",
        "description": 'How a director learns that a real server lives, or `"none"` where it does not ask. Unsaid, it'
        " connects by TCP to the port of the service.",
        "type": ["string", "object"],
        "if": {"type": "string"},
        "then": {"enum": ["none"], "x-pattern-says": 'a table, as in { type = "tcp" }, or "none"'},
        "else": words.ref("probe"),
        "examples": ["none", {"type": "http", "path": "/alive"}],
    }


def probe() -> Schema:
    """The schema of a health check."""
    return words.variants(
        "A health check",
        "What is asked of a real server, and how often.",
        "type",
        {kind: _probe(kind, own) for kind, own in _own_keys().items()},
    )


def _probe(kind: str, own: dict[str, Schema]) -> Schema:
    common: dict[str, Schema] = {
        "type": words.choice("Type", "What is asked.", [kind]),
        "interval": words.duration("Interval", "How often.", example="10s", default="5s"),
        "timeout": words.duration("Timeout", "How long to wait for the answer.", example="2s", default="3s"),
        "retries": words.integer(
            "Retries", "Further tries before it counts as failed.", 0, 1000, examples=[3], default=1
        ),
        "delay_before_retry": words.duration(
            "Delay before retry", "How long to wait before each.", example="2s", default="1s"
        ),
    }
    if kind not in ("ping", "script"):
        common["port"] = words.integer(
            "Port",
            "The port to ask. Unsaid, the real server's, or the one of the bundle's that fits.",
            1,
            65535,
            examples=[8080],
        )
    required = (
        {"type"} | ({"command"} if kind == "script" else set()) | ({"name"} if kind == "dns" else set())
    )
    return words.table(f"A check by {kind}", _SAYS[kind], common | own, required=required)


_SAYS = {
    "tcp": "It accepts a connection.",
    "http": "It answers over HTTP.",
    "https": "It answers over HTTPS.",
    "smtp": "It greets over SMTP.",
    "dns": "It answers a DNS query.",
    "udp": "It does not refuse a datagram.",
    "ping": "It answers an ICMP echo request.",
    "script": "A command says so.",
}


def _own_keys() -> dict[str, dict[str, Schema]]:
    http = {
        "path": words.string(
            "Path",
            "What is asked for.",
            pattern="^/[!-~]*$",
            says="a path that begins with a slash, in printable ASCII without spaces",
            examples=["/alive"],
            max_length=words.MAX_TEXT,
            default="/",
        ),
        "status": words.array(
            "Status",
            "The status codes of a good answer: numbers, or ranges in quotes.",
            {
                "type": ["integer", "string"],
                "minimum": 100,
                "maximum": 599,
                "pattern": "^[1-5][0-9][0-9]-[1-5][0-9][0-9]$",
                "x-pattern-says": 'a range of status codes, as in "200-299"',
            },
            example=[200, "300-399"],
            default=["200-299"],
        ),
        "digest": words.string(
            "Digest",
            "The MD5 digest of a good answer's body, as genhash prints it.",
            pattern="^[0-9a-f]{32}$",
            says="32 hexadecimal digits",
            examples=["d41d8cd98f00b204e9800998ecf8427e"],
        ),
        "regex": words.string(
            "Regular expression",
            "What a good answer's body matches.",
            pattern=words.PRINTABLE,
            says=words.PRINTABLE_SAYS,
            examples=["^OK"],
            max_length=words.MAX_TEXT,
        ),
        "virtual_host": words.string(
            "Virtual host",
            "The host that is asked for.",
            pattern="^[A-Za-z0-9._:\\[\\]-]+$",
            says="a host name or address",
            examples=["www.example.net"],
            max_length=words.MAX_TEXT,
        ),
        "http_version": words.choice(
            "HTTP version", "The version of HTTP to speak.", ["1.0", "1.1"], examples=["1.1"], default="1.0"
        ),
    }
    return {
        "tcp": {},
        "http": http,
        "https": http
        | {
            "sni": words.boolean("SNI", "Name the virtual host in the TLS handshake.", default=False),
        },
        "smtp": {
            "helo": words.string(
                "HELO",
                "The name to greet with.",
                pattern="^[A-Za-z0-9.-]+$",
                says="a host name",
                examples=["lvs.example.net"],
                max_length=words.MAX_TEXT,
            )
        },
        "dns": {
            "record": words.choice(
                "Record", "The type of record to ask for.", DNS_RECORDS, examples=["A"], default="SOA"
            ),
            "name": words.string(
                "Name",
                "The name to ask for.",
                pattern="^[A-Za-z0-9._-]+$",
                says="a domain name",
                examples=["example.net"],
                max_length=253,
            ),
        },
        "udp": {
            "payload": words.string(
                "Payload",
                "What to send.",
                pattern=words.HEX,
                says=words.HEX_SAYS,
                examples=["00ff"],
                max_length=2 * words.MAX_TEXT,
            ),
            "require_reply": words.boolean("Require a reply", "Silence is a failure.", default=False),
            "reply": words.string(
                "Reply",
                "How the reply begins.",
                pattern=words.HEX,
                says=words.HEX_SAYS,
                examples=["00fe"],
                max_length=2 * words.MAX_TEXT,
            ),
        },
        "ping": {},
        "script": {
            "command": words.command(
                "Command",
                "Exits with 0 when the real server is alive.",
                example="/usr/local/lib/check-queue 10.11.12.21",
            )
        },
    }
