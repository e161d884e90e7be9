"""Nodes in, exact text out."""

from dataclasses import replace
from ipaddress import ip_address
from textwrap import dedent, indent

import pytest

from lvsc.plugin import (
    DnsProbe,
    FailureAction,
    Family,
    Forwarding,
    HttpProbe,
    Node,
    PingProbe,
    Probe,
    ScriptProbe,
    SmtpProbe,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    UdpProbe,
)
from lvsc.targets import load
from support.ipvs import connection_sync, persistent, server, service, timeouts

from .build import (
    MARK,
    MARK6,
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
    text_of,
    virtual_address,
)
from .everything import failover

HEADER = "# Written by lvsc for host lvs1 of cluster demo. Do not edit: change the spec and build again."
GLOBAL = f"{HEADER}\n\nglobal_defs {{\n    router_id lvs1\n}}\n"


def block(text: str, head: str) -> str:
    """The block of the top level that begins with this line, without its name and last brace."""
    lines = text.splitlines()
    start = lines.index(head)
    end = lines.index("}", start)
    return dedent("\n".join(lines[start + 1 : end])) + "\n"


def body(*nodes: Node) -> str:
    """What the only virtual_server block holds."""
    text = text_of(*nodes)
    (head,) = [line for line in text.splitlines() if line.startswith("virtual_server ")]
    return block(text, head)


def test_a_service_of_two_real_servers_without_checks() -> None:
    assert text_of(service(WEB), WEB2, WEB1) == GLOBAL + dedent(
        """
        # service web
        virtual_server 192.0.2.10 80 {
            lvs_sched wlc
            lvs_method NAT
            protocol TCP
            real_server 10.11.12.21 80 {
                weight 1
            }
            real_server 10.11.12.22 80 {
                weight 1
            }
        }
        """
    )


@pytest.mark.parametrize(
    ("of", "real", "head", "lines"),
    [
        pytest.param(WEB, "10.11.12.21", "192.0.2.10 80", "protocol TCP", id="tcp"),
        pytest.param("udp 192.0.2.10:53", "10.11.12.21", "192.0.2.10 53", "protocol UDP", id="udp"),
        pytest.param("sctp 192.0.2.10:5000", "10.11.12.21", "192.0.2.10 5000", "protocol SCTP", id="sctp"),
        pytest.param(WEB6, "fd00::21", "2001:db8::10 80", "protocol TCP", id="IPv6"),
        pytest.param(MARK, "10.11.12.21", "fwmark 80", "", id="mark"),
        pytest.param(MARK6, "fd00::21", "fwmark 80", "", id="mark for IPv6"),
    ],
)
def test_a_service_is_selected_by_address_or_mark(of: str, real: str, head: str, lines: str) -> None:
    text = text_of(service(of), server(of, real))

    assert f"\nvirtual_server {head} {{\n    lvs_sched wlc\n    lvs_method NAT\n" in text
    assert ("protocol" in text) == bool(lines)
    assert lines in text


def test_both_families_of_one_mark_are_two_services() -> None:
    text = text_of(service(MARK), service(MARK6), server(MARK, "10.11.12.21"), server(MARK6, "fd00::21"))

    assert text.count("virtual_server fwmark 80 {") == 2
    assert text.index("real_server 10.11.12.21 0") < text.index("real_server fd00::21 0")


@pytest.mark.parametrize(
    ("of", "forwardings", "said"),
    [
        pytest.param(MARK, ["tunnel"], "ip_family inet", id="only tunnels"),
        pytest.param(MARK6, ["tunnel", "tunnel"], "ip_family inet6", id="only tunnels, IPv6"),
        pytest.param(MARK6, ["tunnel", "direct"], None, id="one that is no tunnel tells the family"),
        pytest.param(WEB6, ["tunnel"], None, id="an address tells the family"),
    ],
)
def test_the_family_of_a_mark_is_said_where_keepalived_cannot_see_it(
    of: str, forwardings: list[str], said: str | None
) -> None:
    real = "fd00::2" if of in (MARK6, WEB6) else "10.11.12.2"
    text = body(service(of), *(server(of, f"{real}{n}", None, how) for n, how in enumerate(forwardings)))

    assert [line for line in text.splitlines() if "ip_family" in line] == ([said] if said else [])


