"""`lvsc build`: every file of the clusters."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lvsc.commands.console import ERRORS, OK, Console, exit_code
from lvsc.commands.specs import (
    SAME_NAME,
    STDIN,
    add_spec_arguments,
    compile_source,
    escalate,
    installed_plugins,
    options,
)
from lvsc.compile import Compiled
from lvsc.diagnostics import Diagnostic, DiagnosticError, has_errors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC…, -o, --stdout, --check, --target, --backend, --strict."""
    add_spec_arguments(parser, many=True)
    parser.add_argument(
        "-o",
        "--out-dir",
        metavar="DIR",
        type=_directory,
        default="build",
        help="where each cluster gets a directory of its name (default: build)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--stdout", action="store_true", help="print the files, secrets as placeholders, and write nothing"
    )
    how.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit with 1 if the tree is not what the specs say; secrets are compared where they can be read",
    )
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors")


def _directory(name: str) -> str:
    if not name:
        raise argparse.ArgumentTypeError("name a directory; `.` is the one that you are in")
    return name


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0 where every cluster was built, 1 where a spec has errors or, with --check, a tree differs, 2 where it cannot be built."""
    try:
        compiled, warnings = _compile(arguments, console)
    except DiagnosticError as error:
        console.report(error.diagnostics)
        console.note("nothing was written")
        return exit_code(error.diagnostics)
    if arguments.stdout:
        return _print(compiled, warnings, console)
    directory = Path(arguments.out_dir)
    if arguments.check:
        return _check(compiled, warnings, directory, console)
    return _write(compiled, warnings, directory, console)


def _compile(
    arguments: argparse.Namespace, console: Console
) -> tuple[list[tuple[str, Compiled]], tuple[Diagnostic, ...]]:
    """Every spec compiled: one with errors keeps all from being written."""
    plugins = installed_plugins()
    found: list[Diagnostic] = []
    compiled: list[tuple[str, Compiled]] = []
    for name in arguments.spec:
        try:
            one = compile_source(name, console, plugins, options(arguments))
        except DiagnosticError as error:
            found += error.diagnostics
            continue
        found += one.diagnostics
        earlier = next((other for other, c in compiled if c.cluster.name == one.cluster.name), None)
        if earlier is not None:
            found.append(
                SAME_NAME.at(
                    one.cluster.origin / "name",
                    f"`{earlier}` and `{name}` are both of cluster `{one.cluster.name}`",
                    help="give each cluster its own name, or build them into different directories",
                )
            )
        compiled.append((name, one))
    reported = escalate(tuple(found), strict=arguments.strict)
    if has_errors(reported):
        raise DiagnosticError(reported)
    return compiled, reported


def _print(compiled: Sequence[tuple[str, Compiled]], warnings: Sequence[Diagnostic], console: Console) -> int:
    if console.json:
        files = [
            {"cluster": one.cluster.name, "host": f.host, "path": f.artifact.path, "text": f.artifact.text}
            for _, one in compiled
            for f in one.files
        ]
        console.report(warnings, {"files": files})
        return OK
    console.report(warnings)
    for _, one in compiled:
        for file in one.files:
            console.print(f"==> {one.cluster.name}/{file.host}{file.artifact.path} <==")
            console.stdout.write(f"{file.artifact.text}\n")
    return OK


def _check(
    compiled: Sequence[tuple[str, Compiled]],
    warnings: Sequence[Diagnostic],
    directory: Path,
    console: Console,
) -> int:
    from lvsc.output.check import compare  # noqa: PLC0415 - only one way of building needs it
    from lvsc.output.secrets import resolver  # noqa: PLC0415 - likewise

    differences: list[dict[str, Any]] = []
    not_compared: list[str] = []
    try:
        for name, one in compiled:
            found = compare(one, directory, resolver(os.environ, _base(name)))
            warnings = (*warnings, *found.diagnostics)
            not_compared += found.not_compared
            differences += [
                {"path": str(d.path), "kind": d.kind.value, "message": d.message} for d in found.differences
            ]
    except DiagnosticError as error:
        console.report((*warnings, *error.diagnostics))
        return exit_code(error.diagnostics)
    not_compared = list(dict.fromkeys(not_compared))
    console.report(warnings, {"differences": differences, "not_compared": not_compared})
    for each in not_compared:
        console.note(each)
    for difference in differences:
        console.note(f"{difference['path']} {difference['message']}")
    if differences:
        console.note(
            f"{len(differences)} differ{'s' if len(differences) == 1 else ''}: run `lvsc build` without `--check`"
        )
        return ERRORS
    console.note(f"everything {'else ' if not_compared else ''}is as the specs say")
    return OK


def _base(name: str) -> Path:
    """The directory that a spec's secret files are relative to."""
    return Path() if name == STDIN else Path(name).parent


def _write(
    compiled: Sequence[tuple[str, Compiled]],
    warnings: Sequence[Diagnostic],
    directory: Path,
    console: Console,
) -> int:
    from lvsc.output.secrets import resolver  # noqa: PLC0415 - only one way of building needs it
    from lvsc.output.write import write  # noqa: PLC0415 - likewise

    found = list(warnings)
    clusters: list[dict[str, Any]] = []
    secrets = [
        resolver(os.environ, _base(name))(secret, secret.origin)
        for name, one in compiled
        for secret in {secret for file in one.files for secret in file.artifact.secrets}
    ]
    if any(secret.secret is None for secret in secrets) and len(compiled) > 1:
        # One cluster's secret that cannot be had keeps the others from being written, as any error does.
        found += (problem for secret in secrets for problem in secret.diagnostics)
        console.report(found)
        return exit_code(found)
    for name, one in compiled:
        resolve = resolver(os.environ, _base(name))
        try:
            report = write(one, directory, resolve)
        except DiagnosticError as error:
            found += error.diagnostics
            break
        found += report.diagnostics
        clusters.append(
            {
                "cluster": one.cluster.name,
                "spec": name,
                "directory": str(directory / one.cluster.name),
                "written": [str(path) for path in report.written],
                "unchanged": [str(path) for path in report.unchanged],
                "removed": [str(path) for path in report.removed],
            }
        )
    console.report(found, {"clusters": clusters})
    for cluster in clusters:
        counts = ", ".join(
            f"{len(cluster[what])} {what}" for what in ("written", "unchanged", "removed") if cluster[what]
        )
        console.note(f"{cluster['directory']}: {counts}")
    return exit_code(found)
