"""What the commands that take specs have in common."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
    trouble=True,
)

BROKEN_PLUGIN = Code(
    "LVS011",
    "a plugin that cannot be used",
    """An installed plugin cannot be imported, misspells a hook, or takes a name or code that another has. lvsc goes on with all plugins
or not at all: without one, a spec could lose what it describes. Repair or uninstall it.""",
    trouble=True,
)

STRICT = Code(
    "LVS012",
    "warnings, and --strict",
    """With --strict a spec with warnings counts as one with errors, so that a pipeline stops at them too. Mend what the
warnings say, or leave --strict out.""",
)

SAME_NAME = Code(
    "LVS013",
    "two specs of one cluster",
    """Each cluster is built into a directory of its name, so two specs of one name would overwrite each other.""",
)

UNKNOWN_CODE = Code(
    "LVS014",
    "an unknown code",
    """`lvsc explain` was asked about a code that neither lvsc nor an installed plugin has. Codes stand in brackets behind
`error`, `warning` or `note`: LVS014 is one. A plugin's codes are known only while it is installed.""",
    trouble=True,
)

UNKNOWN_SERVICE = Code(
    "LVS015",
    "an unknown service",
    """`lvsc explain` was asked about a service that the spec does not have. `lvsc explain SPEC` lists its services.""",
    trouble=True,
)

ALL = (UNREADABLE, BROKEN_PLUGIN, STRICT, SAME_NAME, UNKNOWN_CODE, UNKNOWN_SERVICE)


def add_spec_arguments(parser: argparse.ArgumentParser, *, many: bool) -> None:
    """SPEC, and what overrides it."""
    parser.add_argument(
        "spec",
        metavar="SPEC",
        nargs="+" if many else None,
        help="a cluster's TOML file, or - for standard input",
    )
    add_overrides(parser)


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """What overrides a spec: --target and --backend."""
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
    with usable_plugins():
        return Plugins.installed()


@contextmanager
def usable_plugins() -> Iterator[None]:
    """Turns a plugin that cannot be used into a diagnostic.

    Raises:
        DiagnosticError: Within, one could not be used.
    """
    try:
        yield
    except PluginError as error:
        broken = BROKEN_PLUGIN.at(None, str(error), help="repair the plugin, or uninstall it")
        raise DiagnosticError([broken]) from error


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
    with usable_plugins():
        return compile_spec(read_source(name, console), name, plugins, given)


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
