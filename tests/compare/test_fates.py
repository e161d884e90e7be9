"""What `lvsc.compare.connections` says is what becomes of connections in a kernel, with lvsc's own files applied to it."""

import shutil
from dataclasses import dataclass

import pytest

from lvsc.compare.difference import compare
from support.balancing import Found, Trial, found
from support.sides import side
from support.specs import DIRECT, TUNNEL, Layer, merged, servers, service

pytestmark = pytest.mark.kernel

PLAIN: Layer = {"pools": {"web": {"check": "none"}}, "services": {"web": {"scheduler": "rr"}}}
NAT: Layer = {"cluster": {"forwarding": "nat"}}
MARK = service(mark=80)
PERSISTENT = service(persistence="5m")
UDP = service(ports=["udp/80"])
ONE = servers({})
DRAINED = servers({}, {"weight": 0})
END_THEM: Layer = {"tuning": {"expire_nodest_conn": True}}
LEAD_AWAY: Layer = {"tuning": {"expire_quiescent_template": True}}
OTHER: Layer = {"services": {"other": {"address": "www", "pool": "web", "ports": ["tcp/81"]}}}
NO_WEB: Layer = {"services": {"web": None}}
#: What a test can outlast, and what changes between two questions on a connection that lives does not.
SHORT: Layer = {"timeouts": {"tcp": "12s", "tcp_fin": "1s", "udp": "12s"}}

LIVE = {"web1": "lives", "web2": "lives"}


def lost(how: str) -> dict[str, str]:
    """All connections are."""
    return {"web1": how, "web2": how}


def gone(how: str) -> dict[str, str]:
    """Those on the second real server are."""
    return {"web1": "lives", "web2": how}


@dataclass(frozen=True, slots=True)
class Case:
    """A change, what clients find after it, and the fates that a comparison tells."""

    old: tuple[Layer, ...]
    new: tuple[Layer, ...]
    before: dict[str, str]
    then: str
    told: tuple[str, ...] = ()
    protocol: str = "tcp"
    new_first: bool = False
    until: str | None = None

    def trial(self, director: str = "ipvsadm") -> Trial:
        """The change on a director."""
        return Trial(
            specs=(merged(PLAIN, *self.old), merged(PLAIN, *self.old, *self.new)),
            protocol=self.protocol,
            director=director,
            new_first=self.new_first,
            until=self.until,
        )


CASES = {
    "nothing": Case((), (), LIVE, "chosen"),
    "nothing, persistent": Case((PERSISTENT,), (), LIVE, "same"),
    "a service is removed": Case((OTHER,), (NO_WEB,), lost("silent"), "refused", ("lost",)),
    "a service is removed, its connections too": Case(
        (OTHER, END_THEM), (NO_WEB,), lost("reset"), "refused", ("lost",)
    ),
    "another mark": Case((MARK,), (service(mark=81),), lost("silent"), "chosen", ("lost",)),
    "another mark, persistent": Case(
        (MARK, PERSISTENT), (service(mark=81),), lost("silent"), "chosen", ("lost",)
    ),
    "another mark, and connections end": Case(
        (MARK,), (service(mark=81), END_THEM), lost("reset"), "chosen", ("lost",)
    ),
    "a mark for an address": Case((), (MARK,), lost("silent"), "chosen", ("lost",)),
    "an address for a mark": Case((MARK,), (service(mark=None),), lost("silent"), "chosen", ("lost",)),
    "a mark has one port less": Case(
        (MARK, service(ports=["tcp/80", "tcp/81"])), (service(ports=["tcp/81"]),), LIVE, "refused"
    ),
    "a real server is removed": Case((), (ONE,), gone("silent"), "web1", ("lost",)),
    "a real server is removed, persistent": Case((PERSISTENT,), (ONE,), gone("silent"), "web1", ("lost",)),
    "a real server is removed, its connections too": Case(
        (END_THEM,), (ONE,), gone("reset"), "web1", ("lost",)
    ),
    "a real server is removed, and what it had times out": Case(
        (SHORT,), (ONE,), gone("reset"), "web1", ("lost",), until="silent"
    ),
    "a real server has another port": Case(
        (PERSISTENT,),
        (servers({}, {"port": 8080}),),
        gone("silent"),
        "chosen",
        ("lost",),
    ),
    "a real server drains": Case((), (DRAINED,), LIVE, "web1", ("drains",)),
    "a real server drains, and what has none ends": Case((END_THEM,), (DRAINED,), LIVE, "web1", ("drains",)),
    "a real server drains, persistent": Case((PERSISTENT,), (DRAINED,), LIVE, "same", ("drains",)),
    "a real server drains, its clients led away": Case(
        (PERSISTENT, LEAD_AWAY), (DRAINED,), LIVE, "web1", ("drains",)
    ),
    "other weights": Case((PERSISTENT,), (servers({}, {"weight": 5}),), LIVE, "same"),
    "thresholds below what there is": Case((), (servers({"upper_threshold": 1}, {}),), LIVE, "chosen"),
    "thresholds below what there is, persistent": Case(
        (PERSISTENT,), (servers({"upper_threshold": 1}, {}),), LIVE, "same"
    ),
    "another scheduler": Case((PERSISTENT,), (service(scheduler="wlc"),), LIVE, "same"),
    "another scheduler, not persistent": Case((), (service(scheduler="sh"),), LIVE, "chosen"),
    "persistence is added": Case((), (PERSISTENT,), LIVE, "chosen"),
    "persistence is removed": Case(
        (PERSISTENT,), (service(persistence=None),), LIVE, "chosen", ("persistence lost",)
    ),
    "persistence lasts longer": Case((PERSISTENT,), (service(persistence="10m"),), LIVE, "same"),
    "persistence knows networks": Case(
        (PERSISTENT,),
        (service(persistence_granularity={"ipv4": 24}),),
        LIVE,
        "web2",
        ("persistence lost",),
    ),
    "direct routing to NAT": Case((DIRECT,), (NAT,), LIVE, "chosen"),
    "direct routing to a tunnel": Case((DIRECT,), (TUNNEL,), LIVE, "chosen"),
    "NAT to a tunnel": Case((), (TUNNEL,), LIVE, "chosen"),
    "a tunnel to NAT": Case((TUNNEL,), (NAT,), LIVE, "chosen"),
    "NAT to direct routing": Case((), (DIRECT,), LIVE, "silent", ("lost",)),
    "NAT to direct routing, by mark": Case((MARK,), (DIRECT,), LIVE, "silent", ("lost",)),
    "NAT to direct routing, new ones first": Case((), (DIRECT,), LIVE, "same", ("lost",), new_first=True),
    "a tunnel to direct routing": Case((TUNNEL,), (DIRECT,), LIVE, "silent", ("lost",)),
    "UDP: a real server is removed": Case((UDP,), (ONE,), gone("silent"), "web1", ("lost",), "udp"),
    "UDP: a real server is removed, its flows too": Case(
        (UDP, END_THEM), (ONE,), gone("web1"), "web1", ("lost",), "udp"
    ),
    "UDP: a real server is removed, and what it had times out": Case(
        (UDP, SHORT), (ONE,), gone("web1"), "web1", ("lost",), "udp", until="silent"
    ),
    "UDP: a service is removed, its flows too": Case(
        (UDP, OTHER, END_THEM), (NO_WEB,), lost("refused"), "refused", ("lost",), "udp"
    ),
    "UDP: a real server drains": Case((UDP,), (DRAINED,), LIVE, "web1", ("drains",), "udp"),
    "UDP, one packet: a real server is removed": Case(
        (UDP, DIRECT, service(one_packet=True)), (ONE,), gone("web1"), "web1", (), "udp"
    ),
}


