"""The schema of failover and connection synchronisation."""

from lvsc.graph.nodes import AuthenticationType
from lvsc.spec.schema import words
from lvsc.spec.schema.words import Schema

#: Linux: ip_vs_sync.c.
SYNC_PORT, SYNC_TTL, SYNC_GROUP = 8848, 1, "224.0.0.81"


def failover() -> Schema:
    """The schema of `[failover]`."""
    return words.variants(
        "Failover",
        "How the virtual addresses move when a director fails. Needed with more than one director.",
        "method",
        {
            "vrrp": words.table(
                "Failover by VRRP",
                "One VRRP instance for each network and family, all in one group that moves together.",
                {
                    "method": words.choice(
                        "Method",
                        "`vrrp`, by the director backend; `external`, by something that lvsc does not configure.",
                        ["vrrp"],
                        default="vrrp",
                    ),
                    "version": {
                        "title": "Version",
                        "description": "VRRP's version. Version 2 carries authentication and no IPv6.",
                        "enum": [2, 3],
                        "default": 3,
                        "examples": [2],
                    },
                    "virtual_router_id": words.integer(
                        "Virtual router id",
                        "Unique among the virtual routers of each network.",
                        1,
                        255,
                        examples=[51],
                    ),
                    "advertisement_interval": words.duration(
                        "Advertisement interval",
                        "How often the master says that it lives: whole seconds in version 2, up to 40 seconds in"
                        " version 3.",
                        example="500ms",
                        default="1s",
                    ),
                    "preempt": words.boolean(
                        "Preempt", "A director of higher priority takes over from a living one.", default=True
                    ),
                    "preempt_delay": words.duration(
                        "Preempt delay",
                        "How long it waits after its start before it does.",
                        example="1m",
                        default="0s",
                    ),
                    "unicast": words.boolean(
                        "Unicast",
                        "Send adverts to each peer's own address in place of multicast.",
                        default=False,
                    ),
                    "authentication": words.table(
                        "Authentication",
                        "VRRPv2's authentication. It keeps mistakes out, not attackers.",
                        {
                            "type": words.choice(
                                "Type",
                                "A plain password, or an authentication header.",
                                [kind.value for kind in AuthenticationType],
                                default=AuthenticationType.PASS.value,
                            ),
                            "password": _secret(
                                "Password",
                                "Where the password is kept: an environment variable or a file. At most eight characters"
                                " count. The spec never holds it.",
                                variable="VRRP_PASSWORD",
                                file="secrets/vrrp",
                            ),
                        },
                        required=["password"],
                    ),
                    "track_interfaces": words.array(
                        "Track interfaces",
                        "Further networks whose interface must be up; those with virtual addresses are tracked anyway.",
                        {"type": "string", "pattern": words.NAME, "x-pattern-says": words.NAME_SAYS},
                        example=["private"],
                    ),
                    "track_scripts": words.array(
                        "Track scripts",
                        "Commands whose failure makes a director give up its addresses.",
                        words.table(
                            "A track script",
                            "A command and how often it runs.",
                            {
                                "name": words.name("Name", "Names the script.", example="uplink"),
                                "command": words.command(
                                    "Command",
                                    "Succeeds while all is well.",
                                    example="/usr/bin/ping -c 1 192.0.2.1",
                                ),
                                "interval": words.duration(
                                    "Interval", "Whole seconds between runs.", example="5s", default="2s"
                                ),
                                "timeout": words.duration(
                                    "Timeout",
                                    "Whole seconds until a run counts as failed.",
                                    example="5s",
                                    default="2s",
                                ),
                                "rise": words.integer(
                                    "Rise",
                                    "Successes until it counts as good.",
                                    1,
                                    1000,
                                    examples=[3],
                                    default=2,
                                ),
                                "fall": words.integer(
                                    "Fall",
                                    "Failures until it counts as bad.",
                                    1,
                                    1000,
                                    examples=[3],
                                    default=2,
                                ),
                            },
                            required=["name", "command"],
                        ),
                        example=[{"name": "uplink", "command": "/usr/bin/ping -c 1 192.0.2.1"}],
                    ),
                    "notify": words.table(
                        "Notify",
                        "Commands that run when a director changes state.",
                        {
                            state: words.command(
                                state.capitalize(),
                                f"Runs when the director {event}.",
                                example=f"/usr/local/sbin/{state}",
                            )
                            for state, event in {
                                "master": "takes the addresses",
                                "backup": "gives them up",
                                "fault": "finds a fault of its own",
                                "stop": "stops",
                            }.items()
                        },
                    ),
                },
                required=["virtual_router_id"],
            ),
            "external": words.table(
                "External failover",
                "Something else moves the virtual addresses; lvsc emits none for the directors. It must add IPv6 addresses with"
                " `preferred_lft 0`, or tunnelled packets take them for their source, which real servers drop.",
                {"method": words.choice("Method", "How the addresses move.", ["external"])},
                required=["method"],
            ),
        },
        default="vrrp",
    )


def _secret(title: str, description: str, *, variable: str, file: str) -> Schema:
    """A table that says where a secret is kept. By `x-secret`, messages show no value that stands in its place."""
    env = words.string(
        "Environment variable",
        "Its value is read when the files are written.",
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        says="an environment variable's name",
        examples=[variable],
        max_length=64,
    )
    path = words.string(
        "File",
        "Its first line is read when the files are written; the path is relative to the spec.",
        pattern=words.PRINTABLE,
        says=words.PRINTABLE_SAYS,
        examples=[file],
        max_length=words.MAX_TEXT,
    )
    return {
        **words.one_of(
            title, description, {"env": {**env, "x-secret": True}, "file": {**path, "x-secret": True}}
        ),
        "examples": [{"env": variable}, {"file": file}],
        "x-secret": True,
    }


def connection_sync() -> Schema:
    """The schema of `[connection_sync]`."""
    return words.table(
        "Connection synchronisation",
        "The active director tells the others of its connections, so that these survive a failover.",
        {
            "network": words.name("Network", "The network whose interface carries it.", example="private"),
            "id": words.integer("Id", "Tells clusters on one network apart.", 0, 255, examples=[51]),
            "max_length": words.integer(
                "Maximum length",
                "The longest message, in bytes; unsaid, what the interface carries.",
                1,
                65507,
                examples=[1472],
            ),
            "port": words.integer("Port", "The UDP port.", 1, 65535, examples=[8849], default=SYNC_PORT),
            "ttl": words.integer(
                "TTL", "How many routers a message may pass.", 1, 255, examples=[2], default=SYNC_TTL
            ),
            "group": words.string(
                "Group",
                "The multicast group.",
                pattern=words.ADDRESS,
                says=words.ADDRESS_SAYS,
                examples=["224.0.0.82"],
                default=SYNC_GROUP,
            ),
        },
        required=["id", "network"],
    )
