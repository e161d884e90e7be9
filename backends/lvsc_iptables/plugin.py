from collections.abc import Iterable

from lvsc.plugin import Backend, Code, hookimpl
from lvsc_iptables import codes, read_codes
from lvsc_iptables.backend import Iptables


@hookimpl
def lvsc_backend() -> Backend:
    """Provide the backend."""
    return Iptables()


@hookimpl
def lvsc_codes() -> Iterable[Code]:
    """Provide the codes of its refusals and of its reader."""
    return (*codes.ALL, *read_codes.ALL)
