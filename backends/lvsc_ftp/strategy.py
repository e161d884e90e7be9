"""How an FTP service is carried through the directors.

Each way was seen to carry active, passive and EPSV clients, clients that take the 227 reply's address literally, and
clients that check where data comes from; docs/kernel-facts.md has the table.
"""

from dataclasses import dataclass
from enum import Enum

from lvsc.plugin import Family, Forwarding, PortRange, Service


class Way(Enum):
    """One way of carrying FTP."""

    ADDRESS = "address"
    """By nat: the control port by its address; ip_vs_ftp reads the control connection and opens what it offers."""
    MARK = "mark"
    """By nat: a persistent mark over the control port, and the passive range if one is said; ip_vs_ftp as well."""
    OPAQUE = "opaque"
    """By nat, encrypted: a persistent mark over both; the server itself says the virtual address."""
    PASSING = "passing"
    """By direct or tunnel: a persistent mark over both; the answers do not pass the director."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FtpOptions:
    """The FTP kind's own keys."""

    control_port: int
    passive_ports: PortRange | None
    tls: bool
    vsftpd: bool
    """Whether lvsc writes the settings of the real servers' vsftpd."""


def options_of(service: Service) -> FtpOptions:
    """The service's own keys, typed."""
    if not isinstance(service.options, FtpOptions):
        raise TypeError(f"options of another kind: {service.options!r}")
    return service.options


def choose(service: Service) -> Way:
    """The way for a service whose real servers are all reached by nat, or none of them."""
    options = options_of(service)
    if service.forwardings - {Forwarding.NAT}:
        return Way.PASSING
    if options.tls:
        return Way.OPAQUE
    several = any(len(service.ips(family)) > 1 for family in Family)
    if service.mark is not None or options.passive_ports or service.persistence is not None or several:
        return Way.MARK
    return Way.ADDRESS


REASONS = {
    Way.ADDRESS: (
        "ip_vs_ftp reads the control connection, opens each data connection and corrects addresses in both directions",
        "the ftp helper is assigned too: without it a stateful firewall drops the data connections",
        "it is not persistent: on port 21 that would open every unprivileged port of the address",
    ),
    Way.MARK: (
        "one persistent mark ties the data connections of a client to its control connection",
        "ip_vs_ftp and the ftp helper carry active clients, and passive ones that take the reply's address literally",
    ),
    Way.OPAQUE: (
        "the control connection is encrypted, so neither ip_vs_ftp nor the helper could read it",
        "one persistent mark over the control port and the passive range ties a client's connections together",
        "the real servers offer the virtual address in their passive replies",
        "a stateful firewall must let the passive range in, and active data connections out",
    ),
    Way.PASSING: (
        "the real servers' answers do not pass the director, so it has nothing to read or correct",
        "one persistent mark over the control port and the passive range ties a client's connections together",
        "the port below the control port belongs to it: an active client's packets go there by way of the director",
    ),
}
