import os
import random
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest

from lvsc.plugin import (
    AddressRole,
    Emission,
    Family,
    HostGraph,
    HostPart,
    KernelModule,
    ModuleOption,
    Node,
    Origin,
    Sysctl,
    Target,
    TunnelChecksum,
    TunnelDevice,
    TunnelType,
    VirtualAddress,
)
from lvsc.targets import load
from lvsc_host.backend import Host

HOST = "web1"
ORIGIN = Origin("cluster.toml", ("services", "web"))
HEADER = "# Written by lvsc for host web1 of cluster red-hat. Do not edit: change the spec and build again."

Emit = Callable[..., Emission]
Run = Callable[[str], subprocess.CompletedProcess[str]]


class Make:
    """Short ways to write the nodes."""

    header = HEADER
    origin = ORIGIN

    @staticmethod
    def module(name: str) -> KernelModule:
        return KernelModule(host=HOST, origin=ORIGIN, name=name)

    @staticmethod
    def option(module: str, option: str, value: str) -> ModuleOption:
        return ModuleOption(host=HOST, origin=ORIGIN, module=module, option=option, value=value)

    @staticmethod
    def sysctl(key: str, value: str = "1") -> Sysctl:
        return Sysctl(host=HOST, origin=ORIGIN, key=key, value=value)

    @staticmethod
    def address(
        text: str,
        interface: str = "lo",
        role: AddressRole | None = None,
        instance: str | None = None,
    ) -> VirtualAddress:
        role = role or (AddressRole.LOOPBACK if interface == "lo" else AddressRole.SERVED)
        return VirtualAddress(
            host=HOST,
            origin=ORIGIN,
            interface=interface,
            address=ip_interface(text),
            role=role,
            instance=instance,
        )

    @staticmethod
    def tunnel(
        kind: str, inner: int = 4, outer: int = 4, port: int | None = None, *, local: str | None = None
    ) -> TunnelDevice:
        """A tunnel; a local address makes it one with checksums."""
        return TunnelDevice(
            host=HOST,
            origin=ORIGIN,
            type=TunnelType(kind),
            family=Family(inner),
            outer_family=Family(outer),
            port=port,
            checksum=TunnelChecksum.NONE if local is None else TunnelChecksum.FULL,
            local=None if local is None else ip_address(local),
        )

    @staticmethod
    def part(*nodes: Node, target: Target) -> HostPart:
        return HostPart(cluster="red-hat", graph=HostGraph(HOST, nodes), target=target)


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def debian() -> Target:
    return load("debian12")


@pytest.fixture
def alpine() -> Target:
    return load("alpine324")


@pytest.fixture
def emit(make: Make, debian: Target) -> Emit:
    """What the backend emits for these nodes, given to it in no particular order."""

    def emit(*nodes: Node, target: Target = debian) -> Emission:
        shuffled = random.sample(nodes, len(nodes))
        part = make.part(*shuffled, target=target)
        assert list(Host().check(part)) == []
        return Host().emit(part)

    return emit


@pytest.fixture
def namespace(tmp_path: Path) -> Run:
    """Runs shell text in a network and mount namespace of its own, with an empty /run, in the test's directory."""
    if why := _no_namespace():
        pytest.skip(why)

    def run(text: str) -> subprocess.CompletedProcess[str]:
        program = f"set -e; mount -t tmpfs none /run; ip link set lo up; cd {tmp_path}; {text}"
        return subprocess.run(
            [*_unshare(), "sh", "-c", program], capture_output=True, text=True, check=False, timeout=60
        )

    return run


def _unshare() -> list[str]:
    return ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net", "--mount"]


@cache
def _no_namespace() -> str | None:
    if not Path("/usr/sbin/ip").exists():
        return "no /usr/sbin/ip: apt-get install iproute2"
    if shutil.which("unshare") is None:
        return "no unshare: apt-get install util-linux"
    tried = subprocess.run(
        [*_unshare(), "mount", "-t", "tmpfs", "none", "/run"], capture_output=True, text=True, check=False
    )
    return f"no namespaces of one's own: {tried.stderr.strip()}" if tried.returncode else None
