from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import Diagnostic
from lvsc.graph.traffic import PortRange
from lvsc.spec.table import Table, describe_seconds, parse_address, parse_duration

FILE = "cluster.toml"


def table(**values: object) -> Table:
    return Table(values, FILE, ("here",), [])


def problems(found: list[Diagnostic]) -> list[tuple[str, str]]:
    return [(d.code.id, ".".join(map(str, d.place.origin.path))) for d in found if d.place]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("1ms", 0.001),
        ("700ms", 0.7),
        ("999999999ms", 999999.999),
        ("90s", 90),
        ("5m", 300),
        ("2h", 7200),
        ("31d", 2678400),
        ("5", None),
        ("5 m", None),
        ("-5m", None),
        ("1.5s", None),
        ("5M", None),
        ("5m\n", None),
        ("1234567890s", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


@given(st.integers(0, 999_999_999))
def test_a_duration_is_the_nearest_number_to_its_milliseconds(count: int) -> None:
    assert parse_duration(f"{count}ms") == float(f"{count}e-3")


@given(st.integers(0, 99_999_999), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_described_duration_is_read_back(count: int, unit: str) -> None:
    seconds = parse_duration(f"{count}{unit}")
    assert seconds is not None
    assert parse_duration(describe_seconds(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.01, "10ms"),
        (40.95, "40950ms"),
        (1, "1s"),
        (90, "90s"),
        (300, "5m"),
        (86400, "1d"),
        (2678400, "31d"),
    ],
)
def test_a_duration_is_described_in_its_largest_unit(seconds: float, text: str) -> None:
    assert describe_seconds(seconds) == text


@pytest.mark.parametrize(
    ("text", "low", "high", "expected"),
    [
        ("2s", 1, 3, 2),
        ("1s", 1, 3, 1),
        ("3s", 1, 3, 3),
        ("999ms", 1, 3, None),
        ("4s", 1, 3, None),
        ("0s", 0, 3, 0),
    ],
)
def test_a_duration_lies_between_its_limits(
    text: str, low: float, high: float, expected: float | None
) -> None:
    there = table(wait=text)
    assert there.seconds("wait", low, high) == expected
    assert problems(there.problems) == ([] if expected is not None else [("LVS204", "here.wait")])


def test_an_absent_duration_is_no_problem() -> None:
    there = table()
    assert (there.seconds("wait", 1), there.whole_seconds("wait", 1)) == (None, None)
    assert there.problems == []


@pytest.mark.parametrize(("text", "expected"), [("2s", 2), ("2000ms", 2), ("2500ms", None), ("0s", None)])
def test_whole_seconds(text: str, expected: int | None) -> None:
    there = table(wait=text)
    value = there.whole_seconds("wait", 1, 10)
    assert value == expected
    assert isinstance(value, int) == (expected is not None)
    assert problems(there.problems) == ([] if expected is not None else [("LVS204", "here.wait")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", PortRange(80, 80)),
        ("1-65535", PortRange(1, 65535)),
        ("80-80", PortRange(80, 80)),
        ("0", None),
        ("0-80", None),
        ("65536", None),
        ("80-65536", None),
        ("90-80", None),
    ],
)
def test_ranges_of_ports(text: str, expected: PortRange | None) -> None:
    there = table(ports=text)
    assert there.port_range("ports") == expected
    assert problems(there.problems) == ([] if expected else [("LVS205", "here.ports")])


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("90-80", "put the lower port first: `80-90`"),
        ("70000-80", "ports are 1 to 65535"),
        ("90-0", "ports are 1 to 65535"),
    ],
)
def test_a_backwards_range_is_told_how_to_turn(text: str, advice: str) -> None:
    there = table(ports=text)
    there.port_range("ports")
    assert [problem.help for problem in there.problems] == [advice]


@pytest.mark.parametrize(
    "text",
    ["192.0.2.256", "192.0.2", "192.0.02.1", "fe80::1%eth0", "2001:db8::1::2", "", "host", "192.0.2.1/32"],
)
def test_what_is_no_address(text: str) -> None:
    there = table(ip=text)
    assert parse_address(text) is None
    assert there.address("ip") is None
    assert problems(there.problems) == [("LVS202", "here.ip")]


@pytest.mark.parametrize("text", ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1"])  # noqa: S104 - what is refused
def test_no_host_has_such_an_address(text: str) -> None:
    there = table(ip=["192.0.2.1", text], group=text)
    assert [str(address) for address in there.addresses("ip")] == ["192.0.2.1"]
    assert problems(there.problems) == [("LVS202", "here.ip.1")]
    # A multicast group is an address all the same.
    assert there.address("group") is not None


def test_one_address_written_in_two_ways_is_there_twice() -> None:
    there = table(ip=["2001:db8::1", "2001:DB8:0:0::1", "192.0.2.1"])
    assert len(there.addresses("ip")) == 2
    assert problems(there.problems) == [("LVS206", "here.ip.1")]


@pytest.mark.parametrize(
    ("text", "advice", "replacement"),
    [
        ("192.0.2.7/24", 'the network is "192.0.2.0/24"', '"192.0.2.0/24"'),
        ("2001:db8::1/64", 'the network is "2001:db8::/64"', '"2001:db8::/64"'),
        ("192.0.2.0/33", 'write a network address and a length, such as "192.0.2.0/24"', None),
        ("192.0.2/24", 'write a network address and a length, such as "192.0.2.0/24"', None),
    ],
)
def test_what_is_no_prefix(text: str, advice: str, replacement: str | None) -> None:
    there = table(prefixes=["198.51.100.0/24", text])
    assert [str(prefix) for prefix in there.prefixes("prefixes")] == ["198.51.100.0/24"]
    assert problems(there.problems) == [("LVS203", "here.prefixes.1")]
    assert (there.problems[0].help, there.problems[0].replacement) == (advice, replacement)


@pytest.mark.parametrize(
    ("get", "right", "wrong"),
    [
        (Table.text, "a", 1),
        (Table.integer, 1, True),
        (Table.integer, 1, "1"),
        (Table.boolean, True, 1),
    ],
)
def test_a_getter_gives_only_values_of_its_type(
    get: Callable[[Table, str], Any], right: object, wrong: object
) -> None:
    assert get(table(key=right), "key") == right
    assert get(table(key=wrong), "key") is None
    assert get(table(), "key") is None


def test_one_text_is_a_list_of_one() -> None:
    assert (table(key="a").texts("key"), table(key=["a", "b"]).texts("key"), table().texts("key")) == (
        ("a",),
        ("a", "b"),
        (),
    )


def test_keys_and_names_come_sorted() -> None:
    there = table(b={"y": {}, "x": {}}, a=1)
    assert list(there) == ["a", "b"]
    assert list(there.named("b")) == ["x", "y"]
    assert list(there.named("c")) == []


def test_what_is_within_knows_where_it_stands() -> None:
    there = table(one={"key": 1}, many=[{}, {"key": 2}], named={"x": {}})
    one = there.table("one")
    assert one is not None
    assert one.origin("key").path == ("here", "one", "key")
    assert there.tables("many")[1].origin("key").path == ("here", "many", 1, "key")
    assert there.named("named")["x"].origin().path == ("here", "named", "x")
    assert there.table("absent") is None
    assert "one" in there
    assert "absent" not in there


def test_problems_within_are_the_whole_documents() -> None:
    there = table(one={"ip": "x"})
    one = there.table("one")
    assert one is not None
    one.address("ip")
    assert problems(there.problems) == [("LVS202", "here.one.ip")]
