"""Generated networks, directors and virtual addresses: what the pools and services of a generated spec stand on.

Whatever is drawn here is right by construction: a spec made of it is refused only where the target or a backend cannot
do what it asks for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import count
from typing import Any

from hypothesis import strategies as st

from lvsc.plugin import Family, Feature, Forwarding, Network, Target

#: A table of a spec as plain values.
Values = dict[str, Any]

flags = st.booleans()
ports = st.integers(1, 65535)
#: Names with nothing special, names as long as can be, and words of the languages that are emitted.
words = st.sampled_from(
    ("www", "a", "x-1", "ip", "tcp", "drop", "lvs-prerouting", "mark", "quorum", "t", "z" * 34, "inst", "all")
)
interfaces = st.sampled_from(
    ("eth0", "eth1", "bond0.12", "ens3", "br-lan", "tcp", "ip6", "drop", "inst")
) | st.from_regex(re.compile(r"[aZ09](\.?[aZ09_-]){0,7}", re.ASCII), fullmatch=True)
_V4 = {True: ("192.0.2.0/24", "198.18.0.0/15", "203.0.113.128/25"), False: ("10.0.0.0/8", "10.11.12.0/24")}
_V6 = {True: ("2001:db8::/64", "2001:db8:1::/48"), False: ("fd00::/64", "fd00:0:0:8000::/49")}
_FURTHER = {True: ("198.51.100.0/24", "2001:db8:ffff::/64"), False: ("172.16.0.0/12", "2001:db8:eeee::/120")}
#: Addresses that a prefix gives out at most.
_ROOM = 100


class Prefix:
    """A prefix and its addresses, one after the other from somewhere in it."""

    def __init__(self, network: Network, first: int) -> None:
        self.network = network
        self._offsets = count(first)

    def host(self) -> str:
        """An address that nobody has yet."""
        return str(self.network[next(self._offsets)])


@dataclass(frozen=True, slots=True)
class Net:
    """A network of the directors."""

    name: str
    prefixes: tuple[Prefix, ...]
    reached: bool
    """Whether each director has an address of its own in it."""

    def of(self, family: Family) -> list[Prefix]:
        """The prefixes of a family."""
        return [prefix for prefix in self.prefixes if prefix.network.version == family.value]

    def hosts(self, families: tuple[Family, ...]) -> list[str]:
        """A new host's addresses, one a family."""
        return [self.of(family)[0].host() for family in families]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the other parts of a spec depend on."""

    target: Target
    director: str
    """The director backend."""
    families: tuple[Family, ...]
    nets: tuple[Net, ...]
    addresses: Mapping[str, tuple[Family, ...]]
    """The families of each virtual address that services can have."""
    several: frozenset[str]
    """The virtual addresses with several of one family."""
    firewall: str | None
    forwarding: Forwarding | None
    """How real servers are reached where nothing else says it; nat where this says nothing either."""
    directors: Mapping[str, Mapping[str, list[str]]]
    """The own addresses of each director by network."""
    guarded: frozenset[str]
    """The networks in which a director may be a real server by direct routing."""
    by_mac: bool
    """Whether MAC addresses are what guards them, so that only marks will do."""
    synchronised: bool
    numbers: Iterator[int]
    """What makes names differ."""

    @property
    def probes(self) -> bool:
        """Whether the director backend probes real servers."""
        return self.director == "keepalived"

    def has(self, *features: Feature) -> bool:
        """Whether the target has all of the features that matter to the director backend."""
        other = "ipvsadm_" if self.probes else "keepalived_"
        return all(self.target.has(feature) for feature in features if not feature.key.startswith(other))


def one_in(number: int) -> st.SearchStrategy[bool]:
    """True about once in so many times, and never in the simplest example."""
    return st.integers(1, number).map(lambda drawn: drawn == number)


def duration(low: int, high: int) -> st.SearchStrategy[str]:
    """Whole seconds between two limits, in any unit that fits."""
    seconds = st.integers(low, min(high, low + 20)) | st.integers(low, high)
    return seconds.flatmap(
        lambda n: st.sampled_from([f"{n // size}{unit}" for unit, size in _UNITS.items() if n % size == 0])
    )


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TOKENS = ("-x", "$1", "#", "!", "{}", "'a b'", "~", "%i", "|", "x;y", "`id`", "&&", ">", "a=b", "*")


def commands(site: Site) -> st.SearchStrategy[str]:
    """Commands; with what a shell and keepalived take for special where the target's keepalived can be told of it."""
    path = st.sampled_from(("/bin/true", "/usr/local/sbin/notify-me", "/opt/a.b_c/d+e"))
    plain = st.lists(st.sampled_from(("-c", "1", "192.0.2.1", "a:b", "@x", "50%")), max_size=3)
    if not site.has(Feature.KEEPALIVED_QUOTED_COMMANDS):
        return st.builds(lambda first, rest: " ".join((first, *rest)), path, plain)
    rest = plain | st.lists(st.sampled_from(_TOKENS), max_size=4)
    return st.builds(lambda first, rest: " ".join((first, *rest)), path, rest)


