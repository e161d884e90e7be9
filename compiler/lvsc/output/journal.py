"""The journal: what a build is about to write, so that the next one can complete it."""

import json
from collections.abc import Iterable

from lvsc.diagnostics import DiagnosticError
from lvsc.output import codes
from lvsc.output.files import JOURNAL, is_source

FORMAT_VERSION = 1


def journal(sources: Iterable[str]) -> str:
    """The journal's text for these files, each relative to the cluster's directory."""
    return json.dumps({"format_version": FORMAT_VERSION, "sources": sorted(sources)}, indent=2) + "\n"


def sources(data: bytes, name: str) -> frozenset[str]:
    """The files that a journal names. `name` is the journal's own, for messages.

    Raises:
        DiagnosticError: the data is no journal, or names a file outside of the cluster's directory.
    """
    try:
        document = json.loads(data)
        known = document["format_version"] == FORMAT_VERSION
        found = frozenset(document["sources"]) if known else frozenset[str]()
        safe = known and all(_is_safe(source) for source in found)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        safe = False
    if not safe:
        problem = codes.BROKEN_RECORD.at(
            None,
            f"the journal `{name}` of an interrupted build is not one of this lvsc",
            help=f"remove the directory that `{JOURNAL}` stands in, and build again",
        )
        raise DiagnosticError([problem])
    return found


def _is_safe(source: str) -> bool:
    host, slash, path = source.partition("/")
    return is_source(host, slash + path)
