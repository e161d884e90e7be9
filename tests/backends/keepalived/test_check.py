"""What keepalived would change, ignore or misread is refused, each thing once and by its code."""

import math
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from lvsc.plugin import (
    Authentication,
    AuthenticationType,
    DnsProbe,
    FailureAction,
    Family,
    Forwarding,
    HttpProbe,
    Node,
    PingProbe,
    RealServer,
    ScriptProbe,
    SecretRef,
    SecretSource,
    Target,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    UdpProbe,
)
from lvsc.targets import load
from lvsc_keepalived import codes
from lvsc_keepalived.backend import Keepalived
from support.ipvs import connection_sync, part, persistent, server, service, timeouts

from .build import (
    MARK,
    TCP,
    WEB,
    WEB1,
    WEB2,
    WEB6,
    alerts,
    check,
    group,
    instance,
    quorum,
    script_user,
    sorry,
    track_script,
    virtual_address,
)
from .everything import everything, plain

HTTP = HttpProbe(tls=False, path="/", status=((200, 200),))
WEB_AND_SERVERS = [service(WEB), WEB1, WEB2]
TWO = Authentication(
    type=AuthenticationType.PASS, password=SecretRef(SecretSource.ENVIRONMENT, "VRRP_PASSWORD", 8)
)


def refusals(*nodes: Node, target: Target | None = None) -> list[tuple[str, str]]:
    return [
        (diagnostic.code.id, diagnostic.message)
        for diagnostic in Keepalived().check(part(*nodes, target=target))
    ]


def tunnel(**more: object) -> RealServer:
    given: dict[str, object] = {"type": TunnelType.IPIP, "port": None, "checksum": TunnelChecksum.NONE} | more
    return server(WEB, "10.11.12.21", 80, "tunnel", tunnel=Tunnel(**given))  # type: ignore[arg-type]  # the test's own


def checked(**more: object) -> list[Node]:
    return [service(WEB), WEB1, replace(check(), **more)]  # type: ignore[arg-type]  # the test's own


def probed(probe: HttpProbe | DnsProbe | UdpProbe) -> list[Node]:
    return [service(WEB), WEB1, check(WEB1, probe)]


def vrrp(**more: object) -> list[Node]:
    return [replace(instance(), **more), virtual_address(), group("public")]  # type: ignore[arg-type]  # the test's own


