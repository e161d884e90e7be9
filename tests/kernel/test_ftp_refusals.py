"""What lvsc refuses of FTP, made of the nearest that it accepts: the transfers fail. test_ftp.py and test_ftp_tls.py have more."""

import pytest

from lvsc.graph.traffic import Family
from support.ftp import RANGE
from support.specs import Layer, merged

from .conftest import Edit, Start
from .ftp import BASE, Clients, edited, ftp, in_rules

pytestmark = [pytest.mark.kernel, pytest.mark.full]

CONTROL_PORTS = [2000 + number for number in range(8)]


def test_servers_by_nat_and_by_direct_routing_cannot_serve_together(trial: Start) -> None:
    """FTP001: what carries direct routing lets the active data of a server by NAT come from that server's own address."""
    layers = (BASE, ftp("mixed", 1, forwarding="direct", passive_ports=RANGE, families=[Family.IPV4]))
    site = trial(*layers, fresh=True)
    clients = Clients(site)
    assert clients.failures("mixed") == {}, clients.said
    # The operator's part for a server by NAT.
    site.run("mixed2", "ip", "route", "replace", "default", "via", "192.0.2.2")
    quiet = [f"net.ipv4.conf.{name}.send_redirects=0" for name in ("all", "eth0")]
    site.run("lvs1", "sysctl", "-q", "net.ipv4.ip_forward=1", *quiet)
    rules: tuple[Edit, ...] = (
        (
            "ipvsadm.rules",
            lambda text: in_rules("192.0.2.12", "-g", "-m")(in_rules("192.0.2.11", "-w 1", "-w 0")(text)),
        ),
    )
    lost = {"mixed": "checking eprt"}
    with edited(site, "lvs1", *rules):
        assert clients.failures(doomed=lost) == lost, clients.said


def test_the_module_reads_no_ninth_control_port(trial: Start) -> None:
    """FTP004: it is not loaded at all, and so no control port is read."""
    services: Layer = {
        "services": {
            f"ftp{port}": {
                "kind": "ftp",
                "address": "ftp",
                "pool": "ftp",
                "control_port": port,
                "server": "other",
            }
            for port in CONTROL_PORTS
        }
    }
    layers = merged(BASE, ftp("ftp", 1), {"services": {}}, services)
    del layers["services"]["ftp"]
    ninth = in_rules("options ip_vs_ftp", "ports=", "ports=1999,")
    site = trial(layers, fresh=True, serve=False, start=False)
    assert all(done.status == 0 for done in site.load("lvs1"))
    site = trial(layers, fresh=True, serve=False, start=False, edits=[("modprobe.d/lvsc.conf", ninth)])
    last = site.load("lvs1")[-1]
    assert "modprobe" in last.argv[0]
    assert "ip_vs_ftp" in last.stderr
    assert last.status
