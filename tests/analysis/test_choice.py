import pytest

from lvsc.compile import Options
from support.ftp import ftp
from support.specs import Layer, compile_text, found, merged, service, spec

MARKED: Layer = merged(service(mark=7, check="none"), {"cluster": {"target": "debian12"}})


def backends(*layers: Layer, options: Options | None = None) -> list[str]:
    return [backend.name for backend in compile_text(spec(MARKED, *layers), options).parts]


def said(*names: str) -> Layer:
    return {"cluster": {"backends": list(names)}}


@pytest.mark.parametrize(
    ("layers", "options", "expected"),
    [
        ((), (), ["host", "keepalived", "nftables"]),
        ((said("iptables"),), (), ["host", "iptables", "keepalived"]),
        ((said("iptables", "ipvsadm"),), (), ["host", "iptables", "ipvsadm"]),
        ((said("ipvsadm", "iptables"),), (), ["host", "iptables", "ipvsadm"]),
        ((said("iptables"),), ("nftables",), ["host", "keepalived", "nftables"]),
        ((said("iptables"),), ("ipvsadm",), ["host", "iptables", "ipvsadm"]),
        ((said("host"),), (), ["host", "keepalived", "nftables"]),
        (({"cluster": {"target": "rhel7"}},), (), ["host", "iptables", "keepalived"]),
    ],
    ids=[
        "target",
        "spec",
        "both",
        "any-order",
        "command-line-wins",
        "command-line-adds",
        "named-anyway",
        "other-target",
    ],
)
def test_the_command_line_wins_over_the_spec_and_that_over_the_target(
    layers: tuple[Layer, ...], options: tuple[str, ...], expected: list[str]
) -> None:
    assert backends(*layers, options=Options(backends=options)) == expected


def test_a_kinds_backend_comes_with_it() -> None:
    compiled = compile_text(spec(ftp()))
    assert [backend.name for backend in compiled.parts] == ["host", "keepalived", "nftables", "vsftpd"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("iptabels",), [("LVS502", "cluster.backends.0")]),
        (
            ("iptables", "nftabels", "keepalivd"),
            [("LVS502", "cluster.backends.1"), ("LVS502", "cluster.backends.2")],
        ),
        (("iptables", "nftables"), [("LVS503", "cluster.backends.1")]),
        (("keepalived", "iptables", "ipvsadm"), [("LVS503", "cluster.backends.2")]),
    ],
    ids=["unknown", "two-unknown", "two-filters", "two-directors"],
)
def test_names_that_cannot_be(names: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert found(spec(MARKED, said(*names))) == expected


def test_a_wrong_name_on_the_command_line_has_no_place_in_the_spec() -> None:
    assert found(spec(), Options(backends=("nftabels",))) == [("LVS502", "")]
    assert found(spec(), Options(backends=("iptables", "nftables"))) == [("LVS503", "")]
    assert found(spec(MARKED), Options(backends=("iptables", "iptables"))) == []


def test_the_command_line_chooses_the_target_too() -> None:
    assert compile_text(spec(), Options(target="rhel9")).cluster.target == "rhel9"
    assert found(spec(), Options(target="rhel99")) == [("LVS213", "")]
    assert found(spec(cluster={"target": "rhel99"}), Options(target="rhel9")) == []
