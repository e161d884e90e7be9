"""What a verification finds: who judged which file, what was left out and why, and what is wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lvsc.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Judgement:
    """A file that somebody judged, whatever came of it."""

    file: str
    """As messages call it: `red-hat/lvs1/etc/lvsc/nftables.nft`."""
    by: str
    """Who judged it, in a few words: `nft -f`."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was not judged."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one way of verifying came to."""

    judgements: tuple[Judgement, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    """By name, the texts that diagnostics point into."""


def together(found: Iterable[Found]) -> Found:
    """What several ways came to, in their order; the same is said once."""
    parts = tuple(found)
    return Found(
        judgements=tuple(dict.fromkeys(each for part in parts for each in part.judgements)),
        left_out=tuple(dict.fromkeys(each for part in parts for each in part.left_out)),
        diagnostics=tuple(each for part in parts for each in part.diagnostics),
        texts={name: text for part in parts for name, text in part.texts.items()},
    )
