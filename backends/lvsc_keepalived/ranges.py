"""Numbers within bounds."""

from collections.abc import Iterator

from lvsc.plugin import Diagnostic, Node
from lvsc_keepalived import codes


def outside(node: Node, what: str, value: float | None, low: float, high: float) -> Iterator[Diagnostic]:
    """An error if a value is said and not within the bounds, both included; infinities and NaN never are."""
    if value is not None and not low <= value <= high:
        yield codes.RANGE.at(
            node.origin,
            f"the {what} is {value:g}, and keepalived takes {low:g} to {high:g}",
            help=f"choose a value from {low:g} to {high:g}",
        )
