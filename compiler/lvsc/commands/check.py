"""`lvsc check`: everything that is wrong with specs."""

import argparse

from lvsc.commands.console import REVIEW, Console, exit_code
from lvsc.commands.specs import add_spec_arguments, compile_source, escalate, installed_plugins, options
from lvsc.diagnostics import Diagnostic, DiagnosticError, has_errors

FORMATS = REVIEW


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC…, --target, --backend, --strict."""
    add_spec_arguments(parser, many=True)
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0 where no spec has errors, 1 where one has, 2 where one cannot be read."""
    found: list[Diagnostic] = []
    try:
        plugins = installed_plugins()
        for name in arguments.spec:
            try:
                found += compile_source(name, console, plugins, options(arguments)).diagnostics
            except DiagnosticError as error:
                found += error.diagnostics
    except DiagnosticError as error:
        found += error.diagnostics
    reported = escalate(tuple(found), strict=arguments.strict)
    console.review("check", reported)
    if has_errors(reported):
        return exit_code(reported)
    console.note(f"{len(arguments.spec)} spec{'s' if len(arguments.spec) > 1 else ''} checked: no errors")
    return 0
