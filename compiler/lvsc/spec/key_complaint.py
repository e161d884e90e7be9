"""The words for keys that cannot stand where they do, and for keys that are missing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from lvsc.diagnostics import Anchor, Diagnostic, KeyPath, Origin, Place, nearest
from lvsc.spec import codes
from lvsc.spec.example import secret_keys
from lvsc.spec.failure import Failure, in_lower_case, resolve
from lvsc.spec.hide import is_secretive
from lvsc.spec.literal import dotted, key, literal, noun

_MOST_SHOWN = 20


def about_keys(group: Sequence[Failure], file: str) -> Iterator[Diagnostic]:
    """The diagnostics for a table's failures of `additionalProperties` and `required`.

    A misspelt key is one mistake, though it is unknown under the one name and missing under the other.
    """
    unknown: dict[str, tuple[str | None, Mapping[str, Any]]] = {}
    missing: dict[str, tuple[Failure, Mapping[str, Any]]] = {}
    for failure in group:
        known = failure.schema.get("properties", {})
        if failure.keyword == "additionalProperties":
            patterns = failure.schema.get("patternProperties", ())
            for name, value in failure.value.items():
                if name not in known and not any(re.search(pattern, name) for pattern in patterns):
                    meant = _nearest(name, _possible(value, known, failure))
                    unknown[name] = (meant or _secret(name, known), known)
            continue
        for name in failure.rule:
            if name not in failure.value:
                missing[name] = (failure, resolve(failure.root, known.get(name, {})))
        # Where a key chooses the table's variant and is misspelt, no variant says that the misspelt one is unknown.
        strangers = tuple(name for name in failure.value if name not in _known(failure.schema, failure.root))
        for name in failure.rule:
            if name in missing and (stranger := _nearest(name, strangers)) and stranger not in unknown:
                unknown[stranger] = (name, known)

    chooser = next(
        (name for name, (meant, known) in unknown.items() if meant and _chooses(known[meant])), None
    )
    if chooser is not None:
        # The other keys may be right for the variant that was meant.
        unknown, missing = {chooser: unknown[chooser]}, {}
    for name, (meant, known) in unknown.items():
        yield _about_unknown(name, meant, known, group[0], file)
    meanings = {meant for meant, _ in unknown.values()}
    for name, (failure, part) in missing.items():
        if name not in meanings:
            yield _about_missing(name, part, failure, file)


def about_name(failure: Failure, name: str, file: str) -> Diagnostic:
    """The diagnostic for a table's key that breaks `propertyNames`."""
    says = failure.schema.get("x-pattern-says")
    wrong = f"is not {noun(says)}" if says else f"breaks the rule `{failure.keyword}` of the schema"
    place = Place(Origin(file, (*failure.path, name)), Anchor.KEY)
    message = f"`{key(name)}` in {_table(failure.path)} {wrong}"
    meant = in_lower_case(name, failure.rule) if failure.keyword == "pattern" else None
    if says and meant is not None and meant not in failure.value:
        return codes.WRONG_NAME.at(place, message, help=f"did you mean `{key(meant)}`?", notes=[says])
    return codes.WRONG_NAME.at(
        place,
        message,
        help=f"write {says}" if says else "`lvsc schema` prints the schema",
    )


def _about_unknown(
    name: str, meant: str | None, known: Mapping[str, Any], failure: Failure, file: str
) -> Diagnostic:
    place = Place(Origin(file, (*failure.path, name)), Anchor.KEY)
    message = (
        f"unknown key `{key(name)}` in {_table(failure.path)}"
        if failure.path
        else f"unknown table `{key(name)}`"
    )
    kept = secret_keys(known, failure.root)
    if kept and (is_secretive(name) or failure.schema.get("x-secret")):
        advice = f"write where the secret is kept: {kept}; the secret itself stands in no spec"
        return codes.UNKNOWN_KEY.at(place, message, help=advice)
    return codes.UNKNOWN_KEY.at(
        place,
        message,
        help=f"did you mean `{meant}`?" if meant else _free(known, failure.value),
        replacement=key(meant) if meant else None,
    )


def _secret(name: str, known: Mapping[str, Any]) -> str | None:
    """The key for a secret that an unknown one stands for by its name."""
    return next((each for each, part in known.items() if part.get("x-secret") and is_secretive(name)), None)


def _possible(value: Any, known: Mapping[str, Any], failure: Failure) -> tuple[str, ...]:  # noqa: ANN401 - TOML values are of any type
    """The keys that an unknown one with this value may stand for."""
    return tuple(
        name
        for name, part in known.items()
        # One entry more of a table of named entries has a header of its own.
        if name not in failure.value
        or (
            isinstance(value, dict)
            and isinstance(resolve(failure.root, part).get("additionalProperties"), Mapping)
        )
    )


def _free(known: Mapping[str, Any], table: Mapping[str, Any]) -> str:
    names = [f"`{name}`" for name in known if name not in table]
    more = len(names) - _MOST_SHOWN
    shown = ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"remove it; what else can stand here: {shown}" if names else "remove it"


def _about_missing(name: str, part: Mapping[str, Any], failure: Failure, file: str) -> Diagnostic:
    return codes.MISSING_KEY.at(
        Place(Origin(file, failure.path), Anchor.TABLE),
        f"{_table(failure.path)} lacks `{key(name)}`",
        help=f"add {_how(name, part, failure)}",
    )


def _how(name: str, part: Mapping[str, Any], failure: Failure) -> str:
    """What to write for a missing key."""
    entries = part.get("additionalProperties")
    by_header = not isinstance(entries, Mapping) or resolve(failure.root, entries).get("type") == "object"
    if (
        part.get("type") == "object"
        and "examples" not in part
        and by_header
        and all(isinstance(step, str) for step in failure.path)
    ):
        return f"a table `[{dotted((*failure.path, name))}{'.NAME' if entries else ''}]`"
    example = next(iter(part.get("examples") or part.get("enum") or ()), part.get("const"))
    return f"`{key(name)}`" if example is None else f"`{key(name)} = {literal(example)}`, say"


def _table(path: KeyPath) -> str:
    if not path:
        return "the file"
    return f"`{dotted(path)}`" if isinstance(path[-1], str) else f"an item of `{dotted(path)}`"


def _chooses(part: Mapping[str, Any]) -> bool:
    """Whether the value of a key with this schema chooses the variant of its table."""
    return "const" in part or len(part.get("enum", ())) == 1


def _known(part: Mapping[str, Any], root: Mapping[str, Any]) -> set[str]:
    """The keys that a table may have in any of its variants."""
    part = resolve(root, part)
    names = set(part.get("properties", ()))
    for branch in (*part.get("allOf", ()), *(part[word] for word in ("then", "else") if word in part)):
        names |= _known(branch, root)
    return names


@lru_cache(maxsize=1024)  # one slip of a script's is made in thousands of tables
def _nearest(word: str, candidates: tuple[str, ...]) -> str | None:
    return nearest(word, candidates)
