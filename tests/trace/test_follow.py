from ipaddress import ip_address

import pytest

from lvsc.diagnostics import DiagnosticError
from lvsc.trace.result import Fate, Lookup
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, merged, servers, service, spec
from support.trace import course, said, traced

BUNDLE = service(ports=["tcp/80", "tcp/443"], mark=80, persistence="5m", check={"type": "tcp", "port": 80})
FTP = service("files", kind="ftp", address="www", pool="web")
FTP_MARK = service("files", kind="ftp", address="www", pool="web", mark=21)
ALL_PORTS = service("rest", address="www", pool="web", ports=["tcp/all"], persistence="5m", check="none")
#: Director lvs2 is a real server too, told apart by MAC address.
LOOP = merged(
    PAIR,
    DIRECT,
    {
        "directors": {
            "lvs1": {"macs": {"lan": "52:54:00:00:00:02"}},
            "lvs2": {"macs": {"lan": "52:54:00:00:00:03"}},
        }
    },
    {
        "pools": {
            "web": {
                "real_servers": [
                    {"name": "lvs2", "ip": ["192.0.2.3"]},
                    {"name": "web1", "ip": ["192.0.2.21"]},
                ]
            }
        }
    },
)
CLIENT = "tcp 198.51.100.7 -> 192.0.2.10"


@pytest.mark.parametrize(
    ("layers", "packet", "steps"),
    [
        pytest.param(
            (),
            f"{CLIENT}:80",
            [
                "PREROUTING conntrack: its connection is tracked, if",
                "PREROUTING mangle: no rule marks it",
                "- routing: 192.0.2.10 is an address of the director",
                "INPUT filter: the director's own firewall",
                "INPUT ipvs: IPVS finds service `web` (tcp 192.0.2.10:80) by its address and port; `wlc` picks",
                "OUTPUT ipvs: by nat: the destination becomes",
                "OUTPUT filter: ",
            ],
            id="by address",
        ),
        pytest.param(
            (BUNDLE,),
            f"{CLIENT}:443",
            [
                "PREROUTING conntrack: its",
                "PREROUTING mangle: it gets mark 80 | ",
                "- routing: ",
                "INPUT filter: ",
                "INPUT ipvs: IPVS finds service `web` (mark 80) by its mark; ",
                "OUTPUT ipvs: by nat",
                "OUTPUT filter: ",
            ],
            id="by mark",
        ),
        pytest.param(
            (DIRECT,),
            f"{CLIENT}:80",
            [
                "PREROUTING raw: connection tracking passes it over | ",
                "PREROUTING mangle: no rule marks it",
                "- routing: ",
                "INPUT filter: ",
                "INPUT ipvs: IPVS finds service `web`",
                "OUTPUT ipvs: by direct: it leaves as it came",
                "OUTPUT filter: ",
            ],
            id="direct",
        ),
        pytest.param(
            (FTP,),
            f"{CLIENT}:21",
            [
                "PREROUTING conntrack: the helper `ftp` reads its connection | ",
                "PREROUTING mangle: no rule marks it",
                "- routing: ",
                "INPUT filter: ",
                "INPUT ipvs: IPVS finds service `files` (tcp 192.0.2.10:21) by its address and port",
                "OUTPUT ipvs: by nat",
                "OUTPUT filter: ",
            ],
            id="helper",
        ),
        pytest.param(
            (FTP,),
            f"{CLIENT}:2000",
            [
                "PREROUTING conntrack: ",
                "PREROUTING mangle: ",
                "- routing: ",
                "INPUT filter: ",
                "INPUT ipvs: IPVS finds service `files` (tcp 192.0.2.10:21) through the service on port 21, for a",
            ],
            id="refused by port 21",
        ),
        pytest.param(
            (),
            f"{CLIENT}:81",
            [
                "PREROUTING conntrack: ",
                "PREROUTING mangle: no rule marks it",
                "- routing: 192.0.2.10 is an address of the director",
                "INPUT filter: ",
                "INPUT ipvs: IPVS has no service for its address and port",
            ],
            id="no service",
        ),
        pytest.param(
            (),
            "tcp 198.51.100.7 -> 192.0.2.2:80",
            [
                "PREROUTING conntrack: ",
                "PREROUTING mangle: ",
                "- routing: 192.0.2.2 is the director's own address",
                "INPUT filter: ",
                "INPUT ipvs: IPVS has no service",
            ],
            id="own address",
        ),
        pytest.param(
            (),
            "tcp 198.51.100.7 -> 192.0.2.99:80",
            [
                "PREROUTING conntrack: ",
                "PREROUTING mangle: ",
                "- routing: 192.0.2.99 is no address of the director: it is sent on",
                "FORWARD filter: ",
            ],
            id="somebody else's",
        ),
        pytest.param(
            (service(source_nat=True),),
            f"{CLIENT}:80",
            [
                "PREROUTING conntrack: ",
                "PREROUTING mangle: ",
                "- routing: ",
                "INPUT filter: ",
                "INPUT ipvs: ",
                "OUTPUT ipvs: by nat",
                "OUTPUT filter: ",
                "POSTROUTING nat: its source becomes 192.0.2.2 | ",
            ],
            id="full NAT",
        ),
        pytest.param(
            (FTP_MARK,),
            "tcp 192.0.2.21:20 -> 198.51.100.7:50000",
            [
                "PREROUTING conntrack: ",
                "PREROUTING mangle: no rule marks it",
                "- routing: 198.51.100.7 is no address of the director: it is sent on",
                "FORWARD filter: ",
                "POSTROUTING nat: its source becomes 192.0.2.10; the answers come back to the director, which restores it | ",
            ],
            id="active data",
        ),
        pytest.param(
            (servers({"port": 8080}, {"port": 8080}),),
            "tcp 192.0.2.21:8080 -> 198.51.100.7:50000",
            [
                "PREROUTING conntrack: ",
                "PREROUTING mangle: ",
                "- routing: ",
                "FORWARD filter: ",
                "FORWARD ipvs: if it answers a client, IPVS gives it the source 192.0.2.10:80",
            ],
            id="answer",
        ),
        pytest.param(
            ({"cluster": {"accept": True, "firewall": "stateful", "backends": ["iptables"]}},),
            f"{CLIENT}:80",
            [
                "PREROUTING conntrack: ",
                "PREROUTING mangle: ",
                "- routing: ",
                "INPUT filter: a rule of lvsc lets it through | ",
                "INPUT ipvs: ",
                "OUTPUT ipvs: ",
                "OUTPUT filter: ",
            ],
            id="accept",
        ),
        pytest.param(
            ({"cluster": {"accept": True, "firewall": "stateful", "backends": ["iptables"]}},),
            "tcp 192.0.2.21:80 -> 198.51.100.7:50000",
            [
                "PREROUTING conntrack: ",
                "PREROUTING mangle: ",
                "- routing: ",
                "FORWARD filter: a rule of lvsc lets it through | ",
                "FORWARD ipvs: if it answers a client",
            ],
            id="accept of an answer",
        ),
        pytest.param(
            (),
            "tcp 192.0.2.2 -> 192.0.2.10:80",
            [
                "OUTPUT conntrack: ",
                "OUTPUT mangle: no rule marks it",
                "- routing: ",
                "OUTPUT ipvs: IPVS finds service `web`",
                "OUTPUT ipvs: by nat",
                "OUTPUT filter: ",
            ],
            id="the director's own",
        ),
    ],
)
def test_each_hook_is_passed_in_order(layers: tuple[Layer, ...], packet: str, steps: list[str]) -> None:
    found = [said(step) for step in course(spec(*layers), packet).steps]
    assert len(found) == len(steps), found
    for line, expected in zip(found, steps, strict=True):
        what, evidence, _ = expected.partition(" | ")
        assert line.startswith(what)
        assert not evidence or " | " in line


