"""The kernels with IPVS that a laboratory can run on: this machine's own, and two that are booted for the purpose."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import cache
from pathlib import Path

from lvsc.laboratory import native, qemu, uml
from lvsc.laboratory.guest import Guest, GuestError

__all__ = ["Guest", "GuestError", "Kernel", "nftables", "running", "why_not"]


class Kernel(Enum):
    """A kernel to run a command on."""

    NATIVE = "native"
    """This machine's own, in namespaces; needs root, and `ip_vs`."""
    UML = "uml"
    """User Mode Linux; for everybody, quick, without nftables for IP."""
    QEMU = "qemu"
    """Debian's stock kernel in QEMU without acceleration; for everybody, slow, has everything."""


@cache
def why_not(kernel: Kernel) -> str | None:
    """Why this machine cannot run a kernel, in one line with what to install or do; None where it can."""
    match kernel:
        case Kernel.UML:
            return uml.why_not()
        case Kernel.QEMU:
            return qemu.why_not()
        case Kernel.NATIVE:
            return native.why_not()


def nftables(kernel: Kernel) -> bool:
    """Whether the kernel has nftables' families ip, ip6 and inet."""
    return native.nftables() if kernel is Kernel.NATIVE else kernel is Kernel.QEMU


@contextmanager
def running(kernel: Kernel, share: Path, command: Sequence[str]) -> Iterator[Guest]:
    """Boot a kernel and run a command there as root, in /mnt, which is the share.

    Both sides may write in the share and see each other's changes at once; give a file its name only when it is whole.
    What the command says and its exit status are in `stdout`, `stderr` and `status` when it ends, and the guest ends
    with it. Inside, this machine's files are there to read, as far as `nobody` may read them, if root runs lvsc;
    /run, /tmp, /var and /dev are the guest's own, and modprobe finds its kernel's modules.

    Leaving the context, or the end of this process, however it comes, ends the guest and everything in it.
    The share belongs to `nobody` if root runs lvsc, and so must what is put there be readable to it.

    Raises:
        GuestError: The guest cannot start.
    """
    if why := why_not(kernel):
        raise GuestError(why)
    share = share.resolve()
    match kernel:
        case Kernel.UML:
            with uml.running(share, command) as guest:
                yield guest
        case Kernel.QEMU:
            with qemu.running(share, command) as guest:
                yield guest
        case Kernel.NATIVE:
            with native.running(share, command) as guest:
                yield guest
