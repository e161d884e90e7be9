"""The plugin that provides the backend `vsftpd`."""

from lvsc.plugin import Backend, hookimpl
from lvsc_ftp.vsftpd import Vsftpd


@hookimpl
def lvsc_backend() -> Backend:
    """The backend."""
    return Vsftpd()