@pytest.mark.parametrize(
    ("scheduler", "flags", "lines"),
    [
        pytest.param("rr", (), "lvs_sched rr\n", id="rr"),
        pytest.param("sh", ("sh-fallback", "sh-port"), "lvs_sched sh\nsh-fallback\nsh-port\n", id="sh"),
        pytest.param("mh", ("mh-port",), "lvs_sched mh\nmh-port\n", id="mh"),
    ],
)
def test_flags_follow_their_scheduler(scheduler: str, flags: tuple[str, ...], lines: str) -> None:
    assert body(service(WEB, scheduler, flags=flags), WEB1).startswith(lines)


def test_one_packet_scheduling() -> None:
    assert "lvs_sched wlc\nops\n" in body(service(MARK, one_packet=True), server(MARK, "10.11.12.21"))


@pytest.mark.parametrize(
    ("of", "timeout", "prefix_length", "engine", "lines"),
    [
        pytest.param(MARK, 300, 32, None, "persistence_timeout 300\n", id="each client"),
        pytest.param(
            MARK,
            60,
            24,
            None,
            "persistence_timeout 60\npersistence_granularity 255.255.255.0\n",
            id="IPv4 networks",
        ),
        pytest.param(
            MARK6, 60, 64, None, "persistence_timeout 60\npersistence_granularity 64\n", id="IPv6 networks"
        ),
        pytest.param(MARK, 60, 32, "sip", "persistence_timeout 60\npersistence_engine sip\n", id="engine"),
    ],
)
def test_persistence(of: str, timeout: int, prefix_length: int, engine: str | None, lines: str) -> None:
    kept = persistent(timeout, prefix_length, engine)
    real = server(of, "fd00::21" if of == MARK6 else "10.11.12.21")
    text = body(service(of, persistence=kept), real)

    assert "".join(f"{line}\n" for line in text.splitlines() if line.startswith("persistence")) == lines


@pytest.mark.parametrize(
    ("tunnel", "words"),
    [
        pytest.param(None, "TUN", id="unsaid"),
        pytest.param(Tunnel(), "TUN", id="ipip"),
        pytest.param(Tunnel(type=TunnelType.GUE, port=6080), "TUN type gue port 6080 nocsum", id="gue"),
        pytest.param(
            Tunnel(type=TunnelType.GUE, port=6080, checksum=TunnelChecksum.REMOTE),
            "TUN type gue port 6080 remcsum",
            id="gue with remote checksum",
        ),
        pytest.param(
            Tunnel(type=TunnelType.GRE, checksum=TunnelChecksum.FULL), "TUN type gre csum", id="gre"
        ),
    ],
)
def test_tunnels(tunnel: Tunnel | None, words: str) -> None:
    real = server(WEB, "10.11.12.21", 80, "tunnel", tunnel=tunnel)

    assert f"lvs_method {words}\nprotocol TCP\n" in body(service(WEB), real)


def test_real_servers_that_differ_say_each_how_they_are_reached() -> None:
    text = body(service(WEB), WEB1, server(WEB, "10.11.12.22", 80, "direct"), sorry(WEB, "10.11.12.99", 8080))

    assert text == dedent(
        """\
        lvs_sched wlc
        protocol TCP
        sorry_server 10.11.12.99 8080
        sorry_server_lvs_method NAT
        real_server 10.11.12.21 80 {
            weight 1
            lvs_method NAT
        }
        real_server 10.11.12.22 80 {
            weight 1
            lvs_method DR
        }
        """
    )


