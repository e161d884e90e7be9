"""The kernel's calls that Python 3.11 has no names for, and its states that come by and by."""

import ctypes
import os
import time
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
NEW_MOUNTS, NEW_UTS, NEW_IPC, NEW_PROCESSES, NEW_NETWORK = (
    0x20000,
    0x4000000,
    0x8000000,
    0x20000000,
    0x40000000,
)
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000
_DIE_WITH_PARENT = 1
#: How long a state may take to come, and to wait before looking again, in seconds.
_LIMIT, _PAUSE = 60, 0.01


def unshare(namespaces: int) -> None:
    """Leave some namespaces for new ones (unshare(2)).

    Raises:
        OSError: The kernel refuses.
    """
    _tried(_LIBC.unshare(namespaces), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Attach a file system (mount(2)).

    Raises:
        OSError: The kernel refuses.
    """
    words = (source.encode(), target.encode(), kind.encode() or None)
    _tried(_LIBC.mount(*words, ctypes.c_ulong(flags), data.encode() or None), f"mount {target}")


def die_with_parent(signal: int) -> None:
    """Have the kernel send a signal to this process when its parent ends (PR_SET_PDEATHSIG of prctl(2))."""
    _tried(_LIBC.prctl(_DIE_WITH_PARENT, signal, 0, 0, 0), "prctl")


def becomes(path: str, state: str) -> None:
    """Wait until a file of the kernel's says a state.

    Raises:
        OSError: It does not come.
    """
    end = time.monotonic() + _LIMIT
    while (seen := Path(path).read_text(encoding="ascii").strip()) != state:
        if time.monotonic() > end:
            raise OSError(f"{path} is {seen}, not {state}")
        time.sleep(_PAUSE)


def _tried(status: int, what: str) -> None:
    if status:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
