"""Every code that a diagnostic can have."""

from lvsc import blame
from lvsc.analysis import codes as analysis_codes
from lvsc.commands import diff, live, sides, specs
from lvsc.diagnostics import Code
from lvsc.lowering import codes as lowering_codes
from lvsc.output import codes as output_codes
from lvsc.plugins.manager import Plugins
from lvsc.rehearsal import codes as rehearsal_codes
from lvsc.report import diff_findings
from lvsc.spec import codes as spec_codes
from lvsc.spec import model_codes
from lvsc.trace import codes as trace_codes
from lvsc.verify import codes as verify_codes


def own_codes() -> dict[str, Code]:
    """The codes of lvsc itself, by identifier."""
    modules = (
        specs,
        sides,
        live,
        diff,
        diff_findings,
        spec_codes,
        model_codes,
        lowering_codes,
        analysis_codes,
        blame,
        output_codes,
        verify_codes,
        trace_codes,
        rehearsal_codes,
    )
    return {code.id: code for module in modules for code in module.ALL}


def all_codes(plugins: Plugins) -> dict[str, Code]:
    """The codes of lvsc and of every plugin, by identifier; a plugin's never replaces one of lvsc.

    Raises:
        PluginError: A backend cannot be imported.
    """
    return {code.id: code for code in plugins.codes()} | own_codes()
