"""`lvsc git-diff`: what git runs in place of its own diff of a spec.

gitattributes(5), "Defining an external diff driver": git calls it with the path, and for each side a file, a blob's name and a
mode; /dev/null stands for a side that is not there. Whatever it returns but 0 makes git give up.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from lvsc.commands.console import Console
from lvsc.commands.sides import SideReader
from lvsc.commands.specs import installed_plugins
from lvsc.compare.changes import ChangeKind, Difference
from lvsc.compare.difference import compare
from lvsc.compare.sides import Side, emptied
from lvsc.compile import Options
from lvsc.diagnostics import DiagnosticError
from lvsc.report.diff_text import render
from lvsc.report.source_line import harmless

#: git shows what it gets as it is.
FORMATS = ("text",)
_NOTHING = "/dev/null"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What git hands over (git(1), GIT_EXTERNAL_DIFF)."""
    parser.add_argument("path", help="the spec's path in the repository")
    for side in ("old", "new"):
        parser.add_argument(
            f"{side}_file", metavar=f"{side.upper()}-FILE", help=f"a file with the {side} text"
        )
        parser.add_argument(f"{side}_blob", metavar=f"{side.upper()}-HEX", help="its name in git")
        parser.add_argument(f"{side}_mode", metavar=f"{side.upper()}-MODE", help="its mode")
    parser.add_argument("renamed", nargs="*", help="what git adds for a renamed file: its new path first")
    parser.epilog = 'Set it up by `git config diff.lvsc.command "lvsc git-diff"` and a line `*.toml diff=lvsc` in .gitattributes.'


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0, also where a side is no spec that compiles: git would show nothing at all of the other files."""
    old_name = f"a/{arguments.path}"
    new_name = f"b/{arguments.renamed[0] if arguments.renamed else arguments.path}"
    console.print(harmless(f"lvsc diff {old_name} {new_name}"))
    is_new, is_removed = arguments.old_file == _NOTHING, arguments.new_file == _NOTHING
    if is_new or is_removed:
        console.print("the spec is new" if is_new else "the spec is removed")
    try:
        reader = SideReader(console, installed_plugins(), Options(), None)
        old = None if is_new else reader.spec_of(Path(arguments.old_file).read_bytes(), old_name)
        new = None if is_removed else reader.spec_of(Path(arguments.new_file).read_bytes(), new_name)
        difference = _difference(old, new)
    except DiagnosticError as error:
        console.print("cannot be compared:")
        console.stdout.write(_said(error, console))
        return 0
    console.stdout.write(render(difference, console.sources, colour=console.result_colour))
    return 0


def _difference(old: Side | None, new: Side | None) -> Difference:
    """What is different; of a spec that comes or goes, the packets that it serves: all else of it is new, or gone, too."""
    if old is not None and new is not None:
        return compare(old, new)
    there = old or new
    if there is None:
        raise ValueError("git compares nothing with nothing")
    difference = compare(old or emptied(there), new or emptied(there))
    served = (ChangeKind.EXPOSURE, ChangeKind.LOSS)
    packets = tuple(change for change in difference.packets if change.kind in served)
    return replace(difference, packets=packets, settings=(), connections=())


def _said(error: DiagnosticError, console: Console) -> str:
    from lvsc.report.text import render as render_diagnostics  # noqa: PLC0415 - most specs in git compile

    return render_diagnostics(error.diagnostics, console.sources, colour=console.result_colour)
