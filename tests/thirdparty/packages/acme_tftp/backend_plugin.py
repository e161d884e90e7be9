"""The entry point of the backend `tftpd`."""

from acme_tftp.backend import Tftpd
from lvsc.plugin import Backend, hookimpl


@hookimpl
def lvsc_backend() -> Backend:
    """The backend."""
    return Tftpd()
