"""`lvsc trace`: which way a packet goes through the directors, and which lines decide it."""

import argparse

from lvsc.commands.console import Console, exit_code
from lvsc.commands.sides import SideReader
from lvsc.commands.specs import add_overrides, installed_plugins, options
from lvsc.compare.sides import Side
from lvsc.compile import Compiled
from lvsc.diagnostics import DiagnosticError
from lvsc.trace.known import Known


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC, PACKET, --host, --target, --backend."""
    parser.add_argument(
        "side",
        metavar="SPEC",
        help="a cluster's TOML file, - for standard input, REV:PATH, a built directory, a configuration file, or live",
    )
    parser.add_argument(
        "packet",
        metavar="PACKET",
        help="in quotes: 'tcp 198.51.100.7 -> 192.0.2.10:443', and behind it, if they matter,"
        " on DIRECTOR, in INTERFACE, from MAC, mark NUMBER",
    )
    parser.add_argument(
        "--host", metavar="NAME", help="what the host of a configuration file or this machine is called"
    )
    add_overrides(parser)
    parser.epilog = "The packet is the first of its connection. `lvsc explain LVS721` has the form of PACKET."


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the packet's way; 1 where the spec has errors, 2 where PACKET is none."""
    # Other commands need none of this.
    from lvsc.trace.asked import FILE, parse  # noqa: PLC0415
    from lvsc.trace.follow import trace  # noqa: PLC0415

    try:
        console.sources[FILE] = arguments.packet
        asked = parse(arguments.packet)
        reader = _Reader(console, arguments)
        side = reader.side(arguments.side)
        traced = trace(side, asked, reader.known)
    except DiagnosticError as error:
        console.report(error.diagnostics)
        return exit_code(error.diagnostics)
    if console.json:
        from lvsc.report.trace_json import trace_result  # noqa: PLC0415 - one form or the other

        console.report(reader.warnings, trace_result(traced))
        return 0
    from lvsc.report.trace_text import render  # noqa: PLC0415 - likewise

    console.report(reader.warnings)
    console.stdout.write(render(traced))
    return 0


class _Reader(SideReader):
    """Reads what is traced, and remembers what a spec says that its files do not."""

    def __init__(self, console: Console, arguments: argparse.Namespace) -> None:
        plugins = installed_plugins()
        super().__init__(console, plugins, options(arguments), arguments.host)
        self.known = Known()

    def compiled(self, called: str, compiled: Compiled) -> Side:
        """A spec that is compiled, wherever it was."""
        self.known = Known.of_cluster(compiled.cluster)
        return super().compiled(called, compiled)
