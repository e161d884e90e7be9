"""What the reader makes of tables, listings and scripts."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.plugin import (
    HostGraph,
    HostPart,
    Node,
    Reading,
    RealServer,
    Role,
    Source,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    VirtualService,
)
from lvsc.targets import load
from lvsc_ipvsadm import rules, script
from lvsc_ipvsadm.backend import Ipvsadm
from support import director_strategies as directors
from support import examples
from support.director_mutations import mutations
from support.ipvs import HOST, connection_sync, part, persistent, server, service, timeouts

TARGETS = ("rhel7", "debian12", "arch")
IPVSADM = Ipvsadm()
WEB = "tcp 192.0.2.10:80"
GUE = Tunnel(type=TunnelType.GUE, port=6080, checksum=TunnelChecksum.REMOTE)


def read(text: str, host: str = HOST) -> Reading:
    source = Source(host=host, file="table", text=text)
    assert IPVSADM.recognises(source)
    return IPVSADM.read(source)


def read_back(part: HostPart) -> Reading:
    """What is read from all that is emitted for a part."""
    readings = []
    for artifact in IPVSADM.emit(part).artifacts:
        source = Source(host=part.host, file=artifact.path, text=artifact.text)
        if IPVSADM.recognises(source):
            readings.append(IPVSADM.read(source))
    return Reading(
        nodes=tuple(node for reading in readings for node in reading.nodes),
        foreign=tuple(one for reading in readings for one in reading.foreign),
        problems=tuple(problem for reading in readings for problem in reading.problems),
    )


def emitted(*nodes: Node, path: str) -> str:
    return next(artifact.text for artifact in IPVSADM.emit(part(*nodes)).artifacts if artifact.path == path)


def parts_of(example: str) -> list[HostPart]:
    """The example's parts for this backend."""
    compiled = examples.outcome(example, None, ("iptables", "ipvsadm")).compiled
    if compiled is None:
        return []
    return [one for backend, found in compiled.parts.items() if backend.name == "ipvsadm" for one in found]


def tables_of(example: str) -> list[HostPart]:
    """The IPVS table of each director of the example, whatever its director backend is."""
    parts = examples.compiled(example).parts
    return [
        HostPart(
            cluster=example,
            graph=HostGraph(one.host, (n for n in one.graph if isinstance(n, VirtualService | RealServer))),
            target=one.target,
        )
        for backend, found in parts.items()
        if backend.role is Role.DIRECTOR
        for one in found
    ]


EXAMPLES = [example for example in examples.EXAMPLES if parts_of(example)]


@pytest.mark.parametrize("target", TARGETS)
@given(pieces=directors.ipvsadm_directors())
def test_what_is_emitted_reads_as_it_was_meant(target: str, pieces: list[directors.Nodes]) -> None:
    part = directors.accepted(IPVSADM, load(target), pieces)
    found = read_back(part)
    assert (found.foreign, found.problems) == ((), ())
    assert set(found.nodes) == set(part.graph)


def test_each_node_knows_the_line_that_it_was_read_from() -> None:
    found = read("-A -t 192.0.2.10:80 -s wlc\n-a -t 192.0.2.10:80 -r 10.0.0.21:80 -m -w 1\n")
    assert [(node.origin.file, node.origin.line, node.origin.column) for node in found.nodes] == [
        ("table", 1, 1),
        ("table", 2, 1),
    ]
    named, real = found.nodes
    assert isinstance(named, VirtualService)
    assert isinstance(real, RealServer)
    assert (named.service, real.name) == ("tcp 192.0.2.10:80", "10.0.0.21")


