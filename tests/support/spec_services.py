"""Generated services of a generated spec, no two for one packet."""

from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import strategies as st

from lvsc.plugin import Family, Feature, Forwarding, Scheduler
from support.spec_pools import Host, Pool, checks, pools
from support.spec_site import Site, Values, duration, flags, one_in, optional, words

_HASHING = ("sh", "mh")
#: What the schedulers and their flags need.
_NEEDED = {
    each.value: [feature for feature in Feature if feature.key.endswith(f"_sched_{each.value}")]
    for each in Scheduler
} | {
    f"{word}-flags": [
        feature for feature in Feature if feature.key.endswith((f"_{word}_flags", "_sched_flags"))
    ]
    for word in _HASHING
}
#: Schedulers that one-packet scheduling leaves something to go by.
_UNCOUNTED = ("rr", "wrr", "sh", "mh", "dh", "fo", "twos")
_MONTH = 31 * 86400
_SHAPES = ("single", "single", "single", "range", "range", "bundle", "bundle", "many", "all", "rest")
_PROTOCOLS = ("tcp", "tcp", "tcp", "udp", "udp", "sctp")


@dataclass(frozen=True, slots=True)
class Taken:
    """Which ports of which address have a service, and which marks."""

    ports: dict[tuple[str, str], list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    rest: set[tuple[str, str]] = field(default_factory=set)
    """Where a service has all ports, or what no other has of them."""
    marks: set[int] = field(default_factory=set)
    encrypted: dict[int, bool] = field(default_factory=dict)
    """Of each control port that FTP by NAT has, whether its clients encrypt, which must hold for all of its services."""

    def take(self, names: list[str], protocol: str, first: int, last: int) -> bool:
        """Take a range at all of the addresses; False where a part of it is taken."""
        places = [(name, protocol) for name in names]
        if any(first <= b and a <= last for place in places for a, b in self.ports[place]):
            return False
        for place in places:
            self.ports[place].append((first, last))
        return True

    def take_rest(self, names: list[str], protocol: str) -> bool:
        """Take what no other service has at all of the addresses; False where one has that already."""
        places = {(name, protocol) for name in names}
        free = not places & self.rest
        self.rest.update(places)
        return free


@st.composite
def services(draw: st.DrawFn, site: Site) -> tuple[Values, Values]:
    """The tables of pools and services."""
    taken = Taken()
    known: list[Host] = []
    pool_tables: Values = {}
    tables: Values = {}
    names = iter(draw(st.lists(_names, min_size=6, max_size=6, unique=True)))
    for number in range(draw(st.integers(1, 3))):
        method = draw(st.sampled_from(Forwarding))
        name = f"{draw(words)}-{number}"
        if draw(one_in(5)):
            pool, service = draw(_ftp(site, name, method, taken))
            if service is not None:
                tables[next(names)] = service
                pool_tables[name] = pool.values
            continue
        pool = draw(pools(site, name, method, known))
        pool_tables[name] = pool.values
        for _ in range(draw(st.integers(1, 2))):
            plain = draw(_plain(site, pool, taken))
            if plain is not None:
                tables[next(names)] = plain
    return pool_tables, tables


_names = words | st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True)


def _places(draw: st.DrawFn, site: Site, *, several: bool = True) -> list[str]:
    """The virtual addresses of a service."""
    names = sorted(site.addresses if several else site.addresses.keys() - site.several)
    most = 2 if several and draw(one_in(4)) else 1
    return draw(st.lists(st.sampled_from(names), min_size=1, max_size=most, unique=True)) if names else []


def _families(site: Site, names: list[str]) -> tuple[Family, ...]:
    return tuple(family for family in Family if any(family in site.addresses[name] for name in names))


@st.composite
def _plain(draw: st.DrawFn, site: Site, pool: Pool, taken: Taken) -> Values | None:
    """A service of the pool; None where what was drawn is taken."""
    places = _places(draw, site)
    persistent = draw(flags)
    simple = len(places) == 1 and places[0] not in site.several and not (pool.local and site.by_mac)
    values: Values = {"address": places if len(places) > 1 or draw(flags) else places[0], "pool": pool.name}
    by_mark = draw(flags)
    shape = draw(st.sampled_from(_SHAPES))
    if pool.ported:
        shape = "single"
    if shape == "rest" and not (simple and persistent):
        shape = "all"
    if shape == "rest":
        by_mark = False
    values["ports"] = draw(_ports(site, shape, places, taken))
    if not values["ports"]:
        return None
    if by_mark:
        values["mark"] = draw(
            (st.integers(1, 300) | st.integers(1, 0x7FFFFFFF)).filter(lambda n: n not in taken.marks)
        )
        taken.marks.add(values["mark"])
    protocols = {text.partition("/")[0] for text in values["ports"]}
    one = len(values["ports"]) == 1 and values["ports"][0].partition("/")[2].isdecimal()
    values |= draw(_scheduling(site))
    if persistent:
        values |= draw(_persistence(site, sip=protocols == {"udp"}))
    elif protocols == {"udp"} and Forwarding.NAT not in pool.methods and _single_packets(site):
        values |= draw(optional(one_packet=flags))
        if values.get("one_packet") and values.get("scheduler") not in _UNCOUNTED:
            values["scheduler"] = draw(st.sampled_from(("rr", "wrr")))
    if pool.methods == {Forwarding.NAT} and pool.sorry in (None, Forwarding.NAT) and draw(one_in(4)):
        values["source_nat"] = draw(_source_nat(site, pool))
    if site.probes:
        only = next(iter(protocols)) if one else None
        if (not pool.checked and only != "tcp") or draw(one_in(4)):
            values["check"] = draw(checks(site, only))
    return values


