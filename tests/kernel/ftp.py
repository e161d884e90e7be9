"""FTP services with servers of their own, every kind of client, and the operator's firewall on the director."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from lvsc.graph.traffic import Family
from lvsc.laboratory.site import Fetch
from support.specs import Layer

from .clusters import NAT
from .conftest import Edit, Trial

#: A director between clients and whatever servers there will be.
BASE: Layer = {key: NAT[key] for key in ("cluster", "networks", "directors")}

#: Every kind of client (laboratory/agent/ftp.py). IPv6 has no PORT, PASV and 227 reply.
MODES = {
    Family.IPV4: ("active", "checking", "eprt", "passive", "strict", "epsv"),
    Family.IPV6: ("active", "checking", "passive"),
}
_KINDS = max(map(len, MODES.values()))
_PUBLIC = {Family.IPV4: "192.0.2.", Family.IPV6: "2001:db8:2::"}
_PRIVATE = {Family.IPV4: "10.11.12.", Family.IPV6: "2001:db8:12::"}


def ftp(
    name: str,
    number: int,
    *,
    families: Iterable[Family] = tuple(Family),
    forwarding: str = "nat",
    pool: Mapping[str, object] | None = None,
    **keys: object,
) -> Layer:
    """An FTP service with an address and two real servers of its own; `number`, 1 to 9, makes their addresses."""
    inside = _PRIVATE if forwarding == "nat" else _PUBLIC
    return {
        "addresses": {
            name: {"network": "public", "ip": [f"{_PUBLIC[family]}{100 + number}" for family in families]}
        },
        "pools": {
            name: {
                "check": "none",
                "forwarding": forwarding,
                "real_servers": [
                    {
                        "name": f"{name}{n}",
                        "ip": [f"{inside[family]}{10 * number + n}" for family in families],
                    }
                    for n in (1, 2)
                ],
                **(pool or {}),
            }
        },
        "services": {name: {"kind": "ftp", "address": name, "pool": name, "scheduler": "rr", **keys}},
    }


#: How long a client waits for each answer, in seconds, and one that is to get none.
_LIMIT, _DOOMED = 40, 5


class Clients:
    """FTP clients of a site. Each file is fetched by one that was never there before."""

    def __init__(self, site: Trial, *, after: int = 0) -> None:
        """Begin with the clients after so many of each kind."""
        self._site = site
        self._used = after * _KINDS
        self.said: list[str] = []
        """Why the latest got no file."""

    def failures(
        self,
        *services: str,
        doomed: Mapping[str, str] | None = None,
        modes: Mapping[Family, Sequence[str]] = MODES,
        at: str = "",
        tls: bool = False,
    ) -> dict[str, str]:
        """Have a client of each kind fetch a file from services, at all their addresses or at one.

        Those that are doomed, kinds by service, are not waited for as long.

        Returns:
            The kinds of clients that got none, by the service; a service that served all is left out.
        """
        doomed = doomed or {}
        wanted = {
            (name, kind, ip): Fetch(
                server=ip,
                mode=mode,
                source=self._site.clients(address.name, family)[self._used + number],
                port=each.plan.probe_port or 0,
                tls=tls,
                limit=_DOOMED if kind in doomed.get(name, "").split() else _LIMIT,
            )
            for each in self._site.lowered.services
            for name in [each.service.name]
            if name in (services or doomed)
            for address in each.service.addresses
            for ip in ([at] if at else map(str, address.ips))
            for family in [Family.IPV6 if ":" in ip else Family.IPV4]
            for number, mode in enumerate(modes.get(family, ()))
            for kind in [_kind(mode, family)]
        }
        self._used += _KINDS
        failed: dict[str, list[str]] = {}
        self.said = []
        for (name, kind, ip), got in zip(wanted, self._site.transfer(wanted.values()), strict=True):
            if got.server is None:
                self.said.append(f"{name} at {ip}, {kind}: {got}")
                failed.setdefault(name, []).append(kind)
        return {name: " ".join(dict.fromkeys(kinds)) for name, kinds in failed.items()}


def _kind(mode: str, family: Family) -> str:
    return f"{mode}6" if family is Family.IPV6 else mode


#: The kinds of clients as `failures` tells them: all, those that the server connects to, those that check who does, and
#: those that connect to the server.
ALL = "active checking eprt passive strict epsv active6 checking6 passive6"
ACTIVE = "active checking eprt active6 checking6"
CHECKING = "checking eprt checking6"
PASSIVE = "passive strict epsv passive6"


def v4(kinds: str) -> str:
    """Those of IPv4 among kinds of clients."""
    return " ".join(kind for kind in kinds.split() if not kind.endswith("6"))


def v6(kinds: str) -> str:
    """Those of IPv6 among kinds of clients."""
    return " ".join(kind for kind in kinds.split() if kind.endswith("6"))


def in_rules(words: str, pattern: str, by: str) -> Callable[[str], str]:
    """An edit that replaces a pattern in the lines that hold some words."""

    def change(text: str) -> str:
        return "".join(
            re.sub(pattern, by, line) if words in line else line for line in text.splitlines(keepends=True)
        )

    return change


def by_iptables_rules(change: Callable[[str], str]) -> tuple[Edit, ...]:
    """An edit of both families' rules."""
    return ("iptables.v4", change), ("iptables.v6", change)


@contextmanager
def edited(site: Trial, host: str, *edits: Edit) -> Iterator[None]:
    """Have a host load changed files of lvsc's; afterwards it has its own again."""
    own: dict[str, str] = {}
    changed: dict[str, str] = {}
    backends: set[str] = set()
    for end, change in edits:
        (file,) = (file for file in site.manifest["hosts"][host]["files"] if file["path"].endswith(end))
        path = file["path"]
        own[path] = site.run(host, "cat", path)
        changed[path] = change(own[path])
        assert changed[path] != own[path], f"the edit of {path} changes nothing"
        backends.add(file["backend"])
    try:
        _put(site, host, changed, backends)
        yield
    finally:
        _put(site, host, own, backends)


def _put(site: Trial, host: str, files: Mapping[str, str], backends: set[str]) -> None:
    """Write files, and do again the steps that read them."""
    for path, text in files.items():
        site.write(host, path, text)
    for step in site.manifest["hosts"][host]["load"]:
        if step["backend"] in backends:
            for done in site.commands(host, step["commands"]):
                assert done.quiet, done
    if "vsftpd" in backends:
        site.await_ftp()


def speak_tls(site: Trial, *hosts: str) -> None:
    """Have vsftpd offer TLS, as its operator would say; it does not insist that data connections resume a session."""
    for host in hosts:
        site.run(
            host,
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=laboratory", "-days", "2", "-keyout", "/run/ftp.pem", "-out", "/run/ftp.crt"),
        )
        site.write(host, "/etc/vsftpd.conf", site.run(host, "cat", "/etc/vsftpd.conf") + _TLS)
        for done in site.commands(host, [("/bin/systemctl", "restart", "vsftpd.service")]):
            assert done.quiet, done
    site.await_ftp()


_TLS = """ssl_enable=YES
allow_anon_ssl=YES
require_ssl_reuse=NO
ssl_ciphers=HIGH
rsa_cert_file=/run/ftp.crt
rsa_private_key_file=/run/ftp.pem
"""
