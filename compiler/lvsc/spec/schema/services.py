"""The schema of services: what all kinds share, and each kind's whole table."""

from collections.abc import Mapping

from lvsc.graph.nodes import Scheduler, SchedulerFlag
from lvsc.graph.traffic import MAX_MARK
from lvsc.spec.schema import words
from lvsc.spec.schema.fragment import PLAIN, Fragment
from lvsc.spec.schema.words import Schema


def services(fragments: Mapping[str, Fragment]) -> Schema:
    """The schema of `[services.NAME]` with these kinds; the plain kind is the one that `kind` need not say."""
    return words.named(
        "Services",
        "What is balanced, each by a name of your choice.",
        words.variants(
            "A service",
            "Traffic to virtual addresses, and the pool that serves it.",
            "kind",
            {kind: _kind(kind, fragments[kind]) for kind in sorted(fragments, key=_plain_first)},
            default=PLAIN,
        ),
    )


def check_fragment(kind: str, fragment: Fragment) -> None:
    """Hold a kind's keys against those that every service has.

    Raises:
        ValueError: The kind defines one of them again, leaves one out that there is not, or requires one that it lacks.
    """
    common = {"kind", *common_keys()}
    own = fragment.properties.keys()
    for says, keys in (
        ("defines keys that every service has", common & own),
        ("leaves out keys that no service has", set(fragment.without) - common),
        ("requires keys that it does not define", set(fragment.required) - common - own),
    ):
        if keys:
            raise ValueError(f"service kind `{kind}` {says}: {', '.join(sorted(keys))}")


def _plain_first(kind: str) -> tuple[bool, str]:
    return (kind != PLAIN, kind)


def _kind(kind: str, fragment: Fragment) -> Schema:
    common = {key: value for key, value in common_keys().items() if key not in fragment.without}
    said = words.choice(
        "Kind", "What knows this service's protocol.", [kind], default=PLAIN if kind == PLAIN else None
    )
    required = {"address", "pool", *fragment.required} | (set() if kind == PLAIN else {"kind"})
    return words.table(
        fragment.title,
        fragment.description,
        {"kind": said} | common | dict(fragment.properties),
        required=required,
    )


def common_keys() -> dict[str, Schema]:
    """The keys that every service kind has unless its fragment leaves them out."""
    return {
        "address": {
            "title": "Address",
            "description": "The virtual address that clients connect to, or a list of several.",
            "type": ["string", "array"],
            "pattern": words.NAME,
            "x-pattern-says": words.NAME_SAYS,
            "items": {"type": "string", "pattern": words.NAME, "x-pattern-says": words.NAME_SAYS},
            "minItems": 1,
            "uniqueItems": True,
            "examples": ["www", ["www", "intranet"]],
        },
        "pool": words.name("Pool", "The real servers.", example="web"),
        "mark": words.integer(
            "Mark",
            "The firewall mark that makes one service of all its packets. Unsaid, a service that needs a mark has one"
            " that is derived from its name.",
            1,
            MAX_MARK,
            examples=[80],
        ),
        "scheduler": words.choice(
            "Scheduler",
            "How the next real server is chosen (ipvsadm(8)).",
            [scheduler.value for scheduler in Scheduler],
            examples=["wrr"],
            default=Scheduler.WLC.value,
        ),
        "scheduler_flags": words.array(
            "Scheduler flags",
            "Options of the sh and mh schedulers.",
            {"enum": [flag.value for flag in SchedulerFlag]},
            example=["sh-port"],
        ),
        "persistence": words.duration(
            "Persistence",
            "The same client goes to the same real server for so long: whole seconds, at most 31 days.",
            example="5m",
        ),
        "persistence_granularity": words.table(
            "Persistence granularity",
            "Clients whose addresses agree in so many leading bits go together.",
            {
                "ipv4": words.integer(
                    "IPv4", "Leading bits of an IPv4 address.", 1, 32, examples=[24], default=32
                ),
                "ipv6": words.integer(
                    "IPv6", "Leading bits of an IPv6 address.", 1, 128, examples=[64], default=128
                ),
            },
        ),
        "persistence_engine": words.choice(
            "Persistence engine", "What else ties requests together: `sip`, the call id.", ["sip"]
        ),
        "one_packet": words.boolean(
            "One-packet scheduling", "Each UDP datagram is balanced by itself.", default=False
        ),
        "source_nat": {
            "title": "Source NAT",
            "description": "Full NAT: real servers see the director's own address, for those whose default route is not"
            " the director. True finds the network that the real server is on; a network's name says which one's address"
            " to use.",
            "type": ["boolean", "string"],
            "pattern": words.NAME,
            "x-pattern-says": words.NAME_SAYS,
            "default": False,
            "examples": [True, "private"],
        },
        "check": words.ref("check"),
    }
