"""Connection synchronisation: the daemons' options, and how `ipvsadm -L --daemon` shows them when they run so."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from lvsc.plugin import ConnectionSync, Feature, Target

STATES = ("master", "backup")

#: What is left of a packet for a message once UDP's header and the family's are off (Linux: ip_vs_sync.c).
LARGEST = {4: 65507, 6: 65487}

# The kernel's defaults (ip_vs_sync.c), said explicitly because a daemon that runs shows them whoever chose them.
_GROUP = IPv4Address("224.0.0.81")
_PORT = 8848
_TTL = 1
_MTU = {4: 1472, 6: 1452}
_SMALLEST_RECEIVED = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A sync daemon: `master` sends, `backup` receives."""

    state: str
    options: tuple[str, ...]
    """What the cluster says."""
    unsaid: tuple[str, ...]
    """What it leaves to the kernel."""
    shown: str
    """The line of `ipvsadm -L --daemon` once it runs with these options."""


def daemons(sync: ConnectionSync, target: Target) -> tuple[Daemon, ...]:
    """Both daemons: without VRRP nobody says which director is the active one, so each sends and receives."""
    return tuple(_daemon(sync, target, state) for state in STATES)


def _daemon(sync: ConnectionSync, target: Target, state: str) -> Daemon:
    options = ["--mcast-interface", sync.interface, "--syncid", str(sync.sync_id)]
    unsaid: list[str] = []
    shown = f"{state} sync daemon (mcast={sync.interface}, syncid={sync.sync_id}"
    if target.has(Feature.IPVSADM_SYNC_PARAMETERS) and target.has(Feature.KERNEL_SYNC_PARAMETERS):
        group = sync.group or _GROUP
        length = sync.max_length or _MTU[group.version]
        if state == "backup":
            length = max(length, _SMALLEST_RECEIVED)  # as the kernel does
        port = sync.port or _PORT
        ttl = sync.ttl or _TTL
        for option, said, value in (
            ("--sync-maxlen", sync.max_length, length),
            ("--mcast-group", sync.group, group),
            ("--mcast-port", sync.port, port),
            ("--mcast-ttl", sync.ttl, ttl),
        ):
            (unsaid if said is None else options).extend((option, str(value)))
        shown += f", maxlen={length}, group={group}, port={port}, ttl={ttl}"
    return Daemon(state=state, options=tuple(options), unsaid=tuple(unsaid), shown=f"{shown})")
