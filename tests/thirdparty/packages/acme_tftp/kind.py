"""The service kind `tftp`."""

from collections.abc import Iterable
from dataclasses import dataclass

from acme_tftp import codes
from acme_tftp.settings import TftpSettings
from lvsc.plugin import (
    Cluster,
    Diagnostic,
    Forwarding,
    Fragment,
    HelperAssignment,
    Hook,
    KernelModule,
    LoweredService,
    Node,
    Plan,
    PortRange,
    Protocol,
    Service,
    ServiceKind,
    ServicePort,
    Table,
    TrafficClass,
    host_network,
    words,
)

PORT = PortRange.one(69)
LARGEST_TUNNELLED_BLOCK = 1400


@dataclass(frozen=True, slots=True, kw_only=True)
class TftpOptions:
    """The TFTP kind's own keys."""

    directory: str
    block_size: int


class TftpKind(ServiceKind):
    """Balances TFTP: port 69, with the helper that expects the answer from another port."""

    name = "tftp"
    title = "TFTP: port 69 and its helper"
    backends = ("tftpd",)

    def fragment(self) -> Fragment:
        """The directory and the block size."""
        return Fragment(
            title="A TFTP service",
            description="Balances TFTP.",
            properties={
                "directory": words.string(
                    "Directory", "What is served.", pattern="^/[ -~]*$", says="a path", examples=["/srv/tftp"]
                ),
                "block_size": words.integer(
                    "Block size", "Bytes in a packet.", 8, 65464, examples=[1468], default=512
                ),
            },
            required=("directory",),
            without=("one_packet", "persistence_engine"),
        )

    def options(self, table: Table) -> TftpOptions:
        """The kind's own keys."""
        return TftpOptions(
            directory=table.text("directory") or "", block_size=table.integer("block_size") or 512
        )

    def plan(self, service: Service, cluster: Cluster) -> Plan:  # noqa: ARG002 - the cluster changes nothing here
        """Port 69; every block of a transfer must find the same real server."""
        return Plan(
            ports=(ServicePort(Protocol.UDP, PORT),),
            persistence=service.persistence or 60,
            reasons=("each transfer answers from a port of its own, which the helper expects",),
            diagnostics=tuple(_problems(service)),
        )

    def nodes(self, lowered: LoweredService, cluster: Cluster) -> Iterable[Node]:
        """The helper on each director, and what each real server's tftpd is told."""
        service = lowered.service
        options = options_of(service)
        for director in cluster.directors:
            yield KernelModule(host=director.name, origin=service.origin, name="nf_conntrack_tftp")
            for family, address, port in lowered.endpoints():
                yield HelperAssignment(
                    host=director.name,
                    origin=service.origin,
                    service=service.name,
                    helper="tftp",
                    traffic=TrafficClass(
                        hook=Hook.PREROUTING,
                        family=family,
                        protocol=port.protocol,
                        destination=host_network(address),
                        destination_ports=port.ports,
                    ),
                )
        for server in service.pool.enabled:
            if server.managed:
                yield TftpSettings(
                    host=server.name,
                    origin=service.origin,
                    directory=options.directory,
                    block_size=options.block_size,
                )


def options_of(service: Service) -> TftpOptions:
    """The service's own keys, typed."""
    if not isinstance(service.options, TftpOptions):
        raise TypeError(f"options of another kind: {service.options!r}")
    return service.options


def _problems(service: Service) -> Iterable[Diagnostic]:
    size = options_of(service).block_size
    if Forwarding.TUNNEL in service.forwardings and size > LARGEST_TUNNELLED_BLOCK:
        yield codes.BLOCK.at(
            service.origin / "block_size",
            f"a block of {size} bytes does not fit into a tunnel",
            help=f"use at most {LARGEST_TUNNELLED_BLOCK}",
        )