SPELLINGS: dict[str, tuple[str, list[Node]]] = {
    "defaults": (
        "-A -t 192.0.2.10:80\n-a -t 192.0.2.10:80 -r 10.0.0.21:80\n",
        [service(WEB), server(WEB, "10.0.0.21", forwarding="direct")],
    ),
    "long options, and the program's name": (
        (
            "ipvsadm --add-service --tcp-service 192.0.2.10:80 --scheduler wrr --persistent 60 --netmask 255.255.255.0\n"
            "ipvsadm --add-server --tcp-service 192.0.2.10:80 --real-server 10.0.0.21:8080 --masquerading --weight 3\n"
        ),
        [
            service(WEB, "wrr", persistence=persistent(60, 24)),
            server(WEB, "10.0.0.21", 8080, weight=3),
        ],
    ),
    "flags by their bits": (
        "-A -f 80 -6 -s mh -b flag-2,flag-1\n",
        [service("mark 80 -6", "mh", flags=("mh-fallback", "mh-port"))],
    ),
    "flags by their names": (
        "-A -u 192.0.2.10:53 -s sh -o -b sh-port\n",
        [service("udp 192.0.2.10:53", "sh", flags=("sh-port",), one_packet=True)],
    ),
    "ipvsadm before tunnels had types": (
        "-A -t 192.0.2.10:80 -s rr\n-a -t 192.0.2.10:80 -r 10.0.0.21:80 -i -w 1\n",
        [service(WEB, "rr"), server(WEB, "10.0.0.21", forwarding="tunnel")],
    ),
    "a tunnel of another type": (
        (
            "-A -t 192.0.2.10:80 -s rr\n"
            "-a -t 192.0.2.10:80 -r [fd00::21]:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum\n"
        ),
        [service(WEB, "rr"), server(WEB, "fd00::21", forwarding="tunnel", tunnel=GUE)],
    ),
    "a mask of no bits": (
        "-A -t 192.0.2.10:0 -s rr -p 60 -M 0.0.0.0 --pe sip\n",
        [service("tcp 192.0.2.10:0", "rr", persistence=persistent(60, 0, "sip"))],
    ),
}


@pytest.mark.parametrize(("text", "nodes"), SPELLINGS.values(), ids=SPELLINGS)
def test_other_spellings_say_the_same(text: str, nodes: list[Node]) -> None:
    found = read(text)
    assert found.problems == ()
    assert set(found.nodes) == set(nodes)


