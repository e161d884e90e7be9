from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.lowering.marks import KUBERNETES_BITS, derived_mark
from lvsc.spec.model import MarkRange
from support.specs import DUAL, Layer, found, lowered, service, spec

LAST = 0x7FFFFFFF
DEFAULT = MarkRange(first=0x10000000, last=LAST)

names = st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True)
ranges = st.tuples(st.integers(1, LAST), st.integers(0, 0x20000)).map(
    lambda both: MarkRange(first=both[0], last=min(both[0] + both[1], LAST))
)


@given(names, ranges)
def test_a_derived_mark_lies_in_its_range(name: str, marks: MarkRange) -> None:
    assert marks.first <= derived_mark(name, marks) <= marks.last


@given(names, ranges)
def test_a_derived_mark_has_none_of_kubernetes_bits_where_the_range_allows(
    name: str, marks: MarkRange
) -> None:
    free = any(not number & KUBERNETES_BITS for number in range(marks.first, marks.last + 1, 0x1000))
    free = free or not marks.first & KUBERNETES_BITS or not marks.last & KUBERNETES_BITS
    if free:
        assert not derived_mark(name, marks) & KUBERNETES_BITS


@pytest.mark.parametrize(
    ("first", "last"), [(0x4000, 0xFFFF), (0x14000, 0x14000), (0x1C000, 0x1FFFF)], ids=["all", "one", "some"]
)
def test_where_all_have_kubernetes_bits_one_of_them_is_taken(first: int, last: int) -> None:
    marks = MarkRange(first=first, last=last)
    assert all(first <= derived_mark(name, marks) <= last for name in map(str, range(100)))


def test_every_free_number_is_reached() -> None:
    marks = MarkRange(first=0x3FF0, last=0x1000F)
    free = {number for number in range(marks.first, marks.last + 1) if not number & KUBERNETES_BITS}
    assert {derived_mark(f"service-{index}", marks) for index in range(2000)} == free


def test_marks_are_spread_fairly() -> None:
    marks = Counter(derived_mark(f"service-{index}", DEFAULT) >> 28 for index in range(7000))
    assert set(marks) == set(range(1, 8))
    assert all(800 < count < 1200 for count in marks.values())


def test_ten_thousand_names_hardly_collide() -> None:
    marks = {derived_mark(f"service-{index}", DEFAULT) for index in range(10000)}
    # A quarter of the range is left, so one pair among them collides in about six runs of ten.
    assert len(marks) >= 9998


def test_a_derived_mark_never_changes() -> None:
    # A release that renumbered marks would drop every connection of the services that have them.
    assert [hex(derived_mark(name, DEFAULT)) for name in ("web", "mail", "dns")] == [
        "0x6cbd02b9",
        "0x4ce712f3",
        "0x1cc21c43",
    ]


BUNDLE: Layer = service(ports=["tcp/80", "tcp/443"], persistence="5m", check={"type": "tcp", "port": 80})


def bundle(name: str, port: int, **keys: object) -> Layer:
    return service(
        name,
        address="www",
        pool="web",
        ports=[f"tcp/{port}", f"tcp/{port + 1}"],
        persistence="5m",
        check={"type": "ping"},
        **keys,
    )


@given(st.lists(names.filter(lambda name: name != "web"), unique=True, max_size=4))
def test_other_services_never_renumber_one(others: list[str]) -> None:
    alone = {s.service.name: s.mark for s in lowered(spec(BUNDLE)).services}
    many = lowered(spec(BUNDLE, *(bundle(name, 1000 + 10 * index) for index, name in enumerate(others))))
    assert {s.service.name: s.mark for s in many.services}["web"] == alone["web"]


def marks(first: int, last: int) -> Layer:
    return {"cluster": {"marks": {"first": first, "last": last}}}


SHARED = {
    "said-twice": (
        "LVS301",
        "services.web.mark",
        (BUNDLE, service(mark=7), bundle("mail", 25, mark=7)),
        (BUNDLE, service(mark=7), bundle("mail", 25, mark=8)),
    ),
    "derived-twice": (
        "LVS302",
        "services.web",
        (BUNDLE, bundle("mail", 25), marks(7, 7)),
        (BUNDLE, bundle("mail", 25)),
    ),
    "said-and-derived": (
        "LVS302",
        "services.web",
        (BUNDLE, bundle("mail", 25, mark=7), marks(7, 7)),
        (BUNDLE, bundle("mail", 25, mark=8), marks(7, 7)),
    ),
}


@pytest.mark.parametrize(("code", "path", "wrong", "right"), SHARED.values(), ids=SHARED)
def test_one_mark_is_one_service(
    code: str, path: str, wrong: tuple[Layer, ...], right: tuple[Layer, ...]
) -> None:
    assert found(spec(*wrong)) == [(code, path)]
    assert found(spec(*right)) == []


def test_a_mark_is_shared_by_services_of_different_families() -> None:
    apart: Layer = {
        "addresses": {"www": {"ip": ["192.0.2.10"]}, "www6": {"network": "lan", "ip": ["2001:db8::10"]}}
    }
    other = bundle("mail", 25, mark=7)
    assert found(spec(DUAL, apart, BUNDLE, service(mark=7), other, service("mail", address="www6"))) == []
    assert found(spec(DUAL, BUNDLE, service(mark=7), other)) == [("LVS301", "services.web.mark")]


def test_a_service_of_its_address_needs_no_mark() -> None:
    assert [s.mark for s in lowered(spec()).services] == [None]
    assert [s.derived for s in lowered(spec()).services] == [False]
    assert [s.derived for s in lowered(spec(BUNDLE)).services] == [True]
    assert [s.derived for s in lowered(spec(service(mark=3))).services] == [False]
