"""What a real server's tftpd must be told."""

from dataclasses import dataclass
from typing import ClassVar

from lvsc.plugin import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class TftpSettings(Node):
    """What a tftpd serves, and in which blocks."""

    said: ClassVar[str] = "the real servers' tftpd settings"

    directory: str
    block_size: int

    @property
    def sort_key(self) -> tuple[object, ...]:
        """By what is served."""
        return (self.directory, self.block_size)
