from dataclasses import replace
from ipaddress import ip_address

import pytest

from lvsc.plugin import (
    AddressSelector,
    HttpProbe,
    Init,
    KernelModule,
    LoadStep,
    Node,
    Origin,
    Protocol,
    Stage,
    disable_unit,
    enable_unit,
)
from lvsc.targets import load
from lvsc_keepalived.backend import Keepalived
from lvsc_keepalived.needs import needs
from support.features import features_of
from support.ipvs import HOST, ORIGIN, part, server, service

from .build import WEB, WEB1, WEB2, check, text_of, virtual_address
from .everything import PASSWORD, everything, failover, plain


def test_a_file_without_secrets_may_be_read_by_all() -> None:
    (artifact,) = Keepalived().emit(part(service(WEB), WEB1)).artifacts

    assert (artifact.path, artifact.mode, artifact.secrets) == ("/etc/keepalived/keepalived.conf", 0o644, ())


def test_a_file_with_a_password_is_roots_alone_and_holds_its_placeholder() -> None:
    (artifact,) = Keepalived().emit(part(*failover())).artifacts

    assert (artifact.mode, artifact.secrets) == (0o600, (PASSWORD,))
    assert artifact.text.count(PASSWORD.placeholder) == 1


def test_keepalived_is_reloaded_or_started() -> None:
    target = replace(load("debian12"), programs=(("systemctl", "/usr/bin/systemctl"),))

    assert Keepalived().emit(part(service(WEB), WEB1, target=target)).steps == (
        LoadStep(
            stage=Stage.DIRECTOR,
            unit="keepalived.service",
            load=(("/usr/bin/systemctl", "reload-or-restart", "keepalived.service"),),
            unload=(("/usr/bin/systemctl", "stop", "keepalived.service"),),
            enable=enable_unit(target, "keepalived.service"),
            disable=disable_unit(target, "keepalived.service"),
        ),
    )


def test_openrc_reloads_a_running_keepalived_and_starts_a_stopped_one() -> None:
    target = load("debian12")
    target = replace(
        target,
        init=Init.OPENRC,
        programs=(("rc-service", "/sbin/rc-service"), ("rc-update", "/sbin/rc-update")),
        units=replace(target.units, keepalived="keepalived"),
    )

    (step,) = Keepalived().emit(part(service(WEB), WEB1, target=target)).steps
    assert step.load == (
        ("/sbin/rc-service", "--ifstarted", "keepalived", "reload"),
        ("/sbin/rc-service", "--ifstopped", "keepalived", "start"),
    )
    assert step.unload == (("/sbin/rc-service", "--ifstarted", "keepalived", "stop"),)
    assert step.enable == enable_unit(target, "keepalived")


def test_a_host_without_director_nodes_gets_nothing() -> None:
    emission = Keepalived().emit(part())

    assert (emission.artifacts, emission.steps) == ((), ())
    assert list(Keepalived().check(part())) == []


@pytest.mark.parametrize("nodes", [everything(), plain()], ids=["everything", "plain"])
def test_shuffled_nodes_give_the_same_bytes(nodes: list[Node]) -> None:
    assert text_of(*nodes[::-1]) == text_of(*sorted(nodes, key=repr)) == text_of(*nodes)


def test_each_line_of_a_node_carries_its_origin() -> None:
    web2 = replace(WEB2, origin=Origin("cluster.toml", ("pools", "web", "real_servers", 1)))
    probe = replace(check(WEB2), origin=Origin("cluster.toml", ("pools", "web", "check")))
    (artifact,) = Keepalived().emit(part(service(WEB), WEB1, web2, probe)).artifacts
    origins = {line.text.strip(): line.origin for line in artifact.lines}

    assert origins["real_server 10.11.12.22 80 {"] == web2.origin
    assert origins["connect_timeout 3"] == probe.origin
    assert origins["lvs_sched wlc"] == ORIGIN
    assert origins["router_id lvs1"] is None


def test_what_the_backend_renders() -> None:
    backend = Keepalived()
    module = KernelModule(host=HOST, origin=ORIGIN, name="ip_vs")

    assert all(backend.renders(node) for node in everything())
    assert not backend.renders(virtual_address(of=None))
    assert not backend.renders(module)
    assert list(needs(module)) == []


def test_the_plain_director_needs_nothing_of_a_newer_keepalived() -> None:
    assert [feature for node in plain() for feature in needs(node)] == []


def test_a_node_asks_for_what_it_needs() -> None:
    asked = {feature.key for node in everything() for feature in features_of(Keepalived(), node)}

    assert asked == {
        "keepalived_decimal_timers",
        "keepalived_dns_retry_delay",
        "keepalived_http_protocol",
        "keepalived_http_regex",
        "keepalived_http_sni",
        "keepalived_large_weight",
        "keepalived_mh_flags",
        "keepalived_mixed_families",
        "keepalived_ops",
        "keepalived_persistence_engine",
        "keepalived_persistence_prefix",
        "keepalived_ping_check",
        "keepalived_quoted_commands",
        "keepalived_sched_mh",
        "keepalived_sched_twos",
        "keepalived_script_retry",
        "keepalived_sh_flags",
        "keepalived_status_ranges",
        "keepalived_tunnel_types",
        "keepalived_udp_check",
        "keepalived_udp_payload",
        "kernel_mixed_families",
        "kernel_sched_mh",
        "kernel_sched_twos",
        "kernel_sh_flags",
        "kernel_sync_parameters",
        "kernel_tunnel_gre",
        "kernel_tunnel_gue",
        "kernel_tunnel_gue_checksum",
    }


@pytest.mark.parametrize(
    ("node", "keys"),
    [
        pytest.param(service("mark 80", one_packet=True), ["keepalived_ops_mark"], id="ops by mark"),
        pytest.param(service("sctp 192.0.2.10:80"), ["keepalived_sctp"], id="sctp"),
        pytest.param(
            service(WEB, "fo"),
            ["keepalived_sched_fo", "kernel_sched_fo"],
            id="scheduler of keepalived and kernel",
        ),
        pytest.param(server(WEB, "10.11.12.21", weight=65535), [], id="a weight of 16 bits"),
        pytest.param(
            server(WEB, "10.11.12.21", weight=65536), ["keepalived_large_weight"], id="a larger weight"
        ),
    ],
)
def test_features(node: Node, keys: list[str]) -> None:
    assert [feature.key for feature in features_of(Keepalived(), node)] == keys


def test_many_services_and_many_real_servers_are_rendered() -> None:
    for services, servers in ((300, 10), (1, 3000)):
        given = part(*many(services, servers))
        assert list(Keepalived().check(given)) == []
        (conf,) = Keepalived().emit(given).artifacts
        assert sum(line.text.lstrip().startswith("real_server ") for line in conf.lines) == services * servers


def many(services: int, servers: int) -> list[Node]:
    probe = HttpProbe(tls=False, path="/", status=((200, 200),))
    nodes: list[Node] = []
    for number in range(services):
        selector = AddressSelector(Protocol.TCP, ip_address(0x0A000000 + number), 80)
        nodes.append(replace(service(WEB), selector=selector))
        for other in range(servers):
            real = replace(WEB1, selector=selector, address=ip_address(0xC0A80000 + other))
            nodes += [real, check(real, probe)]
    return nodes