def optional(**keys: st.SearchStrategy[Any] | None) -> st.SearchStrategy[Values]:
    """A table with any of these keys; None is a key that the target cannot have."""
    return st.fixed_dictionaries(
        {}, optional={key: strategy for key, strategy in keys.items() if strategy is not None}
    )


@st.composite
def sites(draw: st.DrawFn, target: Target, director: str) -> tuple[Site, Values]:
    """A site, and the tables of a spec that describe it."""
    families = draw(
        st.sampled_from(
            ((Family.IPV4,), (Family.IPV6,), (Family.IPV4, Family.IPV6), (Family.IPV4, Family.IPV6))
        )
    )
    count_directors = draw(st.sampled_from((1, 2, 2, 3)))
    methods = ["external"] + ["vrrp", "vrrp", "vrrp"] * (director == "keepalived")
    methods += ["none", "none"] * (count_directors == 1)
    method = draw(st.sampled_from(methods))
    names = draw(st.lists(words, min_size=2, max_size=2, unique=True))[: draw(st.integers(1, 2))]
    nets = tuple(
        draw(_nets(name, families, first=index == 0, vrrp=method == "vrrp"))
        for index, name in enumerate(names)
    )
    numbers = count(1)
    base = draw(words)
    hosts = [f"{base}-{next(numbers)}" for _ in range(count_directors)]
    own = {
        host: {net.name: net.hosts(families) + _second(draw, net) for net in nets if net.reached}
        for host in hosts
    }
    addresses, tables = draw(_addresses(nets, families))
    has_macs = frozenset(net.name for net in nets if draw(flags))
    both = director == "ipvsadm" or target.has(Feature.KEEPALIVED_SYNC_BOTH)
    synchronises = (method == "vrrp" or both) and draw(one_in(4))
    sync = draw(_synchronisations(target, director, nets)) if synchronises else None
    backup_only = sync is not None and method == "vrrp"
    free = count_directors == 1 or backup_only
    site = Site(
        target=target,
        director=director,
        families=families,
        nets=nets,
        addresses=addresses,
        several=frozenset(
            name for name, table in tables.items() if len(table["ip"]) > len(addresses.get(name, ()))
        ),
        firewall=draw(st.sampled_from((None, None, "none", "none", "stateful", "firewalld"))),
        forwarding=draw(st.sampled_from((None, *Forwarding))),
        directors=own,
        guarded=frozenset(net.name for net in nets) if free else has_macs,
        by_mac=not free,
        synchronised=sync is not None,
        numbers=numbers,
    )
    values: Values = {
        "networks": _networks(draw, site, tables),
        "directors": {
            host: _director(draw, site, host, number, has_macs) for number, host in enumerate(hosts)
        },
        "addresses": tables,
    }
    if method != "none":
        values["failover"] = draw(_vrrp(site)) if method == "vrrp" else {"method": "external"}
    if sync is not None:
        values["connection_sync"] = sync
    return site, values


@st.composite
def _nets(draw: st.DrawFn, name: str, families: tuple[Family, ...], *, first: bool, vrrp: bool) -> Net:
    wanted = [draw(st.sampled_from((_V4 if family is Family.IPV4 else _V6)[first])) for family in families]
    if draw(one_in(4)):
        wanted.append(_FURTHER[first][draw(st.sampled_from(families)) is Family.IPV6])
    prefixes = []
    for text in wanted:
        network = ip_network(text)
        assert isinstance(network, IPv4Network | IPv6Network)
        highest = network.num_addresses - _ROOM
        prefixes.append(Prefix(network, draw(st.just(1) | st.integers(1, highest))))
    return Net(name, tuple(prefixes), reached=vrrp or not draw(one_in(4)))


def _second(draw: st.DrawFn, net: Net) -> list[str]:
    """A second address of a director, now and then."""
    return [draw(st.sampled_from(net.prefixes)).host()] if draw(one_in(6)) else []


