"""`lvsc schema`: the JSON Schema of a spec, with the installed service kinds."""

import argparse

from lvsc.commands.console import Console, exit_code
from lvsc.commands.specs import installed_plugins
from lvsc.diagnostics import DiagnosticError
from lvsc.spec.schema import generate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own: the schema is JSON in every format."""
    parser.epilog = "Editors find it by a first line such as `#:schema ./cluster.schema.json` in the spec."


def run(_: argparse.Namespace, console: Console) -> int:
    """Print the schema."""
    try:
        plugins = installed_plugins()
    except DiagnosticError as error:
        console.report(error.diagnostics)
        return exit_code(error.diagnostics)
    console.print_json(generate(plugins.fragments))
    return 0