@pytest.mark.parametrize(
    ("nodes", "code", "words"),
    [
        pytest.param([service(WEB)], "KAD003", "`web` has no real server", id="no real server"),
        pytest.param(
            [service(MARK), server(MARK, "10.11.12.21", 80, "direct")],
            "KAD004",
            "port 80 of a real server of a mark",
            id="port under a mark",
        ),
        pytest.param(
            [service(WEB), server(WEB, "10.11.12.21", 8080, "tunnel")],
            "KAD004",
            "port 8080 of a real server differs from the service's 80",
            id="other port",
        ),
        pytest.param(
            [*WEB_AND_SERVERS, sorry(WEB, "10.11.12.99", 8080, Forwarding.DIRECT)],
            "KAD004",
            "port 8080 of a sorry server",
            id="sorry server's port",
        ),
        pytest.param(
            [service(WEB), WEB1, server(WEB, "fd00::21", 80)],
            "KAD005",
            "the real server `fd00::21` is not of the family",
            id="family",
        ),
        pytest.param(
            [service(WEB), service(WEB, "rr"), WEB1], "KAD006", "second VirtualService", id="service twice"
        ),
        pytest.param(
            [service(WEB), WEB1, replace(WEB1, weight=2)],
            "KAD006",
            "second RealServer",
            id="real server twice",
        ),
        pytest.param([*WEB_AND_SERVERS, quorum(1), quorum(2)], "KAD006", "second Quorum", id="quorum twice"),
        pytest.param(
            [*WEB_AND_SERVERS, sorry(WEB, "10.11.12.98"), sorry(WEB, "10.11.12.99")],
            "KAD006",
            "second SorryServer",
            id="sorry server twice",
        ),
        pytest.param([timeouts(1), timeouts(2)], "KAD006", "more than one Timeouts", id="time-outs twice"),
        pytest.param([WEB1], "KAD007", "a RealServer belongs to no", id="real server of nothing"),
        pytest.param(
            [service(WEB), WEB1, check(WEB2)], "KAD007", "a HealthCheck belongs to no", id="check of nothing"
        ),
        pytest.param([quorum()], "KAD007", "a Quorum belongs to no", id="quorum of nothing"),
        pytest.param(
            [sorry(WEB, "10.11.12.99")], "KAD007", "a SorryServer belongs to no", id="sorry server of nothing"
        ),
        pytest.param([virtual_address()], "KAD007", "the VRRP instance `public`", id="address of nothing"),
        pytest.param(
            [connection_sync(instance="public")],
            "KAD007",
            "follows the VRRP instance `public`",
            id="sync of nothing",
        ),
        pytest.param(
            [*vrrp(), group("public", "private")], "KAD007", "instance `private` of", id="group of nothing"
        ),
        pytest.param(
            [*vrrp(), replace(group("public"), track_scripts=("up",))],
            "KAD007",
            "the track script `up`",
            id="no track script",
        ),
        pytest.param(
            [replace(alerts(), recipients=())], "KAD007", "mail alerts have no recipient", id="no recipient"
        ),
        pytest.param(
            [service(WEB), replace(WEB1, weight=2**31)], "KAD008", "the weight is", id="weight too large"
        ),
        pytest.param(
            [service(WEB), replace(WEB1, weight=-1), WEB2, replace(WEB2, port=81)],
            "KAD008",
            "the weight is -1",
            id="weight",
        ),
        pytest.param(
            [service(WEB), replace(WEB1, lower_threshold=50)],
            "KAD008",
            "the lower threshold is 50, and keepalived takes 0 to 0",
            id="lower threshold without upper",
        ),
        pytest.param(
            [service(WEB), replace(WEB1, upper_threshold=2**32)], "KAD008", "upper threshold", id="threshold"
        ),
        pytest.param(
            [service(WEB, persistence=persistent(0)), WEB1],
            "KAD008",
            "the persistence timeout is 0",
            id="timeout 0",
        ),
        pytest.param(
            [service(WEB, persistence=persistent(60, 0)), WEB1],
            "KAD008",
            "persistence prefix length is 0",
            id="prefix 0",
        ),
        pytest.param(
            [timeouts(31 * 86400 + 1)],
            "KAD008",
            "the time-out is 2678401, and keepalived takes 0 to 2678400",
            id="time-out too long",
        ),
        pytest.param([connection_sync(sync_id=256)], "KAD008", "synchronisation number is 256", id="sync id"),
        pytest.param(
            [connection_sync(group="192.0.2.1")], "KAD008", "is not a multicast address", id="sync group"
        ),
        pytest.param(checked(interval=0), "KAD008", "the check interval is 0", id="interval"),
        pytest.param(checked(interval=math.nan), "KAD008", "the check interval is nan", id="NaN"),
        pytest.param(checked(timeout=math.inf), "KAD008", "the check timeout is inf", id="infinity"),
        pytest.param(checked(retries=-1), "KAD008", "number of retries is -1", id="retries"),
        pytest.param(checked(probe_port=0), "KAD008", "port to probe is 0", id="probe port"),
        pytest.param(vrrp(router_id=0), "KAD008", "virtual router number is 0", id="virtual router"),
        pytest.param(vrrp(priority=255), "KAD008", "the priority is 255", id="priority of the owner"),
        pytest.param(vrrp(preempt_delay=1001), "KAD008", "preemption delay is 1001", id="preemption delay"),
        pytest.param(
            [script_user(), replace(track_script(), interval=0)],
            "KAD008",
            "the interval of a track script is 0",
            id="script interval",
        ),
        pytest.param(
            [*WEB_AND_SERVERS, quorum(3)], "KAD009", "is 3, and its real servers weigh 2", id="quorum"
        ),
        pytest.param(
            [service(WEB), replace(WEB1, weight=0)],
            "KAD009",
            "no real server for IPv4 has a weight",
            id="drained",
        ),
        pytest.param([*WEB_AND_SERVERS, quorum(2, 2)], "KAD009", "the hysteresis of", id="hysteresis"),
        pytest.param(
            [*WEB_AND_SERVERS, quorum(2, 1)],
            "KAD009",
            "comes up at a weight of 3, quorum and hysteresis together, and its real servers weigh 2",
            id="hysteresis beyond all weights",
        ),
        pytest.param([service(WEB), tunnel(port=6080)], "KAD010", "do not go together", id="port of ipip"),
        pytest.param(
            [service(WEB), tunnel(type=TunnelType.GUE)], "KAD010", "do not go together", id="gue, no port"
        ),
        pytest.param(
            [service(WEB), tunnel(checksum=TunnelChecksum.FULL)],
            "KAD010",
            "do not go together",
            id="checksum of ipip",
        ),
        pytest.param(
            [service(WEB), tunnel(type=TunnelType.GRE, checksum=TunnelChecksum.REMOTE)],
            "KAD010",
            "do not go together",
            id="remote checksum of gre",
        ),
        pytest.param(
            [service(WEB), replace(WEB1, tunnel=Tunnel())],
            "KAD010",
            "do not go together",
            id="nat in a tunnel",
        ),
        pytest.param(
            [service(WEB, "wlc", flags=("sh-port",)), WEB1],
            "KAD011",
            "`sh-port` is a flag of the scheduler `sh`",
            id="flag of another scheduler",
        ),
        pytest.param(
            [service(WEB, one_packet=True), WEB1], "KAD011", "one-packet scheduling is for UDP", id="ops"
        ),
        pytest.param(
            [service("tcp 192.0.2.10:0"), server("tcp 192.0.2.10:0", "10.11.12.21")],
            "KAD011",
            "`web` has port 0",
            id="port 0",
        ),
        pytest.param(
            [
                service(WEB),
                WEB1,
                check(WEB1, TCP),
                replace(check(WEB1, PingProbe()), on_failure=FailureAction.DRAIN),
            ],
            "KAD012",
            "say differently what happens when it fails",
            id="checks disagree",
        ),
        pytest.param(checked(probe_port=None), "KAD013", "no port to connect to", id="no port"),
        pytest.param(probed(replace(HTTP, status=())), "KAD013", "status codes", id="no status"),
        pytest.param(probed(replace(HTTP, status=((99, 200),))), "KAD013", "status codes", id="status"),
        pytest.param(probed(replace(HTTP, digest="abc")), "KAD013", "not an MD5", id="digest"),
        pytest.param(
            probed(replace(HTTP, sni=True, virtual_host="a")), "KAD013", "needs https", id="SNI without TLS"
        ),
        pytest.param(probed(replace(HTTP, sni=True, tls=True)), "KAD013", "no name to send", id="SNI"),
        pytest.param(probed(replace(HTTP, http_version="2")), "KAD013", "HTTP version `2`", id="HTTP/2"),
        pytest.param(probed(DnsProbe(record="A {", name="a")), "KAD013", "`A {` is not", id="record"),
        pytest.param(probed(UdpProbe(payload="0x00")), "KAD013", "`0x00` is not bytes", id="payload"),
        pytest.param(probed(UdpProbe(payload="00ff")), "KAD013", "ends with the byte ff", id="last byte"),
        pytest.param(probed(UdpProbe(reply="00")), "KAD013", "none is required", id="reply"),
        pytest.param(
            [
                service(WEB),
                WEB1,
                replace(check(WEB1, ScriptProbe(command="/bin/a")), timeout=0.5),
                script_user(),
            ],
            "KAD013",
            "not in whole seconds",
            id="script timeout",
        ),
        pytest.param([track_script()], "KAD014", "runs commands, but no user", id="track script"),
        pytest.param([*checked(up="/bin/true")], "KAD014", "runs commands, but no user", id="notify"),
        pytest.param(
            [*vrrp(), replace(group("public"), fault="/bin/true")],
            "KAD014",
            "runs commands, but no user",
            id="group",
        ),
        pytest.param(
            [*checked(on_failure=FailureAction.DRAIN), sorry(WEB, "10.11.12.21", 80)],
            "KAD015",
            "is also the real server `web1`",
            id="sorry server that serves",
        ),
        pytest.param(vrrp(advertisement_interval=0.5, version=2), "KAD016", "every 0.5 s", id="v2 interval"),
        pytest.param(vrrp(advertisement_interval=0.005), "KAD016", "every 0.005 s", id="v3 interval"),
        pytest.param(vrrp(advertisement_interval=41), "KAD016", "every 41 s", id="long interval"),
        pytest.param(vrrp(advertisement_interval=math.nan), "KAD016", "every nan s", id="no interval"),
        pytest.param(vrrp(authentication=TWO), "KAD016", "version 3 has no authentication", id="v3 password"),
        pytest.param(
            vrrp(
                version=2,
                authentication=replace(TWO, password=SecretRef(SecretSource.FILE, "password", 20)),
            ),
            "KAD016",
            "up to 8 bytes",
            id="long password",
        ),
        pytest.param(
            vrrp(preempt=False, preempt_delay=5), "KAD016", "a preemption delay is said", id="no preemption"
        ),
        pytest.param(
            vrrp(unicast_source=ip_address("192.0.2.2")), "KAD016", "unicast source but no peer", id="no peer"
        ),
        pytest.param([instance()], "KAD016", "`public` has no virtual address", id="no address"),
        pytest.param(
            [replace(instance(family=Family.IPV6), version=2), virtual_address("2001:db8::10/64")],
            "KAD016",
            "for IPv6, which needs VRRP version 3",
            id="IPv6 by v2",
        ),
        pytest.param(
            [*vrrp(), virtual_address("2001:db8::10/64")],
            "KAD005",
            "`2001:db8::10/64` is not of the family",
            id="address of the other family",
        ),
        pytest.param(
            vrrp(unicast_peers=(ip_address("2001:db8::3"),)),
            "KAD005",
            "the unicast address `2001:db8::3`",
            id="peer of the other family",
        ),
        pytest.param(
            [*vrrp(), replace(instance(), router_id=52)], "KAD006", "have the name `public`", id="name twice"
        ),
        pytest.param(
            [*vrrp(), instance("b"), virtual_address(of="b")],
            "KAD006",
            "`public` and `b` are both virtual router 51"[10:],
            id="virtual router twice",
        ),
        pytest.param(
            [*vrrp(), replace(group("public", "other"), name="b")],
            "KAD006",
            "is in the groups",
            id="member of two groups",
        ),
        pytest.param(
            [instance(), virtual_address()], "KAD007", "`public` is in no sync group", id="no group"
        ),
        pytest.param(
            [instance(), virtual_address(), replace(group("public"), track_interfaces=("eth0",))],
            "KAD016",
            "tracks `eth0`, which its VRRP instance there tracks anyway",
            id="own interface tracked",
        ),
        pytest.param(
            vrrp(
                version=2,
                authentication=Authentication(
                    type=AuthenticationType.PASS, password=SecretRef(SecretSource.UNKNOWN, "", 8)
                ),
            ),
            "KAD016",
            "nothing says where the password is kept",
            id="password of a text",
        ),
        pytest.param(
            [service(WEB), replace(WEB1, port=0)], "KAD004", "and its service has 80", id="port left open"
        ),
        pytest.param(
            [service(WEB), replace(WEB1, forwarding=Forwarding.TUNNEL)],
            "KAD010",
            "do not go together",
            id="tunnel of no type",
        ),
        pytest.param(
            [service(WEB), WEB1, quorum()],
            "KAD009",
            "says nothing that is not so without it",
            id="usual quorum",
        ),
        pytest.param(
            [service(WEB), WEB1, replace(check(), retries=0)],
            "KAD013",
            "a delay before a retry is said where nothing is retried",
            id="delay without a retry",
        ),
        pytest.param(
            [service(WEB), WEB1, replace(check(WEB1, PingProbe()), probe_port=80)],
            "KAD013",
            "has no port to connect to",
            id="port of a ping",
        ),
    ],
)
def test_refusals(nodes: list[Node], code: str, words: str) -> None:
    found = refusals(*nodes)

    assert [(id_, words in message) for id_, message in found if id_ == code] == [(code, True)], found


