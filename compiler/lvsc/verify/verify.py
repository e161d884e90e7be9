"""The pure part of `lvsc verify`: what can be proved from the text alone."""

from lvsc.compile import Compiled
from lvsc.plugins.manager import Plugins
from lvsc.verify.emitted import Emitted
from lvsc.verify.filters import compare_filters
from lvsc.verify.found import Found, together
from lvsc.verify.readback import read_back, read_filter


def verify(compiled: Compiled, plugins: Plugins, tree: str | None = None) -> Found:
    """Read everything back, and compare the packet filters. `tree` is what messages call the cluster's directory.

    Raises:
        PluginError: A backend cannot be imported.
        DiagnosticError: A backend fails.
    """
    emitted = Emitted(tree or compiled.cluster.name, compiled.files)
    filters = read_filter(compiled, emitted)
    return together(
        (read_back(compiled, emitted, filters), compare_filters(compiled, plugins, emitted, filters))
    )
