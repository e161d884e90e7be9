"""The files of two sides, line by line."""

from collections.abc import Iterator
from difflib import unified_diff

from lvsc.compare.sides import Side
from lvsc.secrets import HIDDEN, without_names


def text_changes(old: Side, new: Side) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each file whose text is not the same on both sides, with its unified diff; secrets as placeholders.

    Files are the same by host and path; where each side is one file, they are compared whatever they are called.
    """
    olds, news = dict(old.texts), dict(new.texts)
    if len(olds) == len(news) == 1 and olds.keys() != news.keys():
        ((name, one),), ((other, two),) = olds.items(), news.items()
        before, after = _comparable(one, two)
        if before != after:
            yield other, tuple(_unified(before, after, name, other))
        return
    for name in sorted(olds.keys() | news.keys()):
        before, after = _comparable(olds.get(name, ""), news.get(name, ""))
        if before != after or (name in olds) != (name in news):
            old_name = f"a/{name}" if name in olds else "/dev/null"
            new_name = f"b/{name}" if name in news else "/dev/null"
            yield name, tuple(_unified(before, after, old_name, new_name))


def _comparable(before: str, after: str) -> tuple[str, str]:
    """Both texts; where one has a secret of unknown source, neither says of any where it is kept."""
    if HIDDEN in before or HIDDEN in after:
        return without_names(before), without_names(after)
    return before, after


def _unified(before: str, after: str, old_name: str, new_name: str) -> Iterator[str]:
    return unified_diff(before.splitlines(), after.splitlines(), old_name, new_name, lineterm="")
