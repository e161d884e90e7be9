from collections.abc import Iterable

from lvsc.plugin import Backend, Code, hookimpl
from lvsc_keepalived import codes, read_codes
from lvsc_keepalived.backend import Keepalived


@hookimpl
def lvsc_backend() -> Backend:
    """Provide the backend."""
    return Keepalived()


@hookimpl
def lvsc_codes() -> Iterable[Code]:
    """Provide the codes of its refusals."""
    return (*codes.ALL, *read_codes.ALL)