def test_weight_thresholds_and_port() -> None:
    text = body(service(WEB), server(WEB, "10.11.12.21", 8080, weight=0, upper=100, lower=50), WEB2)

    assert "real_server 10.11.12.21 8080 {\n    weight 0\n    uthreshold 100\n    lthreshold 50\n}\n" in text


def test_port_0_of_a_real_server_is_the_services() -> None:
    assert "real_server 10.11.12.21 80 {" in body(service(WEB), server(WEB, "10.11.12.21"))
    assert "sorry_server 10.11.12.99 80\n" in body(service(WEB), WEB1, sorry(WEB, "10.11.12.99"))


def test_quorum_and_its_commands() -> None:
    wanted = replace(quorum(2, 1), up="/usr/bin/logger up", down="/usr/bin/logger 'it is down'")

    assert dedent(
        """\
        quorum 2
        hysteresis 1
        quorum_up "/usr/bin/logger up"
        quorum_down "/usr/bin/logger 'it is down'"
        """
    ) in body(service(WEB), replace(WEB1, weight=2), WEB2, wanted, script_user())


HTTP = HttpProbe(tls=False, path="/", status=((200, 200),))


@pytest.mark.parametrize(
    ("probe", "lines"),
    [
        pytest.param(TCP, "TCP_CHECK {\n{connect}{retry}}", id="tcp"),
        pytest.param(
            HTTP,
            "HTTP_GET {\n{connect}{retry}    url {\n        path /\n        status_code 200\n    }\n}",
            id="http",
        ),
        pytest.param(
            HttpProbe(
                tls=True,
                path="/a b#c!d{e}$f",
                status=((200, 299), (404, 404)),
                digest="0123456789abcdef0123456789abcdef",
                regex=r'\d+ "a" $b #c',
                virtual_host="www.example.org",
                sni=True,
                http_version="1.1",
            ),
            "SSL_GET {\n{connect}{retry}    http_protocol 1.1\n    enable_sni\n    url {\n"
            '        path "/a b#c!d{e}$f"\n        status_code 200-299 404\n'
            "        digest 0123456789abcdef0123456789abcdef\n"
            '        regex "\\\\d+ \\042a\\042 \\044b #c"\n    }\n}',
            id="https with all",
        ),
        pytest.param(SmtpProbe(), "SMTP_CHECK {\n{connect}{retry}}", id="smtp"),
        pytest.param(
            SmtpProbe(helo="lvs1"), "SMTP_CHECK {\n{connect}{retry}    helo_name lvs1\n}", id="smtp helo"
        ),
        pytest.param(
            DnsProbe(record="AAAA", name="example.org"),
            "DNS_CHECK {\n{connect}{retry}    type AAAA\n    name example.org\n}",
            id="dns",
        ),
        pytest.param(UdpProbe(), "UDP_CHECK {\n{connect}{retry}}", id="udp"),
        pytest.param(
            UdpProbe(payload="0a0b", require_reply=True, reply="0c"),
            "UDP_CHECK {\n{connect}{retry}    payload 0a0b\n    require_reply 0c\n}",
            id="udp with contents",
        ),
        pytest.param(
            UdpProbe(require_reply=True),
            "UDP_CHECK {\n{connect}{retry}    require_reply\n}",
            id="udp with any reply",
        ),
        pytest.param(PingProbe(), "PING_CHECK {\n    connect_timeout 3\n{retry}}", id="ping"),
        pytest.param(
            ScriptProbe(command="/bin/check --port 80"),
            'MISC_CHECK {\n    misc_path "/bin/check --port 80"\n    misc_timeout 3\n{retry}}',
            id="script",
        ),
    ],
)
def test_checkers(probe: Probe, lines: str) -> None:
    text = body(service(WEB), WEB1, check(WEB1, probe), script_user())
    expected = lines.replace("{connect}", "    connect_port 80\n    connect_timeout 3\n").replace(
        "{retry}", "    retry 2\n    delay_before_retry 1\n"
    )

    assert text.startswith("delay_loop 6\nlvs_sched wlc\n")
    assert f"    weight 1\n{indent(expected, '    ')}\n}}\n" in text


