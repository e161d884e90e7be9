"""A director that uses each thing that the backend can say, and one that keeps to what keepalived 1.3.5 knows."""

from dataclasses import replace
from ipaddress import ip_address

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
    Probe,
    ScriptProbe,
    SecretRef,
    SecretSource,
    SmtpProbe,
    Tunnel,
    TunnelChecksum,
    TunnelType,
    UdpProbe,
)
from support.ipvs import connection_sync, persistent, server, service, timeouts

from .build import (
    MARK,
    MARK6,
    TCP,
    WEB,
    WEB1,
    WEB2,
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

PASSWORD = SecretRef(SecretSource.ENVIRONMENT, "VRRP_PASSWORD", 8)
GUE = Tunnel(type=TunnelType.GUE, port=6080, checksum=TunnelChecksum.REMOTE)
GRE = Tunnel(type=TunnelType.GRE, checksum=TunnelChecksum.FULL)
HTTPS = HttpProbe(
    tls=True,
    path="/status?of=a#b!{c}",
    status=((200, 299), (301, 301)),
    digest="0123456789abcdef0123456789abcdef",
    regex=r'^a\.b "c" $_PWD #d! {2}$',
    virtual_host="www.example.org",
    sni=True,
    http_version="1.1",
)
PLAIN_HTTP = HttpProbe(tls=False, path="/", status=((200, 200),), virtual_host="www.example.org")
PROBES: tuple[Probe, ...] = (
    TCP,
    HTTPS,
    SmtpProbe(helo="lvs1.example.org"),
    DnsProbe(record="AAAA", name="www.example.org"),
    UdpProbe(payload="0a0b", require_reply=True, reply="0c0d"),
    PingProbe(),
    ScriptProbe(command="/bin/true 'a b' $HOME #c"),
)
_FORWARDING = {
    (MARK, "192.168.0.1"): (Forwarding.DIRECT, None),
    (MARK, "192.168.0.2"): (Forwarding.TUNNEL, None),
    (MARK, "192.168.0.3"): (Forwarding.TUNNEL, GUE),
    (MARK, "192.168.0.4"): (Forwarding.TUNNEL, GRE),
    (MARK, "192.168.0.5"): (Forwarding.NAT, None),
    (MARK6, "192.168.0.3"): (Forwarding.TUNNEL, GUE),
}
_CHECKED = [server("udp 192.0.2.10:53", f"10.11.12.{number}", 53) for number in range(len(PROBES))]


def failover() -> list[Node]:
    """Two networks and both families in one group."""
    return [
        script_user(),
        track_script(),
        replace(
            instance(),
            version=2,
            preempt=False,
            unicast_source=ip_address("192.0.2.2"),
            unicast_peers=(ip_address("192.0.2.3"), ip_address("192.0.2.4")),
            authentication=Authentication(type=AuthenticationType.PASS, password=PASSWORD),
        ),
        replace(instance("private", "eth1"), preempt_delay=5, advertisement_interval=0.5),
        instance("public6", family=Family.IPV6),
        virtual_address(),
        virtual_address("10.11.12.10/24", "private", "eth1"),
        virtual_address("2001:db8::10/64", "public6"),
        replace(
            group("public", "private", "public6"),
            track_interfaces=("eth2",),
            track_scripts=("up",),
            master="/bin/true master",
            backup="/bin/true backup",
            fault="/bin/true fault",
        ),
    ]


def everything() -> list[Node]:
    """Every kind of node, probe, forwarding method and option."""
    return [
        *failover(),
        alerts(),
        timeouts(),
        connection_sync(instance="public", max_length=1400, port=8848, ttl=2, group="224.0.0.81", sync_id=7),
        service(WEB, "mh", flags=("mh-fallback", "mh-port")),
        replace(WEB1, weight=70000, upper_threshold=100, lower_threshold=50),
        WEB2,
        replace(
            check(WEB1),
            interval=0.5,
            on_failure=FailureAction.DRAIN,
            up="/bin/true up",
            down="/bin/true 'it is \"down\"'",
        ),
        check(WEB2),
        sorry(WEB, "10.11.12.99", 8080),
        replace(quorum(2, 1), up="/bin/true up", down="/bin/true down"),
        service(MARK, persistence=persistent(prefix_length=24)),
        *(
            server(of, address, forwarding=forwarding.value, tunnel=tunnel)
            for (of, address), (forwarding, tunnel) in _FORWARDING.items()
        ),
        sorry(MARK, "10.11.12.98", forwarding=Forwarding.DIRECT),
        service(MARK6, "sh", flags=("sh-fallback", "sh-port"), persistence=persistent(60, 64, "sip")),
        service("udp 192.0.2.10:53", "twos", one_packet=True),
        *_CHECKED,
        *(check(node, probe) for node, probe in zip(_CHECKED, PROBES, strict=True)),
    ]


def plain() -> list[Node]:
    """What keepalived 1.3.5 can say too."""
    return [
        *failover(),
        alerts(),
        timeouts(),
        connection_sync(instance="public", sync_id=7),
        service(WEB),
        WEB1,
        WEB2,
        check(WEB1, PLAIN_HTTP),
        check(WEB2, PLAIN_HTTP),
        service("mark 21", persistence=persistent()),
        server("mark 21", "10.11.12.31"),
        check(server("mark 21", "10.11.12.31")),
        service("mark 21 -6", persistence=persistent(300, 128)),
        server("mark 21 -6", "fd00::31", forwarding="direct"),
    ]
