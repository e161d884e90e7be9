"""What tests see of a cluster whose directors run keepalived."""

from ipaddress import ip_address

from lvsc.graph.nodes import RealServer
from lvsc.graph.traffic import Family
from lvsc.laboratory.laboratory import LaboratoryError
from lvsc.laboratory.site import PATIENCE

from .conftest import Trial

#: The backends of all these tests, but for the few that say otherwise.
BACKENDS = ("iptables", "keepalived")


def weights(site: Trial, director: str = "lvs1") -> dict[str, dict[str, int]]:
    """The weight of each server in a director's kernel, by name and virtual service: `192.0.2.10:80`, `80`, `80 -6`."""
    found: dict[str, dict[str, int]] = {}
    for words in map(str.split, site.table(director).splitlines()):
        if words:
            servers = found.setdefault(" ".join([words[2], *(word for word in words if word == "-6")]), {})
            if words[0] == "-a":
                address = words[words.index("-r") + 1].rpartition(":")[0].strip("[]")
                servers[site.topology.names[address]] = int(words[-1])
    return found


def virtual(site: Trial, director: str) -> set[str]:
    """The virtual addresses that a director has on an interface that answers for them; none if it is dead."""
    try:
        seen = site.run(director, "ip", "-o", "addr", "show", "up", "scope", "global").splitlines()
    except LaboratoryError:
        return set()
    words = [line.split() for line in seen]
    own = {word[3].partition("/")[0] for word in words if word[1] != "lo"}
    return own & {str(ip) for address in site.cluster.addresses.values() for ip in address.ips}


def everything(site: Trial) -> set[str]:
    """All virtual addresses of the cluster."""
    return {str(ip) for address in site.cluster.addresses.values() for ip in address.ips}


def has_all(site: Trial, director: str) -> None:
    """Wait until a director has all virtual addresses, and its living peers none."""
    others = [peer for peer in site.directors if peer != director]
    site.becomes(
        lambda: [virtual(site, director), *(virtual(site, peer) for peer in others)],
        [everything(site), *(set() for _ in others)],
    )


def begins(site: Trial, director: str) -> None:
    """Wait until every director has all real servers in its kernel, and one all virtual addresses."""
    hosts = site.compiled.lowered.graph.hosts
    wanted = {each: len(hosts[each].of(RealServer)) for each in site.directors}
    site.becomes(lambda: {each: site.table(each).count("-a ") for each in site.directors}, wanted)
    has_all(site, director)


def families(site: Trial) -> tuple[Family, ...]:
    """The families of the virtual addresses."""
    return tuple(
        family for family in Family if any(Family.of(ip_address(ip)) is family for ip in everything(site))
    )


def held(site: Trial) -> dict[str, str]:
    """Open a connection of each family that stays; who answered on each."""
    return {str(family): str(site.hold(str(family), family=family)) for family in families(site)}


def still(site: Trial, connections: dict[str, str], limit: float = PATIENCE) -> dict[str, str]:
    """Who answers on open connections now; `limit` is for each answer, in seconds."""
    return {name: str(site.say(name, limit)) for name in connections}


def told(site: Trial, director: str) -> bool:
    """Whether a director knows of an established connection of each family."""
    entries = site.run(director, "ipvsadm", "-Lnc").splitlines()
    known = {Family.IPV6 if "[" in line else Family.IPV4 for line in entries if " ESTABLISHED " in line}
    return known == set(families(site))
