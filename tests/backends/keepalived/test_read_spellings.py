"""Files that other people wrote, with what they leave unsaid, and words in quotes."""

from dataclasses import replace

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
    ScriptProbe,
    SecretRef,
    SecretSource,
    SmtpProbe,
    UdpProbe,
    VrrpInstance,
)
from support.ipvs import connection_sync, persistent, server, service, timeouts

from .build import WEB, WEB1, alerts, check, group, instance, quorum, script_user, sorry, track_script
from .build import virtual_address as address
from .reading import read

HAND_WRITTEN: dict[str, tuple[str, list[Node]]] = {
    "old words, defaults, comments and braces anywhere": (
        """\
! a comment { with a brace
virtual_server 192.0.2.10 80   # another one
{
  lb_algo wlc lb
  protocol tcp }
""".replace(" lb\n", "\n  lb_kind NAT ! not this\n").replace(
            "  protocol tcp }", "  protocol tcp\n real_server 10.11.12.21 { weight 2 } }"
        ),
        [service(WEB), replace(WEB1, weight=2)],
    ),
    "what is unsaid": (
        "virtual_server 192.0.2.10 80 {\n protocol TCP\n real_server 10.11.12.21 80 {\n }\n}\n",
        [service(WEB), WEB1],
    ),
    "no protocol, which is UDP": (
        "virtual_server 192.0.2.10 80 {\n real_server 10.11.12.21 80 {\n }\n}\n",
        [service("udp 192.0.2.10:80"), server("udp 192.0.2.10:80", "10.11.12.21")],
    ),
    "persistence without a time": (
        "virtual_server fwmark 80 {\n persistence_timeout\n lvs_method DR\n real_server 10.11.12.21 {\n }\n}\n",
        [
            service("mark 80", persistence=persistent(360)),
            server("mark 80", "10.11.12.21", forwarding="direct"),
        ],
    ),
    "persistence by its granularity alone": (
        "virtual_server fwmark 80 {\n persistence_granularity 64\n lvs_method TUN\n real_server fd00::1 {\n }\n}\n",
        [
            service("mark 80 -6", persistence=persistent(360, 64)),
            server("mark 80 -6", "fd00::1", forwarding="tunnel"),
        ],
    ),
    "a family by the servers": (
        "virtual_server fwmark 80 {\n real_server fd00::1 {\n }\n}\n",
        [service("mark 80 -6"), server("mark 80 -6", "fd00::1")],
    ),
    "a family by tunnels of one family": (
        "virtual_server fwmark 80 {\n lvs_method TUN\n real_server fd00::1 {\n }\n real_server fd00::2 {\n }\n}\n",
        [
            service("mark 80 -6"),
            server("mark 80 -6", "fd00::1", forwarding="tunnel"),
            server("mark 80 -6", "fd00::2", forwarding="tunnel"),
        ],
    ),
    "the usual quorum": (
        "virtual_server 192.0.2.10 80 {\n quorum 1\n hysteresis 0\n protocol TCP\n real_server 10.11.12.21 {\n }\n}\n",
        [service(WEB), WEB1],
    ),
    "a check's defaults": (
        "virtual_server 192.0.2.10 80 {\n protocol TCP\n real_server 10.11.12.21 80 {\n TCP_CHECK {\n }\n }\n}\n",
        [
            service(WEB),
            WEB1,
            replace(check(), interval=60, timeout=5, retries=1, delay_before_retry=1),
        ],
    ),
    "what a check takes from its virtual server and real server": (
        """\
virtual_server 192.0.2.10 80 {
    delay_loop 7
    connect_timeout 4
    retry 5
    delay_before_retry 2.5
    virtualhost a
    inhibit_on_failure
    weight 3
    protocol TCP
    real_server 10.11.12.21 80 {
        delay_loop 8
        virtualhost b
        HTTP_GET {
            url {
                path /
            }
        }
        MISC_CHECK {
            misc_path "/bin/true"
        }
    }
}
""",
        [
            service(WEB),
            replace(WEB1, weight=3),
            replace(
                check(WEB1, HttpProbe(tls=False, path="/", status=((200, 299),), virtual_host="b")),
                interval=8,
                timeout=4,
                retries=5,
                delay_before_retry=2.5,
                on_failure=FailureAction.DRAIN,
            ),
            replace(
                check(WEB1, ScriptProbe(command="/bin/true")),
                interval=8,
                timeout=7,
                retries=5,
                delay_before_retry=2.5,
                on_failure=FailureAction.DRAIN,
            ),
        ],
    ),
    "each checker's own defaults": (
        """\
virtual_server 192.0.2.10 80 {
    protocol TCP
    real_server 10.11.12.21 80 {
        SSL_GET {
            url {
                path /
                status_code 201 200 300-310
            }
        }
        SMTP_CHECK {
        }
        DNS_CHECK {
        }
        UDP_CHECK {
            payload 0a 0b
        }
        PING_CHECK {
        }
        MISC_CHECK {
            misc_path /bin/true
        }
    }
}
""",
        [
            service(WEB),
            WEB1,
            *(
                replace(
                    check(WEB1, probe), interval=60, timeout=timeout, retries=tries, delay_before_retry=delay
                )
                for probe, timeout, tries, delay in (
                    (HttpProbe(tls=True, path="/", status=((200, 201), (300, 310))), 5, 1, 3),
                    (SmtpProbe(), 5, 1, 1),
                    (DnsProbe(record="SOA", name="."), 5, 3, 60),
                    (UdpProbe(payload="0a0b"), 5, 1, 1),
                    (PingProbe(), 5, 1, 1),
                    (ScriptProbe(command="/bin/true"), 60, 0, 0),
                )
            ),
        ],
    ),
    "a sorry server's own method": (
        (
            "virtual_server 192.0.2.10 80 {\n protocol TCP\n sorry_server 10.11.12.9\n sorry_server_lvs_method DR\n"
            " real_server 10.11.12.21 {\n }\n}\n"
        ),
        [service(WEB), WEB1, sorry(WEB, "10.11.12.9", forwarding=Forwarding.DIRECT)],
    ),
    "failover alone, with what is unsaid": (
        "vrrp_instance public {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n 192.0.2.10/24\n }\n}\n",
        [replace(instance(), version=2, priority=100), address(), group("public")],
    ),
    "failover for IPv6, which is version 3": (
        "vrrp_instance public {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n 2001:db8::1/64\n }\n}\n",
        [
            replace(instance(family=Family.IPV6), priority=100),
            address("2001:db8::1/64"),
            group("public"),
        ],
    ),
    "version for all, a time-out of a script, and what stands after it": (
        """\
vrrp_instance public {
    interface eth0
    virtual_router_id 51
    preempt
    virtual_ipaddress { 192.0.2.10/24 dev eth0 }
    track_script { up }
    track_interface { eth1 weight 0 }
}
vrrp_script up { script "/bin/true" interval 3 }
global_defs {
    vrrp_version 3
    router_id any
    script_user root
    enable_script_security
    lvs_sync_daemon eth1 public
    lvs_timeouts udp 30 tcp 60
}
""".replace('"/bin/true" interval 3', '"/bin/true"\n interval 3\n'),
        [
            replace(instance(), priority=100),
            address(),
            replace(group("public"), track_scripts=("up",), track_interfaces=("eth1",)),
            replace(track_script(), interval=3, timeout=3, rise=1, fall=1),
            script_user("root"),
            connection_sync(instance="public", sync_id=51),
            timeouts(60, 0, 30),
        ],
    ),
    "what instances of a group track, as one": (
        """\
vrrp_sync_group both {
    group { a b }
    track_script { up }
    notify_master "/bin/true"
}
vrrp_instance a {
    interface eth0
    virtual_router_id 1
    virtual_ipaddress { 192.0.2.10/24 }
    track_interface { eth1 eth2 }
}
vrrp_instance b {
    interface eth1
    virtual_router_id 2
    virtual_ipaddress { 10.0.0.1/24 }
    track_interface {
        eth0
    }
}
vrrp_script up { script /bin/true }
""".replace("{ eth1 eth2 }", "{\n eth1\n eth2\n }"),
        [
            replace(instance("a"), version=2, priority=100, router_id=1),
            replace(instance("b", "eth1"), version=2, priority=100, router_id=2),
            address(of="a"),
            address("10.0.0.1/24", "b", "eth1"),
            replace(group("a", "b"), track_scripts=("up",), track_interfaces=("eth2",), master="/bin/true"),
            replace(track_script(), interval=1, timeout=1, rise=1, fall=1),
        ],
    ),
    "mail, as each block asks for it": (
        (
            "global_defs {\n notification_email {\n root@example.org\n }\n notification_email_from lvs1@example.org\n"
            " smtp_server 192.0.2.25\n}\n"
            "vrrp_instance public {\n smtp_alert\n interface eth0\n virtual_router_id 51\n"
            " virtual_ipaddress {\n 192.0.2.10/24\n }\n}\n"
        ),
        [alerts(), replace(instance(), version=2, priority=100), address(), group("public")],
    ),
    "connection synchronisation before its words": (
        (
            "global_defs {\n lvs_sync_daemon eth1 public 7\n}\n"
            "vrrp_instance public {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n 192.0.2.10/24\n }\n}\n"
        ),
        [
            connection_sync(instance="public", sync_id=7),
            replace(instance(), version=2, priority=100),
            address(),
            group("public"),
        ],
    ),
    "connection synchronisation before its line": (
        (
            "vrrp_instance public {\n interface eth0\n virtual_router_id 51\n lvs_sync_daemon_interface eth1\n"
            " virtual_ipaddress {\n 192.0.2.10/24\n }\n}\n"
        ),
        [
            connection_sync(instance="public", sync_id=51),
            replace(instance(), version=2, priority=100),
            address(),
            group("public"),
        ],
    ),
}


