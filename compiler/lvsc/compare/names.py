"""What to call the services and real servers of a side: by the names in the spec where they are known."""

from ipaddress import IPv6Address

from lvsc.compare.sides import HostSide, Side
from lvsc.diagnostics import Origin
from lvsc.graph.nodes import AddressSelector, MarkSelector, RealServer, Selector, VirtualService
from lvsc.graph.traffic import Address


class Names:
    """The services of one host of a side by their selectors."""

    def __init__(self, side: Side, host: HostSide) -> None:
        self._side = side
        self._services = {service.selector: service for service in host.nodes.of(VirtualService)}

    def origin(self, selector: Selector) -> Origin | None:
        """Where the service is said."""
        service = self._services.get(selector)
        return None if service is None else self._side.origin(service.origin)

    def service(self, selector: Selector) -> str:
        """The service's name in the spec; without one, its selector."""
        service = self._services.get(selector)
        if service is None:
            return selector_words(selector)
        return (
            service.service
            or named(self._side.origin(service.origin), "services")
            or selector_words(selector)
        )

    def titled(self, selector: Selector) -> str:
        """The service's name, and its selector where that is something else."""
        name, words = self.service(selector), selector_words(selector)
        return name if name == words else f"`{name}` ({words})"

    def server(self, server: RealServer) -> str:
        """The real server's name where it is known, and its address."""
        address = end(server.address, server.port)
        return f"`{server.name}` ({address})" if server.name else address


def named(origin: Origin, table: str) -> str:
    """The name in a spec of what an origin is in; empty where it is not in the table."""
    match origin.path:
        case (first, str(name), *_) if first == table:
            return name
    return ""


def selector_words(selector: Selector) -> str:
    """A selector in words."""
    match selector:
        case MarkSelector(mark=mark, family=family):
            return f"mark {mark}" if family.value == 4 else f"mark {mark} over IPv6"  # noqa: PLR2004 - IPv4
        case AddressSelector(protocol=protocol, address=address, port=port):
            return (
                f"{protocol.value} {end(address, port)}" if port else f"{protocol.value} {address}, any port"
            )


def end(address: Address, port: int) -> str:
    """An address and a port; without the port where it is 0."""
    if not port:
        return str(address)
    return f"[{address}]:{port}" if isinstance(address, IPv6Address) else f"{address}:{port}"
