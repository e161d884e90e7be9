"""What the host backend refuses: whatever a file that root's programs read could not carry safely."""

import re
from collections.abc import Iterator

from lvsc.plugin import (
    AddressRole,
    Diagnostic,
    Family,
    HostGraph,
    KernelModule,
    ModuleOption,
    Place,
    Sysctl,
    TunnelDevice,
    TunnelType,
    VirtualAddress,
    shown,
)
from lvsc_host import codes

_MODULE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,55}", re.ASCII)
_OPTION = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
_OPTION_VALUE = re.compile(r"[A-Za-z0-9_.:/+-]{1,256}", re.ASCII)
_KEY_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_VALUE = re.compile(r"[A-Za-z0-9_.,:/+-]+(?: [A-Za-z0-9_.,:/+-]+)*", re.ASCII)
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", re.ASCII)
_MAX_PORT = 65535


def check(graph: HostGraph) -> Iterator[Diagnostic]:
    """An error for each node that cannot be written, in the nodes' order."""
    yield from _modules(graph)
    yield from _sysctls(graph)
    yield from _addresses(graph)
    yield from _tunnels(graph)
    yield from _gre_devices(graph)


def below_proc_sys(key: str) -> tuple[str, ...] | None:
    """The names below /proc/sys that a key stands for (sysctl.d(5)), or None where it is no key.

    If the first separator is a dot, dots and slashes are interchanged; if it is a slash, nothing is.
    """
    separator = next((character for character in key if character in "./"), None)
    if separator is None:
        return None
    other = "/" if separator == "." else "."
    names = tuple(part.replace(other, ".") for part in key.split(separator))
    return names if all(_KEY_PART.fullmatch(name) for name in names) else None


def _modules(graph: HostGraph) -> Iterator[Diagnostic]:
    for module in graph.of(KernelModule):
        if not _MODULE.fullmatch(module.name):
            yield codes.MODULE.at(
                module.origin,
                f"`{shown(module.name)}` is not a kernel module's name",
                help="use letters, digits, `_` and `-`",
            )
    for option in graph.of(ModuleOption):
        if not (
            _MODULE.fullmatch(option.module)
            and _OPTION.fullmatch(option.option)
            and _OPTION_VALUE.fullmatch(option.value)
        ):
            yield codes.MODULE.at(
                option.origin,
                f"`{shown(f'{option.module} {option.option}={option.value}')}` is not a module option that can be written",
                help="use letters, digits and `_` in names, and besides `.:/+-` in the value",
            )


def _sysctls(graph: HostGraph) -> Iterator[Diagnostic]:
    seen: dict[tuple[str, ...], Sysctl] = {}
    for setting in graph.of(Sysctl):
        path = below_proc_sys(setting.key)
        if path is None:
            yield codes.SYSCTL_KEY.at(
                setting.origin,
                f"`{shown(setting.key)}` is not a sysctl key",
                help="write names with dots between them, and an interface's own dot as a slash",
            )
            continue
        if not _VALUE.fullmatch(setting.value):
            yield codes.SYSCTL_VALUE.at(
                setting.origin,
                f"`{setting.key}` cannot be set to `{shown(setting.value)}`",
                help="use letters, digits and `_.,:/+-`, with single blanks between words",
            )
        first = seen.setdefault(path, setting)
        if first is not setting:
            yield codes.SYSCTL_CONFLICT.at(
                setting.origin,
                f"`{setting.key}` is set to `{shown(setting.value)}` and to `{shown(first.value)}` on `{graph.host}`",
                help="leave out one of the two",
            )


def _addresses(graph: HostGraph) -> Iterator[Diagnostic]:
    seen: dict[tuple[str, object], VirtualAddress] = {}
    for node in graph.of(VirtualAddress):
        interface = node.address
        if not _INTERFACE.fullmatch(node.interface):
            yield codes.INTERFACE.at(
                node.origin,
                f"`{shown(node.interface)}` is not an interface's name",
                help="use 1 to 15 letters, digits, `.`, `_` and `-`, a letter or digit first",
            )
        if interface.version == 6 and interface.scope_id is not None:  # noqa: PLR2004 - the protocol's number
            yield codes.ADDRESS.at(
                node.origin,
                f"the address `{shown(str(interface))}` has a zone",
                help="leave out `%` and what follows it",
            )
            continue
        if node.role is AddressRole.LOOPBACK and node.interface != "lo":
            yield codes.ADDRESS.at(
                node.origin,
                f"the loopback address `{interface}` is to be added to `{shown(node.interface)}`",
                help="use the interface `lo`",
            )
        bits = interface.max_prefixlen
        if node.interface == "lo" and interface.network.prefixlen != bits:
            yield codes.ADDRESS.at(
                node.origin,
                f"`{interface}` on `lo` would make its whole network local",
                help=f"use the prefix length {bits}",
            )
        first = seen.setdefault((node.interface, interface.ip), node)
        if first.address != interface:
            yield codes.ADDRESS.at(
                node.origin,
                f"`{interface.ip}` has two prefix lengths on `{shown(node.interface)}`, "
                f"{first.address.network.prefixlen} and {interface.network.prefixlen}",
                help="use one of the two everywhere",
            )


def _tunnels(graph: HostGraph) -> Iterator[Diagnostic]:
    for tunnel in graph.of(TunnelDevice):
        if tunnel.type is not TunnelType.GUE:
            if tunnel.port is not None:
                yield codes.TUNNEL.at(
                    tunnel.origin,
                    f"a tunnel of type `{tunnel.type.value}` has no port",
                    help="leave out the port",
                )
        elif tunnel.port is None or not 1 <= tunnel.port <= _MAX_PORT:
            said = "none is said" if tunnel.port is None else f"not {tunnel.port}"
            yield codes.TUNNEL.at(
                tunnel.origin,
                f"a tunnel of type `gue` over IPv{tunnel.outer_family.value} needs a UDP port, {said}",
                help="give a port from 1 to 65535",
            )


def _gre_devices(graph: HostGraph) -> Iterator[Diagnostic]:
    """The devices that take gre packets with checksums: one an outer family, so one address."""
    first: dict[str, TunnelDevice] = {}
    for tunnel in graph.of(TunnelDevice):
        if not tunnel.own:
            continue
        if not _local(tunnel):
            said = "none is said" if tunnel.local is None else f"not `{shown(str(tunnel.local))}`"
            yield codes.TUNNEL.at(
                tunnel.origin,
                f"a gre tunnel with checksums over IPv{tunnel.outer_family.value} needs a local IPv{tunnel.outer_family.value} "
                f"address, {said}",
                help="give the real server's address that packets are sent to",
            )
        elif first.setdefault(tunnel.device, tunnel).local != tunnel.local:
            yield codes.TUNNEL.at(
                tunnel.origin,
                f"`{graph.host}` gets gre packets with checksums at `{first[tunnel.device].local}` and at `{tunnel.local}`",
                others=[Place(first[tunnel.device].origin, label="the other one")],
                help="use one address of the host for both, or leave out the checksum",
            )


def _local(tunnel: TunnelDevice) -> bool:
    """Whether the address is one of the outer family, and without a zone."""
    address = tunnel.local
    return (
        address is not None
        and Family.of(address) is tunnel.outer_family
        and not getattr(address, "scope_id", None)
    )
