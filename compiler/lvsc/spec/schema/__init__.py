"""The JSON Schema of a spec: draft 2020-12, in the part of it that editors understand."""

from collections.abc import Mapping

from lvsc.spec.schema import failover, pools, services, tables
from lvsc.spec.schema.fragment import Fragment
from lvsc.spec.schema.words import Schema

__all__ = ["Schema", "generate"]


def generate(fragments: Mapping[str, Fragment]) -> Schema:
    """The whole schema, with one closed table for each service kind; `fragments` is by kind."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://lvsc.invalid/schemas/cluster.schema.json",
        "title": "lvsc cluster",
        "description": "One Linux Virtual Server cluster.",
        "type": "object",
        "properties": {
            "cluster": tables.cluster(),
            "networks": tables.networks(),
            "directors": tables.directors(),
            "failover": failover.failover(),
            "connection_sync": failover.connection_sync(),
            "timeouts": tables.timeouts(),
            "tuning": tables.tuning(),
            "email": tables.email(),
            "addresses": tables.addresses(),
            "pools": pools.pools(),
            "services": services.services(fragments),
        },
        "required": ["addresses", "cluster", "directors", "networks", "pools", "services"],
        "additionalProperties": False,
        "$defs": {
            "forwarding": tables.forwarding(),
            "tunnel": pools.tunnel(),
            "real_port": pools.real_port(),
            "check": pools.check(),
            "probe": pools.probe(),
        },
    }