@pytest.mark.parametrize(("text", "nodes"), HAND_WRITTEN.values(), ids=HAND_WRITTEN)
def test_other_spellings_say_the_same(text: str, nodes: list[Node]) -> None:
    found = read(text)
    assert [(one.place and one.place.origin.line, one.message) for one in found.problems] == []
    assert set(found.nodes) == set(nodes)


def test_a_quorum_that_says_something_is_read() -> None:
    text = "virtual_server 192.0.2.10 80 {\n quorum 2\n protocol TCP\n real_server 10.11.12.21 {\n weight 2\n }\n}\n"
    assert quorum(2) in read(text).nodes


# --- words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "command"),
    [
        pytest.param("/bin/true", "/bin/true", id="no quotes"),
        pytest.param('"/bin/true up"', "/bin/true up", id="double quotes"),
        pytest.param("'/bin/true up'", "/bin/true up", id="single quotes"),
        pytest.param("\"/bin/sh -c 'echo \\0441'\"", "/bin/sh -c 'echo $1'", id="escapes"),
        pytest.param('"/bin/echo it\\042s"', None, id="an escape that would be a quote"),
        pytest.param('"/bin/echo a\\\\b"', None, id="a backslash, which releases read differently"),
        pytest.param('"bin/true"', None, id="no absolute path"),
        pytest.param('"/bin/true" user', None, id="a user of its own"),
        pytest.param("'/bin/true", None, id="an open quote"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_command_is_what_every_release_runs(written: str, command: str | None) -> None:
    text = f"vrrp_script up {{\n script {written}\n interval 2\n rise 1\n fall 2\n timeout 1\n}}\n"
    found = read(text)
    assert list(found.nodes) == ([track_script(command=command)] if command else [])
    assert [problem.code.id for problem in found.problems] == ([] if command else ["KAD104"])


def test_a_password_is_opaque_and_shown_by_no_problem() -> None:
    block = "vrrp_instance public {{\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {{\n 192.0.2.10/24\n }}\n"
    block += " authentication {{\n auth_type PASS\n auth_pass {}\n }}\n}}\n"
    found = read(block.format("hunter2"))
    (node,) = (node for node in found.nodes if isinstance(node, VrrpInstance))
    hidden = SecretRef(SecretSource.UNKNOWN, "", 8)
    assert node.authentication == Authentication(type=AuthenticationType.PASS, password=hidden)
    assert "hunter2" not in repr(found)
    for wrong in (
        "hunter2 x",
        'hunter2"',
        "hunter2\\",
        "hunter2 {",
        "hunter2\n auth_pas hunter2",
        "hunter2 \x7f",
    ):
        found = read(block.format(wrong))
        assert found.problems
        assert "hunter2" not in repr(found)
        lines = block.format(wrong).splitlines()
        for problem in found.problems:
            assert problem.place is not None
            assert "hunter2" not in lines[(problem.place.origin.line or 1) - 1]
