"""What runs on this machine: the texts that its own programs print of its packet filters and its IPVS table."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from lvsc.diagnostics import Code, DiagnosticError
from lvsc.plugins.reading import Source

LIVE = "live"

NOT_LIVE = Code(
    "LVS018",
    "the running configuration cannot be read",
    """`live` is what runs on this machine: lvsc runs `iptables-save` of each variant, `ip6tables-save`, `nft -j list ruleset` and
`ipvsadm -Sn` with `ipvsadm -Ln` for the thresholds and the order, which only root may. At least one of them must be installed. One that is installed and fails leaves open what it would have
said, so lvsc does not go on without it.""",
    trouble=True,
)

ALL = (NOT_LIVE,)

#: The variants of iptables keep tables of their own; a program without a variant in its name is one of the two.
_SAVERS = (
    ("iptables-legacy-save", "iptables-nft-save", "iptables-save"),
    ("ip6tables-legacy-save", "ip6tables-nft-save", "ip6tables-save"),
)
_IPVS = Path("/proc/net/ip_vs")
_IPTABLES_TABLES = ("raw", "mangle", "nat", "filter", "security")


def live_host() -> str:
    """This machine's name, without its domain."""
    return socket.gethostname().partition(".")[0]


def live_sources(host: str) -> list[Source]:
    """What the programs that are installed print, as texts of a host.

    Raises:
        DiagnosticError: The user is not root, none of the programs is installed, or one fails.
    """
    if os.geteuid() != 0:
        raise DiagnosticError(
            [
                NOT_LIVE.at(
                    None,
                    "`live` needs root's rights",
                    help="run the command as root, with `sudo` for example",
                )
            ]
        )
    sources = list(_iptables(host))
    covered = {(family, table) for family, table in _by_iptables_nft(sources)}
    if shutil.which("nft"):
        text = _without(_run(("nft", "-j", "list", "ruleset")), covered)
        sources.append(Source(host=host, file="nft -j list ruleset", text=text))
    if shutil.which("ipvsadm"):
        sources.append(Source(host=host, file="ipvsadm -Sn", text=_ipvs()))
    if not sources:
        raise DiagnosticError(
            [
                NOT_LIVE.at(
                    None,
                    "none of `iptables-save`, `nft` and `ipvsadm` is installed",
                    help="name a file that one of them printed, in place of `live`",
                )
            ]
        )
    return sources


def _iptables(host: str) -> Iterator[Source]:
    for legacy, nft, either in _SAVERS:
        programs = [name for name in (legacy, nft) if shutil.which(name)]
        for program in programs or ([either] if shutil.which(either) else []):
            yield Source(host=host, file=program, text=_run((program,)))


def _by_iptables_nft(sources: Sequence[Source]) -> Iterator[tuple[str, str]]:
    """The nftables tables that iptables-nft-save prints as its own, which nft would show a second time."""
    for source in sources:
        if source.file.endswith("-nft-save") or "nf_tables" in source.text.partition("\n")[0]:
            family = "ip6" if source.file.startswith("ip6") else "ip"
            for table in _IPTABLES_TABLES:
                if f"\n*{table}\n" in source.text:
                    yield family, table


def _ipvs() -> str:
    """The IPVS table with its thresholds and its real servers' order, which is empty where the kernel has no IPVS even after ipvsadm tried to load it."""
    try:
        table = _run(("ipvsadm", "-Sn"))
    except DiagnosticError:
        if _IPVS.exists():
            raise
        return ""
    if not table:
        return ""
    return table + _run(("ipvsadm", "-Ln", "--thresholds")) + _run(("ipvsadm", "-Ln", "--nosort"))


def _without(ruleset: str, tables: set[tuple[str, str]]) -> str:
    """The ruleset without tables that iptables's own program has printed."""
    document = json.loads(ruleset)
    document["nftables"] = [each for each in document["nftables"] if not _is_of(each, tables)]
    return json.dumps(document)


def _is_of(statement: dict[str, dict[str, object]], tables: set[tuple[str, str]]) -> bool:
    return any(
        (each.get("family"), each.get("name") if kind == "table" else each.get("table")) in tables
        for kind, each in statement.items()
    )


def _run(words: Sequence[str]) -> str:
    """What a program prints.

    Raises:
        DiagnosticError: It fails.
    """
    done = subprocess.run(  # noqa: S603 - a fixed command, found where root finds it
        words, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()
        raise DiagnosticError(
            [
                NOT_LIVE.at(
                    None,
                    f"`{' '.join(words)}` fails: {reason[0] if reason else f'exit code {done.returncode}'}",
                    help="mend what it says, or name files that the programs printed in place of `live`",
                )
            ]
        )
    return done.stdout
