"""Debian's stock kernel in QEMU: everything that a director's kernel has, on any machine, in some six seconds.

Never with KVM: that /dev/kvm exists does not say that a kernel boots with it. Nested without the processor's help, the
start of a kernel takes minutes, where QEMU's own translation takes seconds.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lvsc.laboratory.guest import Guest, GuestError, boot_directory, readable, started
from lvsc.laboratory.initrd import MODULES, busybox, dependencies, initrd

_PROGRAM = "qemu-system-x86_64"
_NEEDED = (*MODULES, "net/netfilter/ipvs/ip_vs")
_GET = f"{shlex.quote(sys.executable)} -m lvsc.laboratory.get_kernel"


@dataclass(frozen=True, slots=True)
class Image:
    """A kernel to boot."""

    kernel: Path
    modules: Path
    """The directory of its modules, whose name is its version."""
    busybox: Path
    """One that needs no library."""


def why_not() -> str | None:
    """Why this machine cannot run a kernel in QEMU, and what to do; None where it can."""
    if os.uname().machine != "x86_64":
        return f"no kernel for QEMU on {os.uname().machine}: lvsc knows only how to boot one for x86_64"
    if shutil.which(_PROGRAM) is None:
        return "no QEMU: apt-get install qemu-system-x86"
    if not Path("/sbin/modprobe").exists():
        return "no modprobe: apt-get install kmod"
    found = image(os.environ)
    return found if isinstance(found, str) else None


def image(environment: Mapping[str, str]) -> Image | str:
    """The kernel to boot: of $LVSC_KERNEL, of the cache directories, or an installed one; or why there is none."""
    if named := environment.get("LVSC_KERNEL"):
        why = f"no kernel in $LVSC_KERNEL that may be read and is whole: {_GET} {shlex.quote(named)}"
        return _unpacked(Path(named)) or why
    for directory in cache_directories(environment):
        if found := _unpacked(directory):
            return found
    program = busybox()
    for kernel in sorted(Path("/boot").glob("vmlinuz-*"), reverse=True):
        if program is None:
            break
        installed = Image(kernel, Path("/lib/modules", kernel.name.removeprefix("vmlinuz-")), program)
        if readable(kernel) and _complete(installed):
            return installed
    return f"no kernel for QEMU: {_GET}"


def cache_directories(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a kernel is kept: the user's place, unless it is root, whose home is closed to `nobody`; and everybody's."""
    everybodys = Path("/var/cache/lvsc/kernel")
    if os.geteuid() == 0:
        return (everybodys,)
    cache = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "/"), ".cache")
    return (Path(cache, "lvsc", "kernel"), everybodys)


def _unpacked(directory: Path) -> Image | None:
    """The kernel that `get_kernel` left in a directory, if the user of the guest may read it."""
    directory = directory.absolute()
    for kernel in filter(readable, (directory / "vmlinux", directory / "vmlinuz")):
        for modules in (directory / "lib" / "modules").glob("*"):
            found = Image(kernel, modules, directory / "busybox")
            if readable(found.busybox) and _complete(found):
                return found
    return None


def _complete(image: Image) -> bool:
    dep, builtin = image.modules / "modules.dep", image.modules / "modules.builtin"
    if not readable(dep) or not readable(builtin):
        return False
    lines = builtin.read_text(encoding="utf-8").splitlines()
    there = dependencies(image.modules).keys() | {
        line.removeprefix("kernel/").removesuffix(".ko") for line in lines
    }
    return there.issuperset(_NEEDED)


@contextmanager
def running(share: Path, command: Sequence[str]) -> Iterator[Guest]:
    """Boot it; see `lvsc.laboratory.kernels.running`."""
    (share / "command").write_text(shlex.join(command), encoding="utf-8")
    found = image(os.environ)
    if isinstance(found, str):
        raise GuestError(found)
    with boot_directory(share) as directory:
        archive = directory / "initrd"
        try:
            archive.write_bytes(initrd(found.busybox, found.modules))
        except ValueError as error:
            raise GuestError(str(error)) from error
        line = [
            *("console=ttyS0", "quiet", "panic=-1"),
            *("mitigations=off", "cryptomgr.notests"),  # a fifth of the start
            *("tsc=unstable", "no_timer_check"),  # on a busy machine clocks seem broken
            *("KERNEL=qemu", f'MODULES="{found.modules.parent}"'),
        ]
        arguments = [
            _PROGRAM,
            *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"),
            # One processor: two that are emulated have locked each other up for good.
            *("-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1G"),
            *("-kernel", str(found.kernel), "-initrd", str(archive), "-append", " ".join(line)),
            *_served("root", Path("/"), "readonly=on"),
            *_served("share", share),
        ]
        with started(arguments, directory, os.environ) as guest:
            yield guest


def _served(name: str, path: Path, *options: str) -> Iterator[str]:
    """QEMU's words to serve a directory under a name."""
    yield "-fsdev"
    yield ",".join([f"local,id={name},path={path},security_model=none,multidevs=remap", *options])
    yield "-device"
    yield f"virtio-9p-pci,fsdev={name},mount_tag={name}"
