"""The backend `vsftpd`: a second settings file, given to vsftpd by a drop-in of its unit or by an init script of its own.

vsftpd.conf has no include and belongs to the administrator. vsftpd(8) reads every file on its command line in turn, and
what comes later wins.
"""

from collections.abc import Iterable

from lvsc.plugin import (
    Artifact,
    Backend,
    Diagnostic,
    Emission,
    HostPart,
    Init,
    LoadStep,
    Node,
    Role,
    Stage,
    Target,
    Text,
    disable_unit,
    enable_unit,
)
from lvsc_ftp import codes
from lvsc_ftp.settings import PassiveSettings

SETTINGS = "/etc/lvsc/vsftpd.conf"
#: The OpenRC script that runs vsftpd with both files: what the distribution's own is given stands in its conf.d, which is
#: the administrator's (aports: main/vsftpd/vsftpd.confd). It takes over from that one, enabled or not (seen with OpenRC 0.45).
OPENRC_UNIT = "lvsc-vsftpd"
#: privops.c (vsf_privop_pasv_listen): a setting below IPPORT_RESERVED is none.
_LOWEST_PASSIVE = 1024


class Vsftpd(Backend):
    """Renders the settings of real servers' vsftpd."""

    name = "vsftpd"
    title = "settings of the real servers' vsftpd"
    role = Role.SETTINGS

    def renders(self, node: Node) -> bool:
        """The passive settings."""
        return type(node) is PassiveSettings

    def check(self, part: HostPart) -> Iterable[Diagnostic]:
        """A target without vsftpd cannot be given settings, nor vsftpd a range that no port of is unprivileged."""
        settings = part.graph.one(PassiveSettings)
        if settings is None:
            return
        passive = settings.passive_ports
        if passive is not None and passive.last < _LOWEST_PASSIVE:
            yield codes.UNFIT.at(
                settings.at("passive_ports"),
                f"vsftpd offers no port below {_LOWEST_PASSIVE}, so it would take any other in place of {passive}",
                help=f'choose a range that reaches {_LOWEST_PASSIVE} or beyond, or say `server = "other"`',
            )
        if part.target.units.vsftpd is None:
            yield codes.UNFIT.at(
                settings.at("server"),
                f"target `{part.target.name}` of `{part.host}` has no vsftpd",
                help='say `server = "other"` and set the passive range of its FTP server yourself',
            )

    def emit(self, part: HostPart) -> Emission:
        """The settings file, what gives it to vsftpd, and the restart of vsftpd."""
        settings = part.graph.one(PassiveSettings)
        unit = part.target.units.vsftpd
        if settings is None or unit is None:
            return Emission()
        head = f"# Written by lvsc for host {part.host} of cluster {part.cluster}. Do not edit: change the spec and build again."
        file = Text()
        file.add(head)
        for line in _settings(settings):
            file.add(line, settings.origin)
        if part.target.init is Init.OPENRC:
            file.add("# The script keeps the process that it starts.")
            file.add("background=NO")
            return Emission(
                artifacts=(file.artifact(SETTINGS), _script(head, part.target, unit)),
                steps=(_openrc_step(part.target),),
            )
        return Emission(
            artifacts=(file.artifact(SETTINGS), _drop_in(head, part.target, unit)),
            steps=(_systemd_step(part.target, unit),),
        )


def _drop_in(head: str, target: Target, unit: str) -> Artifact:
    text = Text()
    text.add(head)
    text.extend(
        [
            "[Unit]",
            "# No virtual address before there is somebody to answer its clients.",
            "Before=lvsc-addresses.service",
            "",
            "[Service]",
            "# An empty assignment first: a service of this type has one command.",
            "ExecStart=",
            f"ExecStart={target.program('vsftpd')} {target.paths.vsftpd_conf} {SETTINGS}",
        ]
    )
    return text.artifact(f"{target.paths.unit_dir}/{unit}.d/lvsc.conf")


def _systemd_step(target: Target, unit: str) -> LoadStep:
    systemctl = target.program("systemctl")
    return LoadStep(
        stage=Stage.SETTINGS,
        unit=unit,
        load=((systemctl, "daemon-reload"), (systemctl, "restart", unit)),
        unload=((systemctl, "daemon-reload"), (systemctl, "restart", unit)),
        # Not disabled again: it was there before.
        enable=enable_unit(target, unit),
    )


def _script(head: str, target: Target, unit: str) -> Artifact:
    text = Text()
    text.add("#!/sbin/openrc-run")
    text.add(head)
    text.extend(
        [
            "",
            'description="vsftpd with the settings of lvsc after the administrator\'s"',
            f"command={target.program('vsftpd')}",
            f'command_args="{target.paths.vsftpd_conf} {SETTINGS}"',
            "command_background=true",
            f"pidfile=/run/{OPENRC_UNIT}.pid",
            "",
            "depend() {",
            f"\tneed {target.units.network_online}",
            f"\tafter firewall lvsc-settings {unit}",
            "\t# No virtual address before there is somebody to answer its clients.",
            "\tbefore lvsc-addresses",
            "}",
            "",
            "start_pre() {",
            "\t# It listens on the same port, without the settings of lvsc.",
            f"\t{target.program('rc-service')} --ifexists --ifstarted {unit} stop",
            "}",
        ]
    )
    return text.artifact(f"{target.paths.unit_dir}/{OPENRC_UNIT}", 0o755)


def _openrc_step(target: Target) -> LoadStep:
    """The distribution's own script stays stopped afterwards: whether it ran before is not known."""
    service = target.program("rc-service")
    return LoadStep(
        stage=Stage.SETTINGS,
        unit=OPENRC_UNIT,
        load=((service, OPENRC_UNIT, "restart"),),
        unload=((service, "--ifstarted", OPENRC_UNIT, "stop"),),
        enable=enable_unit(target, OPENRC_UNIT),
        disable=disable_unit(target, OPENRC_UNIT),
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
