"""`lvsc show`: a spec with everything that it leaves unsaid."""

import argparse

from lvsc.commands.console import Console, exit_code
from lvsc.commands.specs import add_spec_arguments, compile_source, installed_plugins, options
from lvsc.diagnostics import DiagnosticError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC, --target, --backend."""
    add_spec_arguments(parser, many=False)
    parser.epilog = "What is printed is a spec too, and compiles to the same files."


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the spec; 1 where it has errors."""
    try:
        plugins = installed_plugins()
        compiled = compile_source(arguments.spec, console, plugins, options(arguments))
    except DiagnosticError as error:
        console.report(error.diagnostics)
        return exit_code(error.diagnostics)
    # Only a spec without errors needs these.
    from lvsc.report.effective import effective  # noqa: PLC0415
    from lvsc.spec.read import read  # noqa: PLC0415

    document = read(console.sources[arguments.spec], arguments.spec)
    spec = effective(document.values, compiled, plugins)
    console.report(compiled.diagnostics, {"spec": spec})
    if not console.json:
        import tomli_w  # noqa: PLC0415

        console.stdout.write(tomli_w.dumps(spec))
    return 0
