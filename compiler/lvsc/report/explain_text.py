"""Explanations as text for people."""

import textwrap
from collections.abc import Iterable, Iterator, Sized

from lvsc.diagnostics import Code
from lvsc.graph.traffic import Hook
from lvsc.lowering.lowered import LoweredService
from lvsc.report.explanation import Detail, Explanation, Probing
from lvsc.report.passages import Passage
from lvsc.report.way import Preparation
from lvsc.spec.model import Firewall, PoolServer, Service, reached_at, served
from lvsc.spec.table import describe_seconds

_WIDTH = 96
_LABEL = 12


def code_page(code: Code) -> str:
    """A code's title, severity and explanation, in which paragraphs with indented lines, other than lists, stay as they are."""
    lines = [f"{code.severity.value}[{code.id}]: {code.title}"]
    for paragraph in code.explanation.strip("\n").split("\n\n"):
        lines += ["", *_paragraph(paragraph.split("\n"))]
    return _page(lines)


def _paragraph(lines: list[str]) -> Iterator[str]:
    items = lines[0].startswith("- ")
    if not items and any(line.startswith(" ") for line in lines):
        yield from lines
        return
    parts: list[str] = []
    for line in lines:
        if not parts or (items and line.startswith("- ")):
            parts.append(line)
        else:
            parts[-1] += f" {line.strip()}"
    for part in parts:
        yield from _wrapped(part, "", "  " if items else "")


def overview(explanation: Explanation) -> str:
    """Every service in two lines, and what the firewall must let through."""
    cluster = explanation.cluster
    lines = [
        f"cluster {cluster.name}: target {cluster.target}; backends {', '.join(explanation.backends)}",
        "",
    ]
    for lowered in explanation.services:
        pool = lowered.service.pool
        methods = _listed(sorted(method.value for method in lowered.service.forwardings))
        serving = [server for server in pool.enabled if served(server, lowered.service.families)]
        count = f"{len(serving)} {_plural('real server', serving)}"
        lines += _item(lowered.service.name, f"{_packets(lowered)} to pool {pool.name} ({count}, {methods})")
        lines += _item("", f"{_known_by(lowered)}; {_scheduling(lowered)}")
    return _page([*lines, "", *_firewall(explanation)])


def service_page(explanation: Explanation, detail: Detail) -> str:
    """All about the only service of the explanation."""
    (lowered,) = explanation.services
    name = lowered.service.name
    lines = [f"service {name} of cluster {explanation.cluster.name}, kind {lowered.service.kind}", ""]
    lines += _item("packets", _packets(lowered))
    lines += _item("known by", _known_by(lowered))
    if lowered.derived:
        marks = explanation.cluster.marks
        lines += _item("", f"derived from the name `{name}` in the range {marks.first} to {marks.last}")
    lines += _items("because", lowered.reasons)
    lines += _items("carried so", lowered.plan.reasons)
    lines += _item("scheduling", _scheduling(lowered))
    lines += _item("check", _probed(detail.probing, lowered))
    lines += ["", *_pool(lowered)]
    for way in detail.ways:
        lines += ["", f"its packets on {_listed(way.directors)}"]
        lines += (line for stop in way.stops for line in _item(stop.hook.value.upper(), stop.what, indent=2))
    lines += _preparations(detail.preparations)
    for excerpt in detail.excerpts:
        lines += ["", f"{excerpt.path} on {_listed(excerpt.hosts)}"]
        lines += [f"{number:>6}  {text.expandtabs(4)}" for number, text in excerpt.lines]
    return _page([*lines, "", *_firewall(explanation)])


def _packets(lowered: LoweredService) -> str:
    addresses = [str(ip) for family in lowered.service.families for ip in lowered.service.ips(family)]
    return f"{', '.join(map(str, lowered.ports))} of {_listed(addresses)}"


def _known_by(lowered: LoweredService) -> str:
    return "its address" if lowered.mark is None else f"mark {lowered.mark} ({lowered.mark:#x})"


def _scheduling(lowered: LoweredService) -> str:
    service = lowered.service
    words = [" ".join([service.scheduler.value, *(flag.value for flag in service.scheduler_flags)])]
    if lowered.plan.persistence is not None:
        words.append(f"a client stays on one real server for {describe_seconds(lowered.plan.persistence)}")
        lengths = [
            service.granularity[family]
            for family in service.families
            if service.granularity[family] != family.bits
        ]
        words += [f"clients of one /{length} together" for length in lengths]
    if service.persistence_engine is not None:
        words.append(f"requests are told apart by {service.persistence_engine}")
    if service.one_packet:
        words.append("each datagram by itself")
    return ", ".join(words)