A = "-A -t 192.0.2.10:80 -s wlc"
R = "-a -t 192.0.2.10:80 -r 10.0.0.21:80 -m"
PROBLEMS = {
    "comment": (f"{A}\n# a comment", (2, 1), "IPV101", "`#` adds nothing to a table"),
    "blank line": (f"{A}\n\n{R}", (2, 1), "IPV101", "the line is empty"),
    "not ASCII": (f"{A} -o\u00a0", (1, 1), "IPV101", "not printable ASCII"),
    "removal": (f"{A}\n-D -t 192.0.2.10:80", (2, 1), "IPV101", "`-D` adds nothing to a table"),
    "unknown option": (f"{A} --rate 3", (1, 28), "IPV102", "`--rate` is no option"),
    "server's option of a service": (f"{A} -w 3", (1, 28), "IPV102", "`-w` is no option"),
    "option twice": (f"{A} -s rr", (1, 28), "IPV102", "`-s` is there twice"),
    "no kind of service": ("-A -q 192.0.2.10:80", (1, 4), "IPV102", "`-q` is no kind of virtual service"),
    "two methods": (f"{A}\n{R} -g", (2, 40), "IPV102", "two forwarding methods"),
    "tunnel of nat": (f"{A}\n{R} --tun-type gre", (2, 40), "IPV102", "only the forwarding method `-i`"),
    "name of a host": ("-A -t www:80", (1, 7), "IPV103", "`www:80` is not an address and port"),
    "name of a port": ("-A -t 192.0.2.10:http", (1, 7), "IPV103", "is not an address and port"),
    "IPv6 without brackets": ("-A -t 2001:db8::1:80", (1, 7), "IPV103", "is not an address and port"),
    "IPv4 in brackets": ("-A -t [192.0.2.10]:80", (1, 7), "IPV103", "is not an address and port"),
    "IPv4 as IPv6": ("-A -t [::ffff:192.0.2.10]:80", (1, 7), "IPV103", "is not an IPv6 address that"),
    "negative mark": ("-A -f -1 -s rr", (1, 7), "IPV103", "`-1` is not a mark from 1 to 2147483647"),
    "port too large": ("-A -t 192.0.2.10:65536", (1, 7), "IPV103", "is not an address and port"),
    "scheduler": ("-A -t 192.0.2.10:80 -s best", (1, 24), "IPV103", "`best` is not a scheduler"),
    "option without value": (
        f"{A} -p",
        (1, 30),
        "IPV103",
        "a number of seconds from 1 to 2678400 is missing",
    ),
    "broken mask": (f"{A} -p 60 -M 255.0.255.0", (1, 37), "IPV103", "`255.0.255.0` is not a mask"),
    "mask alone": (f"{A} -M 255.255.255.0", (1, 28), "IPV103", "`-M` does nothing without `-p`"),
    "flag of another scheduler": (f"{A} -b sh-port", (1, 31), "IPV103", "flags of the scheduler wlc"),
    "every port, not persistent": ("-A -t 192.0.2.10:0", (1, 7), "IPV103", "a service on every port is"),
    "one packet of tcp": (f"{A} -o", (1, 28), "IPV103", "one-packet scheduling is for UDP"),
    "port that is replaced": (
        f"{A}\n-a -t 192.0.2.10:80 -r 10.0.0.21:81 -g",
        (2, 24),
        "IPV103",
        "packets go to port 80",
    ),
    "other family": (
        f"{A}\n-a -t 192.0.2.10:80 -r [fd00::1]:80 -m",
        (2, 24),
        "IPV103",
        "another address family",
    ),
    "thresholds": (f"{A}\n{R} -x 1 -y 2", (2, 48), "IPV103", "the lower threshold is above"),
    "service twice": (
        f"{A}\n-A -t 192.0.2.10:80 -s rr",
        (2, 1),
        "IPV104",
        "tcp 192.0.2.10:80 is there twice",
    ),
    "server twice": (f"{A}\n{R}\n{R} -w 2", (3, 1), "IPV104", "has the real server 10.0.0.21 port 80 twice"),
    "server of no service": (R, (1, 1), "IPV104", "is not in the text before its real server"),
}


