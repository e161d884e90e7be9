"""What the vsftpd backend writes, and what a real vsftpd makes of it behind an administrator's own file."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from lvsc.diagnostics import Origin
from lvsc.graph.graph import HostGraph
from lvsc.graph.nodes import KernelModule, Node
from lvsc.graph.traffic import PortRange
from lvsc.plugins.artifact import Emission, Stage
from lvsc.plugins.backend import HostPart
from lvsc.targets import load
from lvsc_ftp.settings import PassiveSettings
from lvsc_ftp.vsftpd import SETTINGS, Vsftpd

ORIGIN = Origin("cluster.toml", ("services", "files"))
HEAD = "# Written by lvsc for host ftp1 of cluster shop. Do not edit: change the spec and build again.\n"
RANGE = PortRange(10000, 10009)


def settings(
    port: int = 21, passive: PortRange | None = None, address: str | None = None, reason: str = ""
) -> PassiveSettings:
    return PassiveSettings(
        host="ftp1",
        origin=ORIGIN,
        listen_port=port,
        passive_ports=passive,
        passive_address=ip_address(address) if address else None,
        reason=reason,
    )


def part(*nodes: Node, target: str = "debian12") -> HostPart:
    return HostPart(cluster="shop", graph=HostGraph("ftp1", nodes), target=load(target))


def emit(*nodes: Node, target: str = "debian12") -> Emission:
    return Vsftpd().emit(part(*nodes, target=target))


def text(emission: Emission, path: str = SETTINGS) -> str:
    (found,) = (artifact.text for artifact in emission.artifacts if artifact.path == path)
    return found


ADDRESS = """\
listen_port=21
port_enable=YES
connect_from_port_20=YES
ftp_data_port=20
pasv_enable=YES
pasv_min_port=10000
pasv_max_port=10009
# encrypted
pasv_address=192.0.2.10
# While vsftpd listens for IPv6 as well, it gives 0.0.0.0 instead of that address.
listen=YES
listen_ipv6=NO
"""
CASES = {
    "plain": (
        settings(),
        "listen_port=21\nport_enable=YES\nconnect_from_port_20=YES\nftp_data_port=20\npasv_enable=YES\npasv_address=\n",
    ),
    "range-and-port": (
        settings(2121, RANGE),
        "listen_port=2121\nport_enable=YES\nconnect_from_port_20=YES\nftp_data_port=2120\npasv_enable=YES\npasv_min_port=10000\npasv_max_port=10009\npasv_address=\n",
    ),
    "address": (
        settings(21, RANGE, "192.0.2.10", "encrypted"),
        ADDRESS,
    ),
}


@pytest.mark.parametrize(("node", "expected"), CASES.values(), ids=CASES)
def test_the_settings(node: PassiveSettings, expected: str) -> None:
    assert text(emit(node)) == HEAD + expected


@pytest.mark.parametrize(
    ("target", "path", "command"),
    [
        (
            "debian12",
            "/etc/systemd/system/vsftpd.service.d/lvsc.conf",
            f"/usr/sbin/vsftpd /etc/vsftpd.conf {SETTINGS}",
        ),
        (
            "rhel9",
            "/etc/systemd/system/vsftpd.service.d/lvsc.conf",
            f"/usr/sbin/vsftpd /etc/vsftpd/vsftpd.conf {SETTINGS}",
        ),
    ],
)
def test_the_drop_in_gives_vsftpd_both_files(target: str, path: str, command: str) -> None:
    lines = text(emit(settings(), target=target), path).splitlines()
    assert "[Service]" in lines
    assert lines[-2:] == ["ExecStart=", f"ExecStart={command}"]


def test_openrc_gets_a_script_that_takes_the_place_of_the_distributions() -> None:
    emission = emit(settings(), target="alpine324")
    script = text(emission, "/etc/init.d/lvsc-vsftpd")
    assert script.startswith("#!/sbin/openrc-run\n")
    assert f'command_args="/etc/vsftpd/vsftpd.conf {SETTINGS}"\n' in script
    assert "\t/sbin/rc-service --ifexists --ifstarted vsftpd stop\n" in script
    # Where an administrator lets vsftpd leave the foreground, OpenRC would not find the process that it started.
    assert "background=NO\n" in text(emission)
    (step,) = emission.steps
    assert (step.stage, step.unit) == (Stage.SETTINGS, "lvsc-vsftpd")
    assert step.load == (("/sbin/rc-service", "lvsc-vsftpd", "restart"),)


def test_vsftpd_is_started_anew() -> None:
    (step,) = emit(settings()).steps
    assert (step.stage, step.unit) == (Stage.SETTINGS, "vsftpd.service")
    assert step.load == (("/bin/systemctl", "daemon-reload"), ("/bin/systemctl", "restart", "vsftpd.service"))


def test_a_host_without_settings_gets_nothing() -> None:
    assert emit() == Emission()


def test_only_passive_settings_are_rendered() -> None:
    assert Vsftpd().renders(settings())
    assert not Vsftpd().renders(KernelModule(host="ftp1", origin=ORIGIN, name="ip_vs"))


@pytest.mark.parametrize("target", ["debian12", "rhel9", "alpine324"])
def test_only_a_target_without_vsftpd_is_refused(target: str) -> None:
    able = part(settings(), target=target)
    bare = replace(able.target, units=replace(able.target.units, vsftpd=None))
    assert list(Vsftpd().check(able)) == []
    assert [found.code.id for found in Vsftpd().check(replace(able, target=bare))] == ["FTP007"]
    assert list(Vsftpd().check(replace(part(target=target), target=bare))) == []


@pytest.mark.parametrize(
    ("range_", "codes"),
    [((600, 700), ["FTP007"]), ((1023, 1023), ["FTP007"]), ((600, 1024), []), ((1024, 1024), [])],
)
def test_a_range_that_vsftpd_would_leave_aside_is_refused(range_: tuple[int, int], codes: list[str]) -> None:
    found = list(Vsftpd().check(part(settings(passive=PortRange(*range_)))))
    assert [each.code.id for each in found] == codes
    assert [each.place.origin.path[-1] for each in found if each.place] == ["passive_ports" for _ in codes]


# --- a real vsftpd ---------------------------------------------------------------------------------------------------

#: As Debian and RHEL ship it, with what a previous administrator may have left in it.
ADMINISTRATORS = """\
listen=NO
listen_ipv6=YES
anonymous_enable=YES
local_enable=NO
connect_from_port_20=NO
port_enable=NO
listen_port=990
pasv_min_port=40000
pasv_max_port=40009
pasv_address=198.51.100.99
secure_chroot_dir={empty}
anon_root={root}
ftp_username=daemon
seccomp_sandbox=NO
"""

SESSION = r"""
import ftplib, json, socket, subprocess, sys, time
port = int(sys.argv[1])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
server = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
found = {}
try:
    for host in ("127.0.0.1", "::1"):
        client = ftplib.FTP()
        for _ in range(600):
            try:
                client.connect(host, port, timeout=60)
                break
            except OSError:
                time.sleep(0.1)
        else:
            found[host] = None
            continue
        client.login()
        try:
            seen = found[host] = {"epsv": ftplib.parse229(client.sendcmd("EPSV"), (host, port))[1]}
        except ftplib.all_errors as error:
            found[host] = {"refused": str(error)}
            continue
        if host == "127.0.0.1":
            seen["pasv"] = list(ftplib.parse227(client.sendcmd("PASV")))
            with socket.create_server(("127.0.0.1", 0)) as here:
                here.settimeout(60)
                client.sendport(*here.getsockname())
                client.putcmd("NLST")
                data, sender = here.accept()
                seen["active"] = sender[1]
                data.close()
        client.close()
