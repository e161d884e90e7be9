"""The codes of TFTP services that cannot work."""

from lvsc.plugin import Code

BLOCK = Code(
    "TFT001", "blocks too large for a tunnel", "A tunnel's header makes larger blocks into fragments."
)
ROOTS = Code("TFT002", "two directories for one tftpd", "A host's tftpd serves one directory.")
UNIT = Code("TFT003", "no tftpd unit", "tftpd's settings are known for systemd alone.")

ALL = (BLOCK, ROOTS, UNIT)
