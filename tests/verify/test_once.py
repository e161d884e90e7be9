"""A fault that several hosts have alike is told once; one that differs in more than the host is another."""

import pytest

from lvsc.diagnostics import Code, Diagnostic, Origin, Place
from lvsc.verify.once import told_once

CODE = Code("LVS900", "a fault", "Long text.")
FILES = {f"shop/{host}/etc/x.conf": (host, "/etc/x.conf") for host in ("lvs1", "lvs2", "lvs3")}
SPEC = Origin("shop.toml", ("services", "web"))


def fault(host: str, what: str = "wrong", line: int = 3, at: Origin = SPEC) -> Diagnostic:
    file = f"shop/{host}/etc/x.conf"
    written = Place(Origin(file, line=line, column=1), label="written for it")
    return CODE.at(Place(at), f"`{file}` is {what}", others=[written])


def test_the_first_is_told_with_the_other_hosts() -> None:
    (told,) = told_once([fault("lvs1"), fault("lvs2", line=4), fault("lvs3")], FILES)
    assert told.message == "`shop/lvs1/etc/x.conf` is wrong"
    assert told.notes == ("the same is wrong on `lvs2`, `lvs3`",)


@pytest.mark.parametrize(
    "other",
    [fault("lvs2", "lost"), fault("lvs2", at=SPEC / "ports"), fault("lvs1", line=9)],
    ids=["another message", "another place", "the same host"],
)
def test_what_differs_in_more_is_told_by_itself(other: Diagnostic) -> None:
    assert told_once([fault("lvs1"), other], FILES) == (fault("lvs1"), other)


def test_what_a_host_has_twice_another_may_have_twice() -> None:
    told = told_once([fault("lvs1", line=1), fault("lvs1", line=2), fault("lvs2"), fault("lvs2")], FILES)
    assert [each.notes for each in told] == [("the same is wrong on `lvs2`",)] * 2


def test_a_host_that_the_message_names_is_left_out_of_what_is_the_same() -> None:
    def differ(host: str) -> Diagnostic:
        return CODE.at(Place(SPEC), f"on `{host}`, two filters differ")

    (told,) = told_once([differ("lvs1"), differ("lvs2")], FILES)
    assert told.notes == ("the same is wrong on `lvs2`",)


def test_what_is_of_no_host_stays_as_it_is() -> None:
    assert told_once([CODE.at(Place(SPEC), "odd")], FILES) == (CODE.at(Place(SPEC), "odd"),)