finally:
    server.terminate()
    output = server.communicate()[0].decode()
print(json.dumps({"found": found, "output": output}))
"""

VSFTPD = shutil.which("vsftpd", path="/usr/sbin:/usr/bin:/sbin:/bin")


@pytest.mark.skipif(VSFTPD is None, reason="vsftpd is not installed")
@pytest.mark.skipif(
    os.geteuid() != 0, reason="vsftpd wants a configuration owned by root, and a network namespace root"
)
class TestRealVsftpd:
    @staticmethod
    def session(node: PassiveSettings, directory: Path) -> dict[str, Any]:
        """What a client sees of a vsftpd that is given the administrator's file and then lvsc's."""
        (directory / "empty").mkdir()
        theirs, ours = directory / "vsftpd.conf", directory / "lvsc.conf"
        theirs.write_text(ADMINISTRATORS.format(empty=directory / "empty", root="/usr/share"))
        ours.write_text(text(emit(node)))
        done = subprocess.run(
            [
                "unshare",
                "-n",
                sys.executable,
                "-c",
                SESSION,
                str(node.listen_port),
                str(VSFTPD),
                str(theirs),
                str(ours),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert done.stderr == ""
        answer = json.loads(done.stdout)
        assert answer["output"] == ""
        found: dict[str, Any] = answer["found"]
        return found

    def test_the_later_file_wins_and_the_administrators_keeps_the_rest(self, tmp_path: Path) -> None:
        found = self.session(settings(2121, RANGE), tmp_path)
        four, six = found["127.0.0.1"], found["::1"]
        assert four is not None
        assert six is not None
        assert four["active"] == 2120
        assert four["pasv"] == ["127.0.0.1", four["pasv"][1]]
        for port in (four["epsv"], four["pasv"][1], six["epsv"]):
            assert port in RANGE

    @pytest.mark.parametrize(
        ("range_", "offered"), [((600, 700), (1024, 65535)), ((600, 1024), (1024, 1024))]
    )
    def test_it_offers_no_port_below_1024(
        self, range_: tuple[int, int], offered: tuple[int, int], tmp_path: Path
    ) -> None:
        found = self.session(settings(2121, PortRange(*range_)), tmp_path)
        assert found["::1"]["epsv"] in PortRange(*offered)
        assert found["127.0.0.1"]["epsv"] in PortRange(*offered)

    def test_it_cannot_offer_the_control_port(self, tmp_path: Path) -> None:
        found = self.session(settings(2121, PortRange.one(2121)), tmp_path)
        assert found == {host: {"refused": "500 OOPS: vsf_sysutil_bind"} for host in ("127.0.0.1", "::1")}

    def test_without_a_range_the_administrators_holds(self, tmp_path: Path) -> None:
        four = self.session(settings(2121), tmp_path)["127.0.0.1"]
        assert four is not None
        assert four["epsv"] in PortRange(40000, 40009)

    def test_the_virtual_address_is_offered(self, tmp_path: Path) -> None:
        found = self.session(settings(2121, RANGE, "192.0.2.10"), tmp_path)
        four = found["127.0.0.1"]
        assert four is not None
        assert four["pasv"][0] == "192.0.2.10"
        assert four["active"] == 2120
        assert found["::1"] is None
