"""The script that reconciles the kernel's table, with a program in ipvsadm's place that keeps it in a file."""

import re
import shutil
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvsc.plugin import Feature, Node, Tunnel, TunnelType
from support import ipvsadm_table
from support.director import Director
from support.ipvs import connection_sync, persistent, server, service, timeouts, without

WEB = "tcp 192.0.2.10:80"
MAIL = "tcp 192.0.2.10:25"
DUAL: list[Node] = [
    service(WEB),
    server(WEB, "10.0.0.21", 80, upper=100),
    server(WEB, "10.0.0.22", 80),
    service("tcp [2001:db8::10]:80"),
    server("tcp [2001:db8::10]:80", "fd00:0:0:9::21", 8080),
    service("udp 192.0.2.10:53", one_packet=True),
    service("sctp 192.0.2.10:99", "rr"),
    service("mark 80", persistence=persistent()),
    server("mark 80", "10.0.0.21", 0, "direct"),
    service("mark 80 -6", persistence=persistent(60, 64)),
    server("mark 80 -6", "fd00::21", 0, "tunnel", lower=5, upper=9),
    server("mark 80 -6", "10.0.0.22", 0, "tunnel", tunnel=Tunnel(type=TunnelType.GUE, port=6080)),
]


def test_an_empty_kernel_gets_the_whole_table(each_awk: Director) -> None:
    each_awk.write(*DUAL)
    assert each_awk.start() == each_awk.read("ipvsadm.rules").splitlines()


def test_a_second_start_changes_nothing(director: Director) -> None:
    director.write(*DUAL, timeouts(), connection_sync())
    director.start()
    assert director.start() == []


def test_no_service_at_all_empties_the_table(director: Director) -> None:
    director.write(*DUAL)
    director.start()
    director.write(timeouts())
    assert {line[:2] for line in director.start()} == {"-D"}
    assert director.read("table") == ""


CHANGES = {
    "scheduler": (
        [service(WEB, "rr")],
        [service(WEB, "wrr")],
        ["-E -t 192.0.2.10:80 -s wrr"],
    ),
    "persistence ends": (
        [service(WEB, persistence=persistent(300, 24, "sip"))],
        [service(WEB)],
        ["-E -t 192.0.2.10:80 -s wlc"],
    ),
    "flags": (
        [service(WEB, "sh", flags=("sh-port",))],
        [service(WEB, "sh", flags=("sh-fallback",))],
        ["-E -t 192.0.2.10:80 -s sh -b sh-fallback"],
    ),
    "weight": (
        [service(WEB), server(WEB, "10.0.0.21", 80), server(WEB, "10.0.0.22", 80)],
        [service(WEB), server(WEB, "10.0.0.21", 80), server(WEB, "10.0.0.22", 80, weight=0)],
        ["-e -t 192.0.2.10:80 -r 10.0.0.22:80 -m -w 0"],
    ),
    "forwarding method": (
        [service(WEB), server(WEB, "10.0.0.21", 80)],
        [service(WEB), server(WEB, "10.0.0.21", 80, "direct")],
        ["-e -t 192.0.2.10:80 -r 10.0.0.21:80 -g -w 1"],
    ),
    "threshold set": (
        [service(WEB), server(WEB, "10.0.0.21", 80)],
        [service(WEB), server(WEB, "10.0.0.21", 80, upper=5)],
        ["-e -t 192.0.2.10:80 -r 10.0.0.21:80 -m -w 1 -x 5"],
    ),
    "threshold cleared": (
        [service("mark 8 -6"), server("mark 8 -6", "fd00::21", upper=5, lower=1)],
        [service("mark 8 -6"), server("mark 8 -6", "fd00::21", upper=5)],
        ["-e -f 8 -6 -r [fd00::21]:0 -m -w 1 -x 5"],
    ),
    "server's port": (
        [service(WEB), server(WEB, "10.0.0.21", 80)],
        [service(WEB), server(WEB, "10.0.0.21", 81)],
        ["-a -t 192.0.2.10:80 -r 10.0.0.21:81 -m -w 1", "-d -t 192.0.2.10:80 -r 10.0.0.21:80"],
    ),
    "service comes, service goes": (
        [service(WEB), server(WEB, "10.0.0.21", 80)],
        [service(MAIL), server(MAIL, "10.0.0.21", 25)],
        [
            "-A -t 192.0.2.10:25 -s wlc",
            "-a -t 192.0.2.10:25 -r 10.0.0.21:25 -m -w 1",
            "-D -t 192.0.2.10:80",
        ],
    ),
    "one family of a mark goes": (
        [service("mark 8"), service("mark 8 -6"), server("mark 8 -6", "fd00::21")],
        [service("mark 8")],
        ["-D -f 8 -6"],
    ),
}