@pytest.mark.parametrize(
    ("nodes", "what"),
    [
        pytest.param(
            [service(WEB), WEB1, server(WEB, "10.11.12.22", 80, "direct")], "forwarding methods", id="methods"
        ),
        pytest.param(
            [*WEB_AND_SERVERS, check(WEB1), replace(check(WEB2), interval=7)],
            "check intervals",
            id="intervals",
        ),
        pytest.param(
            [*WEB_AND_SERVERS, check(WEB1, HTTP), check(WEB2, replace(HTTP, virtual_host="a"))],
            "virtual hosts",
            id="virtual hosts",
        ),
    ],
)
def test_differences_between_real_servers_need_a_newer_keepalived(nodes: list[Node], what: str) -> None:
    assert refusals(*nodes) == []
    ((code, message),) = refusals(*nodes, target=load("rhel7"))
    assert (code, what in message) == ("KAD017", True)


def test_a_target_without_keepalived_is_refused() -> None:
    target = load("debian12")
    without = replace(target, units=replace(target.units, keepalived=None))

    assert refusals(service(WEB), WEB1, target=without) == [
        ("KAD018", "target `debian12` of host `lvs1` has no keepalived")
    ]


@pytest.mark.parametrize(
    "text",
    ["", "a\nb", 'a"b', "a\\b", "$_PWD", "x${_HASH}", "é", "\x7f", "{", "}", "x" * 1100],
    ids=["empty", "newline", "quote", "backslash", "$_", "${_", "not ASCII", "control", "{", "}", "long"],
)
@pytest.mark.parametrize(
    "where", ["path", "virtual host", "helo", "name", "interface", "instance", "user", "mail", "engine"]
)
def test_text_that_cannot_be_quoted_is_refused_wherever_it_stands(text: str, where: str) -> None:
    nodes: dict[str, list[Node]] = {
        "path": probed(replace(HTTP, path=text)),
        "virtual host": probed(replace(HTTP, virtual_host=text)),
        "helo": [service(WEB), WEB1, check(WEB1, DnsProbe(record="A", name=text))],
        "name": [script_user(), track_script(text)],
        "interface": vrrp(interface=text),
        "instance": [instance(text), virtual_address(of=text), group(text)],
        "user": [script_user(text)],
        "mail": [alerts(text)],
        "engine": [service(WEB, persistence=persistent(engine=text)), WEB1],
    }

    assert {code for code, _ in refusals(*nodes[where])} <= {"KAD001", "KAD002"}
    assert refusals(*nodes[where])
    with pytest.raises(ValueError, match="emitted what was refused"):
        Keepalived().emit(part(*nodes[where]))


