"""`lvsc diff`: what is different between two specs, files, trees or hosts, for packets first."""

import argparse
from collections.abc import Sequence

from lvsc.commands.console import ERRORS, OK, REVIEW, TROUBLE, Console
from lvsc.commands.sides import SideReader
from lvsc.commands.specs import add_overrides, installed_plugins, options
from lvsc.compare.changes import Difference
from lvsc.compare.difference import NothingInCommonError, compare
from lvsc.compare.sides import Side
from lvsc.compile import Options
from lvsc.diagnostics import Code, Diagnostic, DiagnosticError
from lvsc.report.source_line import harmless

NOTHING_IN_COMMON = Code(
    "LVS020",
    "two sides that cannot be compared",
    """Hosts are compared with those of the same name, and what one side says nothing of is not compared. Here nothing is left: no host is on both sides, or one
side is of packet filters and the other of virtual services. A file and `live` are of one host, which `--host` names.""",
    trouble=True,
)

ALL = (NOTHING_IN_COMMON,)
FORMATS = REVIEW


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SIDE…, --against, --backends, --host, --ignore, --text, --exit-code, --target, --backend."""
    parser.add_argument(
        "sides",
        metavar="SIDE",
        nargs="+",
        help="OLD and NEW, each a spec, REV:PATH, a built directory, a configuration file, or live;"
        " with --against or --backends one SPEC",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--against", metavar="REV", help="compare SPEC with itself in a git revision")
    how.add_argument(
        "--backends",
        metavar="A,B",
        help="compare what SPEC is for one packet filter or director backend with what it is for another",
    )
    parser.add_argument(
        "--host", metavar="NAME", help="the host that a configuration file or this machine is in the spec"
    )
    parser.add_argument(
        "--ignore",
        choices=["weights"],
        action="append",
        default=[],
        help="leave differences out that are only of weights",
    )
    parser.add_argument("--text", action="store_true", help="show the difference of the files' text too")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 if anything is different or unknown"
    )
    add_overrides(parser)
    parser.epilog = (
        "Exit codes: 0 compared, 1 with --exit-code where something is different or unknown, 2 trouble."
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0 where the sides could be compared, 1 where --exit-code asks whether they differ and they do, 2 otherwise."""
    wanted = 1 if arguments.against or arguments.backends else 2
    if len(arguments.sides) != wanted:
        console.note(f"lvsc diff: error: {'one SPEC' if wanted == 1 else 'OLD and NEW'} must be named")
        return TROUBLE
    try:
        plugins = installed_plugins()
        reader = SideReader(console, plugins, options(arguments), arguments.host)
        old, new = _sides(arguments, reader)
        difference = compare(old, new, ignore_weights="weights" in arguments.ignore)
    except NothingInCommonError as error:
        problem = NOTHING_IN_COMMON.at(
            None, str(error), help="name the host with `--host`, or compare other sides"
        )
        console.review("diff", [problem])
        return TROUBLE
    except DiagnosticError as error:
        console.review("diff", error.diagnostics)
        return TROUBLE
    files = _files(old, new) if arguments.text else []
    _print(difference, files, reader.warnings, new, console)
    return ERRORS if arguments.exit_code and difference.differs else OK


def _files(old: Side, new: Side) -> list[tuple[str, tuple[str, ...]]]:
    from lvsc.compare.texts import text_changes  # noqa: PLC0415 - only where it is asked for

    return list(text_changes(old, new))


def _print(
    difference: Difference,
    files: Sequence[tuple[str, Sequence[str]]],
    warnings: Sequence[Diagnostic],
    new: Side,
    console: Console,
) -> None:
    # Only one of the forms is imported.
    match console.form:
        case "json":
            from lvsc.report.diff_json import difference_result  # noqa: PLC0415

            result = difference_result(difference, console.sources)
            if files:
                result["files"] = [{"path": name, "diff": list(lines)} for name, lines in files]
            console.report(warnings, result)
        case "markdown":
            from lvsc.report.diff_markdown import diff_page  # noqa: PLC0415

            console.stdout.write(diff_page(difference, console.sources, files))
        case "github" | "sarif":
            from lvsc.report.diff_findings import findings  # noqa: PLC0415
            from lvsc.report.verdict import verdict  # noqa: PLC0415

            found = list(findings(difference, {new.name}))
            console.annotate([*warnings, *found], [verdict(difference), *difference.notes])
        case _:
            from lvsc.report.diff_text import render  # noqa: PLC0415

            console.report(warnings)
            console.stdout.write(render(difference, console.sources, colour=console.result_colour))
            for _, lines in files:
                console.print()
                for line in lines:
                    console.print(harmless(line))


def _sides(arguments: argparse.Namespace, reader: SideReader) -> tuple[Side, Side]:
    if arguments.against:
        (spec,) = arguments.sides
        return reader.before(arguments.against, spec), reader.side(spec)
    if arguments.backends:
        (spec,) = arguments.sides
        given = options(arguments)
        first, _, second = arguments.backends.partition(",")

        def with_backend(name: str) -> Side:
            return reader.spec_with(
                spec, Options(target=given.target, backends=(*given.backends, name)), f"{spec} for {name}"
            )

        return with_backend(first), with_backend(second)
    first, second = arguments.sides
    return reader.side(first), reader.side(second)