def test_what_is_told_of_connections_is_what_a_kernel_does() -> None:
    trials = {name: case.trial() for name, case in CASES.items()}
    seen = {name: changes[0] for name, changes in found(trials).items()}
    assert seen == {name: Found(case.before, case.then) for name, case in CASES.items()}


#: Changes that keepalived is told of by a new file and SIGHUP.
RELOADED = (
    *("nothing, persistent", "a service is removed", "another mark", "other weights", "another scheduler"),
    *("a real server is removed", "a real server is removed, its connections too"),
    *("a real server has another port", "a real server drains", "a real server drains, persistent"),
    *("persistence is added", "persistence is removed", "persistence knows networks"),
    *("direct routing to NAT", "NAT to a tunnel", "NAT to direct routing", "UDP: a real server is removed"),
)


def test_keepalived_does_the_same_when_it_reloads() -> None:
    if shutil.which("keepalived") is None:
        pytest.skip("no keepalived: apt-get install keepalived")
    cases = {name: CASES[name] for name in RELOADED}
    seen = found({name: case.trial(director="keepalived") for name, case in cases.items()})
    assert {name: changes[0] for name, changes in seen.items()} == {
        name: Found(case.before, case.then) for name, case in cases.items()
    }


#: Three specs, what clients find after the second, and after the third, which is the first again.
TAKEN_BACK = {
    "a real server": ((), (ONE,), Found(gone("silent"), "web1"), Found(LIVE, "chosen")),
    "a real server, persistent": ((PERSISTENT,), (ONE,), Found(gone("silent"), "web1"), Found(LIVE, "web1")),
    "a real server, after its connections ended": (
        (END_THEM,),
        (ONE,),
        Found(gone("reset"), "web1"),
        Found(gone("reset"), "chosen"),
    ),
    "a service": ((OTHER,), (NO_WEB,), Found(lost("silent"), "refused"), Found(LIVE, "chosen")),
    "a mark": ((MARK,), (service(mark=81),), Found(lost("silent"), "chosen"), Found(LIVE, "chosen")),
}


def test_what_was_taken_away_by_mistake_takes_its_connections_up_again() -> None:
    specs = {
        name: (merged(PLAIN, *old), merged(PLAIN, *old, *new)) for name, (old, new, *_) in TAKEN_BACK.items()
    }
    trials = {name: Trial(specs=(old, new, old), until="silent") for name, (old, new) in specs.items()}
    assert found(trials) == {name: [away, back] for name, (_, _, away, back) in TAKEN_BACK.items()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_loss_is_told_and_no_other(case: Case) -> None:
    told = compare(
        side(PLAIN, *case.old, backend="ipvsadm"), side(PLAIN, *case.old, *case.new, backend="ipvsadm")
    )
    assert tuple(change.fate.value for change in told.connections) == case.told