@pytest.mark.parametrize(("text", "place", "code", "message"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_not_understood_is_a_problem_at_its_word(
    text: str, place: tuple[int, int], code: str, message: str
) -> None:
    (problem,) = read(text).problems
    assert problem.place is not None
    origin = problem.place.origin
    assert ((origin.line, origin.column), problem.code.id) == (place, code)
    assert message in problem.message
    assert problem.help


# --- the listing -------------------------------------------------------------------------------------------------

LISTING = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn
  -> RemoteAddress:Port
TCP  192.0.2.10:80 wlc
  -> 10.0.0.21:80                 100        50         0          0
FWM  80 IPv6 rr
  -> [fd00::21]:0                 7          0          0          0
"""
TABLE = f"{A}\n{R} -w 1\n-A -f 80 -6 -s rr\n-a -f 80 -6 -r [fd00::21]:0 -g -w 1\n"


def test_a_listing_behind_a_table_says_the_thresholds() -> None:
    found = read(TABLE + LISTING)
    assert found.problems == ()
    assert set(found.nodes) == {
        service(WEB),
        server(WEB, "10.0.0.21", upper=100, lower=50),
        service("mark 80 -6", "rr"),
        server("mark 80 -6", "fd00::21", forwarding="direct", upper=7),
    }


NOSORT = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  192.0.2.10:80 sh (sh-port) persistent 300
  -> 10.0.0.21:80                 Masq    1      0          0
  -> 10.0.0.23:80                 Masq    1      0          0
  -> 10.0.0.22:80                 Masq    1      0          0
FWM  80 IPv6 wlc
  -> [fd00::22]:0                 Route   1      0          0
  -> [fd00::21]:0                 Route   1      0          0
"""


def test_a_listing_that_is_not_sorted_says_the_order_in_which_servers_were_added() -> None:
    table = f"-A -t {WEB.split()[1]} -s sh\n" + "".join(
        f"-a -t 192.0.2.10:80 -r 10.0.0.{last}:80 -m -w 1\n" for last in (21, 22, 23)
    )
    table += "-A -f 80 -6 -s wlc\n" + "".join(
        f"-a -f 80 -6 -r [fd00::{last}]:0 -g -w 1\n" for last in (21, 22)
    )
    limits = NOSORT.replace("Scheduler Flags", "Uthreshold Lthreshold").replace("Masq    1", "0 0")
    found = read(table + limits.replace("Route   1", "0 0") + NOSORT)
    assert found.problems == ()
    assert [str(node.address) for node in found.nodes if isinstance(node, RealServer)] == [
        *("10.0.0.22", "10.0.0.23", "10.0.0.21"),
        *("fd00::21", "fd00::22"),
    ]


def test_without_a_listing_a_table_says_what_restoring_it_would_make() -> None:
    assert {node.upper_threshold for node in read(TABLE).nodes if isinstance(node, RealServer)} == {0}


@pytest.mark.parametrize(
    ("table", "listing", "message"),
    [
        pytest.param(TABLE, LISTING.replace("10.0.0.21", "10.0.0.22"), "no such real server", id="server"),
        pytest.param(TABLE, LISTING.replace("FWM  80", "FWM  81"), "no such service", id="service"),
        pytest.param(f"{A}\n", LISTING, "the table has no", id="listing of more"),
        pytest.param(TABLE, LISTING.replace("100  ", "many "), "`many` is not a threshold", id="no number"),
        pytest.param(TABLE, f"{LISTING}ICMP 192.0.2.1:0\n", "`ICMP` begins no line", id="another line"),
    ],
)
def test_a_listing_of_another_table_is_a_problem(table: str, listing: str, message: str) -> None:
    problems = read(table + listing).problems
    assert any(message in problem.message for problem in problems), problems


def test_a_listing_alone_is_one_of_an_empty_table() -> None:
    reading = read("".join(LISTING.splitlines(keepends=True)[:3]))
    assert (reading.nodes, reading.problems) == ((), ())


# --- the script --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param([], id="nothing"),
        pytest.param([timeouts(0, 0, 0)], id="time-outs"),
        pytest.param([connection_sync()], id="synchronisation"),
        pytest.param([connection_sync(max_length=900, group="ff02::81")], id="with a short length"),
        pytest.param(
            [connection_sync(max_length=1472, port=8848, ttl=1, group="224.0.0.81"), timeouts()],
            id="with the kernel's own values",
        ),
    ],
)
def test_a_script_says_what_it_sets(nodes: list[Node]) -> None:
    found = read(emitted(service(WEB), *nodes, path=script.PATH))
    assert found.problems == ()
    assert set(found.nodes) == set(nodes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('"$ipvsadm" -C', "true", id="another command"),
        pytest.param("\tload\n", "\tload\n\treboot\n", id="one more command"),
        pytest.param("\tload\n", "", id="one command less"),
        pytest.param("--set 900 120 300", "--set 900 120 `id`", id="no number"),
        pytest.param("start_daemon master", "start_daemon backup", id="another daemon"),
        pytest.param("--syncid 51", "--syncid 52", id="a daemon's options"),
        pytest.param('unsaid="--sync-maxlen 1472', 'unsaid="--sync-maxlen 1473', id="the kernel's own"),
        pytest.param("case ${1:-} in\n", "", id="its end"),
        pytest.param("ipvsadm=/sbin/ipvsadm\n", "ipvsadm=/bin/true\n", id="another program"),
    ],
)
def test_a_script_that_is_another_one_is_a_problem_alone(old: str, new: str) -> None:
    text = emitted(service(WEB), timeouts(), connection_sync(), path=script.PATH)
    assert old in text
    found = read(text.replace(old, new, 1))
    assert (found.nodes, [problem.code.id for problem in found.problems]) == ((), ["IPV106"])


