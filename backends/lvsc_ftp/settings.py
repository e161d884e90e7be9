"""What a real server's FTP server must be told."""

from dataclasses import dataclass, field
from typing import ClassVar

from lvsc.plugin import Address, Node, PortRange


@dataclass(frozen=True, slots=True, kw_only=True)
class PassiveSettings(Node):
    """How an FTP server offers and opens data connections, so that they pass the directors."""

    said: ClassVar[str] = "the real servers' FTP settings"

    listen_port: int
    passive_ports: PortRange | None
    """None leaves the server's own choice."""
    passive_address: Address | None
    """What the 227 reply says; None says the address that the client connected to."""
    reason: str = field(default="", compare=False)
    """Why there is a passive address, or none: one line."""

    @property
    def active_port(self) -> int:
        """Where active data connections come from: the port below the control port (RFC 959, 3.2)."""
        return self.listen_port - 1
