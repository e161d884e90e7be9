"""The backend `tftpd`."""

from collections.abc import Iterable
from typing import ClassVar

from acme_tftp import codes
from acme_tftp.settings import TftpSettings
from lvsc.plugin import Backend, Diagnostic, Emission, HostPart, Init, LoadStep, Node, Role, Stage, Text

PATH = "/etc/lvsc/tftpd.conf"
UNIT = "tftpd.service"


class Tftpd(Backend):
    """Renders the settings of real servers' tftpd."""

    name: ClassVar[str] = "tftpd"
    title: ClassVar[str] = "settings of the real servers' tftpd"
    role: ClassVar[Role] = Role.SETTINGS

    def renders(self, node: Node) -> bool:
        """The kind's own nodes."""
        return type(node) is TftpSettings

    def check(self, part: HostPart) -> Iterable[Diagnostic]:
        """Only systemd has a unit to give the settings to."""
        for settings in part.graph.of(TftpSettings):
            if part.target.init is not Init.SYSTEMD:
                yield codes.UNIT.at(
                    settings.origin, f"`{part.host}` has no systemd", help="use another target"
                )

    def emit(self, part: HostPart) -> Emission:
        """One file, and the restart of tftpd."""
        text = Text()
        text.add(f"# Written by lvsc for host {part.host} of cluster {part.cluster}.")
        for settings in part.graph.of(TftpSettings):
            text.add(f"directory = {_quoted(settings.directory)}", settings.origin)
            text.add(f"block-size = {settings.block_size}", settings.origin)
        systemctl = part.target.program("systemctl")
        step = LoadStep(stage=Stage.SETTINGS, unit=UNIT, load=((systemctl, "restart", UNIT),))
        return Emission(artifacts=(text.artifact(PATH),), steps=(step,))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