def _probed(probing: Probing | None, lowered: LoweredService) -> str:
    if probing is None:
        return "none: a real server that fails stays in"
    what = f"{probing.type} {probing.asks}".rstrip()
    where = f" at port {_listed(map(str, probing.ports))}" if probing.ports else ""
    again = "retry" if probing.retries == 1 else "retries"
    return (
        f"{what}{where} every {describe_seconds(probing.interval)}, {describe_seconds(probing.timeout)} to answer,"
        f" {probing.retries} {again} after {describe_seconds(probing.delay_before_retry)}; on failure: {lowered.service.pool.on_failure.value}"
    )


def _pool(lowered: LoweredService) -> Iterator[str]:
    pool = lowered.service.pool
    yield f"pool {pool.name}"
    for server in pool.real_servers:
        yield from _item(server.name, ", ".join(_server(server, lowered.service)), indent=2)
    if pool.sorry_server is not None:
        ips = _listed(map(str, pool.sorry_server.ips))
        yield from _item(
            "sorry server", f"{ips}, {pool.sorry_server.forwarding.value}, while there is no quorum", indent=2
        )
    if pool.quorum is not None:
        yield from _item("quorum", f"weight {pool.quorum}, hysteresis {pool.hysteresis}", indent=2)


def _server(server: PoolServer, service: Service) -> Iterator[str]:
    missing = [family for family in service.families if reached_at(server, family) is None]
    if missing == list(service.families):
        yield f"left out: it has no IPv{missing[0].value} address"
        return
    yield _listed(
        dict.fromkeys(str(ip) for f in service.families if (ip := reached_at(server, f)) is not None)
    )
    yield server.forwarding.value if server.tunnel is None else f"tunnel by {server.tunnel.type.value}"
    yield f"port {server.port}" if server.port is not None else "the packet's own port"
    yield f"weight {server.weight}"
    if server.upper_threshold:
        yield f"at most {server.upper_threshold} connections"
    yield from (f"left out for IPv{family.value}" for family in missing)
    if server.disabled:
        yield "disabled: left out"
    if not server.managed:
        yield "not managed by lvsc"


def _preparations(preparations: Iterable[Preparation]) -> Iterator[str]:
    for preparation in preparations:
        verb = "needs" if len(preparation.hosts) == 1 else "need"
        by_hand = "" if preparation.managed else ", which somebody else sets up"
        yield ""
        yield f"{_listed(preparation.hosts)} {verb}{by_hand}"
        for need in preparation.needs:
            yield f"  {need}"


def _firewall(explanation: Explanation) -> Iterator[str]:
    cluster = explanation.cluster
    if cluster.firewall is Firewall.NONE:
        yield "no firewall: the spec says that nothing filters packets on the directors"
        return
    yield "what a firewall on the directors must let through"
    if cluster.firewall is Firewall.FIREWALLD:
        yield "  firewalld lets known connections through; what it opens a port for may be new or untracked"
    chain = None
    for passage in explanation.passages:
        if passage.chain is not chain:
            chain = passage.chain
            yield f"  {chain.value.upper()}{', if it drops anything' if chain is Hook.OUTPUT else ''}"
        yield from _wrapped(_passage(passage), " " * 4, " " * 8)
        service = f"service {passage.service}: " if passage.service is not None else ""
        emitted = "; lvsc emits a rule for them" if passage.emitted else ""
        why = f"{service}{passage.why}{emitted}"
        yield from _wrapped(why, " " * 8, " " * 8)


def _passage(passage: Passage) -> str:
    words = [passage.protocol or "everything"]
    for preposition, networks, ports in (
        ("from", passage.sources, passage.source_ports),
        ("to", passage.destinations, passage.destination_ports),
    ):
        if networks or ports:
            words.append(preposition)
        if networks:
            words.append(
                ", ".join(str(network).removesuffix("/32").removesuffix("/128") for network in networks)
            )
        if ports:
            words.append(f"port {', '.join(map(str, ports))}")
    if passage.network is not None:
        words.append(f"in network {passage.network}")
    if passage.states:
        words.append(f"in state {','.join(passage.states)}")
    return " ".join(words)


def _items(label: str, texts: Iterable[str]) -> Iterator[str]:
    for index, text in enumerate(texts):
        yield from _item("" if index else label, text)


def _item(label: str, text: str, *, indent: int = 0) -> list[str]:
    """A label and its text, wrapped beside it."""
    first = f"{' ' * indent}{label:<{_LABEL}} "
    return _wrapped(text, first, " " * (indent + _LABEL + 1))


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """The text in lines that begin with `first` and `rest`; names with hyphens stay whole."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _listed(words: Iterable[str]) -> str:
    """The words as a sentence lists them: "a, b and c"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _plural(word: str, things: Sized) -> str:
    return word if len(things) == 1 else f"{word}s"


def _page(lines: Iterable[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)
