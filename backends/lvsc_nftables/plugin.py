from collections.abc import Iterable

from lvsc.plugin import Backend, Code, hookimpl
from lvsc_nftables import codes, read_codes
from lvsc_nftables.backend import Nftables


@hookimpl
def lvsc_backend() -> Backend:
    """Provide the backend."""
    return Nftables()


@hookimpl
def lvsc_codes() -> Iterable[Code]:
    """Provide the codes of its refusals and of its reader."""
    return (*codes.ALL, *read_codes.ALL)
