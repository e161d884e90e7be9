"""The entry point of the backend `balance`."""

from collections.abc import Iterable

from acme_balance import codes
from acme_balance.backend import Balance
from lvsc.plugin import Backend, Code, hookimpl


@hookimpl
def lvsc_backend() -> Backend:
    """The backend."""
    return Balance()


@hookimpl
def lvsc_codes() -> Iterable[Code]:
    """Its codes."""
    return codes.ALL
