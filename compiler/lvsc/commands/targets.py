"""`lvsc targets`: the distribution releases that lvsc knows, and what each has."""

import argparse
from typing import Any

from lvsc import targets
from lvsc.commands.console import Console, exit_code
from lvsc.commands.known_target import known_target
from lvsc.diagnostics import DiagnosticError
from lvsc.report import FORMAT_VERSION
from lvsc.targets import Feature, Program, Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """An optional TARGET."""
    parser.add_argument(
        "target", metavar="TARGET", nargs="?", help="one target, with its versions, paths and features"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print one target, or a line for each; 2 where there is no such target."""
    try:
        names = targets.names() if arguments.target is None else (arguments.target,)
        chosen = [known_target(name) for name in names]
    except DiagnosticError as error:
        console.report(error.diagnostics)
        return exit_code(error.diagnostics)
    if console.json:
        console.print_json(
            {"format_version": FORMAT_VERSION, "targets": [_document(target) for target in chosen]}
        )
    elif arguments.target is None:
        for target in chosen:
            also = f"; also {', '.join(target.aliases)}" if target.aliases else ""
            console.print(
                f"{target.name:<12} {target.title:<28} {target.packet_filter}, {target.director}, {target.init.value}{also}"
            )
    else:
        _print(chosen[0], console)
    return 0


def _print(target: Target, console: Console) -> None:
    console.print(f"{target.name}: {target.title}")
    if target.aliases:
        console.print(f"also called: {', '.join(target.aliases)}")
    console.print(f"backends: {target.packet_filter}, {target.director}; init system: {target.init.value}")
    console.print("versions:")
    for program in Program:
        version = target.version(program)
        if version is not None:
            console.print(f"  {program.value:<12} {version}")
    lacking = [feature for feature in Feature if not target.has(feature)]
    console.print("lacks:" if lacking else "lacks nothing that lvsc asks for")
    for feature in lacking:
        console.print(f"  {feature.value.title} ({feature.value.program.value} {feature.value.since})")


def _document(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "title": target.title,
        "aliases": list(target.aliases),
        "packet_filter": target.packet_filter,
        "director": target.director,
        "init": target.init.value,
        "versions": {program.value: str(version) for program, version in target.versions},
        "features": sorted(feature.name.lower() for feature in Feature if target.has(feature)),
    }
