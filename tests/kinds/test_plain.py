import pytest

from lvsc.diagnostics import Diagnostic
from lvsc.kinds.plain import PlainKind, PlainOptions
from lvsc.spec.table import Table
from support.ftp import ftp
from support.specs import lowered, lowered_service, service, spec


def options(*ports: str) -> tuple[list[str], list[str]]:
    """The ports, and the codes of what is wrong with them."""
    problems: list[Diagnostic] = []
    found = PlainKind().options(Table({"ports": list(ports)}, "cluster.toml", ("services", "web"), problems))
    return [str(port) for port in found.ports], [problem.code.id for problem in problems]


@pytest.mark.parametrize(
    ("said", "ports", "codes"),
    [
        (["tcp/80"], ["tcp/80"], []),
        (["tcp/80-80"], ["tcp/80"], []),
        (["udp/5000-5999", "sctp/9899"], ["udp/5000-5999", "sctp/9899"], []),
        (["tcp/all"], ["tcp/all"], []),
        (["tcp/1-65535"], ["tcp/all"], []),
        (["tcp/0", "tcp/80"], ["tcp/80"], ["LVS205"]),
        (["tcp/90-80", "udp/99999"], [], ["LVS205", "LVS205"]),
    ],
    ids=["one", "range-of-one", "several", "all", "whole-range", "zero", "wrong"],
)
def test_ports(said: list[str], ports: list[str], codes: list[str]) -> None:
    assert options(*said) == (ports, codes)


def test_a_plain_service_balances_its_ports_and_nothing_more() -> None:
    web = lowered_service(spec(service(persistence="5m")))
    assert isinstance(web.service.options, PlainOptions)
    assert web.plan.ports == web.service.options.ports
    assert (web.plan.persistence, web.plan.mark_reasons, web.plan.probe_port, web.plan.features) == (
        300,
        (),
        None,
        (),
    )
    assert PlainKind().fragment().required == ("ports",)
    assert list(PlainKind().nodes(web, lowered(spec()).cluster)) == []


def test_options_of_another_kind_are_no_ports() -> None:
    files = lowered_service(spec(ftp()), "files")
    with pytest.raises(TypeError, match="options of another kind"):
        PlainKind().plan(files.service, lowered(spec()).cluster)