@pytest.mark.parametrize(
    ("layers", "packet", "fate", "by"),
    [
        ((), f"{CLIENT}:80", Fate.BALANCED, Lookup.EXACT),
        ((BUNDLE,), f"{CLIENT}:80", Fate.BALANCED, Lookup.MARK),
        ((BUNDLE,), f"{CLIENT}:81 mark 80", Fate.BALANCED, Lookup.MARK),
        ((BUNDLE,), f"{CLIENT}:81 mark 81", Fate.LOCAL, None),
        ((BUNDLE,), f"{CLIENT}:80 mark 7", Fate.BALANCED, Lookup.MARK),
        ((ALL_PORTS,), f"{CLIENT}:80", Fate.BALANCED, Lookup.EXACT),
        ((ALL_PORTS,), f"{CLIENT}:81", Fate.BALANCED, Lookup.ANY_PORT),
        ((ALL_PORTS,), "udp 198.51.100.7 -> 192.0.2.10:81", Fate.LOCAL, None),
        ((FTP,), f"{CLIENT}:20", Fate.REFUSED, Lookup.FTP),
        ((FTP,), f"{CLIENT}:1023", Fate.LOCAL, None),
        ((FTP,), f"{CLIENT}:1024", Fate.REFUSED, Lookup.FTP),
        ((FTP,), f"{CLIENT}:65535", Fate.REFUSED, Lookup.FTP),
        ((FTP,), "udp 198.51.100.7 -> 192.0.2.10:2000", Fate.LOCAL, None),
        ((), "tcp 192.0.2.21:80 -> 198.51.100.7:5000", Fate.ANSWER, None),
        ((), "udp 192.0.2.21:80 -> 198.51.100.7:5000", Fate.FORWARDED, None),
        ((DIRECT,), "tcp 192.0.2.21:80 -> 198.51.100.7:5000", Fate.FORWARDED, None),
        ((DUAL,), "tcp 2001:db8:f::7 -> [2001:db8::10]:80", Fate.BALANCED, Lookup.EXACT),
        ((DUAL, BUNDLE), "tcp 2001:db8:f::7 -> [2001:db8::10]:443", Fate.BALANCED, Lookup.MARK),
    ],
)
def test_what_becomes_of_a_packet(
    layers: tuple[Layer, ...], packet: str, fate: Fate, by: Lookup | None
) -> None:
    found = course(spec(*layers), packet)
    assert (found.fate, None if found.service is None else found.service.by) == (fate, by)
    assert found.why