def test_an_address_with_a_scope_is_refused() -> None:
    scoped = replace(server(WEB6, "fd00::21", 80), address=ip_address("fe80::1%eth0 {"))

    ((code, message),) = refusals(service(WEB6), scoped)
    assert (code, "scope" in message) == ("KAD001", True)


def test_a_comment_cannot_begin_a_line() -> None:
    hostile = replace(service(WEB), service="web\nvirtual_server 0.0.0.0 0 {")

    assert [code for code, _ in refusals(hostile, WEB1)] == ["KAD001"]


@pytest.mark.parametrize("target", ["debian12", "rhel7"])
def test_what_keepalived_takes_is_not_refused(target: str) -> None:
    assert refusals(*plain(), target=load(target)) == []


def test_everything_is_taken_by_debian_12() -> None:
    assert refusals(*everything()) == []


def test_several_mistakes_are_all_said() -> None:
    found = refusals(service(WEB, "rr", flags=("sh-port",)), replace(WEB1, weight=-1), check(WEB2))

    assert sorted(code for code, _ in found) == ["KAD007", "KAD008", "KAD009", "KAD011"]


def test_every_code_is_explained_once() -> None:
    ids = [code.id for code in codes.ALL]

    assert ids == [f"KAD{number:03}" for number in range(1, len(ids) + 1)]
    assert all(code.title and len(code.explanation) > 100 for code in codes.ALL)
    assert set(codes.ALL) == {
        value for value in vars(codes).values() if isinstance(value, type(codes.ALL[0]))
    }


def test_every_code_is_refused_somewhere() -> None:
    here = Path(__file__).read_text(encoding="utf-8")

    assert [code.id for code in codes.ALL if code.id not in here] == []
