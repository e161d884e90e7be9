"""`lvsc verify`: proves from the text that what is emitted is what the specs ask for, and asks the programs that read it."""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lvsc.commands.console import REVIEW, Console, exit_code
from lvsc.commands.specs import (
    add_spec_arguments,
    compile_source,
    escalate,
    installed_plugins,
    options,
    usable_plugins,
)
from lvsc.compile import Compiled
from lvsc.diagnostics import Diagnostic, DiagnosticError, has_errors
from lvsc.plugins.manager import Plugins
from lvsc.verify.emitted import Emitted
from lvsc.verify.found import Found
from lvsc.verify.once import told_once

FORMATS = REVIEW


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC…, --target, --backend, --no-programs, --strict."""
    add_spec_arguments(parser, many=True)
    parser.add_argument(
        "--no-programs",
        action="store_true",
        help="prove what the text alone can prove, and run no other program",
    )
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A spec that compiled, and what became of its files."""

    spec: str
    compiled: Compiled
    found: Found
    tree: str
    """What messages call the directory with the hosts' files."""

    @property
    def judged(self) -> Mapping[str, tuple[str, ...]]:
        """Each emitted file, by the name that messages call it, with who judged it."""
        emitted = Emitted(self.tree, ())
        judges: dict[str, list[str]] = {emitted.name(file): [] for file in self.compiled.files}
        for judgement in self.found.judgements:
            judges[judgement.file].append(judgement.by)
        return {file: tuple(by) for file, by in judges.items()}

    @property
    def left_out(self) -> tuple[str, ...]:
        """What was not judged, and why, in words."""
        return tuple(map(str, self.found.left_out))


def run(arguments: argparse.Namespace, console: Console) -> int:
    """0 where every file is as its spec asks and no program complains, 1 where not, 2 where that cannot be told."""
    diagnostics: list[Diagnostic] = []
    compiled: list[tuple[str, Compiled]] = []
    verified: list[Verified] = []
    try:
        plugins = installed_plugins()
        for name in arguments.spec:
            try:
                compiled.append((name, compile_source(name, console, plugins, options(arguments))))
            except DiagnosticError as error:
                diagnostics += error.diagnostics
        clusters = Counter(each.cluster.name for _, each in compiled)
        for name, each in compiled:
            cluster = each.cluster.name
            # Two specs of one name would share the names of their files.
            tree = cluster if clusters[cluster] == 1 else f"{name}:{cluster}"
            try:
                one = _verified(name, each, plugins, tree, programs=not arguments.no_programs)
            except DiagnosticError as error:
                diagnostics += (*each.diagnostics, *error.diagnostics)
                continue
            verified.append(one)
            files = {Emitted(tree, ()).name(file): (file.host, file.artifact.path) for file in each.files}
            diagnostics += (*each.diagnostics, *told_once(one.found.diagnostics, files))
            console.sources.update(one.found.texts)
    except DiagnosticError as error:
        diagnostics += error.diagnostics
    reported = escalate(tuple(diagnostics), strict=arguments.strict)
    _report(reported, verified, console)
    return exit_code(reported)


def _verified(name: str, compiled: Compiled, plugins: Plugins, tree: str, *, programs: bool) -> Verified:
    from lvsc.verify.found import LeftOut, together  # noqa: PLC0415 - likewise
    from lvsc.verify.verify import verify  # noqa: PLC0415 - a spec with errors needs none of it

    with usable_plugins():
        proved = verify(compiled, plugins, tree)
    if programs:
        from lvsc.checkers.ask import ask  # noqa: PLC0415 - only where programs are asked

        asked = ask(compiled, tree=tree)
    else:
        asked = Found(left_out=(LeftOut("the programs' own checkers", "`--no-programs` is given"),))
    return Verified(spec=name, compiled=compiled, found=together((proved, asked)), tree=tree)


def _report(diagnostics: tuple[Diagnostic, ...], verified: Sequence[Verified], console: Console) -> None:
    left_out = [each for one in verified for each in one.left_out]
    match console.form:
        case "markdown":
            console.stdout.write(_markdown(diagnostics, verified, left_out, console))
        case "github" | "sarif":
            console.annotate(diagnostics, [f"not judged: {each}" for each in left_out])
        case _:
            console.report(diagnostics, {"specs": [_document(one) for one in verified]})
            if not console.json:
                _text(verified, console)
                if not has_errors(diagnostics):
                    console.note(_counts(verified))


def _text(verified: Iterable[Verified], console: Console) -> None:
    for one in verified:
        for file, judges in one.judged.items():
            console.print(f"{file}: {', '.join(judges) or 'not judged'}")
        for each in one.left_out:
            console.note(f"not judged: {each}")


def _counts(verified: Iterable[Verified]) -> str:
    judged = [judges for one in verified for judges in one.judged.values()]
    count = sum(map(bool, judged))
    return f"{count} of {len(judged)} file{'' if len(judged) == 1 else 's'} judged: no errors"


def _document(one: Verified) -> dict[str, Any]:
    judged = one.judged
    emitted = Emitted(one.tree, ())
    return {
        "spec": one.spec,
        "cluster": one.compiled.cluster.name,
        "files": [
            {"host": file.host, "path": file.artifact.path, "judged_by": list(judged[emitted.name(file)])}
            for file in one.compiled.files
        ],
        "left_out": [{"what": each.what, "why": each.why} for each in one.found.left_out],
    }


def _markdown(
    diagnostics: Sequence[Diagnostic],
    verified: Sequence[Verified],
    left_out: Sequence[str],
    console: Console,
) -> str:
    from lvsc.report import markdown  # noqa: PLC0415 - only where it is asked for

    verdict = markdown.diagnostics_verdict(diagnostics, console.sources, _counts(verified))
    rows = [
        (markdown.code(file), markdown.prose(", ".join(judges) or "not judged"))
        for one in verified
        for file, judges in one.judged.items()
    ]
    blocks = markdown.diagnostics_blocks(diagnostics, console.sources)
    if rows:
        blocks.append(markdown.folded("How each file was judged", markdown.table(("file", "by"), rows)))
    if left_out:
        items = "".join(f"- {markdown.prose(each)}\n" for each in left_out)
        blocks.append(markdown.folded("What was not judged, and why", items))
    return markdown.page("verify", verdict, blocks)
