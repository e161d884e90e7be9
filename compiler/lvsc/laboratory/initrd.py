"""The first file system of a guest in QEMU: what mounts this machine's / there, and leaves everything else to it."""

import bz2
import lzma
import shutil
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from lvsc.laboratory.guest import BOOT, SCRIPTS

#: The modules that mounts need, by their places in a kernel; QEMU serves this machine's files by 9p.
MODULES = ("drivers/virtio/virtio_pci", "net/9p/9pnet_virtio", "fs/9p/9p", "fs/overlayfs/overlay")
_DIRECTORY, _FILE, _DEVICE = 0o040755, 0o100755, 0o020600
_CONSOLE = (5, 1)
"""/dev/console's numbers (Linux: Documentation/admin-guide/devices.txt)."""


def busybox() -> Path | None:
    """This machine's busybox, if it needs no library."""
    name = shutil.which("busybox")
    if name is None:
        return None
    with Path(name).open("rb") as file:
        # The name of the dynamic loader stands behind an ELF file's headers.
        return None if b"/ld-" in file.read(4096) else Path(name)


def initrd(program: Path, modules: Path) -> bytes:
    """The archive for a kernel whose modules are in a directory, which has a `modules.dep`; `program` is a static busybox.

    Raises:
        ValueError: A module is compressed in a way that nothing here undoes.
    """
    files = [
        ("bin/busybox", program),
        ("init", BOOT / "initrd-init"),
        *((name, BOOT / name) for name in SCRIPTS),
    ]
    contents = [(name, path.read_bytes()) for name, path in files]
    for number, module in enumerate(_in_order(modules)):
        contents.append((f"modules/{number:02}.ko", decompressed((modules / module).read_bytes())))
    return b"".join(_archive(contents))


def dependencies(modules: Path) -> dict[str, tuple[str, list[str]]]:
    """Each module of a kernel by its place there: its file, and the files to be loaded before, the last one first."""
    found = {}
    for line in (modules / "modules.dep").read_text(encoding="utf-8").splitlines():
        file, _, others = line.partition(":")
        found[file.removeprefix("kernel/").partition(".ko")[0]] = (file, others.split())
    return found


def _in_order(modules: Path) -> Iterable[str]:
    """The files of what is to be loaded, each once. What is not among the modules is built in."""
    there = dependencies(modules)
    loads = (there[name] for name in MODULES if name in there)
    return dict.fromkeys(each for file, others in loads for each in (*reversed(others), file))


def decompressed(data: bytes) -> bytes:
    """What was compressed by a program that the kernel's build uses; other data as it is.

    Raises:
        ValueError: It is zstd's, and that program is not here.
    """
    # What follows the compressed data is not part of it; a kernel's image is followed by its size.
    if data.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor().decompress(data)
    if data.startswith(b"BZh"):
        return bz2.BZ2Decompressor().decompress(data)
    if data.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31).decompress(data)
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        if shutil.which("zstd") is None:
            raise ValueError("no zstd to decompress a kernel: apt-get install zstd")
        command = ["zstd", "-dc"]
        return subprocess.run(command, input=data, capture_output=True, check=False).stdout  # noqa: S603 - a fixed command
    return data


def _archive(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    for name in ("bin", "dev", "modules", "root"):
        yield _member(name, _DIRECTORY)
    yield _member("dev/console", _DEVICE, device=_CONSOLE)
    for name, data in files:
        yield _member(name, _FILE, data)
    yield _member("TRAILER!!!", 0)


def _member(name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """A file of a `newc` archive (Linux: Documentation/driver-api/early-userspace/buffer-format.rst)."""
    nothing = 0
    numbers = (nothing, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name.encode() + b"\0"
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