def _protocols(site: Site) -> list[str]:
    able = site.has(Feature.KEEPALIVED_SCTP, Feature.IPVSADM_SCTP)
    return [protocol for protocol in _PROTOCOLS if able or protocol != "sctp"]


def _single_packets(site: Site) -> bool:
    return site.has(Feature.KEEPALIVED_OPS, Feature.KEEPALIVED_OPS_MARK)


@st.composite
def _ports(draw: st.DrawFn, site: Site, shape: str, places: list[str], taken: Taken) -> list[str]:
    """The ports that nobody has yet of those that are drawn, perhaps none."""
    found: list[str] = []
    if shape == "many":  # more than one rule can say
        protocol = draw(st.sampled_from(_protocols(site)))
        first, step = draw(st.integers(1, 40000)), draw(st.integers(2, 999))
        every = range(first, first + step * draw(st.integers(14, 24)), step)
        return [f"{protocol}/{port}" for port in every if taken.take(places, protocol, port, port)]
    for _ in range(draw(st.integers(2, 4)) if shape == "bundle" else 1):
        protocol = draw(st.sampled_from(_protocols(site)))
        first = draw(st.sampled_from((53, 80, 81, 443, 8080, 65535)) | st.integers(1, 65535))
        last = first
        if shape == "range" or (shape == "bundle" and draw(flags)):
            last = draw(st.integers(first, min(first + 9, 65535)) | st.integers(first, 65535))
        if shape in ("all", "rest"):
            free = taken.take_rest(places, protocol) and (
                shape == "rest" or taken.take(places, protocol, 1, 65535)
            )
            numbers = "all"
        else:
            # A plain service on FTP's control port is another kind's business.
            free = (protocol, first) != ("tcp", 21) and taken.take(places, protocol, first, last)
            numbers = f"{first}" if first == last else f"{first}-{last}"
        if free:
            found.append(f"{protocol}/{numbers}")
    return found


@st.composite
def _scheduling(draw: st.DrawFn, site: Site) -> Values:
    able = [each.value for each in Scheduler if site.has(*_NEEDED[each.value])]
    values: Values = draw(optional(scheduler=st.sampled_from(able) | st.sampled_from(_HASHING)))
    scheduler = values.get("scheduler", "")
    if scheduler not in able:
        return {}
    if scheduler in _HASHING and site.has(*_NEEDED[f"{scheduler}-flags"]) and draw(flags):
        found = (f"{scheduler}-port", f"{scheduler}-fallback")
        values["scheduler_flags"] = draw(st.lists(st.sampled_from(found), min_size=1, unique=True))
    return values


@st.composite
def _persistence(draw: st.DrawFn, site: Site, *, sip: bool) -> Values:
    granularity = optional(ipv4=st.integers(1, 32), ipv6=st.integers(1, 128))
    return {"persistence": draw(duration(1, _MONTH))} | draw(
        optional(
            persistence_granularity=granularity if site.has(Feature.KEEPALIVED_PERSISTENCE_PREFIX) else None,
            persistence_engine=st.just("sip")
            if sip and site.has(Feature.KEEPALIVED_PERSISTENCE_ENGINE)
            else None,
        )
    )


@st.composite
def _source_nat(draw: st.DrawFn, site: Site, pool: Pool) -> bool | str:
    """True where each real server is in a network in which the directors have addresses, or the name of such a network."""
    reached = [net.name for net in site.nets if net.reached]
    if reached and (pool.outside or len(reached) < len(site.nets) or draw(flags)):
        return draw(st.sampled_from(reached))
    return bool(reached)


@st.composite
def _ftp(
    draw: st.DrawFn, site: Site, name: str, method: Forwarding, taken: Taken
) -> tuple[Pool, Values | None]:
    """An FTP service with a pool of its own; no service where what was drawn is taken."""
    pool = draw(pools(site, name, method))
    tls = draw(flags)
    opaque = tls and method is Forwarding.NAT
    places = _places(draw, site, several=not opaque)
    control = draw(st.sampled_from((21, 21, 990, 2121)) | st.integers(2, 65535))
    first = draw(st.integers(1024, 65535))
    last = draw(st.integers(first, min(first + 999, 65535)))
    values: Values = {"kind": "ftp", "pool": name, "address": places if draw(flags) else "".join(places[:1])}
    places = places if isinstance(values["address"], list) else places[:1]
    if control != 21 or draw(flags):
        values["control_port"] = control
    needed = method is not Forwarding.NAT or tls or not site.has(Feature.KERNEL_FTP_EPSV)
    taking = [(control - 1 if method is not Forwarding.NAT else control, control)]
    if needed or draw(flags):
        values["passive_ports"] = f"{first}-{last}"
        taking.append((first, last))
    free = not first <= control <= last and all(taken.take(places, "tcp", *some) for some in taking)
    if method is Forwarding.NAT and taken.encrypted.setdefault(control, tls) is not tls:
        return pool, None
    # IPVS would give it the ports that a service of all ports has.
    if not places or not free or not taken.take_rest(places, "tcp"):
        return pool, None
    both = len(_families(site, places)) > 1
    if site.target.units.vsftpd is None or (opaque and both):
        values["server"] = "other"
    if tls:
        values["tls"] = True
    values |= draw(_scheduling(site)) | draw(
        optional(server=st.just("other"), persistence=duration(1, _MONTH))
    )
    return pool, values
