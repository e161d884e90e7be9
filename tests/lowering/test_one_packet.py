"""One-packet scheduling leaves no connection, so a scheduler that counts them leads every datagram to one real server."""

import json
from pathlib import Path

import pytest

from lvsc.graph.nodes import Scheduler
from support import balancing, guest
from support.specs import DIRECT, Layer, errors, merged, service, spec

UDP: Layer = merged(DIRECT, service(ports=["udp/53"], one_packet=True, check="none"))
SPREADING = {Scheduler.RR, Scheduler.WRR, Scheduler.TWOS}
BY_CLIENT = {Scheduler.SH, Scheduler.MH}
#: What these give everybody alike is their purpose: they count nothing.
ALIKE = {Scheduler.DH, Scheduler.FO}
COUNTING = set(Scheduler) - SPREADING - BY_CLIENT - ALIKE
#: Neither of the kernels that the tests have knows it; ip_vs_twos.c draws lots, and counts only between two that differ.
UNMEASURED = {Scheduler.TWOS}

# 24 datagrams of one client and of twelve, each sent when the answer to the one before has come back.
MEASUREMENT = """
import json, socket, sys
import balancing_lab as lab

VIRTUAL, PORT = lab.VIRTUAL, 80

def asked(scheduler, *limits):
    lab.enter("director")
    lab.run("ipvsadm", "-C")
    lab.run("ipvsadm", "-A", "-u", f"{VIRTUAL}:{PORT}", "-s", scheduler, "-o")
    for address in lab.SERVERS.values():
        lab.run("ipvsadm", "-a", "-u", f"{VIRTUAL}:{PORT}", "-r", f"{address}:{PORT}", "-g", *limits)
    lab.enter("client")
    return [answers(1), answers(12)]

def answers(clients):
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(clients)]
    for number, each in enumerate(sockets, start=1):
        each.bind((f"203.0.1.{number}", 0))
        each.settimeout(lab.LIMIT)
        each.connect((VIRTUAL, PORT))
    names = []
    for number in range(24):
        each = sockets[number % clients]
        each.send(b"ping")
        names.append(each.recv(100).decode())
    for each in sockets:
        each.close()
    return sorted(names.count(name) for name in set(names))

lab.build()
lab.Servers().start()
found = {scheduler: asked(scheduler) for scheduler in sys.argv[1:]}
found["limited"] = asked("rr", "-x", "1")
json.dump(found, sys.stdout)
"""


@pytest.mark.kernel
def test_a_kernel_leads_all_datagrams_to_one_server_by_schedulers_that_count() -> None:
    schedulers = sorted(each.value for each in Scheduler if each not in UNMEASURED)
    files = {
        "balancing_lab.py": Path(balancing.__file__).with_name("balancing_lab.py").read_text("utf-8"),
        "measure.py": MEASUREMENT,
    }
    done = guest.run(["python3", "measure.py", *schedulers], timeout=900, files=files)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found.pop("limited") == [
        [12, 12],
        [12, 12],
    ]  # nor does a threshold of one connection hold anything up
    assert {Scheduler(name) for name, (one, _) in found.items() if one == [12, 12]} == SPREADING - UNMEASURED
    several = {Scheduler(name) for name, (one, twelve) in found.items() if one == [24] and len(twelve) == 2}
    assert several == BY_CLIENT
    nobody_else = {Scheduler(name) for name, counts in found.items() if counts == [[24], [24]]}
    assert nobody_else == COUNTING | ALIKE


@pytest.mark.parametrize("scheduler", [each for each in Scheduler if each in COUNTING])
def test_a_scheduler_that_counts_is_refused(scheduler: Scheduler) -> None:
    assert errors(spec(UDP, service(scheduler=scheduler.value))) == [("LVS319", "services.web.one_packet")]
    assert errors(spec(UDP, service(scheduler=scheduler.value, one_packet=False))) == []


@pytest.mark.parametrize("scheduler", [each for each in Scheduler if each not in COUNTING])
def test_a_scheduler_that_counts_nothing_is_not(scheduler: Scheduler) -> None:
    assert [
        code for code, _ in errors(spec(UDP, service(scheduler=scheduler.value))) if code == "LVS319"
    ] == []
