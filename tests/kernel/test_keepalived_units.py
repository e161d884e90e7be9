"""keepalived as the manifest runs it: started once, reloaded without harm, stopped without a trace."""

from functools import partial

import pytest

from lvsc.laboratory.site import Loaded

from .clusters import NAT, PAIR, SYNC
from .conftest import Start, Trial, replaced
from .directors import BACKENDS, begins, has_all, still, virtual, weights

pytestmark = pytest.mark.kernel

_BEFORE = {"web1": 3, "web2": 2, "web3": 1}
_AFTER = {"web1": 3, "web2": 7, "web3": 1}


@pytest.fixture
def pair(trial: Start) -> Trial:
    """A pair of directors of which lvs1 is active."""
    site = trial(NAT, PAIR, SYNC, backends=BACKENDS, shared=True)
    for director in site.directors:
        for done in site.load(director):
            assert done.quiet, done
    begins(site, "lvs1")
    return site


def test_loading_again_changes_what_is_different_and_nothing_else(pair: Trial) -> None:
    connections = {f"{number}": str(pair.hold(f"{number}")) for number in range(6)}
    before = {director: _state(pair, director) for director in pair.directors}
    assert len(_processes(pair, "lvs1")) == 3, "one keepalived, with a child for checks and one for VRRP"

    for director in pair.directors * 2:
        assert _complaints(pair, director) == []
    # keepalived reloads when it comes to it: this change shows that it has.
    for director in pair.directors:
        pair.rewrite(director, ("keepalived.conf", replaced("weight 2", "weight 7")))
        pair.becomes(partial(_weights_of_web, pair, director), _AFTER)
    assert still(pair, connections) == connections
    assert pair.tally(80, clients=11) == _AFTER

    for director in pair.directors:
        pair.rewrite(director, ("keepalived.conf", replaced("weight 7", "weight 2")))
        pair.becomes(partial(_weights_of_web, pair, director), _BEFORE)
    assert {director: _state(pair, director) for director in pair.directors} == before


def _weights_of_web(pair: Trial, director: str) -> dict[str, int]:
    return weights(pair, director)["192.0.2.10:80"]


def test_stopping_gives_everything_up_at_once_and_leaves_nothing(pair: Trial) -> None:
    assert all(done.quiet for done in pair.unload("lvs1"))
    has_all(pair, "lvs2")
    assert weights(pair, "lvs1") == {}
    assert _processes(pair, "lvs1") == []
    assert pair.tally(80, clients=6) == _BEFORE


def _processes(site: Trial, director: str) -> list[str]:
    """keepalived's processes, which stay the same unless it starts anew."""
    return site.run(director, "sh", "-c", "grep -lx keepalived /proc/[0-9]*/comm || true").split()


def _state(site: Trial, director: str) -> tuple[list[str], str, set[str], str]:
    """What must stay: processes, the IPVS table, virtual addresses and the synchronisation daemon."""
    sync = site.run(director, "ipvsadm", "-ln", "--daemon")
    return _processes(site, director), site.table(director), virtual(site, director), sync


def _complaints(site: Trial, director: str) -> list[Loaded]:
    """Load a director's files once more; what of it failed or complained."""
    return [done for done in site.load(director) if not done.quiet]
