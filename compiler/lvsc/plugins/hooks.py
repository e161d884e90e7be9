"""The hooks a plugin may implement: small in number, coarse in what they do.

A plugin is a module. Its entry point stands in one of two groups:

`lvsc.backends`
    The entry point's name is the backend's; the module is imported only when that backend is used.
`lvsc.plugins`
    The module is imported whenever a spec is read, because what it adds to the schema must always be known.

A module implements a hook by a function of the hook's name with `@lvsc.plugin.hookimpl` above it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from lvsc.diagnostics import Code, Diagnostic
from lvsc.plugins.backend import Backend

if TYPE_CHECKING:
    from lvsc.lowering.lowered import Lowered
    from lvsc.plugins.kind import ServiceKind

PROJECT = "lvsc"

hookspec = pluggy.HookspecMarker(PROJECT)
#: Stands above each function by which a plugin implements a hook.
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The hook specifications."""

    @hookspec
    def lvsc_backend(self) -> Backend:  # type: ignore[empty-body]  # a specification has no body
        """Provide one backend."""

    @hookspec
    def lvsc_service_kind(self) -> "ServiceKind":  # type: ignore[empty-body]  # likewise
        """Provide one service kind, which also brings its fragment of the schema."""

    @hookspec
    def lvsc_codes(self) -> Iterable[Code]:  # type: ignore[empty-body]  # likewise
        """Provide the codes of the plugin's diagnostics, for `lvsc explain CODE`."""

    @hookspec
    def lvsc_lint(self, lowered: "Lowered") -> Iterable[Diagnostic]:  # type: ignore[empty-body]  # likewise
        """Look at a lowered cluster and say what is wrong with it."""
