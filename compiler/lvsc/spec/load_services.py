"""Services: from tables to the model."""

from collections.abc import Mapping
from typing import Protocol

from lvsc.blame import blamed
from lvsc.diagnostics import Anchor, Place
from lvsc.graph.nodes import Scheduler, SchedulerFlag
from lvsc.graph.traffic import Family
from lvsc.spec import model_codes as codes
from lvsc.spec.load_failover import require_name
from lvsc.spec.load_pools import load_check
from lvsc.spec.model import ClusterNetwork, NamedAddress, Pool, Service
from lvsc.spec.schema.fragment import PLAIN
from lvsc.spec.table import Table

#: ipvsadm(8) and keepalived's check_parser.c: 31 days.
MAX_PERSISTENCE = 2678400


class OptionsLoader(Protocol):
    """What the loader needs of a service kind."""

    def options(self, table: Table) -> object:
        """The kind's own keys, typed."""


def load_services(
    tables: Mapping[str, Table],
    kinds: Mapping[str, OptionsLoader],
    addresses: Mapping[str, NamedAddress],
    pools: Mapping[str, Pool],
    networks: Mapping[str, ClusterNetwork],
) -> tuple[Service, ...]:
    """The services whose address and pool are known; the others' are reported."""
    services: list[Service] = []
    for name, table in tables.items():
        named = _addresses(table, addresses)
        pool = table.text("pool") or ""
        source_nat = table.boolean("source_nat") is True or table.text("source_nat") or False
        if isinstance(source_nat, str):
            require_name(table, source_nat, networks, "network", "source_nat")
        if not require_name(table, pool, pools, "pool", "pool") or not named:
            continue
        services.append(_service(name, table, kinds, named, pools[pool], source_nat=source_nat))
    return tuple(services)


def _addresses(table: Table, addresses: Mapping[str, NamedAddress]) -> tuple[NamedAddress, ...]:
    names = table.texts("address")
    single = table.text("address") is not None
    found = [
        addresses[name]
        for index, name in enumerate(names)
        if require_name(table, name, addresses, "address", "address", *(() if single else (index,)))
    ]
    return tuple(found) if len(found) == len(names) else ()


def _service(
    name: str,
    table: Table,
    kinds: Mapping[str, OptionsLoader],
    addresses: tuple[NamedAddress, ...],
    pool: Pool,
    *,
    source_nat: bool | str,
) -> Service:
    kind = table.text("kind") or PLAIN
    granularity = table.table("persistence_granularity")
    persistence = table.whole_seconds("persistence", 1, MAX_PERSISTENCE)
    for key in ("persistence_granularity", "persistence_engine"):
        if key in table and "persistence" not in table:
            table.problems.append(
                codes.KEYS.at(
                    Place(table.origin(key), Anchor.KEY),
                    f"`{key}` needs `persistence`",
                    help="say for how long, or remove it",
                )
            )
    with blamed(f"service kind `{kind}`", f"service `{name}`", Place(table.origin(), Anchor.TABLE)):
        options = kinds[kind].options(table)
    flags = {SchedulerFlag(word) for word in table.texts("scheduler_flags")}
    return Service(
        name=name,
        kind=kind,
        addresses=addresses,
        pool=pool,
        mark=table.integer("mark"),
        scheduler=Scheduler(table.text("scheduler") or Scheduler.WLC.value),
        scheduler_flags=tuple(flag for flag in SchedulerFlag if flag in flags),
        persistence=persistence,
        granularity={
            family: (granularity.integer(f"ipv{family.value}") if granularity else None) or family.bits
            for family in Family
        },
        persistence_engine=table.text("persistence_engine"),
        one_packet=table.boolean("one_packet") is True,
        source_nat=source_nat,
        check=load_check(table),
        options=options,
        origin=table.origin(),
    )
