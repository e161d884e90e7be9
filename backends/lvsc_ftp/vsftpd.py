"""The backend `vsftpd`: a second settings file, given to vsftpd by a drop-in of its unit.

vsftpd.conf has no include and belongs to the administrator. vsftpd(8) reads every file on its command line in turn, and
what comes later wins.
"""

from collections.abc import Iterable

from lvsc.plugin import (
    Backend,
    Diagnostic,
    Emission,
    HostPart,
    Init,
    LoadStep,
    Node,
    Role,
    Stage,
    Text,
    enable_unit,
)
from lvsc_ftp import codes
from lvsc_ftp.settings import PassiveSettings

SETTINGS = "/etc/lvsc/vsftpd.conf"


class Vsftpd(Backend):
    """Renders the settings of real servers' vsftpd."""

    name = "vsftpd"
    title = "settings of the real servers' vsftpd"
    role = Role.SETTINGS

    def renders(self, node: Node) -> bool:
        """The passive settings."""
        return type(node) is PassiveSettings

    def check(self, part: HostPart) -> Iterable[Diagnostic]:
        """A target without a vsftpd unit cannot be given settings."""
        settings = part.graph.one(PassiveSettings)
        if settings is not None and (
            part.target.units.vsftpd is None or part.target.init is not Init.SYSTEMD
        ):
            yield codes.UNFIT.at(
                settings.origin,
                f"target `{part.target.name}` of `{part.host}` has no systemd unit of vsftpd",
                help='say `server = "other"` and set the passive range of its FTP server yourself',
            )

    def emit(self, part: HostPart) -> Emission:
        """The settings file, the drop-in, and the restart of vsftpd."""
        settings = part.graph.one(PassiveSettings)
        unit = part.target.units.vsftpd
        if settings is None or unit is None:
            return Emission()
        head = f"# Written by lvsc for host {part.host} of cluster {part.cluster}. Do not edit: change the spec and build again."
        file = Text()
        file.add(head)
        for line in _settings(settings):
            file.add(line, settings.origin)
        drop_in = Text()
        drop_in.add(head)
        drop_in.extend(
            [
                "[Unit]",
                "# No virtual address before there is somebody to answer its clients.",
                "Before=lvsc-addresses.service",
                "",
                "[Service]",
                "# An empty assignment first: a service of this type has one command.",
                "ExecStart=",
                f"ExecStart={part.target.program('vsftpd')} {part.target.paths.vsftpd_conf} {SETTINGS}",
            ]
        )
        systemctl = part.target.program("systemctl")
        return Emission(
            artifacts=(
                file.artifact(SETTINGS),
                drop_in.artifact(f"{part.target.paths.unit_dir}/{unit}.d/lvsc.conf"),
            ),
            steps=(
                LoadStep(
                    stage=Stage.SETTINGS,
                    unit=unit,
                    load=((systemctl, "daemon-reload"), (systemctl, "restart", unit)),
                    unload=((systemctl, "daemon-reload"), (systemctl, "restart", unit)),
                    # Not disabled again: it was there before.
                    enable=enable_unit(part.target, unit),
                ),
            ),
        )


def _settings(settings: PassiveSettings) -> Iterable[str]:
    """Lines of vsftpd.conf(5); its parser allows no space around the equals sign."""
    yield f"listen_port={settings.listen_port}"
    yield "port_enable=YES"
    yield "connect_from_port_20=YES"
    yield f"ftp_data_port={settings.active_port}"
    yield "pasv_enable=YES"
    if settings.passive_ports is not None:
        yield f"pasv_min_port={settings.passive_ports.first}"
        yield f"pasv_max_port={settings.passive_ports.last}"
    if settings.reason:
        yield f"# {settings.reason}"
    # Empty takes back what vsftpd.conf may say: ip_vs_ftp believes a virtual address in the reply to be the server's own.
    yield f"pasv_address={settings.passive_address or ''}"
    if settings.passive_address is not None:
        yield "# While vsftpd listens for IPv6 as well, it gives 0.0.0.0 instead of that address."
        yield "listen=YES"
        yield "listen_ipv6=NO"
