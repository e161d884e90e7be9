"""Laws of the reader: it reads what was emitted, notices what was changed, and says so for whatever it is given."""

import re
from ipaddress import ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lvsc.plugin import Accept, Hook, HostGraph, HostPart, Node, PacketRule, Protocol, Reading, Source
from lvsc.targets import load
from lvsc_iptables.backend import Iptables
from support.examples import EXAMPLES, TARGETS, outcome
from support.nodes import HOST, accept, helper, marking, no_track, source_nat, traffic
from support.strategies import BOTH_FILTERS, parts
from support.text_mutations import Mutant, mutants

VIP = "192.0.2.10"
MACS = ("02:00:00:00:00:0a", "02:00:00:00:00:0b")
NODES: tuple[PacketRule, ...] = (
    *(marking(traffic(dst=VIP, dport=dport)) for dport in ("80", "443", "8000-8010")),
    marking(traffic(dst=VIP, dport="53", protocol=Protocol.UDP), 53, "dns"),
    marking(traffic(dst="192.0.2.11", protocol=Protocol.SCTP), 54, "sctp"),
    marking(traffic(dst=VIP, sport="1024-65535", dport="1", not_macs=MACS), 9, "macs"),
    marking(traffic(Hook.OUTPUT, dst=VIP, dport="80", interface="lo"), 0x7FFFFFFF),
    *(no_track(traffic(dst=VIP, dport=dport), "direct") for dport in ("81", "82")),
    no_track(traffic(Hook.OUTPUT, dst=VIP, dport="81"), "direct"),
    helper(traffic(dst=VIP, dport="21")),
    source_nat(traffic(Hook.POSTROUTING, src="198.51.100.0/24", sport="20", interface="eth0"), VIP),
    source_nat(traffic(Hook.POSTROUTING, dst="10.0.0.1", original_dst=VIP, original_dport="80"), VIP, "full"),
    source_nat(traffic(Hook.POSTROUTING, original_dst="192.0.2.0/28", original_dport="90-99"), VIP, "full"),
    *(accept(traffic(hook, dst=VIP, dport="80")) for hook in (Hook.INPUT, Hook.FORWARD)),
)


def emitted(part: HostPart) -> list[Source]:
    """The restore files of a host."""
    return [
        Source(host=part.host, file=artifact.path, text=artifact.text)
        for artifact in Iptables().emit(part).artifacts
        if "/iptables.v" in artifact.path
    ]


def read_all(part: HostPart) -> tuple[Node, ...]:
    """The nodes of what is emitted for a host, which must be all that is read."""
    found: list[Node] = []
    for source in emitted(part):
        assert Iptables().recognises(source)
        reading = Iptables().read(source)
        assert (reading.foreign, reading.problems) == ((), ())
        found += reading.nodes
    return tuple(found)


def host_part(nodes: tuple[PacketRule, ...]) -> HostPart:
    return HostPart(cluster="red-hat", graph=HostGraph(HOST, nodes), target=load("debian12"))


@given(parts((*BOTH_FILTERS, Accept)))
def test_what_is_read_is_what_was_emitted(nodes: tuple[PacketRule, ...]) -> None:
    part = host_part(nodes)
    assert list(Iptables().check(part)) == []
    found = read_all(part)
    assert len(found) == len(nodes)
    assert set(found) == set(nodes)
    services = {node: node.service for node in nodes}
    assert all(isinstance(node, PacketRule) and node.service == services[node] for node in found)


def test_a_condition_that_everything_meets_is_none() -> None:
    said = marking(traffic(dst="0.0.0.0/0", src="0.0.0.0/0", sport="0-65535", dport="1-65535"))
    assert set(read_all(host_part((said,)))) == {marking(traffic())}
    original = source_nat(traffic(Hook.POSTROUTING, original_dst="0.0.0.0/0", original_dport="0-65535"), VIP)
    (read,) = read_all(host_part((original,)))
    assert isinstance(read, PacketRule)
    assert read.traffic.original_destination == ip_network("0.0.0.0/0")
    assert read.traffic.original_destination_ports is None


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_read_back(example: str) -> None:
    read = 0
    for target in TARGETS:
        for director in ("keepalived", "ipvsadm"):
            compiled = outcome(example, target, ("iptables", director)).compiled
            host_parts = compiled.parts.items() if compiled is not None else ()
            for part in (
                part for backend, found in host_parts if backend.name == "iptables" for part in found
            ):
                assert set(read_all(part)) == set(part.graph)
                read += 1
    assert read


# --- mutations -----------------------------------------------------------------------------------------------------------


def facts(reading: Reading) -> object:
    return set(reading.nodes), {found.text for found in reading.foreign}, reading.problems


