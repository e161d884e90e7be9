"""The files of two sides, line by line."""

from collections.abc import Iterator
from difflib import unified_diff

from lvsc.compare.sides import Side


def text_changes(old: Side, new: Side) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each file whose text is not the same on both sides, with its unified diff; secrets as placeholders.

    Files are the same by host and path; where each side is one file, they are compared whatever they are called.
    """
    olds, news = dict(old.texts), dict(new.texts)
    if len(olds) == len(news) == 1 and olds.keys() != news.keys():
        (name, before), (other, after) = *olds.items(), *news.items()
        if before != after:
            yield other, tuple(_unified(before, after, name, other))
        return
    for name in sorted(olds.keys() | news.keys()):
        if olds.get(name) != news.get(name):
            old_name = f"a/{name}" if name in olds else "/dev/null"
            new_name = f"b/{name}" if name in news else "/dev/null"
            yield name, tuple(_unified(olds.get(name, ""), news.get(name, ""), old_name, new_name))


def _unified(before: str, after: str, old_name: str, new_name: str) -> Iterator[str]:
    return unified_diff(before.splitlines(), after.splitlines(), old_name, new_name, lineterm="")
