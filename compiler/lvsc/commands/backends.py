"""`lvsc backends`: what is installed to render and to understand services."""

import argparse

from lvsc.commands.console import Console, exit_code
from lvsc.commands.specs import installed_plugins, usable_plugins
from lvsc.diagnostics import DiagnosticError
from lvsc.report import FORMAT_VERSION


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""
    parser.epilog = "A plugin brings backends and service kinds of its own: docs/writing-a-backend.md."


def run(_: argparse.Namespace, console: Console) -> int:
    """Print the backends by name, and the service kinds."""
    try:
        plugins = installed_plugins()
        with usable_plugins():
            backends = [plugins.backend(name) for name in plugins.backend_names]
    except DiagnosticError as error:
        console.report(error.diagnostics)
        return exit_code(error.diagnostics)
    if console.json:
        console.print_json(
            {
                "format_version": FORMAT_VERSION,
                "backends": [{"name": b.name, "title": b.title, "role": b.role.value} for b in backends],
                "service_kinds": [{"name": k.name, "title": k.title} for k in plugins.kinds.values()],
            }
        )
        return 0
    for backend in backends:
        console.print(f"{backend.name:<12} {backend.role.value:<14} {backend.title}")
    for kind in plugins.kinds.values():
        console.print(f"{kind.name:<12} {'service kind':<14} {kind.title}")
    return 0
