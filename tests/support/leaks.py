"""Python in the words of a diagnostic: what a reader of messages would not know."""

import inspect
import re
from collections.abc import Iterator

import lvsc.plugin
from lvsc.diagnostics import Diagnostic

#: Whatever else is in a message may be quoted from a hostile text.
_CLASSES = "|".join(name for name in lvsc.plugin.__all__ if inspect.isclass(getattr(lvsc.plugin, name)))
_LEAK = re.compile(rf"`(None|True|False)`|\b({_CLASSES}|IPv[46][A-Z][a-z]+)[.(]|<[a-z_.]+ object at")


def leaks(diagnostic: Diagnostic) -> Iterator[str]:
    """The texts of a diagnostic that show a value as Python writes it."""
    texts = (diagnostic.message, diagnostic.help or "", *diagnostic.notes)
    labels = (place.label for place in (diagnostic.place, *diagnostic.others) if place)
    return (text for text in (*texts, *labels) if _LEAK.search(text))
