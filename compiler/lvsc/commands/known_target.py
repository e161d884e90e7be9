"""A target that the command line names, for the commands that read no spec."""

from lvsc import targets
from lvsc.diagnostics import DiagnosticError
from lvsc.spec import model_codes
from lvsc.targets import Target


def known_target(name: str) -> Target:
    """The target of a name.

    Raises:
        DiagnosticError: There is none.
    """
    try:
        return targets.load(name)
    except targets.UnknownTarget as error:
        near = error.suggestion
        help_text = f"did you mean `{near}`?" if near else "`lvsc targets` lists them"
        unknown = model_codes.UNKNOWN_TARGET.at(
            None, f"there is no target `{name}`", help=help_text, trouble=True
        )
        raise DiagnosticError([unknown]) from error
