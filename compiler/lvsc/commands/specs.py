"""What the commands that take specs have in common."""

import argparse
import sys
from pathlib import Path

from lvsc.commands.console import Console
from lvsc.compile import Compiled, Options, compile_spec
from lvsc.diagnostics import Code, Diagnostic, DiagnosticError, Severity
from lvsc.plugins.manager import PluginError, Plugins
from lvsc.spec.read import decode

STDIN = "-"

UNREADABLE = Code(
    "LVS010",
    "a spec that cannot be read",
    """The file does not exist, is a directory, or you have no right to read it.""",
)

BROKEN_PLUGIN = Code(
    "LVS011",
    "a plugin that cannot be used",
    """An installed plugin cannot be imported, misspells a hook, or takes a name that another has. lvsc goes on with all plugins
or not at all: without one, a spec could lose what it describes. Repair or uninstall it.""",
)

STRICT = Code(
    "LVS012",
    "warnings, and --strict",
    """With --strict a spec with warnings counts as one with errors.""",
)

SAME_NAME = Code(
    "LVS013",
    "two specs of one cluster",
    """Each cluster is built into a directory of its name, so two specs of one name would overwrite each other.""",
)

ALL = (UNREADABLE, BROKEN_PLUGIN, STRICT, SAME_NAME)


def add_spec_arguments(parser: argparse.ArgumentParser, *, many: bool) -> None:
    """SPEC, and what overrides it."""
    parser.add_argument(
        "spec",
        metavar="SPEC",
        nargs="+" if many else None,
        help="a cluster's TOML file, or - for standard input",
    )
    parser.add_argument(
        "--target", metavar="TARGET", help="the directors' distribution release, in place of the spec's"
    )
    parser.add_argument(
        "--backend",
        metavar="NAME",
        action="append",
        default=[],
        help="a backend to use in place of the one of its role; may be said again for another role",
    )


def options(arguments: argparse.Namespace) -> Options:
    """What the command line overrides."""
    return Options(target=arguments.target, backends=tuple(arguments.backend))


def installed_plugins() -> Plugins:
    """The installed plugins.

    Raises:
        DiagnosticError: One cannot be used.
    """
    try:
        return Plugins.installed()
    except PluginError as error:
        raise DiagnosticError([_broken(error)]) from error


def read_source(name: str, console: Console) -> str:
    """The text of a spec, remembered for diagnostics.

    Raises:
        DiagnosticError: It cannot be read, or is not UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        raise DiagnosticError(
            [
                UNREADABLE.at(
                    None,
                    f"`{name}` cannot be read: {error.strerror}",
                    help="name a spec that exists and is yours to read",
                )
            ]
        ) from error
    text = decode(data, name)
    console.sources[name] = text
    return text


def compile_source(name: str, console: Console, plugins: Plugins, given: Options) -> Compiled:
    """Compile one spec.

    Raises:
        DiagnosticError: It has errors.
    """
    try:
        return compile_spec(read_source(name, console), name, plugins, given)
    except PluginError as error:
        raise DiagnosticError([_broken(error)]) from error


def escalate(diagnostics: tuple[Diagnostic, ...], *, strict: bool) -> tuple[Diagnostic, ...]:
    """The diagnostics, and one error more where warnings are not allowed."""
    warnings = sum(d.severity is Severity.WARNING for d in diagnostics)
    if not strict or not warnings:
        return diagnostics
    return (
        *diagnostics,
        STRICT.at(
            None,
            f"{warnings} warning{'s' if warnings > 1 else ''}, and `--strict` allows none",
            help="mend what they say, or leave `--strict` out",
        ),
    )


def _broken(error: PluginError) -> Diagnostic:
    return BROKEN_PLUGIN.at(None, str(error), help="repair the plugin, or uninstall it")