@st.composite
def _addresses(
    draw: st.DrawFn, nets: tuple[Net, ...], families: tuple[Family, ...]
) -> tuple[dict[str, tuple[Family, ...]], Values]:
    """The families of the addresses for services, and the tables of all."""
    found: dict[str, tuple[Family, ...]] = {}
    tables: Values = {}
    for name in draw(st.lists(words, min_size=1, max_size=4, unique=True)):
        net = draw(st.sampled_from(nets))
        own = draw(st.sampled_from([families, families, *((family,) for family in families)]))
        ips = net.hosts(own)
        if draw(one_in(4)):
            ips.append(draw(st.sampled_from([p for family in own for p in net.of(family)])).host())
        found[name] = own
        tables[name] = {"network": net.name, "ip": draw(st.permutations(ips))}
    for net in nets:
        if draw(flags):
            tables[f"{net.name}-gw"] = {"network": net.name, "ip": net.hosts(families)}
    return found, tables


def _networks(draw: st.DrawFn, site: Site, addresses: Values) -> Values:
    names = draw(st.lists(interfaces, min_size=2, max_size=2, unique=True))
    tables: Values = {}
    for net, interface in zip(site.nets, names, strict=False):
        prefixes = [str(prefix.network) for prefix in net.prefixes]
        table: Values = {"interface": interface, "prefixes": draw(st.permutations(prefixes))}
        gateways = [name for name, address in addresses.items() if address["network"] == net.name]
        if f"{net.name}-gw" in addresses:
            table["gateway"] = f"{net.name}-gw"
        elif draw(one_in(4)) and gateways:
            table["gateway"] = gateways[0]
        tables[net.name] = table
    return tables


def _director(draw: st.DrawFn, site: Site, host: str, number: int, macs: frozenset[str]) -> Values:
    values: Values = {"addresses": site.directors[host]}
    if number or draw(flags):
        values["priority"] = 100 + number * draw(st.integers(1, 50))
    if macs:
        values["macs"] = {name: f"02:0A:00:00:0{index}:0{number}" for index, name in enumerate(sorted(macs))}
    if draw(one_in(4)):
        values["interfaces"] = {site.nets[0].name: f"en{number}.7"}
    return values


@st.composite
def _synchronisations(draw: st.DrawFn, target: Target, director: str, nets: tuple[Net, ...]) -> Values:
    said = target.has(Feature.KERNEL_SYNC_PARAMETERS) and (
        director == "keepalived" or target.has(Feature.IPVSADM_SYNC_PARAMETERS)
    )
    further = optional(
        max_length=st.integers(1, 65487) if said else None,
        port=ports if said else None,
        ttl=st.integers(1, 255) if said else None,
        group=st.sampled_from(("224.0.0.81", "239.1.2.3", "ff02::81")) if said else None,
    )
    return {"network": draw(st.sampled_from(nets)).name, "id": draw(st.integers(0, 255)), **draw(further)}


@st.composite
def _vrrp(draw: st.DrawFn, site: Site) -> Values:
    version = draw(st.sampled_from((3, 2, 2))) if site.families == (Family.IPV4,) else 3
    values: Values = {"virtual_router_id": draw(st.integers(1, 255))}
    if version == 2 or draw(flags):
        values["version"] = version
    interval = duration(1, 255) if version == 2 else st.integers(1, 4095).map(lambda n: f"{n * 10}ms")
    command = commands(site)
    values |= draw(
        optional(
            method=st.just("vrrp"),
            advertisement_interval=interval,
            unicast=flags if len(site.directors) > 1 else None,
            track_interfaces=st.just([net.name for net in site.nets]),
            notify=st.fixed_dictionaries(
                {},
                optional={
                    state: command
                    for state in ("master", "backup", "fault", "stop")
                    if state != "stop" or site.has(Feature.KEEPALIVED_GROUP_STOP)
                },
            ),
            track_scripts=st.lists(
                st.fixed_dictionaries(
                    {"name": words, "command": command},
                    optional={
                        "interval": duration(1, 4294),
                        "timeout": duration(1, 4294),
                        "rise": st.integers(1, 1000),
                        "fall": st.integers(1, 1000),
                    },
                ),
                min_size=1,
                max_size=2,
                unique_by=lambda script: script["name"],
            ),
        )
    )
    if draw(one_in(4)):
        values["preempt"] = False
    elif draw(flags):
        values["preempt"] = True
        fractions = st.integers(1, 999_999).map(lambda n: f"{n}ms")
        whole = duration(0, 1000)
        values["preempt_delay"] = draw(
            whole | fractions if site.has(Feature.KEEPALIVED_DECIMAL_TIMERS) else whole
        )
    if version == 2 and draw(flags):
        password = st.sampled_from(({"env": "VRRP_PASSWORD"}, {"file": "secrets/v r'r#p"}))
        values["authentication"] = {"password": draw(password)} | draw(
            optional(type=st.sampled_from(("pass", "ah")))
        )
    return values
