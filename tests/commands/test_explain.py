from pathlib import Path

import pytest

from lvsc.lowering.marks import derived_mark
from lvsc.spec.model import MarkRange
from lvsc.spec.schema.tables import FIRST_MARK, LAST_MARK
from support.cli import Project
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, compile_text, servers, service, spec

EXAMPLES = {path.stem: str(path) for path in (Path(__file__).parents[2] / "examples").glob("*.toml")}
BUNDLE = service(ports=["tcp/80", "tcp/443"], persistence="5m", check={"type": "tcp", "port": 80})
FTP = service("files", kind="ftp", address="www", pool="web")
MARK = derived_mark("web", MarkRange(first=FIRST_MARK, last=LAST_MARK))


def words(text: str) -> str:
    """The text with its lines joined, so that it does not matter where they are broken."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("layers", "name", "said"),
    [
        ((), "web", "packets tcp/80 of 192.0.2.10"),
        ((), "web", "known by its address because it balances one port of one address a family"),
        ((service(mark=80),), "web", "known by mark 80 (0x50) because the spec says `mark = 80`"),
        ((BUNDLE,), "web", f"known by mark {MARK} ({MARK:#x}) derived from the name `web` in the range"),
        ((BUNDLE,), "web", "because it balances several ports, and an address service has one"),
        ((BUNDLE,), "web", "scheduling wlc, a client stays on one real server for 5m"),
        (
            (service(persistence="5m", persistence_granularity={"ipv4": 24}),),
            "web",
            "wlc, a client stays on one real server for 5m, clients of one /24 together",
        ),
        ((service(scheduler="sh", scheduler_flags=["sh-port"]),), "web", "scheduling sh sh-port"),
        (
            (DIRECT, service(ports=["udp/53"], scheduler="rr", one_packet=True, check="none")),
            "web",
            "each datagram by itself",
        ),
        ((), "web", "check tcp at port 80 every 5s, 3s to answer, 1 retry after 1s; on failure: remove"),
        ((service(check="none"),), "web", "check none: a real server that fails stays in"),
        (
            (service(check={"type": "ping", "retries": 2}),),
            "web",
            "check ping every 5s, 3s to answer, 2 retries",
        ),
        ((servers({"port": 81}, {"port": 82}),), "web", "check tcp at port 81 and 82 every"),
        (
            (service(check={"type": "https", "path": "/x", "virtual_host": "www.example.net", "port": 443}),),
            "web",
            "check https www.example.net/x at port 443 every",
        ),
        ((servers({"weight": 7}, {}),), "web", "web1 192.0.2.21, nat, the packet's own port, weight 7"),
        ((servers({"port": 8080}, {}),), "web", "web1 192.0.2.21, nat, port 8080, weight 1"),
        ((servers({"disabled": True}, {}),), "web", "weight 1, disabled: left out"),
        (
            (servers({}, {"ip": ["2001:db8::22"]}),),
            "web",
            "web2 left out: it has no IPv4 address its packets",
        ),
        ((servers({}, {"ip": ["2001:db8::22"]}),), "web", "web1 needs its default route"),
        ((servers({}, {"ip": ["192.0.2.22", "2001:db8::22"]}),), "web", "web2 192.0.2.22, nat,"),
        (
            (DUAL, servers({"ip": ["192.0.2.21", "2001:db8::21"]}, {})),
            "web",
            "web2 192.0.2.22, nat, the packet's own port, weight 1, left out for IPv6",
        ),
        (
            (DUAL, TUNNEL, servers({}, {})),
            "web",
            "web2 192.0.2.22, tunnel by ipip, the packet's own port, weight 1 its packets",
        ),
        ((servers({"managed": False}, {}),), "web", "weight 1, not managed by lvsc"),
        ((TUNNEL,), "web", "web1 192.0.2.21, tunnel by ipip, the packet's own port, weight 1"),
        ((FTP,), "files", "carried so ip_vs_ftp reads the control connection"),
        ((FTP,), "files", "PREROUTING the conntrack helper `ftp` is to read their connections"),
        ((BUNDLE,), "web", f"PREROUTING they get mark {MARK} INPUT"),
        ((DIRECT,), "web", "PREROUTING connection tracking passes them over"),
        (
            (DIRECT,),
            "web",
            "OUTPUT by direct: they leave as they came, and the real server answers the client itself",
        ),
        (
            (TUNNEL,),
            "web",
            "OUTPUT by tunnel: they leave wrapped, and the real server answers the client itself",
        ),
        ((), "web", "FORWARD by nat: the answers come back, and IPVS gives them the virtual address"),
        ((service(source_nat=True),), "web", "POSTROUTING their source becomes the director's own 192.0.2.2"),
        (
            (service("files", kind="ftp", address="www", pool="web", mark=21, ports=None),),
            "files",
            "POSTROUTING connections that real servers open from tcp/20 get the source 192.0.2.10",
        ),
        ((), "web", "INPUT the director's own firewall lets them through"),
        ((PAIR,), "web", "web1 and web2 need its default route is 192.0.2.11"),
        ((), "web", "web1 and web2 need its default route leads back through the active director"),
        ((DIRECT,), "web", "web1 and web2 need 192.0.2.10 on lo net.ipv4.conf.all.arp_ignore = 1"),
        (
            (DIRECT, {"pools": {"web": {"managed": False}}}),
            "web",
            "web1 and web2 need, which somebody else sets up",
        ),
        ((TUNNEL,), "web", "tunl0 unwraps ipip"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_said_of_a_service(layers: tuple[Layer, ...], name: str, said: str, project: Project) -> None:
    outcome = project.lvsc("explain", project.write("a.toml", spec(*layers)), name)
    assert outcome.code == 0
    assert said in words(outcome.out)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_service_of_an_example_in_lines_that_fit_a_terminal(example: str, project: Project) -> None:
    overview = project.lvsc("explain", EXAMPLES[example])
    assert overview.code == 0
    names = [
        one["name"] for one in project.lvsc("explain", EXAMPLES[example], "--format", "json").json["services"]
    ]
    for name in names:
        assert f"\n{name:<12} " in overview.out
        page = project.lvsc("explain", EXAMPLES[example], name)
        said = [line for line in page.out.splitlines() if not line[:6].strip().isdigit()]
        assert page.code == 0
        assert max(map(len, [*said, *overview.out.splitlines()])) <= 110


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_lines_are_those_of_the_files(example: str, project: Project) -> None:
    source = Path(EXAMPLES[example]).read_text(encoding="utf-8")
    texts = {(f.host, f.artifact.path): f.artifact.text.splitlines() for f in compile_text(source).files}
    names = [lowered.service.name for lowered in compile_text(source).lowered.services]
    for name in names:
        document = project.lvsc("explain", EXAMPLES[example], name, "--format", "json").fits("explain")
        assert document["detail"]["files"]
        for file in document["detail"]["files"]:
            for host in file["hosts"]:
                for line in file["lines"]:
                    assert texts[host, file["path"]][line["number"] - 1] == line["text"]


def lines_of(project: Project, source: str, name: str) -> dict[str, list[str]]:
    document = project.lvsc("explain", project.write("a.toml", source), name, "--format", "json").json
    return {
        file["path"]: [line["text"].strip() for line in file["lines"]] for file in document["detail"]["files"]
    }


def test_a_pool_of_two_services_is_shown_within_the_one_that_is_asked_about(project: Project) -> None:
    source = spec(service("other", address="www", pool="web", ports=["tcp/8000"]))
    found = lines_of(project, source, "other")["/etc/keepalived/keepalived.conf"]
    assert found[:2] == ["# service other", "virtual_server 192.0.2.10 8000 {"]
    assert [line for line in found if line.startswith("real_server")] == [
        "real_server 192.0.2.21 8000 {",
        "real_server 192.0.2.22 8000 {",
    ]
    assert found.count("}") == sum(line.endswith("{") for line in found)


def test_ipvsadms_lines_of_a_pool_are_those_of_the_service(project: Project) -> None:
    source = spec(
        {"cluster": {"backends": ["ipvsadm"]}, "pools": {"web": {"check": "none"}}},
        service("other", address="www", pool="web", ports=["tcp/8000"]),
    )
    assert lines_of(project, source, "other")["/etc/lvsc/ipvsadm.rules"] == [
        "-A -t 192.0.2.10:8000 -s wlc",
        "-a -t 192.0.2.10:8000 -r 192.0.2.21:8000 -m -w 1",
        "-a -t 192.0.2.10:8000 -r 192.0.2.22:8000 -m -w 1",
    ]


def test_the_packet_filters_lines_are_the_services_own(project: Project) -> None:
    source = spec(BUNDLE, service("other", address="www", pool="web", mark=8, ports=["tcp/8000"]))
    assert lines_of(project, source, "web")["/etc/lvsc/nftables.nft"] == [
        f'192.0.2.10 . tcp . 80 comment "service web" : {MARK:#010x},',
        f'192.0.2.10 . tcp . 443 comment "service web" : {MARK:#010x},',
    ]


def test_directors_with_the_same_lines_are_together(project: Project) -> None:
    outcome = project.lvsc("explain", project.write("a.toml", spec(PAIR, BUNDLE)), "web")
    assert "/etc/lvsc/nftables.nft on lvs1 and lvs2\n" in outcome.out


def test_a_director_whose_packets_go_another_way_stands_alone(project: Project) -> None:
    source = spec(PAIR, service(source_nat=True))
    out = words(project.lvsc("explain", project.write("a.toml", source), "web").out)
    assert "its packets on lvs1 INPUT" in out
    assert "their source becomes the director's own 192.0.2.2 FORWARD" in out
    assert "its packets on lvs2 INPUT" in out
    assert "their source becomes the director's own 192.0.2.3 FORWARD" in out


def test_the_manuals_cluster_in_two_lines_a_service(project: Project) -> None:
    lines = project.lvsc("explain", EXAMPLES["red-hat"]).out.splitlines()
    assert lines[:6] == [
        "cluster red-hat: target rhel9; backends host, keepalived, nftables, vsftpd",
        "",
        "files        tcp/21, tcp/10000-20000 of 192.0.2.10 to pool ftp (2 real servers, nat)",
        "             mark 21 (0x15); wlc, a client stays on one real server for 5m",
        "web          tcp/80, tcp/443 of 192.0.2.10 to pool web (2 real servers, nat)",
        "             mark 80 (0x50); wlc, a client stays on one real server for 5m",
    ]


@pytest.mark.parametrize(
    ("word", "help_text"), [("wep", "did you mean `web`?"), ("zzz", "`lvsc explain SPEC` lists them")]
)
def test_an_unknown_service_is_2(word: str, help_text: str, project: Project) -> None:
    outcome = project.lvsc("explain", project.write("a.toml", spec()), word)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error[LVS015]: there is no service `{word}`\n")
    assert help_text in outcome.err


def test_standard_input_is_a_spec_too(project: Project) -> None:
    assert project.lvsc("explain", "-", "web", stdin=spec()).code == 0


def test_json_has_the_detail_of_one_service_only(project: Project) -> None:
    name = project.write("a.toml", spec(BUNDLE, FTP))
    everything = project.lvsc("explain", name, "--format", "json").fits("explain")
    assert [one["name"] for one in everything["services"]] == ["files", "web"]
    assert everything["detail"] is None
    one = project.lvsc("explain", name, "web", "--format", "json").fits("explain")
    assert [each["name"] for each in one["services"]] == ["web"]
    assert (one["services"][0]["mark"], one["services"][0]["mark_derived"]) == (MARK, True)
    assert one["detail"]["check"]["ports"] == [80]
    assert {passage["service"] for passage in one["passages"]} == {"web", None}


def test_the_families_that_each_real_server_serves(project: Project) -> None:
    both: Layer = {"ip": ["192.0.2.21", "2001:db8::21"]}
    name = project.write("a.toml", spec(DUAL, servers(both, {}, {"disabled": True})))
    (web,) = project.lvsc("explain", name, "--format", "json").fits("explain")["services"]
    assert [server["families"] for server in web["real_servers"]] == [["ipv4", "ipv6"], ["ipv4"], []]
    project.write("a.toml", spec(servers(both, {"ip": ["2001:db8::22"]})))
    (web,) = project.lvsc("explain", name, "--format", "json").fits("explain")["services"]
    assert [server["families"] for server in web["real_servers"]] == [["ipv4"], []]
    assert "to pool web (1 real server, nat)" in project.lvsc("explain", name).out
