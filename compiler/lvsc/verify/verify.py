"""The pure part of `lvsc verify`: what can be proved from the text alone."""

from lvsc.compile import Compiled
from lvsc.plugins.manager import Plugins
from lvsc.verify.filters import compare_filters
from lvsc.verify.found import Found, together
from lvsc.verify.readback import read_back


def verify(compiled: Compiled, plugins: Plugins) -> Found:
    """Read everything back, and compare the packet filters.

    Raises:
        PluginError: A backend cannot be imported.
        DiagnosticError: A backend fails.
    """
    return together((read_back(compiled), compare_filters(compiled, plugins)))
