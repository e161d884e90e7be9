"""`lvsc explain`: why a service is carried as it is, or what a code means."""

import argparse
import re
from pathlib import Path

from lvsc.commands.console import Console, exit_code
from lvsc.commands.specs import (
    UNKNOWN_CODE,
    UNKNOWN_SERVICE,
    add_overrides,
    compile_source,
    installed_plugins,
    options,
    usable_plugins,
)
from lvsc.diagnostics import DiagnosticError, nearest
from lvsc.lowering.lowered import LoweredService

_CODE = re.compile(r"[A-Za-z]{2,8}[0-9]{2,4}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC or CODE, SERVICE, --target, --backend."""
    parser.add_argument(
        "subject",
        metavar="SPEC|CODE",
        help="a cluster's TOML file, - for standard input, or the code of a diagnostic",
    )
    parser.add_argument(
        "service", metavar="SERVICE", nargs="?", help="one service of the spec; unsaid, a line for each"
    )
    add_overrides(parser)
    parser.epilog = "For a service: which packets, which mark, which rules in which file, why, and what a firewall must let through."


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the explanation; 1 where the spec has errors, 2 where there is no such service or code."""
    try:
        if arguments.service is None and _is_code(arguments.subject):
            _explain_code(arguments.subject.upper(), console)
        else:
            _explain_spec(arguments, console)
    except DiagnosticError as error:
        console.report(error.diagnostics)
        return exit_code(error.diagnostics)
    return 0


def _is_code(subject: str) -> bool:
    return _CODE.fullmatch(subject) is not None and not Path(subject).exists()


def _explain_code(name: str, console: Console) -> None:
    from lvsc.commands.codes import all_codes, own_codes  # noqa: PLC0415 - a spec needs none of them

    codes = own_codes()
    if name not in codes:
        # A plugin that is broken must not keep lvsc's own codes from being explained.
        with usable_plugins():
            codes = all_codes(installed_plugins())
    if name not in codes:
        near = nearest(name, codes)
        help_text = f"did you mean `{near}`?" if near else "look at the brackets behind `error` or `warning`"
        raise DiagnosticError([UNKNOWN_CODE.at(None, f"there is no code `{name}`", help=help_text)])
    if console.json:
        from lvsc.report.explain_json import code_document  # noqa: PLC0415 - one form or the other

        console.print_json(code_document(codes[name]))
        return
    from lvsc.report.explain_text import code_page  # noqa: PLC0415 - likewise

    console.stdout.write(code_page(codes[name]))


def _explain_spec(arguments: argparse.Namespace, console: Console) -> None:
    plugins = installed_plugins()
    compiled = compile_source(arguments.subject, console, plugins, options(arguments))
    from lvsc.report.explanation import explain_all, explain_one  # noqa: PLC0415 - only a spec without errors needs it

    if arguments.service is None:
        explanation = explain_all(compiled, plugins.kinds)
    else:
        explanation = explain_one(
            compiled, plugins.kinds, _find(arguments.service, compiled.lowered.services)
        )
    if console.json:
        from lvsc.report.explain_json import explanation_result  # noqa: PLC0415 - one form or the other

        console.report(compiled.diagnostics, explanation_result(explanation))
        return
    from lvsc.report.explain_text import overview, service_page  # noqa: PLC0415 - likewise

    console.report(compiled.diagnostics)
    detail = explanation.detail
    console.stdout.write(overview(explanation) if detail is None else service_page(explanation, detail))


def _find(name: str, services: tuple[LoweredService, ...]) -> LoweredService:
    by_name = {lowered.service.name: lowered for lowered in services}
    if name not in by_name:
        near = nearest(name, by_name)
        help_text = f"did you mean `{near}`?" if near else "`lvsc explain SPEC` lists them"
        raise DiagnosticError([UNKNOWN_SERVICE.at(None, f"there is no service `{name}`", help=help_text)])
    return by_name[name]
