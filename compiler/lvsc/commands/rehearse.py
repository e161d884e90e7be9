"""`lvsc rehearse`: the cluster of a spec on a real kernel, on this machine, with real packets at every service."""

import argparse
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from lvsc.commands.console import TROUBLE, Console, exit_code
from lvsc.commands.specs import add_spec_arguments, installed_plugins, options, read_source, usable_plugins
from lvsc.compile import Compiled, compile_spec
from lvsc.diagnostics import DiagnosticError, has_errors
from lvsc.laboratory.kernels import Kernel
from lvsc.laboratory.laboratory import LaboratoryError
from lvsc.rehearsal import codes
from lvsc.rehearsal.found import Found, LeftOut, some

#: How long the proofs may take, in seconds, unless the command line says otherwise.
LIMIT = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC, --target, --backend, --kernel, --limit."""
    add_spec_arguments(parser, many=False)
    parser.add_argument(
        "--kernel",
        choices=[kernel.value for kernel in Kernel],
        help="where: this machine's own kernel, or one that is booted (default: the quickest that can)",
    )
    parser.add_argument(
        "--limit",
        type=_seconds,
        default=LIMIT,
        metavar="SECONDS",
        help=f"once the hosts are loaded, begin no proof that may end later than this (default: {LIMIT})",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0 where everything that was tried was kept, 1 where something was not or the spec has errors, 2 where it cannot be tried."""
    try:
        compiled, stood_in = _compiled(arguments, console)
    except DiagnosticError as error:
        console.report(error.diagnostics)
        return exit_code(error.diagnostics)
    kernel = Kernel(arguments.kernel) if arguments.kernel is not None else None
    try:
        with _ended_as_by_interrupt():
            found = _rehearsed(arguments, compiled, kernel, console)
    except DiagnosticError as error:
        console.report((*compiled.diagnostics, *error.diagnostics))
        return TROUBLE
    except LaboratoryError as error:
        lost = codes.CANNOT.at(None, str(error), help="try again, or another `--kernel`")
        console.report((*compiled.diagnostics, lost))
        return TROUBLE
    found.left_out += stood_in
    _report(compiled, found, console)
    return exit_code(found.diagnostics)


def _compiled(arguments: argparse.Namespace, console: Console) -> tuple[Compiled, list[LeftOut]]:
    """The spec, and what lvsc stands in for: real servers that somebody else manages get files, too, if it compiles so."""
    text = read_source(arguments.spec, console)
    plugins, given = installed_plugins(), options(arguments)
    with usable_plugins():
        compiled = compile_spec(text, arguments.spec, plugins, given)
        pools = (each.service.pool for each in compiled.lowered.services)
        others = sorted({server.name for pool in pools for server in pool.enabled if not server.managed})
        if not others:
            return compiled, []
        try:
            whole = compile_spec(text, arguments.spec, plugins, replace(given, managing_all=True))
        except DiagnosticError:
            return compiled, []
    why = "lvsc does not manage them; they got what it would write for them"
    return replace(whole, diagnostics=compiled.diagnostics), [LeftOut(some(others), why)]


def _rehearsed(
    arguments: argparse.Namespace, compiled: Compiled, kernel: Kernel | None, console: Console
) -> Found:
    from lvsc.output.write import write  # noqa: PLC0415 - a spec with errors needs none of it
    from lvsc.rehearsal.rehearse import rehearse  # noqa: PLC0415 - likewise
    from lvsc.rehearsal.secrets import stand_ins  # noqa: PLC0415 - likewise

    began = time.monotonic()
    resolve, replaced = stand_ins()
    with tempfile.TemporaryDirectory(prefix="lvsc-rehearsal-") as name:
        write(compiled, Path(name), resolve)
        found = rehearse(
            compiled,
            Path(name) / compiled.cluster.name,
            kernel,
            arguments.limit,
            lambda what: console.note(f"rehearse: {time.monotonic() - began:3.0f} s: {what}"),
        )
    found.left_out += replaced
    return found


def _report(compiled: Compiled, found: Found, console: Console) -> None:
    result = {
        "cluster": compiled.cluster.name,
        "kernel": found.kernel,
        "proved": [{"what": each.what, "how": each.how} for each in found.proved],
        "left_out": [{"what": each.what, "why": each.why} for each in found.left_out],
    }
    if not console.json:
        for proved in found.proved:
            console.print(str(proved))
        for left_out in found.left_out:
            console.print(f"not tried: {left_out}")
    console.report((*compiled.diagnostics, *found.diagnostics), result)
    if not has_errors(found.diagnostics):
        console.note(f"{len(found.proved)} proofs, no failure ({found.kernel} kernel)")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 3600:  # noqa: PLR2004 - an hour
        raise argparse.ArgumentTypeError("say a number of seconds up to 3600")
    return value


@contextmanager
def _ended_as_by_interrupt() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP clean up as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signal.signal calls
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
