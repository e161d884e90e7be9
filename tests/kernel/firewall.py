"""An operator's own firewall that drops everything but what `lvsc explain` says it must let through."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from lvsc.graph.traffic import Family, Hook
from lvsc.report.passages import Passage, passages
from support.specs import plugins

from .conftest import Trial

_COMMANDS = {Family.IPV4: "iptables", Family.IPV6: "ip6tables"}
_ICMP = {Family.IPV4: "icmp", Family.IPV6: "ipv6-icmp"}
_TYPES = {Family.IPV4: "icmp", Family.IPV6: "icmpv6"}
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
            for each in _own(site):
                by = _interface(site, director, each)
                lines += [f"-A {words} -j ACCEPT" for words in _iptables(each, family, by)]
            site.run(director, f"{command}-restore", stdin="\n".join(["*filter", *lines, "COMMIT", ""]))


def by_nftables(site: Trial) -> None:
    """Have every director begin with the firewall, in nftables."""
    for director in site.directors:
        text = ["table inet own {"]
        for chain in _CHAINS:
            text += [f"chain {chain} {{", f"type filter hook {chain} priority filter; policy drop;"]
            text += [] if chain == "forward" else [_NFT_NEIGHBOURS]
            for each in _own(site):
                by = _interface(site, director, each)
                if each.chain.value == chain:
                    text += [f"{words} accept" for family in Family for words in _nft(each, family, by)]
            text.append("}")
        text.append("}")
        site.run(director, "nft", "-f", "-", stdin="\n".join(text))


def _own(site: Trial) -> Iterable[Passage]:
    """What lvsc leaves to the operator."""
    return (each for each in passages(site.compiled, plugins().kinds) if not each.emitted)


def _interface(site: Trial, director: str, passage: Passage) -> str:
    """The director's interface in the network that a passage names."""
    if passage.network is None:
        return ""
    (found,) = (each for each in site.cluster.directors if each.name == director)
    return found.interface(site.cluster.networks[passage.network])


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule's words for what a passage lets through; what is empty is any."""

    source: str
    source_ports: str
    destination: str
    ports: str
    protocol: str
    """A name, or a number where not everybody knows the name."""
    message: str
    """Of ICMP."""


def _rules(passage: Passage, family: Family) -> Iterator[_Rule]:
    """The rules of a family that a passage takes."""
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
    if protocol in _ICMP.values() and protocol != _ICMP[family]:
        return
    if message.startswith("(protocol "):
        protocol, message = message.removeprefix("(protocol ").removesuffix(")"), ""
    for words in product(ends[0] or [""], sports, ends[1] or [""], dports):
        yield _Rule(*words, protocol, message)


def _iptables(passage: Passage, family: Family, interface: str) -> Iterator[str]:
    for each in _rules(passage, family):
        words = [passage.chain.name]
        words += ["-s", each.source] if each.source else []
        words += ["-d", each.destination] if each.destination else []
        words += ["-o" if passage.chain is Hook.OUTPUT else "-i", interface] if interface else []
        words += ["-p", each.protocol] if each.protocol else []
        words += [f"--{_TYPES[family]}-type", each.message] if each.message else []
        words += ["--sport", each.source_ports.replace("-", ":")] if each.source_ports else []
        words += ["--dport", each.ports.replace("-", ":")] if each.ports else []
        words += ["-m", "conntrack", "--ctstate", ",".join(passage.states)] if passage.states else []
        yield " ".join(words)


def _nft(passage: Passage, family: Family, interface: str) -> Iterator[str]:
    for each in _rules(passage, family):
        words = ["meta", "nfproto", f"ipv{family.value}"]
        ip = "ip" if family is Family.IPV4 else "ip6"
        words += [ip, "saddr", each.source] if each.source else []
        words += [ip, "daddr", each.destination] if each.destination else []
        words += ["oifname" if passage.chain is Hook.OUTPUT else "iifname", interface] if interface else []
        words += ["meta", "l4proto", each.protocol] if each.protocol else []
        words += [_nft_icmp(each.message)] if each.message else []
        words += [each.protocol, "sport", each.source_ports] if each.source_ports else []
        words += [each.protocol, "dport", each.ports] if each.ports else []
        words += ["ct", "state", ",".join(passage.states).lower()] if passage.states else []
        yield " ".join(words)


def _nft_icmp(message: str) -> str:
    return {
        "fragmentation-needed": "icmp type destination-unreachable icmp code frag-needed",
        "packet-too-big": "icmpv6 type packet-too-big",
    }[message]
