"""What a target's versions cannot do is an error at the place that asks for it."""

import pytest

from support.ftp import ftp
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, merged, reported, servers, service, spec

# The kernel's part of what is missing: (target that lacks it, one that has it, what asks for it, where).
CASES: dict[str, tuple[str, str, Layer, str]] = {
    "mh": ("rhel7", "rhel8", service(scheduler="mh"), "services.web"),
    "fo": ("rhel7", "rhel8", service(scheduler="fo"), "services.web"),
    "ovf": ("rhel7", "rhel8", service(scheduler="ovf"), "services.web"),
    "twos": ("debian12", "debian13", service(scheduler="twos"), "services.web"),
    "gue": (
        "rhel7",
        "debian12",
        merged(TUNNEL, {"pools": {"web": {"tunnel": {"type": "gue", "port": 6080}}}}),
        "pools.web.real_servers.0",
    ),
    "gre": (
        "rhel7",
        "debian12",
        merged(TUNNEL, {"pools": {"web": {"tunnel": {"type": "gre"}}}}),
        "pools.web.real_servers.0",
    ),
    "mixed-families": (
        "rhel7",
        "debian12",
        merged(DUAL, TUNNEL, servers({}, {})),
        "pools.web.real_servers.0",
    ),
    "sync-parameters": (
        "rhel7",
        "debian12",
        merged(PAIR, {"connection_sync": {"network": "lan", "id": 1, "ttl": 3}}),
        "connection_sync",
    ),
    "large-table": (
        "debian12",
        "debian13",
        {"tuning": {"connection_table_bits": 21}},
        "tuning.connection_table_bits",
    ),
    "ftp-epsv": ("rhel7", "rhel8", ftp(), "services.files"),
}


@pytest.mark.parametrize(("lacks", "has", "layers", "path"), CASES.values(), ids=CASES)
def test_what_a_kernel_lacks(lacks: str, has: str, layers: Layer, path: str) -> None:
    def missing(target: str) -> list[tuple[str, str]]:
        return [
            (d.message, ".".join(map(str, d.place.origin.path)))
            for d in reported(spec(layers, cluster={"target": target}))
            if d.code.id == "LVS501"
            and d.place
            and any(note.startswith(("it needs Linux", "Linux ")) for note in d.notes)
        ]

    assert path in {where for _, where in missing(lacks)}
    assert all(message.startswith(f"target `{lacks}` cannot do ") for message, _ in missing(lacks))
    assert missing(has) == []


def test_a_missing_feature_is_said_once_a_place_and_names_who_has_it() -> None:
    found = [
        d
        for d in reported(spec(PAIR, DUAL, DIRECT, service(scheduler="mh"), cluster={"target": "rhel7"}))
        if "mh" in d.message
    ]
    (one,) = found
    assert one.notes == (
        "it needs Linux 4.18 or newer, and `rhel7` has 3.10",
        "it needs keepalived 2.0.7 or newer, and `rhel7` has 1.3.5",
    )
    assert one.help is not None
    assert "`rhel8`" in one.help
    assert "`rhel7`" not in one.help


@pytest.mark.parametrize(
    ("bits", "target"), [(20, "debian12"), (21, "debian13"), (8, "rhel7")], ids=["common", "large", "small"]
)
def test_a_table_of_a_size_that_the_kernel_allows(bits: int, target: str) -> None:
    found = reported(spec(cluster={"target": target}, tuning={"connection_table_bits": bits}))
    assert [d for d in found if d.place and d.place.origin.path[0] == "tuning"] == []


def test_a_feature_may_know_what_to_say_instead() -> None:
    check = {"cluster": {"target": "rhel7"}, "pools": {"web": {"check": {"type": "http"}}}}
    (said,) = (d for d in reported(spec(check)) if "status codes" in d.message)
    assert said.help is not None
    assert said.help.startswith(
        "name the one of a good answer, as in `status = [200]`, or use a target that can: `alpine324`"
    )