@pytest.mark.parametrize(("before", "after", "changes"), CHANGES.values(), ids=CHANGES)
def test_only_the_difference_is_touched(
    director: Director, before: list[Node], after: list[Node], changes: list[str]
) -> None:
    rest = [service("mark 99"), server("mark 99", "10.9.9.9", upper=7)]
    director.write(*before, *rest)
    director.start()
    director.write(*after, *rest)
    assert director.start() == changes


def test_every_awk_finds_the_same_difference(each_awk: Director) -> None:
    each_awk.write(*DUAL)
    each_awk.start()
    each_awk.write(*DUAL[3:], service(WEB, "rr"), server(WEB, "10.0.0.22", 80, weight=5), service(MAIL))
    assert each_awk.start() == [
        "-A -t 192.0.2.10:25 -s wlc",
        "-E -t 192.0.2.10:80 -s rr",
        "-e -t 192.0.2.10:80 -r 10.0.0.22:80 -m -w 5",
        "-d -t 192.0.2.10:80 -r 10.0.0.21:80",
    ]
    assert each_awk.start() == []


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "busybox sh"])
def test_every_shell_runs_it(director: Director, shell: str) -> None:
    program = shell.split(maxsplit=1)[0]
    if shutil.which(program) is None:
        pytest.skip(f"no {program}: apt-get install {program}")
    director = replace(director, shell=shell)
    director.write(*DUAL[3:], connection_sync())
    assert director.start()
    assert director.start() == []
    director.put("ipvsadm", "#!/bin/sh\nexit 2\n")
    assert director.run().returncode != 0