def changes_nothing(mutant: Mutant) -> bool:
    """Whether the change is one that no packet can tell: comments, counters, what is behind a prefix, the order of rules
    that do not meet."""
    line, column = mutant.line, mutant.column
    comment = re.search(r'"[^"]*"', line)
    counters = re.search(r"\[0:0\]", line)
    return (
        line.startswith("#")
        or (comment is not None and comment.start() < column < comment.end() - 1)
        or (
            counters is not None
            and column > counters.start()
            and re.search("`[0-9]+`$", mutant.change) is not None
        )
        or re.match("[0-9]+/(24|28)", line[column:]) is not None
        or (mutant.change in ("doubled", "moved down") and line.startswith("-A "))
        or (mutant.change == "moved down" and line.startswith((":", "COMMIT")))
        or (mutant.change == "left out" and " ACCEPT [" in line)
    )


@pytest.mark.parametrize("dumped", [False, True], ids=["restore file", "dump"])
def test_every_change_of_a_word_is_noticed(dumped: bool) -> None:
    (source,) = emitted(host_part(NODES))
    text = as_dump(source.text) if dumped else source.text
    before = facts(Iptables().read(Source(host=HOST, file=source.file, text=text)))
    assert before == (set(NODES), set(), ())
    noticed = 0
    missed = []
    for mutant in mutants(text):
        reading = Iptables().read(Source(host=HOST, file=source.file, text=mutant.text))
        if facts(reading) != before:
            noticed += 1
        elif not changes_nothing(mutant):
            missed.append(f"{mutant.change}: {mutant.line}")
    assert missed == []
    assert noticed > 1500


JUMPS = {
    "raw": ("-A PREROUTING -j LVSC-CONNTRACK", "-A OUTPUT -j LVSC-CONNTRACK-OUT"),
    "mangle": ("-A PREROUTING -j LVSC-MARK", "-A OUTPUT -j LVSC-MARK-OUT"),
    "nat": ("-A POSTROUTING -j LVSC-SNAT",),
    "filter": ("-A INPUT -j LVSC-INPUT", "-A FORWARD -j LVSC-FORWARD"),
}


def as_dump(text: str) -> str:
    """A restore file as iptables-save would print it once its script has run."""
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line)
        if line.startswith("*"):
            jumps = JUMPS[line[1:]]
            lines += [f":{jump.split()[1]} ACCEPT [0:0]" for jump in jumps]
        elif line.startswith("#"):
            lines.append("# Generated by iptables-save v1.8.9 on Thu Jan  1 00:00:00 1970")
        elif line.startswith(":") and jumps:
            lines += [jump for jump in jumps if jump.endswith(f" {line.split()[0][1:]}")]
    return "".join(f"{line}\n" for line in lines)


# --- whatever it is given ------------------------------------------------------------------------------------------------


def judge(text: str) -> None:
    """Read a text, which must come to a reading with its problems in lines that the text has."""
    source = Source(host=HOST, file="dump", text=text)
    Iptables().recognises(source)
    reading = Iptables().read(source)
    lines = text.count("\n") + 1
    for problem in reading.problems:
        assert problem.place is not None
        assert problem.message == problem.message.strip()
        assert "\n" not in problem.message
        assert 1 <= (problem.place.origin.line or 0) <= lines


_PIECES = st.sampled_from(
    (
        *'*:-"\\[]!# \t,\n\r\0',
        *(
            "*mangle\n",
            ":LVSC-MARK - [0:0]\n",
            ":PREROUTING ACCEPT\n",
            "COMMIT\n",
            "-A LVSC-MARK ",
            "-A PREROUTING ",
        ),
        *(
            "-j ",
            "-g ",
            "LVSC-MARK",
            "MARK",
            "--set-xmark ",
            "0x1/0xffffffff",
            "-m ",
            "comment --comment ",
            "tcp ",
        ),
        *(
            "-p ",
            "-s ",
            "::1",
            "1.2.3.4/33",
            "--dports 1,",
            "65536",
            "٣",
            "\u2028",
            "-A X -j X\n",
            ":X - [0:0]\n",
        ),
    )
)


@pytest.mark.odd_texts
@given(st.one_of(st.text(), st.lists(_PIECES, max_size=40).map("".join)))
@example("*mangle\n:LVSC-MARK - [0:0]")
def test_any_text_is_read(text: str) -> None:
    judge(text)


@given(st.data())
def test_any_damage_is_read(data: st.DataObject) -> None:
    (source,) = emitted(host_part(NODES))
    text = data.draw(st.sampled_from((source.text, as_dump(source.text))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text = (
            text[:at]
            + data.draw(st.one_of(st.text(max_size=3), _PIECES))
            + text[at + data.draw(st.integers(0, 40)) :]
        )
    judge(text)


def test_twenty_thousand_rules_are_read() -> None:
    nodes = [
        marking(
            traffic(dst=f"198.18.{number // 256}.{number % 256}", dport=dport),
            number + 1,
            f"service-{number}",
        )
        for number in range(10_000)
        for dport in ("80", "10000-20000")
    ]
    (source,) = emitted(host_part(tuple(nodes)))
    reading = Iptables().read(source)
    assert len(reading.nodes) == len(nodes)
