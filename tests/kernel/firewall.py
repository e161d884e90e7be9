"""An operator's own firewall that drops everything but what `lvsc explain` says it must let through."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from lvsc.graph.traffic import Family
from lvsc.report.passages import Passage, passages
from support.specs import plugins

from .conftest import Trial

_COMMANDS = {Family.IPV4: "iptables", Family.IPV6: "ip6tables"}
_ICMP = {Family.IPV4: "icmp", Family.IPV6: "icmpv6"}
#: Without neighbour discovery there is no IPv6 at all (RFC 4890, 4.4.1).
_NEIGHBOURS = ("neighbour-solicitation", "neighbour-advertisement")
_NFT_NEIGHBOURS = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
_CHAINS = ("input", "forward", "output")


def by_iptables(site: Trial) -> None:
    """Have every director begin with the firewall, in iptables."""
    for director in site.directors:
        for family, command in _COMMANDS.items():
            lines = [f":{chain.upper()} DROP [0:0]" for chain in _CHAINS]
            if family is Family.IPV6:
                lines += [
                    f"-A {chain} -p icmpv6 --icmpv6-type {kind} -j ACCEPT"
                    for chain, kind in product(("INPUT", "OUTPUT"), _NEIGHBOURS)
                ]
            lines += [f"-A {words} -j ACCEPT" for each in _own(site) for words in _iptables(each, family)]
            site.run(director, f"{command}-restore", stdin="\n".join(["*filter", *lines, "COMMIT", ""]))


def by_nftables(site: Trial) -> None:
    """Have every director begin with the firewall, in nftables."""
    text = ["table inet own {"]
    for chain in _CHAINS:
        text += [f"chain {chain} {{", f"type filter hook {chain} priority filter; policy drop;"]
        text += [] if chain == "forward" else [_NFT_NEIGHBOURS]
        for each in _own(site):
            if each.chain.value == chain:
                text += [f"{words} accept" for family in Family for words in _nft(each, family)]
        text.append("}")
    text.append("}")
    for director in site.directors:
        site.run(director, "nft", "-f", "-", stdin="\n".join(text))


def _own(site: Trial) -> Iterable[Passage]:
    """What lvsc leaves to the operator."""
    return (each for each in passages(site.compiled, plugins().kinds) if not each.emitted)


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule's words for what a passage lets through; what is empty is any."""

    source: str
    source_ports: str
    destination: str
    ports: str
    message: str
    """Of ICMP."""


def _rules(passage: Passage, family: Family) -> Iterator[_Rule]:
    """The rules of a family that a passage takes."""
    assert not passage.network, f"{passage.network} is not among the words here"
    ends = [
        [str(net) for net in nets if Family.of(net.network_address) is family]
        for nets in (passage.sources, passage.destinations)
    ]
    if any(nets and not own for nets, own in zip((passage.sources, passage.destinations), ends, strict=True)):
        return
    sports, dports = (
        [f"{ports.first}-{ports.last}" for ports in each] or [""]
        for each in (passage.source_ports, passage.destination_ports)
    )
    protocol, _, message = (passage.protocol or "").partition(" ")
    if not message or protocol == _ICMP[family]:
        for words in product(ends[0] or [""], sports, ends[1] or [""], dports):
            yield _Rule(*words, message)


def _iptables(passage: Passage, family: Family) -> Iterator[str]:
    for each in _rules(passage, family):
        words = [passage.chain.name]
        words += ["-s", each.source] if each.source else []
        words += ["-d", each.destination] if each.destination else []
        words += ["-p", passage.protocol.partition(" ")[0]] if passage.protocol else []
        words += [f"--{_ICMP[family]}-type", each.message] if each.message else []
        words += ["--sport", each.source_ports.replace("-", ":")] if each.source_ports else []
        words += ["--dport", each.ports.replace("-", ":")] if each.ports else []
        words += ["-m", "conntrack", "--ctstate", ",".join(passage.states)] if passage.states else []
        yield " ".join(words)


def _nft(passage: Passage, family: Family) -> Iterator[str]:
    protocol = passage.protocol or ""
    for each in _rules(passage, family):
        words = ["meta", "nfproto", f"ipv{family.value}"]
        ip = "ip" if family is Family.IPV4 else "ip6"
        words += [ip, "saddr", each.source] if each.source else []
        words += [ip, "daddr", each.destination] if each.destination else []
        words += [_nft_icmp(each.message)] if each.message else []
        words += [protocol, "sport", each.source_ports] if each.source_ports else []
        words += [protocol, "dport", each.ports] if each.ports else []
        words += ["ct", "state", ",".join(passage.states).lower()] if passage.states else []
        yield " ".join(words)


def _nft_icmp(message: str) -> str:
    return {
        "fragmentation-needed": "icmp type destination-unreachable icmp code frag-needed",
        "packet-too-big": "icmpv6 type packet-too-big",
    }[message]