def test_checks_without_retries_say_so_but_for_scripts() -> None:
    once = replace(check(), retries=0, delay_before_retry=0)
    script = replace(check(WEB1, ScriptProbe(command="/bin/true")), retries=0, delay_before_retry=0)

    assert "connect_timeout 3\n        retry 0\n    }\n" in body(service(WEB), WEB1, once)
    assert "retry" not in body(service(WEB), WEB1, script, script_user())


def test_checks_that_differ_say_each_their_interval_and_virtual_host() -> None:
    other = replace(check(WEB2, replace(HTTP, virtual_host="b.example.org")), interval=0.25)
    text = body(service(WEB), WEB1, WEB2, check(WEB1, replace(HTTP, virtual_host="a.example.org")), other)

    assert text.startswith("lvs_sched wlc\nlvs_method NAT\nprotocol TCP\nreal_server")
    assert "delay_loop 6\n        retry 2\n        delay_before_retry 1\n        virtualhost a" in text
    assert "delay_loop 0.25\n        retry 2\n        delay_before_retry 1\n        virtualhost b" in text


def test_checks_that_agree_leave_their_virtual_host_to_the_service() -> None:
    probe = replace(HTTP, virtual_host="www.example.org")
    text = body(service(WEB), WEB1, WEB2, check(WEB1, probe), check(WEB2, probe))

    assert text.count("virtualhost") == 1
    assert "protocol TCP\nvirtualhost www.example.org\nreal_server" in text


def test_what_happens_when_a_real_server_fails() -> None:
    failing = replace(
        check(), on_failure=FailureAction.DRAIN, up="/bin/up", down="/bin/sh -c 'echo $1 > /dev/null'"
    )

    assert dedent(
        """\
            weight 1
            inhibit_on_failure
            notify_up "/bin/up"
            notify_down "/bin/sh -c 'echo \\0441 > /dev/null'"
            TCP_CHECK {
        """
    ) in dedent(body(service(WEB), WEB1, failing, script_user()).partition("{\n")[2].rstrip("}\n"))


def test_several_checks_of_one_real_server_stand_in_an_order_of_their_own() -> None:
    checks = [check(WEB1, TCP), check(WEB1, PingProbe()), check(WEB1, HTTP)]

    assert text_of(service(WEB), WEB1, *checks) == text_of(service(WEB), WEB1, *reversed(checks))
    assert body(service(WEB), WEB1, *checks).count("_CHECK {") == 2


def test_global_definitions() -> None:
    text = text_of(
        script_user("keepalived_script"),
        timeouts(900, 0, 300),
        connection_sync(instance="public", max_length=1400, port=8848, ttl=2, group="224.0.0.81"),
        alerts("root@example.org", "#ops@example.org"),
        instance(),
        virtual_address(),
        group("public"),
    )

    assert block(text, "global_defs {") == dedent(
        """\
        router_id lvs1
        script_user keepalived_script
        enable_script_security
        lvs_timeouts tcp 900 tcpfin 0 udp 300
        lvs_sync_daemon eth1 inst public id 51 maxlen 1400 port 8848 ttl 2 group 224.0.0.81
        notification_email {
            root@example.org
            "#ops@example.org"
        }
        notification_email_from lvs1@example.org
        smtp_server 192.0.2.25 25
        smtp_alert
        """
    )


