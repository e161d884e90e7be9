"""Generated pools of a generated spec: real servers, how they are reached and how they are probed."""

import re
from dataclasses import dataclass, field

from hypothesis import strategies as st

from lvsc import targets
from lvsc.plugin import Family, Feature, Forwarding, TunnelChecksum, TunnelType
from support.spec_site import (
    Site,
    Values,
    commands,
    duration,
    flags,
    interfaces,
    one_in,
    optional,
    ports,
    words,
)

#: Everything that can be typed, except what keepalived cannot be told: quotes, backslashes and the dollar of its own names.
_texts = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"\\$'), max_size=20)
_hexadecimal = st.binary(min_size=1, max_size=6).map(bytes.hex).filter(lambda text: not text.endswith("ff"))
_hosts = st.sampled_from(("www.example.org", "[2001:db8::1]:8080")) | st.text(
    "aZ09._:[]-", min_size=1, max_size=8
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool, and what services can do with it."""

    name: str
    values: Values
    methods: frozenset[Forwarding]
    """How its real servers are reached."""
    sorry: Forwarding | None
    """How its sorry server is reached."""
    ported: bool
    """Whether its real servers say their ports, so that only services of one port can have it."""
    local: bool
    """Whether a director is one of its real servers."""
    checked: bool
    """Whether it says how its real servers are probed."""
    outside: bool
    """Whether a real server is in no network of the directors."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host of which nothing is said but its name and addresses, so that several pools can have it."""

    name: str
    ips: list[str]
    outside: bool
    """Whether it is in no network of the directors."""

    def fits(self, method: Forwarding, site: Site) -> bool:
        """Whether it can be reached by the method."""
        if method is Forwarding.TUNNEL:
            return len(self.ips) == len(site.families)
        return method is Forwarding.NAT or not self.outside


@dataclass(slots=True)
class _Draft:
    """A pool while it is drawn."""

    method: Forwarding
    mixed: bool
    """Whether real servers may be reached by other methods than the pool's."""
    ported: bool
    described: Values
    """What is said of its hosts as hosts."""
    servers: list[Values] = field(default_factory=list)
    methods: set[Forwarding] = field(default_factory=set)
    hosts: list[Host] = field(default_factory=list)
    """Its hosts that other pools can have."""
    local: bool = False
    outside: bool = False


@st.composite
def pools(
    draw: st.DrawFn, site: Site, name: str, method: Forwarding, known: list[Host] | None = None
) -> Pool:
    """A pool whose servers are reached by the method unless they say otherwise.

    It may have a host of another pool among the known ones, to which its own are added. Without them it is for a service that
    knows more than ports, and has hosts, ports and methods that are its own alone.
    """
    can_mix = site.firewall == "none" and site.has(Feature.KEEPALIVED_SERVER_METHOD)
    mixed = known is not None and can_mix and draw(one_in(4))
    ported = known is not None and method is Forwarding.NAT and not mixed and draw(one_in(3))
    described = {} if mixed else draw(_descriptions(method, alone=known is None))
    draft = _Draft(method, mixed, ported, described)
    for index in range(draw(st.integers(1, 3))):
        _add_server(draw, site, draft, first=index == 0, alone=known is None)
    if ported and draw(flags):  # one host at two ports
        port = draw(ports.filter(lambda found: found != draft.servers[0]["port"]))
        draft.servers.append({**draft.servers[0], "port": port})
    if known is not None:
        if not described:
            _add_director(draw, site, draft)
            _add_known(draw, site, draft, known)
        known += draft.hosts
    values: Values = {"real_servers": draft.servers, **described}
    if method is not (site.forwarding or Forwarding.NAT) or draw(flags):
        values["forwarding"] = method.value
    if Forwarding.TUNNEL in draft.methods and draw(flags):
        values["tunnel"] = draw(_tunnels(site))
    if site.probes:
        if known is not None and draw(flags):
            values["check"] = draw(checks(site, None))
        values |= draw(_reactions(site, draft.servers[0]))
        if draw(one_in(4)):
            values["sorry_server"] = draw(_sorry_servers(site, method, ported=ported))
    else:
        values["check"] = "none"
    return Pool(
        name=name,
        values=values,
        methods=frozenset(draft.methods),
        sorry=method if "sorry_server" in values else None,
        ported=ported,
        local=draft.local,
        checked="check" in values,
        outside=draft.outside,
    )


def _add_server(draw: st.DrawFn, site: Site, draft: _Draft, *, first: bool, alone: bool) -> None:
    method = draw(st.sampled_from(Forwarding)) if draft.mixed and draw(flags) else draft.method
    server = draw(_servers(site, method, whole=first))
    outside = server.pop("outside", False)
    further = {} if draft.mixed or not draw(one_in(4)) else draw(_descriptions(draft.method, alone=alone))
    if not (further or draft.described or draft.mixed or method is Forwarding.TUNNEL):
        draft.hosts.append(Host(server["name"], server["ip"], outside=outside))
    server |= further
    if method is not draft.method or (not alone and draw(one_in(6))):
        server["forwarding"] = method.value
    if method is Forwarding.TUNNEL and draw(flags):
        server["tunnel"] = draw(_tunnels(site))
    if draft.ported:
        server["port"] = draw(ports)
    draft.servers.append(server)
    draft.methods.add(method)
    draft.outside = draft.outside or outside


def _add_director(draw: st.DrawFn, site: Site, draft: _Draft) -> None:
    """Add a director, where it has addresses in a network in which no packet goes round."""
    if draft.method is not Forwarding.DIRECT or not site.guarded or not draw(flags):
        return
    host = draw(st.sampled_from(sorted(site.directors)))
    own = [ips for name, ips in site.directors[host].items() if name in site.guarded]
    if own:
        ips = own[0][: len(site.families)]
        draft.servers.append({"name": host, "ip": ips, "weight": draw(st.integers(0, 2))})
        draft.methods.add(draft.method)
        draft.local = True


def _add_known(draw: st.DrawFn, site: Site, draft: _Draft, known: list[Host]) -> None:
    """Add a host of another pool."""
    hosts = [host for host in known if host.fits(draft.method, site)]
    if not hosts or not draw(flags):
        return
    host = draw(st.sampled_from(hosts))
    server: Values = {"name": host.name, "ip": host.ips, "weight": draw(st.integers(0, 9))}
    if draft.ported:
        server["port"] = draw(ports)
    draft.servers.append(server)
    draft.methods.add(draft.method)
    draft.outside = draft.outside or host.outside


@st.composite
def _servers(draw: st.DrawFn, site: Site, method: Forwarding, *, whole: bool) -> Values:
    """A real server; a whole one has every family and a weight."""
    families = site.families
    crosses = _crosses(site)
    if not whole and len(families) > 1 and (method is not Forwarding.TUNNEL or crosses):
        families = draw(st.sampled_from([families, *((family,) for family in families)]))
    elif method is Forwarding.TUNNEL and crosses and draw(flags):
        families = (draw(st.sampled_from(Family)),)
    inside = [net for net in site.nets if all(net.of(family) for family in families)]
    values: Values = {"name": f"{draw(words)}-{next(site.numbers)}"}
    if method is not Forwarding.DIRECT and (not inside or draw(one_in(4))):
        number = next(site.numbers)
        ips = {
            Family.IPV4: f"100.64.{number // 200}.{number % 200 + 1}",
            Family.IPV6: f"2001:db8:f:f::{number:x}",
        }
        values |= {"ip": [ips[family] for family in families], "outside": True}
    else:
        values["ip"] = draw(st.sampled_from(inside)).hosts(families)
    weights = st.integers(1, 3) | st.integers(1, 65535)
    values |= draw(optional(weight=weights if whole else weights | st.just(0)))
    if not whole:
        values |= draw(optional(drained=flags, disabled=st.sampled_from((False, False, True))))
    if draw(one_in(4)):
        upper = values["upper_threshold"] = draw(st.integers(1, 20) | st.integers(1, 65535))
        if upper > 1 and draw(flags):
            values["lower_threshold"] = draw(st.integers(1, min(upper - 1, 9)) | st.integers(1, upper - 1))
    return values


def _crosses(site: Site) -> bool:
    """Whether a tunnel can carry one family over the other."""
    can = (Feature.KERNEL_MIXED_FAMILIES, Feature.KEEPALIVED_MIXED_FAMILIES, Feature.IPVSADM_MIXED_FAMILIES)
    return site.has(*can) and (site.probes or not site.synchronised)


def _descriptions(method: Forwarding, *, alone: bool) -> st.SearchStrategy[Values]:
    """What is said of hosts as hosts."""
    return optional(
        interface=interfaces,
        managed=flags,
        # What unwraps tunnels or serves FTP, not every target has.
        target=None if alone or method is Forwarding.TUNNEL else st.sampled_from(targets.names()),
    )


@st.composite
def _tunnels(draw: st.DrawFn, site: Site) -> Values:
    kinds = {
        TunnelType.IPIP: (),
        TunnelType.GRE: (Feature.KERNEL_TUNNEL_GRE,),
        TunnelType.GUE: (Feature.KERNEL_TUNNEL_GUE, Feature.KERNEL_TUNNEL_GUE_CHECKSUM, Feature.KERNEL_FOU),
    }
    types = (Feature.KEEPALIVED_TUNNEL_TYPES, Feature.IPVSADM_TUNNEL_TYPES)
    able = [kind for kind, needed in kinds.items() if not needed or site.has(*needed, *types)]
    kind = draw(st.sampled_from(able))
    values: Values = {"type": kind.value}
    if kind is TunnelType.GUE:
        values["port"] = draw(ports)
        checksums = list(TunnelChecksum)
    elif kind is TunnelType.GRE:
        checksums = [TunnelChecksum.NONE, TunnelChecksum.FULL]
    else:
        checksums = [TunnelChecksum.NONE]
    return values | draw(optional(checksum=st.sampled_from([each.value for each in checksums])))


@st.composite
def _reactions(draw: st.DrawFn, site: Site, first: Values) -> Values:
    """What happens when real servers fail; the first alone has weight enough for the quorum."""
    command = commands(site)
    values: Values = draw(
        optional(
            on_failure=st.sampled_from(("remove", "drain")),
            notify=optional(up=command, down=command, quorum_up=command, quorum_down=command),
        )
    )
    if draw(one_in(4)):
        weight = first.get("weight", 1)
        quorum = values["quorum"] = draw(st.integers(1, weight))
        if draw(flags):
            # A service that is down comes up again at the quorum and the hysteresis together.
            values["hysteresis"] = draw(st.integers(0, min(quorum - 1, weight - quorum)))
    return values


@st.composite
def _sorry_servers(draw: st.DrawFn, site: Site, method: Forwarding, *, ported: bool) -> Values:
    values: Values = {"ip": draw(st.sampled_from(site.nets)).hosts(site.families)}
    if ported and draw(flags):
        values["port"] = draw(ports)
    if draw(flags):
        values["forwarding"] = method.value
    return values


@st.composite
def checks(draw: st.DrawFn, site: Site, protocol: str | None) -> Values | str:
    """A check, for a service of one port of a protocol or for any service."""
    if draw(one_in(10)):
        return "none"
    kind = draw(st.sampled_from(_kinds(site)))
    fractions = site.has(Feature.KEEPALIVED_DECIMAL_TIMERS)

    def times(low: int) -> st.SearchStrategy[str]:
        whole = duration(low, 4294)
        return whole | st.integers(100, 4_294_000).map(lambda n: f"{n}ms") if fractions else whole

    retrying = {"dns": Feature.KEEPALIVED_DNS_RETRY_DELAY, "script": Feature.KEEPALIVED_SCRIPT_RETRY}
    once = kind in retrying and not site.has(retrying[kind])
    values: Values = {"type": kind, **draw(_own_keys(site, kind))}
    values |= draw(
        optional(
            interval=times(1),
            timeout=duration(1, 4294) if kind == "script" else times(1),
            delay_before_retry=times(0),
        )
    )
    if once or draw(flags):
        values["retries"] = 0 if once else draw(st.integers(0, 1000))
    fits = protocol == ("udp" if kind in ("dns", "udp") else "tcp")
    if kind not in ("ping", "script") and not (fits and draw(flags)):
        values["port"] = draw(ports)
    return values


def _kinds(site: Site) -> list[str]:
    kinds = ["tcp", "http", "http", "https", "smtp", "dns", "script"]
    if site.has(Feature.KEEPALIVED_UDP_CHECK):
        kinds.append("udp")
    if site.has(Feature.KEEPALIVED_PING_CHECK):
        kinds.append("ping")
    return kinds


@st.composite
def _own_keys(draw: st.DrawFn, site: Site, kind: str) -> Values:
    if kind in ("http", "https"):
        return draw(_http(site, tls=kind == "https"))
    if kind == "smtp":
        return draw(optional(helo=st.just("lvs.example.net") | st.text("aZ09.-", min_size=1, max_size=8)))
    if kind == "dns":
        record = st.sampled_from(("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA"))
        name = st.just("example.net") | st.text("aZ09._-", min_size=1, max_size=8)
        return {"name": draw(name), **draw(optional(record=record))}
    if kind == "udp":
        said = site.has(Feature.KEEPALIVED_UDP_PAYLOAD)
        values = draw(optional(payload=_hexadecimal if said else None, require_reply=flags))
        if said and values.get("require_reply") and draw(flags):
            values["reply"] = draw(_hexadecimal)
        return values
    if kind == "script":
        return {"command": draw(commands(site))}
    return {}


@st.composite
def _http(draw: st.DrawFn, site: Site, *, tls: bool) -> Values:
    values: Values = draw(
        optional(
            path=_texts.map(lambda text: f"/{text}"),
            virtual_host=_hosts,
            http_version=st.sampled_from(("1.0", "1.1"))
            if site.has(Feature.KEEPALIVED_HTTP_PROTOCOL)
            else st.just("1.0"),
        )
    )
    if tls and "virtual_host" in values and site.has(Feature.KEEPALIVED_HTTP_SNI) and draw(flags):
        values["sni"] = True
    if not site.has(Feature.KEEPALIVED_STATUS_RANGES):
        values["status"] = [draw(st.integers(100, 599))]
    elif draw(flags):
        one = st.integers(100, 599)
        two = st.tuples(one, one).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
        values["status"] = draw(st.lists(one | two, min_size=1, max_size=3, unique=True))
    judge = draw(st.sampled_from(("", "digest", "regex")))
    if judge == "digest":
        values["digest"] = draw(st.binary(min_size=16, max_size=16)).hex()
    elif judge and site.has(Feature.KEEPALIVED_HTTP_REGEX):
        printable = st.characters(min_codepoint=32, max_codepoint=126)
        # A parenthesis of its own is never closed.
        plain = st.text(printable, min_size=1, max_size=20).map(lambda text: re.sub("[()]", "|", text))
        values["regex"] = draw(plain | st.sampled_from(("(OK|alive)", "[(]")))
    return values