def test_the_candidates_are_the_real_servers_with_drained_ones_named() -> None:
    text = spec(servers({"weight": 3, "port": 8080}, {"weight": 0, "port": 8080}))
    service_found = course(text, f"{CLIENT}:80").service
    assert service_found is not None
    assert [(c.name, c.port, c.weight, c.drained) for c in service_found.candidates] == [
        ("web1", 8080, 3, False),
        ("web2", 8080, 0, True),
    ]


@pytest.mark.parametrize(
    ("layers", "clients", "packets"),
    [
        ((BUNDLE,), "198.51.100.7/32", ("tcp to 192.0.2.10:80, 443",)),
        (
            (service(persistence="5m", persistence_granularity={"ipv4": 24}),),
            "198.51.100.0/24",
            ("tcp to 192.0.2.10:80",),
        ),
    ],
)
def test_persistence_ties_ports_and_clients(
    layers: tuple[Layer, ...], clients: str, packets: tuple[str, ...]
) -> None:
    service_found = course(spec(*layers), f"{CLIENT}:80").service
    assert service_found is not None
    assert service_found.tie is not None
    assert str(service_found.tie.clients) == clients
    assert tuple(each.replace(",", ", ").replace("  ", " ") for each in service_found.tie.packets) == packets


@pytest.mark.parametrize(
    ("layers", "steps"),
    [
        (
            (),
            [
                "PREROUTING conntrack: by nat",
                "FORWARD filter: ",
                "FORWARD ipvs: its source becomes 192.0.2.10:80 again",
            ],
        ),
        ((DIRECT,), ["- routing: by direct: the real server answers the client itself"]),
        ((TUNNEL,), ["- routing: by tunnel: the real server answers the client itself"]),
        (
            (service(source_nat=True),),
            ["PREROUTING nat: the answer comes to 192.0.2.2", "FORWARD filter: ", "FORWARD ipvs: "],
        ),
    ],
)
def test_the_way_back_is_that_of_the_forwarding_method(layers: tuple[Layer, ...], steps: list[str]) -> None:
    back = [said(step) for step in course(spec(*layers), f"{CLIENT}:80").back]
    assert len(back) == len(steps)
    assert all(line.startswith(expected) for line, expected in zip(back, steps, strict=True))


def test_a_packet_from_a_peer_director_is_not_balanced_again() -> None:
    by_client, by_peer = (
        {way.directors: way.course for way in traced(spec(LOOP), f"{CLIENT}:80{link}").ways}
        for link in ("", " from 52:54:00:00:00:02")
    )
    assert {course.fate for course in by_client.values()} == {Fate.BALANCED}
    assert by_peer["lvs2",].fate is Fate.LOCAL
    (mark,) = [step for step in by_peer["lvs2",].steps if step.handler.value == "mangle"]
    assert mark.what == "no mark: it comes from 52:54:00:00:00:02, a director that has balanced it already"
    assert mark.evidence


def test_directors_on_which_the_way_is_the_same_are_together() -> None:
    assert [way.directors for way in traced(spec(PAIR), f"{CLIENT}:80").ways] == [("lvs1", "lvs2")]
    assert [way.directors for way in traced(spec(PAIR), f"{CLIENT}:80 on lvs2").ways] == [("lvs2",)]


@pytest.mark.parametrize(
    ("name", "words"), [("lvs3", "did you mean `lvs1`?"), ("web1", "the directors: lvs1")]
)
def test_a_host_that_is_no_director_is_refused(name: str, words: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        traced(spec(), f"{CLIENT}:80 on {name}")
    (problem,) = caught.value.diagnostics
    assert (problem.code.id, problem.help) == ("LVS723", words)


def test_full_nat_says_what_the_real_servers_see() -> None:
    service_found = course(spec(service(source_nat=True)), f"{CLIENT}:80").service
    assert service_found is not None
    assert {c.source for c in service_found.candidates} == {ip_address("192.0.2.2")}