# --- mutations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_changed_token_of_an_example_goes_unseen(example: str) -> None:
    for one in parts_of(example):
        for artifact in IPVSADM.emit(one).artifacts[:2]:
            meant = set(read(artifact.text, one.host).nodes)
            for mutation in mutations(artifact.text):
                source = Source(host=one.host, file=artifact.path, text=mutation.text)
                if not IPVSADM.recognises(source):
                    continue
                found = IPVSADM.read(source)
                assert found.problems or set(found.nodes) != meant, mutation


@pytest.mark.odd_texts
@given(
    st.text() | st.lists(st.sampled_from(re.findall(r"\S+|\n", TABLE + LISTING)), max_size=40).map(" ".join)
)
def test_no_text_is_too_odd_for_the_reader(text: str) -> None:
    source = Source(host=HOST, file="table", text=text)
    assert isinstance(IPVSADM.read(source), Reading)


@pytest.mark.odd_texts
@given(st.data())
def test_no_damage_to_a_script_is_too_odd_for_the_reader(data: st.DataObject) -> None:
    text = emitted(timeouts(), connection_sync(), path=script.PATH)
    start = data.draw(st.integers(len(text) - 700, len(text)))
    end = data.draw(st.integers(start, min(start + 40, len(text))))
    damaged = text[:start] + data.draw(st.text(max_size=8)) + text[end:]
    found = read(damaged)
    assert found.problems or damaged.splitlines() == text.splitlines() or found.nodes


# --- a kernel's own dumps ----------------------------------------------------------------------------------------


@pytest.mark.kernel
def test_what_a_kernel_saves_reads_as_what_was_loaded() -> None:
    from support import guest  # noqa: PLC0415 - only this test boots one

    tables = [table for example in examples.EXAMPLES for table in tables_of(example)]
    tables.append(
        part(
            service(WEB, "sh", flags=("sh-fallback", "sh-port"), persistence=persistent(60, 24)),
            server(WEB, "10.0.0.21", 8080, weight=3, upper=100, lower=50),
            server(WEB, "10.0.0.22", forwarding="direct", weight=0),
            server(WEB, "fd00::23", forwarding="tunnel", tunnel=GUE, upper=7),
            service("tcp [2001:db8::10]:0", "mh", flags=("mh-port",), persistence=persistent(60, 64)),
            server("tcp [2001:db8::10]:0", "fd00::21", 0, "tunnel"),
            service("udp 192.0.2.10:5060", one_packet=True),
            service("mark 80 -6", "fo"),
            server("mark 80 -6", "fd00::21", forwarding="direct"),
        )
    )
    texts = [
        next(one.text for one in IPVSADM.emit(table).artifacts if one.path == rules.PATH) for table in tables
    ]
    done = guest.run(
        [
            "sh",
            "-euc",
            (
                "for module in ipv6 ip_vs; do $MODPROBE $module; done\n"
                f"for n in $(seq 0 {len(texts) - 1}); do\n"
                "ipvsadm -C; ipvsadm -R < /mnt/$n; ipvsadm -Sn; echo ===; ipvsadm -Ln --thresholds; echo ---\n"
                "done"
            ),
        ],
        timeout=300,
        files={str(number): text for number, text in enumerate(texts)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    dumps = done.stdout.split("---\n")[:-1]
    for given_part, dump in zip(tables, dumps, strict=True):
        saved, listed = dump.split("===\n")
        meant = {node for node in given_part.graph if isinstance(node, VirtualService | RealServer)}
        bare = {
            replace(node, upper_threshold=0, lower_threshold=0) if isinstance(node, RealServer) else node
            for node in meant
        }
        alone = read(saved, given_part.host)
        assert (set(alone.nodes), alone.problems) == (bare, ())
        complete = read(saved + listed, given_part.host)
        assert (set(complete.nodes), complete.problems) == (meant, ())
