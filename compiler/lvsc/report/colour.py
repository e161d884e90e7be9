"""Decides whether output is coloured."""

from collections.abc import Mapping
from enum import Enum


class ColourChoice(Enum):
    """What `--color` takes."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def use_colour(choice: ColourChoice, environment: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to colour a stream; `terminal` says that the stream is one.

    The option decides before the environment, and there NO_COLOR (https://no-color.org) before FORCE_COLOR
    (https://force-color.org), each where it is set and not empty. Unsaid, terminals other than dumb ones have colour.
    """
    if choice is not ColourChoice.AUTO:
        return choice is ColourChoice.ALWAYS
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return terminal and environment.get("TERM") != "dumb"
