"""The command line: finds the command, runs it, turns what stops it into an exit code.

0 is fine, 1 says that the specs have errors, 2 that the command was used wrongly or something else kept it from its work.
"""

import argparse
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, Protocol

from lvsc import __version__
from lvsc.commands.console import COMMON, TROUBLE, Console
from lvsc.diagnostics import nearest
from lvsc.report.colour import ColourChoice, use_colour

#: What a shell makes of a program ended by SIGINT.
INTERRUPTED = 130

#: Each command with the line that `lvsc --help` has for it; its module is imported only when it runs.
COMMANDS = {
    "build": "write every file of the clusters",
    "check": "say what is wrong with specs, and write nothing",
    "show": "print a spec with every default and derived value",
    "diff": "say what changes for packets, and what else",
    "git-diff": "the same for git, which calls it with its own arguments",
    "trace": "follow a packet through the directors",
    "verify": "prove that the files say what the specs ask for",
    "rehearse": "run the cluster on a real kernel and send it real packets",
    "explain": "explain a service of a spec, or an error code",
    "init": "write a commented spec to begin with",
    "schema": "print the JSON Schema of a spec",
    "targets": "list the distribution releases that lvsc knows",
    "backends": "list the backends and service kinds that are installed",
}


class Command(Protocol):
    """A module under `lvsc.commands`. One that can more forms than the common ones lists all in `FORMATS`."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, arguments: argparse.Namespace, console: Console) -> int:
        """Do it, and return the exit code."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(TROUBLE, f"{self.prog}: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, by default the program's own, and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        # The program ends after its work and makes hardly any cycles: looking for them takes a third of a large spec's time.
        gc.disable()
        _open_closed_streams()
    try:
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _stop("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return _stop("")
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _stop(f"error: {error.strerror or error}{where}")
    except Exception:  # noqa: BLE001 - whatever it is, it must not look like a spec with errors
        return _stop(f"internal error: please report it\n{traceback.format_exc()}")
    return code


def _open_closed_streams() -> None:
    """Give the program the streams that it was started without: stdin and stdout refuse, stderr drops what is written to it."""
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_WRONLY), "r")
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _stop(message: str, code: int = TROUBLE) -> int:
    """Say why the command stops, if anybody listens, and return the exit code.

    What a stream cannot take is led to nowhere: Python would try to write it again on exit, and say another code.
    """
    for stream, text in ((sys.stdout, ""), (sys.stderr, f"lvsc: {message.rstrip()}\n" if message else "")):
        try:
            stream.write(text)
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code


def _run(words: Sequence[str]) -> int:
    parser, sub, module = _parser(words)
    try:
        if words and words[0] == _wanted(words) and words[0] not in COMMANDS:
            near = nearest(words[0], COMMANDS)
            advice = f"did you mean `{near}`?" if near else "`lvsc --help` lists them"
            parser.error(f"there is no command `{words[0]}`: {advice}")
        # Options may stand between a command's other arguments, too.
        arguments = parser.parse_args(words) if sub is None else sub.parse_intermixed_args(words[1:])
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else TROUBLE
    if module is None:
        parser.print_help(sys.stderr)
        return TROUBLE
    return module.run(arguments, _console(arguments))


def _parser(
    words: Sequence[str],
) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser | None, Command | None]:
    """The parser of all commands; that of the one that the words begin with, and its module, where they do."""
    parser = _Parser(
        prog="lvsc",
        description="Compile one TOML file into every configuration file of a Linux Virtual Server cluster.",
        epilog="Exit codes: 0 fine, 1 the specs have errors, 2 wrong usage or trouble.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lvsc {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", dest="command")
    wanted = _wanted(words)
    asked: argparse.ArgumentParser | None = None
    module: Command | None = None
    for name, line in COMMANDS.items():
        sub = subparsers.add_parser(
            name, help=line, description=f"{line[0].upper()}{line[1:]}.", allow_abbrev=False
        )
        if name == wanted:
            module = _command(name)
            asked = sub if words[0] == name else None
            _add_common(sub, getattr(module, "FORMATS", COMMON))
            module.add_arguments(sub)
    return parser, asked, module


def _wanted(words: Sequence[str]) -> str | None:
    """The command that is asked for, if any."""
    return next((word for word in words if not word.startswith("-")), None)


def _command(name: str) -> Command:
    module: Command = import_module(f"lvsc.commands.{name.replace('-', '_')}")
    return module


def _add_common(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    parser.add_argument(
        "--format", choices=formats, default="text", help="the form of the output (default: text)"
    )
    parser.add_argument(
        "--color",
        choices=[choice.value for choice in ColourChoice],
        default=ColourChoice.AUTO.value,
        help="colour the output (default: auto, which honours NO_COLOR and FORCE_COLOR)",
    )


def _console(arguments: argparse.Namespace) -> Console:
    choice = ColourChoice(arguments.color)
    return Console(
        stdout=sys.stdout,
        stderr=sys.stderr,
        colour=use_colour(choice, os.environ, terminal=sys.stderr.isatty()),
        result_colour=use_colour(choice, os.environ, terminal=sys.stdout.isatty()),
        form=arguments.format,
    )
