"""Numbers within bounds."""

from collections.abc import Iterator

from lvsc.plugin import Diagnostic, Node
from lvsc_keepalived import codes


def outside(
    node: Node, key: str, what: str, value: float | None, bounds: tuple[float, float]
) -> Iterator[Diagnostic]:
    """An error at the key that says the value, if it is not within the bounds, both included; infinities and NaN never are."""
    low, high = bounds
    if value is not None and not low <= value <= high:
        yield codes.RANGE.at(
            node.at(key),
            f"the {what} is {_digits(value)}, and keepalived takes {_digits(low)} to {_digits(high)}",
            help=f"choose a value from {_digits(low)} to {_digits(high)}",
        )


def _digits(value: float) -> str:
    """A whole number in all its digits."""
    return str(value) if isinstance(value, int) else f"{value:g}"
