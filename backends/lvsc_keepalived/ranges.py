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
            f"the {what} is {value:g}, and keepalived takes {low:g} to {high:g}",
            help=f"choose a value from {low:g} to {high:g}",
        )
