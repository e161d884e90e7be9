"""What nodes ask of a target."""

from lvsc.analysis.features import kernel_needs
from lvsc.plugin import Backend, Feature, Need, Node


def features_of(backend: Backend, node: Node) -> list[Feature]:
    """What a target must have for a node that the backend renders: the backend's needs, then the kernel's."""
    needs = (*backend.needs(node), *kernel_needs(node))
    return [need.feature if isinstance(need, Need) else need for need in needs]
