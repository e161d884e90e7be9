"""What keepalived itself says that it read, from the dump of its configuration in a kernel with IPVS."""

import re

from lvsc.plugin import (
    FailureAction,
    Forwarding,
    HealthCheck,
    HttpProbe,
    Persistence,
    RealServer,
    ScriptProbe,
    SorryServer,
    VirtualService,
)
from support import guest, keepalived
from support.ipvs import part

from .build import text_of
from .everything import PASSWORD, everything

COMMANDS = """
set -e
{links}
chmod 600 keepalived.conf
keepalived -C -n -l -d --no-syslog -f /mnt/keepalived.conf -p /run/p -c /run/c > dump 2>&1 &
# What it says behind the dump.
until grep -q 'Activating healthchecker' dump || ! kill -0 $!; do sleep 0.1; done
kill $! && wait $! || true
sed 's/^.* 20[0-9][0-9]: //' dump
"""


def test_keepalived_reads_each_value_as_it_was_meant() -> None:
    nodes = part(*everything()).graph
    text = text_of(*everything()).replace(PASSWORD.placeholder, "secret")
    links = "\n".join(
        f"ip link add {name} type dummy; ip link set {name} up" for name in keepalived.interfaces(text)
    )
    done = guest.run(["sh", "-c", COMMANDS.format(links=links)], files={"keepalived.conf": text}, timeout=300)
    assert "------< Health checkers >------" in done.stdout, done
    services, _, checks = done.stdout.partition("------< Health checkers >------")
    blocks = services.split("------< Virtual server >------")[1:]
    assert len(blocks) == len(nodes.of(VirtualService))
    for node, block in zip(nodes.of(VirtualService), blocks, strict=True):
        head, *reals = block.split("------< Real server >------")
        assert service_read(head) == service_meant(node)
        sorry = [found for found in nodes.of(SorryServer) if found.selector == node.selector]
        assert re.findall(r"sorry server = \[(\S+)\]", head) == [str(found.address) for found in sorry]
        servers = [found for found in nodes.of(RealServer) if found.selector == node.selector]
        drained = {
            (found.selector, found.address)
            for found in nodes.of(HealthCheck)
            if found.on_failure is FailureAction.DRAIN
        }
        assert [server_read(real) for real in reals] == [
            (*server_meant(real), (real.selector, real.address) in drained) for real in servers
        ]
    for check in nodes.of(HealthCheck):
        assert any(meant_in(check, block) for block in re.split(r"\n(?=\S* ?\[|FWM)", checks)), check


def service_read(head: str) -> tuple[str | None, ...]:
    """What the dump says of a service; it is silent about the persistence engine."""
    return (
        field(head, "Address family"),
        field(head, "lvs_sched"),
        field(head, "persistence timeout"),
        field(head, "persistence granularity"),
        field(head, "protocol"),
        field(head, "One packet scheduling"),
    )


def service_meant(node: VirtualService) -> tuple[str | None, ...]:
    family = node.selector.family
    kept: Persistence | None = node.persistence
    masks = {24: "255.255.255.0", 64: "64", 32: None, 128: None}
    return (
        "inet" if family.value == 4 else "inet6",
        node.scheduler.value,
        None if kept is None else str(kept.timeout),
        None if kept is None else masks[kept.prefix_length],
        getattr(getattr(node.selector, "protocol", None), "name", "none"),
        "enabled" if node.one_packet else "disabled",
    )


def server_read(block: str) -> tuple[object, ...]:
    found = re.search(r"RIP = (\S+), RPORT = (\d+), WEIGHT = (\d+)", block)
    limits = re.search(r"connection limit range = (\d+) -> (\d+)", block)
    assert found, block
    assert limits, block
    return (
        *found.groups(),
        field(block, "forwarding method"),
        *limits.groups(),
        field(block, "Inhibit on failure is") == "ON",
    )


def server_meant(node: RealServer) -> tuple[object, ...]:
    method = {Forwarding.NAT: "NAT", Forwarding.DIRECT: "DR", Forwarding.TUNNEL: "TUN"}[node.forwarding]
    if node.forwarding is Forwarding.TUNNEL:
        kind = node.tunnel.type.value.upper() if node.tunnel else "IPIP"
        method = f"TUN, type = {kind}"
        if node.tunnel and node.tunnel.port:
            method += f", port = {node.tunnel.port}"
        checksum = node.tunnel.checksum.value if node.tunnel else "none"
        method += {"none": "", "full": ", checksum", "remote": ", remote checksum"}[checksum]
    return (
        str(node.address),
        str(node.port),
        str(node.weight),
        method,
        str(node.lower_threshold),
        str(node.upper_threshold),
    )


def meant_in(check: HealthCheck, block: str) -> bool:
    """Whether a block of the dump is this health check's, and says what it means."""
    if f"-> [{check.address}]" not in block:
        return False
    meant = [
        f"Delay loop = {round(check.interval * 1e6)} us",
        f"Retries = {check.retries}",
        f"Delay before retry = {round(check.delay_before_retry * 1e6)} us",
    ]
    if check.probe_port is not None:
        meant.append(f"Dest = [{check.address}]:{check.probe_port}")
    match check.probe:
        case HttpProbe() as http:
            meant += [
                f"Checked url = {http.path}\n",
                f"digest = {http.digest}",
                f'Regex = "{http.regex}"\n',
                "200-299\n",
                "301\n",
                "SSL_GET, http protocol 1.1",
                "Enable SNI set",
            ]
        case ScriptProbe():
            meant += ["'a b' '$HOME' '#c'", "timeout = 3"]
        case _:
            pass
    assert [words for words in meant if words not in block] == []
    return True


def field(text: str, name: str) -> str | None:
    found = re.search(rf"^ *{re.escape(name)} =? ?(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else None
