"""Registers the host backend."""

from collections.abc import Iterable

from lvsc.plugin import Backend, Code, hookimpl
from lvsc_host import codes
from lvsc_host.backend import Host


@hookimpl
def lvsc_backend() -> Backend:
    """The host backend."""
    return Host()


@hookimpl
def lvsc_codes() -> Iterable[Code]:
    """The codes of what the host backend refuses."""
    return codes.ALL
