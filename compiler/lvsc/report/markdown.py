"""What a command found, as a comment on a pull request: the verdict and the counts first, the details folded.

The text depends on what is found alone, and its first line is a hidden marker, so that a program can find and replace its comment.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from lvsc.diagnostics import Diagnostic, Severity
from lvsc.report.github import where
from lvsc.report.located import Located, locate
from lvsc.report.source_line import harmless
from lvsc.report.text import render as render_text
from lvsc.report.text import summary

#: GitHub refuses longer comments.
_MOST = 65_536
_ROWS = 50
_LEFT_OUT = "\n_More is left out here: a comment can hold 65,536 characters._\n"
#: What would begin a link, a list, emphasis, a cell or a tag.
_SPECIAL = re.compile(r"([\\*_\[\]|~#@!])")


def page(command: str, verdict: str, blocks: Iterable[str]) -> str:
    """The comment of a command: its verdict as the title, then as many of the blocks as a comment can hold."""
    text = f"<!-- lvsc:{command} -->\n### `lvsc {command}`: {verdict}\n"
    left_out = False
    for block in blocks:
        if not block:
            continue
        if len(text) + len(block) + len(_LEFT_OUT) + 1 > _MOST:
            left_out = True
            continue
        text += f"\n{block}"
    return text + _LEFT_OUT if left_out else text


def diagnostics_verdict(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], clean: str) -> str:
    """How many diagnostics there are of each severity, or what to say where there are none."""
    return summary(locate(diagnostics, sources)) or clean


def diagnostics_blocks(diagnostics: Sequence[Diagnostic], sources: Mapping[str, str]) -> list[str]:
    """A table of what was found, the worst first, and the whole text folded; nothing where there are no diagnostics."""
    severities = list(Severity)
    located = sorted(
        locate(diagnostics, sources), key=lambda item: severities.index(item.diagnostic.severity)
    )
    if not located:
        return []
    rows = [_row(item) for item in located[:_ROWS]]
    blocks = [table(("", "where", "what"), rows)]
    if len(located) > _ROWS:
        blocks.append(f"{len(located) - _ROWS} more are in the details.\n")
    return [*blocks, folded("Details", fenced(render_text(diagnostics, sources, colour=False)))]


def _row(located: Located) -> tuple[str, str, str]:
    diagnostic, place = located.diagnostic, located.place
    return (
        f"{diagnostic.severity.value} {diagnostic.code.id}",
        "" if place is None else code(where(place)),
        prose(diagnostic.message),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def folded(title: str, body: str) -> str:
    """A body that opens on a click."""
    return f"<details><summary>{escape(title, quote=False)}</summary>\n\n{body}\n</details>\n"


def fenced(text: str) -> str:
    """Text as it is, behind a fence that nothing in it can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "".join(f"{harmless(line)}\n" for line in text.splitlines())
    return f"{fence}text\n{lines}{fence}\n"


def code(text: str) -> str:
    """A word as code, in a table too."""
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    # A bar would end the cell, in code too (GitHub Flavored Markdown, tables).
    barred = harmless(text).replace("|", "\\|")
    return f"{fence}{pad}{barred}{pad}{fence}"


def prose(text: str) -> str:
    """A message, of which only what is in backticks is more than plain text."""
    parts = harmless(text.replace("\n", " ")).split("`")
    if len(parts) % 2 == 0:
        return _plain("`".join(parts)).replace("`", "\\`")
    return "".join(code(part) if index % 2 and part else _plain(part) for index, part in enumerate(parts))


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", escape(text, quote=False))


def check_page(command: str, diagnostics: Sequence[Diagnostic], sources: Mapping[str, str]) -> str:
    """The comment of a command that finds diagnostics and nothing else."""
    verdict = diagnostics_verdict(diagnostics, sources, "no errors")
    return page(command, verdict, diagnostics_blocks(diagnostics, sources))