def test_ipv6_addresses_are_the_same_however_they_are_shortened(each_awk: Director) -> None:
    each_awk.write(service("tcp [2001:db8:0:1:1:1:1:1]:80"))
    for spelling in ("2001:db8:0:1:1:1:1:1", "2001:db8::1:1:1:1:1"):
        each_awk.put("table", f"-A -t [{spelling}]:80 -s wlc\n")
        assert each_awk.start() == []
    addresses = ("2001::", "2001:db8::1", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::2:0:0:3")
    each_awk.write(*(service(f"tcp [{address}]:80") for address in addresses))
    each_awk.start()
    assert each_awk.start() == []


def test_an_ipip_tunnel_is_the_same_whether_its_type_is_said_or_not(director: Director) -> None:
    nodes = service(WEB), server(WEB, "10.0.0.21", 80, "tunnel", upper=5)
    director.write(*nodes)
    director.start()
    director.write(*nodes, target=without(Feature.IPVSADM_TUNNEL_TYPES))
    assert director.start() == []


def test_a_line_that_the_kernel_refuses_fails_the_start_and_is_shown(director: Director) -> None:
    director.write(service("mark 7", "twos"), server("mark 7", "10.0.0.21"), service("mark 8"))
    director.put("refuse", "-A -f 7 -s twos\n")
    result = director.run()
    assert result.returncode == 1
    assert result.stdout == ""
    assert "1 Scheduler or persistence engine not found" in result.stderr
    assert "1 Service not defined" in result.stderr
    assert result.stderr.endswith("it would still take:\n-A -f 7 -s twos\n-a -f 7 -r 10.0.0.21:0 -m -w 1\n")
    assert director.read("table") == "-A -f 8 -s wlc\n"


def test_a_complaint_fails_the_start_though_the_table_is_right(director: Director) -> None:
    director.write(service("mark 8"))
    program = director.read("ipvsadm")
    director.put(
        "ipvsadm", program.replace("sys.exit(", '"-R" in sys.argv and sys.stderr.write("odd"); sys.exit(')
    )
    result = director.run()
    assert result.returncode == 1
    assert "1 odd\n" in result.stderr


def test_a_long_list_of_refusals_is_cut_short(director: Director) -> None:
    nodes = [server("mark 7", f"10.0.1.{i}") for i in range(200)]
    director.write(service("mark 7", "twos"), *nodes)
    director.put("refuse", "-A -f 7 -s twos\n")
    result = director.run()
    assert result.returncode == 1
    assert "200 Service not defined" in result.stderr
    assert len(result.stderr.splitlines()) < 30


def test_a_missing_rules_file_leaves_the_table_alone(each_awk: Director) -> None:
    each_awk.write(*DUAL)
    each_awk.start()
    table = each_awk.read("table")
    (each_awk.root / "ipvsadm.rules").unlink()
    result = each_awk.run()
    assert result.returncode != 0
    assert "ipvsadm.rules" in result.stderr
    assert each_awk.read("table") == table


def test_an_ipvsadm_that_fails_fails_the_start(director: Director) -> None:
    director.write(*DUAL)
    director.put("ipvsadm", "#!/bin/sh\necho 'no ip_vs in this kernel' >&2\nexit 2\n")
    for action in ("start", "stop"):
        result = director.run(action)
        assert result.returncode != 0
        assert "no ip_vs in this kernel" in result.stderr


def test_stop_empties_the_table_and_ends_the_daemons(director: Director) -> None:
    director.write(*DUAL[:4], connection_sync())
    director.start()
    for _ in range(2):
        result = director.run("stop")
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        assert (director.read("table"), director.read("daemons")) == ("", "")


def test_another_word_than_start_and_stop_is_wrong_usage(director: Director) -> None:
    director.write(*DUAL)
    result = director.run("restart")
    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(r"usage: \S+ start \| stop\n", result.stderr)


# --- time-outs and daemons ---------------------------------------------------------------------------------------


def test_timeouts_are_set(director: Director) -> None:
    director.write(timeouts(600, 0, 30))
    director.start()
    assert director.read("timeouts") == "600 0 30"


def test_both_daemons_run_and_are_left_alone_while_nothing_changes(director: Director) -> None:
    director.write(connection_sync("eth1", 51))
    assert director.start() == ["--start-daemon master", "--start-daemon backup"]
    assert director.read("daemons") == (
        "master sync daemon (mcast=eth1, syncid=51, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n"
        "backup sync daemon (mcast=eth1, syncid=51, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n"
    )
    assert director.start() == []


def test_daemons_with_other_parameters_are_restarted(director: Director) -> None:
    director.write(connection_sync("eth1", 51))
    director.start()
    director.write(connection_sync("eth1", 5))
    assert director.start() == [
        "--stop-daemon master",
        "--stop-daemon backup",
        "--start-daemon master",
        "--start-daemon backup",
    ]


def test_daemons_stop_before_a_table_that_they_exclude_and_start_after_one(director: Director) -> None:
    mixed = service(WEB), server(WEB, "fd00::21", 80, "tunnel")
    director.write(connection_sync("no"))
    director.start()
    director.write(*mixed)
    assert [line[:14] for line in director.start()] == [
        "--stop-daemon ",
        "--stop-daemon ",
        "-A -t 192.0.2.",
        "-a -t 192.0.2.",
    ]
    director.write(connection_sync("no"))
    assert director.start() == ["-D -t 192.0.2.10:80", "--start-daemon master", "--start-daemon backup"]


# --- from any table to any other ---------------------------------------------------------------------------------

NAMES = ("tcp 10.0.0.1:80", "tcp 10.0.0.1:443", "udp [fd00::1]:53", "mark 1", "mark 1 -6")
REAL = {4: ("10.1.0.1", "10.1.0.2", "200.0.0.1"), 6: ("fd00:1::1", "fd00:1:0:0:1::2")}


@st.composite
def tables(draw: st.DrawFn) -> list[Node]:
    nodes: list[Node] = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        persistence = draw(st.sampled_from([None, persistent(60, 24), persistent(60, 32)]))
        owner = service(name, draw(st.sampled_from(["rr", "wlc"])), persistence=persistence)
        nodes.append(owner)
        for address in draw(st.lists(st.sampled_from(REAL[owner.selector.family.value]), unique=True)):
            upper = draw(st.sampled_from([0, 5]))
            weight = draw(st.sampled_from([0, 1]))
            nodes.append(server(name, address, draw(st.sampled_from([53, 54])), weight=weight, upper=upper))
    return nodes


# The table stays from one example to the next, which is the point: each starts where the last one ended.
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes=tables())
def test_any_table_becomes_any_other(director: Director, nodes: list[Node]) -> None:
    director.write(*nodes, timeouts())
    director.start()
    assert ipvsadm_table.read(director.read("table")) == ipvsadm_table.read(director.read("ipvsadm.rules"))
    assert director.start() == []


def test_ten_thousand_servers_take_seconds(each_awk: Director) -> None:
    nodes: list[Node] = []
    for i in range(1_000):
        name = f"tcp 10.{i // 250}.{i % 250}.1:80"
        nodes.append(service(name))
        nodes += [server(name, f"172.16.{i % 250}.{j}", 8000 + i // 250) for j in range(10)]
    each_awk.write(*nodes)
    assert len(each_awk.start()) == 11_000
    assert each_awk.read("table").count("\n") == 11_000
    assert each_awk.start() == []
