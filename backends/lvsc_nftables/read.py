"""nftables rulesets read back into nodes, what is other people's, and what is not understood."""

import re

from lvsc.plugin import Diagnostic, Foreign, Reading, Source
from lvsc_nftables.read_json import BEGINS, read_json
from lvsc_nftables.read_own import nodes_of
from lvsc_nftables.read_text import read_text

_LOOKS_LIKE = re.compile(r"^[ \t]*(?:(?:add |delete |destroy )?table \w+ \S|flush ruleset)", re.MULTILINE)


def recognises(text: str) -> bool:
    """Whether the text is a ruleset of nftables, in nft's language or in its JSON."""
    return BEGINS.match(text) is not None or _LOOKS_LIKE.search(text) is not None


def read(source: Source) -> Reading:
    """What the text says. Nodes come in the order in which the first that matches a packet decides."""
    is_json = source.text.lstrip()[:1] in ("{", "[")
    document = read_json(source) if is_json else read_text(source)
    nodes, problems = nodes_of(source.host, document.tables)
    return Reading(
        nodes=nodes,
        foreign=tuple(sorted(document.foreign, key=_line)),
        problems=tuple(sorted((*document.problems, *problems), key=_place)),
    )


def _line(foreign: Foreign) -> tuple[int, int]:
    return foreign.origin.line or 0, foreign.origin.column or 0


def _place(problem: Diagnostic) -> tuple[int, int]:
    origin = problem.place.origin if problem.place is not None else None
    return (origin.line or 0, origin.column or 0) if origin is not None else (0, 0)
