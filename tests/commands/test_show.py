import tomllib
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvsc import targets
from lvsc.compile import Compiled, Options, compile_spec
from lvsc.diagnostics import DiagnosticError
from lvsc.report.effective import effective
from lvsc.spec.read import read
from support.cli import Project
from support.specs import DIRECT, DUAL, PAIR, TUNNEL, Layer, plugins, servers, service, spec

EXAMPLES = {path.stem: path for path in sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))}
VALUE = "correct-horse"


def compiles(source: str, options: Options | None = None) -> bool:
    try:
        compile_spec(source, "a.toml", plugins(), options)
    except DiagnosticError:
        return False
    return True


def shown(source: str, options: Options | None = None) -> str:
    compiled = compile_spec(source, "a.toml", plugins(), options)
    return tomli_w.dumps(effective(read(source, "a.toml").values, compiled, plugins()))


def emitted(compiled: Compiled) -> list[tuple[str, str, str, int]]:
    return [(f.host, f.artifact.path, f.artifact.text, f.artifact.mode) for f in compiled.files]


def judge(source: str, options: Options | None = None) -> None:
    """What is shown compiles to the same files by itself, and is all that there is to show."""
    before = compile_spec(source, "a.toml", plugins(), options)
    text = shown(source, options)
    after = compile_spec(text, "a.toml", plugins())
    assert emitted(after) == emitted(before)
    assert after.steps == before.steps
    assert shown(text) == text


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_shown_of_an_example_compiles_to_the_same_files(example: str) -> None:
    judge(EXAMPLES[example].read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("target", "backends"),
    [
        *((name, ()) for name in targets.names()),
        ("debian12", ("iptables",)),
        ("debian12", ("iptables", "ipvsadm")),
        ("rhel9", ("nftables", "ipvsadm")),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_what_is_shown_has_the_overrides_of_the_command_line(target: str, backends: tuple[str, ...]) -> None:
    options = Options(target=target, backends=backends)
    sources = (
        EXAMPLES[name].read_text(encoding="utf-8") for name in ("ipvsadm", "minimal", "red-hat", "tunnel")
    )
    built = [source for source in sources if compiles(source, options)]
    assert built
    for source in built:
        judge(source, options)


LAYERS: tuple[Layer, ...] = (
    PAIR,
    DUAL,
    DIRECT,
    TUNNEL,
    {"cluster": {"firewall": "none"}},
    {"cluster": {"firewall": "stateful"}},
    {"cluster": {"backends": ["iptables"], "accept": True}},
    {"cluster": {"target": "alpine"}},
    {"failover": {"virtual_router_id": 7, "preempt": False}},
    {"connection_sync": {"network": "lan", "id": 3}},
    {"tuning": {"sync_threshold": {}}},
    {"pools": {"web": {"check": "none"}}},
    {"pools": {"web": {"check": {"type": "http", "status": [200]}}}},
    {"pools": {"web": {"check": {"type": "ping"}}}},
    {"pools": {"web": {"quorum": 1}}},
    {"pools": {"web": {"sorry_server": {"ip": ["192.0.2.99"]}}}},
    {"pools": {"web": {"target": "ubuntu2404", "interface": "eth7", "managed": True}}},
    {"pools": {"web": {"managed": False}}},
    servers({"port": 8080}, {}),
    servers({"port": 8080}, {"port": 8081}),
    servers({"drained": True}, {"weight": 3}),
    servers({"disabled": True}, {}),
    servers({"forwarding": "direct"}, {}),
    servers({"forwarding": "tunnel", "tunnel": {"type": "gue", "port": 6080}}, {}),
    service(ports=["tcp/80", "tcp/443"], persistence="300s", check="none"),
    service(persistence="2m", persistence_granularity={"ipv4": 24}),
    service(mark=80),
    service(source_nat=True),
    service(source_nat="lan"),
    service(check={"type": "tcp", "port": 81}),
    service(scheduler="sh", scheduler_flags=["sh-port"]),
    service("files", kind="ftp", address="www", pool="web"),
    service("files", kind="ftp", address="www", pool="web", passive_ports="10000-20000", tls=True),
    service("sip", address="www", pool="web", ports=["udp/5060"], check={"type": "ping"}, one_packet=False),
)


@given(st.lists(st.sampled_from(LAYERS), max_size=6))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_shown_of_any_spec_compiles_to_the_same_files(layers: list[Layer]) -> None:
    source = spec(*layers)
    if compiles(source):
        judge(source)


@pytest.mark.parametrize(
    ("layers", "path", "value"),
    [
        ((), "cluster.forwarding", "nat"),
        ((), "cluster.backends", ["host", "keepalived", "nftables"]),
        ((), "cluster.marks.first", 0x10000000),
        ((), "services.web.scheduler", "wlc"),
        ((), "services.web.kind", "plain"),
        ((), "services.web.check.type", "tcp"),
        ((), "services.web.check.port", 80),
        ((), "services.web.mark", None),
        ((), "services.web.persistence", None),
        ((), "directors.lvs1.interfaces.lan", "eth0"),
        ((), "pools.web.real_servers.0.forwarding", "nat"),
        ((), "pools.web.real_servers.0.target", "debian12"),
        ((), "pools.web.hysteresis", None),
        (({"cluster": {"target": "alpine"}},), "cluster.target", "alpine324"),
        (({"pools": {"web": {"managed": False}}},), "pools.web.real_servers.1.managed", False),
        (({"pools": {"web": {"managed": False}}},), "pools.web.real_servers.1.target", None),
        (({"pools": {"web": {"quorum": 1}}},), "pools.web.hysteresis", 0),
        ((TUNNEL,), "pools.web.real_servers.0.tunnel.type", "ipip"),
        ((servers({"port": 8080}, {"port": 8081}),), "services.web.check.port", None),
        ((servers({"port": 8080}, {"port": 8080}),), "services.web.check.port", 8080),
        ((service(check={"type": "ping"}),), "services.web.check.port", None),
        ((service(check="none"),), "services.web.check", "none"),
        ((service(persistence="300s"),), "services.web.persistence", "300s"),
        ((PAIR,), "failover.advertisement_interval", "1s"),
        ((PAIR, {"failover": {"preempt": False}}), "failover.preempt_delay", None),
        ((service("files", kind="ftp", address="www", pool="web"),), "services.files.control_port", 21),
        (
            (service("files", kind="ftp", address="www", pool="web", passive_ports="3000-3999"),),
            "services.files.persistence",
            "5m",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_default_or_derived_value(layers: tuple[Layer, ...], path: str, value: object) -> None:
    found: object = tomllib.loads(shown(spec(*layers)))
    for step in path.split("."):
        if isinstance(found, list):
            found = found[int(step)]
        else:
            assert isinstance(found, dict)
            found = found.get(step)
    assert found == value


def test_a_derived_mark_becomes_the_services_own() -> None:
    source = spec(service(ports=["tcp/80", "tcp/443"], persistence="5m", check={"type": "tcp", "port": 80}))
    mark = compile_spec(source, "a.toml", plugins()).lowered.services[0].mark
    assert tomllib.loads(shown(source))["services"]["web"]["mark"] == mark


def test_a_spec_is_printed_as_toml(project: Project) -> None:
    source = spec()
    result = project.lvsc("show", project.write("a.toml", source))
    assert (result.code, result.err) == (0, "")
    assert result.out == shown(source)


def test_standard_input_is_a_spec_too(project: Project) -> None:
    assert project.lvsc("show", "-", stdin=spec()).out == shown(spec())


def test_json_holds_what_the_toml_says(project: Project) -> None:
    document = project.lvsc("show", str(EXAMPLES["everything"]), "--format", "json").fits("show")
    assert document["spec"] == tomllib.loads(project.lvsc("show", str(EXAMPLES["everything"])).out)


def test_a_secret_stays_a_reference(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VRRP_PASSWORD", VALUE)
    authentication = {"password": {"env": "VRRP_PASSWORD"}}
    source = spec(PAIR, {"failover": {"version": 2, "authentication": authentication}})
    result = project.lvsc("show", project.write("a.toml", source))
    assert tomllib.loads(result.out)["failover"]["authentication"]["password"] == {"env": "VRRP_PASSWORD"}
    assert VALUE not in result.out + result.err


def test_what_was_said_is_not_changed() -> None:
    source = EXAMPLES["everything"].read_text(encoding="utf-8")
    said, everything = tomllib.loads(source), tomllib.loads(shown(source))
    assert everything["cluster"].pop("backends") == ["host", "iptables", "keepalived"]
    assert said["cluster"].pop("backends") == ["iptables"]
    judge_kept(said, everything)


def judge_kept(said: object, everything: object) -> None:
    if isinstance(said, dict) and isinstance(everything, dict):
        for key, value in said.items():
            judge_kept(value, everything[key])
    elif isinstance(said, list) and isinstance(everything, list):
        for one, other in zip(said, everything, strict=True):
            judge_kept(one, other)
    else:
        assert everything == said