def test_failover() -> None:
    assert text_of(*failover()).partition("}\n\n")[2] == dedent(
        """\
        vrrp_script up {
            script "/bin/true"
            interval 2
            timeout 1
            rise 1
            fall 2
        }

        vrrp_instance private {
            state BACKUP
            interface eth1
            version 3
            virtual_router_id 51
            priority 150
            advert_int 0.5
            preempt_delay 5
            virtual_ipaddress {
                10.11.12.10/24 dev eth1
            }
        }

        vrrp_instance public {
            state BACKUP
            interface eth0
            version 2
            virtual_router_id 51
            priority 150
            advert_int 1
            nopreempt
            unicast_src_ip 192.0.2.2
            unicast_peer {
                192.0.2.3
                192.0.2.4
            }
            authentication {
                auth_type PASS
                auth_pass "<lvsc-secret:env:VRRP_PASSWORD>"
            }
            virtual_ipaddress {
                192.0.2.10/24 dev eth0
            }
        }

        vrrp_instance public6 {
            state BACKUP
            interface eth0
            version 3
            virtual_router_id 51
            priority 150
            advert_int 1
            virtual_ipaddress {
                2001:db8::10/64 dev eth0
            }
        }

        vrrp_sync_group lvs {
            group {
                public
                private
                public6
            }
            track_interface {
                eth2
            }
            track_script {
                up
            }
            notify_master "/bin/true master"
            notify_backup "/bin/true backup"
            notify_fault "/bin/true fault"
        }
        """
    )


def test_a_group_of_one_is_said_by_its_instance() -> None:
    alone = replace(group("public"), track_interfaces=("eth1",), master="/bin/true", stop="/bin/true")
    text = text_of(instance(), virtual_address(), alone, script_user())

    assert "vrrp_sync_group" not in text
    assert block(text, "vrrp_instance public {").endswith(
        'track_interface {\n    eth1\n}\nnotify_master "/bin/true"\nnotify_stop "/bin/true"\n'
    )


def test_more_addresses_than_an_advert_holds_are_excluded_from_it() -> None:
    addresses = [virtual_address(f"192.0.2.{number}/24") for number in range(1, 71)]
    text = block(text_of(instance(), group("public"), *addresses), "vrrp_instance public {")

    advertised, _, excluded = text.partition("virtual_ipaddress_excluded {\n")
    assert advertised.count(" dev eth0") == 64
    assert excluded.count(" dev eth0") == 6
    assert "192.0.2.65/24" in excluded


def test_an_old_keepalived_gets_its_own_spelling() -> None:
    text = text_of(
        *failover(),
        alerts(),
        connection_sync(instance="public"),
        service(WEB),
        WEB1,
        check(WEB1, HTTP),
        target=load("rhel7"),
    )

    assert "lvs_sync_daemon eth1 public id 51\n" in text
    assert "nb_get_retry 2\n" in text
    assert "    smtp_server 192.0.2.25 25\n}\n" in text
    for head in ("vrrp_instance public {", "vrrp_instance private {", "vrrp_instance public6 {"):
        assert "track_script {\n    up\n}\nsmtp_alert\n" in block(text, head)
    assert "track_" not in block(text, "vrrp_sync_group lvs {")
    assert block(text, "vrrp_sync_group lvs {").endswith("smtp_alert\n")


def test_a_real_server_of_the_other_family_is_reached_by_a_tunnel() -> None:
    assert "real_server fd00::21 80 {" in body(service(WEB), server(WEB, "fd00::21", 80, "tunnel"))


def test_an_ipv6_instance_talks_to_ipv6_peers() -> None:
    six = replace(
        instance(family=Family.IPV6),
        unicast_source=ip_address("2001:db8::2"),
        unicast_peers=(ip_address("2001:db8::3"),),
    )

    assert "unicast_src_ip 2001:db8::2\nunicast_peer {\n    2001:db8::3\n}\n" in block(
        text_of(six, virtual_address("2001:db8::10/64"), group("public")), "vrrp_instance public {"
    )


def test_a_sorry_server_of_a_mark_keeps_the_port() -> None:
    text = body(
        service(MARK),
        server(MARK, "10.11.12.21", 0, "direct"),
        sorry(MARK, "10.11.12.99", forwarding=Forwarding.DIRECT),
    )

    assert "lvs_method DR\nsorry_server 10.11.12.99 0\nreal_server" in text
