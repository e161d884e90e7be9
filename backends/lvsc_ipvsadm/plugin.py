from collections.abc import Iterable

from lvsc.plugin import Backend, Code, hookimpl
from lvsc_ipvsadm import codes, read_codes
from lvsc_ipvsadm.backend import Ipvsadm


@hookimpl
def lvsc_backend() -> Backend:
    """Provide the backend."""
    return Ipvsadm()


@hookimpl
def lvsc_codes() -> Iterable[Code]:
    """Provide the codes of its refusals, and of what its readers do not understand."""
    return (*codes.ALL, *read_codes.ALL)
