"""`lvsc init`: a commented spec to begin with."""

import argparse
from importlib.resources import files
from pathlib import Path

from lvsc.commands.console import TROUBLE, Console, exit_code
from lvsc.commands.known_target import known_target
from lvsc.diagnostics import DiagnosticError
from lvsc.report import FORMAT_VERSION

STDOUT = "-"
DEFAULT_TARGET = "debian12"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE, --target."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        default=STDOUT,
        help="the file to write; unsaid or -, standard output",
    )
    parser.add_argument(
        "--target",
        metavar="TARGET",
        default=DEFAULT_TARGET,
        help=f"the directors' distribution release (default: {DEFAULT_TARGET})",
    )
    parser.epilog = "A file that exists is never overwritten."


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write the spec; 2 where there is no such target, or the file exists."""
    try:
        text = starter(known_target(arguments.target).name)
    except DiagnosticError as error:
        console.report(error.diagnostics)
        return exit_code(error.diagnostics)
    file = None if arguments.file == STDOUT else arguments.file
    if file is not None:
        try:
            with Path(file).open("x", encoding="utf-8") as opened:
                opened.write(text)
        except FileExistsError:
            console.stderr.write(f"lvsc: error: `{file}` exists and is not overwritten: name another file\n")
            return TROUBLE
    if console.json:
        console.print_json({"format_version": FORMAT_VERSION, "file": file, "text": text})
    elif file is None:
        console.stdout.write(text)
    else:
        console.note(f"{file} is written: change it, then run `lvsc check {file}`")
    return 0


def starter(target: str) -> str:
    """A spec for a target that builds, with comments on its keys and on optional ones."""
    text = files("lvsc.commands").joinpath("starter.toml").read_text(encoding="utf-8")
    return text.replace(f'target = "{DEFAULT_TARGET}"', f'target = "{target}"', 1)
