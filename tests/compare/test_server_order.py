"""The order in which real servers were added decides for some schedulers who gets a client."""

import json
from pathlib import Path

import pytest

from lvsc.compare.difference import compare
from lvsc.graph.nodes import Node, Scheduler
from support import balancing, guest
from support.nodes import by_address, real_server, service
from support.sides import of_nodes, only

WEB = by_address("192.0.2.10", 80)
ORDERED = (Scheduler.SH, Scheduler.DH, Scheduler.MH, Scheduler.FO)
FIRST, SECOND = "192.0.2.21", "192.0.2.22"

# A hundred clients, asked with the servers added in one order and in the other.
MEASUREMENT = """
import json, socket, sys
import balancing_lab as lab

CLIENTS = [f"203.0.{network}.{host}" for network in range(4) for host in range(1, 26)]

def chosen(scheduler, order):
    lab.enter("director")
    lab.run("ipvsadm", "-C")
    lab.run("ipvsadm", "-A", "-t", "192.0.2.10:80", "-s", scheduler)
    for address in order:
        lab.run("ipvsadm", "-a", "-t", "192.0.2.10:80", "-r", f"{address}:80", "-m")
    lab.enter("client")
    clients = [socket.socket() for _ in CLIENTS]
    for client, source in zip(clients, CLIENTS):
        client.bind((source, 0))
        client.settimeout(0)
        client.connect_ex(("192.0.2.10", 80))
    lab.settle()
    names = [client.recv(100).decode() for client in clients]
    for client in clients:
        client.close()
    lab.settle()
    return names

lab.build()
lab.Servers().start()
order = sys.argv[1:3]
json.dump({s: [chosen(s, o) for o in (order, order, order[::-1])] for s in sys.argv[3:]}, sys.stdout)
"""


@pytest.mark.kernel
def test_a_kernel_leads_clients_by_the_order_in_which_servers_were_added() -> None:
    schedulers = [scheduler.value for scheduler in ORDERED]
    files = {
        "balancing_lab.py": Path(balancing.__file__).with_name("balancing_lab.py").read_text("utf-8"),
        "measure.py": MEASUREMENT,
    }
    words = ["python3", "measure.py", FIRST, SECOND, *schedulers]
    done = guest.run(words, timeout=900, files=files)
    assert (done.returncode, done.stderr) == (0, "")
    same: dict[str, tuple[int, int]] = {}
    for scheduler, (one, again, turned) in json.loads(done.stdout).items():
        pairs = (zip(one, again, strict=True), zip(one, turned, strict=True))
        again_same, turned_same = (sum(a == b for a, b in pair) for pair in pairs)
        same[scheduler] = again_same, turned_same
        if scheduler == "fo":
            assert {*one} == {"web2"}  # of equals, the one that was added last
    again_same, turned_same = same.pop("mh")
    assert (again_same, 90 <= turned_same < again_same) == (100, True)
    assert same == {"sh": (100, 0), "dh": (100, 0), "fo": (100, 0)}


def nodes(scheduler: Scheduler, *servers: tuple[str, int]) -> list[Node]:
    return [
        service(WEB, scheduler=scheduler),
        *(real_server(WEB, address, 80, weight=weight) for address, weight in servers),
    ]


@pytest.mark.parametrize("scheduler", ORDERED)
def test_another_order_is_told_of_schedulers_that_choose_by_it(scheduler: Scheduler) -> None:
    old, new = ((FIRST, 1), (SECOND, 1)), ((SECOND, 1), (FIRST, 1))
    change = only(compare(of_nodes(*nodes(scheduler, *old)), of_nodes(*nodes(scheduler, *new))))
    assert change.before.endswith(f"scheduler {scheduler.value} over {FIRST}, {SECOND} in this order")
    assert change.after.endswith(f"scheduler {scheduler.value} over {SECOND}, {FIRST} in this order")


@pytest.mark.parametrize("scheduler", [each for each in Scheduler if each not in ORDERED])
def test_another_order_is_nothing_to_the_others(scheduler: Scheduler) -> None:
    old, new = ((FIRST, 1), (SECOND, 1)), ((SECOND, 1), (FIRST, 1))
    assert compare(of_nodes(*nodes(scheduler, *old)), of_nodes(*nodes(scheduler, *new))).packets == ()


def test_order_counts_among_equals_alone_where_weight_comes_first() -> None:
    old, new = ((FIRST, 2), (SECOND, 1)), ((SECOND, 1), (FIRST, 2))
    sides = (of_nodes(*nodes(Scheduler.FO, *each)) for each in (old, new))
    assert compare(*sides).packets == ()


@pytest.mark.parametrize("scheduler", [Scheduler.SH, Scheduler.FO])
def test_other_weights_alone_are_other_weights(scheduler: Scheduler) -> None:
    old, new = ((FIRST, 1), (SECOND, 2)), ((FIRST, 2), (SECOND, 1))
    sides = [of_nodes(*nodes(scheduler, *each)) for each in (old, new)]
    assert only(compare(*sides)).kind.value == "weights"
    assert compare(*sides, ignore_weights=True).packets == ()


def test_an_added_real_server_is_no_other_order() -> None:
    old, new = ((FIRST, 1), (SECOND, 1)), (("192.0.2.20", 1), (FIRST, 1), (SECOND, 1))
    change = only(compare(of_nodes(*nodes(Scheduler.SH, *old)), of_nodes(*nodes(Scheduler.SH, *new))))
    assert "order" not in change.before + change.after
